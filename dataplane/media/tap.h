// The tap ring: what tapped streams said, from one worker to one thread that listens.
//
//   worker   reserve -> fill -> keep ... publish  -->  [ records ]  -->  peek -> release   recorder
//   invariant: 0 <= head - tail <= next - tail <= line_count   (in cache lines, 32-bit, wrapping)
//
// One ring a worker for the recorder and one for forks: one producer, one consumer each. A record is
// a header and as much payload as there is, in whole cache lines one behind the other, so that a ring
// in use stays in the cache; one that does not fit before the end of the memory is at its start,
// behind a line that says so. When it is full the worker counts tap_lost or fork_lost and goes on:
// the recording has a gap, the call has not. Created and destroyed by the engine.
#pragma once

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "td_error.h"
#include "td_limits.h"
#include "td_role.h"

#define TD_TAP_LINES      131072u // of the recorder's: 8 MiB a worker
#define TD_STREAM_TAP_MAX 4       // recordings of one stream at a time

enum td_tap_side { TD_TAP_LEFT, TD_TAP_RIGHT }; // the first two tracks

// What a fork's record holds: a payload of either kind, or all of a packet with its headers.
enum td_tap_kind { TD_TAP_AUDIO, TD_TAP_EVENT, TD_TAP_FRAME_IN, TD_TAP_FRAME_OUT };

#define TD_TAP_MASKED 0x01u // of a record: what was said is not here, only that it came
#define TD_TAP_PAUSED 0x02u // of a recording: nothing is taken

struct td_tap_record {
	uint64_t arrival_ns; // CLOCK_MONOTONIC
	uint32_t tap;        // index of the td_tap_id; on a fork ring: of the td_fork_id
	uint32_t ssrc;
	uint32_t timestamp;
	uint16_t sequence;
	uint16_t payload_len; // 0 when masked
	uint16_t offered; // packets of this stream for this tap so far, with this one and what the
			  // ring refused, and it wraps; of a captured frame: its bytes on the wire,
			  // of which payload_len are here
	uint8_t side;     // the track: below TD_TRACK_MAX, of a fork below TD_FORK_STREAM_MAX
	uint8_t codec;    // enum td_codec_id; TD_CODEC_NONE for a telephone-event (RFC 4733) packet
	uint8_t marker;
	uint8_t kind;  // enum td_tap_kind
	uint8_t flags; // TD_TAP_MASKED
	uint8_t lines; // the ring's: how long the record is; 0: the next one is at the beginning
	uint8_t payload[TD_RTP_PAYLOAD_MAX]; // payload_len of them
};

#define TD_TAP_HEADER_BYTES offsetof(struct td_tap_record, payload)

_Static_assert(TD_TAP_HEADER_BYTES == 32, "half a line");
_Static_assert((sizeof(struct td_tap_record) + TD_CACHE_LINE) / TD_CACHE_LINE < UINT8_MAX,
	       "a record's lines fit their field");

struct td_tap_ring {
	alignas(TD_CACHE_LINE) _Atomic uint32_t head; // worker: rw, consumer: ro
	alignas(TD_CACHE_LINE) uint32_t next;         // worker's: behind the last record kept
	uint32_t reserved;  // lines of the record being filled, with a skip
	uint32_t tail_seen; // its last look at tail
	alignas(TD_CACHE_LINE) _Atomic uint32_t tail; // consumer: rw, worker: ro
	alignas(TD_CACHE_LINE) uint32_t mask;         // written once at creation
	uint8_t *lines;
};

// So many lines before they are written to they are asked for: the listener, another core, has them.
#define TD_TAP_AHEAD 24u

// `line_count` is a power of two of cache lines, 64 at least. -TD_EINVALID, -TD_EMEMORY.
TD_MUST_CHECK int td_tap_ring_create(uint32_t line_count, struct td_tap_ring **out);
void td_tap_ring_destroy(struct td_tap_ring *ring);

static inline struct td_tap_record *td_tap_at(const struct td_tap_ring *ring, uint32_t line)
{
	return (struct td_tap_record *)(void *)(ring->lines +
						(size_t)(line & ring->mask) * TD_CACHE_LINE);
}

