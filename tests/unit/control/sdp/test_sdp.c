// Parsing descriptions: what real peers send, every bound, and what must be refused.
#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sdp/sdp.h"

#define HEAD "v=0\r\no=alice 1 1 IN IP4 192.0.2.5\r\ns=-\r\nc=IN IP4 192.0.2.5\r\nt=0 0\r\n"

static struct td_sdp sdp;
static char text[TD_SDP_BYTES_MAX + 16];

static int parse(const char *body)
{
	return td_sdp_parse(body, strlen(body), &sdp);
}

static void append(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void append(const char *format, ...)
{
	size_t len = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + len, sizeof text - len, format, args);
	va_end(args);
}

START_TEST(everything_of_one_audio_line)
{
	const struct td_sdp_media *media = &sdp.media[0];

	ck_assert_int_eq(parse(HEAD "m=audio 49170 RTP/AVP 0 8 97 101\r\n"
				    "i=speech\r\nb=AS:80\r\n"
				    "a=rtpmap:0 PCMU/8000\r\na=rtpmap:97 opus/48000/2\r\n"
				    "a=fmtp:97 useinbandfec=1; stereo=0\r\n"
				    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
				    "a=ptime:30\r\na=maxptime:150\r\na=sendonly\r\n"
				    "a=rtcp:53020 IN IP4 192.0.2.9\r\na=rtcp-mux\r\n"
				    "a=candidate:1 1 UDP 1 10.0.1.1 8998 typ host\r\n"),
			 0);
	ck_assert(td_str_equal(sdp.origin_user, TD_STR("alice")));
	ck_assert_uint_eq(sdp.media_count, 1);
	ck_assert_int_eq(media->kind, TD_SDP_AUDIO);
	ck_assert(media->rtp_avp && media->rtcp_mux && media->rtcp_present);
	ck_assert_uint_eq(media->port, 49170);
	ck_assert_uint_eq(media->ptime_ms, 30);
	ck_assert_uint_eq(media->maxptime_ms, 150);
	ck_assert_int_eq(media->direction, TD_SDP_SENDONLY);
	ck_assert_uint_eq(media->rtcp_port, 53020);
	ck_assert(media->rtcp_connection.numeric);
	ck_assert_uint_eq(media->rtcp_connection.addr.addr[3], 9);
	ck_assert_uint_eq(media->connection.addr.addr[3], 5);
	ck_assert_uint_eq(media->format_count, 4);
	ck_assert(!sdp.formats[1].mapped);
	ck_assert_uint_eq(sdp.formats[2].clock_rate_hz, 48000);
	ck_assert_uint_eq(sdp.formats[2].channels, 2);
	ck_assert(td_str_equal(sdp.formats[2].fmtp, TD_STR("useinbandfec=1; stereo=0")));
	ck_assert(td_str_equal(sdp.formats[3].encoding, TD_STR("telephone-event")));
}
END_TEST

START_TEST(media_inherit_from_the_session)
{
	ck_assert_int_eq(parse("v=0\no=- 1 1 IN IP4 h\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\n"
			       "a=inactive\nm=audio 1 RTP/AVP 0\n"
			       "m=audio 2 RTP/AVP 0\nc=IN IP6 2001:db8::2\nc=IN IP6 2001:db8::3\n"
			       "a=sendrecv\n"),
			 0);
	ck_assert_int_eq(sdp.media[0].direction, TD_SDP_INACTIVE);
	ck_assert_int_eq(sdp.media[1].direction, TD_SDP_SENDRECV);
	ck_assert_int_eq(sdp.media[0].connection.addr.family, TD_FAMILY_IPV4);
	ck_assert_int_eq(sdp.media[1].connection.addr.family, TD_FAMILY_IPV6);
	ck_assert_uint_eq(sdp.media[1].connection.addr.addr[15], 2);
}
END_TEST

// The body that RFC 4475 puts into most of its INVITEs: "31 LPC" has no clock rate, and the
// description is one to understand all the same.
START_TEST(the_torture_body)
{
	ck_assert_int_eq(parse("v=0\r\no=mhandley 29739 7272939 IN IP4 192.0.2.1\r\ns=-\r\n"
			       "c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 49217 RTP/AVP 0 12\r\n"
			       "m=video 3227 RTP/AVP 31\r\na=rtpmap:31 LPC\r\n"),
			 0);
	ck_assert_uint_eq(sdp.media_count, 2);
	ck_assert_int_eq(sdp.media[1].kind, TD_SDP_VIDEO);
	ck_assert_uint_eq(sdp.formats[2].payload_type, 31);
	ck_assert_uint_eq(sdp.formats[2].clock_rate_hz, 0);
}
END_TEST

