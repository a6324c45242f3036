// Any bytes as a description: parsed or refused; what is parsed can be answered or refused, and what
// we answer is itself a description that parses, has as many m= lines, and agrees with what we say.
#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "sdp/negotiate.h"
#include "td_assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct td_sdp_local local_for(enum td_family family)
{
	struct td_sdp_local local = {
		.rtp = { .family = (uint8_t)family,
			 .port_be = htons(20000),
			 .addr = { 10, 77, 0, 2 } },
		.codecs = { TD_CODEC_PCMA, TD_CODEC_PCMU },
		.codec_count = 2,
		.telephone_event = true,
		.rtcp_mux = true,
		.direction = TD_SDP_SENDRECV,
	};

	return local;
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
	TD_ASSERT(agreed->ptime_ms >= 10 && agreed->ptime_ms <= 60);
	TD_ASSERT(agreed->payload_type <= 127);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[TD_SDP_TEXT_MAX];
	static struct td_sdp sdp;
	struct td_sdp_session session, again;
	struct td_sdp_agreed agreed;
	struct td_sdp_local local;
	enum td_family family;
	int len;

	if (td_sdp_parse((const char *)data, size, &sdp))
		return 0;
	family = td_sdp_family(&sdp);
	local = local_for(family == TD_FAMILY_NONE ? TD_FAMILY_IPV4 : family);
	td_sdp_session_init(&session, 1);
	len = td_sdp_answer(&session, &local, &sdp, &agreed, text, sizeof text);
	if (len >= 0) {
		check_answer(&sdp, &agreed, &session, text, len);
		// The same offer again changes nothing.
		again = session;
		TD_ASSERT(td_sdp_answer(&again, &local, &sdp, &agreed, text, sizeof text) == len);
		TD_ASSERT(memcmp(&again, &session, sizeof session) == 0);
	}
	td_sdp_session_init(&session, 2);
	len = td_sdp_offer(&session, &local, text, sizeof text);
	TD_ASSERT(len > 0);
	again = session;
	if (td_sdp_accept_answer(&session, &local, &sdp, &agreed))
		TD_ASSERT(memcmp(&again, &session, sizeof session) == 0);
	return 0;
}
