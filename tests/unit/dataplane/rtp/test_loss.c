// Bursts and gaps: traces worked out by hand from RFC 3611 section 4.7.2, any trace against a plain
// reading of the definition, and the same through the reception of packets.
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "rtp/loss.h"
#include "rtp/source.h"

#define DOTS15 "..............."
#define DOTS16 DOTS15 "."

struct row {
	const char *trace; // '.' received, 'x' lost, 'd' discarded
	uint32_t lost, discarded, runs;
	struct td_loss_summary want; // bursts, gaps, packets in each, bad in each
};

static const struct row rows[] = {
	{ "....", 0, 0, 0, { 0, 1, 0, 4, 0, 0 } },
	// One alone is part of the gap.
	{ "..x..", 1, 0, 1, { 0, 1, 0, 5, 0, 1 } },
	{ "..d..", 0, 1, 1, { 0, 1, 0, 5, 0, 1 } },
	// Two in a row are a burst of two.
	{ "..xx..", 2, 0, 1, { 1, 2, 2, 4, 2, 0 } },
	// 15 received between: one burst of 17. 16: two alone.
	{ ".x" DOTS15 "x.", 2, 0, 2, { 1, 2, 17, 2, 2, 0 } },
	{ ".x" DOTS16 "x.", 2, 0, 2, { 0, 1, 0, 20, 0, 2 } },
	// A loss too late to be played belongs to the burst like one that never came.
	{ ".x..d...x.", 2, 1, 3, { 1, 2, 8, 2, 3, 0 } },
	// Burst of 3 in 5, gap of 16 with nothing, burst of 2 in 2, one alone 20 later.
	{ "...x.x.x" DOTS16 "xx...................."
	  "x..",
	  6,
	  0,
	  5,
	  { 2, 3, 7, 42, 5, 1 } },
	// Still open at the end: counted as if it ended there.
	{ "....xx", 2, 0, 1, { 1, 2, 2, 4, 2, 0 } },
	{ "....x", 1, 0, 1, { 0, 1, 0, 5, 0, 1 } },
};

static void check_summary(const struct td_loss_summary *got, const struct td_loss_summary *want,
			  const char *what)
{
	ck_assert_msg(
		got->bursts == want->bursts && got->gaps == want->gaps &&
			got->burst_packets == want->burst_packets &&
			got->gap_packets == want->gap_packets &&
			got->burst_lost == want->burst_lost && got->gap_lost == want->gap_lost,
		"%s: bursts %u, gaps %u, packets %u + %u, bad %u + %u", what, got->bursts,
		got->gaps, got->burst_packets, got->gap_packets, got->burst_lost, got->gap_lost);
}

static void take(struct td_loss *loss, const char *trace, uint32_t first)
{
	for (uint32_t i = 0; trace[i] != '\0'; i++)
		if (trace[i] != '.')
			td_loss_bad(loss, first + i, 1, trace[i] == 'd');
}

START_TEST(by_hand)
{
	const struct row *row = &rows[_i];
	struct td_loss_summary got;
	struct td_loss loss = { 0 };

	take(&loss, row->trace, 0xfffffff0u); // over the wrap of 32 bits, too
	td_loss_summarize(&loss, strlen(row->trace), &got);
	check_summary(&got, &row->want, row->trace);
	ck_assert_uint_eq(loss.lost, row->lost);
	ck_assert_uint_eq(loss.discarded, row->discarded);
	ck_assert_uint_eq(loss.runs, row->runs);
}
END_TEST

START_TEST(through_reception)
{
	const struct row *row = &rows[_i];
	struct td_rtp_source hot;
	struct td_rtp_source_cold cold;
	struct td_loss_summary got;
	struct td_loss loss;
	uint32_t packets;
	uint16_t sequence = 65530;
	size_t len = strlen(row->trace);

	td_rtp_source_init(&hot, &cold);
	for (size_t i = 0; i < len; i++, sequence++) {
		if (row->trace[i] == 'x')
			continue;
		ck_assert_int_le(td_rtp_source_update(&hot, &cold, 9, sequence), TD_RTP_LATE);
		if (row->trace[i] == 'd')
			td_rtp_source_discard(&hot, &cold, sequence);
	}
	td_rtp_source_losses(&hot, &cold, &loss, &packets);
	// What is lost at the very end nobody knows of yet.
	while (len > 0 && row->trace[len - 1] == 'x')
		len--;
	ck_assert_uint_eq(packets, len);
	if (row->trace[len] != '\0')
		return;
	td_loss_summarize(&loss, packets, &got);
	check_summary(&got, &row->want, row->trace);
	// And once it has all left the window, judged for good.
	for (unsigned i = 0; i < 100; i++, sequence++)
		ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 9, sequence), TD_RTP_NEXT);
	td_loss_summarize(&cold.loss, packets + 100, &got);
	ck_assert_uint_eq(got.bursts, row->want.bursts);
	ck_assert_uint_eq(got.burst_packets, row->want.burst_packets);
	ck_assert_uint_eq(got.burst_lost, row->want.burst_lost);
	ck_assert_uint_eq(got.gap_packets, row->want.gap_packets + 100);
	ck_assert_uint_eq(cold.loss.lost, row->lost);
	ck_assert_uint_eq(cold.loss.discarded, row->discarded);
}
END_TEST

