// Attributes: direction, rtpmap, fmtp, ptime, rtcp, rtcp-mux, crypto.
#include "sdp/attribute.h"
#include "sdp/line.h"

typedef int attribute_fn(struct td_sdp *sdp, struct td_sdp_media *media, struct td_str value);

static struct td_sdp_format *format_find(struct td_sdp *sdp, const struct td_sdp_media *media,
					 uint32_t payload_type)
{
	for (uint32_t i = 0; i < media->format_count; i++) {
		struct td_sdp_format *format = &sdp->formats[media->format_first + i];

		if (format->payload_type == payload_type)
			return format;
	}
	return NULL;
}

// Takes the payload type off `value`; *out is NULL if the m= line does not list it.
static int format_take(struct td_sdp *sdp, const struct td_sdp_media *media, struct td_str *value,
		       struct td_sdp_format **out)
{
	struct td_str word = td_sdp_word_next(value);
	uint32_t payload_type;

	*out = NULL;
	if (!media->rtp_avp && !media->rtp_savp)
		return 0;
	if (td_str_to_u32(word, &payload_type) || payload_type > 127)
		return -TD_EMALFORMED;
	*out = format_find(sdp, media, payload_type);
	return 0;
}

// RFC 8866 section 6.6: "<payload type> <encoding>/<clock rate>[/<channels>]". A mapping that does not
// read so (RFC 4475 has "31 LPC") makes its format one that matches no codec, and harms no other.
static int take_rtpmap(struct td_sdp *sdp, struct td_sdp_media *media, struct td_str value)
{
	struct td_str encoding, rate, channels;
	struct td_sdp_format *format;
	int error = format_take(sdp, media, &value, &format);

	// The first mapping of a type stands: it may not change within a description.
	if (error || !format || format->mapped)
		return error;
	encoding = td_str_before(value, td_str_find(value, '/'));
	rate = td_str_after(value, encoding.len + 1);
	channels = td_str_after(rate, td_str_find(rate, '/') + 1);
	rate = td_str_before(rate, td_str_find(rate, '/'));
	format->mapped = true;
	format->encoding = td_str_trim(encoding);
	if (td_str_to_u32(td_str_trim(rate), &format->clock_rate_hz))
		format->clock_rate_hz = 0;
	if (!td_str_empty(channels) && td_str_to_u32(td_str_trim(channels), &format->channels))
		format->channels = 0;
	return 0;
}

// RFC 8866 section 6.15.
static int take_fmtp(struct td_sdp *sdp, struct td_sdp_media *media, struct td_str value)
{
	struct td_sdp_format *format;
	int error = format_take(sdp, media, &value, &format);

	if (error || !format || !td_str_empty(format->fmtp))
		return error;
	if (value.len > TD_SDP_FMTP_BYTES_MAX)
		return -TD_EFULL;
	format->fmtp = value;
	return 0;
}

// A hint only: what is not a number is as if it had not been said.
static uint32_t milliseconds(struct td_str value)
{
	uint32_t ms;

	return td_str_to_u32(td_str_trim(value), &ms) ? 0 : ms;
}

static int take_ptime(struct td_sdp *sdp, struct td_sdp_media *media, struct td_str value)
{
	(void)sdp;
	media->ptime_ms = milliseconds(value);
	return 0;
}

static int take_maxptime(struct td_sdp *sdp, struct td_sdp_media *media, struct td_str value)
{
	(void)sdp;
	media->maxptime_ms = milliseconds(value);
	return 0;
}

// RFC 3605: "<port> [<nettype> <addrtype> <address>]".
static int take_rtcp(struct td_sdp *sdp, struct td_sdp_media *media, struct td_str value)
{
	uint32_t port;

	(void)sdp;
	if (td_str_to_u32(td_sdp_word_next(&value), &port) || port > 65535)
		return -TD_EMALFORMED;
	media->rtcp_present = true;
	media->rtcp_port = port;
	return td_str_empty(value) ? 0 : td_sdp_connection_parse(value, &media->rtcp_connection);
}

static int take_rtcp_mux(struct td_sdp *sdp, struct td_sdp_media *media, struct td_str value)
{
	(void)sdp;
	(void)value;
	media->rtcp_mux = true;
	return 0;
}

static int take_rtcp_rsize(struct td_sdp *sdp, struct td_sdp_media *media, struct td_str value)
{
	(void)sdp;
	(void)value;
	media->rtcp_reduced = true;
	return 0;
}

// What it says is read when it is of use: one that nobody understands harms no other.
static int take_crypto(struct td_sdp *sdp, struct td_sdp_media *media, struct td_str value)
{
	(void)sdp;
	if (media->crypto_count < TD_SDP_CRYPTO_MAX)
		media->cryptos[media->crypto_count++] = value;
	return 0;
}

static bool direction_parse(struct td_str name, enum td_sdp_direction *out)
{
	for (int d = TD_SDP_INACTIVE; d <= TD_SDP_SENDRECV; d++) {
		if (td_str_equal_nocase(name, td_str_from(td_sdp_direction_name(d)))) {
			*out = (enum td_sdp_direction)d;
			return true;
		}
	}
	return false;
}

// Attributes of a media section only.
static const struct {
	const char *name;
	attribute_fn *take;
} media_attributes[] = {
	{ "rtpmap", take_rtpmap }, { "fmtp", take_fmtp },
	{ "ptime", take_ptime },   { "maxptime", take_maxptime },
	{ "rtcp", take_rtcp },     { "rtcp-mux", take_rtcp_mux },
	{ "crypto", take_crypto }, { "rtcp-rsize", take_rtcp_rsize },
};

int td_sdp_attribute_parse(struct td_sdp *sdp, struct td_sdp_media *media, struct td_str attribute)
{
	struct td_str name = td_str_before(attribute, td_str_find(attribute, ':'));
	struct td_str value = td_str_after(attribute, name.len + 1);
	enum td_sdp_direction direction;

	if (!td_sdp_is_token(name))
		return -TD_EMALFORMED;
	if (direction_parse(name, &direction)) {
		if (media)
			media->direction = direction;
		else
			sdp->direction = direction;
		return 0;
	}
	if (!media)
		return 0;
	for (size_t i = 0; i < sizeof media_attributes / sizeof media_attributes[0]; i++)
		if (td_str_equal_nocase(name, td_str_from(media_attributes[i].name)))
			return media_attributes[i].take(sdp, media, value);
	return 0;
}
