// Answering: against exact texts and over whole dialogs.
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"

START_TEST(answer_text_is_exactly_this)
{
	ck_assert_int_gt(answer(HEAD "m=audio 4000 RTP/AVP 8 0 101\r\n"
				     "a=rtpmap:101 telephone-event/8000\r\n"),
			 0);
	ck_assert_str_eq(text, "v=0\r\no=- 4711 1 IN IP4 10.77.0.2\r\ns=-\r\n"
			       "c=IN IP4 10.77.0.2\r\nt=0 0\r\n"
			       "m=audio 20000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\n"
			       "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
			       "a=ptime:20\r\na=sendrecv\r\n");
	ck_assert_int_eq(agreed.codec, TD_CODEC_PCMU);
	ck_assert_uint_eq(agreed.ptime_ms, 20);
	ck_assert_str_eq(endpoint(&agreed.remote), "192.0.2.5:4000");
	ck_assert_str_eq(endpoint(&agreed.remote_rtcp), "192.0.2.5:4001");
	ck_assert(!td_sdp_held(&agreed));
}
END_TEST

// Formats of an offer -> what an answerer that prefers PCMU takes of it.
static const struct {
	const char *line;
	int error;
	enum td_codec_id codec;
	uint8_t payload_type, event;
} codec_rows[] = {
	{ "m=audio 4000 RTP/AVP 0\r\n", 0, TD_CODEC_PCMU, 0, NONE },
	{ "m=audio 4000 RTP/AVP 8\r\n", 0, TD_CODEC_PCMA, 8, NONE },
	{ "m=audio 4000 RTP/AVP 8 0\r\n", 0, TD_CODEC_PCMU, 0, NONE },
	{ "m=audio 4000 RTP/AVP 18 9 8 101\r\na=rtpmap:101 telephone-event/8000\r\n", 0,
	  TD_CODEC_PCMA, 8, 101 },
	{ "m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:96 TELEPHONE-EVENT/8000\r\n", 0, TD_CODEC_PCMU, 0,
	  96 },
	{ "m=audio 4000 RTP/AVP 0 96 97\r\na=rtpmap:96 telephone-event/48000\r\n"
	  "a=rtpmap:97 telephone-event/8000\r\n",
	  0, TD_CODEC_PCMU, 0, 97 },
	{ "m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/16000\r\n", 0, TD_CODEC_PCMU, 0,
	  NONE },
	{ "m=audio 4000 RTP/AVP 0 101\r\n", 0, TD_CODEC_PCMU, 0,
	  NONE }, // 101 has no static meaning
	{ "m=audio 4000 RTP/AVP 98\r\na=rtpmap:98 pcmu/8000\r\n", 0, TD_CODEC_PCMU, 98, NONE },
	{ "m=audio 4000 RTP/AVP 98\r\na=rtpmap:98 PCMU/8000/1\r\n", 0, TD_CODEC_PCMU, 98, NONE },
	{ "m=audio 4000 RTP/AVP 98\r\na=rtpmap:98 PCMU/8000/2\r\n", -TD_ECODEC, 0, 0, 0 },
	{ "m=audio 4000 RTP/AVP 98\r\na=rtpmap:98 PCMU/16000\r\n", -TD_ECODEC, 0, 0, 0 },
	{ "m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 G722/8000\r\n", -TD_ECODEC, 0, 0, 0 },
	{ "m=audio 4000 RTP/AVP 18\r\n", -TD_ECODEC, 0, 0, 0 },
	{ "m=audio 0 RTP/AVP 0\r\n", -TD_EUNSUPPORTED, 0, 0, 0 },
	{ "m=audio 4000 RTP/SAVP 0\r\n", -TD_EUNSUPPORTED, 0, 0, 0 },
	{ "m=video 4000 RTP/AVP 0\r\n", -TD_EUNSUPPORTED, 0, 0, 0 },
	{ "m=image 4000 udptl t38\r\n", -TD_EUNSUPPORTED, 0, 0, 0 },
	{ "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 pc.example.com\r\n", -TD_EUNSUPPORTED, 0, 0, 0 },
	{ "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 224.2.1.1/127\r\n", -TD_EUNSUPPORTED, 0, 0, 0 },
	{ "m=audio 4000 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\n", -TD_EUNSUPPORTED, 0, 0, 0 },
};

