// The whole control plane between two kinds of test partners: phones on one side, a dataplane on
// the other. SIP endpoint, SDP, ACD, registrar, link, region and rings are the real ones.
//
//   phones <--wire in memory--> td_calls <--real link, Unix socket, rings--> dataplane.h
//
// Time is virtual except for the link's own deadlines. Nothing moves unless the test moves it:
// world_settle runs everything that is pending, world_advance lets time pass.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "acd/acd.h"
#include "acd/inspect.h"
#include "call/calls.h"
#include "call/inspect.h"
#include "call/manager.h"
#include "config/config.h"
#include "dataplane.h"
#include "link/link.h"
#include "phone.h"

#define WORLD_PHONES 8

extern uint32_t link_deadline_ms;    // what the next world's link gets
extern bool world_dual_stack;        // bound to [::], routes to fd77::1 and 10.77.0.1
extern uint32_t world_requests_max;  // of its link, 0: the default
extern struct td_store *world_store; // and where its records go; NULL: nowhere

struct world {
	uv_loop_t loop;
	struct td_link *link;
	struct td_acd *acd;
	struct td_calls *calls;
	struct td_config config;
	struct td_config_trunk trunk;
	struct td_config_agent agents[3];
	struct td_config_queue queues[2];
	struct td_config_number numbers[3];
	struct td_config_conference conferences[1];
	struct td_config_port port;
	struct td_config_address port_addresses[2];
	struct td_endpoint trunk_addresses[2];
	struct dp dp;
	uint64_t now_ms;
	unsigned expires_s;
	struct phone caller, agent, agent2, stranger, caller2, shadow, caller6;
	struct phone supervisor; // agent 1003, once world_with_supervisor has made the config
	struct phone *phones[WORLD_PHONES];
	uint32_t phone_count;
	uint32_t notices[TD_NOTICE_KIND_COUNT];
	char last_cause[64];
	uint64_t undelivered; // datagrams to nobody we know
	bool dp_manual;       // world_settle leaves the dataplane's commands unanswered
	uint32_t deadline_ms; // of the link's requests, real time
};

void world_open(struct world *world);
// With these changes to the default config, made before anything starts.
void world_open_with(struct world *world, void (*change)(struct td_config *config));
// One agent more, who serves no queue of these tests: "1003".
void world_with_supervisor(struct td_config *config);
// Until the link is up again (real time, bounded).
void world_wait_for_link(struct world *world);
// Real time passes, for the link's own deadlines.
void world_sleep(struct world *world, uint32_t ms);
void world_close(struct world *world);

void world_to_tandem(struct world *world, const struct td_endpoint *from, const void *bytes,
		     size_t len);
// The loop's events: what the link has to say.
void world_turn(struct world *world);
// Until nobody has anything to do at this moment.
void world_settle(struct world *world);
void world_advance(struct world *world, uint64_t ms);
// Registers both agents' phones.
void world_register(struct world *world);
// Makes every agent available again, and every phone idle.
void world_refresh(struct world *world);
// Calls, legs, dialogs, transactions, streams, contexts, players, taps, ACD entries: none is left
// once every timer of RFC 3261 has run out.
void world_assert_empty(struct world *world);
// The one call there is.
struct td_call_info world_call(struct world *world);
uint32_t world_call_count(struct world *world);
enum td_acd_agent_state world_agent_state(struct world *world, uint32_t agent);
