// The link against a dataplane that behaves, misbehaves, hangs and dies.
#include <check.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "link/link.h"
#include "peer.h"
#include "td_log.h"

struct outcome {
	uint32_t calls;
	int result;
	struct td_event event;
	struct td_link *resubmit; // done() tries to submit again
	int resubmit_result;
};

static uv_loop_t loop;
static uv_timer_t guard;
static struct peer peer;
static struct td_link *link_;
static uint32_t ups, downs, player_ends;
static uint32_t downs_when_done; // to see that done() comes before on_state(false)
static uint32_t descriptors_before;

static uint32_t count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint32_t count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void on_state(void *user, bool up)
{
	ck_assert_ptr_eq(user, &ups);
	if (up)
		ups++;
	else
		downs++;
}

static void on_event(void *user, const struct td_event *event)
{
	ck_assert_ptr_eq(user, &player_ends);
	ck_assert_uint_eq(event->request_id, 0);
	if (event->kind == TD_EVENT_PLAYER_END)
		player_ends++;
}

static void on_done(void *user, const struct td_event *event)
{
	struct outcome *outcome = user;

	outcome->calls++;
	outcome->result = event->result;
	outcome->event = *event;
	downs_when_done = downs;
	ck_assert_uint_eq(event->kind, TD_EVENT_DONE);
	if (outcome->resubmit) {
		struct td_command ping = { .kind = TD_COMMAND_PING };

		outcome->resubmit_result = td_link_submit(outcome->resubmit, &ping, NULL, NULL);
	}
}

static void on_guard(uv_timer_t *timer)
{
	(void)timer;
	ck_abort_msg("nothing happened for ten seconds");
}

// Turns the loop until *counter reaches `wanted`.
static void until(const uint32_t *counter, uint32_t wanted)
{
	uv_timer_start(&guard, on_guard, 10000, 0);
	while (*counter < wanted)
		uv_run(&loop, UV_RUN_ONCE);
	uv_timer_stop(&guard);
}

static void on_nap(uv_timer_t *timer)
{
	(*(uint32_t *)timer->data)++;
}

