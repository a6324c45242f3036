// The table itself.
#include "call/call_machine.h"

#define GUARD_ENDING_MS    8000 // the recorder closes a file well within this, or not at all

#define TO(state, actions) TD_FSM_TO(TD_CALL_##state, (actions))
#define DO(actions)        TD_FSM_DO((actions))
#define NOP                TD_FSM_NOP
#define NO                 TD_FSM_NO

#define GREET              TD_CALL_DO_GREET
#define ENQUEUE            TD_CALL_DO_ENQUEUE
#define RING               TD_CALL_DO_RING
#define UNRING             TD_CALL_DO_UNRING
#define FAILED             TD_CALL_DO_FAILED
#define CONNECT            TD_CALL_DO_CONNECT
#define END                TD_CALL_DO_END
#define CONFER             TD_CALL_DO_CONFER

static const char *const event_names[TD_CALL_EVENT_COUNT] = {
	"caller-up",   "greeting-over", "offer",         "withdraw",   "agent-up", "agent-gone",
	"caller-gone", "wait-over",     "queue-refused", "media-lost", "hangup",   "cleared",
	"guard",       "party",         "confer",        "rejoin",     "invite",
};

static const struct td_fsm_state states[TD_CALL_STATE_COUNT] = {
	[TD_CALL_FREE] = { .name = "free", .final = true },
	[TD_CALL_PREPARING] = { .name = "preparing",
				.unguarded_reason =
					"the caller's leg is guarded, and its end ends the call" },
	// The guard is the greeting's length and a little more: its end event may be lost.
	[TD_CALL_GREETING] = { .name = "greeting",
			       .timeout_event = TD_CALL_GUARD,
			       .guarded = true },
	[TD_CALL_QUEUED] = { .name = "queued",
			     .unguarded_reason =
				     "the ACD guards the wait, the caller's leg its length" },
	[TD_CALL_OFFERING] = { .name = "offering",
			       .unguarded_reason =
				       "the ACD guards the offer, the agent's leg its ringing" },
	[TD_CALL_TALKING] = { .name = "talking", .unguarded_reason = "both legs are guarded" },
	[TD_CALL_INVITING] = { .name = "inviting",
			       .unguarded_reason = "the agent's leg guards its ringing" },
	[TD_CALL_CONFERENCE] = { .name = "conference", .unguarded_reason = "its legs are guarded" },
	[TD_CALL_ENDING] = { "ending", GUARD_ENDING_MS, TD_CALL_GUARD, true },
};

