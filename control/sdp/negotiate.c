// Offer and answer.
#include <arpa/inet.h>
#include <string.h>

#include "sdp/describe.h"
#include "sdp/negotiate.h"
#include "td_assert.h"

#define PTIME_MAX_MS 60 // of G.711 in one packet: TD_RTP_PAYLOAD_MAX

void td_sdp_session_init(struct td_sdp_session *session, uint64_t id)
{
	*session = (struct td_sdp_session){
		.id = id,
		.payload_type_rx = TD_PAYLOAD_TYPE_NONE,
		.event_payload_type_rx = TD_PAYLOAD_TYPE_NONE,
	};
}

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

static bool is_codec(const struct td_sdp_format *format, enum td_codec_id codec)
{
	if (!format->mapped)
		return format->payload_type == td_sdp_static_type(codec);
	return td_str_equal_nocase(format->encoding, td_str_from(td_codec_name(codec))) &&
	       format->clock_rate_hz == td_sdp_clock_rate_hz(codec) && format->channels == 1;
}

static const struct td_sdp_format *
find_codec(const struct td_sdp *sdp, const struct td_sdp_media *media, enum td_codec_id codec)
{
	for (uint32_t i = 0; i < media->format_count; i++) {
		const struct td_sdp_format *format = &sdp->formats[media->format_first + i];

		if (is_codec(format, codec))
			return format;
	}
	return NULL;
}

// The payload type of telephone-event at the codec's clock rate, RFC 4733 section 2.3.
static uint8_t find_event(const struct td_sdp *sdp, const struct td_sdp_media *media,
			  enum td_codec_id codec)
{
	for (uint32_t i = 0; i < media->format_count; i++) {
		const struct td_sdp_format *format = &sdp->formats[media->format_first + i];

		if (format->mapped &&
		    td_str_equal_nocase(format->encoding, TD_STR("telephone-event")) &&
		    format->clock_rate_hz == td_sdp_clock_rate_hz(codec))
			return format->payload_type;
	}
	return TD_PAYLOAD_TYPE_NONE;
}

// Could we talk over this line at all, whatever its codecs?
static bool is_usable(const struct td_sdp_media *media, uint8_t family)
{
	const struct td_sdp_connection *connection = &media->connection;

	return media->kind == TD_SDP_AUDIO && media->rtp_avp && media->port != 0 &&
	       connection->present && (connection->numeric || connection->null_address) &&
	       (family == TD_FAMILY_NONE || connection->addr.family == family);
}

enum td_family td_sdp_family(const struct td_sdp *offer)
{
	for (uint32_t i = 0; i < offer->media_count; i++)
		if (is_usable(&offer->media[i], TD_FAMILY_NONE))
			return (enum td_family)offer->media[i].connection.addr.family;
	return TD_FAMILY_NONE;
}

// What of an offer we take.
struct choice {
	uint32_t line;
	enum td_codec_id codec;
	uint8_t payload_type;
};

// Our preference decides; an agreed codec is the only candidate.
static bool choose_codec(const struct td_sdp_session *session, const struct td_sdp_local *local,
			 const struct td_sdp *offer, struct choice *choice)
{
	bool agreed = session->codec != TD_CODEC_NONE;
	unsigned count = agreed ? 1 : local->codec_count;

	for (unsigned i = 0; i < count; i++) {
		enum td_codec_id codec = agreed ? session->codec : local->codecs[i];
		const struct td_sdp_format *format =
			find_codec(offer, &offer->media[choice->line], codec);

		if (format) {
			choice->codec = codec;
			choice->payload_type = format->payload_type;
			return true;
		}
	}
	return false;
}

// Finds the m= line to use: the one in use, or the first that fits. -TD_ECODEC, -TD_EUNSUPPORTED.
static int choose(const struct td_sdp_session *session, const struct td_sdp_local *local,
		  const struct td_sdp *offer, struct choice *choice)
{
	bool in_use = session->codec != TD_CODEC_NONE;
	uint32_t first = in_use ? session->line_active : 0;
	uint32_t end = in_use ? first + 1 : offer->media_count;
	int error = -TD_EUNSUPPORTED;

	for (choice->line = first; choice->line < end; choice->line++) {
		if (!is_usable(&offer->media[choice->line], local->rtp.family))
			continue;
		if (choose_codec(session, local, offer, choice))
			return 0;
		error = -TD_ECODEC;
	}
	return error;
}

