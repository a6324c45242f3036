// The four machines: every cell as the RFC has it, the tables proved, the timers' arithmetic.
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "sip/transaction.h"

// Each cell as text: "-" ignore, "!" reject, "=action" stay, "state action" move.
static const char *const ict_expected[TD_ICT_STATE_COUNT][TD_CLIENT_EVENT_COUNT] = {
	// 1xx, 2xx, 300-699, cancel, start, retransmit, expire
	{ "proceeding tell", "accepted tell", "completed ack+tell", "withdrawn", "=send", "=resend",
	  "terminated timeout" },
	{ "cancelling cancel", "accepted crossed", "completed ack+tell", "-", "!", "=resend",
	  "terminated timeout" },
	{ "proceeding tell", "accepted tell", "completed ack+tell", "cancelling cancel", "!", "-",
	  "cancelling cancel" },
	{ "-", "accepted crossed", "completed ack+tell", "-", "!", "-", "terminated timeout" },
	{ "-", "-", "=resend", "!", "!", "-", "terminated" },
	{ "-", "=reack", "-", "!", "!", "-", "terminated" },
	{ "!", "!", "!", "!", "!", "!", "!" },
};

static const char *const nct_expected[TD_NCT_STATE_COUNT][TD_CLIENT_EVENT_COUNT] = {
	{ "-", "-", "-", "!", "trying send", "-", "-" },
	{ "proceeding tell", "completed tell", "completed tell", "!", "!", "=resend",
	  "terminated timeout" },
	{ "=tell", "completed tell", "completed tell", "!", "!", "=resend", "terminated timeout" },
	{ "-", "-", "-", "!", "!", "-", "terminated" },
	{ "!", "!", "!", "!", "!", "!", "!" },
};

static const char *const ist_expected[TD_IST_STATE_COUNT][TD_SERVER_EVENT_COUNT] = {
	// request, ack, send-1xx, send-2xx, send-300-699, retransmit, expire
	{ "proceeding trying", "-", "proceeding send", "accepted send", "completed send", "-",
	  "proceeding trying" },
	{ "=resend", "-", "proceeding send", "accepted send", "completed send", "-",
	  "proceeding keepalive" },
	{ "=resend", "confirmed", "!", "!", "!", "=resend", "terminated" },
	{ "-", "-", "!", "!", "!", "-", "terminated" },
	{ "-", "acked tell", "!", "!", "!", "=resend", "terminated ack-timeout" },
	{ "-", "-", "!", "!", "!", "-", "terminated" },
	{ "!", "!", "!", "!", "!", "!", "!" },
};

static const char *const nst_expected[TD_NST_STATE_COUNT][TD_SERVER_EVENT_COUNT] = {
	{ "-", "-", "proceeding send", "completed send", "completed send", "-", "terminated" },
	{ "=resend", "-", "=send", "completed send", "completed send", "-", "terminated" },
	{ "=resend", "-", "!", "!", "!", "-", "terminated" },
	{ "!", "!", "!", "!", "!", "!", "!" },
};

static const struct {
	const struct td_sip_machine *machine;
	const char *const *expected;
} machines[] = {
	{ &td_sip_ict, &ict_expected[0][0] },
	{ &td_sip_nct, &nct_expected[0][0] },
	{ &td_sip_ist, &ist_expected[0][0] },
	{ &td_sip_nst, &nst_expected[0][0] },
};

static const struct {
	unsigned bit;
	const char *name;
} actions[] = {
	{ TD_SIP_ACT_SEND, "send" },
	{ TD_SIP_ACT_RESEND, "resend" },
	{ TD_SIP_ACT_ACK, "ack" },
	{ TD_SIP_ACT_TELL, "tell" },
	{ TD_SIP_ACT_TIMEOUT, "timeout" },
	{ TD_SIP_ACT_CANCEL, "cancel" },
	{ TD_SIP_ACT_CROSSED, "crossed" },
	{ TD_SIP_ACT_REACK, "reack" },
	{ TD_SIP_ACT_ACK_TIMEOUT, "ack-timeout" },
	{ TD_SIP_ACT_KEEPALIVE, "keepalive" },
	{ TD_SIP_ACT_TRYING, "trying" },
};

static void action_text(unsigned mask, char *out, size_t size)
{
	size_t used = 0;

	out[0] = 0;
	for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
		if (mask & actions[i].bit)
			used += (size_t)snprintf(out + used, size - used, "%s%s", used ? "+" : "",
						 actions[i].name);
	}
}