// clang-format off
static const struct td_fsm_cell cells[TD_CALL_STATE_COUNT][TD_CALL_EVENT_COUNT] = {
	[TD_CALL_FREE] = {
		[TD_CALL_CALLER_UP] = NOP, [TD_CALL_GREETING_OVER] = NOP, [TD_CALL_OFFER] = NOP,
		[TD_CALL_WITHDRAW] = NOP, [TD_CALL_AGENT_UP] = NOP, [TD_CALL_AGENT_GONE] = NOP,
		[TD_CALL_CALLER_GONE] = NOP, [TD_CALL_WAIT_OVER] = NOP, [TD_CALL_QUEUE_REFUSED] = NOP,
		[TD_CALL_MEDIA_LOST] = NOP, [TD_CALL_HANGUP] = NOP, [TD_CALL_CLEARED] = NOP,
		[TD_CALL_GUARD] = NOP,
		[TD_CALL_PARTY] = NOP, [TD_CALL_CONFER] = NOP,
		[TD_CALL_REJOIN] = NOP, [TD_CALL_INVITE] = NOP,
	},
	[TD_CALL_PREPARING] = {
		[TD_CALL_CALLER_UP] = TO(GREETING, GREET),
		[TD_CALL_GREETING_OVER] = NO, [TD_CALL_OFFER] = NO, [TD_CALL_WITHDRAW] = NO,
		[TD_CALL_AGENT_UP] = NO, [TD_CALL_AGENT_GONE] = NO,
		[TD_CALL_CALLER_GONE] = TO(ENDING, END),
		[TD_CALL_WAIT_OVER] = NO, [TD_CALL_QUEUE_REFUSED] = NO,
		[TD_CALL_MEDIA_LOST] = TO(ENDING, END),
		[TD_CALL_HANGUP] = TO(ENDING, END),
		[TD_CALL_CLEARED] = NOP, [TD_CALL_GUARD] = NOP,
		[TD_CALL_PARTY] = NOP, [TD_CALL_CONFER] = TO(CONFERENCE, CONFER),
		[TD_CALL_REJOIN] = NO, [TD_CALL_INVITE] = TO(INVITING, RING),
	},
	[TD_CALL_GREETING] = {
		[TD_CALL_CALLER_UP] = NOP,
		[TD_CALL_GREETING_OVER] = TO(QUEUED, ENQUEUE),
		[TD_CALL_OFFER] = NO, [TD_CALL_WITHDRAW] = NO,
		[TD_CALL_AGENT_UP] = NO, [TD_CALL_AGENT_GONE] = NO,
		[TD_CALL_CALLER_GONE] = TO(ENDING, END),
		[TD_CALL_WAIT_OVER] = NO, [TD_CALL_QUEUE_REFUSED] = NO,
		[TD_CALL_MEDIA_LOST] = TO(ENDING, END),
		[TD_CALL_HANGUP] = TO(ENDING, END),
		[TD_CALL_CLEARED] = NOP,
		[TD_CALL_GUARD] = TO(QUEUED, ENQUEUE),
		[TD_CALL_PARTY] = NOP, [TD_CALL_CONFER] = NO,
		[TD_CALL_REJOIN] = NO, [TD_CALL_INVITE] = NO,
	},
	[TD_CALL_QUEUED] = {
		[TD_CALL_CALLER_UP] = NOP, [TD_CALL_GREETING_OVER] = NOP,
		[TD_CALL_OFFER] = TO(OFFERING, RING),
		[TD_CALL_WITHDRAW] = NOP, // crossed with the failure of the same offer
		[TD_CALL_AGENT_UP] = NO, [TD_CALL_AGENT_GONE] = NOP,
		[TD_CALL_CALLER_GONE] = TO(ENDING, END),
		[TD_CALL_WAIT_OVER] = TO(ENDING, END),
		[TD_CALL_QUEUE_REFUSED] = TO(ENDING, END),
		[TD_CALL_MEDIA_LOST] = TO(ENDING, END),
		[TD_CALL_HANGUP] = TO(ENDING, END),
		[TD_CALL_CLEARED] = NOP, [TD_CALL_GUARD] = NOP,
		[TD_CALL_PARTY] = NOP, [TD_CALL_CONFER] = NO,
		[TD_CALL_REJOIN] = NO, [TD_CALL_INVITE] = NO,
	},
	[TD_CALL_OFFERING] = {
		[TD_CALL_CALLER_UP] = NOP, [TD_CALL_GREETING_OVER] = NOP,
		[TD_CALL_OFFER] = NO, // the ACD withdraws one before it makes another
		[TD_CALL_WITHDRAW] = TO(QUEUED, UNRING),
		[TD_CALL_AGENT_UP] = TO(TALKING, CONNECT),
		[TD_CALL_AGENT_GONE] = TO(QUEUED, FAILED),
		[TD_CALL_CALLER_GONE] = TO(ENDING, END),
		[TD_CALL_WAIT_OVER] = TO(ENDING, END),
		[TD_CALL_QUEUE_REFUSED] = NO,
		[TD_CALL_MEDIA_LOST] = TO(ENDING, END),
		[TD_CALL_HANGUP] = TO(ENDING, END),
		[TD_CALL_CLEARED] = NOP, [TD_CALL_GUARD] = NOP,
		[TD_CALL_PARTY] = NOP, [TD_CALL_CONFER] = NO,
		[TD_CALL_REJOIN] = NO, [TD_CALL_INVITE] = NO,
	},
	[TD_CALL_TALKING] = {
		[TD_CALL_CALLER_UP] = NOP, [TD_CALL_GREETING_OVER] = NOP,
		[TD_CALL_OFFER] = NO, [TD_CALL_WITHDRAW] = NOP,
		[TD_CALL_AGENT_UP] = NOP,
		[TD_CALL_AGENT_GONE] = TO(ENDING, END),
		[TD_CALL_CALLER_GONE] = TO(ENDING, END),
		[TD_CALL_WAIT_OVER] = NOP, [TD_CALL_QUEUE_REFUSED] = NO,
		[TD_CALL_MEDIA_LOST] = TO(ENDING, END),
		[TD_CALL_HANGUP] = TO(ENDING, END),
		[TD_CALL_CLEARED] = NOP, [TD_CALL_GUARD] = NOP,
		[TD_CALL_PARTY] = DO(0), [TD_CALL_CONFER] = TO(CONFERENCE, CONFER),
		[TD_CALL_REJOIN] = NOP, [TD_CALL_INVITE] = NO,
	},
	[TD_CALL_INVITING] = {
		[TD_CALL_CALLER_UP] = NO, [TD_CALL_GREETING_OVER] = NO,
		[TD_CALL_OFFER] = NO, [TD_CALL_WITHDRAW] = NO,
		[TD_CALL_AGENT_UP] = TO(CONFERENCE, CONFER),
		[TD_CALL_AGENT_GONE] = TO(ENDING, END),
		[TD_CALL_CALLER_GONE] = TO(ENDING, END),
		[TD_CALL_WAIT_OVER] = NO, [TD_CALL_QUEUE_REFUSED] = NO,
		[TD_CALL_MEDIA_LOST] = TO(ENDING, END),
		[TD_CALL_HANGUP] = TO(ENDING, END),
		[TD_CALL_CLEARED] = NOP, [TD_CALL_GUARD] = NOP,
		[TD_CALL_PARTY] = NOP, [TD_CALL_CONFER] = NO,
		[TD_CALL_REJOIN] = NO, [TD_CALL_INVITE] = NO,
	},
	[TD_CALL_CONFERENCE] = {
		[TD_CALL_CALLER_UP] = NOP, [TD_CALL_GREETING_OVER] = NOP,
		[TD_CALL_OFFER] = NO, [TD_CALL_WITHDRAW] = NOP,
		[TD_CALL_AGENT_UP] = NOP,
		[TD_CALL_AGENT_GONE] = TO(ENDING, END),
		[TD_CALL_CALLER_GONE] = TO(ENDING, END),
		[TD_CALL_WAIT_OVER] = NOP, [TD_CALL_QUEUE_REFUSED] = NO,
		[TD_CALL_MEDIA_LOST] = TO(ENDING, END),
		[TD_CALL_HANGUP] = TO(ENDING, END),
		[TD_CALL_CLEARED] = NOP, [TD_CALL_GUARD] = NOP,
		[TD_CALL_PARTY] = DO(0), [TD_CALL_CONFER] = NOP,
		[TD_CALL_REJOIN] = TO(TALKING, 0), [TD_CALL_INVITE] = NO,
	},
	[TD_CALL_ENDING] = {
		[TD_CALL_CALLER_UP] = NOP, [TD_CALL_GREETING_OVER] = NOP, [TD_CALL_OFFER] = NOP,
		[TD_CALL_WITHDRAW] = NOP, [TD_CALL_AGENT_UP] = NOP, [TD_CALL_AGENT_GONE] = NOP,
		[TD_CALL_CALLER_GONE] = NOP, [TD_CALL_WAIT_OVER] = NOP, [TD_CALL_QUEUE_REFUSED] = NOP,
		[TD_CALL_MEDIA_LOST] = NOP, [TD_CALL_HANGUP] = NOP,
		[TD_CALL_CLEARED] = TO(FREE, TD_CALL_DO_FREE),
		[TD_CALL_GUARD] = TO(ENDING, TD_CALL_DO_GIVE_UP),
		[TD_CALL_PARTY] = NOP, [TD_CALL_CONFER] = NOP,
		[TD_CALL_REJOIN] = NOP, [TD_CALL_INVITE] = NOP,
	},
};
// clang-format on

const struct td_fsm td_call_machine = {
	.name = "call",
	.state_count = TD_CALL_STATE_COUNT,
	.event_count = TD_CALL_EVENT_COUNT,
	.initial = TD_CALL_PREPARING,
	.states = states,
	.event_names = event_names,
	.cells = &cells[0][0],
};

const char *td_call_state_name(enum td_call_state state)
{
	return td_fsm_state_name(&td_call_machine, state);
}
