// RFC 4733 events: the payload's bounds, and a receiver that says everything once whatever is lost.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "event_line.h"

// Everything here is true of events that have the clock of their stream (1), and of those at 8000
// beside 48000 (6).
static uint32_t stretch;

static void by_one_clock(void)
{
	stretch = 1;
}

static void by_two_clocks(void)
{
	stretch = 6;
}

// Timestamps are in units of the events' clock until they are sent.
static void hear(struct td_event_rx *rx, const struct sent *packet, struct heard *heard)
{
	struct sent out = *packet;

	out.timestamp *= stretch;
	give(rx, &out, heard);
}

// One event as its sender puts it: updates of 20 ms, then the end thrice.
static void record_event(uint32_t timestamp, char digit, uint32_t updates, uint64_t at_ns)
{
	for (uint32_t i = 1; i <= updates + 3; i++) {
		uint32_t ticks = i < updates + 1 ? i : updates + 1;

		sent[sent_count] = event_packet(timestamp, i == 1, digit, (uint16_t)(ticks * 160),
						i > updates);
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

	td_event_rx_init(&rx, 8000, 8000 * stretch);
	for (uint32_t i = 0; i < sent_count; i++) {
		if (!(mask & 1u << i))
			continue;
		sent[i].timestamp = timestamp;
		hear(&rx, &sent[i], &heard);
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

	td_event_rx_init(&rx, 8000, 8000 * stretch);
	for (uint32_t i = 0; i < 12; i++)
		if (mask & 1u << i)
			hear(&rx, &sent[i], &heard);
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

		td_event_rx_init(&rx, 8000, 8000 * stretch);
		for (uint32_t i = 0; i < 5; i++, rest /= 5) {
			seen |= 1u << rest % 5;
			hear(&rx, &sent[rest % 5], &heard);
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
	struct sent begin = event_packet(0, true, '9', 160, false);
	uint64_t timeout = TD_TELEPHONE_EVENT_TIMEOUT_MS * MS;

	begin.at_ns = 77;
	td_event_rx_init(&rx, 8000, 8000 * stretch);
	hear(&rx, &begin, &heard);
	poll_at(&rx, 77 + timeout - 1, &heard);
	ck_assert_uint_eq(heard.count, 1);
	poll_at(&rx, 76, &heard); // a clock a little behind is no reason to end
	ck_assert_uint_eq(heard.count, 1);
	poll_at(&rx, 77 + timeout, &heard);
	ck_assert_uint_eq(heard.count, 2);
	// The packets were only late: the event has been told already.
	begin = event_packet(0, false, '9', 4000, true);
	begin.at_ns = 77 + timeout + MS;
	hear(&rx, &begin, &heard);
	ck_assert_uint_eq(heard.count, 2);
}
END_TEST

// A late packet of the last event but one says nothing; a sender that counts anew is heard.
START_TEST(stale_packets_and_new_numbering)
{
	struct td_event_rx rx;
	struct heard heard = { .count = 0 };
	struct sent late = event_packet(1000, true, '1', 160, true);
	struct sent now = event_packet(4000, true, '2', 160, true);

	td_event_rx_init(&rx, 8000, 8000 * stretch);
	hear(&rx, &now, &heard);
	hear(&rx, &late, &heard);
	ck_assert_uint_eq(heard.count, 2);
	late.at_ns = 2000 * MS;
	hear(&rx, &late, &heard);
	ck_assert_uint_eq(heard.count, 4);
	ck_assert_int_eq(heard.reports[3].digit, '1');
	now.timestamp = 1000u - 10 * 8000; // not within ten seconds: another numbering at once
	now.at_ns = 2000 * MS;
	hear(&rx, &now, &heard);
	ck_assert_uint_eq(heard.count, 6);
}
END_TEST

START_TEST(strange_payloads_say_nothing)
{
	struct td_event_rx rx;
	struct td_digit_report out[TD_EVENT_RX_REPORT_MAX];
	uint8_t bytes[64] = { 16, 0x0a, 0, 160 }; // hook flash

	td_event_rx_init(&rx, 8000, 8000 * stretch);
	for (size_t len = 0; len <= 9; len++)
		ck_assert_uint_eq(td_event_rx_packet(&rx, 0, true, bytes, len, 0, out),
				  len == 8 ? 1 : 0); // the second four bytes begin digit 0
}
END_TEST

START_TEST(packed_events)
{
	struct td_event_rx rx;
	struct td_digit_report out[TD_EVENT_RX_REPORT_MAX];
	struct heard heard = { .count = 0 };
	struct sent again = event_packet(9000 + 3 * 400, false, '3', 400, true);
	uint8_t bytes[5 * 4];
	uint32_t count;

	for (uint8_t i = 0; i < 5; i++) {
		struct td_telephone_event event = { .event = i, .duration = 400, .end = true };

		td_telephone_event_write(bytes + i * 4, &event);
	}
	td_event_rx_init(&rx, 8000, 8000 * stretch);
	count = td_event_rx_packet(&rx, 9000 * stretch, true, bytes, sizeof bytes, 0, out);
	ck_assert_uint_eq(count, 2 * TD_TELEPHONE_EVENT_PACKED_MAX);
	for (uint32_t i = 0; i < count; i++) {
		ck_assert_int_eq(out[i].digit, ALL[i / 2]);
		ck_assert_int_eq(out[i].kind, i % 2 ? TD_DIGIT_END : TD_DIGIT_BEGIN);
		ck_assert_uint_eq(out[i].duration_ms, 50);
	}
	hear(&rx, &again, &heard); // the last one is known by its time
	ck_assert_uint_eq(heard.count, 0);
}
END_TEST

// Some senders move the timestamp with every packet of one event.
START_TEST(moving_timestamps_are_one_event)
{
	for (uint32_t lost = 0; lost < 1u << 7; lost++) {
		struct td_event_rx rx;
		struct heard heard = { .count = 0 };

		td_event_rx_init(&rx, 8000, 8000 * stretch);
		for (uint32_t i = 1; i <= 8; i++) {
			struct sent p =
				event_packet(i * 160, i == 1, '3', (uint16_t)(i * 160), i >= 6);

			if (i == 1 || !(lost & 1u << (i - 2)))
				hear(&rx, &p, &heard);
		}
		poll_at(&rx, 10000 * MS, &heard);
		ck_assert_msg(heard.count == 2, "lost %#x: %u", lost, heard.count);
		ck_assert_uint_le(heard.reports[1].duration_ms, 160);
	}
}
END_TEST

// Some cut their segments where their last packet before 0xffff was, and packets there may be lost.
START_TEST(segments_cut_early)
{
	for (uint32_t lost = 0; lost < 8; lost++) {
		struct td_event_rx rx;
		struct heard heard = { .count = 0 };
		uint32_t cut = UINT16_MAX / 160; // ticks

		td_event_rx_init(&rx, 8000, 8000 * stretch);
		for (uint32_t tick = 1; tick <= cut + 10; tick++) {
			uint32_t first = tick > cut ? cut : 0;
			struct sent p =
				event_packet(77 + first * 160, tick == 1, '6',
					     (uint16_t)((tick - first) * 160), tick == cut + 10);

			if (tick <= cut - lost || tick > cut)
				hear(&rx, &p, &heard);
		}
		ck_assert_msg(heard.count == 2, "lost %u: %u", lost, heard.count);
		ck_assert_uint_eq(heard.reports[1].duration_ms, (cut + 10) * 20);
	}
}
END_TEST

START_TEST(flush_ends_and_forgets)
{
	struct td_event_rx rx;
	struct heard heard = { .count = 0 };
	struct sent p = event_packet(1000, true, '5', 320, false);
	struct td_digit_report out;

	td_event_rx_init(&rx, 16000, 16000 * stretch);
	ck_assert(!td_event_rx_flush(&rx, &out));
	hear(&rx, &p, &heard);
	ck_assert(td_event_rx_flush(&rx, &out));
	ck_assert_int_eq(out.kind, TD_DIGIT_END);
	ck_assert_uint_eq(out.duration_ms, 20);
	ck_assert(!td_event_rx_flush(&rx, &out));
	hear(&rx, &p, &heard); // another source, as it happens with the same numbers
	ck_assert_uint_eq(heard.count, 2);
}
END_TEST

static TCase *receiver(const char *name, void (*clocks)(void))
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, clocks, NULL);
	tcase_add_test(tcase, every_subset_of_an_event);
	tcase_add_test(tcase, every_subset_of_two_events);
	tcase_add_test(tcase, any_order_of_arrival);
	tcase_add_test(tcase, end_by_timeout_to_the_nanosecond);
	tcase_add_test(tcase, stale_packets_and_new_numbering);
	tcase_add_test(tcase, strange_payloads_say_nothing);
	tcase_add_test(tcase, packed_events);
	tcase_add_test(tcase, moving_timestamps_are_one_event);
	tcase_add_test(tcase, segments_cut_early);
	tcase_add_test(tcase, flush_ends_and_forgets);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("telephone_event");
	TCase *tcase = tcase_create("payload");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, payload_is_read_and_written);
	suite_add_tcase(suite, tcase);
	suite_add_tcase(suite, receiver("one clock", by_one_clock));
	suite_add_tcase(suite, receiver("two clocks", by_two_clocks));
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
