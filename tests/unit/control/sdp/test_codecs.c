// Codecs in offers and answers: descriptions as real phones and carriers write them against the
// codec lists of real configurations.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codecs/codec.h"
#include "exchange.h"
#include "sdp/format.h"

static void want(const enum td_codec_id *codecs, unsigned count)
{
	local.codec_count = (uint8_t)count;
	memcpy(local.codecs, codecs, count * sizeof *codecs);
}

#define WANT(...)                                                                                  \
	want((const enum td_codec_id[]){ __VA_ARGS__ },                                            \
	     sizeof((const enum td_codec_id[]){ __VA_ARGS__ }) / sizeof(enum td_codec_id))

// The offers of the field.
#define BARESIP                                                                                    \
	"m=audio 30000 RTP/AVP 96 9 8 0 101\r\na=rtpmap:96 opus/48000/2\r\n"                       \
	"a=fmtp:96 stereo=1;sprop-stereo=1\r\na=rtpmap:9 G722/8000\r\na=rtpmap:8 PCMA/8000\r\n"    \
	"a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"         \
	"a=rtcp:30001\r\na=sendrecv\r\na=label:1\r\na=ptime:20\r\n"
#define LINPHONE                                                                                   \
	"m=audio 7078 RTP/AVP 96 97 98 0 8 18 101 99 100\r\na=rtpmap:96 opus/48000/2\r\n"          \
	"a=fmtp:96 useinbandfec=1\r\na=rtpmap:97 speex/16000\r\na=fmtp:97 vbr=on\r\n"              \
	"a=rtpmap:98 speex/8000\r\na=fmtp:98 vbr=on\r\na=fmtp:18 annexb=yes\r\n"                   \
	"a=rtpmap:101 telephone-event/48000\r\na=rtpmap:99 telephone-event/16000\r\n"              \
	"a=rtpmap:100 telephone-event/8000\r\na=rtcp-fb:* trr-int 1000\r\n"
#define POLYCOM                                                                                    \
	"m=audio 2224 RTP/AVP 9 0 8 18 127\r\na=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\n"    \
	"a=rtpmap:8 PCMA/8000\r\na=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\n"                 \
	"a=rtpmap:127 telephone-event/8000\r\n"
#define CARRIER                                                                                    \
	"m=audio 16384 RTP/AVP 8 0 18 13 101\r\na=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=yes\r\n" \
	"a=rtpmap:13 CN/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"          \
	"a=ptime:20\r\na=maxptime:40\r\n"
#define WEBRTC                                                                                     \
	"m=audio 9 RTP/AVP 111 63 103 104 9 0 8 106 105 13 110 112 113 126\r\n"                    \
	"a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\n"                              \
	"a=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\n"                     \
	"a=fmtp:63 111/111\r\na=rtpmap:103 ISAC/16000\r\na=rtpmap:104 ISAC/32000\r\n"              \
	"a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"                 \
	"a=rtpmap:106 CN/32000\r\na=rtpmap:105 CN/16000\r\na=rtpmap:13 CN/8000\r\n"                \
	"a=rtpmap:110 telephone-event/48000\r\na=rtpmap:112 telephone-event/32000\r\n"             \
	"a=rtpmap:113 telephone-event/16000\r\na=rtpmap:126 telephone-event/8000\r\n"
#define L16                                                                                        \
	"m=audio 4000 RTP/AVP 96 97 98 99 13 100 101 102 103\r\na=rtpmap:96 L16/16000\r\n"         \
	"a=rtpmap:97 L16/8000/1\r\na=rtpmap:98 L16/48000\r\na=rtpmap:99 L16/32000\r\n"             \
	"a=rtpmap:100 CN/16000\r\na=rtpmap:101 telephone-event/16000\r\n"                          \
	"a=rtpmap:102 CN/48000\r\na=rtpmap:103 telephone-event/8000\r\n"

