// RFC 4733 events: the payload's bounds, and a receiver that says everything once whatever is lost.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "rtp/telephone_event.h"

#define MS        1000000ull
#define TICK_NS   (20 * MS)
#define ALL       "0123456789*#ABCD"
#define SENT_MAX  2048
#define HEARD_MAX 64

struct sent {
	uint32_t timestamp;
	bool marker;
	uint64_t at_ns;
	uint8_t payload[TD_TELEPHONE_EVENT_BYTES];
};

struct heard {
	struct td_digit_report reports[HEARD_MAX];
	uint32_t count;
};

static struct sent sent[SENT_MAX];
static uint32_t sent_count;

static void hear(struct heard *heard, const struct td_digit_report *reports, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		ck_assert_uint_lt(heard->count, HEARD_MAX);
		heard->reports[heard->count++] = reports[i];
	}
}

static void give(struct td_event_rx *rx, const struct sent *packet, struct heard *heard)
{
	struct td_digit_report out[TD_EVENT_RX_REPORT_MAX];

	hear(heard, out,
	     td_event_rx_packet(rx, packet->timestamp, packet->marker, packet->payload,
				sizeof packet->payload, packet->at_ns, out));
}

static void poll_at(struct td_event_rx *rx, uint64_t now_ns, struct heard *heard)
{
	struct td_digit_report out;

	if (td_event_rx_poll(rx, now_ns, &out))
		hear(heard, &out, 1);
}

static struct sent packet(uint32_t timestamp, bool marker, char digit, uint16_t duration, bool end)
{
	struct sent out = { .timestamp = timestamp, .marker = marker };
	struct td_telephone_event event = { .event = (uint8_t)td_telephone_event_code(digit),
					    .volume = 7,
					    .duration = duration,
					    .end = end };

	td_telephone_event_write(out.payload, &event);
	return out;
}

// One event as its sender puts it: updates of 20 ms, then the end thrice.
static void record_event(uint32_t timestamp, char digit, uint32_t updates, uint64_t at_ns)
{
	for (uint32_t i = 1; i <= updates + 3; i++) {
		uint32_t ticks = i < updates + 1 ? i : updates + 1;

		sent[sent_count] =
			packet(timestamp, i == 1, digit, (uint16_t)(ticks * 160), i > updates);
		sent[sent_count++].at_ns = at_ns + i * TICK_NS;
	}
}

START_TEST(payload_is_read_and_written)
{
	struct td_telephone_event event;
	uint8_t bytes[4] = { 0, 0x8a, 0x03, 0x20 };
	uint8_t again[4];

	for (int code = 0; code < 256; code++) {
		bytes[0] = (uint8_t)code;
		ck_assert_int_eq(td_telephone_event_parse(bytes, 4, &event), 0);
		ck_assert_uint_eq(event.event, code);
		ck_assert_int_eq(event.digit, code < 16 ? ALL[code] : '\0');
		if (code < 16)
			ck_assert_int_eq(td_telephone_event_code(ALL[code]), code);
		ck_assert(event.end);
		ck_assert_uint_eq(event.volume, 10);
		ck_assert_uint_eq(event.duration, 800);
		td_telephone_event_write(again, &event);
		ck_assert_mem_eq(bytes, again, 4);
	}
	for (size_t len = 0; len < 4; len++)
		ck_assert_int_eq(td_telephone_event_parse(bytes, len, &event), -TD_ETRUNCATED);
	bytes[1] = 0x7f; // R set, no E, -63 dBm0
	ck_assert_int_eq(td_telephone_event_parse(bytes, 4, &event), 0);
	ck_assert(!event.end);
	ck_assert_uint_eq(event.volume, 63);
	event.volume = 64;
	td_telephone_event_write(again, &event);
	ck_assert_uint_eq(again[1], 63);
	ck_assert_int_eq(td_telephone_event_code('a'), -TD_EINVALID);
	ck_assert_int_eq(td_telephone_event_code('\0'), -TD_EINVALID);
}
END_TEST

