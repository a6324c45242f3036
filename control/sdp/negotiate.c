// Offer and answer.
#include "sdp/negotiate.h"
#include "sdp/agree.h"
#include "sdp/describe.h"
#include "sdp/fmtp.h"
#include "sdp/format.h"
#include "sdp/secure.h"
#include "td_assert.h"

void td_sdp_session_init(struct td_sdp_session *session, uint64_t id)
{
	*session = (struct td_sdp_session){ .id = id };
	td_sdp_numbers_init(&session->numbers);
}

// Could we talk over this line at all, whatever its codecs?
static bool is_usable(const struct td_sdp_media *media, enum td_sdp_srtp srtp, uint8_t family)
{
	const struct td_sdp_connection *connection = &media->connection;

	return media->kind == TD_SDP_AUDIO && td_sdp_transport_fits(media, srtp) &&
	       media->port != 0 && connection->present &&
	       (connection->numeric || connection->null_address) &&
	       (family == TD_FAMILY_NONE || connection->addr.family == family);
}

enum td_family td_sdp_family(const struct td_sdp *offer, enum td_sdp_srtp srtp)
{
	for (uint32_t i = 0; i < offer->media_count; i++)
		if (is_usable(&offer->media[i], srtp, TD_FAMILY_NONE))
			return (enum td_family)offer->media[i].connection.addr.family;
	return TD_FAMILY_NONE;
}

enum td_sdp_srtp_trouble td_sdp_srtp_trouble(const struct td_sdp_local *local,
					     const struct td_sdp *offer)
{
	enum td_sdp_srtp_trouble worst = TD_SDP_SRTP_NO_TROUBLE;

	for (uint32_t i = 0; i < offer->media_count; i++) {
		const struct td_sdp_media *media = &offer->media[i];
		enum td_sdp_srtp_trouble trouble = TD_SDP_SRTP_NO_TROUBLE;

		// Whatever any policy could use: with keys under one that takes them, or without.
		if (is_usable(media, TD_SDP_SRTP_PREFER, local->rtp.family))
			trouble = td_sdp_secure_trouble(local, media);
		if (trouble > worst)
			worst = trouble;
	}
	return worst;
}

// Our codecs in order of preference: an agreed one comes before all others. Their count.
static unsigned list_codecs(const struct td_sdp_session *session, const struct td_sdp_local *local,
			    enum td_codec_id out[TD_SDP_LOCAL_CODEC_MAX + 1])
{
	unsigned count = 0;

	if (session->codec != TD_CODEC_NONE)
		out[count++] = session->codec;
	for (unsigned i = 0; i < local->codec_count; i++)
		if (local->codecs[i] != session->codec)
			out[count++] = local->codecs[i];
	return count;
}

// What of an offer we take.
struct choice {
	uint32_t line;
	enum td_codec_id codec;
	const struct td_sdp_format *format;
	struct td_sdp_crypto crypto; // the peer's; suite TD_SRTP_NONE: plain RTP
};

// Our preference decides.
static bool choose_codec(const struct td_sdp_session *session, const struct td_sdp_local *local,
			 const struct td_sdp *offer, struct choice *choice)
{
	enum td_codec_id codecs[TD_SDP_LOCAL_CODEC_MAX + 1];
	unsigned count = list_codecs(session, local, codecs);

	for (unsigned i = 0; i < count; i++) {
		choice->codec = codecs[i];
		choice->format = td_sdp_find_codec(offer, &offer->media[choice->line], codecs[i]);
		if (choice->format)
			return true;
	}
	return false;
}

// Finds the m= line to use: the one in use, or the first that fits, with keys or without as
// `secure` says. -TD_ECODEC, -TD_EUNSUPPORTED.
static int choose_line(const struct td_sdp_session *session, const struct td_sdp_local *local,
		       const struct td_sdp *offer, bool secure, struct choice *choice)
{
	bool in_use = session->codec != TD_CODEC_NONE;
	uint32_t first = in_use ? session->line_active : 0;
	uint32_t end = in_use ? first + 1 : offer->media_count;
	int error = -TD_EUNSUPPORTED;

	for (choice->line = first; choice->line < end; choice->line++) {
		const struct td_sdp_media *media = &offer->media[choice->line];

		if (!is_usable(media, local->srtp, local->rtp.family))
			continue;
		if (secure ? !td_sdp_secure_choose(local, media, &choice->crypto) : media->rtp_savp)
			continue;
		if (choose_codec(session, local, offer, choice))
			return 0;
		error = -TD_ECODEC;
	}
	return error;
}

