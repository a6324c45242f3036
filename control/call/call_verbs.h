// What an operator may do with the parties of a call: every telephone feature as a change of roles,
// holds and volumes, of which the gain matrix follows (party.h).
//
//   monitor, whisper, coach, barge: an agent is called in in that role; one who is in already
//       changes role, which is an edit and nothing else
//   consult: an agent is called in, the caller hears music meanwhile
//   three-way: the caller is back, the consulted agent stays
//   complete: the consulted agent takes the agent's place;  take over: a supervisor does
//
// Each returns 0, or -TD_E* with one sentence in `why`, and has changed nothing then: -TD_ENOT_FOUND
// (no such call, party or agent), -TD_ESTATE (not now), -TD_EBUSY (the agent has a call), -TD_EFULL,
// -TD_ELINK_DOWN. What comes of it (the phone rings, is answered, refuses) is told by notices.
// Thread: the control loop's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "call/party.h"
#include "td_error.h"
#include "td_role.h"

struct td_calls;

#define TD_FEATURE_WHY_MAX 160

// Names of parties: "caller", "agent", or the id of an agent who was called in.

// Calls this agent's phone into the call, in this role (MONITOR to BARGE, CONSULT).
TD_MUST_CHECK int td_calls_call_in(struct td_calls *calls, const char *call, const char *agent,
				   enum td_party_role role, char why[TD_FEATURE_WHY_MAX])
	TD_CONTROL;
// Lets somebody go who was called in.
TD_MUST_CHECK int td_calls_let_go(struct td_calls *calls, const char *call, const char *party,
				  char why[TD_FEATURE_WHY_MAX]) TD_CONTROL;
// "caller" or "agent" hears music and is heard by nobody, or is back.
TD_MUST_CHECK int td_calls_hold(struct td_calls *calls, const char *call, const char *party,
				bool hold, char why[TD_FEATURE_WHY_MAX]) TD_CONTROL;
TD_MUST_CHECK int td_calls_three_way(struct td_calls *calls, const char *call,
				     char why[TD_FEATURE_WHY_MAX]) TD_CONTROL;
// The consulted agent (`agent` NULL), or this supervisor, replaces the call's agent.
TD_MUST_CHECK int td_calls_replace_agent(struct td_calls *calls, const char *call,
					 const char *agent, char why[TD_FEATURE_WHY_MAX])
	TD_CONTROL;

// What is to change of a party; absent fields stay as they are.
struct td_party_change {
	bool set_muted, set_deaf, set_talk, set_hear;
	bool muted, deaf;
	int16_t talk_q12, hear_q12;
};
TD_MUST_CHECK int td_calls_change_party(struct td_calls *calls, const char *call, const char *party,
					const struct td_party_change *change,
					char why[TD_FEATURE_WHY_MAX]) TD_CONTROL;

// Plays prompts, one after the other, to one party, or to "all". Into the music where that is what
// exactly this party hears, which then goes on where it was. -TD_EBUSY while another one plays.
TD_MUST_CHECK int td_calls_announce(struct td_calls *calls, const char *call, const char *party,
				    const char *const *prompts, uint32_t count,
				    char why[TD_FEATURE_WHY_MAX]) TD_CONTROL;
