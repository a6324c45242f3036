// Recordings as an operator commands them: names, tracks of a call and of a conference, pause, mask,
// marks, tones, privacy, and what happens when it may not be.
#include <stdlib.h>
#include <string.h>

#include "call/call_verbs.h"
#include "call/conferences.h"
#include "call/recording_name.h"
#include "call/recording_verbs.h"
#include "story.h"

static struct world w;
static char why[TD_FEATURE_WHY_MAX];
static const struct td_recording_of room = { .conference = "room" };

static void setup(void)
{
	world_open(&w);
	world_register(&w);
}

static void setup_supervised(void)
{
	world_open_with(&w, world_with_supervisor);
	world_register(&w);
	phone_register(&w.supervisor, 60);
	world_settle(&w);
}

static void teardown(void)
{
	world_close(&w);
}

START_TEST(names)
{
	static const struct {
		const char *template, *tenant, *queue, *caller, *expected;
	} rows[] = {
		{ "{tenant}/{time}-{call}", NULL, "q", "1", "20231114T221320.123-c42.wav" },
		{ "{tenant}/{time}-{call}", "acme", "q", "1", "acme/20231114T221320.123-c42.wav" },
		{ "{tenant}/{date}/{queue}-{call}-{agent}", "acme", "sales", "1",
		  "acme/20231114/sales-c42-221320.123.wav" },
		{ "{caller}/{call}", NULL, NULL, "../../etc/passwd",
		  "_.__.._etc_passwd/c42-221320.123.wav" },
		{ "{caller}-{call}", NULL, NULL, "...", "c42-221320.123.wav" },
		{ "{caller}{call}", NULL, NULL, "a b\n/\\%\x80", "a_b_____c42-221320.123.wav" },
		{ "{queue}/{tenant}/{call}", NULL, NULL, "1", "c42-221320.123.wav" },
		{ "{nothing}{call}", NULL, NULL, "1", "{nothing}c42-221320.123.wav" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct td_recording_words words = { .tenant = rows[i].tenant,
							  .queue = rows[i].queue,
							  .caller = rows[i].caller,
							  .call = "c42",
							  .utc_ms = 1700000000123 };
		char name[TD_FILE_NAME_MAX];

		td_recording_name(rows[i].template, &words, ".wav", name, sizeof name);
		ck_assert_ptr_null(strstr(name, ".."));
		ck_assert_int_ne(name[0], '/');
		if (i != 3)
			ck_assert_str_eq(name, rows[i].expected);
	}
}
END_TEST

// Whatever comes in, what comes out is a name that the dataplane takes, and unique by its time.
START_TEST(names_of_anything)
{
	uint32_t random = 1;

	for (int round = 0; round < 20000; round++) {
		char text[64], name[TD_FILE_NAME_MAX];
		struct td_recording_words words = { .tenant = "acme",
						    .call = "c1",
						    .caller = text,
						    .called = text,
						    .utc_ms = 1700000000123 };

		for (size_t i = 0; i + 1 < sizeof text; i++) {
			random = random * 1664525u + 1013904223u;
			text[i] = (char)(random >> 24 & 1 ? "./-_\\ "[random >> 25 & 3]
							  : (char)(random >> 16));
		}
		text[sizeof text - 1] = '\0';
		td_recording_name("{tenant}/{caller}/{called}-{call}", &words, ".opus", name,
				  sizeof name);
		ck_assert_uint_lt(strlen(name), sizeof name);
		ck_assert_ptr_null(strstr(name, ".."));
		ck_assert_ptr_null(strstr(name, "//"));
		ck_assert_ptr_null(strstr(name, "/."));
		ck_assert_int_eq(strncmp(name, "acme/", 5), 0);
		ck_assert_str_eq(name + strlen(name) - 15, "221320.123.opus");
		for (const char *c = name; *c; c++)
			ck_assert(*c > ' ' && *c <= '~' && *c != '\\');
	}
}
END_TEST

static struct dp_object *tap(void)
{
	for (int i = 0; i < DP_OBJECTS; i++)
		if (w.dp.taps[i].live)
			return &w.dp.taps[i];
	ck_abort_msg("nothing is recorded");
	abort();
}

static int order(const struct td_recording_of *of, enum td_record_action action, uint32_t seconds)
{
	int error = td_recordings_control(w.calls, of, action, seconds, "here", why);

	world_settle(&w);
	return error;
}

START_TEST(a_call_by_hand)
{
	struct td_call_info info;
	struct td_recording_of of = { .call = info.id };

	w.queues[0].record = false;
	story_talk(&w);
	info = world_call(&w);
	ck_assert_uint_eq(dp_live(w.dp.taps), 0);
	ck_assert_int_eq(td_recordings_stop(w.calls, &of, why), -TD_ESTATE);
	ck_assert_int_eq(order(&of, TD_RECORD_PAUSE, 0), -TD_ESTATE);
	ck_assert_int_eq(td_recordings_start(w.calls, &of, why), 0);
	world_settle(&w);
	ck_assert_int_eq(td_recordings_start(w.calls, &of, why), -TD_ESTATE);
	ck_assert_uint_eq(tap()->tracks[0], info.caller_leg.stream.v);
	ck_assert_uint_eq(tap()->tracks[1], info.agent_leg.stream.v);
	ck_assert_str_eq(world_call(&w).recording.state, "recording");
	ck_assert_int_eq(order(&of, TD_RECORD_PAUSE, 0), 0);
	ck_assert_str_eq(world_call(&w).recording.state, "paused");
	ck_assert_int_eq(order(&of, TD_RECORD_RESUME, 0), 0);
	ck_assert_int_eq(order(&of, TD_RECORD_MASK, 5), 0);
	ck_assert_str_eq(world_call(&w).recording.state, "masked");
	world_advance(&w, 4000);
	ck_assert_str_eq(world_call(&w).recording.state, "masked");
	world_advance(&w, 2000); // it ends by itself
	ck_assert_str_eq(world_call(&w).recording.state, "recording");
	ck_assert_int_eq(order(&of, TD_RECORD_MARK, 0), 0);
	ck_assert_str_eq(tap()->mark, "here");
	ck_assert_uint_eq(tap()->actions[TD_RECORD_PAUSE], 1);
	ck_assert_uint_eq(tap()->actions[TD_RECORD_MASK], 1);
	ck_assert_uint_eq(tap()->actions[TD_RECORD_RESUME], 2);
	ck_assert_int_eq(td_recordings_stop(w.calls, &of, why), 0);
	world_settle(&w);
	ck_assert_uint_eq(dp_live(w.dp.taps), 0);
	ck_assert_str_eq(world_call(&w).recording.state, "complete");
	ck_assert_int_eq(td_recordings_start(w.calls, &of, why), 0); // another file
	world_settle(&w);
	ck_assert_uint_eq(dp_live(w.dp.taps), 1);
	of.call = "c99";
	ck_assert_int_eq(td_recordings_start(w.calls, &of, why), -TD_ENOT_FOUND);
}
END_TEST

// Whoever the caller begins to hear has a track, in either format, up to two at a time; who only listens
// or is heard by the agent alone has none.
START_TEST(whoever_the_caller_hears)
{
	static const enum td_record_format formats[] = { TD_RECORD_WAV, TD_RECORD_OPUS };

	w.config.recording.format = formats[_i];
	story_talk(&w);
	ck_assert_uint_eq(tap()->track_count, TD_RECORDING_CALL_TRACKS);
	ck_assert(tap()->stereo == (formats[_i] == TD_RECORD_WAV));
	ck_assert_int_eq(td_calls_call_in(w.calls, "c1", "1003", TD_PARTY_WHISPER, why), 0);
	world_settle(&w);
	ck_assert_uint_eq(tap()->tracks[2], 0);
	ck_assert_int_eq(td_calls_call_in(w.calls, "c1", "1003", TD_PARTY_BARGE, why), 0);
	world_settle(&w);
	ck_assert_uint_ne(tap()->tracks[2], 0);
	ck_assert_uint_eq(tap()->tracks[3], 0);
	phone_hangup(&w.supervisor);
	world_settle(&w);
	ck_assert_uint_eq(tap()->tracks[2], 0);
	phone_reset(&w.supervisor);
	ck_assert_int_eq(td_calls_call_in(w.calls, "c1", "1003", TD_PARTY_BARGE, why), 0);
	world_settle(&w); // the same track again
	ck_assert_uint_ne(tap()->tracks[2], 0);
	ck_assert_uint_eq(tap()->tracks[3], 0);
	ck_assert_str_eq(world_call(&w).recording.state, "recording");
}
END_TEST

START_TEST(a_conference)
{
	struct td_conference_info info;

	ck_assert_int_eq(td_recordings_start(w.calls, &room, why), -TD_ESTATE); // nobody is there
	phone_call(&w.caller, "800");
	world_settle(&w);
	ck_assert_int_eq(td_recordings_start(w.calls, &room, why), 0);
	world_settle(&w);
	ck_assert_uint_ne(tap()->tracks[0], 0);
	ck_assert_uint_eq(tap()->tracks[1], 0);
	phone_call(&w.caller2, "800"); // comes later, and has a track
	world_settle(&w);
	ck_assert_uint_ne(tap()->tracks[1], 0);
	ck_assert_uint_ne(tap()->tracks[1], tap()->tracks[0]);
	phone_hangup(&w.caller);
	world_settle(&w);
	ck_assert_uint_eq(tap()->tracks[0], 0);
	phone_reset(&w.caller);
	phone_call(&w.caller, "800"); // gets the one that is free
	world_settle(&w);
	ck_assert_uint_ne(tap()->tracks[0], 0);
	ck_assert_int_eq(td_conferences_get(w.calls, "room", &info), 0);
	ck_assert_str_eq(info.recording.state, "recording");
	phone_hangup(&w.caller);
	phone_hangup(&w.caller2);
	world_settle(&w);
	ck_assert_uint_eq(dp_live(w.dp.taps), 0); // it ends with the last
}
END_TEST

START_TEST(privacy_names_the_parties_and_ends)
{
	struct td_call_info info;
	struct td_recording_of of = { .call = info.id };
	struct dp_object *context;

	story_talk(&w);
	info = world_call(&w);
	context = dp_find(w.dp.contexts, info.context.v);
	ck_assert_int_eq(td_recordings_privacy(w.calls, &of, true, 10, why), 0);
	ck_assert_str_eq(world_call(&w).recording.privacy, "changing");
	world_settle(&w);
	ck_assert_str_eq(world_call(&w).recording.privacy, "on");
	ck_assert_uint_eq(context->privacy.on, 1);
	ck_assert_uint_eq(context->privacy.party_count, 2);
	ck_assert_int_eq(td_conferences_join(w.calls, "room", info.id, false, TD_SEAT_MEMBER, why),
			 -TD_ESTATE); // others would hear
	world_advance(&w, 11000);
	world_settle(&w);
	ck_assert_uint_eq(context->privacy.on, 0);
	ck_assert_str_eq(world_call(&w).recording.privacy, "off");
	// One that cannot be set is tried until it is.
	w.dp.fail[TD_COMMAND_CONTEXT_PRIVACY] = -TD_ESTALE;
	ck_assert_int_eq(td_recordings_privacy(w.calls, &of, true, 0, why), 0);
	world_settle(&w);
	ck_assert_str_eq(world_call(&w).recording.privacy, "changing");
	world_advance(&w, 1000);
	world_settle(&w);
	ck_assert_str_eq(world_call(&w).recording.privacy, "on");
}
END_TEST

START_TEST(the_disk_is_full)
{
	struct td_recording_of of = { .call = "c1" };

	w.queues[0].record = false;
	story_talk(&w);
	w.calls->recordings_full = true;
	ck_assert_int_eq(td_recordings_start(w.calls, &of, why), -TD_EFULL);
	ck_assert_ptr_nonnull(strstr(why, "the disk is full"));
	phone_call(&w.caller2, "100"); // a queue that does not insist
	world_settle(&w);
	ck_assert_uint_eq(w.caller2.status, 200);
	w.queues[0].record_required = true;
	phone_hangup(&w.caller2);
	world_settle(&w);
	phone_reset(&w.caller2);
	phone_call(&w.caller2, "100");
	world_settle(&w);
	ck_assert_uint_eq(w.caller2.status, 503);
}
END_TEST

// The dataplane that comes next has a disk of its own to speak of.
START_TEST(a_full_disk_goes_with_its_dataplane)
{
	dp_record_alarm(&w.dp, TD_RECORD_ALARM_FULL, 1, TD_RECORD_FREE_MIN - 1);
	world_settle(&w);
	ck_assert(w.calls->recordings_full);
	ck_assert(w.calls->stats.recording_alarms[TD_RECORD_ALARM_FULL]);
	ck_assert_uint_eq(w.notices[TD_NOTICE_RECORDING_ALARM], 1);
	dp_die(&w.dp);
	world_settle(&w);
	ck_assert(!w.calls->recordings_full);
	ck_assert(!w.calls->stats.recording_alarms[TD_RECORD_ALARM_FULL]);
	world_wait_for_link(&w);
	for (int i = 0; i < 3; i++) {
		dp_record_alarm(&w.dp, TD_RECORD_ALARM_FULL, TD_RECORD_ALARM_STILL,
				TD_RECORD_FREE_MIN - 1);
		world_settle(&w);
	}
	ck_assert(w.calls->recordings_full);
	ck_assert_uint_eq(w.notices[TD_NOTICE_RECORDING_ALARM], 2); // it is told once
}
END_TEST

START_TEST(one_that_has_to_be_recorded_and_cannot_ends)
{
	w.queues[0].record_required = true;
	w.dp.fail[TD_COMMAND_RECORD_START] = -TD_EIO;
	phone_call(&w.caller, "100");
	world_settle(&w);
	dp_player_end(&w.dp);
	world_settle(&w);
	ck_assert_uint_eq(world_call_count(&w), 0);
	ck_assert_str_eq(w.last_cause, "recording-failure");
}
END_TEST

static unsigned beeps(void)
{
	unsigned count = 0;

	for (int i = 0; i < DP_OBJECTS; i++)
		count += w.dp.players[i].live && !w.dp.players[i].loops &&
			 w.dp.players[i].item_count == 1 && w.dp.players[i].items[0].prompt == 4;
	return count;
}

START_TEST(tones)
{
	w.queues[0].record_beep_s = 15;
	story_talk(&w);
	world_advance(&w, 1000);
	ck_assert_uint_eq(beeps(), 1); // it is said at the beginning
	ck_assert(dp_player_end(&w.dp));
	world_settle(&w);
	ck_assert_uint_eq(beeps(), 0);
	story_assert_bridged(&w);
	world_advance(&w, 14000);
	ck_assert_uint_eq(beeps(), 0);
	world_advance(&w, 2000); // and then every fifteen seconds
	ck_assert_uint_eq(beeps(), 1);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("recording"), *supervised = tcase_create("supervised");
	Suite *suite = suite_create("recording");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, names);
	tcase_add_test(tc, names_of_anything);
	tcase_add_test(tc, a_call_by_hand);
	tcase_add_test(tc, a_conference);
	tcase_add_test(tc, privacy_names_the_parties_and_ends);
	tcase_add_test(tc, the_disk_is_full);
	tcase_add_test(tc, a_full_disk_goes_with_its_dataplane);
	tcase_add_test(tc, one_that_has_to_be_recorded_and_cannot_ends);
	tcase_add_test(tc, tones);
	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(supervised, setup_supervised, teardown);
	tcase_add_loop_test(supervised, whoever_the_caller_hears, 0, 2);
	suite_add_tcase(suite, supervised);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
