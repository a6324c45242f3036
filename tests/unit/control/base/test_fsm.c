// The state-machine engine, and that its checker finds each kind of broken table.
#include <check.h>
#include <string.h>

#include "base/fsm.h"

enum { IDLE, BUSY, OVER, STATES };
enum { GO, STOP, EXPIRE, EVENTS };

static const char *const events[EVENTS] = { "go", "stop", "expire" };

static struct td_fsm_state states[STATES];
static struct td_fsm_cell cells[STATES][EVENTS];
static struct td_fsm fsm;

// A sound little machine, fresh for each test.
static void set_up(void)
{
	static const struct td_fsm_state good_states[STATES] = {
		{ .name = "idle", .unguarded_reason = "its user decides" },
		{ .name = "busy", .guarded = true, .timeout_event = EXPIRE },
		{ .name = "over", .final = true },
	};
	static const struct td_fsm_cell good_cells[STATES][EVENTS] = {
		{ TD_FSM_TO(BUSY, 7), TD_FSM_NO, TD_FSM_NOP },
		{ TD_FSM_DO(9), TD_FSM_TO(OVER, 0), TD_FSM_TO(OVER, 3) },
		{ TD_FSM_NO, TD_FSM_NO, TD_FSM_NO },
	};

	memcpy(states, good_states, sizeof states);
	memcpy(cells, good_cells, sizeof cells);
	fsm = (struct td_fsm){ .name = "toy",
			       .state_count = STATES,
			       .event_count = EVENTS,
			       .initial = IDLE,
			       .states = states,
			       .event_names = events,
			       .cells = &cells[0][0] };
}

START_TEST(steps)
{
	uint8_t state = IDLE;
	const struct td_fsm_cell *cell;

	set_up();
	cell = td_fsm_step(&fsm, &state, STOP);
	ck_assert_int_eq(cell->kind, TD_FSM_REJECT);
	ck_assert_int_eq(state, IDLE);
	cell = td_fsm_step(&fsm, &state, EXPIRE);
	ck_assert_int_eq(cell->kind, TD_FSM_IGNORE);
	cell = td_fsm_step(&fsm, &state, GO);
	ck_assert_int_eq(cell->kind, TD_FSM_MOVE);
	ck_assert_int_eq(cell->action, 7);
	ck_assert_int_eq(state, BUSY);
	cell = td_fsm_step(&fsm, &state, GO);
	ck_assert_int_eq(cell->kind, TD_FSM_STAY);
	ck_assert_int_eq(state, BUSY);
	td_fsm_step(&fsm, &state, STOP);
	ck_assert_int_eq(state, OVER);
	ck_assert_str_eq(td_fsm_state_name(&fsm, BUSY), "busy");
	ck_assert_str_eq(td_fsm_state_name(&fsm, 99), "?");
	ck_assert_str_eq(td_fsm_event_name(&fsm, STOP), "stop");
	ck_assert_str_eq(td_fsm_event_name(&fsm, 99), "?");
}
END_TEST

static void refused(const char *why_expected)
{
	char why[200];

	ck_assert(!td_fsm_check(&fsm, why, sizeof why));
	ck_assert_msg(strstr(why, why_expected) != NULL, "\"%s\" lacks \"%s\"", why, why_expected);
}

START_TEST(checker_accepts_the_sound_one)
{
	char why[200];

	set_up();
	ck_assert_msg(td_fsm_check(&fsm, why, sizeof why), "%s", why);
	ck_assert_str_eq(why, "");
}
END_TEST

START_TEST(checker_finds_each_fault)
{
	set_up();
	cells[BUSY][GO].kind = TD_FSM_UNSET;
	refused("cell [busy][go] is not set");
	set_up();
	cells[BUSY][GO].kind = TD_FSM_REJECT + 1;
	refused("is not set");
	set_up();
	cells[IDLE][GO].next = STATES;
	refused("does not exist");
	set_up();
	cells[OVER][GO] = (struct td_fsm_cell)TD_FSM_TO(IDLE, 0);
	refused("leaves a final state");
	set_up();
	states[IDLE].unguarded_reason = NULL;
	refused("neither a timer nor a reason");
	set_up();
	states[BUSY].timeout_event = EVENTS;
	refused("times out into an event");
	set_up();
	cells[BUSY][EXPIRE] = (struct td_fsm_cell)TD_FSM_NO;
	refused("rejects its own timeout");
	set_up();
	states[BUSY].name = NULL;
	refused("has no name");
	set_up();
	cells[IDLE][GO] = (struct td_fsm_cell)TD_FSM_NOP;
	refused("cannot be reached");
	set_up();
	cells[IDLE][STOP] = (struct td_fsm_cell)TD_FSM_TO(OVER, 0);
	cells[BUSY][STOP] = (struct td_fsm_cell)TD_FSM_NOP;
	cells[BUSY][EXPIRE] = (struct td_fsm_cell)TD_FSM_NOP;
	refused("state busy never ends");
	set_up();
	fsm.initial = STATES;
	refused("size makes no sense");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base/fsm");
	TCase *tc = tcase_create("fsm");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, steps);
	tcase_add_test(tc, checker_accepts_the_sound_one);
	tcase_add_test(tc, checker_finds_each_fault);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
