// The request table, the link's state table and the event rings: the pure part of the room.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "link/events.h"
#include "link/requests.h"
#include "link/state.h"

#define REQUESTS 5u

static struct td_requests requests;

static uint64_t add(uint64_t deadline_ns)
{
	uint64_t id = 0;

	ck_assert_int_eq(td_requests_add(&requests, TD_COMMAND_PING, deadline_ns, NULL, NULL, &id),
			 0);
	ck_assert_uint_ne(id, 0);
	return id;
}

static void setup(void)
{
	ck_assert_int_eq(td_requests_init(&requests, REQUESTS, 0xfffffffe), 0);
}

static void teardown(void)
{
	td_requests_fini(&requests);
}

START_TEST(full_at_max_and_not_before)
{
	struct td_request out;
	uint64_t ids[REQUESTS], id;

	for (uint32_t i = 0; i < REQUESTS; i++)
		ids[i] = add(i);
	ck_assert_int_eq(td_requests_add(&requests, 1, 9, NULL, NULL, &id), -TD_EFULL);
	ck_assert_int_eq(td_requests_take(&requests, ids[2], &out), 0);
	add(9);
	ck_assert_int_eq(td_requests_add(&requests, 1, 9, NULL, NULL, &id), -TD_EFULL);
	ck_assert_uint_eq(requests.peak, REQUESTS);
}
END_TEST

// Generations wrap past 2^32 in this fixture; an id is never valid twice and never 0.
START_TEST(ids_are_good_once)
{
	struct td_request out;
	uint64_t last = 0;

	for (int i = 0; i < 100; i++) {
		uint64_t id = add(1);

		ck_assert_uint_ne(id, last);
		ck_assert_int_eq(td_requests_take(&requests, id, &out), 0);
		ck_assert_uint_eq(out.id, id);
		ck_assert_int_eq(td_requests_take(&requests, id, &out), -TD_ESTALE);
		if (last)
			ck_assert_int_eq(td_requests_take(&requests, last, &out), -TD_ESTALE);
		last = id;
	}
	ck_assert_uint_eq(requests.used, 0);
}
END_TEST

START_TEST(foreign_ids_find_nothing)
{
	static const uint64_t foreign[] = { 0,          1,          REQUESTS,  REQUESTS + 1,
					    UINT32_MAX, 1ull << 32, UINT64_MAX };
	struct td_request out;

	add(1);
	for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
		ck_assert_int_eq(td_requests_take(&requests, foreign[i], &out), -TD_ESTALE);
	ck_assert_uint_eq(requests.used, 1);
}
END_TEST

START_TEST(expire_in_order_and_on_time)
{
	struct td_request out;
	uint64_t first = add(100), second = add(100), third = add(200);

	ck_assert_int_eq(td_requests_take_expired(&requests, 99, &out), -TD_EEMPTY);
	ck_assert_int_eq(td_requests_take_expired(&requests, 100, &out), 0);
	ck_assert_uint_eq(out.id, first);
	ck_assert_int_eq(td_requests_take_expired(&requests, 100, &out), 0);
	ck_assert_uint_eq(out.id, second);
	ck_assert_int_eq(td_requests_take_expired(&requests, 199, &out), -TD_EEMPTY);
	ck_assert_int_eq(td_requests_take_expired(&requests, UINT64_MAX, &out), 0);
	ck_assert_uint_eq(out.id, third);
	ck_assert_int_eq(td_requests_take_oldest(&requests, &out), -TD_EEMPTY);
}
END_TEST

// Any order of adding and taking against a plain array that knows what is there.
START_TEST(against_a_model)
{
	uint64_t model[REQUESTS] = { 0 }, random = 88172645463325252ull, clock = 0;
	uint32_t count = 0;

	for (int step = 0; step < 20000; step++) {
		struct td_request out;
		uint64_t id;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		if (random % 2) {
			int error = td_requests_add(&requests, 1, ++clock, NULL, NULL, &id);

			ck_assert_int_eq(error, count == REQUESTS ? -TD_EFULL : 0);
			if (!error)
				model[count++] = id;
		} else if (count && random % 3) {
			uint32_t pick = (uint32_t)(random >> 32) % count;

			ck_assert_int_eq(td_requests_take(&requests, model[pick], &out), 0);
			memmove(&model[pick], &model[pick + 1],
				(count - pick - 1) * sizeof model[0]);
			count--;
		} else {
			int error = td_requests_take_oldest(&requests, &out);

			ck_assert_int_eq(error, count ? 0 : -TD_EEMPTY);
			if (!error) {
				ck_assert_uint_eq(out.id, model[0]);
				memmove(model, model + 1, --count * sizeof model[0]);
			}
		}
		ck_assert_uint_eq(requests.used, count);
	}
}
END_TEST

