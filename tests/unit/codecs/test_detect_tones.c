// Call progress, fax and beeps: recognised at every level, rate and noise, told once, over once.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hearing.h"

#define ALL (TD_DETECT_DTMF | TD_DETECT_FAX | TD_DETECT_PROGRESS | TD_DETECT_BEEP)

static struct hearing hearing;
static const uint32_t rates[] = { 8000, 16000, 32000, 48000 };

static const struct progress {
	const char *name;
	enum td_tone tone;
	double dbm0;        // of the plan, all frequencies together
	uint32_t known_ms;  // at the latest, since it began
	uint32_t lasted_ms; // of 12 s: to the end of the last burst
} progress[] = {
	{ "etsi.dial", TD_TONE_DIAL, -10, 2500, 12000 },
	{ "etsi.ringback", TD_TONE_RINGBACK, -10, 2300, 11000 },
	{ "etsi.busy", TD_TONE_BUSY, -10, 2150, 11500 },
	{ "etsi.congestion", TD_TONE_CONGESTION, -10, 950, 11800 },
	{ "us.dial", TD_TONE_DIAL, -10, 2500, 12000 },
	{ "us.ringback", TD_TONE_RINGBACK, -16, 3300, 8000 },
	{ "us.busy", TD_TONE_BUSY, -21, 2150, 11500 },
	{ "us.congestion", TD_TONE_CONGESTION, -21, 1150, 11750 },
};
#define PROGRESS_COUNT (sizeof progress / sizeof *progress)

// Only this tone was heard, once, in time; and it is over.
static void check_only(const char *what, enum td_tone tone, uint32_t began_ms, uint32_t known_ms,
		       uint32_t lasted_ms, uint32_t lasted_off_ms)
{
	const struct td_detected *begin = hearing_find(&hearing, tone, false);
	const struct td_detected *end = hearing_find(&hearing, tone, true);
	uint32_t per_ms = hearing.rate_hz / 1000;

	if (hearing.count != 2 || !begin || !end)
		hearing_dump(&hearing);
	ck_assert_msg(hearing.count == 2 && begin && end, "%s at %u Hz: %u reports", what,
		      hearing.rate_hz, hearing.count);
	ck_assert_msg(begin->sample <= (uint64_t)(began_ms + known_ms) * per_ms &&
			      begin->sample > (uint64_t)began_ms * per_ms,
		      "%s known after %u ms", what, (uint32_t)(begin->sample / per_ms) - began_ms);
	ck_assert_uint_ge(end->sample, begin->sample);
	ck_assert_msg(abs((int)end->duration_ms - (int)lasted_ms) <= (int)lasted_off_ms,
		      "%s: %u ms, not %u", what, end->duration_ms, lasted_ms);
}

START_TEST(progress_at_every_level)
{
	const struct progress *p = &progress[_i % PROGRESS_COUNT];
	uint32_t rate_hz = rates[(uint32_t)_i / PROGRESS_COUNT];

	for (int dbm0 = -3; dbm0 >= -30; dbm0 -= 9) {
		hearing_begin(&hearing, rate_hz);
		hearing_silence(&hearing, 487);
		hearing_tone(&hearing, p->name, 12000, dbm0 - p->dbm0);
		hearing_silence(&hearing, 7000);
		hearing_listen(&hearing, ALL);
		check_only(p->name, p->tone, 487, p->known_ms, p->lasted_ms, 60);
	}
}
END_TEST

START_TEST(progress_in_noise)
{
	const struct progress *p = &progress[_i];

	for (uint32_t seed = 0; seed < 4; seed++) {
		hearing_begin(&hearing, 8000);
		hearing_silence(&hearing, 500);
		hearing_tone(&hearing, p->name, 12000, -15 - p->dbm0);
		hearing_silence(&hearing, 7000);
		hearing_add_noise(&hearing, -35, seed);
		hearing_companded(&hearing);
		hearing_listen(&hearing, ALL);
		check_only(p->name, p->tone, 500, p->known_ms, p->lasted_ms, 60);
	}
}
END_TEST

