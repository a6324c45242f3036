// The sender of RFC 4733 events: tick by tick as the RFC wants it, and through losses to a receiver.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "event_line.h"

// Of events and of their stream.
static const struct {
	uint32_t hz, timestamp_hz;
} clocks[] = {
	{ 8000, 8000 }, { 16000, 16000 }, { 48000, 48000 }, { 8000, 48000 }, { 8000, 16000 }
};
#define CLOCK_COUNT (sizeof clocks / sizeof *clocks)

// Runs the sender dry into sent[], with the timestamp going on by the tick.
static uint32_t run_dry(struct td_event_tx *tx, uint32_t timestamp)
{
	struct td_event_packet out;
	uint32_t ticks = 0;

	sent_count = 0;
	while (td_event_tx_busy(tx)) {
		ck_assert_uint_lt(sent_count, SENT_MAX);
		if (td_event_tx_tick(tx, timestamp + ticks * tx->clock_hz / 50 * tx->stretch,
				     &out)) {
			sent[sent_count].timestamp = out.timestamp;
			sent[sent_count].marker = out.marker;
			sent[sent_count].at_ns = ticks * TICK_NS;
			memcpy(sent[sent_count++].payload, out.payload, sizeof out.payload);
		}
		ticks++;
	}
	ck_assert(!td_event_tx_tick(tx, timestamp, &out));
	return ticks;
}

// Durations at 8000, whatever the timestamps count.
static void says_it_as_the_rfc_wants(uint32_t timestamp_hz)
{
	struct td_event_tx tx;
	struct td_telephone_event event;

	td_event_tx_init(&tx, 8000, timestamp_hz);
	ck_assert(!td_event_tx_busy(&tx));
	ck_assert_int_eq(td_event_tx_start(&tx, "1D", 90, 60), 0);
	// 5 ticks of tone, 3 of gap, twice; the repeated ends lie in the gap.
	ck_assert_uint_eq(run_dry(&tx, UINT32_MAX - 100), 16);
	ck_assert_uint_eq(sent_count, 14);
	for (uint32_t i = 0; i < 14; i++) {
		uint32_t of = i % 7;

		ck_assert_int_eq(td_telephone_event_parse(sent[i].payload, 4, &event), 0);
		ck_assert_int_eq(event.digit, i < 7 ? '1' : 'D');
		ck_assert_uint_eq(sent[i].timestamp,
				  UINT32_MAX - 100 + (i < 7 ? 0u : 8u * timestamp_hz / 50));
		ck_assert_uint_eq(sent[i].marker, of == 0);
		ck_assert_uint_eq(event.end, of >= 4);
		ck_assert_uint_eq(event.duration, of < 5 ? (of + 1) * 160 : 800);
		ck_assert_uint_eq(event.volume, TD_TELEPHONE_EVENT_VOLUME);
		ck_assert_uint_eq(sent[i].at_ns, (i < 7 ? of : of + 8) * TICK_NS);
	}
}

START_TEST(sender_says_it_as_the_rfc_wants)
{
	says_it_as_the_rfc_wants(8000);
	says_it_as_the_rfc_wants(48000);
}
END_TEST

START_TEST(sender_refuses)
{
	struct td_event_tx tx;
	char many[TD_DIGITS_MAX + 1];

	memset(many, '1', sizeof many);
	many[TD_DIGITS_MAX] = '\0';
	td_event_tx_init(&tx, 48000, 48000);
	ck_assert_int_eq(td_event_tx_start(&tx, "", 0, 0), -TD_EINVALID);
	ck_assert_int_eq(td_event_tx_start(&tx, "12x", 0, 0), -TD_EINVALID);
	ck_assert_int_eq(td_event_tx_start(&tx, many, 0, 0), -TD_EINVALID);
	ck_assert_int_eq(td_event_tx_start(&tx, "1", 39, 0), -TD_EINVALID);
	ck_assert_int_eq(td_event_tx_start(&tx, "1", 2001, 0), -TD_EINVALID);
	ck_assert_int_eq(td_event_tx_start(&tx, "1", 0, 39), -TD_EINVALID);
	ck_assert_int_eq(td_event_tx_start(&tx, "1", 0, 2001), -TD_EINVALID);
	ck_assert_int_eq(td_event_tx_press(&tx, 'e', 3), -TD_EINVALID);
	ck_assert(!td_event_tx_busy(&tx));
	many[TD_DIGITS_MAX - 1] = '\0';
	ck_assert_int_eq(td_event_tx_start(&tx, many, 40, 40), 0);
	ck_assert_int_eq(td_event_tx_start(&tx, "1", 40, 40), -TD_EBUSY);
	ck_assert_int_eq(td_event_tx_press(&tx, '1', 3), -TD_EBUSY);
	ck_assert_uint_eq(run_dry(&tx, 0), 4u * (TD_DIGITS_MAX - 1));
	ck_assert_uint_eq(sent_count, 4u * (TD_DIGITS_MAX - 1));
}
END_TEST