// Turns the loop for a while, for what must not happen.
static void turn_for(uint32_t ms)
{
	static uv_timer_t nap;
	uint32_t over = 0;

	uv_timer_init(&loop, &nap);
	nap.data = &over;
	uv_timer_start(&nap, on_nap, ms, 0);
	until(&over, 1);
	uv_close((uv_handle_t *)&nap, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
}

static void start(const enum peer_behaviour *script, uint32_t len, uint32_t requests_max,
		  uint32_t deadline_ms)
{
	struct td_link_options options = { .requests_max = requests_max,
					   .deadline_ms = deadline_ms,
					   .backoff_min_ms = 5,
					   .backoff_max_ms = 20 };

	td_role_enter_control();
	td_log_set_level(TD_LOG_ERROR);
	// libuv keeps a pipe for signals from its first loop on; that is not ours to count.
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	descriptors_before = count_descriptors();
	ups = downs = player_ends = downs_when_done = 0;
	peer_start(&peer, script, len);
	options.socket_path = peer.path;
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	uv_timer_init(&loop, &guard);
	ck_assert_int_eq(td_link_create(&loop, &options, &link_), 0);
	td_link_on_event(link_, on_event, &player_ends);
	td_link_on_state(link_, on_state, &ups);
	td_link_start(link_);
}

// Ends everything and sees that nothing is left: no handle, no descriptor.
static void stop(void)
{
	td_link_destroy(link_);
	uv_close((uv_handle_t *)&guard, NULL);
	ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	peer_stop(&peer);
	ck_assert_uint_eq(count_descriptors(), descriptors_before);
}

static void submit(uint32_t kind, struct outcome *outcome)
{
	struct td_command command = { .kind = kind };

	ck_assert_int_eq(td_link_submit(link_, &command, on_done, outcome), 0);
	ck_assert_uint_ne(command.request_id, 0);
	ck_assert_uint_gt(command.deadline_ns, uv_hrtime());
	// Never from within submit.
	ck_assert_uint_eq(outcome->calls, 0);
}

static struct td_link_stats stats(void)
{
	struct td_link_stats out;

	td_link_get_stats(link_, &out);
	return out;
}

START_TEST(attaches_resets_and_answers)
{
	static const enum peer_behaviour script[] = { PEER_GOOD };
	struct outcome ping = { 0 }, context = { 0 }, edit = { 0 }, player = { 0 };
	struct td_command early = { .kind = TD_COMMAND_PING };
	uint32_t index = 77;

	start(script, 1, 0, 0);
	ck_assert(!td_link_is_up(link_));
	ck_assert_int_eq(td_link_submit(link_, &early, on_done, &ping), -TD_ELINK_DOWN);
	ck_assert_ptr_null(td_link_region(link_));
	ck_assert_int_eq(td_link_find_prompt(link_, "music", &index), -TD_ELINK_DOWN);
	until(&ups, 1);
	ck_assert_uint_eq(atomic_load(&peer.seen[TD_COMMAND_RESET]), 1);
	ck_assert_uint_eq(atomic_load(&peer.seen[TD_COMMAND_PING]), 0);
	ck_assert_ptr_nonnull(td_link_region(link_));
	ck_assert_int_eq(td_link_find_prompt(link_, "music", &index), 0);
	ck_assert_uint_eq(index, 1);
	ck_assert_int_eq(td_link_find_prompt(link_, "musi", &index), -TD_ENOT_FOUND);
	ck_assert_int_eq(td_link_find_prompt(link_, "", &index), -TD_ENOT_FOUND);
	submit(TD_COMMAND_PING, &ping);
	submit(TD_COMMAND_CONTEXT_CREATE, &context);
	submit(TD_COMMAND_MATRIX_EDIT, &edit);
	submit(TD_COMMAND_PLAYER_CREATE, &player);
	until(&player_ends, 1);
	until(&player.calls, 1);
	until(&edit.calls, 1);
	ck_assert_uint_eq(ping.calls, 1);
	ck_assert_int_eq(ping.result, 0);
	ck_assert_uint_ne(context.event.u.context.v, 0);
	ck_assert_uint_eq(context.event.command, TD_COMMAND_CONTEXT_CREATE);
	ck_assert_int_eq(edit.result, -TD_ENEEDS_MIX);
	ck_assert_uint_eq(stats().answered, 5);
	ck_assert_uint_eq(stats().requests_now, 0);
	ck_assert_uint_eq(stats().events_lost, 0);
	stop();
	ck_assert_uint_eq(downs, 1);
	ck_assert_uint_eq(ping.calls, 1);
}
END_TEST

static const enum peer_behaviour refusals[] = {
	PEER_BUSY,         PEER_HELLO_VERSION,  PEER_HELLO_SHORT,     PEER_HELLO_LONG,
	PEER_HELLO_COOKIE, PEER_NO_DESCRIPTORS, PEER_TWO_DESCRIPTORS, PEER_FIVE_DESCRIPTORS,
	PEER_NOT_A_MEMFD,  PEER_UNSEALED,       PEER_EMPTY_REGION,    PEER_TRUNCATED,
	PEER_WRONG_REGION, PEER_BELL_IS_A_FILE, PEER_CLOSES,
};

// Refused twice, then right: the link is up after all, was never up before, and leaked nothing.
START_TEST(refuses_and_tries_again)
{
	const enum peer_behaviour script[] = { refusals[_i], refusals[_i], PEER_GOOD };

	start(script, 3, 0, 0);
	until(&ups, 1);
	ck_assert_uint_eq(atomic_load(&peer.connections), 3);
	ck_assert_uint_eq(stats().refusals, 2);
	ck_assert_uint_eq(stats().attaches, 1);
	ck_assert_uint_eq(downs, 0);
	ck_assert_uint_eq(atomic_load(&peer.seen[TD_COMMAND_RESET]), 1);
	stop();
}
END_TEST

START_TEST(a_refused_reset_is_not_up)
{
	static const enum peer_behaviour script[] = { PEER_REFUSES_RESET, PEER_GOOD };

	start(script, 2, 0, 0);
	until(&ups, 1);
	ck_assert_uint_eq(atomic_load(&peer.seen[TD_COMMAND_RESET]), 2);
	ck_assert_uint_eq(downs, 0);
	stop();
}
END_TEST

static const enum peer_behaviour deaths[] = { PEER_DIES_ON_PING, PEER_SPOILS_RING,
					      PEER_SPOILS_EVENT };

// The dataplane goes away (or goes mad) with requests under way: each ends once, with the reason,
// before the users hear of it; then the link comes up again, with RESET first.
START_TEST(loss_ends_every_request_once)
{
	const enum peer_behaviour script[] = { deaths[_i], PEER_GOOD };
	struct outcome outcomes[3] = { 0 };

	start(script, 2, 0, 0);
	until(&ups, 1);
	outcomes[0].resubmit = link_;
	for (int i = 0; i < 3; i++)
		submit(TD_COMMAND_PING, &outcomes[i]);
	until(&downs, 1);
	for (int i = 0; i < 3; i++) {
		ck_assert_uint_eq(outcomes[i].calls, 1);
		ck_assert_int_eq(outcomes[i].result, -TD_ELINK_DOWN);
	}
	ck_assert_int_eq(outcomes[0].resubmit_result, -TD_ELINK_DOWN);
	ck_assert_uint_eq(downs_when_done, 0);
	ck_assert_uint_eq(stats().requests_now, 0);
	until(&ups, 2);
	ck_assert_uint_eq(atomic_load(&peer.seen[TD_COMMAND_RESET]), 2);
	ck_assert_uint_eq(stats().losses, 1);
	stop();
}
END_TEST

START_TEST(no_answer_is_an_answer_at_the_deadline)
{
	static const enum peer_behaviour script[] = { PEER_MUTE };
	struct outcome outcomes[2] = { 0 };
	uint64_t begin;

	start(script, 1, 0, 100);
	until(&ups, 1);
	begin = uv_hrtime();
	submit(TD_COMMAND_PING, &outcomes[0]);
	submit(TD_COMMAND_PING, &outcomes[1]);
	until(&outcomes[1].calls, 1);
	ck_assert_int_eq(outcomes[0].result, -TD_ETIMEOUT);
	ck_assert_int_eq(outcomes[1].result, -TD_ETIMEOUT);
	ck_assert_uint_eq(outcomes[0].event.command, TD_COMMAND_PING);
	ck_assert_uint_ge((uv_hrtime() - begin) / 1000000, 100);
	ck_assert_uint_eq(stats().timed_out, 2);
	// A slow dataplane is not a dead one.
	ck_assert(td_link_is_up(link_));
	stop();
	ck_assert_uint_eq(outcomes[0].calls, 1);
}
END_TEST

// Who asked has been told "timeout", so what is made late is destroyed again by the link itself.
START_TEST(what_is_made_too_late_is_undone)
{
	static const enum peer_behaviour script[] = { PEER_LATE };
	static const uint32_t pairs[][2] = {
		{ TD_COMMAND_CONTEXT_CREATE, TD_COMMAND_CONTEXT_DESTROY },
		{ TD_COMMAND_STREAM_CREATE, TD_COMMAND_STREAM_DESTROY },
		{ TD_COMMAND_PLAYER_CREATE, TD_COMMAND_PLAYER_DESTROY },
		{ TD_COMMAND_RECORD_START, TD_COMMAND_RECORD_STOP },
	};
	struct outcome outcome = { 0 };

	start(script, 1, 0, 20);
	until(&ups, 1);
	submit(pairs[_i][0], &outcome);
	until(&outcome.calls, 1);
	ck_assert_int_eq(outcome.result, -TD_ETIMEOUT);
	while (stats().answers_late == 0)
		uv_run(&loop, UV_RUN_ONCE);
	while (atomic_load(&peer.seen[pairs[_i][1]]) == 0)
		uv_run(&loop, UV_RUN_ONCE);
	turn_for(150);
	ck_assert_uint_eq(outcome.calls, 1);
	ck_assert_uint_eq(atomic_load(&peer.seen[pairs[_i][1]]), 1);
	stop();
}
END_TEST

START_TEST(full_is_refused_and_recovers)
{
	static const enum peer_behaviour script[] = { PEER_MUTE };
	struct td_command ping = { .kind = TD_COMMAND_PING };
	struct outcome outcomes[5] = { 0 };

	start(script, 1, 4, 50);
	until(&ups, 1);
	for (int i = 0; i < 4; i++)
		submit(TD_COMMAND_PING, &outcomes[i]);
	ck_assert_int_eq(td_link_submit(link_, &ping, on_done, &outcomes[4]), -TD_EFULL);
	ck_assert_uint_eq(stats().refused_full, 1);
	until(&outcomes[3].calls, 1);
	ck_assert_uint_eq(outcomes[4].calls, 0);
	ck_assert_uint_eq(stats().requests_peak, 4);
	submit(TD_COMMAND_PING, &outcomes[4]);
	until(&outcomes[4].calls, 1);
	stop();
}
END_TEST

// Far more requests than one drain's budget, all answered, one bell a turn.
START_TEST(a_storm_is_answered_whole)
{
	static const enum peer_behaviour script[] = { PEER_GOOD };
	static struct outcome outcomes[4000];
	uint32_t submitted = 0;

	memset(outcomes, 0, sizeof outcomes);
	start(script, 1, 4096, 0);
	until(&ups, 1);
	for (; submitted < 4000; submitted++)
		submit(TD_COMMAND_PING, &outcomes[submitted]);
	for (uint32_t i = 0; i < submitted; i++)
		until(&outcomes[i].calls, 1);
	ck_assert_uint_eq(stats().answered, 4001);
	stop();
	for (uint32_t i = 0; i < submitted; i++)
		ck_assert_uint_eq(outcomes[i].calls, 1);
}
END_TEST

START_TEST(nobody_there_then_somebody)
{
	static const enum peer_behaviour script[] = { PEER_GOOD };
	struct td_link_options options = { .socket_path = "/nonexistent/dataplane.sock",
					   .backoff_min_ms = 1,
					   .backoff_max_ms = 4 };
	struct td_link *nobody;

	start(script, 1, 0, 0);
	ck_assert_int_eq(td_link_create(&loop, &options, &nobody), 0);
	td_link_start(nobody);
	until(&ups, 1);
	ck_assert_int_eq(td_link_state(nobody), TD_LINK_DOWN);
	td_link_destroy(nobody);
	stop();
}
END_TEST

START_TEST(a_path_too_long_is_refused_at_once)
{
	char path[200];
	struct td_link_options options = { .socket_path = path };
	struct td_link *link;

	td_role_enter_control();
	memset(path, 'a', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	ck_assert_int_eq(td_link_create(&loop, &options, &link), -TD_EINVALID);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
}
END_TEST

// Destroying the link from inside its own callback is allowed.
static void destroy_in_done(void *user, const struct td_event *event)
{
	(void)event;
	(*(uint32_t *)user)++;
	td_link_destroy(link_);
}

START_TEST(destroyed_from_within_a_callback)
{
	static const enum peer_behaviour script[] = { PEER_GOOD };
	struct td_command ping = { .kind = TD_COMMAND_PING };
	struct outcome second = { 0 };
	uint32_t done = 0;

	start(script, 1, 0, 0);
	until(&ups, 1);
	ck_assert_int_eq(td_link_submit(link_, &ping, destroy_in_done, &done), 0);
	submit(TD_COMMAND_PING, &second);
	until(&done, 1);
	uv_close((uv_handle_t *)&guard, NULL);
	ck_assert_int_eq(uv_run(&loop, UV_RUN_DEFAULT), 0);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	peer_stop(&peer);
	ck_assert_uint_eq(done, 1);
	ck_assert_uint_eq(second.calls, 1);
	ck_assert_uint_eq(count_descriptors(), descriptors_before);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("link");
	TCase *tcase = tcase_create("link");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, attaches_resets_and_answers);
	tcase_add_loop_test(tcase, refuses_and_tries_again, 0,
			    sizeof refusals / sizeof refusals[0]);
	tcase_add_test(tcase, a_refused_reset_is_not_up);
	tcase_add_loop_test(tcase, loss_ends_every_request_once, 0,
			    sizeof deaths / sizeof deaths[0]);
	tcase_add_test(tcase, no_answer_is_an_answer_at_the_deadline);
	tcase_add_loop_test(tcase, what_is_made_too_late_is_undone, 0, 4);
	tcase_add_test(tcase, full_is_refused_and_recovers);
	tcase_add_test(tcase, a_storm_is_answered_whole);
	tcase_add_test(tcase, nobody_there_then_somebody);
	tcase_add_test(tcase, a_path_too_long_is_refused_at_once);
	tcase_add_test(tcase, destroyed_from_within_a_callback);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
