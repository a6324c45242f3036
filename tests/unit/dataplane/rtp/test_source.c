// Sequence and jitter statistics against RFC 3550's own code, transcribed from its appendix A, on
// generated traces: loss, duplicates, reordering, wrap, restart, SSRC change.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "rtp/rtcp.h"
#include "rtp/source.h"

// RFC 3550 A.1, A.3, A.8 with its names. Two stated differences of ours are applied around it by
// the traces: the first packet of a source counts at once, and known duplicates are not counted.
struct reference {
	uint16_t max_seq;
	uint32_t cycles, base_seq, bad_seq, received;
	uint32_t expected_prior, received_prior;
	uint32_t transit, jitter;
};

#define RTP_SEQ_MOD (1u << 16)

static void reference_init(struct reference *s, uint16_t seq)
{
	s->base_seq = seq;
	s->max_seq = seq;
	s->bad_seq = RTP_SEQ_MOD + 1;
	s->cycles = 0;
	s->received = 0;
	s->received_prior = 0;
	s->expected_prior = 0;
}

static int reference_update(struct reference *s, uint16_t seq)
{
	uint16_t udelta = (uint16_t)(seq - s->max_seq);
	const int MAX_DROPOUT = 3000, MAX_MISORDER = 100;

	if (udelta < MAX_DROPOUT) {
		if (seq < s->max_seq)
			s->cycles += RTP_SEQ_MOD;
		s->max_seq = seq;
	} else if (udelta <= RTP_SEQ_MOD - MAX_MISORDER) {
		if (seq == s->bad_seq) {
			reference_init(s, seq);
		} else {
			s->bad_seq = (seq + 1u) & (RTP_SEQ_MOD - 1);
			return 0;
		}
	}
	s->received++;
	return 1;
}

static void reference_jitter(struct reference *s, uint32_t arrival, uint32_t ts)
{
	int transit = (int)(arrival - ts);
	int d = transit - (int)s->transit;

	s->transit = (uint32_t)transit;
	if (d < 0)
		d = -d;
	s->jitter += (uint32_t)d - ((s->jitter + 8) >> 4);
}

static void reference_report(struct reference *s, uint8_t *fraction, int32_t *lost)
{
	uint32_t extended_max = s->cycles + s->max_seq;
	uint32_t expected = extended_max - s->base_seq + 1;
	uint32_t expected_interval = expected - s->expected_prior;
	uint32_t received_interval = s->received - s->received_prior;
	int lost_interval = (int)(expected_interval - received_interval);

	*lost = (int32_t)(expected - s->received);
	s->expected_prior = expected;
	s->received_prior = s->received;
	if (expected_interval == 0 || lost_interval <= 0)
		*fraction = 0;
	else
		*fraction = (uint8_t)(((uint32_t)lost_interval << 8) / expected_interval);
}

static uint32_t seed;

static uint32_t next_random(void)
{
	seed = seed * 1664525u + 1013904223u;
	return seed >> 8;
}

static struct td_rtp_source hot;
static struct td_rtp_source_cold cold;

static void setup(void)
{
	td_rtp_source_init(&hot, &cold);
}

struct trace {
	const char *name;
	uint16_t first;
	unsigned loss, reorder, duplicate, jump; // per mille
};

static const struct trace traces[] = {
	{ "clean", 100, 0, 0, 0, 0 },           { "clean over the wrap", 65500, 0, 0, 0, 0 },
	{ "1 % loss", 65000, 10, 0, 0, 0 },     { "30 % loss", 1, 300, 0, 0, 0 },
	{ "reordering", 65530, 0, 50, 0, 0 },   { "duplicates", 7, 0, 0, 50, 0 },
	{ "everything", 60000, 30, 30, 30, 0 }, { "restarts", 60000, 10, 10, 10, 5 },
};

