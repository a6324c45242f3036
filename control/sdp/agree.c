// Agreeing.
#include <arpa/inet.h>

#include "sdp/agree.h"
#include "sdp/fmtp.h"
#include "sdp/format.h"

#define PTIME_MIN_MS 10
#define PTIME_MAX_MS 60

static enum td_sdp_direction reverse(enum td_sdp_direction direction)
{
	unsigned d = (unsigned)direction;

	return (enum td_sdp_direction)((d & TD_SDP_SENDONLY) << 1 | (d & TD_SDP_RECVONLY) >> 1);
}

// What remains for us of what we want, RFC 3264 section 6.1, and of the old hold (section 8.4).
static enum td_sdp_direction agree_direction(enum td_sdp_direction ours,
					     const struct td_sdp_media *theirs)
{
	unsigned d = (unsigned)ours & (unsigned)reverse(theirs->direction);

	if (theirs->connection.null_address)
		d &= ~(unsigned)TD_SDP_SENDONLY;
	return (enum td_sdp_direction)d;
}

static bool is_ptime(uint32_t ms)
{
	return ms >= PTIME_MIN_MS && ms <= PTIME_MAX_MS && ms % 10 == 0;
}

uint8_t td_sdp_ask_ptime(const struct td_sdp_local *local, enum td_codec_id codec,
			 uint32_t otherwise_ms)
{
	return td_sdp_fit_ptime(codec, local->ptime_ms ? local->ptime_ms : otherwise_ms);
}

// What the peer asks for, in steps of 10 ms and within its bounds; what makes no sense it has not
// said. Its upper bound wins over its lower one, and the codec's frame over both.
static uint8_t agree_ptime(const struct td_sdp_local *local, const struct td_sdp_media *media,
			   enum td_codec_id codec, struct td_str fmtp)
{
	uint32_t ptime_ms = local->ptime_ms ? local->ptime_ms : TD_SDP_PTIME_MS;

	if (is_ptime(media->ptime_ms))
		ptime_ms = media->ptime_ms;
	if (codec == TD_CODEC_OPUS) {
		uint32_t min_ms = (td_sdp_fmtp_minptime_ms(fmtp) + 9) / 10 * 10;

		if (is_ptime(min_ms) && ptime_ms < min_ms)
			ptime_ms = min_ms;
	}
	if (media->maxptime_ms >= PTIME_MIN_MS && ptime_ms > media->maxptime_ms)
		ptime_ms = media->maxptime_ms;
	return td_sdp_fit_ptime(codec, ptime_ms);
}

// Where to send: the address of the line, RFC 3605 for RTCP.
static void agree_remote(const struct td_sdp_media *media, struct td_sdp_agreed *agreed)
{
	const struct td_sdp_connection *rtcp = &media->rtcp_connection;
	uint32_t rtcp_port = media->port + 1;

	agreed->remote = media->connection.addr;
	agreed->remote_rtcp = media->connection.addr;
	if (media->connection.null_address)
		return;
	agreed->remote.port_be = htons((uint16_t)media->port);
	if (agreed->rtcp_mux) {
		agreed->remote_rtcp = agreed->remote;
		return;
	}
	if (media->rtcp_present && media->rtcp_port != 0) {
		rtcp_port = media->rtcp_port;
		if (rtcp->numeric && rtcp->addr.family == agreed->remote.family)
			agreed->remote_rtcp = rtcp->addr;
	}
	// RTP on 65535 leaves no port for RTCP: 0, none is sent.
	agreed->remote_rtcp.port_be = htons(rtcp_port > 65535 ? 0 : (uint16_t)rtcp_port);
}

void td_sdp_agree(const struct td_sdp_local *local, const struct td_sdp *sdp,
		  const struct td_sdp_media *media, enum td_codec_id codec,
		  const struct td_sdp_format *format, struct td_sdp_agreed *agreed)
{
	uint32_t clock_hz = td_codec_clock_hz(codec);
	uint32_t event_hz = clock_hz;
	const struct td_sdp_format *event = td_sdp_find_event(sdp, media, clock_hz);
	const struct td_sdp_format *noise = td_sdp_find_noise(sdp, media, clock_hz);

	// RFC 4733 section 2.1 wants the clock of the audio. Phones that know events at 8000 alone
	// say so beside Opus as well, and mean what they say.
	if (!event) {
		event = td_sdp_find_event(sdp, media, TD_SDP_EVENT_HZ);
		event_hz = event ? TD_SDP_EVENT_HZ : clock_hz;
	}
	*agreed = (struct td_sdp_agreed){
		.codec = codec,
		.payload_type = format->payload_type,
		.payload_type_rx = TD_PAYLOAD_TYPE_NONE,
		.event_payload_type = TD_PAYLOAD_TYPE_NONE,
		.event_payload_type_rx = TD_PAYLOAD_TYPE_NONE,
		.event_clock_hz = event_hz,
		.cn_payload_type = TD_PAYLOAD_TYPE_NONE,
		.cn_payload_type_rx = TD_PAYLOAD_TYPE_NONE,
		.ptime_ms = agree_ptime(local, media, codec, format->fmtp),
		.rtcp_mux = local->rtcp_mux && media->rtcp_mux,
		.rtcp_reduced = local->rtcp_reduced && media->rtcp_reduced,
		.direction = agree_direction(local->direction, media),
		.settings = td_sdp_fmtp_settings(codec, format->fmtp, &local->opus),
	};
	if (local->telephone_event && event)
		agreed->event_payload_type = event->payload_type;
	if (td_sdp_wants_noise(codec) && noise)
		agreed->cn_payload_type = noise->payload_type;
	agree_remote(media, agreed);
}