// A line with keys that suit us comes before one without, if either is allowed.
static int choose(const struct td_sdp_session *session, const struct td_sdp_local *local,
		  const struct td_sdp *offer, struct choice *choice)
{
	int secure = -TD_EUNSUPPORTED, plain;

	if (local->srtp != TD_SDP_SRTP_FORBID)
		secure = choose_line(session, local, offer, true, choice);
	if (secure == 0 || local->srtp == TD_SDP_SRTP_REQUIRE)
		return secure;
	choice->crypto = (struct td_sdp_crypto){ 0 };
	plain = choose_line(session, local, offer, false, choice);
	// What came nearest says more.
	return plain == -TD_EUNSUPPORTED ? secure : plain;
}

static void keep_lines(struct td_sdp_session *session, const struct td_sdp *offer, uint32_t active)
{
	session->line_count = (uint8_t)offer->media_count;
	session->line_active = (uint8_t)active;
	for (uint32_t i = 0; i < offer->media_count; i++)
		session->line_kinds[i] = (uint8_t)offer->media[i].kind;
}

static void check_local(const struct td_sdp_local *local)
{
	TD_ASSERT(local->codec_count >= 1 && local->codec_count <= TD_SDP_LOCAL_CODEC_MAX);
	TD_ASSERT(local->srtp == TD_SDP_SRTP_FORBID ||
		  (local->suite_count >= 1 && local->suite_count <= TD_SDP_SUITE_MAX));
	TD_ASSERT(local->rtp.family == TD_FAMILY_IPV4 || local->rtp.family == TD_FAMILY_IPV6);
}

// Section 6.1: the answer keeps the offer's numbers, so both directions use the same.
static void echo_types(struct td_sdp_session *session, struct td_sdp_agreed *agreed)
{
	struct td_sdp_numbers *numbers = &session->numbers;
	unsigned clock = td_sdp_clock_idx(td_codec_clock_hz(agreed->codec));
	unsigned event_clock = td_sdp_clock_idx(agreed->event_clock_hz);

	agreed->payload_type_rx = agreed->payload_type;
	agreed->event_payload_type_rx = agreed->event_payload_type;
	agreed->cn_payload_type_rx = agreed->cn_payload_type;
	td_sdp_number_take(numbers, &numbers->codecs[agreed->codec], agreed->payload_type);
	if (agreed->event_payload_type != TD_PAYLOAD_TYPE_NONE)
		td_sdp_number_take(numbers, &numbers->events[event_clock],
				   agreed->event_payload_type);
	if (agreed->cn_payload_type != TD_PAYLOAD_TYPE_NONE)
		td_sdp_number_take(numbers, &numbers->noises[clock], agreed->cn_payload_type);
}

static void keep_agreed(struct td_sdp_session *session, const struct td_sdp_media *media,
			const struct td_sdp_agreed *agreed)
{
	session->savp = media->rtp_savp;
	session->feedback = media->feedback;
	session->codec = agreed->codec;
	if (agreed->codec == TD_CODEC_G729)
		session->annexb_refused = !(agreed->settings.flags & TD_CODEC_ANNEXB);
}

