// The ring of numbered lines.
#include "api/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void td_events_init(struct td_events *events)
{
	memset(events, 0, sizeof *events);
}

static void forget(struct td_events_line *line)
{
	free(line->text);
	*line = (struct td_events_line){ 0 };
}

void td_events_fini(struct td_events *events)
{
	for (size_t i = 0; i < TD_EVENTS_KEPT; i++)
		forget(&events->lines[i]);
}

bool td_events_wanted(const struct td_events *events, uint64_t now_ms)
{
	return events->subscribers > 0 || now_ms < events->linger_until_ms;
}

void td_events_join(struct td_events *events)
{
	events->subscribers++;
}

void td_events_part(struct td_events *events, uint64_t now_ms)
{
	if (--events->subscribers == 0)
		events->linger_until_ms = now_ms + TD_EVENTS_LINGER_MS;
}

static void compose(struct td_events_line *line, uint64_t seq, json_t *params)
{
	json_t *event;
	char *text;

	json_object_set_new(params, "seq", json_integer((json_int_t)seq));
	event = json_pack("{s:s, s:s, s:O}", "jsonrpc", "2.0", "method", "event", "params", params);
	text = event ? json_dumps(event, JSON_COMPACT) : NULL;
	json_decref(event);
	if (!text)
		return;
	line->bytes = strlen(text);
	line->text = realloc(text, line->bytes + 2);
	if (!line->text) {
		free(text);
		return;
	}
	line->text[line->bytes++] = '\n';
	line->text[line->bytes] = '\0';
	line->seq = seq;
}

void td_events_publish(struct td_events *events, json_t *params)
{
	uint64_t seq = ++events->seq;
	struct td_events_line *line = &events->lines[seq % TD_EVENTS_KEPT];

	forget(line);
	if (params)
		compose(line, seq, params);
	json_decref(params);
}

static const struct td_events_line *line_of(const struct td_events *events, uint64_t seq)
{
	const struct td_events_line *line = &events->lines[seq % TD_EVENTS_KEPT];

	return line->seq == seq && line->text ? line : NULL;
}

const char *td_events_read(const struct td_events *events, uint64_t *next, char gap[128],
			   size_t *bytes)
{
	const struct td_events_line *line;
	uint64_t from = *next, to;

	if (from > events->seq)
		return NULL;
	line = line_of(events, from);
	if (line) {
		*next = from + 1;
		*bytes = line->bytes;
		return line->text;
	}
	// Nothing older than the ring can be there: look only where it could be.
	to = from;
	if (events->seq - from >= TD_EVENTS_KEPT)
		to = events->seq - TD_EVENTS_KEPT;
	while (to < events->seq && !line_of(events, to + 1))
		to++;
	*next = to + 1;
	*bytes = (size_t)snprintf(gap, 128,
				  "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"kind\":"
				  "\"gap\",\"from\":%" PRIu64 ",\"seq\":%" PRIu64 "}}\n",
				  from, to);
	return gap;
}
