#include "pcm/timeline.h"

#include <string.h>

#include "td_assert.h"

#define NS_PER_S    1000000000u
#define WIDEN_BLOCK 480 // samples

void td_timeline_init(struct td_timeline *timeline, uint64_t start_ns)
{
	memset(timeline, 0, sizeof *timeline);
	timeline->rate_hz = TD_TIMELINE_HZ;
	timeline->start_ns = start_ns;
}

static unsigned window_frames(const struct td_timeline *timeline)
{
	return timeline->rate_hz == TD_TIMELINE_HZ ? TD_TIMELINE_FRAMES : TD_TIMELINE_FRAMES_MAX;
}

static unsigned frames_per_ms(const struct td_timeline *timeline)
{
	return timeline->rate_hz / 1000;
}

// Converts one side of the window; what is beyond `frames` is silence already. It comes out as late as
// what the side's own converter will make from now on, so the two fit.
static void widen_side(struct td_timeline *timeline, unsigned side, unsigned frames,
		       struct td_resampler *up)
{
	int16_t narrow[TD_TIMELINE_FRAMES], wide[2 * WIDEN_BLOCK];

	for (unsigned i = 0; i < frames; i++)
		narrow[i] = timeline->window[i][side];
	td_resampler_reset(up);
	for (unsigned at = 0; at < frames; at += WIDEN_BLOCK) {
		unsigned now = frames - at < WIDEN_BLOCK ? frames - at : WIDEN_BLOCK;
		size_t count = td_resampler_process(up, narrow + at, now, wide);

		for (size_t i = 0; i < count; i++)
			timeline->window[2 * at + i][side] = wide[i];
	}
}

void td_timeline_widen(struct td_timeline *timeline, struct td_resampler *up)
{
	unsigned frames = (unsigned)timeline->end;

	TD_ASSERT(timeline->rate_hz == TD_TIMELINE_HZ && timeline->written == 0);
	TD_ASSERT(timeline->end <= TD_TIMELINE_FRAMES);
	for (unsigned i = 0; i < TD_TIMELINE_SIDES; i++) {
		struct td_timeline_side *side = &timeline->sides[i];

		widen_side(timeline, i, frames, up);
		side->anchor_position *= 2;
		side->block_delay *= 2;
		side->delay *= 2;
		side->samples *= 2;
	}
	timeline->end *= 2;
	timeline->rate_hz = TD_TIMELINE_WIDE_HZ;
}

static int64_t position_of_time(const struct td_timeline *timeline, uint64_t time_ns)
{
	if (time_ns <= timeline->start_ns)
		return 0;
	return (int64_t)((time_ns - timeline->start_ns) / (NS_PER_S / timeline->rate_hz));
}

static void anchor(struct td_timeline_side *side, const struct td_timeline_packet *packet,
		   int64_t position)
{
	side->anchored = true;
	side->ssrc = packet->ssrc;
	side->clock_hz = packet->clock_hz;
	side->anchor_timestamp = packet->timestamp;
	side->anchor_position = position;
	side->block_packets = 0;
	side->delay_known = false;
}

// Moves the anchor by what the least delay has drifted, once it is a millisecond.
static void follow_drift(struct td_timeline_side *side, int64_t delay, int64_t tolerance)
{
	int64_t drift;

	if (side->block_packets == 0 || delay < side->block_delay)
		side->block_delay = delay;
	if (++side->block_packets < TD_TIMELINE_BLOCK)
		return;
	side->block_packets = 0;
	if (!side->delay_known) {
		side->delay_known = true;
		side->delay = side->block_delay;
		return;
	}
	drift = side->block_delay - side->delay;
	if (drift >= tolerance || drift <= -tolerance)
		side->anchor_position += drift;
}

// The packet's position, anchoring the side again when its RTP time cannot be believed.
static int64_t locate(const struct td_timeline *timeline, struct td_timeline_side *side,
		      const struct td_timeline_packet *packet, int64_t arrival)
{
	int64_t limit = TD_TIMELINE_SLIP_MS * (int64_t)frames_per_ms(timeline);
	int64_t position, slip;

	// Another codec may count time in another clock.
	if (!side->anchored || side->ssrc != packet->ssrc || side->clock_hz != packet->clock_hz)
		anchor(side, packet, arrival);
	position = side->anchor_position +
		   (int64_t)(int32_t)(packet->timestamp - side->anchor_timestamp) *
			   timeline->rate_hz / side->clock_hz;
	slip = position - arrival;
	if (slip > limit || slip < -limit) {
		anchor(side, packet, arrival);
		return arrival;
	}
	if (position > side->anchor_position) {
		side->anchor_position = position;
		side->anchor_timestamp = packet->timestamp;
	}
	follow_drift(side, -slip, frames_per_ms(timeline));
	return position;
}

void td_timeline_place(struct td_timeline *timeline, unsigned side_idx,
		       const struct td_timeline_packet *packet)
{
	struct td_timeline_side *side = &timeline->sides[side_idx];
	int64_t arrival = position_of_time(timeline, packet->arrival_ns), position, limit;
	unsigned mask = window_frames(timeline) - 1;

	TD_ASSERT(side_idx < TD_TIMELINE_SIDES);
	TD_ASSERT(packet->count <= TD_TIMELINE_PACKET_MAX && packet->clock_hz > 0);
	side->received++;
	position = locate(timeline, side, packet, arrival);
	limit = (int64_t)timeline->written + window_frames(timeline);
	if (position < (int64_t)timeline->written || position + packet->count > limit) {
		side->late++;
		return;
	}
	for (unsigned i = 0; i < packet->count; i++)
		timeline->window[(position + i) & mask][side_idx] = packet->pcm[i];
	side->placed++;
	side->samples += packet->count;
	if ((uint64_t)position + packet->count > timeline->end)
		timeline->end = (uint64_t)position + packet->count;
}

unsigned td_timeline_ready(const struct td_timeline *timeline, uint64_t until_ns)
{
	int64_t frames = position_of_time(timeline, until_ns) - (int64_t)timeline->written;

	if (frames <= 0)
		return 0;
	return frames > window_frames(timeline) ? window_frames(timeline) : (unsigned)frames;
}

unsigned td_timeline_rest(const struct td_timeline *timeline)
{
	return timeline->end > timeline->written ? (unsigned)(timeline->end - timeline->written)
						 : 0;
}

void td_timeline_take(struct td_timeline *timeline, int16_t (*frames)[TD_TIMELINE_SIDES],
		      unsigned count)
{
	unsigned mask = window_frames(timeline) - 1;

	TD_ASSERT(count <= window_frames(timeline));
	for (unsigned i = 0; i < count; i++) {
		int16_t *frame = timeline->window[(timeline->written + i) & mask];

		memcpy(frames[i], frame, sizeof frames[i]);
		memset(frame, 0, sizeof frames[i]);
	}
	timeline->written += count;
}
