// The two tables: proved by the engine, and every cell against what the protocol says.
#include <check.h>
#include <stdlib.h>

#include "call/call_machine.h"
#include "call/leg_machine.h"

START_TEST(leg_table_is_proved)
{
	char why[256];

	ck_assert_msg(td_fsm_check(&td_leg_machine, why, sizeof why), "%s", why);
}
END_TEST

START_TEST(call_table_is_proved)
{
	char why[256];

	ck_assert_msg(td_fsm_check(&td_call_machine, why, sizeof why), "%s", why);
}
END_TEST

// A step out of the alive states tells the call, exactly then; a step into ENDED ends.
START_TEST(leg_tells_gone_exactly_once)
{
	for (unsigned s = 0; s < TD_LEG_STATE_COUNT; s++) {
		for (unsigned e = 0; e < TD_LEG_EVENT_COUNT; e++) {
			const struct td_fsm_cell *cell = td_fsm_cell(&td_leg_machine, s, e);
			bool leaves, ends;

			if (cell->kind != TD_FSM_MOVE) {
				ck_assert(!(cell->action & (TD_LEG_TELL_GONE | TD_LEG_DO_END)));
				continue;
			}
			leaves = td_leg_state_alive((enum td_leg_state)s) &&
				 !td_leg_state_alive((enum td_leg_state)cell->next);
			ends = cell->next == TD_LEG_ENDED;
			ck_assert_msg(leaves == !!(cell->action & TD_LEG_TELL_GONE), "%s on %s",
				      td_fsm_state_name(&td_leg_machine, s),
				      td_fsm_event_name(&td_leg_machine, e));
			ck_assert_msg(ends == !!(cell->action & TD_LEG_DO_END), "%s on %s",
				      td_fsm_state_name(&td_leg_machine, s),
				      td_fsm_event_name(&td_leg_machine, e));
		}
	}
}
END_TEST

// Whatever the network or an operator may send at any moment has an answer in every state.
START_TEST(leg_hangup_and_guard_always_lead_out)
{
	for (unsigned s = TD_LEG_INCOMING; s < TD_LEG_ENDED; s++) {
		const struct td_fsm_cell *guard = td_fsm_cell(&td_leg_machine, s, TD_LEG_GUARD);
		const struct td_fsm_cell *hangup = td_fsm_cell(&td_leg_machine, s, TD_LEG_HANGUP);

		ck_assert_int_eq(guard->kind, TD_FSM_MOVE);
		ck_assert_int_ne(guard->next, s);
		if (td_leg_state_alive((enum td_leg_state)s)) {
			ck_assert_int_eq(hangup->kind, TD_FSM_MOVE);
			ck_assert(!td_leg_state_alive((enum td_leg_state)hangup->next));
		} else {
			ck_assert_int_eq(hangup->kind, TD_FSM_IGNORE);
		}
	}
}
END_TEST

// Following guards alone, every state comes to its end in a bounded time.
START_TEST(leg_guards_end_everything)
{
	for (unsigned s = TD_LEG_INCOMING; s < TD_LEG_STATE_COUNT; s++) {
		uint8_t state = (uint8_t)s;
		int steps = 0;

		while (state != TD_LEG_ENDED && steps++ < 5) {
			ck_assert_uint_gt(td_leg_machine.states[state].timeout_ms, 0);
			td_fsm_step(&td_leg_machine, &state, TD_LEG_GUARD);
		}
		ck_assert_int_eq(state, TD_LEG_ENDED);
	}
}
END_TEST

struct leg_row {
	enum td_leg_state state;
	enum td_leg_event event;
	enum td_leg_state next;
	unsigned actions;
};