static const struct {
	const char *offer;
	enum td_codec_id wanted[3];
	enum td_codec_id codec; // TD_CODEC_NONE: -TD_ECODEC
	uint8_t payload_type, event, noise, ptime_ms;
	unsigned flags;
} answer_rows[] = {
	// Our order decides, not theirs.
	// Events at 8000 beside Opus, where there are no others.
	{ BARESIP, { TD_CODEC_OPUS }, TD_CODEC_OPUS, 96, 101, NONE, 20, 0 },
	{ BARESIP, { TD_CODEC_PCMA, TD_CODEC_OPUS }, TD_CODEC_PCMA, 8, 101, NONE, 20, 0 },
	{ BARESIP, { TD_CODEC_GSM, TD_CODEC_G722 }, TD_CODEC_G722, 9, 101, NONE, 20, 0 },
	{ BARESIP, { TD_CODEC_GSM, TD_CODEC_G729 }, TD_CODEC_NONE, 0, 0, 0, 0, 0 },
	{ LINPHONE,
	  { TD_CODEC_OPUS, TD_CODEC_PCMU },
	  TD_CODEC_OPUS,
	  96,
	  101,
	  NONE,
	  20,
	  TD_CODEC_FEC },
	{ LINPHONE, { TD_CODEC_G722, TD_CODEC_PCMA }, TD_CODEC_PCMA, 8, 100, NONE, 20, 0 },
	{ LINPHONE, { TD_CODEC_G729 }, TD_CODEC_G729, 18, 100, NONE, 20, TD_CODEC_ANNEXB },
	{ POLYCOM, { TD_CODEC_G722, TD_CODEC_PCMU }, TD_CODEC_G722, 9, 127, NONE, 20, 0 },
	{ POLYCOM, { TD_CODEC_G729, TD_CODEC_PCMU }, TD_CODEC_G729, 18, 127, NONE, 20, 0 },
	{ CARRIER,
	  { TD_CODEC_OPUS, TD_CODEC_G722, TD_CODEC_PCMA },
	  TD_CODEC_PCMA,
	  8,
	  101,
	  13,
	  20,
	  0 },
	{ CARRIER, { TD_CODEC_G729 }, TD_CODEC_G729, 18, 101, NONE, 20, TD_CODEC_ANNEXB },
	{ WEBRTC, { TD_CODEC_OPUS }, TD_CODEC_OPUS, 111, 110, NONE, 20, TD_CODEC_FEC },
	{ WEBRTC, { TD_CODEC_G722 }, TD_CODEC_G722, 9, 126, 13, 20, 0 },
	{ WEBRTC, { TD_CODEC_PCMU }, TD_CODEC_PCMU, 0, 126, 13, 20, 0 },
	{ L16, { TD_CODEC_L16_16, TD_CODEC_L16_8 }, TD_CODEC_L16_16, 96, 101, 100, 20, 0 },
	{ L16, { TD_CODEC_L16_8 }, TD_CODEC_L16_8, 97, 103, 13, 20, 0 },
	{ L16, { TD_CODEC_L16_32 }, TD_CODEC_L16_32, 99, 103, NONE, 20, 0 },
	// 20 ms of it would not fit into a datagram.
	{ L16, { TD_CODEC_L16_48 }, TD_CODEC_L16_48, 98, 103, 102, 10, 0 },
	{ L16, { TD_CODEC_PCMU, TD_CODEC_OPUS }, TD_CODEC_NONE, 0, 0, 0, 0, 0 },
	// Static types need no rtpmap.
	{ "m=audio 1 RTP/AVP 3\r\n", { TD_CODEC_GSM }, TD_CODEC_GSM, 3, NONE, NONE, 20, 0 },
	{ "m=audio 1 RTP/AVP 9\r\n", { TD_CODEC_G722 }, TD_CODEC_G722, 9, NONE, NONE, 20, 0 },
	{ "m=audio 1 RTP/AVP 18\r\n",
	  { TD_CODEC_G729 },
	  TD_CODEC_G729,
	  18,
	  NONE,
	  NONE,
	  20,
	  TD_CODEC_ANNEXB },
	{ "m=audio 1 RTP/AVP 0 13\r\n", { TD_CODEC_PCMU }, TD_CODEC_PCMU, 0, NONE, 13, 20, 0 },
	// GSM has a silence of its own.
	{ "m=audio 1 RTP/AVP 3 13\r\n", { TD_CODEC_GSM }, TD_CODEC_GSM, 3, NONE, NONE, 20, 0 },
	// The static types of L16 are 44.1 kHz, which we do not have.
	{ "m=audio 1 RTP/AVP 10 11\r\n", { TD_CODEC_L16_8 }, TD_CODEC_NONE, 0, 0, 0, 0, 0 },
	{ "m=audio 1 RTP/AVP 13\r\n", { TD_CODEC_PCMU }, TD_CODEC_NONE, 0, 0, 0, 0, 0 },
	// RFC 7587 wants "/2", but mono cannot mean anything else; another clock rate can.
	{ "m=audio 1 RTP/AVP 96\r\na=rtpmap:96 OPUS/48000\r\n",
	  { TD_CODEC_OPUS },
	  TD_CODEC_OPUS,
	  96,
	  NONE,
	  NONE,
	  20,
	  0 },
	{ "m=audio 1 RTP/AVP 96\r\na=rtpmap:96 opus/48000/3\r\n",
	  { TD_CODEC_OPUS },
	  TD_CODEC_NONE,
	  0,
	  0,
	  0,
	  0,
	  0 },
	{ "m=audio 1 RTP/AVP 96\r\na=rtpmap:96 opus/16000/2\r\n",
	  { TD_CODEC_OPUS },
	  TD_CODEC_NONE,
	  0,
	  0,
	  0,
	  0,
	  0 },
	{ "m=audio 1 RTP/AVP 9\r\na=rtpmap:9 G722/16000\r\n",
	  { TD_CODEC_G722 },
	  TD_CODEC_NONE,
	  0,
	  0,
	  0,
	  0,
	  0 },
	{ "m=audio 1 RTP/AVP 96\r\na=rtpmap:96 L16/8000/2\r\n",
	  { TD_CODEC_L16_8 },
	  TD_CODEC_NONE,
	  0,
	  0,
	  0,
	  0,
	  0 },
	// Events that a telephone's twelve keys are not among are of no use.
	{ "m=audio 1 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 32-36\r\n",
	  { TD_CODEC_PCMU },
	  TD_CODEC_PCMU,
	  0,
	  NONE,
	  NONE,
	  20,
	  0 },
	{ "m=audio 1 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-11\r\n",
	  { TD_CODEC_PCMU },
	  TD_CODEC_PCMU,
	  0,
	  101,
	  NONE,
	  20,
	  0 },
	{ "m=audio 1 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-10\r\n",
	  { TD_CODEC_PCMU },
	  TD_CODEC_PCMU,
	  0,
	  NONE,
	  NONE,
	  20,
	  0 },
};