START_TEST(other_transports_keep_their_text)
{
	ck_assert_int_eq(parse(HEAD "m=audio 0 UDP/TLS/RTP/SAVPF 0\r\nm=image 4000 udptl t38\r\n"
				    "a=T38FaxVersion:0\r\n"
				    "m=message 7394 TCP/MSRP *\r\nm=x-new 1 y z\r\n"),
			 0);
	ck_assert_uint_eq(sdp.format_count, 0);
	ck_assert(!sdp.media[0].rtp_avp);
	ck_assert_int_eq(sdp.media[1].kind, TD_SDP_IMAGE);
	ck_assert(td_str_equal(sdp.media[1].protocol_text, TD_STR("udptl")));
	ck_assert(td_str_equal(sdp.media[1].formats_text, TD_STR("t38")));
	ck_assert_int_eq(sdp.media[2].kind, TD_SDP_MESSAGE);
	ck_assert_int_eq(sdp.media[3].kind, TD_SDP_OTHER);
	ck_assert(td_str_equal(sdp.media[3].kind_text, TD_STR("x-new")));
}
END_TEST

#define AUDIO "m=audio 4000 RTP/AVP 0\r\n"

static const struct {
	const char *body;
	int error;
} verdicts[] = {
	{ HEAD AUDIO, 0 },
	{ HEAD "m=audio 4000 RTP/AVP 0", 0 }, // no line end
	{ HEAD AUDIO "\r\n\r\n", 0 },         // and too many
	{ HEAD "m=audio 4000/2 RTP/AVP 0\r\n", 0 },
	{ HEAD "m=audio 65535 RTP/AVP 0\r\n", 0 },
	{ HEAD "m=audio 0 RTP/AVP 0\r\n", 0 },
	{ HEAD "m=audio 4000 RTP/AVP 0 0 0\r\n", 0 },
	{ HEAD AUDIO "a=rtpmap:0\r\n", 0 },
	{ HEAD AUDIO "a=rtpmap:0 PCMU/0\r\n", 0 },
	{ HEAD AUDIO "a=rtpmap:0 PCMU/99999999999\r\n", 0 },
	{ HEAD AUDIO "a=rtpmap:9 G722/8000\r\n", 0 }, // not listed: passed over
	{ HEAD AUDIO "a=ptime:20.5\r\n", 0 },
	{ HEAD AUDIO "a=ptime:-1\r\n", 0 },
	{ HEAD AUDIO "a=x-unknown:\r\n", 0 },
	{ HEAD "a=rtpmap:999 session/1\r\n" AUDIO, 0 },
	{ "", -TD_ETRUNCATED },
	{ "v=0\r\n", -TD_ETRUNCATED },
	{ HEAD, -TD_ETRUNCATED },
	{ "v=0\r\ns=-\r\nt=0 0\r\n" AUDIO, -TD_ETRUNCATED },
	{ "v=0\r\no=- 1 1 IN IP4 h\r\nt=0 0\r\n" AUDIO, -TD_ETRUNCATED },
	{ "v=0\r\no=- 1 1 IN IP4 h\r\ns=-\r\n" AUDIO, -TD_ETRUNCATED },
	{ "v=1\r\n", -TD_EVERSION },
	{ "v=00\r\n", -TD_EVERSION },
	{ "v=99999999999999999999\r\n", -TD_EVERSION },
	{ "v=\r\n", -TD_EMALFORMED },
	{ "v=x\r\n", -TD_EMALFORMED },
	{ "o=- 1 1 IN IP4 h\r\nv=0\r\n", -TD_EMALFORMED },
	{ "v=0\r\ntesting=123\r\n", -TD_EMALFORMED },
	{ "v=0\r\no=- 1 1 IN IP4\r\n", -TD_EMALFORMED },
	{ "v=0\r\no=- x 1 IN IP4 h\r\n", -TD_EMALFORMED },
	{ "v=0\r\no=- 1 -1 IN IP4 h\r\n", -TD_EMALFORMED },
	{ "v=0\r\no=- 1 1 IN IP4 h more\r\n", -TD_EMALFORMED },
	{ "v=0\r\no=- 1 1 IN IP4 h\r\no=- 1 1 IN IP4 h\r\n", -TD_EMALFORMED },
	{ HEAD "q=1\r\n" AUDIO, -TD_EMALFORMED },
	{ HEAD "\r\n" AUDIO, -TD_EMALFORMED },
	{ HEAD " \r\n" AUDIO, -TD_EMALFORMED },
	{ HEAD "m =audio 4000 RTP/AVP 0\r\n", -TD_EMALFORMED },
	{ HEAD "m=\r\n", -TD_EMALFORMED },
	{ HEAD "m=audio\r\n", -TD_EMALFORMED },
	{ HEAD "m=audio 4000\r\n", -TD_EMALFORMED },
	{ HEAD "m=audio 4000 RTP/AVP\r\n", -TD_EMALFORMED },
	{ HEAD "m=audio 65536 RTP/AVP 0\r\n", -TD_EMALFORMED },
	{ HEAD "m=audio 4294967297 RTP/AVP 0\r\n", -TD_EMALFORMED },
	{ HEAD "m=audio -1 RTP/AVP 0\r\n", -TD_EMALFORMED },
	{ HEAD "m=audio 4000/x RTP/AVP 0\r\n", -TD_EMALFORMED },
	{ HEAD "m=audio 4000 RTP/AVP 128\r\n", -TD_EMALFORMED },
	{ HEAD "m=audio 4000 RTP/AVP x\r\n", -TD_EMALFORMED },
	{ HEAD "m=au\"dio 4000 RTP/AVP 0\r\n", -TD_EMALFORMED },
	{ HEAD AUDIO "c=IN IP4\r\n", -TD_EMALFORMED },
	{ HEAD AUDIO "a=\r\n", -TD_EMALFORMED },
	{ HEAD AUDIO "a=:x\r\n", -TD_EMALFORMED },
	{ HEAD AUDIO "a=rtpmap:x PCMU/8000\r\n", -TD_EMALFORMED },
	{ HEAD AUDIO "a=rtpmap:128 PCMU/8000\r\n", -TD_EMALFORMED },
	{ HEAD AUDIO "a=fmtp:\r\n", -TD_EMALFORMED },
	{ HEAD AUDIO "a=rtcp:65536\r\n", -TD_EMALFORMED },
	{ HEAD AUDIO "a=rtcp:1 IN IP4\r\n", -TD_EMALFORMED },
	{ HEAD AUDIO "a=tool:x\ry\r\n", -TD_EMALFORMED },
	{ HEAD AUDIO "c=ATM NSAP 47\r\n", -TD_EUNSUPPORTED },
};