// Feeds both one packet; ours must agree with the appendix on whether it counts.
static void feed(struct reference *reference, uint16_t seq, uint32_t arrival, uint32_t ts,
		 bool is_duplicate)
{
	enum td_rtp_verdict verdict = td_rtp_source_update(&hot, &cold, 7, seq);
	int counted;

	if (is_duplicate) {
		ck_assert_int_eq(verdict, TD_RTP_DUPLICATE);
		return;
	}
	counted = reference_update(reference, seq);
	ck_assert_int_eq(counted, verdict <= TD_RTP_LATE);
	if (!counted)
		return;
	reference_jitter(reference, arrival, ts);
	td_rtp_source_time(&hot, ts, arrival);
	ck_assert_uint_eq(hot.highest, reference->cycles + reference->max_seq);
	ck_assert_uint_eq(hot.received, reference->received);
	ck_assert_uint_eq(hot.jitter_q4, reference->jitter);
}

static void compare_reports(struct reference *reference)
{
	struct td_rtcp_report report;
	uint8_t fraction;
	int32_t lost;

	td_rtp_source_report(&hot, &cold, &report);
	reference_report(reference, &fraction, &lost);
	ck_assert_int_eq(report.lost, lost);
	ck_assert_uint_eq(report.fraction_lost, fraction);
	ck_assert_uint_eq(report.highest, reference->cycles + reference->max_seq);
	ck_assert_uint_eq(report.jitter, reference->jitter >> 4);
	ck_assert_uint_eq(report.ssrc, 7);
}

START_TEST(as_the_appendix_says)
{
	const struct trace *trace = &traces[_i];
	struct reference reference = { 0 };
	uint16_t seq = trace->first;
	uint32_t ts = 0xffff0000u, arrival = 1000;

	seed = 12345u + (uint32_t)_i;
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 7, seq), TD_RTP_FRESH);
	td_rtp_source_time_first(&hot, ts, arrival);
	reference_init(&reference, seq);
	reference.received = 1;
	reference.transit = arrival - ts;
	for (int i = 0; i < 100000; i++) {
		uint32_t dice = next_random() % 1000;

		seq++;
		ts += 160;
		arrival += 150 + next_random() % 20;
		if (dice < trace->loss)
			continue;
		if (dice < trace->loss + trace->jump) {
			seq = (uint16_t)(seq + 5000 + next_random() % 50000);
			feed(&reference, seq, arrival, ts, false);
			continue; // the next one confirms it
		}
		if (next_random() % 1000 < trace->reorder) {
			feed(&reference, (uint16_t)(seq + 1), arrival, ts + 160, false);
			feed(&reference, seq, arrival, ts, false);
			seq++;
			ts += 160;
		} else {
			feed(&reference, seq, arrival, ts, false);
		}
		if (next_random() % 1000 < trace->duplicate && hot.received > 1)
			feed(&reference, (uint16_t)hot.highest, arrival, ts, true);
		if (i % 250 == 0)
			compare_reports(&reference);
	}
	ck_assert_uint_gt(hot.received, 0);
}
END_TEST

START_TEST(totals_go_on_over_restarts_and_sources)
{
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 1, 10), TD_RTP_FRESH);
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 1, 14), TD_RTP_NEXT); // 3 lost
	// Another SSRC: one packet is not enough, two in sequence are.
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 2, 500), TD_RTP_PROBATION);
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 1, 15), TD_RTP_NEXT);
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 2, 501), TD_RTP_FRESH);
	ck_assert_uint_eq(cold.ssrc_changes, 1);
	ck_assert_uint_eq(hot.ssrc, 2);
	ck_assert_uint_eq(td_rtp_source_expected(&hot, &cold), 6 + 1);
	ck_assert_uint_eq(td_rtp_source_received(&hot, &cold), 3 + 1);
	// The same SSRC restarts its numbers.
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 2, 30000), TD_RTP_PROBATION);
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 2, 30001), TD_RTP_FRESH);
	ck_assert_uint_eq(cold.ssrc_changes, 1);
	ck_assert_uint_eq(td_rtp_source_expected(&hot, &cold), 6 + 1 + 1);
	ck_assert_uint_eq(td_rtp_source_received(&hot, &cold), 3 + 1 + 1);
}
END_TEST