START_TEST(codec_row)
{
	char body[512];
	int len;

	snprintf(body, sizeof body, "%s%s", HEAD, codec_rows[_i].line);
	len = answer(body);
	if (codec_rows[_i].error) {
		ck_assert_msg(len == codec_rows[_i].error, "row %d: %d", _i, len);
		ck_assert_int_eq(session.codec, TD_CODEC_NONE);
		ck_assert_uint_eq(session.version, 0);
		return;
	}
	ck_assert_int_gt(len, 0);
	ck_assert_int_eq(agreed.codec, codec_rows[_i].codec);
	ck_assert_uint_eq(agreed.payload_type, codec_rows[_i].payload_type);
	ck_assert_uint_eq(agreed.payload_type_rx, codec_rows[_i].payload_type);
	ck_assert_uint_eq(agreed.event_payload_type, codec_rows[_i].event);
	ck_assert_uint_eq(agreed.event_payload_type_rx, codec_rows[_i].event);
}
END_TEST

// RFC 3264 section 6.1: every direction offered against every direction we want.
START_TEST(direction_table)
{
	static const enum td_sdp_direction expected[4][4] = {
		// ours: inactive, sendonly, recvonly, sendrecv
		{ TD_SDP_INACTIVE, TD_SDP_INACTIVE, TD_SDP_INACTIVE, TD_SDP_INACTIVE },
		{ TD_SDP_INACTIVE, TD_SDP_INACTIVE, TD_SDP_RECVONLY, TD_SDP_RECVONLY },
		{ TD_SDP_INACTIVE, TD_SDP_SENDONLY, TD_SDP_INACTIVE, TD_SDP_SENDONLY },
		{ TD_SDP_INACTIVE, TD_SDP_SENDONLY, TD_SDP_RECVONLY, TD_SDP_SENDRECV },
	};
	char body[512], line[64];

	for (int theirs = 0; theirs < 4; theirs++) {
		for (int ours = 0; ours < 4; ours++) {
			setup();
			local.direction = (enum td_sdp_direction)ours;
			snprintf(body, sizeof body, "%sm=audio 4000 RTP/AVP 0\r\na=%s\r\n", HEAD,
				 td_sdp_direction_name((enum td_sdp_direction)theirs));
			ck_assert_int_gt(answer(body), 0);
			ck_assert_int_eq(agreed.direction, expected[theirs][ours]);
			snprintf(line, sizeof line, "\r\na=%s\r\n",
				 td_sdp_direction_name(expected[theirs][ours]));
			ck_assert(strstr(text, line) != NULL);
		}
	}
}
END_TEST

START_TEST(old_hold_by_null_address)
{
	ck_assert_int_gt(answer(HEAD "m=audio 4000 RTP/AVP 0\r\n"), 0);
	ck_assert(!td_sdp_held(&agreed));
	ck_assert_int_gt(answer("v=0\r\no=- 9 10 IN IP4 192.0.2.5\r\ns=-\r\n"
				"c=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"),
			 0);
	ck_assert(td_sdp_held(&agreed));
	ck_assert_int_eq(agreed.direction, TD_SDP_RECVONLY);
	ck_assert_uint_eq(agreed.remote.port_be, 0);
	ck_assert_uint_eq(agreed.remote_rtcp.port_be, 0);
	ck_assert(strstr(text, "a=recvonly\r\n") != NULL);
	ck_assert_int_gt(answer(HEAD "m=audio 4000 RTP/AVP 0\r\n"), 0);
	ck_assert(!td_sdp_held(&agreed));
	ck_assert_str_eq(endpoint(&agreed.remote), "192.0.2.5:4000");
}
END_TEST

