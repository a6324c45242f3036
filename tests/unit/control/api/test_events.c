// The ring of numbered events, and the rates of workers.
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "api/events.h"
#include "api/rates.h"

static struct td_events events;

static void setup(void)
{
	td_events_init(&events);
}

static void teardown(void)
{
	td_events_fini(&events);
}

static void publish(unsigned count)
{
	while (count-- > 0)
		td_events_publish(&events, json_pack("{s:s}", "kind", "call.new"));
}

// What a reader at *next reads: the line's number, 0 for nothing, -number of a gap's end.
static long read_one(uint64_t *next)
{
	uint64_t before = *next;
	char gap[128];
	size_t bytes;
	const char *line = td_events_read(&events, next, gap, &bytes);
	json_t *message, *params;
	long seq;

	if (!line) {
		ck_assert_uint_eq(*next, before);
		return 0;
	}
	ck_assert_int_eq(line[bytes - 1], '\n');
	ck_assert_uint_eq(strlen(line), bytes);
	message = json_loads(line, 0, NULL);
	params = json_object_get(message, "params");
	ck_assert_str_eq(json_string_value(json_object_get(message, "method")), "event");
	seq = (long)json_integer_value(json_object_get(params, "seq"));
	if (strcmp(json_string_value(json_object_get(params, "kind")), "gap") == 0) {
		ck_assert_uint_eq((uint64_t)json_integer_value(json_object_get(params, "from")),
				  before);
		seq = -seq;
	}
	ck_assert_uint_eq(*next, (uint64_t)(seq < 0 ? -seq : seq) + 1);
	json_decref(message);
	return seq;
}

START_TEST(test_numbers_without_holes)
{
	uint64_t next = 1;

	ck_assert_int_eq(read_one(&next), 0);
	publish(3);
	for (long i = 1; i <= 3; i++)
		ck_assert_int_eq(read_one(&next), i);
	ck_assert_int_eq(read_one(&next), 0);
	publish(1);
	ck_assert_int_eq(read_one(&next), 4);
}
END_TEST

// A reader exactly as far behind as the ring is long misses nothing; one further gets a gap.
START_TEST(test_slow_reader_gets_a_gap)
{
	uint64_t next = 1;

	publish(TD_EVENTS_KEPT);
	ck_assert_int_eq(read_one(&next), 1);
	next = 1;
	publish(1);
	ck_assert_int_eq(read_one(&next), -1);
	ck_assert_int_eq(read_one(&next), 2);
	next = 1;
	publish(9 * TD_EVENTS_KEPT);
	ck_assert_int_eq(read_one(&next), -(9 * TD_EVENTS_KEPT + 1));
	for (long i = 9 * TD_EVENTS_KEPT + 2; i <= 10 * TD_EVENTS_KEPT + 1; i++)
		ck_assert_int_eq(read_one(&next), i);
	ck_assert_int_eq(read_one(&next), 0);
}
END_TEST

// Events nobody wanted were numbered and not kept: whoever resumes before them is told.
START_TEST(test_unwanted_events_are_a_gap)
{
	uint64_t next = 1;

	publish(2);
	for (int i = 0; i < 5; i++)
		td_events_publish(&events, NULL);
	publish(1);
	ck_assert_int_eq(read_one(&next), 1);
	ck_assert_int_eq(read_one(&next), 2);
	ck_assert_int_eq(read_one(&next), -7);
	ck_assert_int_eq(read_one(&next), 8);
	td_events_publish(&events, NULL);
	ck_assert_int_eq(read_one(&next), -9);
	ck_assert_int_eq(read_one(&next), 0);
}
END_TEST

START_TEST(test_wanted_while_somebody_may_come_back)
{
	ck_assert(!td_events_wanted(&events, 0));
	td_events_join(&events);
	td_events_join(&events);
	ck_assert(td_events_wanted(&events, 0));
	td_events_part(&events, 100);
	ck_assert(td_events_wanted(&events, 100));
	td_events_part(&events, 200);
	ck_assert(td_events_wanted(&events, 200 + TD_EVENTS_LINGER_MS - 1));
	ck_assert(!td_events_wanted(&events, 200 + TD_EVENTS_LINGER_MS));
}
END_TEST

