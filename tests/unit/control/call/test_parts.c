// The small parts: slots, dial plan, trunks, causes.
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "call/cause.h"
#include "call/dialplan.h"
#include "call/slots.h"
#include "call/trunk.h"

START_TEST(slots_fill_and_empty)
{
	struct td_slots slots;
	uint32_t taken[3];
	uint64_t ref;

	ck_assert_int_eq(td_slots_init(&slots, 3), 0);
	for (int i = 0; i < 3; i++) {
		taken[i] = td_slots_take(&slots);
		ck_assert_uint_ne(taken[i], TD_SLOT_NONE);
		ck_assert(td_slots_live(&slots, taken[i]));
		for (int k = 0; k < i; k++)
			ck_assert_uint_ne(taken[k], taken[i]);
	}
	ck_assert_uint_eq(td_slots_take(&slots), TD_SLOT_NONE);
	ck_assert_uint_eq(slots.used, 3);
	ref = td_slots_ref(&slots, taken[1]);
	ck_assert_uint_eq(td_slots_find(&slots, ref), taken[1]);
	td_slots_give(&slots, taken[1]);
	ck_assert_uint_eq(td_slots_find(&slots, ref), TD_SLOT_NONE);
	// The last one given back comes first, under a new name.
	ck_assert_uint_eq(td_slots_take(&slots), taken[1]);
	ck_assert_uint_eq(td_slots_find(&slots, ref), TD_SLOT_NONE);
	ck_assert_uint_ne(td_slots_ref(&slots, taken[1]), ref);
	td_slots_fini(&slots);
}
END_TEST

START_TEST(slots_refuse_foreign_references)
{
	static const uint64_t strange[] = { 0,          1,         3, 1ull << 32, 1ull << 32 | 3,
					    UINT64_MAX, 1ull << 63 };
	struct td_slots slots;
	uint32_t idx;

	ck_assert_int_eq(td_slots_init(&slots, 2), 0);
	for (size_t i = 0; i < sizeof strange / sizeof strange[0]; i++)
		ck_assert_uint_eq(td_slots_find(&slots, strange[i]), TD_SLOT_NONE);
	idx = td_slots_take(&slots);
	ck_assert_uint_ne(td_slots_ref(&slots, idx), 0);
	td_slots_fini(&slots);
}
END_TEST

static struct td_config_queue queues[] = { { .name = "sales" },
					   { .name = "support" },
					   { .name = "night" } };
static struct td_config_number numbers[] = {
	{ "100", "sales" },    { "1*", "support" },  { "10*", "night" },
	{ "+4930*", "night" }, { "200", "nowhere" },
};
static const struct td_config plan = {
	.queues = queues,
	.queues_count = 3,
	.dialplan = numbers,
	.dialplan_count = 5,
};

static const struct {
	const char *number;
	int queue;
} dial_rows[] = {
	{ "100", 0 },                // exact before every prefix
	{ "1000", 2 },               // the longer prefix
	{ "101", 2 },                //
	{ "10", 2 },                 // a prefix matches itself
	{ "11", 1 },                 // the shorter one when the longer does not match
	{ "1", 1 },                  //
	{ "2", -TD_ENOT_FOUND },     //
	{ "", -TD_ENOT_FOUND },      //
	{ "+49305550", 2 },          //
	{ "+4931", -TD_ENOT_FOUND }, //
	{ "0100", -TD_ENOT_FOUND },  // nothing is cut from the front
	{ "200", -TD_ENOT_FOUND },   // a queue that does not exist
	{ "1*", 1 },                 // a star that was dialled is only a character
};

START_TEST(dialplan_rows_hold)
{
	ck_assert_int_eq(td_dialplan_find(&plan, dial_rows[_i].number), dial_rows[_i].queue);
}
END_TEST

