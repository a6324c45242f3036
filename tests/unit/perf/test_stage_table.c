// Rows, and the table of stages: a stage's share of one unit of the one that counts, medians of the runs, the rows'
// format, the counters as they were before, no table of nothing and no figure of a run that was no good.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig/stage_table.h"

static struct td_worker_stats stats;
static struct td_stage_clock watch;
static struct td_stage_table table;

static const struct td_report_row whole = { .bench = "bench",
					    .case_name = "1000 streams",
					    .unit = "ns/packet",
					    .value = 40,
					    .reference_name = "the whole" };

static void setup(void)
{
	memset(&stats, 0, sizeof stats);
	td_stage_clock_init(&watch, &stats, 2000000000); // two ticks a nanosecond
	// What there was before is none of the table's.
	stats.stages[TD_STAGE_RX] = (struct td_stage_stats){ 777, 7 };
	stats.stages[TD_STAGE_FORWARD] = (struct td_stage_stats){ 99999, 9 };
	td_stage_table_init(&table, &watch, TD_STAGE_FORWARD);
}

static void run(uint64_t packets, uint64_t rx_ticks, uint64_t forward_ticks)
{
	td_stage_table_begin(&table);
	stats.stages[TD_STAGE_RX].ticks += rx_ticks;
	stats.stages[TD_STAGE_RX].units += packets * 2u; // is not what counts
	stats.stages[TD_STAGE_FORWARD].ticks += forward_ticks;
	stats.stages[TD_STAGE_FORWARD].units += packets;
	td_stage_table_end(&table);
}

// What is printed, to be freed; `printed` what the printer answers.
static char *print(bool *printed)
{
	FILE *real = stdout;
	size_t size = 0;
	char *text = NULL;

	stdout = open_memstream(&text, &size);
	ck_assert_ptr_nonnull(stdout);
	*printed = td_stage_table_print(&table, &whole);
	fclose(stdout);
	stdout = real;
	return text;
}

START_TEST(test_rows)
{
	bool printed;
	char *text;

	// Of a packet: rx 10, 20, 12 ns, forward 30, 28, 24 ns; by the first alone it would be another.
	run(100, 2000, 6000);
	run(100, 4000, 5600);
	run(1000, 24000, 48000);
	ck_assert_uint_eq(table.runs, 3);
	text = print(&printed);
	ck_assert(printed);
	ck_assert_str_eq(
		text,
		"{\"bench\":\"bench\",\"case\":\"1000 streams: rx\",\"value\":12.000,"
		"\"unit\":\"ns/packet\",\"reference\":null,\"reference_name\":null,\"ratio\":null,"
		"\"min\":10.000,\"max\":20.000,\"p50_us\":null,\"p99_us\":null,"
		"\"p999_us\":null,\"lost\":0,"
		"\"stage\":\"rx\"}\n"
		"{\"bench\":\"bench\",\"case\":\"1000 streams: forward\",\"value\":28.000,"
		"\"unit\":\"ns/packet\",\"reference\":null,\"reference_name\":null,\"ratio\":null,"
		"\"min\":24.000,\"max\":30.000,\"p50_us\":null,\"p99_us\":null,"
		"\"p999_us\":null,\"lost\":0,"
		"\"stage\":\"forward\"}\n"
		"{\"bench\":\"bench\",\"case\":\"1000 streams: all stages\",\"value\":40.000,"
		"\"unit\":\"ns/packet\",\"reference\":40.000,\"reference_name\":\"the whole\","
		"\"ratio\":1.000,\"min\":36.000,\"max\":48.000,\"p50_us\":null,\"p99_us\":null,"
		"\"p999_us\":null,\"lost\":0,\"stage\":\"all stages\"}\n");
	free(text);
}
END_TEST

static char *print_row(const struct td_report_row *row)
{
	FILE *real = stdout;
	size_t size = 0;
	char *text = NULL;

	stdout = open_memstream(&text, &size);
	ck_assert_ptr_nonnull(stdout);
	td_report_print(row);
	fclose(stdout);
	stdout = real;
	return text;
}

// A row of a whole case has no such column.
START_TEST(test_whole)
{
	struct td_report_row row = whole;
	char *text;

	row.reference = 32;
	row.min = 39;
	row.max = 41;
	row.p50_us = 1.5;
	row.p99_us = 2.5;
	row.p999_us = 3.5;
	text = print_row(&row);
	ck_assert_str_eq(text, "{\"bench\":\"bench\",\"case\":\"1000 streams\",\"value\":40.000,"
			       "\"unit\":\"ns/packet\",\"reference\":32.000,"
			       "\"reference_name\":\"the whole\",\"ratio\":1.250,\"min\":39.000,"
			       "\"max\":41.000,\"p50_us\":1.5,\"p99_us\":2.5,\"p999_us\":3.5,"
			       "\"lost\":0}\n");
	free(text);
}
END_TEST

// Packets were lost, or the audio was wrong: a row, and no figure in it.
START_TEST(test_refused)
{
	struct td_report_row row = whole;
	char *text;

	row.reference = 32;
	row.lost = 3;
	text = print_row(&row);
	ck_assert_str_eq(text, "{\"bench\":\"bench\",\"case\":\"1000 streams\",\"value\":null,"
			       "\"unit\":\"ns/packet\",\"reference\":null,"
			       "\"reference_name\":\"the whole\",\"ratio\":null,\"min\":null,"
			       "\"max\":null,\"p50_us\":null,\"p99_us\":null,\"p999_us\":null,"
			       "\"lost\":3}\n");
	free(text);
	row.lost = 0;
	row.wrong = true;
	text = print_row(&row);
	ck_assert_ptr_nonnull(strstr(text, "\"value\":null"));
	ck_assert_ptr_nonnull(strstr(text, "\"lost\":0}"));
	free(text);
}
END_TEST

START_TEST(test_counters)
{
	ck_assert_uint_eq(watch.every, TD_STAGE_EVERY);
	td_stage_table_begin(&table);
	ck_assert_uint_lt(watch.every, TD_STAGE_EVERY);
	td_stage_table_end(&table);
	ck_assert_uint_eq(watch.every, TD_STAGE_EVERY);
	td_stage_clock_set(&watch, 0);
	td_stage_table_begin(&table);
	td_stage_table_end(&table);
	ck_assert_uint_eq(watch.every, 0);
}
END_TEST

// Runs that met no unit are no runs.
START_TEST(test_nothing)
{
	bool printed;
	char *text;

	run(0, 1000, 0);
	text = print(&printed);
	ck_assert(!printed);
	ck_assert_str_eq(text, "");
	free(text);
	run(10, 200, 200);
	run(0, 1000, 0);
	text = print(&printed);
	ck_assert(printed);
	ck_assert_ptr_nonnull(strstr(text, "rx\",\"value\":10.000"));
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stage_table");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_test(tests, test_rows);
	tcase_add_test(tests, test_whole);
	tcase_add_test(tests, test_refused);
	tcase_add_test(tests, test_counters);
	tcase_add_test(tests, test_nothing);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