// Whatever subset of one event's packets arrives: one beginning, one end, the longest duration.
static void one_event_with(uint32_t timestamp, uint32_t mask)
{
	struct td_event_rx rx;
	struct heard heard = { .count = 0 };
	uint32_t longest = 0;
	bool end = false;

	td_event_rx_init(&rx, 8000);
	for (uint32_t i = 0; i < sent_count; i++) {
		if (!(mask & 1u << i))
			continue;
		sent[i].timestamp = timestamp;
		give(&rx, &sent[i], &heard);
		end |= i >= 5;
		longest = i < 5 ? (i + 1) * 20 : 120;
		poll_at(&rx, sent[i].at_ns + 19 * MS, &heard);
	}
	ck_assert_uint_eq(heard.count, mask == 0 ? 0 : end ? 2 : 1);
	poll_at(&rx, 10000 * MS, &heard);
	poll_at(&rx, 20000 * MS, &heard);
	ck_assert_uint_eq(heard.count, mask == 0 ? 0 : 2);
	if (mask == 0)
		return;
	ck_assert_int_eq(heard.reports[0].kind, TD_DIGIT_BEGIN);
	ck_assert_int_eq(heard.reports[1].kind, TD_DIGIT_END);
	ck_assert_int_eq(heard.reports[0].digit, '7');
	ck_assert_int_eq(heard.reports[1].digit, '7');
	ck_assert_uint_eq(heard.reports[1].volume, 7);
	ck_assert_uint_eq(heard.reports[1].duration_ms, longest);
}

START_TEST(every_subset_of_an_event)
{
	static const uint32_t beginnings[] = { 0, 1000, UINT32_MAX, UINT32_MAX - 300, 1u << 31 };

	sent_count = 0;
	record_event(0, '7', 5, 0);
	ck_assert_uint_eq(sent_count, 8);
	for (size_t b = 0; b < sizeof beginnings / sizeof *beginnings; b++)
		for (uint32_t mask = 0; mask < 1u << 8; mask++)
			one_event_with(beginnings[b], mask);
}
END_TEST

// Two events of six packets each, every subset of the twelve, the same digit or another.
static void two_events_with(uint32_t mask, char second)
{
	struct td_event_rx rx;
	struct heard heard = { .count = 0 };
	bool first_there = (mask & 0x3f) != 0, second_there = (mask >> 6) != 0;
	uint32_t expected = 2u * first_there + 2u * second_there;
	uint32_t at = 0;

	td_event_rx_init(&rx, 8000);
	for (uint32_t i = 0; i < 12; i++)
		if (mask & 1u << i)
			give(&rx, &sent[i], &heard);
	poll_at(&rx, 10000 * MS, &heard);
	ck_assert_msg(heard.count == expected, "mask %#x '%c': %u reports, not %u", mask, second,
		      heard.count, expected);
	if (first_there) {
		ck_assert_int_eq(heard.reports[at].digit, '4');
		ck_assert_int_eq(heard.reports[at++].kind, TD_DIGIT_BEGIN);
		ck_assert_int_eq(heard.reports[at].digit, '4');
		ck_assert_int_eq(heard.reports[at++].kind, TD_DIGIT_END);
	}
	if (second_there) {
		ck_assert_int_eq(heard.reports[at].digit, second);
		ck_assert_int_eq(heard.reports[at++].kind, TD_DIGIT_BEGIN);
		ck_assert_int_eq(heard.reports[at].kind, TD_DIGIT_END);
	}
}

START_TEST(every_subset_of_two_events)
{
	for (int other = 0; other < 2; other++) {
		char second = other ? '#' : '4';

		sent_count = 0;
		record_event(UINT32_MAX - 500, '4', 3, 0);
		record_event(UINT32_MAX - 500 + 4 * 160 + 400, second, 3, 130 * MS);
		for (uint32_t mask = 0; mask < 1u << 12; mask++)
			two_events_with(mask, second);
	}
}
END_TEST

START_TEST(any_order_of_arrival)
{
	struct td_event_rx rx;

	sent_count = 0;
	record_event(5000, '1', 2, 0);
	for (uint32_t order = 0; order < 5 * 5 * 5 * 5 * 5; order++) {
		struct heard heard = { .count = 0 };
		uint32_t rest = order, seen = 0;

		td_event_rx_init(&rx, 8000);
		for (uint32_t i = 0; i < 5; i++, rest /= 5) {
			seen |= 1u << rest % 5;
			give(&rx, &sent[rest % 5], &heard);
		}
		poll_at(&rx, 10000 * MS, &heard);
		ck_assert_uint_ne(seen, 0);
		ck_assert_uint_eq(heard.count, 2);
		ck_assert_int_eq(heard.reports[0].kind, TD_DIGIT_BEGIN);
		ck_assert_int_eq(heard.reports[1].kind, TD_DIGIT_END);
	}
}
END_TEST

START_TEST(end_by_timeout_to_the_nanosecond)
{
	struct td_event_rx rx;
	struct heard heard = { .count = 0 };
	struct sent begin = packet(0, true, '9', 160, false);
	uint64_t timeout = TD_TELEPHONE_EVENT_TIMEOUT_MS * MS;

	begin.at_ns = 77;
	td_event_rx_init(&rx, 8000);
	give(&rx, &begin, &heard);
	poll_at(&rx, 77 + timeout - 1, &heard);
	ck_assert_uint_eq(heard.count, 1);
	poll_at(&rx, 76, &heard); // a clock a little behind is no reason to end
	ck_assert_uint_eq(heard.count, 1);
	poll_at(&rx, 77 + timeout, &heard);
	ck_assert_uint_eq(heard.count, 2);
	// The packets were only late: the event has been told already.
	begin = packet(0, false, '9', 4000, true);
	begin.at_ns = 77 + timeout + MS;
	give(&rx, &begin, &heard);
	ck_assert_uint_eq(heard.count, 2);
}
END_TEST

