// Giving out payload types.
#include <string.h>

#include "sdp/format.h"
#include "sdp/number.h"
#include "td_assert.h"

// RFC 3551 section 3: the dynamic range, then what is unassigned and no RTCP type with mux (RFC
// 5761 section 4).
static const struct {
	uint8_t first, last;
} ranges[] = { { 96, 127 }, { 35, 63 } };

void td_sdp_numbers_init(struct td_sdp_numbers *numbers)
{
	memset(numbers, TD_PAYLOAD_TYPE_NONE, sizeof *numbers);
	memset(numbers->peer, 0, sizeof numbers->peer);
}

unsigned td_sdp_clock_idx(uint32_t clock_hz)
{
	static const uint32_t clocks_hz[TD_SDP_CLOCK_COUNT] = { 8000, 16000, 32000, 48000 };
	unsigned idx = 0;

	while (idx < TD_SDP_CLOCK_COUNT && clocks_hz[idx] != clock_hz)
		idx++;
	TD_ASSERT(idx < TD_SDP_CLOCK_COUNT);
	return idx;
}

// The slot that has this number, NULL: it is nobody's.
static uint8_t *slot_of(struct td_sdp_numbers *numbers, uint8_t payload_type)
{
	for (unsigned i = 0; i < TD_CODEC_COUNT; i++)
		if (numbers->codecs[i] == payload_type)
			return &numbers->codecs[i];
	for (unsigned i = 0; i < TD_SDP_CLOCK_COUNT; i++) {
		if (numbers->events[i] == payload_type)
			return &numbers->events[i];
		if (numbers->noises[i] == payload_type)
			return &numbers->noises[i];
	}
	return NULL;
}

static bool is_free(struct td_sdp_numbers *numbers, uint8_t payload_type)
{
	return !(numbers->peer[payload_type / 8] & 1u << payload_type % 8) &&
	       !slot_of(numbers, payload_type);
}

static uint8_t dynamic_type(struct td_sdp_numbers *numbers)
{
	for (size_t r = 0; r < sizeof ranges / sizeof ranges[0]; r++)
		for (uint8_t type = ranges[r].first; type <= ranges[r].last; type++)
			// Codecs leave it to the events, which may come later.
			if (type != TD_SDP_EVENT_TYPE && is_free(numbers, type))
				return type;
	return TD_PAYLOAD_TYPE_NONE;
}

static uint8_t number(struct td_sdp_numbers *numbers, uint8_t *slot, uint8_t favourite)
{
	if (*slot != TD_PAYLOAD_TYPE_NONE)
		return *slot;
	if (favourite != TD_PAYLOAD_TYPE_NONE && is_free(numbers, favourite))
		*slot = favourite;
	else
		*slot = dynamic_type(numbers);
	return *slot;
}

uint8_t td_sdp_number_codec(struct td_sdp_numbers *numbers, enum td_codec_id codec)
{
	return number(numbers, &numbers->codecs[codec], td_sdp_static_type(codec));
}

uint8_t td_sdp_number_event(struct td_sdp_numbers *numbers, uint32_t clock_hz)
{
	return number(numbers, &numbers->events[td_sdp_clock_idx(clock_hz)], TD_SDP_EVENT_TYPE);
}

void td_sdp_number_take(struct td_sdp_numbers *numbers, uint8_t *slot, uint8_t payload_type)
{
	uint8_t *before = slot_of(numbers, payload_type);

	if (before)
		*before = TD_PAYLOAD_TYPE_NONE;
	*slot = payload_type;
}

// Only what is still without a number, and only a number that is still nobody's.
static void adopt(struct td_sdp_numbers *numbers, const struct td_sdp_format *format)
{
	if (slot_of(numbers, format->payload_type))
		return;
	for (int codec = TD_CODEC_NONE + 1; codec < TD_CODEC_COUNT; codec++) {
		if (numbers->codecs[codec] != TD_PAYLOAD_TYPE_NONE ||
		    !td_sdp_format_is(format, (enum td_codec_id)codec))
			continue;
		numbers->codecs[codec] = format->payload_type;
		return;
	}
}

void td_sdp_numbers_see(struct td_sdp_numbers *numbers, const struct td_sdp *sdp,
			const struct td_sdp_media *media)
{
	for (uint32_t i = 0; i < media->format_count; i++) {
		const struct td_sdp_format *format = &sdp->formats[media->format_first + i];

		adopt(numbers, format);
		numbers->peer[format->payload_type / 8] |=
			(uint8_t)(1u << format->payload_type % 8);
	}
}