static uint8_t agree_ptime(const struct td_sdp_media *media)
{
	uint32_t ptime_ms = media->ptime_ms;

	if (ptime_ms < 10 || ptime_ms > PTIME_MAX_MS || ptime_ms % 10 != 0)
		ptime_ms = TD_SDP_PTIME_MS;
	if (media->maxptime_ms >= 10 && ptime_ms > media->maxptime_ms)
		ptime_ms = media->maxptime_ms / 10 * 10;
	return (uint8_t)ptime_ms;
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

// What both sides of an exchange agree on, but for our own payload types.
static void agree(const struct td_sdp_local *local, const struct td_sdp *sdp,
		  const struct td_sdp_media *media, enum td_codec_id codec, uint8_t payload_type,
		  struct td_sdp_agreed *agreed)
{
	*agreed = (struct td_sdp_agreed){
		.codec = codec,
		.payload_type = payload_type,
		.event_payload_type = TD_PAYLOAD_TYPE_NONE,
		.event_payload_type_rx = TD_PAYLOAD_TYPE_NONE,
		.ptime_ms = agree_ptime(media),
		.rtcp_mux = local->rtcp_mux && media->rtcp_mux,
		.direction = agree_direction(local->direction, media),
	};
	if (local->telephone_event)
		agreed->event_payload_type = find_event(sdp, media, codec);
	agree_remote(media, agreed);
}

static void keep_lines(struct td_sdp_session *session, const struct td_sdp *offer, uint32_t active)
{
	session->line_count = (uint8_t)offer->media_count;
	session->line_active = (uint8_t)active;
	for (uint32_t i = 0; i < offer->media_count; i++)
		session->line_kinds[i] = (uint8_t)offer->media[i].kind;
}

static void keep_types(struct td_sdp_session *session, const struct td_sdp_agreed *agreed)
{
	session->codec = agreed->codec;
	session->payload_type_rx = agreed->payload_type_rx;
	session->event_payload_type_rx = agreed->event_payload_type_rx;
}

static void check_local(const struct td_sdp_local *local)
{
	TD_ASSERT(local->codec_count >= 1 && local->codec_count <= TD_SDP_LOCAL_CODEC_MAX);
	TD_ASSERT(local->rtp.family == TD_FAMILY_IPV4 || local->rtp.family == TD_FAMILY_IPV6);
}

int td_sdp_answer(struct td_sdp_session *session, const struct td_sdp_local *local,
		  const struct td_sdp *offer, struct td_sdp_agreed *agreed, char *text,
		  size_t text_bytes)
{
	struct td_sdp_session next = *session;
	struct td_sdp_our_line ours;
	struct choice choice;
	int result;

	check_local(local);
	if (offer->media_count < session->line_count)
		return -TD_EMALFORMED;
	result = choose(session, local, offer, &choice);
	if (result)
		return result;
	agree(local, offer, &offer->media[choice.line], choice.codec, choice.payload_type, agreed);
	// Section 6.1: the answer keeps the offer's numbers, so both directions use the same.
	agreed->payload_type_rx = agreed->payload_type;
	agreed->event_payload_type_rx = agreed->event_payload_type;
	ours = (struct td_sdp_our_line){
		.codecs = { { choice.codec, choice.payload_type } },
		.codec_count = 1,
		.event_payload_type = agreed->event_payload_type_rx,
		.ptime_ms = local->ptime_ms ? local->ptime_ms : agreed->ptime_ms,
		.rtcp_mux = agreed->rtcp_mux,
		.direction = agreed->direction,
	};
	keep_lines(&next, offer, choice.line);
	keep_types(&next, agreed);
	result = td_sdp_describe(&next, &local->rtp, &ours, offer, text, text_bytes);
	if (result >= 0)
		*session = next;
	return result;
}

// Our offer's line, the same whenever it is computed from the same arguments: what
// td_sdp_accept_answer holds the answer against.
static struct td_sdp_our_line our_offer(const struct td_sdp_session *session,
					const struct td_sdp_local *local)
{
	struct td_sdp_our_line line = {
		.event_payload_type = TD_PAYLOAD_TYPE_NONE,
		.ptime_ms = local->ptime_ms ? local->ptime_ms : TD_SDP_PTIME_MS,
		.rtcp_mux = local->rtcp_mux,
		.direction = local->direction,
	};

	if (session->codec != TD_CODEC_NONE) {
		line.codecs[0].codec = session->codec;
		line.codecs[0].payload_type = session->payload_type_rx;
		line.codec_count = 1;
	} else {
		for (; line.codec_count < local->codec_count; line.codec_count++) {
			enum td_codec_id codec = local->codecs[line.codec_count];

			line.codecs[line.codec_count].codec = codec;
			line.codecs[line.codec_count].payload_type = td_sdp_static_type(codec);
		}
	}
	if (local->telephone_event) {
		line.event_payload_type = session->event_payload_type_rx;
		if (line.event_payload_type == TD_PAYLOAD_TYPE_NONE)
			line.event_payload_type = TD_SDP_EVENT_TYPE;
		if (line.event_payload_type == line.codecs[0].payload_type)
			line.event_payload_type++;
	}
	return line;
}

int td_sdp_offer(struct td_sdp_session *session, const struct td_sdp_local *local, char *text,
		 size_t text_bytes)
{
	struct td_sdp_session next = *session;
	struct td_sdp_our_line ours;
	int result;

	check_local(local);
	if (next.line_count == 0) {
		next.line_count = 1;
		next.line_active = 0;
		next.line_kinds[0] = TD_SDP_AUDIO;
	}
	ours = our_offer(&next, local);
	result = td_sdp_describe(&next, &local->rtp, &ours, NULL, text, text_bytes);
	if (result >= 0)
		*session = next;
	return result;
}

int td_sdp_accept_answer(struct td_sdp_session *session, const struct td_sdp_local *local,
			 const struct td_sdp *answer, struct td_sdp_agreed *agreed)
{
	const struct td_sdp_our_line ours = our_offer(session, local);
	const struct td_sdp_format *format = NULL;
	const struct td_sdp_media *media;

	check_local(local);
	if (session->line_count == 0 || answer->media_count != session->line_count)
		return -TD_EMALFORMED;
	media = &answer->media[session->line_active];
	if (media->port == 0)
		return -TD_ECODEC;
	if (!is_usable(media, local->rtp.family))
		return -TD_EUNSUPPORTED;
	// Of what we offered the answer's order decides only in the peer's own sending: we send
	// the first of ours that it took.
	for (unsigned i = 0; i < ours.codec_count; i++) {
		format = find_codec(answer, media, ours.codecs[i].codec);
		if (!format)
			continue;
		agree(local, answer, media, ours.codecs[i].codec, format->payload_type, agreed);
		agreed->payload_type_rx = ours.codecs[i].payload_type;
		break;
	}
	if (!format)
		return -TD_ECODEC;
	if (agreed->event_payload_type != TD_PAYLOAD_TYPE_NONE)
		agreed->event_payload_type_rx = ours.event_payload_type;
	keep_types(session, agreed);
	return 0;
}
