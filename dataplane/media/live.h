// A player that is fed while it plays: 20 ms frames from the forker thread to the context's worker.
//
//   forker  room? -> fill -> push  -->  [ frames ]  -->  look -> step   worker, once a tick
//   invariant: 0 <= head - tail <= TD_LIVE_FRAMES   (32-bit, wrapping)
//
// One producer, one consumer, nobody waits. Nothing there at a tick is silence. A flush empties it at
// the worker's next tick: frames below `flush` are passed over, and `cut` says at which one it was,
// so the producer knows to the frame what was heard and what was not. Frames are made at the rate the
// worker's mix runs at; the few that are under way when that changes are converted, coarsely.
// The memory is the forker's and outlives the player.
#pragma once

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "td_limits.h"

#define TD_LIVE_FRAMES      16u // a power of two: 320 ms, for a forker that is late
#define TD_LIVE_SAMPLES_MAX 960u
#define TD_LIVE_RATE_HZ     8000u // until a mix says otherwise

struct td_live_frame {
	uint32_t rate_hz;
	int16_t pcm[TD_LIVE_SAMPLES_MAX]; // rate_hz / 50 of them
};

struct td_live {
	alignas(TD_CACHE_LINE) _Atomic uint32_t head; // forker: rw, worker: ro
	_Atomic uint32_t flush;                       // likewise: frames below are not to be heard
	alignas(TD_CACHE_LINE) _Atomic uint32_t tail; // worker: rw, forker: ro
	_Atomic uint32_t cut;                         // likewise: where tail was at the last flush
	_Atomic uint32_t rate_hz;                     // likewise: of the mix
	alignas(TD_CACHE_LINE) bool looked;           // worker: this tick's frame is chosen
	bool chosen;                                  // and there is one
	int16_t converted[TD_LIVE_SAMPLES_MAX];       // worker
	struct td_live_frame frames[TD_LIVE_FRAMES];
};

// Before the player is created; nobody else uses it then.
void td_live_init(struct td_live *live);

// Forker: the next frame to fill, NULL when there is no room. Nothing is heard of it before push.
static inline struct td_live_frame *td_live_room(struct td_live *live)
{
	uint32_t head = atomic_load_explicit(&live->head, memory_order_relaxed);

	// Pairs with the release store in td_live_step.
	if (head - atomic_load_explicit(&live->tail, memory_order_acquire) >= TD_LIVE_FRAMES)
		return NULL;
	return &live->frames[head & (TD_LIVE_FRAMES - 1u)];
}

// Answers the number of the frame, counted from 0 and wrapping.
static inline uint32_t td_live_push(struct td_live *live)
{
	uint32_t head = atomic_load_explicit(&live->head, memory_order_relaxed);

	// Publishes the frame; pairs with the acquire load in td_live_look.
	atomic_store_explicit(&live->head, head + 1u, memory_order_release);
	return head;
}

// Forker: everything pushed so far is not to be heard. Done once td_live_played is at head.
static inline void td_live_flush(struct td_live *live)
{
	uint32_t head = atomic_load_explicit(&live->head, memory_order_relaxed);

	// Pairs with the acquire load in td_live_look.
	atomic_store_explicit(&live->flush, head, memory_order_release);
}

// Forker: frames up to this one (not with it) are over: heard, or flushed.
static inline uint32_t td_live_played(const struct td_live *live)
{
	return atomic_load_explicit(&live->tail, memory_order_acquire);
}

// Worker: this tick's samples at the rate of the mix, NULL: silence. The same until td_live_step.
const int16_t *td_live_look(struct td_live *live, uint32_t rate_hz);
// Worker: the tick is over, whether anybody looked or not. True when a frame was played.
bool td_live_step(struct td_live *live);