// Held for `ticks` ticks at this clock; whichever single packet is lost, the receiver is told once.
static void held_for(uint32_t ticks, uint32_t clock_hz, uint32_t timestamp_hz)
{
	struct td_event_tx tx;
	struct td_event_packet out;
	uint32_t before = 0;

	td_event_tx_init(&tx, clock_hz, timestamp_hz);
	ck_assert_int_eq(td_event_tx_press(&tx, '8', 7), 0);
	for (uint32_t i = 0; i < ticks; i++, before++) {
		ck_assert(td_event_tx_tick(&tx, 1000u + i * timestamp_hz / 50, &out));
		sent[i] = (struct sent){ out.timestamp, out.marker, i * TICK_NS, { 0 } };
		memcpy(sent[i].payload, out.payload, 4);
	}
	td_event_tx_release(&tx);
	sent_count = before;
	while (td_event_tx_busy(&tx))
		if (td_event_tx_tick(&tx, 0, &out)) {
			sent[sent_count] = (struct sent){
				out.timestamp, out.marker, before++ * TICK_NS, { 0 }
			};
			memcpy(sent[sent_count++].payload, out.payload, 4);
		}
	for (uint32_t lost = 0; lost <= sent_count; lost++) {
		struct td_event_rx rx;
		struct heard heard = { .count = 0 };

		td_event_rx_init(&rx, clock_hz, timestamp_hz);
		for (uint32_t i = 0; i < sent_count; i++)
			if (i != lost)
				give(&rx, &sent[i], &heard);
		ck_assert_msg(heard.count == 2, "%u ticks at %u, lost %u: %u reports", ticks,
			      clock_hz, lost, heard.count);
		ck_assert_uint_eq(heard.reports[1].duration_ms, (ticks < 2 ? 2 : ticks) * 20);
	}
}

START_TEST(long_events_are_cut_into_segments)
{
	for (size_t c = 0; c < CLOCK_COUNT; c++) {
		uint32_t hz = clocks[c].hz, timestamp_hz = clocks[c].timestamp_hz;
		uint32_t crossing = UINT16_MAX / (hz / 50);

		for (uint32_t ticks = 0; ticks <= 3; ticks++)
			held_for(ticks, hz, timestamp_hz);
		for (uint32_t i = 0; i < 4; i++) {
			held_for(crossing - 1 + i, hz, timestamp_hz);
			held_for(2 * crossing - 1 + i, hz, timestamp_hz);
		}
	}
}
END_TEST

START_TEST(all_digits_round_the_loop_with_losses)
{
	uint32_t random = 1;

	for (uint32_t run = 0; run < 200 * CLOCK_COUNT; run++) {
		uint32_t clock_hz = clocks[run % CLOCK_COUNT].hz;
		uint32_t timestamp_hz = clocks[run % CLOCK_COUNT].timestamp_hz;
		struct td_event_tx tx;
		struct td_event_rx rx;
		struct heard heard = { .count = 0 };
		uint32_t arrived = 0;

		td_event_tx_init(&tx, clock_hz, timestamp_hz);
		td_event_rx_init(&rx, clock_hz, timestamp_hz);
		ck_assert_int_eq(td_event_tx_start(&tx, ALL, 40 + run % 80, 40 + run % 50), 0);
		run_dry(&tx, run * 0x01234567u);
		for (uint32_t i = 0; i < sent_count; i++) {
			random = random * 1664525u + 1013904223u;
			if (random >> 24 < 256u * (run % 10) / 10)
				continue;
			arrived |= 1u << sent[i].payload[0];
			give(&rx, &sent[i], &heard);
			poll_at(&rx, sent[i].at_ns, &heard);
		}
		poll_at(&rx, 100000 * MS, &heard);
		ck_assert_uint_eq(heard.count, 2 * (uint32_t)__builtin_popcount(arrived));
		for (uint32_t i = 0, d = 0; d < 16; d++)
			if (arrived & 1u << d) {
				ck_assert_int_eq(heard.reports[i].kind, TD_DIGIT_BEGIN);
				ck_assert_int_eq(heard.reports[i++].digit, ALL[d]);
				ck_assert_int_eq(heard.reports[i].kind, TD_DIGIT_END);
				ck_assert_int_eq(heard.reports[i++].digit, ALL[d]);
			}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("event_tx");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, sender_says_it_as_the_rfc_wants);
	tcase_add_test(tcase, sender_refuses);
	tcase_add_test(tcase, long_events_are_cut_into_segments);
	tcase_add_test(tcase, all_digits_round_the_loop_with_losses);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
