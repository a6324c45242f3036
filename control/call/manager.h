// The inside of the call manager: what its files share. Nobody outside control/call includes it.
//
// A turn: one of the functions of calls.h, or a callback of the link. It reads the clock once,
// feeds the SIP endpoint or a machine, and then drains the posts: steps of machines that actions
// asked for, first in first out. No machine is ever stepped from inside another one's action.
//
//   invariant: outside a turn there are no posts
//
// The posts' ring is bounded: a turn posts a few steps per leg it touches and drains in between.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "acd/acd.h"
#include "base/hash.h"
#include "base/wheel.h"
#include "call/call.h"
#include "call/calls.h"
#include "call/conference.h"
#include "call/forks_inside.h"
#include "call/leg.h"
#include "call/registrar.h"
#include "call/slots.h"
#include "call/trunk.h"
#include "sip/endpoint.h"
#include "td_assert.h"

#define TD_CALLS_POST_MAX    4096
#define TD_CALLS_POST_BREATH 256 // more are not left for the end of the turn

struct td_forks;

struct td_post {
	bool to_leg; // else to a call
	uint8_t event;
	uint64_t ref;     // of the leg or the call
	uint64_t leg_ref; // TD_CALL_AGENT_*: which leg it is about
	enum td_cause cause;
	uint32_t agent;
	uint64_t epoch, deadline_ms; // TD_CALL_OFFER
};

// A queue's prompts in the region's table; asked for again whenever the link comes up.
struct td_queue_prompts {
	uint32_t greeting, music; // TD_MEDIA_NO_PROMPT: none
	uint32_t greeting_ms;
};

// What an operator has called an agent's pause.
struct td_agent_pause {
	char text[TD_CALL_NAME_MAX];
};

struct td_calls {
	struct td_calls_deps deps;
	const struct td_config *config;
	struct td_sip_endpoint *sip;
	struct td_endpoint local4, local6; // what our Via, Contact and From say
	struct td_wheel wheel;
	struct td_token_source tokens;
	struct td_registrar registrar;
	struct td_trunks trunks;
	struct td_slots call_slots, leg_slots;
	struct td_call *calls;
	struct td_leg *legs;
	struct td_media **by_context; // hash of a context id -> calls and conferences
	uint32_t by_context_mask;
	struct td_queue_prompts *prompts; // by queue
	struct td_slots conference_slots;
	struct td_conference *conferences;
	struct td_agent_pause *pauses; // by agent
	struct td_forks *forks;
	uint64_t next_number;
	uint64_t now_ms;   // of this turn
	uint64_t vigil_ms; // when media is looked at next
	bool link_up, shutting_down;
	bool recordings_full; // the dataplane begins none: its disk is full
	bool draining;        // posts are being delivered
	uint32_t post_head, post_count;
	struct td_post posts[TD_CALLS_POST_MAX];
	struct td_calls_stats stats;
	uint64_t steps_rejected; // a machine was given what its table calls impossible
};

#define TD_OWNER_TRUNK (1ull << 63) // an owner of SIP events that is a trunk's index, not a leg

// Everything here runs in the control thread. Said once to the compiler and asserted at run time,
// where a turn begins and where the link is spoken to, instead of in every signature of the room.
static inline void td_on_control(void) TD_CAPABILITY_ATTR(assert_capability(td_role_control))
{
	td_role_assert(TD_ROLE_CONTROL);
}

// turn.c
void td_turn_begin(struct td_calls *calls);
void td_turn_end(struct td_calls *calls);
// Between two events of a long turn (thousands of timers after a stall): delivers what has come
// together, unless that is what is being done.
void td_turn_breathe(struct td_calls *calls);
void td_post_leg(struct td_calls *calls, const struct td_leg *leg, enum td_leg_event event);
void td_post_call(struct td_calls *calls, struct td_post post);
uint64_t td_calls_wall_ms(const struct td_calls *calls);