static inline uint32_t td_tap_lines(uint32_t payload_len)
{
	return ((uint32_t)TD_TAP_HEADER_BYTES + payload_len + TD_CACHE_LINE - 1u) / TD_CACHE_LINE;
}

// Worker: a record to fill, with room for so much payload, or NULL when the ring is full. Fill in
// everything but `lines`.
static inline struct td_tap_record *td_tap_reserve(struct td_tap_ring *ring, uint32_t payload_len)
{
	uint32_t next = ring->next, lines = td_tap_lines(payload_len), skip = 0;
	uint32_t before_end = ring->mask + 1u - (next & ring->mask);
	struct td_tap_record *record;

	if (lines > before_end)
		skip = before_end;
	if (next - ring->tail_seen + skip + lines > ring->mask + 1u) {
		// Pairs with the release store in td_tap_release_until.
		ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
		if (next - ring->tail_seen + skip + lines > ring->mask + 1u)
			return NULL;
	}
	if (skip != 0)
		td_tap_at(ring, next)->lines = 0;
	ring->reserved = skip + lines;
	record = td_tap_at(ring, next + skip);
	record->lines = (uint8_t)lines;
	for (uint32_t i = 0; i < lines; i++)
		__builtin_prefetch(td_tap_at(ring, next + skip + TD_TAP_AHEAD + i), 1);
	return record;
}

// Worker: the record is filled. Nobody sees it before it is published.
static inline void td_tap_keep(struct td_tap_ring *ring)
{
	ring->next += ring->reserved;
}

// Worker: all that was kept is to be seen, many records at once.
static inline void td_tap_publish(struct td_tap_ring *ring)
{
	// Only the worker writes it. Publishes the records; pairs with the acquire load in td_tap_peek.
	if (atomic_load_explicit(&ring->head, memory_order_relaxed) != ring->next)
		atomic_store_explicit(&ring->head, ring->next, memory_order_release);
}

static inline void td_tap_commit(struct td_tap_ring *ring)
{
	td_tap_keep(ring);
	td_tap_publish(ring);
}

// How many lines lie before the oldest record: those left over at the end of the memory.
static inline uint32_t td_tap_skipped(const struct td_tap_ring *ring, uint32_t tail)
{
	return td_tap_at(ring, tail)->lines != 0 ? 0 : ring->mask + 1u - (tail & ring->mask);
}

// Consumer: the oldest record, or NULL when there is none. Good until td_tap_release.
static inline const struct td_tap_record *td_tap_peek(const struct td_tap_ring *ring)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	// Pairs with the release store in td_tap_publish, which published what is skipped as well.
	if (atomic_load_explicit(&ring->head, memory_order_acquire) == tail)
		return NULL;
	return td_tap_at(ring, tail + td_tap_skipped(ring, tail));
}

// Consumer: up to `max` of the oldest records, in their order; *end is for td_tap_release_until.
static inline uint32_t td_tap_peek_burst(const struct td_tap_ring *ring,
					 const struct td_tap_record **records, uint32_t max,
					 uint32_t *end)
{
	uint32_t at = atomic_load_explicit(&ring->tail, memory_order_relaxed), count = 0;
	// Pairs with the release store in td_tap_publish.
	uint32_t head = atomic_load_explicit(&ring->head, memory_order_acquire);

	while (count < max && at != head) {
		at += td_tap_skipped(ring, at);
		records[count++] = td_tap_at(ring, at);
		at += td_tap_at(ring, at)->lines;
	}
	*end = at;
	return count;
}

static inline void td_tap_release_until(struct td_tap_ring *ring, uint32_t end)
{
	// Gives the records back; pairs with the acquire load in td_tap_reserve.
	atomic_store_explicit(&ring->tail, end, memory_order_release);
}

static inline void td_tap_release(struct td_tap_ring *ring)
{
	uint32_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);

	tail += td_tap_skipped(ring, tail);
	td_tap_release_until(ring, tail + td_tap_at(ring, tail)->lines);
}
