// The two state machines: proven, and every cell of the agent's against what people expect.
#include <check.h>
#include <stdlib.h>

#include "acd/agent.h"
#include "acd/call.h"

START_TEST(tables_prove)
{
	char why[256];

	ck_assert_msg(td_fsm_check(&td_acd_agent_fsm, why, sizeof why), "%s", why);
	ck_assert_msg(td_fsm_check(&td_acd_call_fsm, why, sizeof why), "%s", why);
}
END_TEST

#define OUT TD_ACD_LOGGED_OUT
#define AVL TD_ACD_AVAILABLE
#define OFF TD_ACD_OFFERED
#define TLK TD_ACD_TALKING
#define WRP TD_ACD_WRAP_UP
#define PSD TD_ACD_PAUSED
#define no  100 // refused
#define st  101 // nothing happens
#define lt  102 // remembered for the end of the call

static const uint8_t expected[TD_ACD_AGENT_STATE_COUNT][TD_ACD_AGENT_INPUT_COUNT] = {
	// login out rdy  pse  offr answ fail wdrn e-wr e-rd e-ps e-lo w-end
	[OUT] = { AVL, st, AVL, PSD, no, no, no, no, no, no, no, no, no },
	[AVL] = { st, OUT, st, PSD, OFF, no, no, no, no, no, no, no, no },
	[OFF] = { st, OUT, st, PSD, no, TLK, PSD, AVL, no, no, no, no, no },
	[TLK] = { lt, lt, lt, lt, no, no, no, no, WRP, AVL, PSD, OUT, no },
	[WRP] = { st, OUT, AVL, PSD, no, no, no, no, no, no, no, no, AVL },
	[PSD] = { st, OUT, AVL, PSD, no, no, no, no, no, no, no, no, no },
};

START_TEST(every_agent_cell)
{
	for (unsigned s = 0; s < TD_ACD_AGENT_STATE_COUNT; s++) {
		for (unsigned i = 0; i < TD_ACD_AGENT_INPUT_COUNT; i++) {
			const struct td_fsm_cell *cell = td_fsm_cell(&td_acd_agent_fsm, s, i);

			switch (expected[s][i]) {
			case no: ck_assert_int_eq(cell->kind, TD_FSM_REJECT); break;
			case st: ck_assert_int_eq(cell->kind, TD_FSM_IGNORE); break;
			case lt:
				ck_assert_int_eq(cell->kind, TD_FSM_STAY);
				ck_assert_int_eq(cell->action, TD_ACD_THEN_LATER);
				break;
			default:
				ck_assert_int_eq(cell->kind, TD_FSM_MOVE);
				ck_assert_int_eq(cell->next, expected[s][i]);
			}
		}
	}
}
END_TEST

START_TEST(who_leaves_an_offer_gives_the_call_back)
{
	const struct td_fsm *fsm = &td_acd_agent_fsm;

	ck_assert_int_eq(td_fsm_cell(fsm, OFF, TD_ACD_IN_LOGOUT)->action, TD_ACD_THEN_WITHDRAW);
	ck_assert_int_eq(td_fsm_cell(fsm, OFF, TD_ACD_IN_PAUSE)->action, TD_ACD_THEN_WITHDRAW);
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(td_acd_agent_state_name(TD_ACD_WRAP_UP), "wrap-up");
	ck_assert_str_eq(td_acd_agent_state_name(TD_ACD_AGENT_STATE_COUNT), "unknown");
	ck_assert_str_eq(td_acd_reason_name(TD_ACD_REASON_NO_ANSWER), "no-answer");
	ck_assert_str_eq(td_acd_reason_name(TD_ACD_REASON_COUNT), "unknown");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("acd/machines");
	TCase *tc = tcase_create("machines");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, tables_prove);
	tcase_add_test(tc, every_agent_cell);
	tcase_add_test(tc, who_leaves_an_offer_gives_the_call_back);
	tcase_add_test(tc, names);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