// What else the world has (ITU-T E.180 supplement 2): France, Britain, Japan, Italy.
START_TEST(cadences_of_other_countries)
{
	static const struct {
		double hz_a, hz_b;
		uint32_t on_off_ms[4];
		enum td_tone tone;
	} table[] = {
		{ 440, 0, { 1500, 3500, 1500, 3500 }, TD_TONE_RINGBACK },
		{ 440, 0, { 500, 500, 500, 500 }, TD_TONE_BUSY },
		{ 400, 450, { 400, 200, 400, 2000 }, TD_TONE_RINGBACK },
		{ 400, 0, { 375, 375, 375, 375 }, TD_TONE_BUSY },
		{ 400, 0, { 1000, 2000, 1000, 2000 }, TD_TONE_RINGBACK },
		{ 425, 0, { 200, 200, 200, 200 }, TD_TONE_CONGESTION },
		{ 480, 620, { 300, 200, 300, 200 }, TD_TONE_CONGESTION },
		{ 480, 620, { 200, 300, 200, 300 }, TD_TONE_CONGESTION },
		{ 425, 0, { 330, 330, 330, 330 }, TD_TONE_BUSY },
	};

	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		hearing_begin(&hearing, 8000);
		for (int k = 0; k < 16; k++) {
			if (k % 2 == 0)
				hearing_sines(&hearing, table[i].on_off_ms[k % 4], table[i].hz_a,
					      -15, table[i].hz_b, -15);
			else
				hearing_silence(&hearing, table[i].on_off_ms[k % 4]);
		}
		hearing_listen(&hearing, TD_DETECT_PROGRESS);
		ck_assert_msg(hearing_count(&hearing, table[i].tone, false) == 1 &&
				      hearing.count <= 2,
			      "row %zu: %u reports", i, hearing.count);
	}
}
END_TEST

// Ringback is over when somebody answers; what follows a hang-up is told as well.
START_TEST(one_after_the_other)
{
	hearing_begin(&hearing, 8000);
	hearing_tone(&hearing, "etsi.ringback", 7000, 0);
	hearing_speech(&hearing, 4000, 5);
	hearing_silence(&hearing, 300);
	hearing_tone(&hearing, "etsi.busy", 6000, 0);
	hearing_silence(&hearing, 2000);
	hearing_listen(&hearing, ALL);
	if (hearing.count != 4)
		hearing_dump(&hearing);
	ck_assert_uint_eq(hearing.count, 4);
	ck_assert_uint_eq(hearing.reports[0].tone, TD_TONE_RINGBACK);
	ck_assert(hearing.reports[1].ended && hearing.reports[1].tone == TD_TONE_RINGBACK);
	ck_assert_uint_le(hearing.reports[1].sample, 8000 * 8);
	ck_assert_uint_eq(hearing.reports[2].tone, TD_TONE_BUSY);
	ck_assert(hearing.reports[3].ended && hearing.reports[3].tone == TD_TONE_BUSY);
}
END_TEST

START_TEST(special_information_tones)
{
	static const char *const names[] = { "etsi.sit", "us.sit" };

	for (size_t n = 0; n < 2; n++)
		for (size_t r = 0; r < 4; r++)
			for (int db = 6; db >= -14; db -= 5) {
				hearing_begin(&hearing, rates[r]);
				hearing_silence(&hearing, 333);
				hearing_tone(&hearing, names[n], 1500, db);
				hearing_add_noise(&hearing, db - 36, (uint32_t)r);
				hearing_listen(&hearing, ALL);
				check_only(names[n], TD_TONE_SIT, 333, 950, 1000, 60);
			}
	// The same tones in another order, or one of them for too long, are none.
	hearing_begin(&hearing, 8000);
	hearing_sines(&hearing, 330, 1400, -10, 0, 0);
	hearing_sines(&hearing, 330, 950, -10, 0, 0);
	hearing_sines(&hearing, 330, 1800, -10, 0, 0);
	hearing_silence(&hearing, 500);
	hearing_sines(&hearing, 330, 950, -10, 0, 0);
	hearing_sines(&hearing, 900, 1400, -10, 0, 0);
	hearing_sines(&hearing, 330, 1800, -10, 0, 0);
	hearing_silence(&hearing, 500);
	hearing_listen(&hearing, ALL);
	ck_assert_uint_eq(hearing.count, 0);
}
END_TEST