static const struct leg_row leg_rows[] = {
	{ TD_LEG_NEW, TD_LEG_START_IN, TD_LEG_INCOMING, TD_LEG_DO_PREPARE },
	{ TD_LEG_INCOMING, TD_LEG_READY, TD_LEG_ANSWERED, TD_LEG_DO_ANSWER },
	{ TD_LEG_INCOMING, TD_LEG_CANCEL, TD_LEG_ENDED, TD_LEG_TELL_GONE | TD_LEG_DO_END },
	{ TD_LEG_ANSWERED, TD_LEG_ACK, TD_LEG_UP, TD_LEG_TELL_UP },
	// RFC 3261 section 15: no BYE between our 200 and its ACK.
	{ TD_LEG_ANSWERED, TD_LEG_HANGUP, TD_LEG_UNACKED, TD_LEG_TELL_GONE },
	{ TD_LEG_UNACKED, TD_LEG_ACK, TD_LEG_CLEARING, TD_LEG_DO_BYE },
	{ TD_LEG_UNACKED, TD_LEG_NO_ACK, TD_LEG_CLEARING, TD_LEG_DO_BYE },
	{ TD_LEG_NEW, TD_LEG_START_OUT, TD_LEG_CREATED, TD_LEG_DO_PREPARE },
	{ TD_LEG_CREATED, TD_LEG_READY, TD_LEG_CALLING, TD_LEG_DO_INVITE },
	{ TD_LEG_CREATED, TD_LEG_HANGUP, TD_LEG_ENDED, TD_LEG_TELL_GONE | TD_LEG_DO_END },
	{ TD_LEG_CALLING, TD_LEG_PROVISIONAL, TD_LEG_RINGING, TD_LEG_DO_RING },
	{ TD_LEG_CALLING, TD_LEG_ANSWER, TD_LEG_UP, TD_LEG_DO_ACK | TD_LEG_TELL_UP },
	{ TD_LEG_RINGING, TD_LEG_ANSWER, TD_LEG_UP, TD_LEG_DO_ACK | TD_LEG_TELL_UP },
	{ TD_LEG_RINGING, TD_LEG_HANGUP, TD_LEG_CANCELLING, TD_LEG_DO_CANCEL | TD_LEG_TELL_GONE },
	{ TD_LEG_CANCELLING, TD_LEG_ANSWER, TD_LEG_CLEARING, TD_LEG_DO_ACK | TD_LEG_DO_BYE },
	{ TD_LEG_CANCELLING, TD_LEG_REFUSAL, TD_LEG_ENDED, TD_LEG_DO_END },
	{ TD_LEG_UP, TD_LEG_BYE, TD_LEG_ENDED, TD_LEG_TELL_GONE | TD_LEG_DO_END },
	{ TD_LEG_UP, TD_LEG_HANGUP, TD_LEG_CLEARING, TD_LEG_DO_BYE | TD_LEG_TELL_GONE },
	{ TD_LEG_CLEARING, TD_LEG_BYE_DONE, TD_LEG_ENDED, TD_LEG_DO_END },
};

START_TEST(leg_rows_hold)
{
	const struct leg_row *row = &leg_rows[_i];
	uint8_t state = (uint8_t)row->state;
	const struct td_fsm_cell *cell = td_fsm_step(&td_leg_machine, &state, row->event);

	ck_assert_int_eq(cell->kind, TD_FSM_MOVE);
	ck_assert_int_eq(state, row->next);
	ck_assert_uint_eq(cell->action, row->actions);
}
END_TEST

START_TEST(call_ends_from_everywhere)
{
	static const enum td_call_event ends[] = { TD_CALL_CALLER_GONE, TD_CALL_MEDIA_LOST,
						   TD_CALL_HANGUP };

	for (unsigned s = TD_CALL_PREPARING; s < TD_CALL_ENDING; s++) {
		for (unsigned i = 0; i < sizeof ends / sizeof ends[0]; i++) {
			const struct td_fsm_cell *cell = td_fsm_cell(&td_call_machine, s, ends[i]);

			ck_assert_int_eq(cell->kind, TD_FSM_MOVE);
			ck_assert_int_eq(cell->next, TD_CALL_ENDING);
			ck_assert_uint_eq(cell->action, TD_CALL_DO_END);
		}
	}
}
END_TEST

START_TEST(call_keeps_its_place_when_an_offer_fails)
{
	uint8_t state = TD_CALL_OFFERING;
	const struct td_fsm_cell *cell = td_fsm_step(&td_call_machine, &state, TD_CALL_AGENT_GONE);

	ck_assert_int_eq(state, TD_CALL_QUEUED);
	// Not enqueued again: the ACD has kept it where it was.
	ck_assert_uint_eq(cell->action, TD_CALL_DO_FAILED);
	state = TD_CALL_OFFERING;
	cell = td_fsm_step(&td_call_machine, &state, TD_CALL_WITHDRAW);
	ck_assert_int_eq(state, TD_CALL_QUEUED);
	ck_assert_uint_eq(cell->action, TD_CALL_DO_UNRING);
}
END_TEST

START_TEST(call_is_freed_only_when_cleared)
{
	for (unsigned s = 0; s < TD_CALL_STATE_COUNT; s++) {
		for (unsigned e = 0; e < TD_CALL_EVENT_COUNT; e++) {
			const struct td_fsm_cell *cell = td_fsm_cell(&td_call_machine, s, e);
			bool frees = cell->kind == TD_FSM_MOVE && cell->next == TD_CALL_FREE;

			ck_assert(frees == (s == TD_CALL_ENDING && e == TD_CALL_CLEARED));
		}
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("machines");
	Suite *suite = suite_create("call machines");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, leg_table_is_proved);
	tcase_add_test(tc, call_table_is_proved);
	tcase_add_test(tc, leg_tells_gone_exactly_once);
	tcase_add_test(tc, leg_hangup_and_guard_always_lead_out);
	tcase_add_test(tc, leg_guards_end_everything);
	tcase_add_loop_test(tc, leg_rows_hold, 0, sizeof leg_rows / sizeof leg_rows[0]);
	tcase_add_test(tc, call_ends_from_everywhere);
	tcase_add_test(tc, call_keeps_its_place_when_an_offer_fails);
	tcase_add_test(tc, call_is_freed_only_when_cleared);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
