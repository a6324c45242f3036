// Callers and phones that do not speak the same codec: who is offered what, what is agreed with
// whom, and what the dataplane, the API and the records are told.
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "call/codecs.h"
#include "story.h"

#define OPUS_MAP "a=rtpmap:96 opus/48000/2\r\na=rtpmap:97 telephone-event/48000\r\n"

static struct world w;
static enum td_codec_id trunk_codecs[] = { TD_CODEC_PCMA };
static enum td_codec_id agent_codecs[] = { TD_CODEC_OPUS, TD_CODEC_G722, TD_CODEC_PCMA };

static void change(struct td_config *config)
{
	config->trunks[0].codecs = trunk_codecs;
	config->trunks[0].codecs_count = 1;
	for (unsigned i = 0; i < config->agents_count; i++) {
		config->agents[i].codecs = agent_codecs;
		config->agents[i].codecs_count = 3;
	}
	config->opus = (struct td_config_opus){
		.bitrate_bps = 24000,
		.max_hz = 16000,
		.complexity = 3,
		.fec = true,
		.loss_percent = 7,
	};
}

static void setup(void)
{
	world_open_with(&w, change);
	world_register(&w);
	w.caller.codecs = "0 8 101";
	w.agent2.mode = PHONE_DEAF;
}

static void teardown(void)
{
	world_assert_empty(&w);
	world_close(&w);
}

static const struct td_command_stream_set_remote *remote_of(const struct td_call_leg_info *leg)
{
	struct dp_object *stream = dp_find(w.dp.streams, leg->stream.v);

	ck_assert_ptr_nonnull(stream);
	return &stream->remote;
}

START_TEST(a_pcma_trunk_and_an_opus_phone)
{
	const struct td_command_stream_set_remote *remote;
	struct td_call_info info;

	w.agent.answers = "96 97";
	w.agent.attributes = OPUS_MAP "a=fmtp:96 useinbandfec=1;maxaveragebitrate=20000\r\n";
	story_talk(&w);
	// The caller's codec first, then the agent's list in its order.
	ck_assert_ptr_nonnull(strstr(w.agent.last_body, "RTP/AVP 8 96 9 101 97\r\n"));
	ck_assert_ptr_nonnull(strstr(w.agent.last_body,
				     "a=fmtp:96 maxplaybackrate=16000;sprop-maxcapturerate=16000;"
				     "maxaveragebitrate=24000;useinbandfec=1\r\n"));
	info = world_call(&w);
	ck_assert_int_eq(info.caller_leg.codec, TD_CODEC_PCMA);
	ck_assert_int_eq(info.agent_leg.codec, TD_CODEC_OPUS);
	story_assert_bridged(&w);
	remote = remote_of(&info.caller_leg);
	ck_assert_uint_eq(remote->codec, TD_CODEC_PCMA);
	ck_assert_uint_eq(remote->payload_type, 8);
	ck_assert_uint_eq(remote->event_payload_type, 101);
	ck_assert_uint_eq(remote->settings.bitrate_bps, 0);
	remote = remote_of(&info.agent_leg);
	ck_assert_uint_eq(remote->codec, TD_CODEC_OPUS);
	ck_assert_uint_eq(remote->payload_type, 96);
	ck_assert_uint_eq(remote->payload_type_rx, 96);
	ck_assert_uint_eq(remote->event_payload_type, 97);
	ck_assert_uint_eq(remote->event_payload_type_rx, 97);
	ck_assert_uint_eq(remote->cn_payload_type, TD_PAYLOAD_TYPE_NONE);
	ck_assert_uint_eq(remote->settings.bitrate_bps, 20000);
	ck_assert_uint_eq(remote->settings.max_hz, 16000);
	ck_assert_uint_eq(remote->settings.complexity, 3);
	ck_assert_uint_eq(remote->settings.flags, TD_CODEC_FEC);
	ck_assert_uint_eq(remote->settings.loss_percent, 7);
	phone_hangup(&w.caller);
}
END_TEST

START_TEST(asymmetric_numbers)
{
	const struct td_command_stream_set_remote *remote;
	struct td_call_info info;

	w.agent.answers = "111 110";
	w.agent.attributes = "a=rtpmap:111 opus/48000/2\r\na=rtpmap:110 telephone-event/48000\r\n";
	story_talk(&w);
	info = world_call(&w);
	remote = remote_of(&info.agent_leg);
	ck_assert_uint_eq(remote->payload_type, 111);
	ck_assert_uint_eq(remote->payload_type_rx, 96);
	ck_assert_uint_eq(remote->event_payload_type, 110);
	ck_assert_uint_eq(remote->event_payload_type_rx, 97);
	ck_assert_uint_eq(remote->settings.flags, 0);
	phone_hangup(story_agent(&w));
}
END_TEST

