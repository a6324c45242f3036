// Any bytes as a description: parsed or refused; what is parsed can be answered or refused, and what
// we answer is itself a description that parses, has as many m= lines, and agrees with what we say.
#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "sdp/negotiate.h"
#include "td_assert.h"

static bool same(const struct td_sdp_session *a, const struct td_sdp_session *b)
{
	return a->id == b->id && a->version == b->version && a->text_hash == b->text_hash &&
	       a->codec == b->codec && a->annexb_refused == b->annexb_refused &&
	       a->line_count == b->line_count && a->line_active == b->line_active &&
	       memcmp(&a->numbers, &b->numbers, sizeof a->numbers) == 0 &&
	       memcmp(a->line_kinds, b->line_kinds, sizeof a->line_kinds) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct td_sdp_local local_for(enum td_family family, enum td_sdp_srtp srtp)
{
	struct td_sdp_local local = {
		.rtp = { .family = (uint8_t)family,
			 .port_be = htons(20000),
			 .addr = { 10, 77, 0, 2 } },
		.telephone_event = true,
		.rtcp_mux = true,
		.direction = TD_SDP_SENDRECV,
		.opus = { .bitrate_bps = 32000,
			  .max_hz = 16000,
			  .flags = TD_CODEC_FEC | TD_CODEC_DTX,
			  .loss_percent = 5 },
	};

	// The dearest first, so that little of what is offered is passed over.
	for (int codec = TD_CODEC_COUNT - 1; codec > TD_CODEC_NONE; codec--)
		local.codecs[local.codec_count++] = (enum td_codec_id)codec;
	local.srtp = srtp;
	for (int suite = TD_SRTP_SUITE_COUNT - 1; suite > TD_SRTP_NONE; suite--)
		local.suites[local.suite_count++] = (enum td_srtp_suite)suite;
	memset(local.seeds, 0x5a, sizeof local.seeds);
	return local;
}

// What the dataplane may be told, whatever the peer has said.
static void check_agreed(const struct td_sdp_agreed *agreed)
{
	TD_ASSERT(agreed->codec > TD_CODEC_NONE && agreed->codec < TD_CODEC_COUNT);
	TD_ASSERT(agreed->payload_type <= 127 && agreed->payload_type_rx <= 127);
	TD_ASSERT(agreed->ptime_ms >= 10 && agreed->ptime_ms <= 60 && agreed->ptime_ms % 10 == 0);
	TD_ASSERT(agreed->event_payload_type != agreed->payload_type);
	TD_ASSERT(agreed->event_payload_type_rx != agreed->payload_type_rx);
	TD_ASSERT(agreed->cn_payload_type != agreed->payload_type);
	TD_ASSERT(agreed->cn_payload_type_rx != agreed->payload_type_rx);
	TD_ASSERT((agreed->event_payload_type == TD_PAYLOAD_TYPE_NONE) ==
		  (agreed->event_payload_type_rx == TD_PAYLOAD_TYPE_NONE));
	TD_ASSERT((agreed->cn_payload_type == TD_PAYLOAD_TYPE_NONE) ==
		  (agreed->cn_payload_type_rx == TD_PAYLOAD_TYPE_NONE));
	TD_ASSERT(agreed->srtp_tx.suite == agreed->srtp_rx.suite);
	TD_ASSERT(agreed->settings.bitrate_bps <= 32000);
	TD_ASSERT(agreed->settings.max_hz <= 16000);
}

// Our own offer: every payload type once, and each with a meaning of its own.
static void check_offer(const char *text, int len)
{
	static struct td_sdp ours;
	uint32_t formats = 0, maps = 0;

	TD_ASSERT(td_sdp_parse(text, (size_t)len, &ours) == 0);
	for (uint32_t i = 0; i < ours.media_count; i++)
		if (ours.media[i].port != 0)
			formats += ours.media[i].format_count;
	for (const char *map = text; (map = strstr(map, "a=rtpmap:")) != NULL; map++)
		maps++;
	TD_ASSERT(formats > 0 && formats == maps);
}

static void check_answer(const struct td_sdp *offer, const struct td_sdp_agreed *agreed,
			 const struct td_sdp_session *session, const char *text, int len)
{
	static struct td_sdp answer;
	const struct td_sdp_media *ours;

	TD_ASSERT((size_t)len == strlen(text));
	TD_ASSERT(td_sdp_parse(text, (size_t)len, &answer) == 0);
	TD_ASSERT(answer.media_count == offer->media_count);
	for (uint32_t i = 0; i < answer.media_count; i++)
		TD_ASSERT((answer.media[i].port != 0) == (i == session->line_active));
	ours = &answer.media[session->line_active];
	TD_ASSERT(ours->direction == agreed->direction);
	TD_ASSERT(ours->rtcp_mux == agreed->rtcp_mux);
	TD_ASSERT(answer.formats[ours->format_first].payload_type == agreed->payload_type_rx);
	TD_ASSERT((ours->crypto_count > 0) == (agreed->srtp_tx.suite != TD_SRTP_NONE));
	check_agreed(agreed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[TD_SDP_TEXT_MAX];
	static struct td_sdp sdp;
	struct td_sdp_session session, again;
	struct td_sdp_agreed agreed;
	struct td_sdp_local local;
	enum td_sdp_srtp srtp = (enum td_sdp_srtp)(size % 3);
	enum td_family family;
	int len;

	if (td_sdp_parse((const char *)data, size, &sdp))
		return 0;
	family = td_sdp_family(&sdp, srtp);
	local = local_for(family == TD_FAMILY_NONE ? TD_FAMILY_IPV4 : family, srtp);
	td_sdp_session_init(&session, 1);
	len = td_sdp_answer(&session, &local, &sdp, &agreed, text, sizeof text);
	if (len >= 0) {
		check_answer(&sdp, &agreed, &session, text, len);
		// The same offer again changes nothing.
		again = session;
		TD_ASSERT(td_sdp_answer(&again, &local, &sdp, &agreed, text, sizeof text) == len);
		TD_ASSERT(same(&again, &session));
		len = td_sdp_offer(&session, &local, text, sizeof text);
		TD_ASSERT(len > 0);
		check_offer(text, len);
	}
	td_sdp_session_init(&session, 2);
	len = td_sdp_offer(&session, &local, text, sizeof text);
	TD_ASSERT(len > 0);
	check_offer(text, len);
	again = session;
	if (td_sdp_accept_answer(&session, &local, &sdp, &agreed)) {
		TD_ASSERT(same(&again, &session));
		return 0;
	}
	check_agreed(&agreed);
	len = td_sdp_offer(&session, &local, text, sizeof text);
	TD_ASSERT(len > 0);
	check_offer(text, len);
	return 0;
}
