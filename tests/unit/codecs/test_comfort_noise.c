// Comfort noise: levels to a decibel, spectra that keep their tilt, hostile payloads that stay quiet.
#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "codecs/comfort_noise.h"
#include "signal.h"

#define SAMPLES 16000
#define BLOCK   160

static int16_t background[SAMPLES], made[SAMPLES];
static struct td_noise_meter meter;
static struct td_comfort_noise noise;

// White noise through y = x + pole * y: tilted down (pole > 0) or up (< 0).
static void make_background(double pole, double rms)
{
	uint32_t seed = 7;
	double y = 0, scale = rms * sqrt(1 - pole * pole) * sqrt(3);

	for (int i = 0; i < SAMPLES; i++) {
		seed = seed * 22695477 + 1;
		y = scale * (int32_t)seed / 2147483648.0 + pole * y;
		background[i] = (int16_t)lrint(y);
	}
}

static bool make(size_t samples)
{
	memset(made, 0, samples * sizeof made[0]);
	return td_comfort_noise_add(&noise, made, samples);
}

static int measure(uint32_t order, uint8_t *payload)
{
	td_noise_meter_init(&meter);
	for (int at = 0; at < SAMPLES; at += BLOCK)
		td_noise_meter_add(&meter, background + at, BLOCK);
	return td_noise_meter_write(&meter, order, payload, TD_COMFORT_NOISE_BYTES_MAX);
}

// R(1) / R(0): 1 is all rumble, -1 all hiss.
static double tilt(const int16_t *pcm)
{
	double r0 = 1e-9, r1 = 0;

	for (int i = 1; i < SAMPLES; i++) {
		r0 += (double)pcm[i] * pcm[i];
		r1 += (double)pcm[i] * pcm[i - 1];
	}
	return r1 / r0;
}

START_TEST(level_survives)
{
	static const double poles[] = { 0, 0.9, -0.7 };

	for (size_t p = 0; p < 3; p++) {
		for (int step = 0; step < 14; step++) {
			uint8_t payload[TD_COMFORT_NOISE_BYTES_MAX];
			double in, out;

			make_background(poles[p], 4 * pow(1.7, step));
			ck_assert_int_eq(measure(p ? 8 : 0, payload), p ? 9 : 1);
			td_comfort_noise_init(&noise, 1);
			td_comfort_noise_describe(&noise, payload, p ? 9 : 1);
			make(SAMPLES);
			in = signal_level_db(background, SAMPLES);
			out = signal_level_db(made, SAMPLES);
			ck_assert_msg(fabs(in - out) < 1, "pole %.1f: %.2f dB became %.2f",
				      poles[p], in, out);
			ck_assert_int_le(abs(payload[0] + (int)lrint(in)), 1);
		}
	}
}
END_TEST

START_TEST(tilt_survives)
{
	static const double poles[] = { 0.95, 0.8, 0.4, 0, -0.4, -0.8, -0.95 };

	for (size_t p = 0; p < sizeof poles / sizeof poles[0]; p++) {
		for (uint32_t order = 1; order <= TD_COMFORT_NOISE_ORDER_MAX; order++) {
			uint8_t payload[TD_COMFORT_NOISE_BYTES_MAX];

			make_background(poles[p], 1000);
			ck_assert_int_eq(measure(order, payload), (int)order + 1);
			// k1 = -R(1)/R(0), and this is first order: the others are about 0.
			ck_assert_int_le(abs(payload[1] - 127 + (int)lrint(poles[p] * 127)), 4);
			for (uint32_t i = 2; i <= order; i++)
				ck_assert_int_le(abs(payload[i] - 127), 12);
			td_comfort_noise_init(&noise, 1);
			td_comfort_noise_describe(&noise, payload, order + 1);
			make(SAMPLES);
			ck_assert_msg(fabs(tilt(made) - poles[p]) < 0.06,
				      "order %u: tilt %.2f became %.2f", order, poles[p],
				      tilt(made));
		}
	}
}
END_TEST

// A background with a hump at 1 kHz keeps it: 15 dB above what lies at 3 kHz.
START_TEST(shape_survives)
{
	uint8_t payload[TD_COMFORT_NOISE_BYTES_MAX];
	double y1 = 0, y2 = 0, hump[2] = { 0 }, floor_db[2] = { 0 };
	uint32_t seed = 3;

	for (int i = 0; i < SAMPLES; i++) {
		double y;

		seed = seed * 22695477 + 1;
		y = 150.0 * (int32_t)seed / 2147483648.0 + 1.8 * cos(2 * M_PI / 8) * y1 - 0.81 * y2;
		y2 = y1;
		y1 = y;
		background[i] = (int16_t)lrint(y);
	}
	ck_assert_int_eq(measure(8, payload), 9);
	td_comfort_noise_init(&noise, 1);
	td_comfort_noise_describe(&noise, payload, 9);
	make(SAMPLES);
	for (int n = 0; n < 40; n++) {
		int at = n * 400;

		hump[0] += signal_tone_db(background + at, 400, 8000, 1000) / 40;
		floor_db[0] += signal_tone_db(background + at, 400, 8000, 3000) / 40;
		hump[1] += signal_tone_db(made + at, 400, 8000, 1000) / 40;
		floor_db[1] += signal_tone_db(made + at, 400, 8000, 3000) / 40;
	}
	ck_assert_msg(hump[0] - floor_db[0] > 15 && fabs(hump[1] - hump[0]) < 3 &&
			      fabs(floor_db[1] - floor_db[0]) < 3,
		      "%.1f over %.1f became %.1f over %.1f", hump[0], floor_db[0], hump[1],
		      floor_db[1]);
}
END_TEST