// The clock that was agreed is the one that the answer says.
static void event_clock_is_answered(void)
{
	char line[64];

	snprintf(line, sizeof line, "a=rtpmap:%u telephone-event/%u\r\n", agreed.event_payload_type,
		 agreed.event_clock_hz);
	ck_assert_ptr_nonnull(strstr(text, line));
	ck_assert(agreed.event_clock_hz == td_codec_clock_hz(agreed.codec) ||
		  agreed.event_clock_hz == 8000);
}

START_TEST(answer_row)
{
	static char body[4096];
	unsigned count = 0;
	int len;

	while (count < 3 && answer_rows[_i].wanted[count] != TD_CODEC_NONE)
		count++;
	want(answer_rows[_i].wanted, count);
	local.opus.flags = TD_CODEC_FEC;
	snprintf(body, sizeof body, "%s%s", HEAD, answer_rows[_i].offer);
	len = answer(body);
	if (answer_rows[_i].codec == TD_CODEC_NONE) {
		ck_assert_int_eq(len, -TD_ECODEC);
		return;
	}
	ck_assert_int_gt(len, 0);
	ck_assert_int_eq(agreed.codec, answer_rows[_i].codec);
	ck_assert_uint_eq(agreed.payload_type, answer_rows[_i].payload_type);
	ck_assert_uint_eq(agreed.payload_type_rx, answer_rows[_i].payload_type);
	ck_assert_uint_eq(agreed.event_payload_type, answer_rows[_i].event);
	ck_assert_uint_eq(agreed.event_payload_type_rx, answer_rows[_i].event);
	ck_assert_uint_eq(agreed.cn_payload_type, answer_rows[_i].noise);
	ck_assert_uint_eq(agreed.cn_payload_type_rx, answer_rows[_i].noise);
	ck_assert_uint_eq(agreed.ptime_ms, answer_rows[_i].ptime_ms);
	ck_assert_uint_eq(agreed.settings.flags, answer_rows[_i].flags);
	if (answer_rows[_i].event != NONE)
		event_clock_is_answered();
	else
		ck_assert_uint_eq(agreed.event_clock_hz, td_codec_clock_hz(agreed.codec));
}
END_TEST