START_TEST(state_table_is_whole)
{
	char why[256] = "";

	ck_assert_msg(td_fsm_check(&td_link_fsm, why, sizeof why), "%s", why);
	ck_assert_str_eq(td_link_state_name(TD_LINK_RESETTING), "resetting");
}
END_TEST

static const struct {
	enum td_link_state from;
	enum td_link_input input;
	enum td_fsm_kind kind;
	enum td_link_state to;
	enum td_link_action action;
} cells[] = {
	{ TD_LINK_DOWN, TD_LINK_INPUT_TIMER, TD_FSM_STAY, TD_LINK_DOWN, TD_LINK_ACTION_CONNECT },
	{ TD_LINK_DOWN, TD_LINK_INPUT_CONNECTED, TD_FSM_MOVE, TD_LINK_ATTACHING, 0 },
	{ TD_LINK_DOWN, TD_LINK_INPUT_ATTACHED, TD_FSM_REJECT, TD_LINK_DOWN, 0 },
	{ TD_LINK_DOWN, TD_LINK_INPUT_RESET_DONE, TD_FSM_REJECT, TD_LINK_DOWN, 0 },
	{ TD_LINK_DOWN, TD_LINK_INPUT_LOST, TD_FSM_MOVE, TD_LINK_DOWN, 0 },
	{ TD_LINK_ATTACHING, TD_LINK_INPUT_TIMER, TD_FSM_MOVE, TD_LINK_DOWN,
	  TD_LINK_ACTION_ABANDON },
	{ TD_LINK_ATTACHING, TD_LINK_INPUT_CONNECTED, TD_FSM_REJECT, TD_LINK_ATTACHING, 0 },
	{ TD_LINK_ATTACHING, TD_LINK_INPUT_ATTACHED, TD_FSM_MOVE, TD_LINK_RESETTING,
	  TD_LINK_ACTION_RESET },
	{ TD_LINK_ATTACHING, TD_LINK_INPUT_RESET_DONE, TD_FSM_REJECT, TD_LINK_ATTACHING, 0 },
	{ TD_LINK_ATTACHING, TD_LINK_INPUT_LOST, TD_FSM_MOVE, TD_LINK_DOWN,
	  TD_LINK_ACTION_ABANDON },
	{ TD_LINK_RESETTING, TD_LINK_INPUT_TIMER, TD_FSM_MOVE, TD_LINK_DOWN,
	  TD_LINK_ACTION_ABANDON },
	{ TD_LINK_RESETTING, TD_LINK_INPUT_CONNECTED, TD_FSM_REJECT, TD_LINK_RESETTING, 0 },
	{ TD_LINK_RESETTING, TD_LINK_INPUT_ATTACHED, TD_FSM_REJECT, TD_LINK_RESETTING, 0 },
	{ TD_LINK_RESETTING, TD_LINK_INPUT_RESET_DONE, TD_FSM_MOVE, TD_LINK_UP,
	  TD_LINK_ACTION_ANNOUNCE },
	{ TD_LINK_RESETTING, TD_LINK_INPUT_LOST, TD_FSM_MOVE, TD_LINK_DOWN,
	  TD_LINK_ACTION_ABANDON },
	{ TD_LINK_UP, TD_LINK_INPUT_TIMER, TD_FSM_IGNORE, TD_LINK_UP, 0 },
	{ TD_LINK_UP, TD_LINK_INPUT_CONNECTED, TD_FSM_REJECT, TD_LINK_UP, 0 },
	{ TD_LINK_UP, TD_LINK_INPUT_ATTACHED, TD_FSM_REJECT, TD_LINK_UP, 0 },
	{ TD_LINK_UP, TD_LINK_INPUT_RESET_DONE, TD_FSM_REJECT, TD_LINK_UP, 0 },
	{ TD_LINK_UP, TD_LINK_INPUT_LOST, TD_FSM_MOVE, TD_LINK_DOWN, TD_LINK_ACTION_LOSE },
};

_Static_assert(sizeof cells / sizeof cells[0] == TD_LINK_STATE_COUNT * TD_LINK_INPUT_COUNT,
	       "every cell has a row");

