// What a far end says: cut into frames, marks in their order and exact, flushes that empty at once.
#include "fork/said.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000ull

static struct td_live live;
static struct td_said said;
static uint64_t now_ns;
static uint32_t ticks;
static char told[65536]; // "M:a@5 X:b@5 F:120@5 "

static uint32_t chance_state;

// xorshift32: the same steps in every run.
static uint32_t chance(void)
{
	chance_state ^= chance_state << 13;
	chance_state ^= chance_state >> 17;
	chance_state ^= chance_state << 5;
	return chance_state;
}

static void on_told(void *user, const struct td_fork_frame *frame)
{
	size_t len = strlen(told);

	(void)user;
	if (frame->type == TD_FORK_MARK || frame->type == TD_FORK_UNMARK)
		snprintf(told + len, sizeof told - len, "%c:%.*s@%u ", frame->type, frame->length,
			 (const char *)frame->payload, frame->position);
	else
		snprintf(told + len, sizeof told - len, "%c:%u@%u ", frame->type,
			 frame->payload[0] | frame->payload[1] << 8, frame->position);
}

static void open_at(uint32_t rate_hz)
{
	td_live_init(&live);
	ck_assert_int_eq(td_said_init(&said, &live, rate_hz, on_told, NULL), 0);
	now_ns = 1000000 * MS;
	ticks = 0;
	told[0] = '\0';
}

static void setup(void)
{
	open_at(8000);
}

static void teardown(void)
{
	td_said_fini(&said);
}

static int give(uint8_t type, const void *payload, size_t len)
{
	const struct td_fork_frame frame = { .type = type,
					     .length = (uint16_t)len,
					     .payload = payload };

	ck_assert(td_said_ready(&said));
	return td_said_take(&said, &frame, now_ns);
}

static void say(uint32_t samples, int16_t value)
{
	uint8_t bytes[2 * 32000];

	for (uint32_t i = 0; i < samples; i++) {
		bytes[2 * i] = (uint8_t)value;
		bytes[2 * i + 1] = (uint8_t)((uint16_t)value >> 8);
	}
	ck_assert_int_eq(give(TD_FORK_AUDIO, bytes, 2u * samples), 0);
}

static void mark(const char *name)
{
	ck_assert_int_eq(give(TD_FORK_MARK, name, strlen(name)), 0);
}

static void flush(void)
{
	ck_assert_int_eq(give(TD_FORK_FLUSH, NULL, 0), 0);
}

// One tick of the worker between two turns of the forker: the first sample.
static int tick(void)
{
	const int16_t *pcm;
	int value;

	td_said_turn(&said, now_ns);
	pcm = td_live_look(&live, 8000);
	value = pcm != NULL ? pcm[0] : 0;
	td_live_step(&live);
	now_ns += 20 * MS;
	ticks++;
	td_said_turn(&said, now_ns);
	return value;
}

START_TEST(marks_are_exact_to_the_frame)
{
	mark("first");
	say(160 * 3, 7);
	mark("a");
	say(100, 8);
	mark("b");
	say(60, 9);
	mark("c");
	mark("d");
	td_said_turn(&said, now_ns);
	ck_assert_str_eq(told, "M:first@0 ");
	for (unsigned i = 1; i <= 3; i++) {
		ck_assert_int_eq(tick(), 7);
		ck_assert_str_eq(told, i < 3 ? "M:first@0 " : "M:first@0 M:a@3 ");
	}
	ck_assert_int_eq(tick(), 8);
	ck_assert_str_eq(told, "M:first@0 M:a@3 M:b@4 M:c@4 M:d@4 ");
	ck_assert_int_eq(tick(), 0);
	ck_assert_uint_eq(said.underruns, 0); // it had said all it had
	ck_assert_uint_eq(said.reached, 5);
}
END_TEST

START_TEST(partial_frame_waits_a_little)
{
	say(100, 5);
	td_said_turn(&said, now_ns);
	ck_assert_ptr_null(td_live_look(&live, 8000)); // the rest may be on its way
	td_live_step(&live);
	now_ns += 39 * MS;
	td_said_turn(&said, now_ns);
	ck_assert_uint_eq(atomic_load(&live.head), 0);
	now_ns += MS;
	ck_assert_int_eq(tick(), 5);
	ck_assert_uint_eq(td_said_played(&said), 1);
	say(100, 6);
	say(60, 6);
	ck_assert_int_eq(tick(), 6); // whole by now
}
END_TEST

START_TEST(flush_empties_at_once)
{
	say(160 * 50, 7);
	mark("end");
	for (unsigned i = 0; i < 5; i++)
		ck_assert_int_eq(tick(), 7);
	flush();
	ck_assert(!td_said_ready(&said));
	ck_assert_int_eq(tick(), 0); // the very next 20 ms
	ck_assert(td_said_ready(&said));
	ck_assert_str_eq(told, "X:end@5 F:900@5 ");
	ck_assert_uint_eq(said.flushed_ms, 900);
	say(160, 3);
	mark("next");
	ck_assert_int_eq(tick(), 3);
	ck_assert_str_eq(told, "X:end@5 F:900@5 M:next@6 ");
}
END_TEST