// A phone that lists the caller's codec behind another sends that other.
START_TEST(the_first_of_the_answer_is_what_is_spoken)
{
	struct td_call_info info;

	w.agent.answers = "9 8 101";
	story_talk(&w);
	info = world_call(&w);
	ck_assert_int_eq(info.agent_leg.codec, TD_CODEC_G722);
	ck_assert_uint_eq(remote_of(&info.agent_leg)->payload_type, 9);
	ck_assert_uint_eq(remote_of(&info.agent_leg)->event_payload_type, 101);
	phone_hangup(&w.caller);
}
END_TEST

START_TEST(the_same_codec_where_both_have_it)
{
	struct td_call_info info;

	story_talk(&w);
	info = world_call(&w);
	ck_assert_int_eq(info.caller_leg.codec, TD_CODEC_PCMA);
	ck_assert_int_eq(info.agent_leg.codec, TD_CODEC_PCMA);
	phone_hangup(&w.caller);
}
END_TEST

START_TEST(nothing_in_common_with_the_trunks_list_is_488)
{
	w.caller.codecs = "9 96 101";
	w.caller.attributes = OPUS_MAP;
	phone_call(&w.caller, "100");
	world_settle(&w);
	ck_assert_uint_eq(w.caller.status, 488);
	ck_assert_uint_eq(world_call_count(&w), 0);
}
END_TEST

START_TEST(an_answer_with_what_was_not_offered_ends_the_offer)
{
	w.agent.answers = "0 101";
	phone_call(&w.caller, "100");
	world_settle(&w);
	ck_assert(dp_player_end(&w.dp));
	world_settle(&w);
	ck_assert_uint_eq(w.agent.byes, 1);
	ck_assert_int_ne(world_call(&w).state, TD_CALL_TALKING);
	phone_hangup(&w.caller);
}
END_TEST

START_TEST(the_callers_packets_are_asked_of_the_phone)
{
	struct td_call_info info;

	w.caller.attributes = "a=ptime:40\r\n";
	w.agent.attributes = "a=ptime:40\r\n";
	story_talk(&w);
	ck_assert_ptr_nonnull(strstr(w.agent.last_body, "a=ptime:40\r\n"));
	info = world_call(&w);
	ck_assert_uint_eq(remote_of(&info.caller_leg)->ptime_ms, 40);
	ck_assert_uint_eq(remote_of(&info.agent_leg)->ptime_ms, 40);
	phone_hangup(&w.caller);
}
END_TEST

START_TEST(comfort_noise_only_with_who_offers_it)
{
	struct td_call_info info;

	w.caller.codecs = "8 13 101";
	story_talk(&w);
	info = world_call(&w);
	ck_assert_uint_eq(remote_of(&info.caller_leg)->cn_payload_type, 13);
	ck_assert_uint_eq(remote_of(&info.caller_leg)->cn_payload_type_rx, 13);
	ck_assert_uint_eq(remote_of(&info.agent_leg)->cn_payload_type, TD_PAYLOAD_TYPE_NONE);
	ck_assert_ptr_null(strstr(w.agent.last_body, "CN/8000"));
	phone_hangup(&w.caller);
}
END_TEST

// Hold and resume with another order of formats: the codec and its numbers stay.
START_TEST(hold_keeps_the_codec)
{
	const struct td_command_stream_set_remote *remote;
	struct td_call_info info;

	w.agent.answers = "96 97";
	w.agent.attributes = OPUS_MAP;
	story_talk(&w);
	w.agent.codecs = "8 9 96 97";
	phone_reinvite(&w.agent, "sendonly");
	world_settle(&w);
	ck_assert_uint_eq(w.agent.status, 200);
	info = world_call(&w);
	ck_assert(info.agent_leg.held);
	ck_assert_int_eq(info.agent_leg.codec, TD_CODEC_OPUS);
	phone_reinvite(&w.agent, "sendrecv");
	world_settle(&w);
	info = world_call(&w);
	ck_assert(!info.agent_leg.held);
	remote = remote_of(&info.agent_leg);
	ck_assert_uint_eq(remote->codec, TD_CODEC_OPUS);
	ck_assert_uint_eq(remote->payload_type, 96);
	ck_assert_uint_eq(remote->payload_type_rx, 96);
	ck_assert_uint_eq(remote->event_payload_type, 97);
	story_assert_bridged(&w);
	phone_hangup(&w.caller);
}
END_TEST

