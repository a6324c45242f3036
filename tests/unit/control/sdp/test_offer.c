// Offering, and taking the answer.
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"

START_TEST(offer_text_is_exactly_this)
{
	local.rtcp_mux = true;
	ck_assert_int_gt(offer(), 0);
	ck_assert_str_eq(text, "v=0\r\no=- 4711 1 IN IP4 10.77.0.2\r\ns=-\r\n"
			       "c=IN IP4 10.77.0.2\r\nt=0 0\r\n"
			       "m=audio 20000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\n"
			       "a=rtpmap:8 PCMA/8000\r\n"
			       "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
			       "a=ptime:20\r\na=sendrecv\r\na=rtcp-mux\r\n");
}
END_TEST

// RFC 3264 section 5.1: each side numbers what it receives.
START_TEST(payload_types_differ_by_direction)
{
	ck_assert_int_gt(offer(), 0);
	ck_assert_int_eq(accept_answer(HEAD "m=audio 4000 RTP/AVP 8 96\r\n"
					    "a=rtpmap:96 telephone-event/8000\r\na=ptime:30\r\n"),
			 0);
	ck_assert_int_eq(agreed.codec, TD_CODEC_PCMA);
	ck_assert_uint_eq(agreed.payload_type, 8);
	ck_assert_uint_eq(agreed.payload_type_rx, 8);
	ck_assert_uint_eq(agreed.event_payload_type, 96);
	ck_assert_uint_eq(agreed.event_payload_type_rx, 101);
	ck_assert_uint_eq(agreed.ptime_ms, 30);
	// The re-offer names the agreed codec first, and our own numbers again.
	ck_assert_int_gt(offer(), 0);
	ck_assert(strstr(text, "m=audio 20000 RTP/AVP 8 0 101\r\n") != NULL);
	ck_assert_uint_eq(session.version, 2);
	ck_assert_int_gt(offer(), 0);
	ck_assert_uint_eq(session.version, 2);
}
END_TEST

START_TEST(our_hold)
{
	ck_assert_int_gt(offer(), 0);
	ck_assert_int_eq(accept_answer(HEAD "m=audio 4000 RTP/AVP 0\r\n"), 0);
	local.direction = TD_SDP_SENDONLY;
	ck_assert_int_gt(offer(), 0);
	ck_assert(strstr(text, "a=sendonly\r\n") != NULL);
	ck_assert_int_eq(accept_answer(HEAD "m=audio 4000 RTP/AVP 0\r\na=recvonly\r\n"), 0);
	ck_assert_int_eq(agreed.direction, TD_SDP_SENDONLY);
	ck_assert(!td_sdp_held(&agreed));
	ck_assert_int_eq(accept_answer(HEAD "m=audio 4000 RTP/AVP 0\r\na=inactive\r\n"), 0);
	ck_assert_int_eq(agreed.direction, TD_SDP_INACTIVE);
}
END_TEST

static const struct {
	const char *body;
	int error;
} answer_rows[] = {
	{ HEAD "m=audio 4000 RTP/AVP 0\r\n", 0 },
	{ HEAD "m=audio 0 RTP/AVP 0\r\n", -TD_ECODEC },
	{ HEAD "m=audio 4000 RTP/AVP 18\r\n", -TD_ECODEC },
	{ HEAD "m=audio 4000 RTP/SAVP 0\r\n", -TD_EUNSUPPORTED },
	{ HEAD "m=audio 4000 RTP/AVP 0\r\nm=audio 4002 RTP/AVP 0\r\n", -TD_EMALFORMED },
	{ HEAD "m=audio 4000 RTP/AVP 0\r\nc=IN IP6 ::1\r\n", -TD_EUNSUPPORTED },
};

START_TEST(answer_row)
{
	struct td_sdp_session before;

	ck_assert_int_eq(accept_answer(HEAD "m=audio 4000 RTP/AVP 0\r\n"), -TD_EMALFORMED);
	ck_assert_int_gt(offer(), 0);
	before = session;
	ck_assert_int_eq(accept_answer(answer_rows[_i].body), answer_rows[_i].error);
	if (answer_rows[_i].error)
		ck_assert_mem_eq(&session, &before, sizeof session);
}
END_TEST

START_TEST(rtcp_mux_needs_both)
{
	const char *with = HEAD "m=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\n";

	ck_assert_int_gt(offer(), 0);
	ck_assert_int_eq(accept_answer(with), 0);
	ck_assert(!agreed.rtcp_mux);
	setup();
	local.rtcp_mux = true;
	ck_assert_int_gt(offer(), 0);
	ck_assert_int_eq(accept_answer(with), 0);
	ck_assert(agreed.rtcp_mux);
	ck_assert_str_eq(endpoint(&agreed.remote_rtcp), "192.0.2.5:4000");
}
END_TEST

START_TEST(an_event_type_steps_aside_for_the_codec)
{
	ck_assert_int_gt(answer(HEAD "m=audio 4000 RTP/AVP 101\r\na=rtpmap:101 PCMA/8000\r\n"), 0);
	ck_assert_int_gt(offer(), 0);
	ck_assert(strstr(text, "m=audio 20000 RTP/AVP 101 0 96\r\n") != NULL);
}
END_TEST

// Every size of buffer: it fits, or it is refused with the state as it was; never one byte beyond.
START_TEST(buffer_of_every_size)
{
	int needed;

	ck_assert_int_gt(needed = offer(), 0);
	for (size_t bytes = 0; bytes <= (size_t)needed + 1; bytes++) {
		char *small = malloc(bytes ? bytes : 1);
		int len;

		setup();
		len = td_sdp_offer(&session, &local, small, bytes);
		ck_assert_int_eq(len, bytes > (size_t)needed ? needed : -TD_EFULL);
		ck_assert_uint_eq(session.version, bytes > (size_t)needed);
		free(small);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sdp/offer");
	TCase *tc = tcase_create("offer");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, offer_text_is_exactly_this);
	tcase_add_test(tc, payload_types_differ_by_direction);
	tcase_add_test(tc, our_hold);
	tcase_add_loop_test(tc, answer_row, 0, sizeof answer_rows / sizeof answer_rows[0]);
	tcase_add_test(tc, rtcp_mux_needs_both);
	tcase_add_test(tc, an_event_type_steps_aside_for_the_codec);
	tcase_add_test(tc, buffer_of_every_size);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
