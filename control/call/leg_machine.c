// The table itself: a row a state, every cell explicit.
#include "call/leg_machine.h"

#define GUARD_MEDIA_MS     10000    // five times the deadline of one dataplane command
#define GUARD_SIP_MS       40000    // longer than 64 * T1 = 32 s: RFC 3261 timers B, F, H
#define GUARD_RINGING_MS   180000   // RFC 3261 section 16.6, timer C
#define GUARD_UP_MS        43200000 // twelve hours: a ghost, whatever it says

#define TO(state, actions) TD_FSM_TO(TD_LEG_##state, (actions))
#define DO(actions)        TD_FSM_DO((actions))
#define NOP                TD_FSM_NOP
#define NO                 TD_FSM_NO

#define PREPARE            TD_LEG_DO_PREPARE
#define ANSWER             TD_LEG_DO_ANSWER
#define REFUSE             TD_LEG_DO_REFUSE
#define INVITE             TD_LEG_DO_INVITE
#define RING               TD_LEG_DO_RING
#define ACK                TD_LEG_DO_ACK
#define CANCEL             TD_LEG_DO_CANCEL
#define BYE                TD_LEG_DO_BYE
#define UP                 TD_LEG_TELL_UP
#define GONE               TD_LEG_TELL_GONE
#define END                TD_LEG_DO_END

static const char *const event_names[TD_LEG_EVENT_COUNT] = {
	"start-in", "start-out",  "ready",   "media-failed", "provisional",
	"answer",   "bad-answer", "refusal", "retry",        "no-response",
	"ack",      "bad-ack",    "no-ack",  "cancel",       "bye",
	"bye-done", "peer-gone",  "hangup",  "guard",
};

static const struct td_fsm_state states[TD_LEG_STATE_COUNT] = {
	[TD_LEG_NEW] = { .name = "new",
			 .unguarded_reason = "never outlives the function that makes the leg" },
	[TD_LEG_INCOMING] = { "incoming", GUARD_MEDIA_MS, TD_LEG_GUARD, true },
	[TD_LEG_ANSWERED] = { "answered", GUARD_SIP_MS, TD_LEG_GUARD, true },
	[TD_LEG_UNACKED] = { "unacked", GUARD_SIP_MS, TD_LEG_GUARD, true },
	[TD_LEG_CREATED] = { "created", GUARD_MEDIA_MS, TD_LEG_GUARD, true },
	[TD_LEG_CALLING] = { "calling", GUARD_SIP_MS, TD_LEG_GUARD, true },
	[TD_LEG_RINGING] = { "ringing", GUARD_RINGING_MS, TD_LEG_GUARD, true },
	[TD_LEG_CANCELLING] = { "cancelling", GUARD_SIP_MS, TD_LEG_GUARD, true },
	[TD_LEG_UP] = { "up", GUARD_UP_MS, TD_LEG_GUARD, true },
	[TD_LEG_CLEARING] = { "clearing", GUARD_SIP_MS, TD_LEG_GUARD, true },
	[TD_LEG_ENDED] = { .name = "ended", .final = true },
};