START_TEST(test_rates)
{
	struct td_worker_stats stats = { .rx_packets = 1000, .busy_ns = 5, .idle_ns = 5 };
	struct td_rates rates = { 0 };
	const struct td_rate *rate = &rates.workers[3];

	td_rates_look(&rates, 3, &stats, 10000);
	ck_assert_uint_eq(rate->rx_pps, 0);
	stats.rx_packets += 50;
	stats.tx_packets += 500;
	stats.busy_ns += 250;
	stats.idle_ns += 750;
	td_rates_look(&rates, 3, &stats, 10500);
	ck_assert_uint_eq(rate->rx_pps, 100);
	ck_assert_uint_eq(rate->tx_pps, 1000);
	ck_assert_uint_eq(rate->load_permille, 250);
	// Another dataplane starts from zero; and two looks in one millisecond change nothing.
	memset(&stats, 0, sizeof stats);
	td_rates_look(&rates, 3, &stats, 11500);
	ck_assert_uint_eq(rate->rx_pps, 0);
	ck_assert_uint_eq(rate->load_permille, 0);
	td_rates_look(&rates, 3, &stats, 11500);
	ck_assert_uint_eq(rates.workers[2].time_ms, 0);
}
END_TEST

START_TEST(test_stage_costs)
{
	struct td_worker_stats stats = { .ticks_per_s = 2000000000 };
	struct td_rates rates = { 0 };
	const struct td_rate *rate = &rates.workers[0];
	struct td_stage_cost cost;

	// What was before the first look is not of late.
	stats.stages[TD_STAGE_PARSE] = (struct td_stage_stats){ 1000000, 1 };
	td_rates_look(&rates, 0, &stats, 1000);
	ck_assert_double_lt(td_rates_stage(rate, TD_STAGE_PARSE, stats.ticks_per_s).ns, 0);
	ck_assert_double_eq(td_rates_stage(rate, TD_STAGE_PARSE, stats.ticks_per_s).busy_percent,
			    0);
	stats.stages[TD_STAGE_PARSE].ticks += 6000;
	stats.stages[TD_STAGE_PARSE].units += 100;
	stats.stages[TD_STAGE_TX].ticks += 2000;
	stats.stages[TD_STAGE_TX].units += 50;
	td_rates_look(&rates, 0, &stats, 2000);
	td_rates_look(&rates, 0, &stats, 2000); // no time has passed: nothing fades
	cost = td_rates_stage(rate, TD_STAGE_PARSE, stats.ticks_per_s);
	ck_assert_double_eq_tol(cost.ns, 30, 0.001);
	ck_assert_double_eq_tol(cost.busy_percent, 75, 0.001);
	ck_assert_double_eq_tol(cost.units, 100, 0.001);
	cost = td_rates_stage(rate, TD_STAGE_TX, stats.ticks_per_s);
	ck_assert_double_eq_tol(cost.ns, 20, 0.001);
	ck_assert_double_eq_tol(cost.busy_percent, 25, 0.001);
	// Packets get dearer: after ten seconds most of what is known is of the new kind.
	for (unsigned i = 0; i < 10; i++) {
		stats.stages[TD_STAGE_PARSE].ticks += 12000;
		stats.stages[TD_STAGE_PARSE].units += 100;
		td_rates_look(&rates, 0, &stats, 3000 + 1000 * i);
	}
	cost = td_rates_stage(rate, TD_STAGE_PARSE, stats.ticks_per_s);
	ck_assert_double_gt(cost.ns, 55);
	ck_assert_double_lt(cost.ns, 60);
	ck_assert_double_lt(td_rates_stage(rate, TD_STAGE_SEAL, stats.ticks_per_s).ns, 0);
	ck_assert_double_lt(td_rates_stage(rate, TD_STAGE_PARSE, 0).ns, 0);
	// And what has not happened for long is gone.
	for (unsigned i = 0; i < 120; i++)
		td_rates_look(&rates, 0, &stats, 20000 + 1000 * i);
	ck_assert_double_lt(td_rates_stage(rate, TD_STAGE_PARSE, stats.ticks_per_s).ns, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("events");
	TCase *tcase = tcase_create("events");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, test_numbers_without_holes);
	tcase_add_test(tcase, test_slow_reader_gets_a_gap);
	tcase_add_test(tcase, test_unwanted_events_are_a_gap);
	tcase_add_test(tcase, test_wanted_while_somebody_may_come_back);
	tcase_add_test(tcase, test_rates);
	tcase_add_test(tcase, test_stage_costs);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