START_TEST(verdict_rows)
{
	ck_assert_msg(parse(verdicts[_i].body) == verdicts[_i].error, "row %d: %d", _i,
		      parse(verdicts[_i].body));
}
END_TEST

START_TEST(a_nul_is_not_hidden)
{
	static const char body[] = HEAD AUDIO "a=tool:x\0y\r\n";

	ck_assert_int_eq(td_sdp_parse(body, sizeof body - 1, &sdp), -TD_EMALFORMED);
}
END_TEST

START_TEST(first_mapping_stands)
{
	ck_assert_int_eq(parse(HEAD AUDIO "a=rtpmap:0 PCMU/8000\r\na=rtpmap:0 G722/8000\r\n"), 0);
	ck_assert(td_str_equal(sdp.formats[0].encoding, TD_STR("PCMU")));
}
END_TEST

// Each bound: one below and exactly at it is taken, one beyond is refused.
START_TEST(bound_media)
{
	for (int extra = -1; extra <= 1; extra++) {
		strcpy(text, HEAD);
		for (int i = 0; i < TD_SDP_MEDIA_MAX + extra; i++)
			append("m=video 0 RTP/AVP 31\r\n");
		ck_assert_int_eq(parse(text), extra > 0 ? -TD_EFULL : 0);
	}
}
END_TEST

START_TEST(bound_formats)
{
	for (int extra = -1; extra <= 1; extra++) {
		strcpy(text, HEAD "m=audio 4000 RTP/AVP 0 1 2 3\r\nm=audio 4000 RTP/AVP");
		for (int i = 0; i < TD_SDP_FORMAT_MAX - 4 + extra; i++)
			append(" %d", i);
		append("\r\n");
		ck_assert_int_eq(parse(text), extra > 0 ? -TD_EFULL : 0);
	}
}
END_TEST

START_TEST(bound_attributes)
{
	for (int extra = -1; extra <= 1; extra++) {
		strcpy(text, HEAD AUDIO);
		for (int i = 0; i < TD_SDP_ATTRIBUTE_MAX + extra; i++)
			append("a=x:%d\r\n", i);
		ck_assert_int_eq(parse(text), extra > 0 ? -TD_EFULL : 0);
	}
}
END_TEST