START_TEST(dialplan_star_alone_takes_everything)
{
	struct td_config_number all[] = { { "*", "support" }, { "100", "sales" } };
	const struct td_config config = {
		.queues = queues, .queues_count = 3, .dialplan = all, .dialplan_count = 2
	};
	const struct td_config none = { .queues = queues, .queues_count = 3 };

	ck_assert_int_eq(td_dialplan_find(&config, "5"), 1);
	ck_assert_int_eq(td_dialplan_find(&config, ""), 1);
	ck_assert_int_eq(td_dialplan_find(&config, "100"), 0);
	ck_assert_int_eq(td_dialplan_find(&none, "100"), -TD_ENOT_FOUND);
}
END_TEST

static struct td_endpoint address(const char *text, uint16_t port)
{
	struct td_endpoint out;

	ck_assert_int_eq(td_endpoint_parse_addr(text, &out), 0);
	out.port_be = htons(port);
	return out;
}

struct trunk_fixture {
	struct td_endpoint first[2], second[1];
	struct td_config_trunk configs[2];
	struct td_config config;
};

static void make_trunks(struct trunk_fixture *f, uint32_t ping_s)
{
	*f = (struct trunk_fixture){
		.first = { address("10.77.0.10", 0), address("fd77::10", 0) },
		.second = { address("10.77.0.11", 0) },
	};
	f->configs[0] =
		(struct td_config_trunk){ .name = "one", .parsed = f->first, .addresses_count = 2 };
	f->configs[1] = (struct td_config_trunk){ .name = "two",
						  .parsed = f->second,
						  .addresses_count = 1 };
	f->config.trunks = f->configs;
	f->config.trunks_count = 2;
	f->config.sip.options_ping_s = ping_s;
}

START_TEST(trunk_is_known_by_address_alone)
{
	struct trunk_fixture f;
	struct td_trunks trunks;
	struct td_endpoint from;

	make_trunks(&f, 30);
	ck_assert_int_eq(td_trunks_init(&trunks, &f.config, 1000), 0);
	from = address("10.77.0.10", 40000);
	ck_assert_ptr_eq(td_trunks_match(&trunks, &from), &trunks.items[0]);
	from = address("fd77::10", 5060);
	ck_assert_ptr_eq(td_trunks_match(&trunks, &from), &trunks.items[0]);
	from = address("10.77.0.11", 5060);
	ck_assert_ptr_eq(td_trunks_match(&trunks, &from), &trunks.items[1]);
	from = address("10.77.0.12", 5060);
	ck_assert_ptr_null(td_trunks_match(&trunks, &from));
	from = address("fd77::11", 5060);
	ck_assert_ptr_null(td_trunks_match(&trunks, &from));
	td_trunks_fini(&trunks);
}
END_TEST

START_TEST(trunk_pings_are_due_in_turn)
{
	struct trunk_fixture f;
	struct td_trunks trunks;
	struct td_trunk *one, *two;

	make_trunks(&f, 30);
	ck_assert_int_eq(td_trunks_init(&trunks, &f.config, 1000), 0);
	ck_assert_uint_eq(td_trunks_next_ms(&trunks), 1000);
	one = td_trunks_due(&trunks, 1000);
	two = td_trunks_due(&trunks, 1000);
	ck_assert_ptr_eq(one, &trunks.items[0]);
	ck_assert_ptr_eq(two, &trunks.items[1]);
	ck_assert_ptr_null(td_trunks_due(&trunks, 1000));
	ck_assert_uint_eq(td_trunks_next_ms(&trunks), 31000);
	ck_assert_int_eq(one->state, TD_TRUNK_UNKNOWN);
	ck_assert(td_trunk_answered(one, 200, 1012));
	ck_assert_int_eq(one->state, TD_TRUNK_UP);
	ck_assert_uint_eq(one->rtt_ms, 12);
	// The second is still out when its next turn comes: one at a time.
	ck_assert_ptr_eq(td_trunks_due(&trunks, 31000), one);
	ck_assert_ptr_null(td_trunks_due(&trunks, 31000));
	ck_assert(td_trunk_answered(two, 408, 33000));
	ck_assert_int_eq(two->state, TD_TRUNK_DOWN);
	ck_assert(!td_trunk_answered(one, 405, 31001));
	ck_assert_int_eq(one->state, TD_TRUNK_UP);
	ck_assert_ptr_eq(td_trunks_due(&trunks, 61000), one);
	ck_assert(td_trunk_answered(one, 503, 61001));
	ck_assert_int_eq(one->state, TD_TRUNK_DOWN);
	td_trunks_fini(&trunks);
}
END_TEST

