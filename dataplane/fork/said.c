#include "fork/said.h"

#include <stdlib.h>
#include <string.h>

#define PARTIAL_NS (40 * 1000000ull) // a frame that is not whole waits so long for the rest
#define FRAMES_S   (1000u / TD_FORK_FRAME_MS)

int td_said_init(struct td_said *said, struct td_live *live, uint32_t rate_hz,
		 td_said_told_fn *told, void *user)
{
	*said = (struct td_said){ .live = live, .rate_hz = rate_hz, .told = told, .user = user };
	said->capacity = TD_FORK_WAITING_S * rate_hz;
	said->samples = calloc(said->capacity, sizeof *said->samples);
	return said->samples != NULL ? 0 : -TD_EMEMORY;
}

void td_said_fini(struct td_said *said)
{
	free(said->samples);
	td_resampler_destroy(said->resampler);
	said->samples = NULL;
	said->resampler = NULL;
}

uint32_t td_said_played(const struct td_said *said)
{
	return td_live_played(said->live) - said->flushed_frames;
}

static uint32_t pushed(const struct td_said *said)
{
	return atomic_load_explicit(&said->live->head, memory_order_relaxed);
}

static struct td_said_mark *mark_at(struct td_said *said, uint32_t i)
{
	return &said->marks[(said->mark_first + i) % TD_FORK_MARKS];
}

static void tell_number(struct td_said *said, uint8_t type, uint32_t number)
{
	uint8_t payload[4];
	const struct td_fork_frame frame = { .type = type,
					     .length = sizeof payload,
					     .position = td_said_played(said),
					     .payload = payload };

	for (unsigned i = 0; i < sizeof payload; i++)
		payload[i] = (uint8_t)(number >> 8 * i);
	said->told(said->user, &frame);
}

// The oldest mark is answered.
static void answer_mark(struct td_said *said, uint8_t type, uint32_t position)
{
	const struct td_said_mark *mark = mark_at(said, 0);
	const struct td_fork_frame frame = { .type = type,
					     .length = mark->length,
					     .position = position,
					     .payload = (const uint8_t *)mark->name };

	said->told(said->user, &frame);
	said->reached += type == TD_FORK_MARK;
	said->mark_first = (said->mark_first + 1u) % TD_FORK_MARKS;
	said->mark_count--;
}

static void take_audio(struct td_said *said, const struct td_fork_frame *frame, uint64_t now_ns)
{
	uint32_t count = frame->length / 2u, lost = 0, lost_ms;
	uint32_t room = said->capacity - (uint32_t)(said->given - said->taken);

	said->heard_ns = now_ns;
	if (count > room) {
		lost = count - room;
		count = room;
	}
	for (uint32_t i = 0; i < count; i++) {
		uint16_t sample =
			(uint16_t)(frame->payload[2 * i] | frame->payload[2 * i + 1] << 8);

		said->samples[(said->given + i) % said->capacity] = (int16_t)sample;
	}
	said->given += count;
	if (lost == 0)
		return;
	lost_ms = (lost * 1000u + said->rate_hz - 1u) / said->rate_hz;
	said->overrun_ms += lost_ms;
	tell_number(said, TD_FORK_OVERRUN, lost_ms);
}

static int take_mark(struct td_said *said, const struct td_fork_frame *frame)
{
	struct td_said_mark *mark;

	if (said->mark_count == TD_FORK_MARKS)
		return -TD_EFULL;
	mark = mark_at(said, said->mark_count++);
	mark->at = said->given;
	mark->filled = false;
	mark->length = (uint8_t)frame->length;
	memcpy(mark->name, frame->payload, frame->length);
	return 0;
}

static void take_flush(struct td_said *said)
{
	said->flush_queued_ms = (uint32_t)((said->given - said->taken) * 1000u / said->rate_hz);
	said->taken = said->given;
	said->flush_head = pushed(said);
	said->flush_tail = td_live_played(said->live);
	said->flushing = true;
	said->starved = false;
	if (said->resampler != NULL)
		td_resampler_reset(said->resampler);
	td_live_flush(said->live);
}

int td_said_take(struct td_said *said, const struct td_fork_frame *frame, uint64_t now_ns)
{
	switch ((enum td_fork_frame_type)frame->type) {
	case TD_FORK_AUDIO: take_audio(said, frame, now_ns); return 0;
	case TD_FORK_MARK: return take_mark(said, frame);
	case TD_FORK_FLUSH: take_flush(said); return 0;
	case TD_FORK_HELLO:
	case TD_FORK_DIGIT:
	case TD_FORK_UNMARK:
	case TD_FORK_OVERRUN:
	case TD_FORK_END: break;
	}
	return -TD_EINVALID;
}