START_TEST(state_table_cell)
{
	uint8_t state = (uint8_t)cells[_i].from;
	const struct td_fsm_cell *cell = td_fsm_step(&td_link_fsm, &state, cells[_i].input);

	ck_assert_int_eq(cell->kind, cells[_i].kind);
	ck_assert_int_eq(state, cells[_i].to);
	ck_assert_int_eq(cell->action, cells[_i].action);
}
END_TEST

static uint8_t *memory;
static struct td_region region;
static struct td_ring_view producers[3];
static struct td_events events;

static void setup_events(void)
{
	const struct td_region_sizes sizes = { .worker_count = 2 };
	size_t bytes = td_region_bytes(&sizes);

	memory = aligned_alloc(4096, (bytes + 4095) & ~(size_t)4095);
	ck_assert_ptr_nonnull(memory);
	memset(memory, 0, bytes);
	td_region_format(memory, &sizes, 1, 1, &region);
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_int_eq(td_region_attach_events(&region, i, 1, &producers[i]), 0);
	ck_assert_int_eq(td_events_attach(&events, &region), 0);
}

static void teardown_events(void)
{
	free(memory);
}

static void push(uint32_t thread, uint64_t sequence)
{
	struct td_event event = { .kind = TD_EVENT_PLAYER_END,
				  .thread = thread,
				  .sequence = sequence };

	ck_assert_int_eq(td_ring_push(&producers[thread], &event), 0);
}

// A ring that is always full does not starve the others.
START_TEST(rings_take_turns)
{
	static const uint32_t expected[] = { 0, 1, 2, 0, 2, 0, 0 };
	struct td_event event;

	for (uint64_t i = 0; i < 4; i++)
		push(0, i);
	push(1, 0);
	push(2, 0);
	push(2, 1);
	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
		ck_assert_int_eq(td_events_pop(&events, &event), 0);
		ck_assert_uint_eq(event.thread, expected[i]);
	}
	ck_assert_int_eq(td_events_pop(&events, &event), -TD_EEMPTY);
	ck_assert_uint_eq(events.lost, 0);
}
END_TEST

START_TEST(gaps_are_counted_for_each_thread)
{
	struct td_event event;

	push(0, 1000); // where an earlier control process left off: no gap
	push(0, 1001);
	push(0, 1005); // 1002..1004 are missing
	push(1, 7);
	push(1, 9); // 8 is missing
	while (td_events_pop(&events, &event) == 0)
		;
	ck_assert_uint_eq(events.lost, 4);
}
END_TEST

static const struct {
	const char *what;
	uint32_t kind, thread;
	int32_t result;
} impossible[] = {
	{ "no kind", TD_EVENT_NONE, 0, 0 },
	{ "unknown kind", TD_EVENT_KIND_COUNT, 0, 0 },
	{ "wild kind", UINT32_MAX, 0, 0 },
	{ "another thread's", TD_EVENT_DONE, 1, 0 },
	{ "positive result", TD_EVENT_DONE, 0, 1 },
	{ "unknown error", TD_EVENT_DONE, 0, -TD_ERROR_COUNT },
	{ "smallest int", TD_EVENT_DONE, 0, INT32_MIN },
};

START_TEST(impossible_events_are_corruption)
{
	struct td_event event = { .kind = impossible[_i].kind,
				  .thread = impossible[_i].thread,
				  .result = impossible[_i].result };

	ck_assert_int_eq(td_ring_push(&producers[0], &event), 0);
	ck_assert_msg(td_events_pop(&events, &event) == -TD_ECORRUPT, "%s", impossible[_i].what);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("link parts");
	TCase *table = tcase_create("requests");
	TCase *state = tcase_create("state");
	TCase *rings = tcase_create("events");

	tcase_add_checked_fixture(table, setup, teardown);
	tcase_add_test(table, full_at_max_and_not_before);
	tcase_add_test(table, ids_are_good_once);
	tcase_add_test(table, foreign_ids_find_nothing);
	tcase_add_test(table, expire_in_order_and_on_time);
	tcase_add_test(table, against_a_model);
	tcase_add_test(state, state_table_is_whole);
	tcase_add_loop_test(state, state_table_cell, 0, sizeof cells / sizeof cells[0]);
	tcase_add_checked_fixture(rings, setup_events, teardown_events);
	tcase_add_test(rings, rings_take_turns);
	tcase_add_test(rings, gaps_are_counted_for_each_thread);
	tcase_add_loop_test(rings, impossible_events_are_corruption, 0,
			    sizeof impossible / sizeof impossible[0]);
	suite_add_tcase(suite, table);
	suite_add_tcase(suite, state);
	suite_add_tcase(suite, rings);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(make_suite());
	int failed;

	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
