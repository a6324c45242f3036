#include "link/state.h"

#define HELLO_TIMEOUT_MS 2000
#define RESET_TIMEOUT_MS 5000

static const struct td_fsm_state states[TD_LINK_STATE_COUNT] = {
	[TD_LINK_DOWN] = { .name = "down", .timeout_event = TD_LINK_INPUT_TIMER, .guarded = true },
	[TD_LINK_ATTACHING] = { .name = "attaching",
				.timeout_ms = HELLO_TIMEOUT_MS,
				.timeout_event = TD_LINK_INPUT_TIMER,
				.guarded = true },
	[TD_LINK_RESETTING] = { .name = "resetting",
				.timeout_ms = RESET_TIMEOUT_MS,
				.timeout_event = TD_LINK_INPUT_TIMER,
				.guarded = true },
	[TD_LINK_UP] = { .name = "up",
			 .unguarded_reason = "lasts as long as the dataplane; its socket says when "
					     "that ends" },
};

static const char *const input_names[TD_LINK_INPUT_COUNT] = {
	[TD_LINK_INPUT_TIMER] = "timer",       [TD_LINK_INPUT_CONNECTED] = "connected",
	[TD_LINK_INPUT_ATTACHED] = "attached", [TD_LINK_INPUT_RESET_DONE] = "reset_done",
	[TD_LINK_INPUT_LOST] = "lost",
};

// LOST in DOWN is an attempt that failed: the move to itself arms the next, later, attempt.
static const struct td_fsm_cell cells[TD_LINK_STATE_COUNT][TD_LINK_INPUT_COUNT] = {
	[TD_LINK_DOWN] = {
		[TD_LINK_INPUT_TIMER] = TD_FSM_DO(TD_LINK_ACTION_CONNECT),
		[TD_LINK_INPUT_CONNECTED] = TD_FSM_TO(TD_LINK_ATTACHING, TD_LINK_ACTION_NONE),
		[TD_LINK_INPUT_ATTACHED] = TD_FSM_NO,
		[TD_LINK_INPUT_RESET_DONE] = TD_FSM_NO,
		[TD_LINK_INPUT_LOST] = TD_FSM_TO(TD_LINK_DOWN, TD_LINK_ACTION_NONE),
	},
	[TD_LINK_ATTACHING] = {
		[TD_LINK_INPUT_TIMER] = TD_FSM_TO(TD_LINK_DOWN, TD_LINK_ACTION_ABANDON),
		[TD_LINK_INPUT_CONNECTED] = TD_FSM_NO,
		[TD_LINK_INPUT_ATTACHED] = TD_FSM_TO(TD_LINK_RESETTING, TD_LINK_ACTION_RESET),
		[TD_LINK_INPUT_RESET_DONE] = TD_FSM_NO,
		[TD_LINK_INPUT_LOST] = TD_FSM_TO(TD_LINK_DOWN, TD_LINK_ACTION_ABANDON),
	},
	[TD_LINK_RESETTING] = {
		[TD_LINK_INPUT_TIMER] = TD_FSM_TO(TD_LINK_DOWN, TD_LINK_ACTION_ABANDON),
		[TD_LINK_INPUT_CONNECTED] = TD_FSM_NO,
		[TD_LINK_INPUT_ATTACHED] = TD_FSM_NO,
		[TD_LINK_INPUT_RESET_DONE] = TD_FSM_TO(TD_LINK_UP, TD_LINK_ACTION_ANNOUNCE),
		[TD_LINK_INPUT_LOST] = TD_FSM_TO(TD_LINK_DOWN, TD_LINK_ACTION_ABANDON),
	},
	[TD_LINK_UP] = {
		[TD_LINK_INPUT_TIMER] = TD_FSM_NOP,
		[TD_LINK_INPUT_CONNECTED] = TD_FSM_NO,
		[TD_LINK_INPUT_ATTACHED] = TD_FSM_NO,
		[TD_LINK_INPUT_RESET_DONE] = TD_FSM_NO,
		[TD_LINK_INPUT_LOST] = TD_FSM_TO(TD_LINK_DOWN, TD_LINK_ACTION_LOSE),
	},
};

const struct td_fsm td_link_fsm = {
	.name = "link",
	.state_count = TD_LINK_STATE_COUNT,
	.event_count = TD_LINK_INPUT_COUNT,
	.initial = TD_LINK_DOWN,
	.states = states,
	.event_names = input_names,
	.cells = &cells[0][0],
};

const char *td_link_state_name(enum td_link_state state)
{
	return td_fsm_state_name(&td_link_fsm, state);
}
