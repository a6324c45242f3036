// State machines as const data: a [state][event] table whose every cell is explicit.
//
//   cell = MOVE(next, action) | STAY(action) | IGNORE | REJECT        (0 = forgotten: a bug)
//
// The engine only looks the cell up and moves; the room that owns the machine runs the action the
// step names, and an action may post events but never steps a machine itself. Each state also says
// which timer guards it, or why none does. td_fsm_check() proves the table: every cell set, every
// state reachable, final states closed, every other state guarded. Pure; tables are shared by all
// threads, the state byte belongs to its owner.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum td_fsm_kind {
	TD_FSM_UNSET,  // never in a table that passed td_fsm_check
	TD_FSM_MOVE,   // go to `next` (which may be the same state: its timer restarts) and act
	TD_FSM_STAY,   // act, state and timer unchanged
	TD_FSM_IGNORE, // expected here and without meaning
	TD_FSM_REJECT  // not possible here: the caller answers an error or counts it
};

struct td_fsm_cell {
	uint8_t kind; // enum td_fsm_kind
	uint8_t next;
	uint16_t action; // the room's own enum or bit mask; 0: nothing
};

#define TD_FSM_TO(next_state, act)                                                                 \
	{                                                                                          \
		TD_FSM_MOVE, (next_state), (act)                                                   \
	}
#define TD_FSM_DO(act)                                                                             \
	{                                                                                          \
		TD_FSM_STAY, 0, (act)                                                              \
	}
#define TD_FSM_NOP                                                                                 \
	{                                                                                          \
		TD_FSM_IGNORE, 0, 0                                                                \
	}
#define TD_FSM_NO                                                                                  \
	{                                                                                          \
		TD_FSM_REJECT, 0, 0                                                                \
	}

struct td_fsm_state {
	const char *name;
	uint32_t timeout_ms;   // 0: the owner computes it, or there is none
	uint8_t timeout_event; // stepped when the guard fires
	bool guarded;          // a timer runs in this state
	bool final;
	const char *unguarded_reason; // of a state that is neither guarded nor final
};

struct td_fsm {
	const char *name;
	uint8_t state_count, event_count, initial;
	const struct td_fsm_state *states; // [state_count]
	const char *const *event_names;    // [event_count]
	const struct td_fsm_cell *cells;   // [state_count * event_count]
};

static inline const struct td_fsm_cell *td_fsm_cell(const struct td_fsm *fsm, unsigned state,
						    unsigned event)
{
	return &fsm->cells[state * fsm->event_count + event];
}

// Looks up and moves. Returns the cell that was taken; the caller runs its action, and re-arms the
// guard when its kind is TD_FSM_MOVE. An out-of-range state or event is a bug and asserts.
const struct td_fsm_cell *td_fsm_step(const struct td_fsm *fsm, uint8_t *state, unsigned event);

// Proves the table. Returns true, or false with one sentence in `why`.
bool td_fsm_check(const struct td_fsm *fsm, char *why, size_t why_bytes);

const char *td_fsm_state_name(const struct td_fsm *fsm, unsigned state);
const char *td_fsm_event_name(const struct td_fsm *fsm, unsigned event);