START_TEST(hold_and_resume_step_the_version)
{
	ck_assert_int_gt(answer(HEAD "m=audio 4000 RTP/AVP 0\r\n"), 0);
	ck_assert_uint_eq(session.version, 1);
	ck_assert_int_gt(answer(HEAD "m=audio 4000 RTP/AVP 0\r\n"), 0); // a refresh: no change
	ck_assert_uint_eq(session.version, 1);
	ck_assert_int_gt(answer(HEAD "m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n"), 0);
	ck_assert(td_sdp_held(&agreed));
	ck_assert_uint_eq(session.version, 2);
	ck_assert_int_gt(answer(HEAD "m=audio 4000 RTP/AVP 0\r\na=inactive\r\n"), 0);
	ck_assert(td_sdp_held(&agreed));
	ck_assert_uint_eq(session.version, 3);
	ck_assert_int_gt(answer(HEAD "m=audio 4000 RTP/AVP 0\r\na=sendrecv\r\n"), 0);
	ck_assert_uint_eq(session.version, 4);
	ck_assert(strstr(text, "o=- 4711 4 IN IP4") != NULL);
	// The peer moved its port: our side of the description is the same, so is its version.
	ck_assert_int_gt(answer(HEAD "m=audio 6000 RTP/AVP 0\r\n"), 0);
	ck_assert_uint_eq(session.version, 4);
	ck_assert_str_eq(endpoint(&agreed.remote), "192.0.2.5:6000");
}
END_TEST

START_TEST(extra_lines_are_refused_in_place)
{
	ck_assert_int_gt(answer(HEAD "m=video 5000 RTP/AVP 31 34\r\na=rtpmap:31 H261/90000\r\n"
				     "m=audio 3000 RTP/AVP 18\r\nm=audio 4000 RTP/AVP 0\r\n"
				     "m=x-new 9 udp/zzz t38 x\r\n"),
			 0);
	ck_assert(strstr(text, "t=0 0\r\nm=video 0 RTP/AVP 31\r\nm=audio 0 RTP/AVP 18\r\n"
			       "m=audio 20000 RTP/AVP 0\r\n") != NULL);
	ck_assert(strstr(text, "\r\nm=x-new 0 udp/zzz t38\r\n") != NULL);
	ck_assert_str_eq(endpoint(&agreed.remote), "192.0.2.5:4000");
	// Our own offer keeps every line in its place, RFC 3264 section 8.
	ck_assert_int_gt(offer(), 0);
	ck_assert(strstr(text, "t=0 0\r\nm=video 0 RTP/AVP 0\r\nm=audio 0 RTP/AVP 0\r\n"
			       "m=audio 20000 RTP/AVP 0 8 101\r\n") != NULL);
	// And the peer may not take lines away.
	ck_assert_int_eq(answer(HEAD "m=audio 4000 RTP/AVP 0\r\n"), -TD_EMALFORMED);
}
END_TEST

START_TEST(a_codec_agreed_stays_while_it_is_offered)
{
	struct td_sdp_session before;

	ck_assert_int_gt(answer(HEAD "m=audio 4000 RTP/AVP 8\r\n"), 0);
	ck_assert_int_gt(answer(HEAD "m=audio 4000 RTP/AVP 0 8\r\n"), 0);
	ck_assert_int_eq(agreed.codec, TD_CODEC_PCMA);
	before = session;
	ck_assert_int_eq(answer(HEAD "m=audio 4000 RTP/AVP 18\r\n"), -TD_ECODEC);
	ck_assert_int_eq(answer(HEAD "m=audio 0 RTP/AVP 8\r\n"), -TD_EUNSUPPORTED);
	ck_assert_int_eq(answer(HEAD "m=image 4000 udptl t38\r\n"), -TD_EUNSUPPORTED);
	ck_assert_mem_eq(&session, &before, sizeof session);
	// A peer that has to change may: another of our list takes over, and stays in its turn.
	ck_assert_int_gt(answer(HEAD "m=audio 4000 RTP/AVP 0\r\n"), 0);
	ck_assert_int_eq(agreed.codec, TD_CODEC_PCMU);
	ck_assert_int_gt(answer(HEAD "m=audio 4000 RTP/AVP 8 0\r\n"), 0);
	ck_assert_int_eq(agreed.codec, TD_CODEC_PCMU);
}
END_TEST

