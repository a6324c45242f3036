// Under load, let work gather: one wake-up of the loop for many datagrams and answers.
//
//   loop turn: handlers -> [ nap, when turns come thick and the loop has time to spare ] -> poll
//
// A wake-up costs more than what one SIP message asks for. Beyond TD_GATHER_TURNS turns a window the
// loop naps TD_GATHER_NAP_NS before it polls again, as a network card does with its interrupts: a
// message waits three milliseconds at most, a call costs a good part less. Never when the loop had
// less than TD_GATHER_SLACK_PERCENT of the window to itself: a busy loop gathers by being busy.
// While it naps, lines of the log gather too, for TD_GATHER_LOG_MS at most.
// The decision is pure; the loop's hooks are in gather.c.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "td_role.h"

#define TD_GATHER_WINDOW_NS     20000000ull
#define TD_GATHER_NAP_NS        3000000ull
#define TD_GATHER_TURNS         24 // a window: 1,200 a second begin it
#define TD_GATHER_TURNS_END     3  // 150 a second end it; naps alone allow 333
#define TD_GATHER_SLACK_PERCENT 30
#define TD_GATHER_LOG_MS        100

struct td_gather {
	uint64_t window_ns; // when it began
	uint64_t slack_ns;  // spent waiting or napping in it
	uint32_t turns;
	bool napping; // what the last window decided
};

// One turn ends at `now_ns`; `waited_ns` of it were waiting or napping. How long to nap now: 0 or
// TD_GATHER_NAP_NS.
uint64_t td_gather_turn(struct td_gather *gather, uint64_t now_ns, uint64_t waited_ns);

struct td_gather_hooks {
	struct td_gather gather;
	uv_prepare_t prepare;
	uv_check_t check;
	uint64_t rest_ns; // when the turn's work was done
	uint64_t waited_ns;
	uint64_t logged_ns; // when what was held of the log was written last
};

// Before any other prepare handle of this loop is started, so that its own runs last. The
// handles close with td_gather_stop, on the next turns of the loop.
void td_gather_start(struct td_gather_hooks *hooks, uv_loop_t *loop) TD_CONTROL;
void td_gather_stop(struct td_gather_hooks *hooks) TD_CONTROL;