START_TEST(bound_lines)
{
	for (int extra = -1; extra <= 1; extra++) {
		strcpy(text, HEAD AUDIO);
		for (int i = 0; i < TD_SDP_LINE_MAX - 6 + extra; i++)
			append("b=AS:%d\r\n", i);
		ck_assert_int_eq(parse(text), extra > 0 ? -TD_EFULL : 0);
	}
}
END_TEST

START_TEST(bound_fmtp)
{
	for (int extra = -1; extra <= 1; extra++) {
		strcpy(text, HEAD AUDIO "a=fmtp:0 ");
		for (int i = 0; i < TD_SDP_FMTP_BYTES_MAX + extra; i++)
			append("x");
		append("\r\n");
		ck_assert_int_eq(parse(text), extra > 0 ? -TD_EFULL : 0);
	}
}
END_TEST

START_TEST(bound_bytes)
{
	for (int extra = -1; extra <= 1; extra++) {
		strcpy(text, HEAD AUDIO "i=");
		memset(text + strlen(text), 'x', sizeof text - strlen(text));
		ck_assert_int_eq(td_sdp_parse(text, (size_t)(TD_SDP_BYTES_MAX + extra), &sdp),
				 extra > 0 ? -TD_EFULL : 0);
	}
}
END_TEST

// The largest that is allowed costs a bounded look-up each: many formats, many mappings.
START_TEST(a_bomb_is_taken_in_one_pass)
{
	memset(text, 0, sizeof text);
	strcpy(text, HEAD "m=audio 4000 RTP/AVP");
	for (int i = 0; i < TD_SDP_FORMAT_MAX; i++)
		append(" %d", i);
	append("\r\n");
	for (int i = 0; i < TD_SDP_ATTRIBUTE_MAX; i++)
		append("a=rtpmap:%d PCMU/8000\r\n", 95 - i % 96);
	ck_assert_int_eq(parse(text), 0);
	for (int i = 0; i < TD_SDP_FORMAT_MAX; i++)
		ck_assert(sdp.formats[i].mapped);
}
END_TEST

// Every prefix is refused or is a description of its own; none reads past its end (the copy is
// exactly as long, for the sanitizer).
START_TEST(truncation_at_every_byte)
{
	static const char body[] = HEAD "m=audio 49170 RTP/AVP 0 101\r\na=rtpmap:101 "
					"telephone-event/8000\r\na=fmtp:101 0-15\r\n"
					"a=rtcp:1 IN IP6 ::1\r\na=sendrecv\r\n";

	for (size_t len = 0; len < sizeof body; len++) {
		char *copy = malloc(len ? len : 1);

		memcpy(copy, body, len);
		if (len < sizeof HEAD)
			ck_assert_int_ne(td_sdp_parse(copy, len, &sdp), 0);
		else
			ck_assert_int_le(td_sdp_parse(copy, len, &sdp), 0);
		free(copy);
	}
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(td_sdp_direction_name(TD_SDP_RECVONLY), "recvonly");
	ck_assert_str_eq(td_sdp_direction_name(TD_SDP_SENDRECV), "sendrecv");
	ck_assert_str_eq(td_sdp_kind_name(TD_SDP_IMAGE), "image");
	ck_assert_str_eq(td_sdp_kind_name(TD_SDP_OTHER), "audio");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sdp/sdp");
	TCase *tc = tcase_create("sdp");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, everything_of_one_audio_line);
	tcase_add_test(tc, media_inherit_from_the_session);
	tcase_add_test(tc, the_torture_body);
	tcase_add_test(tc, other_transports_keep_their_text);
	tcase_add_loop_test(tc, verdict_rows, 0, sizeof verdicts / sizeof verdicts[0]);
	tcase_add_test(tc, a_nul_is_not_hidden);
	tcase_add_test(tc, first_mapping_stands);
	tcase_add_test(tc, bound_media);
	tcase_add_test(tc, bound_formats);
	tcase_add_test(tc, bound_attributes);
	tcase_add_test(tc, bound_lines);
	tcase_add_test(tc, bound_fmtp);
	tcase_add_test(tc, bound_bytes);
	tcase_add_test(tc, a_bomb_is_taken_in_one_pass);
	tcase_add_test(tc, truncation_at_every_byte);
	tcase_add_test(tc, names);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