// Marks whose frame has been played when `played` of all that were pushed are over.
static void answer_reached(struct td_said *said, uint32_t played)
{
	while (said->mark_count > 0) {
		const struct td_said_mark *mark = mark_at(said, 0);

		if (!mark->filled || (int32_t)(played - mark->due) < 0)
			return;
		answer_mark(said, TD_FORK_MARK, mark->due - said->flushed_frames);
	}
}

static void settle_flush(struct td_said *said)
{
	uint32_t played = td_live_played(said->live), cut, thrown_ms;

	if ((int32_t)(played - said->flush_head) < 0)
		return; // the worker has not ticked yet
	// Relaxed: written before the tail that was read just now.
	cut = atomic_load_explicit(&said->live->cut, memory_order_relaxed);
	if ((int32_t)(cut - said->flush_tail) < 0)
		cut = said->flush_head; // of an earlier flush: all was played before this one came
	answer_reached(said, cut);
	said->flushed_frames += said->flush_head - cut;
	thrown_ms = (said->flush_head - cut) * TD_FORK_FRAME_MS + said->flush_queued_ms;
	said->flushed_ms += thrown_ms;
	while (said->mark_count > 0)
		answer_mark(said, TD_FORK_UNMARK, td_said_played(said));
	said->flushing = false;
	tell_number(said, TD_FORK_FLUSH, thrown_ms);
}

// How much of a frame is to be taken: a whole one, or what there is when nothing follows soon.
static uint32_t portion(struct td_said *said, uint32_t whole, uint64_t now_ns)
{
	uint64_t waiting = said->given - said->taken;

	if (waiting >= whole)
		return whole;
	if (now_ns - said->heard_ns >= PARTIAL_NS)
		return (uint32_t)waiting;
	return said->mark_count > 0 && mark_at(said, said->mark_count - 1u)->at == said->given
		       ? (uint32_t)waiting
		       : 0;
}

// Marks behind what has been taken get the frame that was pushed last.
static void fill_marks(struct td_said *said)
{
	for (uint32_t i = 0; i < said->mark_count; i++) {
		struct td_said_mark *mark = mark_at(said, i);

		if (mark->at > said->taken)
			return;
		if (!mark->filled)
			mark->due = pushed(said);
		mark->filled = true;
	}
}

// Coarser for want of memory, never silent.
static void follow_rate(struct td_said *said, uint32_t rate_hz)
{
	if (rate_hz == said->resampled_hz)
		return;
	td_resampler_destroy(said->resampler);
	said->resampler = NULL;
	said->resampled_hz = rate_hz;
	if (rate_hz != said->rate_hz &&
	    td_resampler_create(said->rate_hz, rate_hz, &said->resampler) != 0)
		said->resampler = NULL;
}

static void push(struct td_said *said, struct td_live_frame *frame, uint32_t count)
{
	// Relaxed: the number alone is of interest.
	uint32_t rate_hz = atomic_load_explicit(&said->live->rate_hz, memory_order_relaxed);
	uint32_t whole = said->rate_hz / FRAMES_S;
	int16_t native[TD_LIVE_SAMPLES_MAX] = { 0 };

	follow_rate(said, rate_hz);
	for (uint32_t i = 0; i < count; i++)
		native[i] = said->samples[(said->taken + i) % said->capacity];
	said->taken += count;
	if (said->resampler != NULL) {
		td_resampler_process(said->resampler, native, whole, frame->pcm);
		frame->rate_hz = rate_hz;
	} else {
		memcpy(frame->pcm, native, whole * sizeof native[0]);
		frame->rate_hz = said->rate_hz;
	}
	td_live_push(said->live);
}

static void fill(struct td_said *said, uint64_t now_ns)
{
	struct td_live_frame *frame;

	if (said->starved && td_live_played(said->live) == pushed(said))
		said->underruns++;
	fill_marks(said);
	while ((frame = td_live_room(said->live)) != NULL) {
		uint32_t count = portion(said, said->rate_hz / FRAMES_S, now_ns);

		if (count == 0)
			break;
		push(said, frame, count);
		fill_marks(said);
	}
	// More was there than fitted: if the player runs dry before the next turn, we were late.
	said->starved = frame == NULL && said->given > said->taken;
}

void td_said_turn(struct td_said *said, uint64_t now_ns)
{
	if (said->flushing)
		settle_flush(said);
	if (said->flushing)
		return;
	answer_reached(said, td_live_played(said->live));
	fill(said, now_ns);
	answer_reached(said, td_live_played(said->live));
}