static struct td_sdp_our_line our_answer(const struct td_sdp_session *session,
					 const struct td_sdp_local *local,
					 const struct td_sdp_agreed *agreed)
{
	uint32_t clock_hz = td_codec_clock_hz(agreed->codec);
	struct td_sdp_our_line line = {
		.codecs = { { agreed->codec, agreed->payload_type_rx } },
		.codec_count = 1,
		.events = { { agreed->event_payload_type_rx, agreed->event_clock_hz } },
		.event_count = agreed->event_payload_type_rx != TD_PAYLOAD_TYPE_NONE,
		.noises = { { agreed->cn_payload_type_rx, clock_hz } },
		.noise_count = agreed->cn_payload_type_rx != TD_PAYLOAD_TYPE_NONE,
		.ptime_ms = td_sdp_ask_ptime(local, agreed->codec, agreed->ptime_ms),
		.rtcp_mux = agreed->rtcp_mux,
		.rtcp_reduced = agreed->rtcp_reduced,
		.annexb = !session->annexb_refused,
		.direction = agreed->direction,
		.opus = local->opus,
	};

	return line;
}

int td_sdp_answer(struct td_sdp_session *session, const struct td_sdp_local *local,
		  const struct td_sdp *offer, struct td_sdp_agreed *agreed, char *text,
		  size_t text_bytes)
{
	struct td_sdp_session next = *session;
	const struct td_sdp_media *media;
	struct td_sdp_our_line ours;
	struct choice choice;
	int result;

	check_local(local);
	if (offer->media_count < session->line_count)
		return -TD_EMALFORMED;
	result = choose(session, local, offer, &choice);
	if (result)
		return result;
	media = &offer->media[choice.line];
	td_sdp_agree(local, offer, media, choice.codec, choice.format, agreed);
	keep_lines(&next, offer, choice.line);
	echo_types(&next, agreed);
	td_sdp_numbers_see(&next.numbers, offer, media);
	keep_agreed(&next, media, agreed);
	ours = our_answer(&next, local, agreed);
	td_sdp_secure_answer(local, media, &choice.crypto, &ours, agreed);
	result = td_sdp_describe(&next, &local->rtp, &ours, offer, text, text_bytes);
	if (result >= 0)
		*session = next;
	return result;
}

static void add_event(struct td_sdp_numbers *numbers, uint32_t clock_hz,
		      struct td_sdp_our_line *line)
{
	uint8_t payload_type = td_sdp_number_event(numbers, clock_hz);

	if (payload_type != TD_PAYLOAD_TYPE_NONE)
		line->events[line->event_count++] =
			(struct td_sdp_our_format){ payload_type, clock_hz };
}

// Events at every clock rate of the codecs in the line and at 8000, which is all that some phones
// know, the lowest first; comfort noise where the peer has offered it before.
static void add_beside(struct td_sdp_numbers *numbers, const struct td_sdp_local *local,
		       struct td_sdp_our_line *line)
{
	static const uint32_t clocks_hz[TD_SDP_CLOCK_COUNT] = { 8000, 16000, 32000, 48000 };

	for (unsigned clock = 0; clock < TD_SDP_CLOCK_COUNT; clock++) {
		bool used = false, noise = false;

		for (unsigned i = 0; i < line->codec_count; i++) {
			if (td_codec_clock_hz(line->codecs[i].codec) != clocks_hz[clock])
				continue;
			used = true;
			noise |= td_sdp_wants_noise(line->codecs[i].codec);
		}
		if ((used || clocks_hz[clock] == TD_SDP_EVENT_HZ) && local->telephone_event)
			add_event(numbers, clocks_hz[clock], line);
		if (noise && numbers->noises[clock] != TD_PAYLOAD_TYPE_NONE)
			line->noises[line->noise_count++] =
				(struct td_sdp_our_format){ numbers->noises[clock],
							    clocks_hz[clock] };
	}
}

