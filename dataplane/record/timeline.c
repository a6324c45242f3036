#include "record/timeline.h"

#include <string.h>

#include "td_assert.h"

#define FRAME_MASK    (TD_TIMELINE_FRAMES - 1)
#define NS_PER_FRAME  (1000000000u / TD_TIMELINE_HZ)
#define FRAMES_PER_MS (TD_TIMELINE_HZ / 1000)
#define SLIP_FRAMES   (TD_TIMELINE_SLIP_MS * FRAMES_PER_MS)

void td_timeline_init(struct td_timeline *timeline, uint64_t start_ns)
{
	memset(timeline, 0, sizeof *timeline);
	timeline->start_ns = start_ns;
}

static int64_t position_of_time(const struct td_timeline *timeline, uint64_t time_ns)
{
	if (time_ns <= timeline->start_ns)
		return 0;
	return (int64_t)((time_ns - timeline->start_ns) / NS_PER_FRAME);
}

static void anchor(struct td_timeline_side *side, uint32_t ssrc, uint32_t timestamp,
		   int64_t position)
{
	side->anchored = true;
	side->ssrc = ssrc;
	side->anchor_timestamp = timestamp;
	side->anchor_position = position;
	side->block_packets = 0;
	side->delay_known = false;
}

// Moves the anchor by what the least delay has drifted, once it is a millisecond.
static void follow_drift(struct td_timeline_side *side, int64_t delay)
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
	if (drift >= FRAMES_PER_MS || drift <= -FRAMES_PER_MS)
		side->anchor_position += drift;
}

// The packet's position, anchoring the side again when its RTP time cannot be believed.
static int64_t locate(struct td_timeline_side *side, uint32_t ssrc, uint32_t timestamp,
		      int64_t arrival)
{
	int64_t position, slip;

	if (!side->anchored || side->ssrc != ssrc)
		anchor(side, ssrc, timestamp, arrival);
	position = side->anchor_position + (int32_t)(timestamp - side->anchor_timestamp);
	slip = position - arrival;
	if (slip > SLIP_FRAMES || slip < -SLIP_FRAMES) {
		anchor(side, ssrc, timestamp, arrival);
		return arrival;
	}
	if (position > side->anchor_position) {
		side->anchor_position = position;
		side->anchor_timestamp = timestamp;
	}
	follow_drift(side, -slip);
	return position;
}

void td_timeline_place(struct td_timeline *timeline, unsigned side_idx, uint32_t ssrc,
		       uint32_t timestamp, uint64_t arrival_ns, const int16_t *pcm, unsigned count)
{
	struct td_timeline_side *side = &timeline->sides[side_idx];
	int64_t arrival = position_of_time(timeline, arrival_ns), position, limit;

	TD_ASSERT(side_idx < TD_TIMELINE_SIDES);
	TD_ASSERT(count <= TD_RTP_PAYLOAD_MAX);
	side->received++;
	position = locate(side, ssrc, timestamp, arrival);
	limit = (int64_t)timeline->written + TD_TIMELINE_FRAMES;
	if (position < (int64_t)timeline->written || position + count > limit) {
		side->late++;
		return;
	}
	for (unsigned i = 0; i < count; i++)
		timeline->window[(position + i) & FRAME_MASK][side_idx] = pcm[i];
	side->placed++;
	side->samples += count;
	if ((uint64_t)position + count > timeline->end)
		timeline->end = (uint64_t)position + count;
}

unsigned td_timeline_ready(const struct td_timeline *timeline, uint64_t until_ns)
{
	int64_t frames = position_of_time(timeline, until_ns) - (int64_t)timeline->written;

	if (frames <= 0)
		return 0;
	return frames > TD_TIMELINE_FRAMES ? TD_TIMELINE_FRAMES : (unsigned)frames;
}

unsigned td_timeline_rest(const struct td_timeline *timeline)
{
	return timeline->end > timeline->written ? (unsigned)(timeline->end - timeline->written)
						 : 0;
}

void td_timeline_take(struct td_timeline *timeline, int16_t (*frames)[TD_TIMELINE_SIDES],
		      unsigned count)
{
	TD_ASSERT(count <= TD_TIMELINE_FRAMES);
	for (unsigned i = 0; i < count; i++) {
		int16_t *frame = timeline->window[(timeline->written + i) & FRAME_MASK];

		memcpy(frames[i], frame, sizeof frames[i]);
		memset(frame, 0, sizeof frames[i]);
	}
	timeline->written += count;
}