START_TEST(trunk_pings_can_be_off)
{
	struct trunk_fixture f;
	struct td_trunks trunks;

	make_trunks(&f, 0);
	ck_assert_int_eq(td_trunks_init(&trunks, &f.config, 0), 0);
	ck_assert_uint_eq(td_trunks_next_ms(&trunks), UINT64_MAX);
	ck_assert_ptr_null(td_trunks_due(&trunks, 1ull << 60));
	td_trunks_fini(&trunks);
}
END_TEST

START_TEST(causes_have_names_and_statuses)
{
	for (int i = 0; i < TD_CAUSE_COUNT; i++) {
		uint16_t status = td_cause_status((enum td_cause)i);

		ck_assert_uint_gt(strlen(td_cause_name((enum td_cause)i)), 0);
		ck_assert_uint_ge(status, 400);
		ck_assert_uint_lt(status, 700);
		ck_assert_uint_le(td_cause_q850((enum td_cause)i), 127);
		for (int k = 0; k < i; k++)
			ck_assert_str_ne(td_cause_name((enum td_cause)i),
					 td_cause_name((enum td_cause)k));
	}
	ck_assert_str_eq(td_cause_name(TD_CAUSE_COUNT), "none");
	ck_assert_uint_eq(td_cause_status(TD_CAUSE_NO_CODEC), 488);
	ck_assert_uint_eq(td_cause_status(TD_CAUSE_SHUTDOWN), 503);
}
END_TEST

START_TEST(refusals_read_as_people_mean_them)
{
	ck_assert_int_eq(td_cause_of_refusal(486), TD_CAUSE_BUSY);
	ck_assert_int_eq(td_cause_of_refusal(600), TD_CAUSE_BUSY);
	ck_assert_int_eq(td_cause_of_refusal(603), TD_CAUSE_REFUSED);
	ck_assert_int_eq(td_cause_of_refusal(480), TD_CAUSE_NO_ANSWER);
	ck_assert_int_eq(td_cause_of_refusal(408), TD_CAUSE_UNREACHABLE);
	ck_assert_int_eq(td_cause_of_refusal(488), TD_CAUSE_NO_CODEC);
	ck_assert_int_eq(td_cause_of_refusal(302), TD_CAUSE_REFUSED);
	ck_assert_int_eq(td_cause_acd_reason(TD_CAUSE_BUSY), TD_ACD_REASON_BUSY);
	ck_assert_int_eq(td_cause_acd_reason(TD_CAUSE_NO_ANSWER), TD_ACD_REASON_NO_ANSWER);
	ck_assert_int_eq(td_cause_acd_reason(TD_CAUSE_UNREACHABLE), TD_ACD_REASON_UNREACHABLE);
	ck_assert_int_eq(td_cause_acd_reason(TD_CAUSE_REFUSED), TD_ACD_REASON_REFUSED);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("parts");
	Suite *suite = suite_create("call parts");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, slots_fill_and_empty);
	tcase_add_test(tc, slots_refuse_foreign_references);
	tcase_add_loop_test(tc, dialplan_rows_hold, 0, sizeof dial_rows / sizeof dial_rows[0]);
	tcase_add_test(tc, dialplan_star_alone_takes_everything);
	tcase_add_test(tc, trunk_is_known_by_address_alone);
	tcase_add_test(tc, trunk_pings_are_due_in_turn);
	tcase_add_test(tc, trunk_pings_can_be_off);
	tcase_add_test(tc, causes_have_names_and_statuses);
	tcase_add_test(tc, refusals_read_as_people_mean_them);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