// Our offer's line. Numbers that it gives out are kept in the session, so that it is the same
// whenever it is computed from the same arguments: td_sdp_accept_answer holds the answer against it.
static struct td_sdp_our_line our_offer(struct td_sdp_session *session,
					const struct td_sdp_local *local)
{
	enum td_codec_id codecs[TD_SDP_LOCAL_CODEC_MAX + 1];
	unsigned count = list_codecs(session, local, codecs);
	struct td_sdp_our_line line = {
		.rtcp_mux = local->rtcp_mux,
		.rtcp_reduced = local->rtcp_reduced,
		.annexb = !session->annexb_refused,
		.direction = local->direction,
		.opus = local->opus,
		.savp = session->savp,
		.feedback = session->feedback,
	};

	TD_ASSERT(count > 0);
	line.ptime_ms = td_sdp_ask_ptime(local, codecs[0], TD_SDP_PTIME_MS);
	for (unsigned i = 0; i < count; i++) {
		uint8_t payload_type = td_sdp_number_codec(&session->numbers, codecs[i]);

		if (payload_type == TD_PAYLOAD_TYPE_NONE)
			continue;
		line.codecs[line.codec_count].codec = codecs[i];
		line.codecs[line.codec_count++].payload_type = payload_type;
	}
	add_beside(&session->numbers, local, &line);
	td_sdp_secure_offer(local, &line);
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

// The first format of the answer that is one of ours: what the peer likes best and will send
// (section 6.1), so it is what we send. False: it took none of them.
static bool first_taken(const struct td_sdp_our_line *ours, const struct td_sdp *answer,
			const struct td_sdp_media *media, struct choice *choice)
{
	for (uint32_t i = 0; i < media->format_count; i++) {
		choice->format = &answer->formats[media->format_first + i];
		for (unsigned k = 0; k < ours->codec_count; k++) {
			choice->codec = ours->codecs[k].codec;
			if (td_sdp_format_is(choice->format, choice->codec))
				return true;
		}
	}
	return false;
}

// What the peer sends is numbered by our offer, and only what stood there counts.
static void number_types(const struct td_sdp_our_line *ours, const struct td_sdp_numbers *numbers,
			 struct td_sdp_agreed *agreed)
{
	uint32_t clock_hz = td_codec_clock_hz(agreed->codec);

	agreed->payload_type_rx = numbers->codecs[agreed->codec];
	if (agreed->event_payload_type != TD_PAYLOAD_TYPE_NONE)
		agreed->event_payload_type_rx =
			numbers->events[td_sdp_clock_idx(agreed->event_clock_hz)];
	for (unsigned i = 0; i < ours->noise_count; i++)
		if (ours->noises[i].clock_hz == clock_hz &&
		    agreed->cn_payload_type != TD_PAYLOAD_TYPE_NONE)
			agreed->cn_payload_type_rx = ours->noises[i].payload_type;
	// Half an agreement is none.
	if (agreed->event_payload_type_rx == TD_PAYLOAD_TYPE_NONE)
		agreed->event_payload_type = TD_PAYLOAD_TYPE_NONE;
	if (agreed->cn_payload_type_rx == TD_PAYLOAD_TYPE_NONE)
		agreed->cn_payload_type = TD_PAYLOAD_TYPE_NONE;
}

int td_sdp_accept_answer(struct td_sdp_session *session, const struct td_sdp_local *local,
			 const struct td_sdp *answer, struct td_sdp_agreed *agreed)
{
	struct td_sdp_session next = *session;
	const struct td_sdp_media *media;
	struct td_sdp_our_line ours;
	struct choice choice;
	int error;

	check_local(local);
	ours = our_offer(&next, local);
	if (session->line_count == 0 || answer->media_count != session->line_count)
		return -TD_EMALFORMED;
	media = &answer->media[session->line_active];
	if (media->port == 0)
		return -TD_ECODEC;
	if (media->rtp_savp != ours.savp || !is_usable(media, local->srtp, local->rtp.family))
		return -TD_EUNSUPPORTED;
	if (!first_taken(&ours, answer, media, &choice))
		return -TD_ECODEC;
	td_sdp_agree(local, answer, media, choice.codec, choice.format, agreed);
	error = td_sdp_secure_accept(local, &ours, media, agreed);
	if (error)
		return error;
	number_types(&ours, &next.numbers, agreed);
	// RFC 7261: what one side has refused the other cannot turn on.
	if (session->annexb_refused)
		agreed->settings.flags &= (uint8_t)~TD_CODEC_ANNEXB;
	td_sdp_numbers_see(&next.numbers, answer, media);
	keep_agreed(&next, media, agreed);
	*session = next;
	return 0;
}
