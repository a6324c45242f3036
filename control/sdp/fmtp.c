// Reading and writing format parameters.
#include "sdp/fmtp.h"

#define OPUS_MAX_HZ 48000
#define OPUS_MIN_HZ 8000

// Takes what comes before the next `separator` off `rest`, trimmed.
static struct td_str part_next(struct td_str *rest, char separator)
{
	size_t end = td_str_find(*rest, separator);
	struct td_str part = td_str_trim(td_str_before(*rest, end));

	*rest = td_str_after(*rest, end + 1);
	return part;
}

struct td_str td_sdp_fmtp_value(struct td_str fmtp, struct td_str key)
{
	while (!td_str_empty(fmtp)) {
		struct td_str part = part_next(&fmtp, ';');
		size_t equals = td_str_find(part, '=');

		if (td_str_equal_nocase(td_str_trim(td_str_before(part, equals)), key))
			return td_str_trim(td_str_after(part, equals + 1));
	}
	return TD_STR_NONE;
}

// A number in its range; 0 when it is not said, no number, or out of it.
static uint32_t number(struct td_str fmtp, struct td_str key, uint32_t min, uint32_t max)
{
	uint32_t value;

	if (td_str_to_u32(td_sdp_fmtp_value(fmtp, key), &value) || value < min || value > max)
		return 0;
	return value;
}

// One of RFC 7587's switches: "1" is on, everything else is off.
static bool is_on(struct td_str fmtp, struct td_str key)
{
	return number(fmtp, key, 1, 1) == 1;
}

// "3" or "0-15": its events as bits. False for anything else.
static bool range_parse(struct td_str part, uint32_t *events)
{
	size_t dash = td_str_find(part, '-');
	uint32_t first, last;

	if (td_str_to_u32(td_str_before(part, dash), &first))
		return false;
	last = first;
	if (dash < part.len && td_str_to_u32(td_str_after(part, dash + 1), &last))
		return false;
	if (last > 255 || first > last)
		return false;
	for (uint32_t event = first; event <= last && event < 32; event++)
		*events |= 1u << event;
	return true;
}

uint32_t td_sdp_fmtp_events(struct td_str fmtp)
{
	struct td_str rest = td_str_trim(fmtp);
	uint32_t events = 0;

	if (td_str_empty(rest))
		return TD_SDP_EVENTS_DTMF;
	while (!td_str_empty(rest))
		if (!range_parse(part_next(&rest, ','), &events))
			return TD_SDP_EVENTS_DTMF;
	return events;
}

bool td_sdp_fmtp_annexb(struct td_str fmtp)
{
	return !td_str_equal_nocase(td_sdp_fmtp_value(fmtp, TD_STR("annexb")), TD_STR("no"));
}

uint32_t td_sdp_fmtp_minptime_ms(struct td_str fmtp)
{
	return number(fmtp, TD_STR("minptime"), 3, 120);
}

// The smaller of two bounds, of which 0 is none.
static uint32_t tighter(uint32_t a, uint32_t b)
{
	if (a == 0 || b == 0)
		return a | b;
	return a < b ? a : b;
}

static struct td_codec_settings opus_settings(struct td_str fmtp,
					      const struct td_codec_settings *ours)
{
	struct td_codec_settings out = *ours;
	uint32_t max_hz = number(fmtp, TD_STR("maxplaybackrate"), 1, UINT32_MAX);

	if (max_hz != 0 && max_hz < OPUS_MIN_HZ)
		max_hz = OPUS_MIN_HZ;
	if (max_hz < OPUS_MAX_HZ)
		out.max_hz = tighter(ours->max_hz, max_hz);
	out.bitrate_bps = tighter(ours->bitrate_bps,
				  number(fmtp, TD_STR("maxaveragebitrate"),
					 TD_SDP_OPUS_BITRATE_MIN_BPS, TD_SDP_OPUS_BITRATE_MAX_BPS));
	out.flags = ours->flags & TD_CODEC_CBR;
	if (is_on(fmtp, TD_STR("useinbandfec")))
		out.flags |= ours->flags & TD_CODEC_FEC;
	if (is_on(fmtp, TD_STR("usedtx")))
		out.flags |= ours->flags & TD_CODEC_DTX;
	if (is_on(fmtp, TD_STR("cbr")))
		out.flags |= TD_CODEC_CBR;
	// Redundancy is for losses; without it there is nothing to spend bits on.
	if (!(out.flags & TD_CODEC_FEC))
		out.loss_percent = 0;
	return out;
}

struct td_codec_settings td_sdp_fmtp_settings(enum td_codec_id codec, struct td_str fmtp,
					      const struct td_codec_settings *ours)
{
	struct td_codec_settings out = { 0 };

	if (codec == TD_CODEC_OPUS)
		return opus_settings(fmtp, ours);
	if (codec == TD_CODEC_G729 && td_sdp_fmtp_annexb(fmtp))
		out.flags = TD_CODEC_ANNEXB;
	return out;
}

void td_sdp_fmtp_write_opus(struct td_sdp_text *out, uint8_t payload_type,
			    const struct td_codec_settings *ours)
{
	const struct {
		const char *key;
		uint32_t value; // 0: not said
	} rows[] = {
		{ "maxplaybackrate", ours->max_hz < OPUS_MAX_HZ ? ours->max_hz : 0 },
		{ "sprop-maxcapturerate", ours->max_hz < OPUS_MAX_HZ ? ours->max_hz : 0 },
		{ "maxaveragebitrate", ours->bitrate_bps },
		{ "cbr", ours->flags & TD_CODEC_CBR ? 1 : 0 },
		{ "useinbandfec", ours->flags & TD_CODEC_FEC ? 1 : 0 },
		{ "usedtx", ours->flags & TD_CODEC_DTX ? 1 : 0 },
	};
	bool begun = false;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (rows[i].value == 0)
			continue;
		if (!begun)
			td_sdp_text_printf(out, "a=fmtp:%u ", payload_type);
		td_sdp_text_printf(out, "%s%s=%u", begun ? ";" : "", rows[i].key, rows[i].value);
		begun = true;
	}
	if (begun)
		td_sdp_text_printf(out, "\r\n");
}
