// The replay window against a set that remembers everything, and the index guess against RFC 3711
// appendix A's own words.
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "rtp/srtp_window.h"
#include "srtp_line.h"

// RFC 3711 section 3.3.1 and appendix A, with its names; -1 stands for 2^32 - 1.
static int64_t appendix_guess(int64_t roc, int s_l, int seq)
{
	int64_t v;

	if (s_l < 32768)
		v = seq - s_l > 32768 ? roc - 1 : roc;
	else
		v = s_l - 32768 > seq ? roc + 1 : roc;
	return v < 0 ? seq : v * 65536 + seq; // before the first rollover there is nothing
}

START_TEST(guess_is_the_appendix)
{
	static const uint64_t rocs[] = { 0, 1, 2, 0xfffffffe, 0xffffffff };
	uint32_t seed = 7;

	for (size_t r = 0; r < sizeof rocs / sizeof rocs[0]; r++)
		for (int i = 0; i < 400000; i++) {
			uint16_t last = (uint16_t)line_random(&seed);
			// Near the interesting differences more often than elsewhere.
			uint16_t near = (uint16_t)(last + (i % 4 - 2) * 32768 +
						   (int)(line_random(&seed) % 9) - 4);
			uint16_t sequence = i % 4 ? near : (uint16_t)line_random(&seed);
			struct td_srtp_window window = { rocs[r] << 16 | last, { 1, 0 } };

			ck_assert_int_eq((int64_t)td_srtp_index_guess(&window, sequence),
					 appendix_guess((int64_t)rocs[r], last, sequence));
		}
}
END_TEST

START_TEST(window_remembers_like_a_set)
{
	static uint8_t seen[200000];
	struct td_srtp_window window = { 0 };
	uint64_t at = 1000, top = 0;
	uint32_t seed = (uint32_t)_i + 1;
	unsigned fresh = 0, replayed = 0, old = 0;

	memset(seen, 0, sizeof seen);
	for (int i = 0; i < 100000 && at < sizeof seen - 2000; i++) {
		uint32_t dice = line_random(&seed) % 100;
		uint64_t index = at;
		enum td_srtp_age expected;

		if (dice < 50)
			index = ++at;
		else if (dice < 55)
			index = at += line_random(&seed) % 200;
		else
			index = at - line_random(&seed) % 160;
		expected = seen[index] ? TD_SRTP_SEEN : TD_SRTP_FRESH;
		if (top > 0 && index + TD_SRTP_WINDOW <= top)
			expected = TD_SRTP_TOO_OLD;
		ck_assert_int_eq(td_srtp_window_age(&window, index), expected);
		fresh += expected == TD_SRTP_FRESH;
		replayed += expected == TD_SRTP_SEEN;
		old += expected == TD_SRTP_TOO_OLD;
		if (expected != TD_SRTP_FRESH)
			continue;
		td_srtp_window_mark(&window, index);
		seen[index] = 1;
		top = index > top ? index : top;
		ck_assert_uint_eq(window.highest, top);
	}
	ck_assert_uint_gt(fresh, 1000);
	ck_assert_uint_gt(replayed, 1000);
	ck_assert_uint_gt(old, 1000);
}
END_TEST

START_TEST(every_shift_keeps_every_bit)
{
	for (uint64_t ahead = 1; ahead <= 130; ahead++) {
		struct td_srtp_window window = { 0 };

		td_srtp_window_mark(&window, 1000);
		td_srtp_window_mark(&window, 1000 - 127);
		td_srtp_window_mark(&window, 1000 - 63);
		td_srtp_window_mark(&window, 1000 - 64);
		td_srtp_window_mark(&window, 1000 + ahead);
		for (uint64_t back = 0; back < 128; back++) {
			uint64_t index = 1000 + ahead - back;
			bool marked = index == 1000 + ahead || index == 1000 ||
				      index == 1000 - 63 || index == 1000 - 64 ||
				      index == 1000 - 127;

			ck_assert_int_eq(td_srtp_window_age(&window, index),
					 marked ? TD_SRTP_SEEN : TD_SRTP_FRESH);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("srtp window");
	TCase *tcase = tcase_create("window");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, guess_is_the_appendix);
	tcase_add_loop_test(tcase, window_remembers_like_a_set, 0, 8);
	tcase_add_test(tcase, every_shift_keeps_every_bit);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