START_TEST(levels_of_the_standard)
{
	for (int level = 10; level <= 80; level++) {
		uint8_t payload = (uint8_t)level;

		td_comfort_noise_init(&noise, 5);
		td_comfort_noise_describe(&noise, &payload, 1);
		make(SAMPLES);
		ck_assert_msg(fabs(signal_level_db(made, SAMPLES) + level) < 1, "%d: %.2f", level,
			      signal_level_db(made, SAMPLES));
	}
}
END_TEST

START_TEST(no_payload_no_sound)
{
	uint8_t payload[2] = { 30, 255 };
	int blocks;

	td_noise_meter_init(&meter);
	ck_assert_int_eq(td_noise_meter_write(&meter, 0, payload, 2), -TD_EEMPTY);
	td_noise_meter_add(&meter, background, BLOCK);
	ck_assert_int_eq(td_noise_meter_write(&meter, TD_COMFORT_NOISE_ORDER_MAX + 1, payload, 2),
			 -TD_EINVALID);
	ck_assert_int_eq(td_noise_meter_write(&meter, 2, payload, 2), -TD_EFULL);
	ck_assert_int_eq(td_noise_meter_write(&meter, 1, payload, 2), 2);
	ck_assert_uint_eq(payload[0], TD_COMFORT_NOISE_LEVEL_MAX); // of silence
	td_comfort_noise_init(&noise, 1);
	ck_assert(!make(SAMPLES));
	td_comfort_noise_describe(&noise, payload, 0);
	ck_assert(!make(SAMPLES));
	for (int i = 0; i < SAMPLES; i++)
		ck_assert_int_eq(made[i], 0);
	// The reserved byte is the one before it.
	payload[0] = 30;
	payload[1] = 255;
	td_comfort_noise_describe(&noise, payload, 2);
	ck_assert(make(SAMPLES));
	ck_assert(tilt(made) < -0.95);
	td_comfort_noise_end(&noise);
	for (blocks = 0; make(BLOCK); blocks++)
		ck_assert_int_lt(blocks, 12); // of 20 ms: 8 of the time constants to -70 dB
	for (int i = 0; i < BLOCK; i++)
		ck_assert_int_eq(made[i], 0);
}
END_TEST

// Any coefficients, changing all the time: never louder than the level and the swing of a noise.
START_TEST(hostile_coefficients_stay_quiet)
{
	uint32_t seed = 11;

	td_comfort_noise_init(&noise, 1);
	for (int n = 0; n < 3000; n++) {
		uint8_t payload[40] = { 40 };
		size_t bytes;

		for (size_t i = 1; i < sizeof payload; i++) {
			seed = seed * 1664525 + 1013904223;
			payload[i] = (uint8_t)(n % 3 ? (seed >> 24) % 255 : (seed >> 31) * 254);
		}
		bytes = seed % sizeof payload + 1;
		td_comfort_noise_describe(&noise, payload, bytes);
		make(BLOCK);
		for (int i = 0; i < BLOCK; i++)
			ck_assert_int_le(abs(made[i]), 328 * 13); // -40 dBov is 328
	}
}
END_TEST

START_TEST(a_new_level_is_reached_without_a_step)
{
	uint8_t payload[1] = { 30 };

	td_comfort_noise_init(&noise, 1);
	td_comfort_noise_describe(&noise, payload, 1);
	make(8000);
	payload[0] = 60;
	td_comfort_noise_describe(&noise, payload, 1);
	make(SAMPLES);
	ck_assert(signal_level_db(made, 20) > -36); // still near -30 after 2.5 ms
	ck_assert(fabs(signal_level_db(made + 8000, 8000) + 60) < 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("comfort_noise");
	TCase *tcase = tcase_create("noise");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, level_survives);
	tcase_add_test(tcase, tilt_survives);
	tcase_add_test(tcase, shape_survives);
	tcase_add_test(tcase, levels_of_the_standard);
	tcase_add_test(tcase, no_payload_no_sound);
	tcase_add_test(tcase, hostile_coefficients_stay_quiet);
	tcase_add_test(tcase, a_new_level_is_reached_without_a_step);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