static void cell_text(const struct td_fsm *fsm, const struct td_fsm_cell *cell, char *out,
		      size_t size)
{
	char acts[128];

	action_text(cell->action, acts, sizeof acts);
	switch (cell->kind) {
	case TD_FSM_IGNORE: snprintf(out, size, "-"); return;
	case TD_FSM_REJECT: snprintf(out, size, "!"); return;
	case TD_FSM_STAY: snprintf(out, size, "=%s", acts); return;
	case TD_FSM_MOVE:
		snprintf(out, size, "%s%s%s", td_fsm_state_name(fsm, cell->next),
			 acts[0] ? " " : "", acts);
		return;
	default: snprintf(out, size, "unset");
	}
}

START_TEST(every_cell_is_as_expected)
{
	const struct td_fsm *fsm = &machines[_i].machine->fsm;

	for (unsigned s = 0; s < fsm->state_count; s++) {
		for (unsigned e = 0; e < fsm->event_count; e++) {
			const char *expected = machines[_i].expected[s * fsm->event_count + e];
			char found[256];

			cell_text(fsm, td_fsm_cell(fsm, s, e), found, sizeof found);
			ck_assert_msg(!strcmp(found, expected), "%s [%s][%s]: %s, expected %s",
				      fsm->name, td_fsm_state_name(fsm, s),
				      td_fsm_event_name(fsm, e), found, expected);
		}
	}
}
END_TEST

START_TEST(tables_are_sound)
{
	char why[256];

	ck_assert_msg(td_fsm_check(&machines[_i].machine->fsm, why, sizeof why), "%s", why);
}
END_TEST

// A guarded state has an ending timer and the final one has none.
START_TEST(timers_match_the_guards)
{
	const struct td_sip_machine *machine = machines[_i].machine;
	struct td_sip_times times = { 500, 4000, 5000 };

	for (unsigned s = 0; s < machine->fsm.state_count; s++) {
		bool timed = td_sip_timer_ms(machine->expire[s], &times) != 0;

		ck_assert_msg(timed == machine->fsm.states[s].guarded, "%s: state %s",
			      machine->fsm.name, machine->fsm.states[s].name);
	}
}
END_TEST

START_TEST(timer_lengths)
{
	struct td_sip_times times = { 500, 4000, 5000 };
	static const struct {
		enum td_sip_timer timer;
		uint32_t ms;
	} rows[] = {
		{ TD_TIMER_B, 32000 }, { TD_TIMER_D, 32000 }, { TD_TIMER_F, 32000 },
		{ TD_TIMER_H, 32000 }, { TD_TIMER_I, 5000 },  { TD_TIMER_J, 32000 },
		{ TD_TIMER_K, 5000 },  { TD_TIMER_L, 32000 }, { TD_TIMER_M, 32000 },
		{ TD_TIMER_X, 32000 }, { TD_TIMER_P, 60000 }, { TD_TIMER_T, 32000 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		ck_assert_uint_eq(td_sip_timer_ms(rows[i].timer, &times), rows[i].ms);
	ck_assert_uint_gt(td_sip_timer_ms(TD_TIMER_C, &times), 180000); // 16.6 step 11
}
END_TEST

START_TEST(retransmission_intervals)
{
	struct td_sip_times times = { 500, 4000, 5000 };
	static const struct {
		enum td_sip_timer timer;
		uint32_t ms[8];
	} rows[] = {
		{ TD_TIMER_A, { 500, 1000, 2000, 4000, 8000, 16000, 32000, 64000 } },
		{ TD_TIMER_E, { 500, 1000, 2000, 4000, 4000, 4000, 4000, 4000 } },
		{ TD_TIMER_E2, { 4000, 4000, 4000, 4000, 4000, 4000, 4000, 4000 } },
		{ TD_TIMER_G, { 500, 1000, 2000, 4000, 4000, 4000, 4000, 4000 } },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint32_t ms = td_sip_retransmit_first_ms(rows[i].timer, &times);

		for (int n = 0; n < 8; n++) {
			ck_assert_uint_eq(ms, rows[i].ms[n]);
			ms = td_sip_retransmit_next_ms(rows[i].timer, ms, &times);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sip/transaction");
	TCase *tc = tcase_create("machines");
	SRunner *runner = srunner_create(suite);
	int count = sizeof machines / sizeof *machines, failed;

	suite_add_tcase(suite, tc);
	tcase_add_loop_test(tc, every_cell_is_as_expected, 0, count);
	tcase_add_loop_test(tc, tables_are_sound, 0, count);
	tcase_add_loop_test(tc, timers_match_the_guards, 0, count);
	tcase_add_test(tc, timer_lengths);
	tcase_add_test(tc, retransmission_intervals);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
