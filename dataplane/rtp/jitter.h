// The packets of one stream that wait to be played: order, duplicates, what came too late.
//
//   slot of a packet = sequence mod 64       wanted <= sequence < wanted + 64
//   present bit i  <=>  slot i waits         payload in a byte ring, whole, never wrapped
//
// Putting and taking cost the same however full it is. The ring has no tail: a payload is there
// as long as no more than ring_bytes were written since, so when bytes run out the packets that
// came first are lost first, and are found to be so when their turn comes. The ring is the caller's
// memory, passed to each call, so the struct can be moved. Pure; one thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define TD_JITTER_SLOTS        64u
#define TD_JITTER_MISORDER_MAX 100u  // as far back is late, further is a new numbering
#define TD_JITTER_DROPOUT_MAX  3000u // RFC 3550 A.1: as far ahead is loss

struct td_jitter_slot {
	uint32_t timestamp;
	uint32_t position; // of the payload's first byte, counted from the beginning
	uint16_t offset;   // of the same in the ring
	uint16_t len;
	uint16_t duration; // in ticks of the timestamp; 0: no audio
	uint16_t sequence;
};

struct td_jitter {
	uint64_t present;
	uint32_t position; // bytes ever written, with what was skipped at the ring's end
	uint16_t offset;   // where the next payload goes
	uint16_t ring_bytes;
	uint16_t wanted; // the sequence number to be played next
	// When none waits the ring begins anew, in bytes that the cache has had only just now: but not
	// before so many are written, for who wants to see what was played last once more.
	uint16_t lap_bytes;
	struct td_jitter_slot slots[TD_JITTER_SLOTS];
};

enum td_jitter_place {
	TD_JITTER_FITS,      // into the window
	TD_JITTER_DUPLICATE, // waits, or has been played
	TD_JITTER_LATE,      // its turn is over
	TD_JITTER_BEYOND,    // ahead of the window: td_jitter_advance makes room
	TD_JITTER_FOREIGN    // another numbering
};

// Empty, and `sequence` is wanted first. Keeps the ring's contents and what has been played.
void td_jitter_start(struct td_jitter *jitter, uint16_t sequence);
void td_jitter_init(struct td_jitter *jitter, uint16_t ring_bytes);

// What a packet that is not within the window is.
enum td_jitter_place td_jitter_place_outside(const struct td_jitter *jitter, uint16_t sequence);

static inline enum td_jitter_place td_jitter_place(const struct td_jitter *jitter,
						   uint16_t sequence)
{
	if (__builtin_expect((uint16_t)(sequence - jitter->wanted) >= TD_JITTER_SLOTS, 0))
		return td_jitter_place_outside(jitter, sequence);
	return jitter->present >> (sequence % TD_JITTER_SLOTS) & 1u ? TD_JITTER_DUPLICATE
								    : TD_JITTER_FITS;
}

// Moves the window so that `sequence` is its last; answers how many packets that pushed out.
uint32_t td_jitter_advance(struct td_jitter *jitter, uint16_t sequence);

// Copies a payload that fits the window; `len` is at most ring_bytes.
static inline void td_jitter_put(struct td_jitter *jitter, uint8_t *ring, uint16_t sequence,
				 uint32_t timestamp, uint16_t duration, const uint8_t *payload,
				 uint16_t len)
{
	uint32_t idx = sequence % TD_JITTER_SLOTS;
	struct td_jitter_slot *slot = &jitter->slots[idx];

	if ((jitter->present == 0 && jitter->offset >= jitter->lap_bytes) ||
	    len > jitter->ring_bytes - jitter->offset) {
		jitter->position += (uint32_t)(jitter->ring_bytes - jitter->offset);
		jitter->offset = 0;
	}
	*slot = (struct td_jitter_slot){ .timestamp = timestamp,
					 .position = jitter->position,
					 .offset = jitter->offset,
					 .len = len,
					 .duration = duration,
					 .sequence = sequence };
	memcpy(ring + jitter->offset, payload, len);
	jitter->position += len;
	jitter->offset = (uint16_t)(jitter->offset + len);
	jitter->present |= 1ull << idx;
}

// How many sequence numbers after `wanted` the first waiting packet has; 64: none waits.
static inline uint32_t td_jitter_ahead(const struct td_jitter *jitter)
{
	uint32_t turn = jitter->wanted % TD_JITTER_SLOTS;
	uint64_t present = jitter->present >> turn | jitter->present << (-turn & 63u);

	return present == 0 ? TD_JITTER_SLOTS : (uint32_t)__builtin_ctzll(present);
}

// The waiting packet that is `ahead` of the wanted one.
static inline const struct td_jitter_slot *td_jitter_at(const struct td_jitter *jitter,
							uint32_t ahead)
{
	return &jitter->slots[(jitter->wanted + ahead) % TD_JITTER_SLOTS];
}

// True while the payload of a waiting packet has not been written over.
static inline bool td_jitter_intact(const struct td_jitter *jitter,
				    const struct td_jitter_slot *slot)
{
	return jitter->position - slot->position <= jitter->ring_bytes;
}

// The packet `ahead` of the wanted one has been taken or given up, and what was before it too.
static inline void td_jitter_pop(struct td_jitter *jitter, uint32_t ahead)
{
	jitter->wanted = (uint16_t)(jitter->wanted + ahead);
	jitter->present &= ~(1ull << (jitter->wanted % TD_JITTER_SLOTS));
	jitter->wanted++;
}