START_TEST(answers_are_exactly_these)
{
	WANT(TD_CODEC_OPUS);
	local.opus = (struct td_codec_settings){ .max_hz = 16000, .flags = TD_CODEC_FEC };
	ck_assert_int_gt(answer(HEAD WEBRTC), 0);
	ck_assert_ptr_nonnull(
		strstr(text, "m=audio 20000 RTP/AVP 111 110\r\na=rtpmap:111 opus/48000/2\r\n"
			     "a=fmtp:111 maxplaybackrate=16000;sprop-maxcapturerate=16000;"
			     "useinbandfec=1\r\na=rtpmap:110 telephone-event/48000\r\n"
			     "a=fmtp:110 0-15\r\na=ptime:20\r\na=sendrecv\r\n"));
	setup();
	WANT(TD_CODEC_PCMA);
	ck_assert_int_gt(answer(HEAD CARRIER), 0);
	ck_assert_ptr_nonnull(strstr(text,
				     "m=audio 20000 RTP/AVP 8 13 101\r\na=rtpmap:8 PCMA/8000\r\n"
				     "a=rtpmap:13 CN/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
				     "a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"));
	setup();
	WANT(TD_CODEC_G729);
	ck_assert_int_gt(answer(HEAD POLYCOM), 0);
	ck_assert_ptr_nonnull(strstr(text, "m=audio 20000 RTP/AVP 18 127\r\n"
					   "a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\n"));
}
END_TEST

START_TEST(an_offer_of_everything)
{
	for (unsigned i = 0; i < TD_SDP_LOCAL_CODEC_MAX; i++)
		local.codecs[i] = (enum td_codec_id)(i + 1);
	local.codec_count = TD_SDP_LOCAL_CODEC_MAX;
	ck_assert_int_gt(offer(), 0);
	ck_assert_ptr_nonnull(strstr(
		text, "m=audio 20000 RTP/AVP 0 8 9 3 96 97 98 99 100 18 101 102 103 104\r\n"
		      "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:9 G722/8000\r\n"
		      "a=rtpmap:3 GSM/8000\r\na=rtpmap:96 L16/8000\r\na=rtpmap:97 L16/16000\r\n"
		      "a=rtpmap:98 L16/32000\r\na=rtpmap:99 L16/48000\r\n"
		      "a=rtpmap:100 opus/48000/2\r\na=rtpmap:18 G729/8000\r\n"
		      "a=fmtp:18 annexb=yes\r\na=rtpmap:101 telephone-event/8000\r\n"
		      "a=fmtp:101 0-15\r\na=rtpmap:102 telephone-event/16000\r\n"
		      "a=fmtp:102 0-15\r\na=rtpmap:103 telephone-event/32000\r\n"
		      "a=fmtp:103 0-15\r\na=rtpmap:104 telephone-event/48000\r\n"
		      "a=fmtp:104 0-15\r\na=ptime:20\r\na=sendrecv\r\n"));
	// It can be parsed, and every codec of it is found again.
	ck_assert_int_eq(td_sdp_parse(text, strlen(text), &sdp), 0);
	for (int codec = TD_CODEC_NONE + 1; codec < TD_CODEC_COUNT; codec++)
		ck_assert_ptr_nonnull(
			td_sdp_find_codec(&sdp, &sdp.media[0], (enum td_codec_id)codec));
}
END_TEST