static const struct {
	const char *attributes;
	const char *rtcp;
	bool mux_wanted, mux;
} rtcp_rows[] = {
	{ "", "192.0.2.5:4001", false, false },
	{ "a=rtcp:5555\r\n", "192.0.2.5:5555", false, false },
	{ "a=rtcp:5555 IN IP4 192.0.2.77\r\n", "192.0.2.77:5555", false, false },
	{ "a=rtcp:5555 IN IP6 2001:db8::1\r\n", "192.0.2.5:5555", false, false },
	{ "a=rtcp:5555 IN IP4 host.example.com\r\n", "192.0.2.5:5555", false, false },
	{ "a=rtcp:0\r\n", "192.0.2.5:4001", false, false },
	{ "a=rtcp-mux\r\n", "192.0.2.5:4000", true, true },
	{ "a=rtcp-mux\r\na=rtcp:4000\r\n", "192.0.2.5:4000", true, true },
	{ "a=rtcp-mux\r\n", "192.0.2.5:4001", false, false },
	{ "", "192.0.2.5:4001", true, false },
};

START_TEST(rtcp_row)
{
	char body[512];

	local.rtcp_mux = rtcp_rows[_i].mux_wanted;
	snprintf(body, sizeof body, "%sm=audio 4000 RTP/AVP 0\r\n%s", HEAD,
		 rtcp_rows[_i].attributes);
	ck_assert_int_gt(answer(body), 0);
	ck_assert_str_eq(endpoint(&agreed.remote_rtcp), rtcp_rows[_i].rtcp);
	ck_assert_int_eq(agreed.rtcp_mux, rtcp_rows[_i].mux);
	ck_assert_int_eq(strstr(text, "a=rtcp-mux") != NULL, rtcp_rows[_i].mux);
}
END_TEST

START_TEST(the_last_port_leaves_none_for_rtcp)
{
	ck_assert_int_gt(answer(HEAD "m=audio 65535 RTP/AVP 0\r\n"), 0);
	ck_assert_uint_eq(agreed.remote_rtcp.port_be, 0);
}
END_TEST

static const struct {
	const char *attributes;
	uint8_t ptime_ms;
} ptime_rows[] = {
	{ "", 20 },
	{ "a=ptime:10\r\n", 10 },
	{ "a=ptime:30\r\n", 30 },
	{ "a=ptime:60\r\n", 60 },
	{ "a=ptime:70\r\n", 20 },
	{ "a=ptime:25\r\n", 20 },
	{ "a=ptime:0\r\n", 20 },
	{ "a=ptime:4294967295\r\n", 20 },
	{ "a=ptime:60\r\na=maxptime:40\r\n", 40 },
	{ "a=maxptime:10\r\n", 10 },
	{ "a=maxptime:5\r\n", 20 },
};

START_TEST(ptime_row)
{
	char body[512], line[32];

	snprintf(body, sizeof body, "%sm=audio 4000 RTP/AVP 0\r\n%s", HEAD,
		 ptime_rows[_i].attributes);
	ck_assert_int_gt(answer(body), 0);
	ck_assert_uint_eq(agreed.ptime_ms, ptime_rows[_i].ptime_ms);
	snprintf(line, sizeof line, "a=ptime:%u\r\n", ptime_rows[_i].ptime_ms);
	ck_assert(strstr(text, line) != NULL);
	local.ptime_ms = 40;
	ck_assert_int_gt(answer(body), 0);
	ck_assert(strstr(text, "a=ptime:40\r\n") != NULL);
}
END_TEST