START_TEST(two_strangers_do_not_confirm_each_other)
{
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 1, 10), TD_RTP_FRESH);
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 2, 500), TD_RTP_PROBATION);
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 3, 501), TD_RTP_PROBATION);
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 2, 501), TD_RTP_PROBATION);
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 1, 11), TD_RTP_NEXT);
}
END_TEST

START_TEST(expected_packet_needs_no_confirmation)
{
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 1, 10), TD_RTP_FRESH);
	td_rtp_source_expect(&cold, 9, 77);
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 9, 77), TD_RTP_FRESH);
	ck_assert_uint_eq(cold.ssrc_changes, 1);
}
END_TEST

struct step {
	uint16_t sequence;
	enum td_rtp_verdict verdict;
};

START_TEST(window_bounds)
{
	static const struct step steps[] = {
		{ 1000, TD_RTP_FRESH },     { 1000, TD_RTP_DUPLICATE },
		{ 1064, TD_RTP_NEXT },      { 1001, TD_RTP_LATE }, // 63 back: in the window
		{ 1001, TD_RTP_DUPLICATE }, { 1064, TD_RTP_DUPLICATE },
		{ 965, TD_RTP_LATE },       // 99 back: the last that is reordering
		{ 964, TD_RTP_PROBATION },  // 100 back: a jump
		{ 4063, TD_RTP_NEXT },      // 2,999 ahead: still loss
		{ 7063, TD_RTP_PROBATION }, // 3,000 ahead: a jump
		{ 7064, TD_RTP_FRESH },
	};

	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
		ck_assert_msg(td_rtp_source_update(&hot, &cold, 5, steps[i].sequence) ==
				      steps[i].verdict,
			      "step %zu", i);
	ck_assert_uint_eq(cold.reordered, 2);
	ck_assert_uint_eq(cold.duplicates, 3);
}
END_TEST

START_TEST(lost_is_clamped_to_24_bits)
{
	struct td_rtcp_report report;

	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 1, 0), TD_RTP_FRESH);
	hot.highest = 0x7fffffff;
	td_rtp_source_report(&hot, &cold, &report);
	ck_assert_int_eq(report.lost, 0x7fffff);
	ck_assert_uint_eq(report.fraction_lost, 255);
	hot.highest = 10;
	hot.received = 0x7fffffff;
	td_rtp_source_report(&hot, &cold, &report);
	ck_assert_int_eq(report.lost, -0x800000);
	ck_assert_uint_eq(report.fraction_lost, 0);
}
END_TEST

START_TEST(jitter_wraps_and_keeps_its_maximum)
{
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 1, 0), TD_RTP_FRESH);
	td_rtp_source_time_first(&hot, 0xfffffff0u, 0x10);
	for (uint32_t i = 1; i < 200; i++)
		td_rtp_source_time(&hot, 0xfffffff0u + i * 160, 0x10 + i * 160 + (i & 1) * 80);
	// |D| is always 80, so J converges to 80 (the estimate is scaled by 16).
	ck_assert_uint_ge(hot.jitter_q4 >> 4, 79);
	ck_assert_uint_le(hot.jitter_q4 >> 4, 80);
	for (uint32_t i = 200; i < 400; i++)
		td_rtp_source_time(&hot, 0xfffffff0u + i * 160, 0x10 + i * 160);
	ck_assert_uint_le(hot.jitter_q4 >> 4, 1);
	ck_assert_uint_ge(hot.jitter_max_q4 >> 4, 79);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rtp source");
	TCase *tcase = tcase_create("source");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_loop_test(tcase, as_the_appendix_says, 0, sizeof traces / sizeof traces[0]);
	tcase_add_test(tcase, totals_go_on_over_restarts_and_sources);
	tcase_add_test(tcase, two_strangers_do_not_confirm_each_other);
	tcase_add_test(tcase, expected_packet_needs_no_confirmation);
	tcase_add_test(tcase, window_bounds);
	tcase_add_test(tcase, lost_is_clamped_to_24_bits);
	tcase_add_test(tcase, jitter_wraps_and_keeps_its_maximum);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