static const struct {
	const char *answer;
	enum td_codec_id codec; // of an offer of Opus, G722, PCMA, L16/16000; NONE: -TD_ECODEC
	uint8_t tx, rx, event_tx, event_rx;
} accept_rows[] = {
	{ "9 101", TD_CODEC_G722, 9, 9, 101, 101 },
	{ "8", TD_CODEC_PCMA, 8, 8, NONE, NONE },
	// The answer's order is what its writer will send.
	{ "8 9 101", TD_CODEC_PCMA, 8, 8, 101, 101 },
	{ "96 99\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:99 telephone-event/48000", TD_CODEC_OPUS,
	  96, 96, 99, 99 },
	// Other numbers than ours: both hold, each in its direction.
	{ "111 101\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:101 telephone-event/48000",
	  TD_CODEC_OPUS, 111, 96, 101, 99 },
	{ "120 121\r\na=rtpmap:120 L16/16000\r\na=rtpmap:121 telephone-event/16000",
	  TD_CODEC_L16_16, 120, 97, 121, 98 },
	// Events at 8000 are what a phone may have alone; at a third clock rate they are not agreed.
	{ "96 101\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:101 telephone-event/8000", TD_CODEC_OPUS,
	  96, 96, 101, 101 },
	{ "96 98\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:98 telephone-event/16000", TD_CODEC_OPUS,
	  96, 96, NONE, NONE },
	// What we did not offer comes first: it is passed over.
	{ "0 8 101", TD_CODEC_PCMA, 8, 8, 101, 101 },
	{ "0", TD_CODEC_NONE, 0, 0, 0, 0 },
	{ "18 3", TD_CODEC_NONE, 0, 0, 0, 0 },
	{ "101\r\na=rtpmap:101 telephone-event/8000", TD_CODEC_NONE, 0, 0, 0, 0 },
	{ "97\r\na=rtpmap:97 L16/8000", TD_CODEC_NONE, 0, 0, 0, 0 },
};

START_TEST(accept_row)
{
	bool mapped = strstr(accept_rows[_i].answer, "rtpmap:101") != NULL;
	char body[512];
	int error;

	WANT(TD_CODEC_OPUS, TD_CODEC_G722, TD_CODEC_PCMA, TD_CODEC_L16_16);
	ck_assert_int_gt(offer(), 0);
	ck_assert_ptr_nonnull(strstr(text, "RTP/AVP 96 9 8 97 101 98 99\r\n"));
	snprintf(body, sizeof body, "%sm=audio 4000 RTP/AVP %s\r\n%s", HEAD, accept_rows[_i].answer,
		 mapped ? "" : "a=rtpmap:101 telephone-event/8000\r\n");
	error = accept_answer(body);
	if (accept_rows[_i].codec == TD_CODEC_NONE) {
		ck_assert_int_eq(error, -TD_ECODEC);
		return;
	}
	ck_assert_int_eq(error, 0);
	ck_assert_int_eq(agreed.codec, accept_rows[_i].codec);
	ck_assert_uint_eq(agreed.payload_type, accept_rows[_i].tx);
	ck_assert_uint_eq(agreed.payload_type_rx, accept_rows[_i].rx);
	ck_assert_uint_eq(agreed.event_payload_type, accept_rows[_i].event_tx);
	ck_assert_uint_eq(agreed.event_payload_type_rx, accept_rows[_i].event_rx);
	// We never offered comfort noise.
	ck_assert_uint_eq(agreed.cn_payload_type, NONE);
	ck_assert_uint_eq(agreed.cn_payload_type_rx, NONE);
}
END_TEST