START_TEST(ipv6)
{
	const char *body = "v=0\r\no=- 9 9 IN IP6 2001:db8::9\r\ns=-\r\nc=IN IP6 2001:db8::9\r\n"
			   "t=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

	ck_assert_int_eq(td_sdp_parse(body, strlen(body), &sdp), 0);
	ck_assert_int_eq(td_sdp_family(&sdp, TD_SDP_SRTP_FORBID), TD_FAMILY_IPV6);
	ck_assert_int_eq(td_endpoint_parse_addr("fd77::2", &local.rtp), 0);
	local.rtp.port_be = htons(20000);
	ck_assert_int_gt(answer(body), 0);
	ck_assert(strstr(text, "o=- 4711 1 IN IP6 fd77::2\r\n") != NULL);
	ck_assert(strstr(text, "c=IN IP6 fd77::2\r\n") != NULL);
	ck_assert_str_eq(endpoint(&agreed.remote), "[2001:db8::9]:4000");
}
END_TEST

START_TEST(family_of_an_offer)
{
	static const char *none = HEAD "m=video 1 RTP/AVP 31\r\nm=audio 0 RTP/AVP 0\r\n";
	static const char *ipv4 = HEAD "m=video 1 RTP/AVP 31\r\nm=audio 2 RTP/AVP 0\r\n";

	ck_assert_int_eq(td_sdp_parse(none, strlen(none), &sdp), 0);
	ck_assert_int_eq(td_sdp_family(&sdp, TD_SDP_SRTP_FORBID), TD_FAMILY_NONE);
	ck_assert_int_eq(td_sdp_parse(ipv4, strlen(ipv4), &sdp), 0);
	ck_assert_int_eq(td_sdp_family(&sdp, TD_SDP_SRTP_FORBID), TD_FAMILY_IPV4);
}
END_TEST

START_TEST(no_events_when_we_have_none)
{
	local.telephone_event = false;
	ck_assert_int_gt(answer(HEAD "m=audio 4000 RTP/AVP 0 101\r\n"
				     "a=rtpmap:101 telephone-event/8000\r\n"),
			 0);
	ck_assert_uint_eq(agreed.event_payload_type, NONE);
	ck_assert(strstr(text, "telephone-event") == NULL);
}
END_TEST

START_TEST(an_answer_longer_than_its_bound_is_refused)
{
	static char body[8192] = HEAD "m=audio 4000 RTP/AVP 0\r\nm=video 1 ";

	memset(body + strlen(body), 'x', 5000);
	snprintf(body + strlen(body), sizeof body - strlen(body), " 31\r\n");
	ck_assert_int_eq(answer(body), -TD_EFULL);
	ck_assert_uint_eq(session.version, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sdp/answer");
	TCase *tc = tcase_create("answer");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, answer_text_is_exactly_this);
	tcase_add_loop_test(tc, codec_row, 0, sizeof codec_rows / sizeof codec_rows[0]);
	tcase_add_test(tc, direction_table);
	tcase_add_test(tc, old_hold_by_null_address);
	tcase_add_test(tc, hold_and_resume_step_the_version);
	tcase_add_test(tc, extra_lines_are_refused_in_place);
	tcase_add_test(tc, a_codec_agreed_stays_while_it_is_offered);
	tcase_add_loop_test(tc, rtcp_row, 0, sizeof rtcp_rows / sizeof rtcp_rows[0]);
	tcase_add_test(tc, the_last_port_leaves_none_for_rtcp);
	tcase_add_loop_test(tc, ptime_row, 0, sizeof ptime_rows / sizeof ptime_rows[0]);
	tcase_add_test(tc, ipv6);
	tcase_add_test(tc, family_of_an_offer);
	tcase_add_test(tc, no_events_when_we_have_none);
	tcase_add_test(tc, an_answer_longer_than_its_bound_is_refused);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