// sip_events.c: the endpoint's callback. inbound.c, reinvite.c: what it found.
void td_sip_events_on(void *user, const struct td_sip_event *event);
void td_inbound_invite(struct td_calls *calls, const struct td_sip_event *event);
void td_reinvite(struct td_calls *calls, struct td_leg *leg, const struct td_sip_event *event);
// Answers with a status and nothing else but these header lines (may be NULL).
void td_sip_refuse(struct td_calls *calls, struct td_sip_txn_id txn, uint16_t status,
		   const char *headers);
// "Retry-After: N\r\n", N random from 1 to 8.
void td_sip_retry_after(struct td_calls *calls, char out[32]);
// The body as a session description. 1: there is one, 0: there is no body, or -TD_E*.
struct td_sdp;
int td_sip_body(const struct td_sip_message *msg, struct td_sdp *out);

// trunk_ping.c
void td_trunk_ping(struct td_calls *calls);
void td_trunk_ping_done(struct td_calls *calls, uint64_t owner, uint16_t status);

// acd_actions.c: applies an event and posts what the ACD wants done.
int td_acd_tell(struct td_calls *calls, const struct td_acd_event *event);
void td_acd_tell_agent(struct td_calls *calls, uint32_t agent, enum td_acd_event_kind kind);
int td_acd_fill(struct td_calls *calls); // queues and agents of the config

// notice.c
void td_notice_call(struct td_calls *calls, const struct td_call *call,
		    enum td_call_notice_kind kind);
void td_notice_agent(struct td_calls *calls, uint32_t agent);
void td_notice_trunk(struct td_calls *calls, const struct td_trunk *trunk);
void td_notice_player(struct td_calls *calls, const struct td_event_player_end *ended);
void td_notice_digit(struct td_calls *calls, const struct td_event_digit *digit);
void td_notice_quality(struct td_calls *calls, struct td_media_info *info);
void td_notice_tone(struct td_calls *calls, const struct td_event_tone *tone);
void td_notice_fork(struct td_calls *calls, const struct td_fork_info *fork,
		    enum td_call_notice_kind kind);
// Of a call or conference, recording or privacy.
void td_notice_recording(const struct td_media *media);
void td_notice_recording_alarm(struct td_calls *calls, const struct td_event_record_alarm *alarm);
// `leg` NULL: about the conference as a whole.
void td_notice_conference(struct td_conference *conference, const struct td_leg *leg,
			  enum td_call_notice_kind kind);

// media_recorded.c: alarms of the recordings' disk go with the dataplane that raised them.
void td_recording_alarms_forget(struct td_calls *calls);

// vigil.c: media that has stopped, goes one way or sounds bad; when it is looked at next.
void td_vigil(struct td_calls *calls);
uint64_t td_vigil_next_ms(const struct td_calls *calls);

// inspect.c
// Copies a text, cut to fit: for people, never for protocols. NULL is empty.
void td_inspect_put(char *out, size_t out_bytes, const char *text);
void td_call_describe_origin(const struct td_calls *calls, const struct td_call *call,
			     char trunk[TD_CALL_NAME_MAX], char queue[TD_CALL_NAME_MAX]);
void td_leg_describe(const struct td_calls *calls, const struct td_call *call,
		     const struct td_leg *leg, struct td_call_leg_info *out);
void td_call_describe(struct td_calls *calls, const struct td_call *call, struct td_call_info *out);
void td_recording_describe(const struct td_media *media, struct td_recording_info *out);
const char *td_recording_state_name(const struct td_recording *recording);
// Its queue says that it may not be without.
bool td_recording_required(const struct td_call *call);
void td_agent_describe(struct td_calls *calls, uint32_t agent, struct td_agent_info *out);
void td_trunk_describe(const struct td_trunk *trunk, struct td_trunk_info *out);

// link_events.c
void td_link_events_on(void *user, const struct td_event *event);
void td_link_events_state(void *user, bool up);
void td_link_load_prompts(struct td_calls *calls);
// A prompt of that name, or TD_MEDIA_NO_PROMPT; NULL and "" name none.
uint32_t td_link_prompt(struct td_calls *calls, const char *who, const char *name);
