// Trunks: whose INVITEs we take, and whether the peer is alive.
//
//   source address --> trunk        one row of the config; the port does not matter
//   every options_ping_s: OPTIONS to the peer --> UP on any answer but 408 and 503, else DOWN
//
// A trunk that is DOWN may still call us: the ping is for people and for calls out. Nothing here
// sends; trunk_ping.c does. Memory: one array as long as the config's. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "call/inspect.h"
#include "config/config.h"
#include "td_endpoint.h"

struct td_trunk {
	const struct td_config_trunk *config;
	enum td_trunk_state state;
	uint64_t ping_sent_ms; // of the ping under way, 0: none
	uint64_t ping_next_ms; // UINT64_MAX: never
	uint32_t rtt_ms;
	uint32_t calls_now;
	uint64_t calls_total;
};

struct td_trunks {
	struct td_trunk *items;
	uint32_t count;
	uint32_t ping_interval_ms; // 0: off
};

TD_MUST_CHECK int td_trunks_init(struct td_trunks *trunks, const struct td_config *config,
				 uint64_t now_ms); // -TD_EMEMORY
void td_trunks_fini(struct td_trunks *trunks);

// The trunk whose peer has this source address; NULL: nobody we know.
struct td_trunk *td_trunks_match(struct td_trunks *trunks, const struct td_endpoint *from);

// The next trunk to ping now, or NULL; it counts as pinged from here on.
struct td_trunk *td_trunks_due(struct td_trunks *trunks, uint64_t now_ms);
uint64_t td_trunks_next_ms(const struct td_trunks *trunks);
// The ping ended with this status (408: no response at all). True when the state changed.
bool td_trunk_answered(struct td_trunk *trunk, uint16_t status, uint64_t now_ms);
