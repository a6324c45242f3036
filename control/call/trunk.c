// Matching sources, keeping the state of pings.
#include "call/trunk.h"

#include <stdlib.h>

int td_trunks_init(struct td_trunks *trunks, const struct td_config *config, uint64_t now_ms)
{
	*trunks = (struct td_trunks){
		.items = calloc(config->trunks_count + 1u, sizeof *trunks->items),
		.count = config->trunks_count,
		.ping_interval_ms = config->sip.options_ping_s * 1000u,
	};
	if (!trunks->items)
		return -TD_EMEMORY;
	for (uint32_t i = 0; i < trunks->count; i++) {
		trunks->items[i].config = &config->trunks[i];
		trunks->items[i].ping_next_ms = trunks->ping_interval_ms ? now_ms : UINT64_MAX;
	}
	return 0;
}

void td_trunks_fini(struct td_trunks *trunks)
{
	free(trunks->items);
	*trunks = (struct td_trunks){ 0 };
}

struct td_trunk *td_trunks_match(struct td_trunks *trunks, const struct td_endpoint *from)
{
	for (uint32_t i = 0; i < trunks->count; i++) {
		const struct td_config_trunk *config = trunks->items[i].config;

		for (unsigned k = 0; k < config->addresses_count; k++) {
			if (td_endpoint_same_addr(&config->parsed[k], from))
				return &trunks->items[i];
		}
	}
	return NULL;
}

struct td_trunk *td_trunks_due(struct td_trunks *trunks, uint64_t now_ms)
{
	for (uint32_t i = 0; i < trunks->count; i++) {
		struct td_trunk *trunk = &trunks->items[i];

		if (trunk->ping_next_ms > now_ms)
			continue;
		trunk->ping_next_ms = now_ms + trunks->ping_interval_ms;
		// One at a time: a ping that is still out will end by timer F.
		if (trunk->ping_sent_ms)
			continue;
		trunk->ping_sent_ms = now_ms ? now_ms : 1;
		return trunk;
	}
	return NULL;
}

uint64_t td_trunks_next_ms(const struct td_trunks *trunks)
{
	uint64_t next_ms = UINT64_MAX;

	for (uint32_t i = 0; i < trunks->count; i++) {
		if (trunks->items[i].ping_next_ms < next_ms)
			next_ms = trunks->items[i].ping_next_ms;
	}
	return next_ms;
}

bool td_trunk_answered(struct td_trunk *trunk, uint16_t status, uint64_t now_ms)
{
	enum td_trunk_state before = trunk->state;
	bool alive = status != 408 && status != 503;

	if (alive && trunk->ping_sent_ms)
		trunk->rtt_ms = (uint32_t)(now_ms - trunk->ping_sent_ms);
	trunk->ping_sent_ms = 0;
	trunk->state = alive ? TD_TRUNK_UP : TD_TRUNK_DOWN;
	return trunk->state != before;
}

const char *td_trunk_state_name(enum td_trunk_state state)
{
	switch (state) {
	case TD_TRUNK_UP: return "up";
	case TD_TRUNK_DOWN: return "down";
	case TD_TRUNK_UNKNOWN: break;
	}
	return "unknown";
}
