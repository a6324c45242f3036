// New offers inside a call: hold and resume by either side, moved media, refused changes.
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "story.h"

static struct world w;

static void setup(void)
{
	world_open(&w);
	world_register(&w);
}

static void teardown(void)
{
	world_assert_empty(&w);
	world_close(&w);
}

START_TEST(hold_and_resume_by_the_caller)
{
	struct td_call_info info;
	static const char *const ways[] = { "sendonly", "inactive" };

	story_talk(&w);
	info = world_call(&w);
	for (int i = 0; i < 2; i++) {
		phone_reinvite(&w.caller, ways[i]);
		world_settle(&w);
		ck_assert_uint_eq(w.caller.status, 200);
		ck_assert(world_call(&w).caller_leg.held);
		story_assert_player(&w, info.agent_leg.stream.v, true);
		story_assert_silence(&w, info.caller_leg.stream.v);
		phone_reinvite(&w.caller, "sendrecv");
		world_settle(&w);
		ck_assert(!world_call(&w).caller_leg.held);
		story_assert_bridged(&w);
	}
	phone_hangup(&w.caller);
	world_settle(&w);
	ck_assert_str_eq(w.last_cause, "caller-hangup");
}
END_TEST

START_TEST(hold_the_old_way)
{
	struct td_call_info info;

	story_talk(&w);
	info = world_call(&w);
	w.caller.connection = "0.0.0.0";
	phone_reinvite(&w.caller, "sendrecv");
	world_settle(&w);
	ck_assert_uint_eq(w.caller.status, 200);
	story_assert_player(&w, info.agent_leg.stream.v, true);
	story_assert_silence(&w, info.caller_leg.stream.v);
	w.caller.connection = NULL;
	phone_reinvite(&w.caller, "sendrecv");
	world_settle(&w);
	story_assert_bridged(&w);
	phone_hangup(&w.caller);
}
END_TEST

START_TEST(hold_and_resume_by_the_agent_and_both)
{
	struct td_call_info info;
	struct phone *agent;

	story_talk(&w);
	agent = story_agent(&w);
	info = world_call(&w);
	phone_reinvite(agent, "sendonly");
	world_settle(&w);
	story_assert_player(&w, info.caller_leg.stream.v, true);
	story_assert_silence(&w, info.agent_leg.stream.v);
	phone_reinvite(&w.caller, "inactive");
	world_settle(&w);
	story_assert_silence(&w, info.caller_leg.stream.v);
	story_assert_silence(&w, info.agent_leg.stream.v);
	phone_reinvite(agent, "sendrecv");
	world_settle(&w);
	story_assert_player(&w, info.agent_leg.stream.v, true);
	phone_reinvite(&w.caller, "sendrecv");
	world_settle(&w);
	story_assert_bridged(&w);
	phone_hangup(agent);
}
END_TEST

START_TEST(hold_in_the_queue_silences_the_music)
{
	struct td_call_info info;

	phone_call(&w.caller, "200");
	world_settle(&w);
	info = world_call(&w);
	phone_reinvite(&w.caller, "inactive");
	world_settle(&w);
	story_assert_silence(&w, info.caller_leg.stream.v);
	phone_reinvite(&w.caller, "sendrecv");
	world_settle(&w);
	story_assert_player(&w, info.caller_leg.stream.v, true);
	phone_hangup(&w.caller);
}
END_TEST

START_TEST(reinvite_moves_the_media)
{
	uint32_t stream, before;

	story_talk(&w);
	stream = world_call(&w).caller_leg.stream.v;
	before = dp_find(w.dp.streams, stream)->remote_count;
	// The same description again tells the dataplane nothing.
	phone_reinvite(&w.caller, "sendrecv");
	world_settle(&w);
	ck_assert_uint_eq(dp_find(w.dp.streams, stream)->remote_count, before);
	w.caller.media_port = 4800;
	phone_reinvite(&w.caller, "sendrecv");
	world_settle(&w);
	ck_assert_uint_eq(dp_find(w.dp.streams, stream)->remote_count, before + 1);
	ck_assert_uint_eq(dp_find(w.dp.streams, stream)->remote.remote.port_be, htons(4800));
	story_assert_bridged(&w);
	phone_hangup(&w.caller);
}
END_TEST

START_TEST(reinvite_without_offer_gets_ours)
{
	story_talk(&w);
	phone_reinvite(&w.caller, NULL);
	world_settle(&w);
	ck_assert_uint_eq(w.caller.status, 200);
	ck_assert_ptr_nonnull(strstr(w.caller.last_body, "RTP/AVP 0 8 101"));
	story_assert_bridged(&w);
	phone_hangup(&w.caller);
}
END_TEST

START_TEST(hold_by_the_answer_to_our_offer)
{
	struct td_call_info info;

	story_talk(&w);
	info = world_call(&w);
	w.caller.direction = "sendonly";
	phone_reinvite(&w.caller, NULL);
	world_settle(&w);
	ck_assert(world_call(&w).caller_leg.held);
	story_assert_player(&w, info.agent_leg.stream.v, true);
	w.caller.direction = "sendrecv";
	phone_reinvite(&w.caller, NULL);
	world_settle(&w);
	story_assert_bridged(&w);
	phone_hangup(&w.caller);
}
END_TEST

START_TEST(reinvite_to_a_codec_we_do_not_have_is_refused)
{
	story_talk(&w);
	w.caller.codecs = "18 101";
	phone_reinvite(&w.caller, "sendrecv");
	world_settle(&w);
	ck_assert_uint_eq(w.caller.status, 488);
	ck_assert_int_eq(world_call(&w).caller_leg.codec, TD_CODEC_PCMU);
	story_assert_bridged(&w);
	phone_hangup(&w.caller);
	world_settle(&w);
	ck_assert_str_eq(w.last_cause, "caller-hangup");
}
END_TEST

START_TEST(reinvite_to_another_codec_of_the_list)
{
	struct td_call_info info;
	struct dp_object *stream;

	story_talk(&w);
	w.caller.codecs = "8 101";
	phone_reinvite(&w.caller, "sendrecv");
	world_settle(&w);
	ck_assert_uint_eq(w.caller.status, 200);
	info = world_call(&w);
	ck_assert_int_eq(info.caller_leg.codec, TD_CODEC_PCMA);
	ck_assert_int_eq(info.agent_leg.codec, TD_CODEC_PCMU);
	stream = dp_find(w.dp.streams, info.caller_leg.stream.v);
	ck_assert_uint_eq(stream->remote.codec, TD_CODEC_PCMA);
	ck_assert_uint_eq(stream->remote_count, 2);
	story_assert_bridged(&w);
	// The old one is on offer again, but nobody has to change back.
	w.caller.codecs = "0 8 101";
	phone_reinvite(&w.caller, "sendrecv");
	world_settle(&w);
	ck_assert_int_eq(world_call(&w).caller_leg.codec, TD_CODEC_PCMA);
	phone_hangup(&w.caller);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("hold");
	Suite *suite = suite_create("call hold");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, hold_and_resume_by_the_caller);
	tcase_add_test(tc, hold_the_old_way);
	tcase_add_test(tc, hold_and_resume_by_the_agent_and_both);
	tcase_add_test(tc, hold_in_the_queue_silences_the_music);
	tcase_add_test(tc, reinvite_moves_the_media);
	tcase_add_test(tc, reinvite_without_offer_gets_ours);
	tcase_add_test(tc, hold_by_the_answer_to_our_offer);
	tcase_add_test(tc, reinvite_to_a_codec_we_do_not_have_is_refused);
	tcase_add_test(tc, reinvite_to_another_codec_of_the_list);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
