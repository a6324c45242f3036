#include "pcm/timeline.h"

#include <string.h>

#include "td_assert.h"

#define NS_PER_S         1000000000u
#define WIDEN_BLOCK      480 // samples
#define EXPECTED_MS      20  // of a packet

#define SAMPLES_PER_LINE ((int64_t)(TD_CACHE_LINE / sizeof(int16_t)))
// An anchor moves by one sample a packet, and rounding may add one.
#define SEAM_SAMPLES 2

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

// Converts one side of the window; what is beyond `frames` is silence already. It comes out as late as
// what the side's own converter will make from now on, so the two fit.
static void widen_side(struct td_timeline *timeline, unsigned side, unsigned frames,
		       struct td_resampler *up)
{
	int16_t narrow[TD_TIMELINE_FRAMES], wide[2 * WIDEN_BLOCK];

	memcpy(narrow, timeline->window[side], frames * sizeof narrow[0]);
	td_resampler_reset(up);
	for (unsigned at = 0; at < frames; at += WIDEN_BLOCK) {
		unsigned now = frames - at < WIDEN_BLOCK ? frames - at : WIDEN_BLOCK;
		size_t count = td_resampler_process(up, narrow + at, now, wide);

		memcpy(&timeline->window[side][2 * at], wide, count * sizeof wide[0]);
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
		td_anchor_double(&side->anchor);
		side->edge *= 2;
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

static int16_t *at(struct td_timeline *timeline, int64_t position, unsigned side)
{
	return &timeline->window[side][position & (window_frames(timeline) - 1)];
}

// The silence before a packet that begins at `position`; a sample or two is filled with the last one.
static int64_t close_up(struct td_timeline *timeline, unsigned side_idx, int64_t position)
{
	struct td_timeline_side *side = &timeline->sides[side_idx];
	int64_t gap = side->edge == 0 || position < side->edge ? 0 : position - side->edge;

	if (gap == 0 || gap > SEAM_SAMPLES)
		return gap;
	if (side->edge > (int64_t)timeline->written) {
		for (int64_t i = side->edge; i < position; i++)
			*at(timeline, i, side_idx) = *at(timeline, side->edge - 1, side_idx);
		side->samples += (uint64_t)gap;
	}
	return 0;
}

// Samples of a packet that lie where none were: what fills a gap is all new.
static uint64_t fresh(const struct td_timeline_side *side, int64_t position, unsigned count)
{
	int64_t beyond = position + count - side->edge;

	return beyond > 0 && beyond < (int64_t)count ? (uint64_t)beyond : count;
}

// In one piece, or two where the window begins again.
static void put(struct td_timeline *timeline, unsigned side, int64_t position, const int16_t *pcm,
		unsigned count)
{
	unsigned start = (unsigned)(position & (window_frames(timeline) - 1));
	unsigned first = window_frames(timeline) - start;

	first = first < count ? first : count;
	memcpy(&timeline->window[side][start], pcm, first * sizeof pcm[0]);
	memcpy(timeline->window[side], pcm + first, (count - first) * sizeof pcm[0]);
}

void td_timeline_expect(const struct td_timeline *timeline, unsigned side)
{
	int64_t edge = timeline->sides[side].edge, mask = window_frames(timeline) - 1;
	int64_t end = edge + timeline->rate_hz / 1000 * EXPECTED_MS;

	for (int64_t at = edge; at <= end; at += SAMPLES_PER_LINE)
		__builtin_prefetch(&timeline->window[side][at & mask], 1);
}

int64_t td_timeline_place(struct td_timeline *timeline, unsigned side_idx,
			  const struct td_timeline_packet *packet)
{
	struct td_timeline_side *side = &timeline->sides[side_idx];
	int64_t arrival = position_of_time(timeline, packet->arrival_ns), position, limit, gap;

	TD_ASSERT(side_idx < TD_TIMELINE_SIDES);
	TD_ASSERT(packet->count <= TD_TIMELINE_PACKET_MAX && packet->clock_hz > 0);
	side->received++;
	position = td_anchor_locate(&side->anchor, timeline->rate_hz, packet->ssrc,
				    packet->timestamp, packet->clock_hz, arrival);
	limit = (int64_t)timeline->written + window_frames(timeline);
	if (position < (int64_t)timeline->written || position + packet->count > limit) {
		side->late++;
		return TD_TIMELINE_LATE;
	}
	gap = close_up(timeline, side_idx, position);
	put(timeline, side_idx, position, packet->pcm, packet->count);
	side->placed++;
	side->samples += fresh(side, position, packet->count);
	if (position + packet->count > side->edge)
		side->edge = position + packet->count;
	if ((uint64_t)side->edge > timeline->end)
		timeline->end = (uint64_t)side->edge;
	return gap;
}

void td_timeline_skip(struct td_timeline *timeline, uint64_t ns)
{
	timeline->start_ns += ns;
	for (unsigned i = 0; i < TD_TIMELINE_SIDES; i++)
		timeline->sides[i].anchor.set = false;
}

void td_timeline_blank(struct td_timeline *timeline, uint64_t from_ns)
{
	int64_t from = position_of_time(timeline, from_ns), written = (int64_t)timeline->written;

	for (int64_t i = from > written ? from : written; i < (int64_t)timeline->end; i++)
		for (unsigned side = 0; side < TD_TIMELINE_SIDES; side++)
			*at(timeline, i, side) = 0;
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

static void interleave(int16_t (*restrict frames)[TD_TIMELINE_SIDES],
		       const struct td_timeline *restrict timeline, unsigned start, unsigned count)
{
	const int16_t *left = &timeline->window[0][start], *right = &timeline->window[1][start];

	for (unsigned i = 0; i < count; i++) {
		frames[i][0] = left[i];
		frames[i][1] = right[i];
	}
}

void td_timeline_take(struct td_timeline *timeline, int16_t (*frames)[TD_TIMELINE_SIDES],
		      unsigned count)
{
	unsigned window = window_frames(timeline);

	TD_ASSERT(count <= window);
	while (count > 0) {
		unsigned start = (unsigned)(timeline->written & (window - 1));
		unsigned now = window - start < count ? window - start : count;

		interleave(frames, timeline, start, now);
		for (unsigned side = 0; side < TD_TIMELINE_SIDES; side++)
			memset(&timeline->window[side][start], 0,
			       now * sizeof timeline->window[0][0]);
		timeline->written += now;
		frames += now;
		count -= now;
	}
}
