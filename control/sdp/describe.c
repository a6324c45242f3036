// Our session description as text.
#include <arpa/inet.h>

#include "sdp/describe.h"
#include "sdp/fmtp.h"
#include "sdp/format.h"
#include "sdp/line.h"
#include "sdp/text.h"

static const char *address_text(const struct td_endpoint *rtp, char out[INET6_ADDRSTRLEN])
{
	int family = rtp->family == TD_FAMILY_IPV6 ? AF_INET6 : AF_INET;

	return inet_ntop(family, rtp->addr, out, INET6_ADDRSTRLEN);
}

static void write_codec(struct td_sdp_text *out, const struct td_sdp_our_line *line, unsigned i)
{
	enum td_codec_id codec = line->codecs[i].codec;
	unsigned payload_type = line->codecs[i].payload_type;

	td_sdp_text_printf(out, "a=rtpmap:%u %s/%u", payload_type, td_codec_encoding(codec),
			   td_codec_clock_hz(codec));
	if (td_sdp_channels(codec) > 1)
		td_sdp_text_printf(out, "/%u", td_sdp_channels(codec));
	td_sdp_text_printf(out, "\r\n");
	if (codec == TD_CODEC_OPUS)
		td_sdp_fmtp_write_opus(out, line->codecs[i].payload_type, &line->opus);
	if (codec == TD_CODEC_G729)
		td_sdp_text_printf(out, "a=fmtp:%u annexb=%s\r\n", payload_type,
				   line->annexb ? "yes" : "no");
}

static void write_formats(struct td_sdp_text *out, const struct td_sdp_our_line *line)
{
	for (unsigned i = 0; i < line->codec_count; i++)
		td_sdp_text_printf(out, " %u", line->codecs[i].payload_type);
	for (unsigned i = 0; i < line->noise_count; i++)
		td_sdp_text_printf(out, " %u", line->noises[i].payload_type);
	for (unsigned i = 0; i < line->event_count; i++)
		td_sdp_text_printf(out, " %u", line->events[i].payload_type);
	td_sdp_text_printf(out, "\r\n");
}

static void write_audio(struct td_sdp_text *out, const struct td_endpoint *rtp,
			const struct td_sdp_our_line *line)
{
	td_sdp_text_printf(out, "m=audio %u RTP/%sAVP%s", ntohs(rtp->port_be),
			   line->savp ? "S" : "", line->feedback ? "F" : "");
	write_formats(out, line);
	for (unsigned i = 0; i < line->crypto_count; i++)
		td_sdp_crypto_write(out, &line->cryptos[i]);
	for (unsigned i = 0; i < line->codec_count; i++)
		write_codec(out, line, i);
	for (unsigned i = 0; i < line->noise_count; i++)
		td_sdp_text_printf(out, "a=rtpmap:%u CN/%u\r\n", line->noises[i].payload_type,
				   line->noises[i].clock_hz);
	// RFC 4733 section 2.4.1: the sixteen DTMF digits.
	for (unsigned i = 0; i < line->event_count; i++)
		td_sdp_text_printf(out,
				   "a=rtpmap:%u telephone-event/%u\r\n"
				   "a=fmtp:%u 0-15\r\n",
				   line->events[i].payload_type, line->events[i].clock_hz,
				   line->events[i].payload_type);
	td_sdp_text_printf(out, "a=ptime:%u\r\na=%s\r\n", line->ptime_ms,
			   td_sdp_direction_name(line->direction));
	if (line->rtcp_mux)
		td_sdp_text_printf(out, "a=rtcp-mux\r\n");
	if (line->rtcp_reduced)
		td_sdp_text_printf(out, "a=rtcp-rsize\r\n");
}

// RFC 3264 section 6: a refused stream keeps its place, with port 0 and at least one format.
static void write_refused(struct td_sdp_text *out, enum td_sdp_kind kind,
			  const struct td_sdp_media *offered)
{
	struct td_str formats, format;

	if (!offered) {
		td_sdp_text_printf(out, "m=%s 0 RTP/AVP 0\r\n", td_sdp_kind_name(kind));
		return;
	}
	formats = offered->formats_text;
	format = td_sdp_word_next(&formats);
	td_sdp_text_printf(out, "m=%.*s 0 %.*s %.*s\r\n", TD_STR_ARGS(offered->kind_text),
			   TD_STR_ARGS(offered->protocol_text), TD_STR_ARGS(format));
}

// Everything after the o= line: what the version counts the changes of.
static void write_rest(struct td_sdp_text *out, const struct td_sdp_session *session,
		       const struct td_endpoint *rtp, const struct td_sdp_our_line *line,
		       const struct td_sdp *offer)
{
	char address[INET6_ADDRSTRLEN];

	td_sdp_text_printf(out, "s=-\r\nc=IN IP%d %s\r\nt=0 0\r\n",
			   rtp->family == TD_FAMILY_IPV6 ? 6 : 4, address_text(rtp, address));
	for (unsigned i = 0; i < session->line_count; i++) {
		if (i == session->line_active)
			write_audio(out, rtp, line);
		else
			write_refused(out, (enum td_sdp_kind)session->line_kinds[i],
				      offer ? &offer->media[i] : NULL);
	}
}

// FNV-1a. Two of our own texts that differ and still hash alike cost a version step, no more.
static uint64_t hash(const char *text, size_t len)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)text[i]) * 0x100000001b3u;
	return h;
}

int td_sdp_describe(struct td_sdp_session *session, const struct td_endpoint *rtp,
		    const struct td_sdp_our_line *line, const struct td_sdp *offer, char *text,
		    size_t text_bytes)
{
	char rest_text[TD_SDP_TEXT_MAX], address[INET6_ADDRSTRLEN];
	struct td_sdp_text rest = td_sdp_text_init(rest_text, sizeof rest_text);
	struct td_sdp_text out;
	uint64_t version = session->version, text_hash;

	if (text_bytes == 0)
		return -TD_EFULL;
	write_rest(&rest, session, rtp, line, offer);
	text_hash = hash(rest.text, rest.len);
	if (version == 0 || text_hash != session->text_hash)
		version++;
	out = td_sdp_text_init(text, text_bytes);
	td_sdp_text_printf(&out, "v=0\r\no=- %llu %llu IN IP%d %s\r\n%s",
			   (unsigned long long)session->id, (unsigned long long)version,
			   rtp->family == TD_FAMILY_IPV6 ? 6 : 4, address_text(rtp, address),
			   rest.text);
	if (rest.full || out.full || out.len >= TD_SDP_TEXT_MAX)
		return -TD_EFULL;
	session->version = version;
	session->text_hash = text_hash;
	return (int)out.len;
}