// clang-format off
static const struct td_fsm_cell cells[TD_LEG_STATE_COUNT][TD_LEG_EVENT_COUNT] = {
	[TD_LEG_NEW] = {
		[TD_LEG_START_IN] = TO(INCOMING, PREPARE),
		[TD_LEG_START_OUT] = TO(CREATED, PREPARE),
		[TD_LEG_READY] = NO, [TD_LEG_MEDIA_FAILED] = NO, [TD_LEG_PROVISIONAL] = NO,
		[TD_LEG_ANSWER] = NO, [TD_LEG_BAD_ANSWER] = NO, [TD_LEG_REFUSAL] = NO,
		[TD_LEG_RETRY] = NO,
		[TD_LEG_NO_RESPONSE] = NO, [TD_LEG_ACK] = NO, [TD_LEG_BAD_ACK] = NO,
		[TD_LEG_NO_ACK] = NO, [TD_LEG_CANCEL] = NO, [TD_LEG_BYE] = NO,
		[TD_LEG_BYE_DONE] = NO, [TD_LEG_PEER_GONE] = NO, [TD_LEG_HANGUP] = NO,
		[TD_LEG_GUARD] = NO,
	},
	[TD_LEG_INCOMING] = {
		[TD_LEG_START_IN] = NO, [TD_LEG_START_OUT] = NO,
		[TD_LEG_READY] = TO(ANSWERED, ANSWER),
		[TD_LEG_MEDIA_FAILED] = TO(ENDED, REFUSE | GONE | END),
		[TD_LEG_PROVISIONAL] = NO, [TD_LEG_ANSWER] = NO, [TD_LEG_BAD_ANSWER] = NO,
		[TD_LEG_REFUSAL] = NO, [TD_LEG_RETRY] = NO, [TD_LEG_NO_RESPONSE] = NO,
		[TD_LEG_ACK] = NOP, [TD_LEG_BAD_ACK] = NOP, [TD_LEG_NO_ACK] = NO,
		[TD_LEG_CANCEL] = TO(ENDED, GONE | END), // the endpoint has sent 487
		[TD_LEG_BYE] = TO(ENDED, REFUSE | GONE | END),
		[TD_LEG_BYE_DONE] = NO, [TD_LEG_PEER_GONE] = NO,
		[TD_LEG_HANGUP] = TO(ENDED, REFUSE | GONE | END),
		[TD_LEG_GUARD] = TO(ENDED, REFUSE | GONE | END),
	},
	[TD_LEG_ANSWERED] = {
		[TD_LEG_START_IN] = NO, [TD_LEG_START_OUT] = NO, [TD_LEG_READY] = NOP,
		[TD_LEG_MEDIA_FAILED] = TO(UNACKED, GONE),
		[TD_LEG_PROVISIONAL] = NO, [TD_LEG_ANSWER] = NO, [TD_LEG_BAD_ANSWER] = NO,
		[TD_LEG_REFUSAL] = NO, [TD_LEG_RETRY] = NO, [TD_LEG_NO_RESPONSE] = NO,
		[TD_LEG_ACK] = TO(UP, UP),
		[TD_LEG_BAD_ACK] = TO(CLEARING, BYE | GONE),
		[TD_LEG_NO_ACK] = TO(CLEARING, BYE | GONE),
		[TD_LEG_CANCEL] = NOP, // too late: section 9.2
		[TD_LEG_BYE] = TO(ENDED, GONE | END),
		[TD_LEG_BYE_DONE] = NO, [TD_LEG_PEER_GONE] = TO(CLEARING, BYE | GONE),
		[TD_LEG_HANGUP] = TO(UNACKED, GONE),
		[TD_LEG_GUARD] = TO(CLEARING, BYE | GONE),
	},
	[TD_LEG_UNACKED] = {
		[TD_LEG_START_IN] = NO, [TD_LEG_START_OUT] = NO, [TD_LEG_READY] = NOP,
		[TD_LEG_MEDIA_FAILED] = NOP,
		[TD_LEG_PROVISIONAL] = NO, [TD_LEG_ANSWER] = NO, [TD_LEG_BAD_ANSWER] = NO,
		[TD_LEG_REFUSAL] = NO, [TD_LEG_RETRY] = NO, [TD_LEG_NO_RESPONSE] = NO,
		[TD_LEG_ACK] = TO(CLEARING, BYE),
		[TD_LEG_BAD_ACK] = TO(CLEARING, BYE),
		[TD_LEG_NO_ACK] = TO(CLEARING, BYE),
		[TD_LEG_CANCEL] = NOP,
		[TD_LEG_BYE] = TO(ENDED, END),
		[TD_LEG_BYE_DONE] = NO, [TD_LEG_PEER_GONE] = NOP, [TD_LEG_HANGUP] = NOP,
		[TD_LEG_GUARD] = TO(CLEARING, BYE),
	},
	[TD_LEG_CREATED] = {
		[TD_LEG_START_IN] = NO, [TD_LEG_START_OUT] = NO,
		[TD_LEG_READY] = TO(CALLING, INVITE),
		[TD_LEG_MEDIA_FAILED] = TO(ENDED, GONE | END),
		[TD_LEG_PROVISIONAL] = NO, [TD_LEG_ANSWER] = NO, [TD_LEG_BAD_ANSWER] = NO,
		[TD_LEG_REFUSAL] = NO, [TD_LEG_RETRY] = NO,
		[TD_LEG_NO_RESPONSE] = NO, [TD_LEG_ACK] = NO,
		[TD_LEG_BAD_ACK] = NO, [TD_LEG_NO_ACK] = NO, [TD_LEG_CANCEL] = NO,
		[TD_LEG_BYE] = NO, [TD_LEG_BYE_DONE] = NO, [TD_LEG_PEER_GONE] = NO,
		[TD_LEG_HANGUP] = TO(ENDED, GONE | END),
		[TD_LEG_GUARD] = TO(ENDED, GONE | END),
	},
	[TD_LEG_CALLING] = {
		[TD_LEG_START_IN] = NO, [TD_LEG_START_OUT] = NO, [TD_LEG_READY] = NOP,
		[TD_LEG_MEDIA_FAILED] = TO(CANCELLING, CANCEL | GONE),
		[TD_LEG_PROVISIONAL] = TO(RINGING, RING),
		[TD_LEG_ANSWER] = TO(UP, ACK | UP),
		[TD_LEG_BAD_ANSWER] = TO(CLEARING, ACK | BYE | GONE),
		[TD_LEG_REFUSAL] = TO(ENDED, GONE | END),
		[TD_LEG_RETRY] = TO(CALLING, INVITE),
		[TD_LEG_NO_RESPONSE] = TO(ENDED, GONE | END),
		[TD_LEG_ACK] = NO, [TD_LEG_BAD_ACK] = NO, [TD_LEG_NO_ACK] = NO,
		[TD_LEG_CANCEL] = NO,
		// A callee may not BYE before the dialog is confirmed, section 15; it got its 481 or
		// 200 already, and its final response to the INVITE is still to come.
		[TD_LEG_BYE] = NOP, [TD_LEG_BYE_DONE] = NO, [TD_LEG_PEER_GONE] = NO,
		[TD_LEG_HANGUP] = TO(CANCELLING, CANCEL | GONE),
		[TD_LEG_GUARD] = TO(CANCELLING, CANCEL | GONE), // a 100 came and stopped timer B
	},
	[TD_LEG_RINGING] = {
		[TD_LEG_START_IN] = NO, [TD_LEG_START_OUT] = NO, [TD_LEG_READY] = NOP,
		[TD_LEG_MEDIA_FAILED] = TO(CANCELLING, CANCEL | GONE),
		[TD_LEG_PROVISIONAL] = DO(RING),
		[TD_LEG_ANSWER] = TO(UP, ACK | UP),
		[TD_LEG_BAD_ANSWER] = TO(CLEARING, ACK | BYE | GONE),
		[TD_LEG_REFUSAL] = TO(ENDED, GONE | END),
		[TD_LEG_RETRY] = TO(CALLING, INVITE),
		[TD_LEG_NO_RESPONSE] = TO(ENDED, GONE | END),
		[TD_LEG_ACK] = NO, [TD_LEG_BAD_ACK] = NO, [TD_LEG_NO_ACK] = NO,
		[TD_LEG_CANCEL] = NO,
		[TD_LEG_BYE] = NOP, [TD_LEG_BYE_DONE] = NO, [TD_LEG_PEER_GONE] = NO,
		[TD_LEG_HANGUP] = TO(CANCELLING, CANCEL | GONE),
		[TD_LEG_GUARD] = TO(CANCELLING, CANCEL | GONE),
	},
	[TD_LEG_CANCELLING] = {
		[TD_LEG_START_IN] = NO, [TD_LEG_START_OUT] = NO, [TD_LEG_READY] = NOP,
		[TD_LEG_MEDIA_FAILED] = NOP,
		[TD_LEG_PROVISIONAL] = NOP,
		// A crossing 200 is ended by the endpoint and reported as a refusal; this is for one
		// that was on its way to us when we cancelled.
		[TD_LEG_ANSWER] = TO(CLEARING, ACK | BYE),
		[TD_LEG_BAD_ANSWER] = TO(CLEARING, ACK | BYE),
		[TD_LEG_REFUSAL] = TO(ENDED, END),
		[TD_LEG_RETRY] = TO(ENDED, END),
		[TD_LEG_NO_RESPONSE] = TO(ENDED, END),
		[TD_LEG_ACK] = NO, [TD_LEG_BAD_ACK] = NO, [TD_LEG_NO_ACK] = NO,
		[TD_LEG_CANCEL] = NO,
		[TD_LEG_BYE] = NOP, [TD_LEG_BYE_DONE] = NO, [TD_LEG_PEER_GONE] = NO,
		[TD_LEG_HANGUP] = NOP,
		[TD_LEG_GUARD] = TO(ENDED, END),
	},
	[TD_LEG_UP] = {
		[TD_LEG_START_IN] = NO, [TD_LEG_START_OUT] = NO, [TD_LEG_READY] = NOP,
		[TD_LEG_MEDIA_FAILED] = TO(CLEARING, BYE | GONE),
		[TD_LEG_PROVISIONAL] = NOP, [TD_LEG_ANSWER] = NOP, [TD_LEG_BAD_ANSWER] = NOP,
		[TD_LEG_REFUSAL] = NOP, [TD_LEG_RETRY] = NOP, [TD_LEG_NO_RESPONSE] = NOP,
		[TD_LEG_ACK] = NOP,
		[TD_LEG_BAD_ACK] = TO(CLEARING, BYE | GONE),
		[TD_LEG_NO_ACK] = TO(CLEARING, BYE | GONE), // of a re-INVITE
		[TD_LEG_CANCEL] = NOP,
		[TD_LEG_BYE] = TO(ENDED, GONE | END),
		[TD_LEG_BYE_DONE] = NO,
		[TD_LEG_PEER_GONE] = TO(CLEARING, BYE | GONE),
		[TD_LEG_HANGUP] = TO(CLEARING, BYE | GONE),
		[TD_LEG_GUARD] = TO(CLEARING, BYE | GONE),
	},
	[TD_LEG_CLEARING] = {
		[TD_LEG_START_IN] = NO, [TD_LEG_START_OUT] = NO, [TD_LEG_READY] = NOP,
		[TD_LEG_MEDIA_FAILED] = NOP, [TD_LEG_PROVISIONAL] = NOP, [TD_LEG_ANSWER] = NOP,
		[TD_LEG_BAD_ANSWER] = NOP, [TD_LEG_REFUSAL] = NOP, [TD_LEG_RETRY] = NOP,
		[TD_LEG_NO_RESPONSE] = NOP,
		[TD_LEG_ACK] = NOP, [TD_LEG_BAD_ACK] = NOP, [TD_LEG_NO_ACK] = NOP,
		[TD_LEG_CANCEL] = NOP,
		[TD_LEG_BYE] = NOP, // the two crossed: theirs got its 200, ours will get one
		[TD_LEG_BYE_DONE] = TO(ENDED, END),
		[TD_LEG_PEER_GONE] = NOP, [TD_LEG_HANGUP] = NOP,
		[TD_LEG_GUARD] = TO(ENDED, END),
	},
	[TD_LEG_ENDED] = {
		[TD_LEG_START_IN] = NOP, [TD_LEG_START_OUT] = NOP, [TD_LEG_READY] = NOP,
		[TD_LEG_MEDIA_FAILED] = NOP, [TD_LEG_PROVISIONAL] = NOP, [TD_LEG_ANSWER] = NOP,
		[TD_LEG_BAD_ANSWER] = NOP, [TD_LEG_REFUSAL] = NOP, [TD_LEG_RETRY] = NOP,
		[TD_LEG_NO_RESPONSE] = NOP,
		[TD_LEG_ACK] = NOP, [TD_LEG_BAD_ACK] = NOP, [TD_LEG_NO_ACK] = NOP,
		[TD_LEG_CANCEL] = NOP, [TD_LEG_BYE] = NOP, [TD_LEG_BYE_DONE] = NOP,
		[TD_LEG_PEER_GONE] = NOP, [TD_LEG_HANGUP] = NOP, [TD_LEG_GUARD] = NOP,
	},
};
// clang-format on

const struct td_fsm td_leg_machine = {
	.name = "leg",
	.state_count = TD_LEG_STATE_COUNT,
	.event_count = TD_LEG_EVENT_COUNT,
	.initial = TD_LEG_NEW,
	.states = states,
	.event_names = event_names,
	.cells = &cells[0][0],
};

bool td_leg_state_alive(enum td_leg_state state)
{
	switch (state) {
	case TD_LEG_INCOMING:
	case TD_LEG_ANSWERED:
	case TD_LEG_CREATED:
	case TD_LEG_CALLING:
	case TD_LEG_RINGING:
	case TD_LEG_UP: return true;
	case TD_LEG_NEW:
	case TD_LEG_UNACKED:
	case TD_LEG_CANCELLING:
	case TD_LEG_CLEARING:
	case TD_LEG_ENDED:
	case TD_LEG_STATE_COUNT: break;
	}
	return false;
}
