#include "base/fsm.h"

#include <stdio.h>

#include "td_assert.h"

#define STATE_MAX 64 // one bit each in the reachability set

const struct td_fsm_cell *td_fsm_step(const struct td_fsm *fsm, uint8_t *state, unsigned event)
{
	const struct td_fsm_cell *cell;

	TD_ASSERT(*state < fsm->state_count && event < fsm->event_count);
	cell = td_fsm_cell(fsm, *state, event);
	TD_ASSERT(cell->kind != TD_FSM_UNSET);
	if (cell->kind == TD_FSM_MOVE)
		*state = cell->next;
	return cell;
}

static bool check_cells(const struct td_fsm *fsm, char *why, size_t why_bytes)
{
	for (unsigned s = 0; s < fsm->state_count; s++) {
		for (unsigned e = 0; e < fsm->event_count; e++) {
			const struct td_fsm_cell *cell = td_fsm_cell(fsm, s, e);
			const char *wrong = NULL;

			if (cell->kind == TD_FSM_UNSET || cell->kind > TD_FSM_REJECT)
				wrong = "is not set";
			else if (cell->kind == TD_FSM_MOVE && cell->next >= fsm->state_count)
				wrong = "moves to a state that does not exist";
			else if (cell->kind == TD_FSM_MOVE && fsm->states[s].final)
				wrong = "leaves a final state";
			if (wrong) {
				snprintf(why, why_bytes, "%s: cell [%s][%s] %s", fsm->name,
					 td_fsm_state_name(fsm, s), td_fsm_event_name(fsm, e),
					 wrong);
				return false;
			}
		}
	}
	return true;
}

static bool check_states(const struct td_fsm *fsm, char *why, size_t why_bytes)
{
	for (unsigned s = 0; s < fsm->state_count; s++) {
		const struct td_fsm_state *state = &fsm->states[s];
		const char *wrong = NULL;

		if (!state->name)
			wrong = "has no name";
		else if (!state->final && !state->guarded && !state->unguarded_reason)
			wrong = "has neither a timer nor a reason for having none";
		else if (state->guarded && state->timeout_event >= fsm->event_count)
			wrong = "times out into an event that does not exist";
		else if (state->guarded &&
			 td_fsm_cell(fsm, s, state->timeout_event)->kind == TD_FSM_REJECT)
			wrong = "rejects its own timeout";
		if (wrong) {
			snprintf(why, why_bytes, "%s: state %s %s", fsm->name,
				 td_fsm_state_name(fsm, s), wrong);
			return false;
		}
	}
	return true;
}

static uint64_t reachable_from(const struct td_fsm *fsm, unsigned from)
{
	uint64_t seen = 1ull << from, before;

	do {
		before = seen;
		for (unsigned s = 0; s < fsm->state_count; s++) {
			if (!(seen & (1ull << s)))
				continue;
			for (unsigned e = 0; e < fsm->event_count; e++) {
				const struct td_fsm_cell *cell = td_fsm_cell(fsm, s, e);

				if (cell->kind == TD_FSM_MOVE)
					seen |= 1ull << cell->next;
			}
		}
	} while (seen != before);
	return seen;
}

static bool check_paths(const struct td_fsm *fsm, char *why, size_t why_bytes)
{
	uint64_t seen = reachable_from(fsm, fsm->initial), finals = 0;

	for (unsigned s = 0; s < fsm->state_count; s++) {
		finals |= fsm->states[s].final ? 1ull << s : 0;
		if (!(seen & (1ull << s))) {
			snprintf(why, why_bytes, "%s: state %s cannot be reached", fsm->name,
				 td_fsm_state_name(fsm, s));
			return false;
		}
	}
	for (unsigned s = 0; finals && s < fsm->state_count; s++) {
		if (!(reachable_from(fsm, s) & finals)) {
			snprintf(why, why_bytes, "%s: state %s never ends", fsm->name,
				 td_fsm_state_name(fsm, s));
			return false;
		}
	}
	return true;
}

bool td_fsm_check(const struct td_fsm *fsm, char *why, size_t why_bytes)
{
	if (why_bytes)
		why[0] = 0;
	if (!fsm->state_count || fsm->state_count > STATE_MAX || !fsm->event_count ||
	    fsm->initial >= fsm->state_count) {
		snprintf(why, why_bytes, "%s: the table's size makes no sense", fsm->name);
		return false;
	}
	return check_cells(fsm, why, why_bytes) && check_states(fsm, why, why_bytes) &&
	       check_paths(fsm, why, why_bytes);
}

const char *td_fsm_state_name(const struct td_fsm *fsm, unsigned state)
{
	return state < fsm->state_count && fsm->states[state].name ? fsm->states[state].name : "?";
}

const char *td_fsm_event_name(const struct td_fsm *fsm, unsigned event)
{
	return event < fsm->event_count && fsm->event_names[event] ? fsm->event_names[event] : "?";
}
