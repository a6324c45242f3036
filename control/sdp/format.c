// Codecs as formats.
#include "sdp/format.h"
#include "sdp/fmtp.h"

// Packets of 10, 20 ... 60 ms as bits.
#define LASTS(ms)       (1u << ((ms) / 10))
#define LASTS_UP_TO(ms) ((LASTS(ms) << 1) - LASTS(10))
#define LASTS_TWENTIES  (LASTS(20) | LASTS(40) | LASTS(60))

static const struct {
	uint8_t static_type, channels;
	bool noise;
	uint8_t lasts;
} facts[TD_CODEC_COUNT] = {
	[TD_CODEC_NONE] = { TD_PAYLOAD_TYPE_NONE, 1, false, LASTS(20) },
	[TD_CODEC_PCMU] = { 0, 1, true, LASTS_UP_TO(60) },
	[TD_CODEC_PCMA] = { 8, 1, true, LASTS_UP_TO(60) },
	[TD_CODEC_G722] = { 9, 1, true, LASTS_UP_TO(60) },
	[TD_CODEC_GSM] = { 3, 1, false, LASTS_TWENTIES },
	// The static types of L16 are those of a compact disc, 10 and 11. Its packets are large.
	[TD_CODEC_L16_8] = { TD_PAYLOAD_TYPE_NONE, 1, true, LASTS_UP_TO(60) },
	[TD_CODEC_L16_16] = { TD_PAYLOAD_TYPE_NONE, 1, true, LASTS_UP_TO(40) },
	[TD_CODEC_L16_32] = { TD_PAYLOAD_TYPE_NONE, 1, true, LASTS_UP_TO(20) },
	[TD_CODEC_L16_48] = { TD_PAYLOAD_TYPE_NONE, 1, true, LASTS_UP_TO(10) },
	// RFC 6716 section 2.1.4 has no frame of 30 or 50 ms.
	[TD_CODEC_OPUS] = { TD_PAYLOAD_TYPE_NONE, 2, false, LASTS(10) | LASTS_TWENTIES },
	[TD_CODEC_G729] = { 18, 1, false, LASTS_UP_TO(60) },
};

uint8_t td_sdp_static_type(enum td_codec_id codec)
{
	return facts[codec].static_type;
}

unsigned td_sdp_channels(enum td_codec_id codec)
{
	return facts[codec].channels;
}

bool td_sdp_wants_noise(enum td_codec_id codec)
{
	return facts[codec].noise;
}

uint8_t td_sdp_fit_ptime(enum td_codec_id codec, uint32_t ptime_ms)
{
	unsigned lasts = facts[codec].lasts;
	unsigned tens = ptime_ms > 60 ? 6 : ptime_ms / 10;

	for (unsigned i = tens; i > 0; i--)
		if (lasts & 1u << i)
			return (uint8_t)(i * 10);
	return (uint8_t)(__builtin_ctz(lasts) * 10);
}

bool td_sdp_format_is(const struct td_sdp_format *format, enum td_codec_id codec)
{
	if (!format->mapped)
		return format->payload_type == td_sdp_static_type(codec);
	if (!td_str_equal_nocase(format->encoding, td_str_from(td_codec_encoding(codec))) ||
	    format->clock_rate_hz != td_codec_clock_hz(codec))
		return false;
	// "opus/48000" is wrong, but cannot mean anything else.
	return format->channels == 1 || format->channels == td_sdp_channels(codec);
}

const struct td_sdp_format *td_sdp_find_codec(const struct td_sdp *sdp,
					      const struct td_sdp_media *media,
					      enum td_codec_id codec)
{
	for (uint32_t i = 0; i < media->format_count; i++) {
		const struct td_sdp_format *format = &sdp->formats[media->format_first + i];

		if (td_sdp_format_is(format, codec))
			return format;
	}
	return NULL;
}

static bool is_named(const struct td_sdp_format *format, struct td_str encoding, uint32_t clock_hz)
{
	return format->mapped && td_str_equal_nocase(format->encoding, encoding) &&
	       format->clock_rate_hz == clock_hz && format->channels == 1;
}

const struct td_sdp_format *td_sdp_find_event(const struct td_sdp *sdp,
					      const struct td_sdp_media *media, uint32_t clock_hz)
{
	for (uint32_t i = 0; i < media->format_count; i++) {
		const struct td_sdp_format *format = &sdp->formats[media->format_first + i];

		if (is_named(format, TD_STR("telephone-event"), clock_hz) &&
		    (td_sdp_fmtp_events(format->fmtp) & TD_SDP_EVENTS_KEYS) == TD_SDP_EVENTS_KEYS)
			return format;
	}
	return NULL;
}

const struct td_sdp_format *td_sdp_find_noise(const struct td_sdp *sdp,
					      const struct td_sdp_media *media, uint32_t clock_hz)
{
	for (uint32_t i = 0; i < media->format_count; i++) {
		const struct td_sdp_format *format = &sdp->formats[media->format_first + i];

		if (is_named(format, TD_STR("CN"), clock_hz))
			return format;
		if (!format->mapped && format->payload_type == TD_SDP_NOISE_TYPE &&
		    clock_hz == 8000)
			return format;
	}
	return NULL;
}
