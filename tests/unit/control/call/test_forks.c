// Forks of calls: who is heard, who hears, and how they end, whoever ends them.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "call/conferences.h"
#include "call/forks.h"
#include "call/recording_verbs.h"
#include "story.h"

static struct world w;
static struct td_config_fork destinations[] = {
	{ .name = "bot", .socket = "/run/bot", .rate_hz = 16000 },
	{ .name = "analytics", .rtp = "10.0.0.1:4000", .rate_hz = 8000 }
};

// What was answered last.
static int answered, answers;
static struct td_fork_info started;

static void with_forks(struct td_config *config)
{
	config->forks = destinations;
	config->forks_count = 2;
	config->dataplane.forks = 3;
}

static void setup(void)
{
	world_open_with(&w, with_forks);
	world_register(&w);
	story_talk(&w);
	answers = 0;
	answered = 1;
	memset(&started, 0, sizeof started);
}

static void teardown(void)
{
	struct td_fork_info info;

	if (w.caller.state == PHONE_UP)
		phone_hangup(&w.caller);
	world_assert_empty(&w);
	ck_assert(!td_calls_fork_at(w.calls, 0, &info));
	ck_assert_uint_eq(dp_live(w.dp.forks), 0);
	ck_assert_uint_eq(w.notices[TD_NOTICE_FORK_STARTED], w.notices[TD_NOTICE_FORK_ENDED]);
	world_close(&w);
}

static void on_started(void *user, int error, const struct td_fork_info *info)
{
	ck_assert_ptr_eq(user, &w);
	answered = error;
	answers++;
	started = *info;
}

static struct td_fork_wish wish_of(const char *name)
{
	static struct td_call_info call;

	call = world_call(&w);
	return (struct td_fork_wish){ .call = call.id, .name = name };
}

static int start(struct td_fork_wish wish)
{
	int error = td_calls_fork_start(w.calls, &wish, on_started, &w);

	world_settle(&w);
	if (error != 0)
		return error;
	ck_assert_int_eq(answers, 1);
	answers = 0;
	return answered;
}

static int32_t heard_by(uint32_t stream)
{
	return dp_gain(&w.dp, (struct td_member){ TD_MEMBER_PLAYER, started.player.v }, stream);
}

START_TEST(hears_both_and_is_heard_by_both)
{
	struct td_call_info call = world_call(&w);
	const struct dp_object *fork;

	ck_assert_int_eq(start(wish_of("bot")), 0);
	fork = dp_find(w.dp.forks, started.id);
	ck_assert_uint_eq(fork->tracks[0], call.caller_leg.stream.v);
	ck_assert_uint_eq(fork->tracks[1], call.agent_leg.stream.v);
	ck_assert_str_eq(started.tracks[0], "caller");
	ck_assert_str_eq(started.tracks[1], "agent");
	ck_assert_int_eq(heard_by(call.caller_leg.stream.v), TD_GAIN_UNITY);
	ck_assert_int_eq(heard_by(call.agent_leg.stream.v), TD_GAIN_UNITY);
	ck_assert_uint_eq(w.notices[TD_NOTICE_FORK_STARTED], 1);
	ck_assert_int_eq(td_calls_fork_stop(w.calls, started.id), 0);
	world_settle(&w);
	ck_assert_uint_eq(w.notices[TD_NOTICE_FORK_ENDED], 1);
	ck_assert_int_eq(td_calls_fork_stop(w.calls, started.id), -TD_ENOT_FOUND);
	story_assert_bridged(&w);
}
END_TEST

START_TEST(one_party_and_one_listener)
{
	struct td_call_info call = world_call(&w);
	struct td_fork_wish wish = wish_of("bot");
	const struct dp_object *fork;

	wish.party = "agent";
	wish.heard_by = "caller";
	ck_assert_int_eq(start(wish), 0);
	fork = dp_find(w.dp.forks, started.id);
	ck_assert_uint_eq(fork->tracks[0], call.agent_leg.stream.v);
	ck_assert_uint_eq(fork->tracks[1], 0);
	ck_assert_int_eq(heard_by(call.caller_leg.stream.v), TD_GAIN_UNITY);
	ck_assert_int_eq(heard_by(call.agent_leg.stream.v), 0);
	wish.heard_by = "none";
	ck_assert_int_eq(start(wish), 0);
	ck_assert_int_eq(heard_by(call.caller_leg.stream.v), 0);
}
END_TEST

START_TEST(refusals)
{
	struct td_fork_wish wish = wish_of("elsewhere");

	ck_assert_int_eq(start(wish), -TD_ENOT_FOUND);
	wish = wish_of("bot");
	wish.call = "c999";
	ck_assert_int_eq(start(wish), -TD_ENOT_FOUND);
	w.dp.fail[TD_COMMAND_FORK_START] = -TD_EIO; // nobody listens there
	ck_assert_int_eq(start(wish_of("bot")), -TD_EIO);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(start(wish_of("analytics")), 0);
	ck_assert_int_eq(start(wish_of("analytics")), -TD_EFULL);
	ck_assert_int_eq(td_calls_fork_stop(w.calls, started.id), 0);
	world_settle(&w);
	ck_assert_int_eq(start(wish_of(NULL)), 0); // a capture takes its place
	ck_assert(started.capture);
}
END_TEST