START_TEST(an_offer_of_opus_alone_has_events_at_both_clocks)
{
	WANT(TD_CODEC_OPUS);
	ck_assert_int_gt(offer(), 0);
	ck_assert_ptr_nonnull(strstr(text, "a=rtpmap:101 telephone-event/8000\r\n"));
	ck_assert_ptr_nonnull(strstr(text, " telephone-event/48000\r\n"));
	ck_assert_int_eq(accept_answer(HEAD "m=audio 4000 RTP/AVP 96 101\r\n"
					    "a=rtpmap:96 opus/48000/2\r\n"
					    "a=rtpmap:101 telephone-event/8000\r\n"),
			 0);
	ck_assert_uint_eq(agreed.event_payload_type, 101);
	ck_assert_uint_eq(agreed.event_payload_type_rx, 101);
	ck_assert_uint_eq(agreed.event_clock_hz, 8000);
}
END_TEST

START_TEST(comfort_noise_we_did_not_offer_is_not_agreed)
{
	WANT(TD_CODEC_PCMA);
	ck_assert_int_gt(offer(), 0);
	ck_assert_int_eq(accept_answer(HEAD "m=audio 4000 RTP/AVP 8 13\r\n"), 0);
	ck_assert_uint_eq(agreed.cn_payload_type, NONE);
	ck_assert_uint_eq(agreed.cn_payload_type_rx, NONE);
	// The peer brings it up itself: from then on our offers have it too.
	ck_assert_int_gt(answer(HEAD "m=audio 4000 RTP/AVP 8 13\r\n"), 0);
	ck_assert_uint_eq(agreed.cn_payload_type, 13);
	ck_assert_int_gt(offer(), 0);
	ck_assert_ptr_nonnull(strstr(text, "RTP/AVP 8 13 101\r\n"));
	ck_assert_int_eq(accept_answer(HEAD "m=audio 4000 RTP/AVP 8 13\r\n"), 0);
	ck_assert_uint_eq(agreed.cn_payload_type_rx, 13);
}
END_TEST

// Packets as the peer asks, within what the codec can do and both bounds say.
static const struct {
	enum td_codec_id codec;
	unsigned local_ms;
	const char *attributes;
	uint8_t sent_ms, asked_ms;
} ptime_rows[] = {
	{ TD_CODEC_PCMA, 0, "", 20, 20 },
	{ TD_CODEC_PCMA, 30, "", 30, 30 },
	{ TD_CODEC_PCMA, 30, "a=ptime:10\r\n", 10, 30 },
	{ TD_CODEC_PCMA, 0, "a=ptime:9\r\n", 20, 20 },
	{ TD_CODEC_PCMA, 0, "a=ptime:10\r\n", 10, 10 },
	{ TD_CODEC_PCMA, 0, "a=ptime:11\r\n", 20, 20 },
	{ TD_CODEC_PCMA, 0, "a=ptime:59\r\n", 20, 20 },
	{ TD_CODEC_PCMA, 0, "a=ptime:60\r\n", 60, 60 },
	{ TD_CODEC_PCMA, 0, "a=ptime:61\r\n", 20, 20 },
	{ TD_CODEC_PCMA, 40, "a=ptime:25\r\n", 40, 40 },
	{ TD_CODEC_PCMA, 0, "a=ptime:60\r\na=maxptime:59\r\n", 50, 50 },
	{ TD_CODEC_PCMA, 0, "a=ptime:60\r\na=maxptime:10\r\n", 10, 10 },
	{ TD_CODEC_PCMA, 0, "a=ptime:60\r\na=maxptime:9\r\n", 60, 60 },
	{ TD_CODEC_PCMA, 60, "a=maxptime:20\r\n", 20, 60 },
	{ TD_CODEC_G722, 0, "a=ptime:50\r\n", 50, 50 },
	{ TD_CODEC_GSM, 0, "a=ptime:10\r\n", 20, 20 },
	{ TD_CODEC_GSM, 0, "a=ptime:30\r\n", 20, 20 },
	{ TD_CODEC_GSM, 0, "a=ptime:50\r\n", 40, 40 },
	{ TD_CODEC_GSM, 30, "a=ptime:60\r\n", 60, 20 },
	{ TD_CODEC_G729, 0, "a=ptime:30\r\n", 30, 30 },
	{ TD_CODEC_OPUS, 0, "a=ptime:10\r\n", 10, 10 },
	{ TD_CODEC_OPUS, 0, "a=ptime:30\r\n", 20, 20 },
	{ TD_CODEC_OPUS, 0, "a=ptime:50\r\n", 40, 40 },
	{ TD_CODEC_OPUS, 0, "a=ptime:60\r\n", 60, 60 },
	{ TD_CODEC_OPUS, 0, "a=ptime:10\r\na=fmtp:96 minptime=20\r\n", 20, 20 },
	{ TD_CODEC_OPUS, 0, "a=ptime:10\r\na=fmtp:96 minptime=11\r\n", 20, 20 },
	{ TD_CODEC_OPUS, 0, "a=ptime:10\r\na=maxptime:10\r\na=fmtp:96 minptime=40\r\n", 10, 10 },
	{ TD_CODEC_OPUS, 0, "a=ptime:20\r\na=fmtp:96 minptime=120\r\n", 20, 20 },
	{ TD_CODEC_L16_8, 0, "a=ptime:60\r\n", 60, 60 },
	{ TD_CODEC_L16_16, 0, "a=ptime:60\r\n", 40, 40 },
	{ TD_CODEC_L16_32, 0, "a=ptime:60\r\n", 20, 20 },
	{ TD_CODEC_L16_48, 0, "a=ptime:60\r\n", 10, 10 },
};