// A late packet of the last event but one says nothing; a sender that counts anew is heard.
START_TEST(stale_packets_and_new_numbering)
{
	struct td_event_rx rx;
	struct heard heard = { .count = 0 };
	struct sent late = packet(1000, true, '1', 160, true);
	struct sent now = packet(4000, true, '2', 160, true);

	td_event_rx_init(&rx, 8000);
	give(&rx, &now, &heard);
	give(&rx, &late, &heard);
	ck_assert_uint_eq(heard.count, 2);
	ck_assert_uint_eq(rx.stale_count, 1);
	late.at_ns = 2000 * MS;
	give(&rx, &late, &heard);
	ck_assert_uint_eq(heard.count, 4);
	ck_assert_int_eq(heard.reports[3].digit, '1');
	now.timestamp = 1000u - 10 * 8000; // not within ten seconds: another numbering at once
	now.at_ns = 2000 * MS;
	give(&rx, &now, &heard);
	ck_assert_uint_eq(heard.count, 6);
}
END_TEST

START_TEST(strange_payloads_are_counted)
{
	struct td_event_rx rx;
	struct td_digit_report out[TD_EVENT_RX_REPORT_MAX];
	uint8_t bytes[64] = { 16, 0x0a, 0, 160 }; // hook flash

	td_event_rx_init(&rx, 8000);
	for (size_t len = 0; len <= 9; len++)
		ck_assert_uint_eq(td_event_rx_packet(&rx, 0, true, bytes, len, 0, out),
				  len == 8 ? 1 : 0); // the second four bytes begin digit 0
	ck_assert_uint_eq(rx.malformed_count, 8);
	ck_assert_uint_eq(rx.unknown_count, 2);
}
END_TEST

START_TEST(packed_events)
{
	struct td_event_rx rx;
	struct td_digit_report out[TD_EVENT_RX_REPORT_MAX];
	uint8_t bytes[5 * 4];
	uint32_t count;

	for (uint8_t i = 0; i < 5; i++) {
		struct td_telephone_event event = { .event = i, .duration = 400, .end = true };

		td_telephone_event_write(bytes + i * 4, &event);
	}
	td_event_rx_init(&rx, 8000);
	count = td_event_rx_packet(&rx, 9000, true, bytes, sizeof bytes, 0, out);
	ck_assert_uint_eq(count, 2 * TD_TELEPHONE_EVENT_PACKED_MAX);
	for (uint32_t i = 0; i < count; i++) {
		ck_assert_int_eq(out[i].digit, ALL[i / 2]);
		ck_assert_int_eq(out[i].kind, i % 2 ? TD_DIGIT_END : TD_DIGIT_BEGIN);
		ck_assert_uint_eq(out[i].duration_ms, 50);
	}
}
END_TEST

// Some senders move the timestamp with every packet of one event.
START_TEST(moving_timestamps_are_one_event)
{
	for (uint32_t lost = 0; lost < 1u << 7; lost++) {
		struct td_event_rx rx;
		struct heard heard = { .count = 0 };

		td_event_rx_init(&rx, 8000);
		for (uint32_t i = 1; i <= 8; i++) {
			struct sent p = packet(i * 160, i == 1, '3', (uint16_t)(i * 160), i >= 6);

			if (i == 1 || !(lost & 1u << (i - 2)))
				give(&rx, &p, &heard);
		}
		poll_at(&rx, 10000 * MS, &heard);
		ck_assert_msg(heard.count == 2, "lost %#x: %u", lost, heard.count);
		ck_assert_uint_le(heard.reports[1].duration_ms, 160);
	}
}
END_TEST

START_TEST(flush_ends_and_forgets)
{
	struct td_event_rx rx;
	struct heard heard = { .count = 0 };
	struct sent p = packet(1000, true, '5', 320, false);
	struct td_digit_report out;

	td_event_rx_init(&rx, 16000);
	ck_assert(!td_event_rx_flush(&rx, &out));
	give(&rx, &p, &heard);
	ck_assert(td_event_rx_flush(&rx, &out));
	ck_assert_int_eq(out.kind, TD_DIGIT_END);
	ck_assert_uint_eq(out.duration_ms, 20);
	ck_assert(!td_event_rx_flush(&rx, &out));
	give(&rx, &p, &heard); // another source, as it happens with the same numbers
	ck_assert_uint_eq(heard.count, 2);
}
END_TEST