START_TEST(calling_fax)
{
	for (size_t r = 0; r < 4; r++)
		for (int off = -38; off <= 38; off += 19)
			for (int dbm0 = -3; dbm0 >= -30; dbm0 -= 9) {
				hearing_begin(&hearing, rates[r]);
				for (int i = 0; i < 3; i++) {
					hearing_silence(&hearing, 3000);
					hearing_sines(&hearing, 500, 1100 + off, dbm0, 0, 0);
				}
				hearing_silence(&hearing, 4500);
				hearing_add_noise(&hearing, dbm0 - 20, (uint32_t)r);
				hearing_listen(&hearing, ALL);
				check_only("CNG", TD_TONE_CNG, 3000, 640, 7500, 100);
			}
	// 1100 Hz that does not stop, and shorter bits of it, call nobody.
	hearing_begin(&hearing, 8000);
	hearing_sines(&hearing, 5000, 1100, -10, 0, 0);
	for (int i = 0; i < 10; i++) {
		hearing_silence(&hearing, 300);
		hearing_sines(&hearing, 300, 1100, -10, 0, 0);
	}
	hearing_silence(&hearing, 1000);
	hearing_listen(&hearing, TD_DETECT_FAX);
	ck_assert_uint_eq(hearing.count, 0);
}
END_TEST

// ITU-T T.30 CED, V.25 ANS with phase reversals, V.8 ANSam: made here sample by sample.
static void answer(double modulation, bool reversals, double hz, double dbm0)
{
	static struct hearing plain;
	uint32_t per_ms = hearing.rate_hz / 1000;

	hearing_begin(&plain, hearing.rate_hz);
	for (int i = 0; i < 8; i++)
		hearing_sines(&plain, 450, hz, dbm0, 0, 0);
	hearing_silence(&hearing, 3300);
	for (uint32_t i = 0, at = hearing.samples - 3300 * per_ms; i < 3300 * per_ms; i++) {
		double gain = 1 + modulation * sin(2 * 3.14159265 * 15 * i / hearing.rate_hz);
		// A whole number of cycles in 450 ms only at 2100 Hz: reversed, or going on.
		int sign = reversals && i / (450 * per_ms) % 2 ? -1 : 1;

		hearing.pcm[at + i] = (int16_t)(sign * gain * plain.pcm[i]);
	}
}

START_TEST(answering_fax)
{
	for (size_t r = 0; r < 4; r++)
		for (int kind = 0; kind < 4; kind++)
			for (int dbm0 = -5; dbm0 >= -30; dbm0 -= 8) {
				hearing_begin(&hearing, rates[r]);
				hearing_silence(&hearing, 700);
				answer(kind & 1 ? 0.2 : 0, kind & 2, 2100, dbm0);
				hearing_silence(&hearing, 1000);
				hearing_add_noise(&hearing, dbm0 - 20, 3);
				hearing_listen(&hearing, ALL);
				check_only("CED", TD_TONE_CED, 700, 600, 3300, 60);
			}
}
END_TEST

START_TEST(beep_after_a_greeting)
{
	static const double hz[] = { 420, 440, 600, 850, 1000, 1250, 1400, 1850, 2450 };
	static const uint32_t lengths_ms[] = { 130, 200, 400, 600 };

	for (size_t f = 0; f < sizeof hz / sizeof *hz; f++)
		for (size_t l = 0; l < 4; l++)
			for (uint32_t r = 0; r < 4; r += 3) {
				uint32_t at_ms = 5300;

				hearing_begin(&hearing, rates[r]);
				hearing_speech(&hearing, 5000, (uint32_t)f * 4 + r);
				hearing_silence(&hearing, 300);
				hearing_sines(&hearing, lengths_ms[l], hz[f], f % 2 ? -12 : -28, 0,
					      0);
				hearing_silence(&hearing, 1500);
				hearing_companded(&hearing);
				hearing_listen(&hearing, ALL);
				check_only("beep", TD_TONE_BEEP, at_ms, 1500, lengths_ms[l], 40);
			}
}
END_TEST