// The definition, read plainly: each bad packet joins the one before it if fewer than 16 were
// received between; groups of two and more are bursts.
static void read_plainly(const char *trace, size_t len, struct td_loss_summary *out)
{
	size_t first = 0, last = 0, members = 0;

	memset(out, 0, sizeof *out);
	for (size_t i = 0; i <= len; i++) {
		bool end = i == len;

		if (!end && trace[i] == '.')
			continue;
		if (members > 0 && (end || i - last - 1 >= 16)) {
			if (members == 1) {
				out->gap_lost++;
			} else {
				out->bursts++;
				out->burst_lost += (uint32_t)members;
				out->burst_packets += (uint32_t)(last - first + 1);
			}
			members = 0;
		}
		if (members++ == 0)
			first = i;
		last = i;
	}
	out->gaps = out->bursts + 1;
	out->gap_packets = (uint32_t)len - out->burst_packets;
}

static uint32_t seed = 4711;

static uint32_t next_random(void)
{
	seed = seed * 1664525u + 1013904223u;
	return seed >> 8;
}

START_TEST(any_trace)
{
	char trace[2001] = { 0 };

	for (int round = 0; round < 2000; round++) {
		size_t len = next_random() % 2000 + 1;
		uint32_t one_in = next_random() % 60 + 2;
		struct td_loss_summary got, want;
		struct td_loss loss = { 0 };

		for (size_t i = 0; i < len; i++)
			trace[i] = next_random() % one_in ? '.' : next_random() % 3 ? 'x' : 'd';
		trace[len] = '\0';
		take(&loss, trace, next_random());
		td_loss_summarize(&loss, len, &got);
		read_plainly(trace, len, &want);
		check_summary(&got, &want, trace);
	}
}
END_TEST

START_TEST(late_is_not_lost_and_long_holes_are)
{
	struct td_rtp_source hot;
	struct td_rtp_source_cold cold;
	struct td_loss loss;
	uint32_t packets;

	td_rtp_source_init(&hot, &cold);
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 9, 100), TD_RTP_FRESH);
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 9, 103), TD_RTP_NEXT);
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 9, 102), TD_RTP_LATE);
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 9, 101), TD_RTP_LATE);
	// 97 to 99 come after 100 began it: late, not lost, once.
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 9, 99), TD_RTP_LATE);
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 9, 99), TD_RTP_DUPLICATE);
	td_rtp_source_losses(&hot, &cold, &loss, &packets);
	ck_assert_uint_eq(loss.lost, 0);
	// 2,000 at once: far more than the window remembers.
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 9, 2104), TD_RTP_NEXT);
	td_rtp_source_losses(&hot, &cold, &loss, &packets);
	ck_assert_uint_eq(loss.lost, 2000);
	ck_assert_uint_eq(loss.runs, 1);
	ck_assert_uint_eq(packets, 2005);
	// What was discarded is there: it cannot come again.
	td_rtp_source_discard(&hot, &cold, 2104);
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 9, 2104), TD_RTP_DUPLICATE);
	// A new numbering judges the old one, and begins a cluster of its own.
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 8, 1), TD_RTP_PROBATION);
	ck_assert_int_eq(td_rtp_source_update(&hot, &cold, 8, 2), TD_RTP_FRESH);
	ck_assert_uint_eq(cold.loss.lost, 2000);
	ck_assert_uint_eq(cold.loss.discarded, 1);
	ck_assert_uint_eq(cold.loss.cluster, 0);
	ck_assert_uint_eq(cold.loss.bursts, 1);
}
END_TEST

START_TEST(burst_ratio)
{
	struct td_loss loss = { 0 };

	ck_assert_double_eq(td_loss_burst_ratio(&loss, 0), 1);
	ck_assert_double_eq(td_loss_burst_ratio(&loss, 100), 1);
	// Ten alone of a hundred: by chance they would be a little longer than one.
	for (uint32_t i = 0; i < 10; i++)
		td_loss_bad(&loss, i * 10, 1, false);
	ck_assert_double_eq(td_loss_burst_ratio(&loss, 100), 1);
	// Ten in a row: 10 * (1 - 0.1).
	loss = (struct td_loss){ 0 };
	td_loss_bad(&loss, 5, 10, false);
	ck_assert_double_eq_tol(td_loss_burst_ratio(&loss, 100), 9, 1e-9);
	ck_assert_double_eq(td_loss_burst_ratio(&loss, 10), 1); // nothing came at all
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rtp/loss");
	TCase *tcase = tcase_create("loss");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, by_hand, 0, sizeof rows / sizeof rows[0]);
	tcase_add_loop_test(tcase, through_reception, 0, sizeof rows / sizeof rows[0]);
	tcase_add_test(tcase, any_trace);
	tcase_add_test(tcase, late_is_not_lost_and_long_holes_are);
	tcase_add_test(tcase, burst_ratio);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
