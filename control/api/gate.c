// The token and the table of those who got it wrong.
#include "api/gate.h"

#include <stdio.h>
#include <string.h>

void td_gate_init(struct td_gate *gate, const char *token)
{
	memset(gate, 0, sizeof *gate);
	gate->token_bytes = strlen(token);
	snprintf(gate->token, sizeof gate->token, "%s", token);
}

// Looks at every byte there can be, so that the time says nothing about the token.
static bool is_token(const struct td_gate *gate, const char *token)
{
	char given[TD_GATE_TOKEN_MAX + 1] = { 0 };
	size_t bytes = strlen(token);
	unsigned difference = 0;

	memcpy(given, token, bytes < sizeof given ? bytes : sizeof given);
	for (size_t i = 0; i < sizeof given; i++)
		difference |= (unsigned char)given[i] ^ (unsigned char)gate->token[i];
	// The volatile keeps the compiler from leaving the loop early.
	*(volatile unsigned *)&difference |= (unsigned)(bytes != gate->token_bytes);
	return difference == 0 && gate->token_bytes > 0;
}

static struct td_gate_source *find(struct td_gate *gate, const struct td_endpoint *from)
{
	for (size_t i = 0; i < TD_GATE_SOURCE_MAX; i++)
		if (gate->sources[i].addr.family != TD_FAMILY_NONE &&
		    td_endpoint_same_addr(&gate->sources[i].addr, from))
			return &gate->sources[i];
	return NULL;
}

static struct td_gate_source *find_or_take(struct td_gate *gate, const struct td_endpoint *from)
{
	struct td_gate_source *source = find(gate, from), *oldest = &gate->sources[0];

	if (source)
		return source;
	for (size_t i = 0; i < TD_GATE_SOURCE_MAX; i++) {
		source = &gate->sources[i];
		if (source->addr.family == TD_FAMILY_NONE || source->last_ms < oldest->last_ms)
			oldest = source;
		if (source->addr.family == TD_FAMILY_NONE)
			break;
	}
	*oldest = (struct td_gate_source){ .addr = *from };
	return oldest;
}

static void note_failure(struct td_gate *gate, const struct td_endpoint *from, uint64_t now_ms)
{
	struct td_gate_source *source = find_or_take(gate, from);

	gate->failures++;
	if (source->failures == 0 || now_ms - source->first_ms >= TD_GATE_WINDOW_MS) {
		source->failures = 0;
		source->first_ms = now_ms;
	}
	source->last_ms = now_ms;
	if (++source->failures >= TD_GATE_FAILURE_MAX) {
		source->failures = 0;
		source->blocked_until_ms = now_ms + TD_GATE_BLOCK_MS;
	}
}

enum td_gate_answer td_gate_try(struct td_gate *gate, const struct td_endpoint *from,
				const char *token, uint64_t now_ms, uint64_t *wait_ms)
{
	struct td_gate_source *source = find(gate, from);

	*wait_ms = 0;
	if (source && now_ms < source->blocked_until_ms) {
		gate->blocked++;
		*wait_ms = source->blocked_until_ms - now_ms;
		return TD_GATE_BLOCKED;
	}
	if (!is_token(gate, token)) {
		note_failure(gate, from, now_ms);
		return TD_GATE_WRONG;
	}
	if (source)
		*source = (struct td_gate_source){ .addr.family = TD_FAMILY_NONE };
	return TD_GATE_OPEN;
}
