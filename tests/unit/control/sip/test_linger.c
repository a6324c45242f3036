// What lingers gives way: a rate of calls is not bounded by what it leaves behind for 32 s.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "rig.h"

#define POOL  64u
#define USED  56u // an eighth is kept for requests inside dialogs
#define T4_MS 5000u

static struct rig *rig;

static void setup(void)
{
	rig = rig_make(POOL, 64);
}

static void teardown(void)
{
	rig_free(rig);
}

static void ask(unsigned n)
{
	rig_inf(rig,
		"OPTIONS sip:x@10.77.0.1 SIP/2.0\nVia: SIP/2.0/UDP 10.77.0.10;branch=z9hG4bKo%u\n"
		"From: <sip:a@b>;tag=1\nTo: <sip:c@d>\nCall-ID: o%u\nCSeq: 1 OPTIONS\n\n",
		n, n);
}

// Its user hears of it and answers: from then on it lingers. False: it was refused for want of room.
static bool ask_and_answer(unsigned n)
{
	rig_clear(rig);
	ask(n);
	if (rig->event_count == 0) {
		ck_assert_uint_eq(rig_status(rig, 0), 503);
		return false;
	}
	ck_assert_int_eq(rig_respond(rig, 0, 200), 0);
	return true;
}

// Whoever says it again gets the same answer again, and its user hears nothing.
static void assert_absorbed(unsigned n)
{
	rig_clear(rig);
	ask(n);
	ck_assert_uint_eq(rig->event_count, 0);
	ck_assert_uint_eq(rig_status(rig, 0), 200);
}

START_TEST(it_gives_way_after_t4_and_not_before)
{
	for (unsigned i = 0; i < USED; i++)
		ck_assert(ask_and_answer(i));
	ck_assert(!ask_and_answer(100));
	rig_run(rig, T4_MS - 1);
	ck_assert(!ask_and_answer(101));
	ck_assert_uint_eq(rig_counter(rig, TD_SIP_COUNT_LINGERING_SPARED), 0);
	assert_absorbed(0);
	rig_run(rig, 1);
	ck_assert(ask_and_answer(103));
	// One for each that came, the oldest first; the others are as they were.
	ck_assert_uint_eq(rig_counter(rig, TD_SIP_COUNT_LINGERING_SPARED), 2);
	assert_absorbed(2);
	assert_absorbed(USED - 1);
	assert_absorbed(103);
	ck_assert(ask_and_answer(0)); // is new again
	rig_run(rig, 64000);
	ck_assert_uint_eq(rig_transactions(rig), 0);
}
END_TEST

START_TEST(what_is_under_way_does_not)
{
	const char *tag = rig_call_up(rig);

	rig_clear(rig);
	rig_inf(rig, "INVITE sip:x@10.77.0.1 SIP/2.0\nVia: SIP/2.0/UDP 10.77.0.10;branch=z9hG4bKi\n"
		     "From: <sip:a@b>;tag=1\nTo: <sip:c@d>\nCall-ID: i\nCSeq: 1 INVITE\n"
		     "Contact: <sip:a@10.77.0.10>\n\n");
	ck_assert_uint_eq(rig->event_count, 1);
	ck_assert_int_eq(rig_respond(rig, 0, 200), 0); // and no ACK comes
	for (unsigned i = 0; rig_transactions(rig) < USED; i++) {
		rig_clear(rig);
		ask(i); // nobody answers it yet
		ck_assert_uint_eq(rig->event_count, 1);
	}
	rig_run(rig, 2 * T4_MS);
	rig_clear(rig);
	ask(1000);
	ask(1001);
	ck_assert_uint_eq(rig->event_count, 1); // in place of the INVITE that was acknowledged
	ck_assert_uint_eq(rig_counter(rig, TD_SIP_COUNT_LINGERING_SPARED), 1);
	// Its call is up none the less.
	rig_clear(rig);
	rig_request(rig, "BYE", "z9hG4bKbye", 2, tag);
	ck_assert_uint_eq(rig->event_count, 1);
	ck_assert_int_eq(rig_respond(rig, 0, 200), 0);
}
END_TEST

// Ten a second leave 320 behind at a time, in a pool of 64; in 5 s they are 50.
START_TEST(a_rate_goes_on_for_ever)
{
	for (unsigned i = 0; i < 1000; i++) {
		ck_assert(ask_and_answer(i));
		rig_run(rig, 100);
	}
	ck_assert_uint_eq(rig_counter(rig, TD_SIP_COUNT_SHED), 0);
	ck_assert_uint_gt(rig_counter(rig, TD_SIP_COUNT_LINGERING_SPARED), 900);
}
END_TEST

// Calls of ours to others: what acknowledges a repeated 200 lingers as well.
START_TEST(our_own_give_way_too)
{
	for (unsigned i = 0; i < 200; i++) {
		struct td_sip_message request;
		struct td_sip_dialog_id dialog;
		struct td_sip_txn_id txn;

		rig_clear(rig);
		rig_call_out(rig, i + 1, &txn, &dialog, &request);
		rig_reply(rig, &request, 486, "theirs", "");
		rig_run(rig, 100);
	}
	ck_assert_uint_gt(rig_counter(rig, TD_SIP_COUNT_LINGERING_SPARED), 100);
	rig_run(rig, 64000);
	ck_assert_uint_eq(rig_transactions(rig), 0);
	ck_assert_uint_eq(rig_dialogs(rig), 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("linger");
	Suite *suite = suite_create("lingering transactions");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, it_gives_way_after_t4_and_not_before);
	tcase_add_test(tc, what_is_under_way_does_not);
	tcase_add_test(tc, a_rate_goes_on_for_ever);
	tcase_add_test(tc, our_own_give_way_too);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
