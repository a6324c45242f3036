// The tap ring: what the recorded streams said, from one worker to the recorder thread.
//
//   worker   reserve -> fill -> commit  -->  [ records ]  -->  peek -> release   recorder
//   invariant: 0 <= head - tail <= record_count   (32-bit, wrapping)
//
// One ring a worker, one producer, one consumer. Records are filled in place and only as much of
// the payload as there is gets copied. When it is full the worker counts tap_lost and goes on: the
// recording has a gap, the call has not. Created and destroyed by the engine.
#pragma once

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "td_error.h"
#include "td_limits.h"
#include "td_role.h"

#define TD_TAP_RECORDS 8192 // 12 MiB a worker

enum td_tap_side { TD_TAP_LEFT, TD_TAP_RIGHT }; // the first two tracks

// What a fork's record holds: a payload of either kind, or all of a packet with its headers.
enum td_tap_kind { TD_TAP_AUDIO, TD_TAP_EVENT, TD_TAP_FRAME_IN, TD_TAP_FRAME_OUT };

struct td_tap_record {
	uint64_t arrival_ns; // CLOCK_MONOTONIC
	uint32_t tap;        // index of the td_tap_id; on a fork ring: of the td_fork_id
	uint32_t ssrc;
	uint32_t timestamp;
	uint16_t sequence;
	uint16_t payload_len;
	uint8_t side;  // the track: below TD_TRACK_MAX, of a fork below TD_FORK_STREAM_MAX
	uint8_t codec; // enum td_codec_id; TD_CODEC_NONE for a telephone-event (RFC 4733) packet
	uint8_t marker;
	uint8_t kind;     // enum td_tap_kind, on a fork ring
	uint32_t offered; // packets of this track so far, with this one and what the ring refused;
		// of a captured frame: its bytes on the wire, of which payload_len are here
	uint8_t payload[TD_RTP_PAYLOAD_MAX];
};

_Static_assert(sizeof(struct td_tap_record) % TD_CACHE_LINE == 0,
	       "whole lines, header in the first");

struct td_tap_ring {
	alignas(TD_CACHE_LINE) _Atomic uint32_t head; // worker: rw, recorder: ro
	uint32_t tail_seen;                           // worker's last look at tail
	alignas(TD_CACHE_LINE) _Atomic uint32_t tail; // recorder: rw, worker: ro
	alignas(TD_CACHE_LINE) uint32_t mask;         // written once at creation
	struct td_tap_record *records;
};

// `record_count` is a power of two. -TD_EINVALID, -TD_EMEMORY.
TD_MUST_CHECK int td_tap_ring_create(uint32_t record_count, struct td_tap_ring **out);
void td_tap_ring_destroy(struct td_tap_ring *ring);

// Worker: the next record to fill, or NULL when the ring is full. Nothing is visible before commit.
static inline struct td_tap_record *td_tap_reserve(struct td_tap_ring *ring)
{
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

	if (head - ring->tail_seen > ring->mask) {
		// Pairs with the release store in td_tap_release.
		ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
		if (head - ring->tail_seen > ring->mask)
			return NULL;
	}
	return &ring->records[head & ring->mask];
}

static inline void td_tap_commit(struct td_tap_ring *ring)
{
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);

	// Publishes the record; pairs with the acquire load in td_tap_peek.
	atomic_store_explicit(&ring->head, head + 1u, memory_order_release);
}

// Recorder: the oldest record, or NULL when there is none. Good until td_tap_release.
static inline const struct td_tap_record *td_tap_peek(const struct td_tap_ring *ring)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	// Pairs with the release store in td_tap_commit.
	if (atomic_load_explicit(&ring->head, memory_order_acquire) == tail)
		return NULL;
	return &ring->records[tail & ring->mask];
}

static inline void td_tap_release(struct td_tap_ring *ring)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	// Gives the record back; pairs with the acquire load in td_tap_reserve.
	atomic_store_explicit(&ring->tail, tail + 1u, memory_order_release);
}
