// Payload types over a dialog: none means two things, and none changes without need.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"

static void want_opus_pcma(void)
{
	local.codecs[0] = TD_CODEC_OPUS;
	local.codecs[1] = TD_CODEC_PCMA;
	local.codec_count = 2;
}

START_TEST(clock_rates)
{
	ck_assert_uint_eq(td_sdp_clock_idx(8000), 0);
	ck_assert_uint_eq(td_sdp_clock_idx(16000), 1);
	ck_assert_uint_eq(td_sdp_clock_idx(32000), 2);
	ck_assert_uint_eq(td_sdp_clock_idx(48000), 3);
}
END_TEST

START_TEST(numbers_stay)
{
	want_opus_pcma();
	ck_assert_int_gt(offer(), 0);
	ck_assert_ptr_nonnull(strstr(text, "RTP/AVP 96 8 101 97\r\n"));
	ck_assert_int_eq(accept_answer(HEAD "m=audio 4000 RTP/AVP 8\r\n"), 0);
	ck_assert_int_gt(offer(), 0);
	ck_assert_ptr_nonnull(strstr(text, "RTP/AVP 8 96 101 97\r\n"));
}
END_TEST

// RFC 3264 section 6.1: the answer takes the offer's numbers, and our next offer keeps them.
START_TEST(the_peers_numbers_become_ours)
{
	want_opus_pcma();
	ck_assert_int_gt(answer(HEAD "m=audio 4000 RTP/AVP 111 110 97\r\n"
				     "a=rtpmap:111 opus/48000/2\r\n"
				     "a=rtpmap:110 telephone-event/48000\r\n"
				     "a=rtpmap:97 PCMA/8000\r\n"),
			 0);
	ck_assert_uint_eq(agreed.payload_type_rx, 111);
	ck_assert_int_gt(offer(), 0);
	ck_assert_ptr_nonnull(strstr(text, "RTP/AVP 111 97 101 110\r\n"));
}
END_TEST

// What the peer has used for something that we do not know is not ours to use.
START_TEST(the_peers_unknown_formats_keep_their_numbers)
{
	want_opus_pcma();
	ck_assert_int_gt(answer(HEAD "m=audio 4000 RTP/AVP 8 96 97 101\r\n"
				     "a=rtpmap:96 speex/16000\r\na=rtpmap:97 iLBC/8000\r\n"
				     "a=rtpmap:101 AMR/8000\r\n"),
			 0);
	ck_assert_int_gt(offer(), 0);
	ck_assert_ptr_nonnull(strstr(text, "RTP/AVP 8 98 99 100\r\n"));
}
END_TEST

START_TEST(a_number_that_the_peer_gives_away_is_lost)
{
	want_opus_pcma();
	ck_assert_int_gt(offer(), 0); // Opus is 96
	ck_assert_int_gt(answer(HEAD "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 PCMA/8000\r\n"), 0);
	ck_assert_int_eq(agreed.codec, TD_CODEC_PCMA);
	ck_assert_uint_eq(agreed.payload_type_rx, 96);
	ck_assert_int_gt(offer(), 0);
	ck_assert_ptr_nonnull(strstr(text, "RTP/AVP 96 98 101 97\r\n"));
}
END_TEST

// All 32 dynamic types taken: what RFC 3551 leaves unassigned is next. When that is gone as well, a
// codec is left out, and events too.
START_TEST(when_all_numbers_are_used_up)
{
	char body[4096] = HEAD "m=audio 4000 RTP/AVP 8";
	size_t at = strlen(body);

	want_opus_pcma();
	for (unsigned type = 96; type <= 127; type++)
		at += (size_t)snprintf(body + at, sizeof body - at, " %u", type);
	snprintf(body + at, sizeof body - at, "\r\n");
	ck_assert_int_gt(answer(body), 0);
	ck_assert_int_gt(offer(), 0);
	ck_assert_ptr_nonnull(strstr(text, "RTP/AVP 8 35 36 37\r\n"));
	setup();
	want_opus_pcma();
	for (unsigned type = 35; type <= 63; type++)
		at += (size_t)snprintf(body + at, sizeof body - at, " %u", type);
	snprintf(body + at, sizeof body - at, "\r\n");
	ck_assert_int_gt(answer(body), 0);
	ck_assert_int_gt(offer(), 0);
	ck_assert_ptr_nonnull(strstr(text, "RTP/AVP 8\r\n"));
}
END_TEST

// Any sequence of exchanges: in every description of ours each number stands for one format.
START_TEST(never_one_number_for_two_formats)
{
	static const char *const formats[] = {
		"opus/48000/2",
		"PCMA/8000",
		"G722/8000",
		"telephone-event/8000",
		"telephone-event/48000",
		"CN/8000",
		"L16/16000",
		"telephone-event/16000",
		"CN/16000",
		"speex/8000",
	};
	unsigned random = 1;

	for (int dialog = 0; dialog < 200; dialog++) {
		setup();
		local.codecs[0] = TD_CODEC_OPUS;
		local.codecs[1] = TD_CODEC_L16_16;
		local.codecs[2] = TD_CODEC_PCMA;
		local.codecs[3] = TD_CODEC_G722;
		local.codec_count = 4;
		for (int turn = 0; turn < 8; turn++) {
			char body[2048], maps[1024];
			size_t at = 0, line;
			bool used[128] = { false };

			line = (size_t)snprintf(body, sizeof body, "%sm=audio 4000 RTP/AVP", HEAD);
			for (int i = 0; i < 6; i++) {
				unsigned type =
					96 + (random = random * 1103515245 + 12345) / 65536 % 8;

				line += (size_t)snprintf(body + line, sizeof body - line, " %u",
							 type);
				at += (size_t)snprintf(
					maps + at, sizeof maps - at, "a=rtpmap:%u %s\r\n", type,
					formats[(random = random * 1103515245 + 12345) / 65536 %
						10]);
			}
			snprintf(body + line, sizeof body - line, "\r\n%s", maps);
			if (turn % 2 ? accept_answer(body) != 0 : answer(body) < 0)
				ck_assert_int_gt(offer(), 0);
			ck_assert_int_gt(offer(), 0);
			ck_assert_int_eq(td_sdp_parse(text, strlen(text), &sdp), 0);
			for (uint32_t i = 0; i < sdp.format_count; i++) {
				ck_assert(!used[sdp.formats[i].payload_type]);
				used[sdp.formats[i].payload_type] = true;
			}
			// Each with its own rtpmap: the parser drops a second of the same number.
			ck_assert_ptr_nonnull(strstr(text, "opus/48000/2"));
			ck_assert_ptr_nonnull(strstr(text, "telephone-event/16000"));
			ck_assert_ptr_nonnull(strstr(text, "telephone-event/48000"));
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sdp/number");
	TCase *tc = tcase_create("number");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, clock_rates);
	tcase_add_test(tc, numbers_stay);
	tcase_add_test(tc, the_peers_numbers_become_ours);
	tcase_add_test(tc, the_peers_unknown_formats_keep_their_numbers);
	tcase_add_test(tc, a_number_that_the_peer_gives_away_is_lost);
	tcase_add_test(tc, when_all_numbers_are_used_up);
	tcase_add_test(tc, never_one_number_for_two_formats);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