// It was begun, but nobody can hear it: it is taken back, and the asker told.
START_TEST(gains_are_refused)
{
	w.dp.fail[TD_COMMAND_MATRIX_EDIT] = -TD_EFULL;
	ck_assert_int_eq(start(wish_of("bot")), -TD_EFULL);
	ck_assert_uint_eq(dp_live(w.dp.forks), 0);
	story_assert_bridged(&w);
}
END_TEST

START_TEST(far_end_goes)
{
	struct td_fork_info info;

	ck_assert_int_eq(start(wish_of("bot")), 0);
	dp_fork_event(&w.dp, TD_EVENT_FORK_STATE, started.id, 0);
	world_settle(&w);
	ck_assert_int_eq(td_calls_fork_get(w.calls, started.id, &info), 0);
	ck_assert_uint_eq(info.seen.sent, 7);
	dp_fork_event(&w.dp, TD_EVENT_FORK_ENDED, started.id, -TD_EEMPTY);
	world_settle(&w);
	ck_assert_uint_eq(w.dp.seen[TD_COMMAND_FORK_STOP], 1);
	ck_assert_uint_eq(w.notices[TD_NOTICE_FORK_ENDED], 1);
	story_assert_bridged(&w);
}
END_TEST

// Before the answer to its start has come.
START_TEST(far_end_goes_at_once)
{
	const struct td_fork_wish wish = wish_of("bot");

	w.dp_manual = true;
	ck_assert_int_eq(td_calls_fork_start(w.calls, &wish, on_started, &w), 0);
	while (dp_poll(&w.dp))
		continue;
	ck_assert(dp_answer(&w.dp));
	// Its event overtakes the answer: they come on two rings.
	dp_fork_event(&w.dp, TD_EVENT_FORK_ENDED, td_handle_make(0, 1), -TD_EMALFORMED);
	w.dp_manual = false;
	world_settle(&w);
	ck_assert_int_eq(answers, 1);
	ck_assert_uint_eq(w.notices[TD_NOTICE_FORK_ENDED], 1);
}
END_TEST

START_TEST(call_ends)
{
	ck_assert_int_eq(start(wish_of("bot")), 0);
	ck_assert_int_eq(start(wish_of(NULL)), 0);
	phone_hangup(&w.caller);
	world_settle(&w);
	ck_assert_uint_eq(w.notices[TD_NOTICE_FORK_ENDED], 2);
}
END_TEST

START_TEST(call_ends_while_it_starts)
{
	const struct td_fork_wish wish = wish_of("bot");

	ck_assert_int_eq(td_calls_fork_start(w.calls, &wish, on_started, &w), 0);
	phone_hangup(&w.caller);
	world_settle(&w);
	ck_assert_int_eq(answers, 1);
}
END_TEST

static void join(void)
{
	char why[TD_FEATURE_WHY_MAX];

	ck_assert_int_eq(
		td_conferences_join(w.calls, "room", world_call(&w).id, false, TD_SEAT_MEMBER, why),
		0);
	world_settle(&w);
	ck_assert_int_eq(world_call(&w).state, TD_CALL_CONFERENCE);
}

// Its recording would keep the call's context as well.
static void stop_recording(void)
{
	char why[TD_FEATURE_WHY_MAX];
	struct td_call_info call = world_call(&w);

	ck_assert_int_eq(
		td_recordings_stop(w.calls, &(struct td_recording_of){ .call = call.id }, why), 0);
	world_settle(&w);
	dp_record_closed(&w.dp);
	world_settle(&w);
}

START_TEST(goes_on_while_its_call_is_in_a_conference)
{
	char why[TD_FEATURE_WHY_MAX];
	struct td_call_info call = world_call(&w);

	stop_recording();
	ck_assert_int_eq(start(wish_of("bot")), 0);
	join();
	ck_assert_uint_eq(dp_find(w.dp.streams, call.caller_leg.stream.v)->moves, 1);
	ck_assert_uint_eq(w.notices[TD_NOTICE_FORK_ENDED], 0);
	ck_assert_uint_eq(dp_live(w.dp.contexts), 2); // that of the call is there for it
	ck_assert_int_eq(td_conferences_leave(w.calls, "room", call.id, why), 0);
	world_settle(&w);
	ck_assert_int_eq(heard_by(call.caller_leg.stream.v), TD_GAIN_UNITY); // as before
	ck_assert_int_eq(heard_by(call.agent_leg.stream.v), TD_GAIN_UNITY);
	ck_assert_int_eq(td_calls_fork_stop(w.calls, started.id), 0);
	world_settle(&w);
	story_assert_bridged(&w);
}
END_TEST