// Settings that change alone are told to the dataplane; the same offer again is not.
START_TEST(changed_parameters_are_told_once)
{
	struct td_call_info info;
	struct dp_object *stream;

	w.agent.answers = "96 97";
	w.agent.attributes = OPUS_MAP;
	story_talk(&w);
	info = world_call(&w);
	stream = dp_find(w.dp.streams, info.agent_leg.stream.v);
	ck_assert_uint_eq(stream->remote_count, 1);
	w.agent.codecs = "96 97";
	phone_reinvite(&w.agent, "sendrecv");
	world_settle(&w);
	ck_assert_uint_eq(stream->remote_count, 1);
	w.agent.attributes = OPUS_MAP "a=fmtp:96 useinbandfec=1\r\n";
	phone_reinvite(&w.agent, "sendrecv");
	world_settle(&w);
	ck_assert_uint_eq(stream->remote_count, 2);
	ck_assert_uint_eq(stream->remote.settings.flags, TD_CODEC_FEC);
	phone_hangup(&w.caller);
}
END_TEST

START_TEST(late_offer_names_the_trunks_list)
{
	w.caller.no_offer = true;
	w.caller.codecs = "8 101";
	phone_call(&w.caller, "100");
	world_settle(&w);
	ck_assert_ptr_nonnull(strstr(w.caller.last_body, "RTP/AVP 8 101\r\n"));
	ck_assert_int_eq(world_call(&w).caller_leg.codec, TD_CODEC_PCMA);
	w.caller.no_offer = false;
	phone_hangup(&w.caller);
}
END_TEST

START_TEST(lists)
{
	static enum td_codec_id all[TD_CODEC_COUNT - 1];
	struct td_config_agent agent = { .codecs = all, .codecs_count = TD_CODEC_COUNT - 1 };
	struct td_sdp_agreed caller = { .codec = TD_CODEC_G729, .ptime_ms = 30 };
	struct td_config config = { .opus = { .dtx = true } };
	struct td_sdp_local local;

	for (unsigned i = 0; i < agent.codecs_count; i++)
		all[i] = (enum td_codec_id)(i + 1);
	td_codecs_of_agent(&config, &agent, &caller, &local);
	ck_assert_uint_eq(local.codec_count, TD_CODEC_COUNT - 1);
	ck_assert_int_eq(local.codecs[0], TD_CODEC_G729);
	ck_assert_int_eq(local.codecs[1], TD_CODEC_PCMU);
	ck_assert_int_eq(local.codecs[TD_CODEC_COUNT - 2], TD_CODEC_OPUS);
	ck_assert_uint_eq(local.ptime_ms, 30);
	ck_assert_uint_eq(local.opus.flags, TD_CODEC_DTX);
	// Not in the list: the caller's codec is not offered.
	agent.codecs_count = 2;
	agent.ptime_ms = 50;
	td_codecs_of_agent(&config, &agent, &caller, &local);
	ck_assert_uint_eq(local.codec_count, 2);
	ck_assert_int_eq(local.codecs[0], TD_CODEC_PCMU);
	ck_assert_uint_eq(local.ptime_ms, 50);
	agent.ptime_ms = 0;
	td_codecs_of_agent(&config, &agent, NULL, &local);
	ck_assert_uint_eq(local.ptime_ms, 0);
	ck_assert_int_eq(local.codecs[0], TD_CODEC_PCMU);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("codecs");
	Suite *suite = suite_create("call codecs");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_pcma_trunk_and_an_opus_phone);
	tcase_add_test(tc, asymmetric_numbers);
	tcase_add_test(tc, the_first_of_the_answer_is_what_is_spoken);
	tcase_add_test(tc, the_same_codec_where_both_have_it);
	tcase_add_test(tc, nothing_in_common_with_the_trunks_list_is_488);
	tcase_add_test(tc, an_answer_with_what_was_not_offered_ends_the_offer);
	tcase_add_test(tc, the_callers_packets_are_asked_of_the_phone);
	tcase_add_test(tc, comfort_noise_only_with_who_offers_it);
	tcase_add_test(tc, hold_keeps_the_codec);
	tcase_add_test(tc, changed_parameters_are_told_once);
	tcase_add_test(tc, late_offer_names_the_trunks_list);
	tcase_add_test(tc, lists);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
