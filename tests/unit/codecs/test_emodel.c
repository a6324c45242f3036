// The E-model against values computed with the full formulas of ITU-T G.107.
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "codecs/emodel.h"

static const struct {
	const struct td_emodel_codec *codec;
	double loss_percent, delay_ms, mos;
} oracle[] = {
	{ &td_emodel_g711, 0, 0, 4.409 },      { &td_emodel_g711, 1, 0, 3.834 },
	{ &td_emodel_g711, 3, 0, 2.794 },      { &td_emodel_g711, 5, 0, 2.169 },
	{ &td_emodel_g711_plc, 1, 0, 4.328 },  { &td_emodel_g711_plc, 2, 0, 4.235 },
	{ &td_emodel_g711_plc, 3, 0, 4.134 },  { &td_emodel_g711_plc, 5, 0, 3.923 },
	{ &td_emodel_g711_plc, 10, 0, 3.411 }, { &td_emodel_g729a, 0, 0, 4.104 },
	{ &td_emodel_g729a, 1, 0, 3.946 },     { &td_emodel_g729a, 3, 0, 3.632 },
	{ &td_emodel_g711, 0, 150, 4.329 },    { &td_emodel_g711, 0, 200, 4.226 },
	{ &td_emodel_g711, 0, 300, 3.712 },
};

START_TEST(oracle_rows)
{
	struct td_emodel_input input = {
		.codec = *oracle[_i].codec,
		.loss_percent = oracle[_i].loss_percent,
		.burst_ratio = 1,
		.delay_ms = oracle[_i].delay_ms,
	};

	ck_assert_double_eq_tol(td_emodel_mos(td_emodel_r(&input)), oracle[_i].mos, 0.001);
}
END_TEST

START_TEST(bursts_hurt_more)
{
	struct td_emodel_input input = { .codec = td_emodel_g711_plc, .loss_percent = 4 };
	double random = td_emodel_r(&input), r;

	for (int burst = 2; burst < 10; burst++) {
		input.burst_ratio = burst;
		r = td_emodel_r(&input);
		ck_assert_double_lt(r, random);
		random = r;
	}
	// Ppl 4, BurstR 2: 95 * 4 / (4 / 2 + 25.1).
	input.burst_ratio = 2;
	ck_assert_double_eq_tol(td_emodel_r(&input), 93.2 - 380 / 27.1, 1e-9);
}
END_TEST

START_TEST(more_loss_or_delay_is_never_better)
{
	struct td_emodel_input input = { .codec = td_emodel_g711, .burst_ratio = 1 };
	double last = 5, mos;

	for (int half = 0; half <= 200; half++) {
		input.loss_percent = half / 2.0;
		mos = td_emodel_mos(td_emodel_r(&input));
		ck_assert_double_le(mos, last);
		last = mos;
	}
	input.loss_percent = 0;
	last = 5;
	for (int ms = 0; ms <= 2000; ms += 10) {
		input.delay_ms = ms;
		mos = td_emodel_mos(td_emodel_r(&input));
		ck_assert_double_le(mos, last);
		last = mos;
	}
}
END_TEST

START_TEST(nonsense_stays_in_range)
{
	static const double values[] = { -1e300, -1, 0, 1e300, INFINITY, -INFINITY, NAN };
	enum { COUNT = sizeof values / sizeof values[0] };
	struct td_emodel_input input = { .codec = td_emodel_g711 };

	for (int l = 0; l < COUNT; l++) {
		for (int b = 0; b < COUNT; b++) {
			for (int d = 0; d < COUNT; d++) {
				double mos;

				input.loss_percent = values[l];
				input.burst_ratio = values[b];
				input.delay_ms = values[d];
				mos = td_emodel_mos(td_emodel_r(&input));
				ck_assert(mos >= 1 && mos <= 4.5);
			}
		}
	}
	for (int r = 0; r < COUNT; r++)
		ck_assert(td_emodel_mos(values[r]) >= 1 && td_emodel_mos(values[r]) <= 4.5);
	ck_assert_double_eq(td_emodel_mos(100), 4.5);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quality/emodel");
	TCase *tc = tcase_create("emodel");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_loop_test(tc, oracle_rows, 0, sizeof oracle / sizeof oracle[0]);
	tcase_add_test(tc, bursts_hurt_more);
	tcase_add_test(tc, more_loss_or_delay_is_never_better);
	tcase_add_test(tc, nonsense_stays_in_range);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