// ---- Sender ----

// Runs the sender dry into sent[], with the timestamp going on by the tick.
static uint32_t run_dry(struct td_event_tx *tx, uint32_t timestamp)
{
	struct td_event_packet out;
	uint32_t ticks = 0;

	sent_count = 0;
	while (td_event_tx_busy(tx)) {
		ck_assert_uint_lt(sent_count, SENT_MAX);
		if (td_event_tx_tick(tx, timestamp + ticks * tx->clock_hz / 50, &out)) {
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

START_TEST(sender_says_it_as_the_rfc_wants)
{
	struct td_event_tx tx;
	struct td_telephone_event event;

	td_event_tx_init(&tx, 8000);
	ck_assert(!td_event_tx_busy(&tx));
	ck_assert_int_eq(td_event_tx_start(&tx, "1D", 90, 60), 0);
	// 5 ticks of tone, 3 of gap, twice; the repeated ends lie in the gap.
	ck_assert_uint_eq(run_dry(&tx, UINT32_MAX - 100), 16);
	ck_assert_uint_eq(sent_count, 14);
	for (uint32_t i = 0; i < 14; i++) {
		uint32_t of = i % 7;

		ck_assert_int_eq(td_telephone_event_parse(sent[i].payload, 4, &event), 0);
		ck_assert_int_eq(event.digit, i < 7 ? '1' : 'D');
		ck_assert_uint_eq(sent[i].timestamp, UINT32_MAX - 100 + (i < 7 ? 0u : 8u * 160u));
		ck_assert_uint_eq(sent[i].marker, of == 0);
		ck_assert_uint_eq(event.end, of >= 4);
		ck_assert_uint_eq(event.duration, of < 5 ? (of + 1) * 160 : 800);
		ck_assert_uint_eq(event.volume, TD_TELEPHONE_EVENT_VOLUME);
		ck_assert_uint_eq(sent[i].at_ns, (i < 7 ? of : of + 8) * TICK_NS);
	}
}
END_TEST

START_TEST(sender_refuses)
{
	struct td_event_tx tx;
	char many[TD_DIGITS_MAX + 1];

	memset(many, '1', sizeof many);
	many[TD_DIGITS_MAX] = '\0';
	td_event_tx_init(&tx, 48000);
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
static void held_for(uint32_t ticks, uint32_t clock_hz)
{
	struct td_event_tx tx;
	struct td_event_packet out;
	uint32_t before = 0;

	td_event_tx_init(&tx, clock_hz);
	ck_assert_int_eq(td_event_tx_press(&tx, '8', 7), 0);
	for (uint32_t i = 0; i < ticks; i++, before++) {
		ck_assert(td_event_tx_tick(&tx, 1000u + i * clock_hz / 50, &out));
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

		td_event_rx_init(&rx, clock_hz);
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
	static const uint32_t clocks[] = { 8000, 16000, 48000 };

	for (size_t c = 0; c < 3; c++) {
		uint32_t crossing = UINT16_MAX / (clocks[c] / 50);

		for (uint32_t ticks = 0; ticks <= 3; ticks++)
			held_for(ticks, clocks[c]);
		for (uint32_t i = 0; i < 4; i++) {
			held_for(crossing - 1 + i, clocks[c]);
			held_for(2 * crossing - 1 + i, clocks[c]);
		}
	}
}
END_TEST

START_TEST(all_digits_round_the_loop_with_losses)
{
	static const uint32_t clocks[] = { 8000, 16000, 48000 };
	uint32_t random = 1;

	for (uint32_t run = 0; run < 600; run++) {
		uint32_t clock_hz = clocks[run % 3];
		struct td_event_tx tx;
		struct td_event_rx rx;
		struct heard heard = { .count = 0 };
		uint32_t arrived = 0;

		td_event_tx_init(&tx, clock_hz);
		td_event_rx_init(&rx, clock_hz);
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
	Suite *suite = suite_create("telephone_event");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, payload_is_read_and_written);
	tcase_add_test(tcase, every_subset_of_an_event);
	tcase_add_test(tcase, every_subset_of_two_events);
	tcase_add_test(tcase, any_order_of_arrival);
	tcase_add_test(tcase, end_by_timeout_to_the_nanosecond);
	tcase_add_test(tcase, stale_packets_and_new_numbering);
	tcase_add_test(tcase, strange_payloads_are_counted);
	tcase_add_test(tcase, packed_events);
	tcase_add_test(tcase, moving_timestamps_are_one_event);
	tcase_add_test(tcase, flush_ends_and_forgets);
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