START_TEST(no_beep)
{
	// Without a greeting, in noise or not.
	for (int noise = 0; noise < 2; noise++) {
		hearing_begin(&hearing, 8000);
		hearing_silence(&hearing, 2000);
		hearing_sines(&hearing, 400, 1000, -12, 0, 0);
		hearing_silence(&hearing, 1500);
		if (noise)
			hearing_add_noise(&hearing, -32, 7);
		hearing_listen(&hearing, ALL);
		ck_assert_uint_eq(hearing.count, 0);
	}
	// A greeting, and then a tone that is too short, goes on into speech, or is a digit or a fax.
	hearing_begin(&hearing, 8000);
	hearing_speech(&hearing, 3000, 9);
	hearing_silence(&hearing, 300);
	hearing_sines(&hearing, 60, 1000, -12, 0, 0);
	hearing_silence(&hearing, 1500);
	hearing_sines(&hearing, 150, 1000, -12, 0, 0);
	hearing_sines(&hearing, 200, 650, -12, 1900, -12);
	hearing_speech(&hearing, 3000, 10);
	hearing_silence(&hearing, 500);
	hearing_tone(&hearing, "dtmf.5", 300, 0);
	hearing_silence(&hearing, 500);
	hearing_sines(&hearing, 400, 2100, -12, 0, 0);
	hearing_silence(&hearing, 1500);
	hearing_listen(&hearing, TD_DETECT_BEEP);
	if (hearing.count)
		hearing_dump(&hearing);
	ck_assert_uint_eq(hearing.count, 0);
}
END_TEST

// One lost packet of 20 ms, silence in its place, breaks nothing wherever it was in the burst.
START_TEST(a_lost_packet_in_the_tone)
{
	for (uint32_t at_ms = 1060; at_ms < 1440; at_ms += 19) {
		hearing_begin(&hearing, 8000);
		hearing_tone(&hearing, "etsi.busy", 6000, 0);
		hearing_silence(&hearing, 2000);
		memset(hearing.pcm + at_ms * 8, 0, 160 * sizeof *hearing.pcm);
		hearing_listen(&hearing, ALL);
		check_only("busy", TD_TONE_BUSY, 0, 2150, 5500, 60);
		hearing_begin(&hearing, 16000);
		hearing_tone(&hearing, "us.dial", 6000, 0);
		hearing_silence(&hearing, 2000);
		memset(hearing.pcm + at_ms * 16, 0, 320 * sizeof *hearing.pcm);
		hearing_listen(&hearing, ALL);
		check_only("dial", TD_TONE_DIAL, 0, 2500, 6000, 60);
	}
}
END_TEST

// Nobody who did not ask is told.
START_TEST(only_what_is_wanted)
{
	static const uint32_t wanted[] = { TD_DETECT_DTMF, TD_DETECT_FAX, TD_DETECT_BEEP,
					   TD_DETECT_PROGRESS };

	for (size_t i = 0; i < 4; i++) {
		hearing_begin(&hearing, 8000);
		hearing_tone(&hearing, "etsi.busy", 6000, 0);
		hearing_listen(&hearing, wanted[i]);
		ck_assert_uint_eq(hearing.count, wanted[i] == TD_DETECT_PROGRESS);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("detect_tones");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, progress_at_every_level, 0, PROGRESS_COUNT * 4);
	tcase_add_loop_test(tcase, progress_in_noise, 0, PROGRESS_COUNT);
	tcase_add_test(tcase, cadences_of_other_countries);
	tcase_add_test(tcase, one_after_the_other);
	tcase_add_test(tcase, special_information_tones);
	tcase_add_test(tcase, calling_fax);
	tcase_add_test(tcase, answering_fax);
	tcase_add_test(tcase, beep_after_a_greeting);
	tcase_add_test(tcase, no_beep);
	tcase_add_test(tcase, a_lost_packet_in_the_tone);
	tcase_add_test(tcase, only_what_is_wanted);
	tcase_set_timeout(tcase, 120);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