// Those that were passed are reached, whenever the flush comes in between.
START_TEST(flush_between_marks)
{
	say(160 * 2, 7);
	mark("a");
	say(160 * 2, 7);
	mark("b");
	tick();
	tick();
	td_said_turn(&said, now_ns);
	flush();
	tick();
	ck_assert_str_eq(told, "M:a@2 X:b@2 F:40@2 ");
}
END_TEST

START_TEST(flush_of_nothing_and_again)
{
	flush();
	td_said_turn(&said, now_ns);
	ck_assert_str_eq(told, "F:0@0 ");
	say(160 * 4, 7);
	tick();
	flush();
	tick();
	say(160 * 2, 8);
	ck_assert_int_eq(tick(), 8);
	ck_assert_int_eq(tick(), 8);
	flush(); // all has been played; the cut of the first one is none of this one's
	td_said_turn(&said, now_ns);
	ck_assert_str_eq(told, "F:0@0 F:60@1 F:0@3 ");
}
END_TEST

START_TEST(too_much_is_thrown_away_and_told)
{
	for (unsigned i = 0; i < 60; i++)
		say(8000, 1);
	ck_assert_str_eq(told, "");
	say(80, 1);
	ck_assert_str_eq(told, "O:10@0 ");
	ck_assert_uint_eq(said.overrun_ms, 10);
	tick(); // 16 frames are with the player by now
	say(160 * 16, 1);
	ck_assert_str_eq(told, "O:10@0 ");
}
END_TEST

START_TEST(too_many_marks)
{
	for (unsigned i = 0; i < TD_FORK_MARKS; i++) {
		say(160, 1);
		mark("m");
	}
	ck_assert_int_eq(give(TD_FORK_MARK, "m", 1), -TD_EFULL);
	for (unsigned i = 0; i < TD_FORK_MARKS; i++)
		tick();
	ck_assert_uint_eq(said.reached, TD_FORK_MARKS);
	mark("m");
}
END_TEST

START_TEST(late_turns_are_underruns)
{
	say(160 * 40, 4);
	td_said_turn(&said, now_ns);
	for (unsigned i = 0; i < 20; i++) {
		td_live_look(&live, 8000);
		td_live_step(&live); // ticks without a turn of ours
	}
	td_said_turn(&said, now_ns);
	ck_assert_uint_eq(said.underruns, 1);
	ck_assert_int_eq(tick(), 4);
}
END_TEST

// 16 kHz said, 8 kHz and then 48 kHz mixed: as many frames, the same level.
START_TEST(rates)
{
	td_said_fini(&said);
	open_at(16000);
	say(320 * 20, 1000);
	mark("end");
	for (unsigned i = 0; i < 20; i++) {
		const int16_t *pcm = NULL;
		uint32_t rate_hz = i < 10 ? 8000 : 48000;

		td_said_turn(&said, now_ns);
		pcm = td_live_look(&live, rate_hz);
		ck_assert_ptr_nonnull(pcm);
		// The first frames of either rate are the filter's onset.
		if (i > 1 && (i < 10 || i > 10 + TD_LIVE_FRAMES))
			ck_assert_int_le(abs(pcm[80] - 1000), 20);
		td_live_step(&live);
		now_ns += 20 * MS;
	}
	td_said_turn(&said, now_ns);
	ck_assert_str_eq(told, "M:end@20 ");
}
END_TEST

// Any sequence of sayings, marks, flushes and ticks: each mark is answered once and in order, what was
// heard and what was thrown away add up to what was said.
START_TEST(anything_adds_up)
{
	uint32_t marks = 0, answered = 0, given_frames = 0, said_now = 0;
	const char *at;

	chance_state = (uint32_t)_i * 2654435761u + 1u;
	for (unsigned step = 0; step < 3000; step++) {
		char name[16];

		switch (chance() % 8) {
		case 0:
		case 1:
		case 2:
			said_now = chance() % 8;
			if (td_said_ready(&said) && said_now > 0) {
				say(160 * said_now, 1);
				given_frames += said_now;
			}
			break;
		case 3:
			if (!td_said_ready(&said) || said.mark_count == TD_FORK_MARKS)
				break;
			snprintf(name, sizeof name, "%u", marks++);
			mark(name);
			break;
		case 4:
			if (td_said_ready(&said) && chance() % 4 == 0)
				flush();
			break;
		default: tick(); break;
		}
	}
	for (unsigned i = 0; i < 10000; i++)
		tick();
	for (at = told; (at = strpbrk(at, "MX")) != NULL; at++)
		if (at[1] == ':')
			ck_assert_uint_eq((uint32_t)strtoul(at + 2, NULL, 10), answered++);
	ck_assert_uint_eq(answered, marks);
	ck_assert_uint_eq(td_said_played(&said) + said.flushed_ms / 20 + said.overrun_ms / 20,
			  given_frames);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("said");
	TCase *tcase = tcase_create("said");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, marks_are_exact_to_the_frame);
	tcase_add_test(tcase, partial_frame_waits_a_little);
	tcase_add_test(tcase, flush_empties_at_once);
	tcase_add_test(tcase, flush_between_marks);
	tcase_add_test(tcase, flush_of_nothing_and_again);
	tcase_add_test(tcase, too_much_is_thrown_away_and_told);
	tcase_add_test(tcase, too_many_marks);
	tcase_add_test(tcase, late_turns_are_underruns);
	tcase_add_test(tcase, rates);
	tcase_add_loop_test(tcase, anything_adds_up, 0, 20);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