START_TEST(the_calls_context_goes_with_its_last_fork)
{
	stop_recording();
	ck_assert_int_eq(start(wish_of("bot")), 0);
	join();
	ck_assert_uint_eq(dp_live(w.dp.contexts), 2);
	ck_assert_int_eq(td_calls_fork_stop(w.calls, started.id), 0);
	world_settle(&w);
	ck_assert_uint_eq(dp_live(w.dp.contexts), 1);
	phone_hangup(story_agent(&w));
}
END_TEST

START_TEST(ends_with_a_call_that_is_in_a_conference)
{
	ck_assert_int_eq(start(wish_of("bot")), 0);
	join();
	phone_hangup(story_agent(&w));
	phone_hangup(&w.caller);
	world_settle(&w);
	ck_assert_uint_eq(w.notices[TD_NOTICE_FORK_ENDED], 1);
}
END_TEST

// What it says is heard where the parties are.
START_TEST(begins_while_its_call_is_in_a_conference)
{
	struct td_call_info call = world_call(&w);
	const struct dp_object *fork;

	join();
	ck_assert_int_eq(start(wish_of("bot")), 0);
	fork = dp_find(w.dp.forks, started.id);
	ck_assert_uint_eq(fork->tracks[0], call.caller_leg.stream.v);
	ck_assert_uint_eq(fork->context, dp_find(w.dp.streams, call.caller_leg.stream.v)->context);
	ck_assert_int_eq(heard_by(call.caller_leg.stream.v), TD_GAIN_UNITY);
	phone_hangup(story_agent(&w));
}
END_TEST

START_TEST(of_a_conference)
{
	struct td_fork_wish wish = { .conference = "room", .name = "bot" };
	struct td_call_info call = world_call(&w);
	const struct dp_object *fork;

	ck_assert_int_eq(start(wish), -TD_ESTATE); // nobody is there
	join();
	ck_assert_int_eq(start(wish), 0);
	fork = dp_find(w.dp.forks, started.id);
	ck_assert_uint_eq(fork->what, TD_FORK_FLOOR);
	ck_assert_uint_eq(fork->codec, TD_CODEC_L16_16);
	ck_assert_str_eq(fork->label, "room");
	ck_assert_str_eq(started.conference, "room");
	ck_assert_str_eq(started.call, "");
	ck_assert_str_eq(started.tracks[0], "floor");
	ck_assert_int_eq(heard_by(call.caller_leg.stream.v), TD_GAIN_UNITY);
	ck_assert_int_eq(heard_by(call.agent_leg.stream.v), TD_GAIN_UNITY);
	wish.heard_by = "none";
	ck_assert_int_eq(start(wish), 0);
	ck_assert_int_eq(heard_by(call.caller_leg.stream.v), 0);
	wish.name = "analytics";
	ck_assert_int_eq(start(wish), 0);
	ck_assert_uint_eq(dp_find(w.dp.forks, started.id)->codec, TD_CODEC_PCMU);
	wish.heard_by = "caller";
	ck_assert_int_eq(td_calls_fork_stop(w.calls, started.id), 0);
	world_settle(&w);
	ck_assert_int_eq(start(wish), -TD_EINVALID);
	wish.heard_by = NULL;
	wish.party = "caller";
	ck_assert_int_eq(start(wish), -TD_EINVALID);
	wish = (struct td_fork_wish){ .conference = "elsewhere", .name = "bot" };
	ck_assert_int_eq(start(wish), -TD_ENOT_FOUND);
	wish = (struct td_fork_wish){ .conference = "room" };
	ck_assert_int_eq(start(wish), 0);
	fork = dp_find(w.dp.forks, started.id);
	ck_assert(fork->what == TD_FORK_CAPTURE && fork->tracks[0] == 0);
	phone_hangup(story_agent(&w)); // all of them end with the room
	phone_hangup(&w.caller);
	world_settle(&w);
	ck_assert_uint_eq(w.notices[TD_NOTICE_FORK_ENDED], 4);
}
END_TEST

START_TEST(dataplane_dies)
{
	ck_assert_int_eq(start(wish_of("bot")), 0);
	dp_die(&w.dp);
	world_wait_for_link(&w);
	world_settle(&w);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("forks");
	TCase *tcase = tcase_create("forks");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, hears_both_and_is_heard_by_both);
	tcase_add_test(tcase, one_party_and_one_listener);
	tcase_add_test(tcase, refusals);
	tcase_add_test(tcase, gains_are_refused);
	tcase_add_test(tcase, far_end_goes);
	tcase_add_test(tcase, far_end_goes_at_once);
	tcase_add_test(tcase, call_ends);
	tcase_add_test(tcase, call_ends_while_it_starts);
	tcase_add_test(tcase, goes_on_while_its_call_is_in_a_conference);
	tcase_add_test(tcase, the_calls_context_goes_with_its_last_fork);
	tcase_add_test(tcase, ends_with_a_call_that_is_in_a_conference);
	tcase_add_test(tcase, begins_while_its_call_is_in_a_conference);
	tcase_add_test(tcase, of_a_conference);
	tcase_add_test(tcase, dataplane_dies);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