START_TEST(ptime_row)
{
	enum td_codec_id codec = ptime_rows[_i].codec;
	char body[512], line[32];

	WANT(codec);
	local.ptime_ms = (uint8_t)ptime_rows[_i].local_ms;
	snprintf(body, sizeof body, "%sm=audio 4000 RTP/AVP 96\r\na=rtpmap:96 %s/%u%s\r\n%s", HEAD,
		 td_codec_encoding(codec), td_codec_clock_hz(codec),
		 codec == TD_CODEC_OPUS ? "/2" : "", ptime_rows[_i].attributes);
	ck_assert_int_gt(answer(body), 0);
	ck_assert_uint_eq(agreed.ptime_ms, ptime_rows[_i].sent_ms);
	snprintf(line, sizeof line, "a=ptime:%u\r\n", ptime_rows[_i].asked_ms);
	ck_assert_msg(strstr(text, line) != NULL, "%s", text);
}
END_TEST

// The lengths that are chosen here are ones the codec itself can code, into one datagram.
START_TEST(packets_suit_the_codecs)
{
	for (int id = TD_CODEC_NONE + 1; id < TD_CODEC_COUNT; id++) {
		const struct td_codec *codec = td_codec_get((enum td_codec_id)id);

		if (!codec)
			continue;
		ck_assert_uint_eq(td_sdp_static_type(codec->id), codec->static_payload_type);
		ck_assert_uint_eq(td_codec_clock_hz(codec->id), codec->clock_hz);
		ck_assert_uint_eq(td_sdp_fit_ptime(codec->id, UINT32_MAX), codec->ptime_max_ms);
		for (uint32_t ms = 0; ms <= 70; ms++) {
			unsigned fit = td_sdp_fit_ptime(codec->id, ms);

			ck_assert_uint_ge(fit, 10);
			ck_assert_uint_le(fit, codec->ptime_max_ms);
			if (codec->frame_ms)
				ck_assert_uint_eq(fit % codec->frame_ms, 0);
		}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sdp/codecs");
	TCase *tc = tcase_create("codecs");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_loop_test(tc, answer_row, 0, sizeof answer_rows / sizeof answer_rows[0]);
	tcase_add_test(tc, answers_are_exactly_these);
	tcase_add_test(tc, an_offer_of_everything);
	tcase_add_loop_test(tc, accept_row, 0, sizeof accept_rows / sizeof accept_rows[0]);
	tcase_add_test(tc, an_offer_of_opus_alone_has_events_at_both_clocks);
	tcase_add_test(tc, comfort_noise_we_did_not_offer_is_not_agreed);
	tcase_add_loop_test(tc, ptime_row, 0, sizeof ptime_rows / sizeof ptime_rows[0]);
	tcase_add_test(tc, packets_suit_the_codecs);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
