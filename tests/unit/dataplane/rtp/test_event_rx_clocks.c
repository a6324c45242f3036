// A receiver of events at 8000 beside timestamps at 48000: by which clock do its sender's durations count?
#include <check.h>
#include <stdlib.h>

#include "event_line.h"

// Twelve packets and the end thrice, durations by this clock beside timestamps at 48000.
static void press(uint32_t timestamp, char digit, uint32_t khz, uint32_t step_ms)
{
	for (uint32_t i = 1; i <= 15; i++) {
		uint32_t ticks = i < 13 ? i : 13;

		// The key was let go a little before the last tick.
		sent[sent_count] = event_packet(
			timestamp, i == 1, digit,
			(uint16_t)((ticks * step_ms - (i >= 13 ? 5 : 0)) * khz), i >= 13);
		sent[sent_count].at_ns = sent_count * MS;
		sent_count++;
	}
}

// Two keys, the same packets of both lost: told twice, and how long they were.
static void two_keys(uint32_t khz, uint32_t step_ms, uint32_t lost)
{
	struct td_event_rx rx;
	struct heard heard = { .count = 0 };

	td_event_rx_init(&rx, 8000, 48000);
	sent_count = 0;
	press(7, '3', khz, step_ms);
	press(7 + 48 * 1300, '3', khz, step_ms);
	for (uint32_t i = 0; i < sent_count; i++)
		if (!(lost & 1u << i % 15))
			give(&rx, &sent[i], &heard);
	poll_at(&rx, 10000 * MS, &heard);
	ck_assert_msg(heard.count == 4, "%u, %u, lost %#x: %u", khz, step_ms, lost, heard.count);
	for (uint32_t i = 1; i < 4; i += 2)
		ck_assert_msg(heard.reports[i].duration_ms == 13 * step_ms - 5,
			      "%u kHz, steps of %u ms, lost %#x: %u ms", khz, step_ms, lost,
			      heard.reports[i].duration_ms);
}

// No two packets that follow each other come in: nothing can be told.
static bool tells(uint32_t lost)
{
	uint32_t came = ~lost & 0xfff; // the end is no step

	return (came & came >> 1) != 0;
}

// Some say 8000 and count durations with the timestamps; others do as they say. Whatever is lost but
// the end: the beginnings of twelve packets, however fast they come.
START_TEST(steps_show_the_clock)
{
	for (uint32_t lost = 0; lost < 1u << 12; lost++) {
		if (!tells(lost))
			continue;
		two_keys(48, 20, lost);
		two_keys(8, 20, lost);
	}
	two_keys(48, 40, 0);
	two_keys(48, 60, 0);
	two_keys(8, 10, 0);
	two_keys(8, 40, 0);
	two_keys(8, 50, 0);
	two_keys(8, 60, 0);
}
END_TEST

// The marker of the second key is lost: it is a second key all the same.
START_TEST(the_same_key_soon_after)
{
	struct td_event_rx rx;
	struct heard heard = { .count = 0 };

	td_event_rx_init(&rx, 8000, 48000);
	sent_count = 0;
	press(7, '3', 48, 20);
	press(7 + 48 * 330, '3', 48, 20);
	for (uint32_t i = 0; i < sent_count; i++)
		if (i != 15)
			give(&rx, &sent[i], &heard);
	ck_assert_uint_eq(heard.count, 4);
}
END_TEST

// A key that is held for long: segments by either clock.
START_TEST(long_events_by_either_clock)
{
	static const struct {
		uint32_t khz, seconds;
	} rows[] = { { 48, 1 }, { 48, 3 }, { 48, 29 }, { 48, 90 }, { 8, 9 }, { 8, 66 }, { 8, 90 } };
	uint32_t khz = rows[_i].khz, timestamp = 99, begun = 0;
	struct td_event_rx rx;
	struct heard heard = { .count = 0 };

	td_event_rx_init(&rx, 8000, 48000);
	for (uint32_t tick = 1; tick <= rows[_i].seconds * 50; tick++) {
		uint32_t units = tick * 20 * khz - begun;
		bool full = units > UINT16_MAX;
		struct sent p =
			event_packet(timestamp, tick == 1, '8', full ? UINT16_MAX : (uint16_t)units,
				     tick == rows[_i].seconds * 50);

		p.at_ns = tick * TICK_NS;
		give(&rx, &p, &heard);
		if (full) {
			begun += UINT16_MAX;
			timestamp += UINT16_MAX * (48 / khz);
		}
	}
	ck_assert_uint_eq(heard.count, 2);
	ck_assert_uint_eq(heard.reports[1].duration_ms, rows[_i].seconds * 1000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("event_rx_clocks");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, steps_show_the_clock);
	tcase_add_test(tcase, the_same_key_soon_after);
	tcase_add_loop_test(tcase, long_events_by_either_clock, 0, 7);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
