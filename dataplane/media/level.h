// How loud a stream is and who talks: looked at in one packet of sixteen, 8 ms of G.711 each time.
//
//   parser           its turn? it is marked, the line of samples is asked for
//   td_level_keep    copies it before the packet is sent on, asks for the stream's line below
//   td_level_look    after the next vector: decoded, summed; who talks in the context
//
// Which packet is looked at is said by its sequence number, at another turn for each stream; a look
// stands for the sixteen packets around it. All that a look touches of a stream is one cache line,
// and one of its context while it talks: with many streams both come from far away.
//
// Part of the stream's hot half, on its own slot.
#pragma once

#include <stdalign.h>
#include <stdint.h>

#include "net/packet.h"
#include "td_limits.h"

#define TD_LEVEL_EVERY     TD_PACKET_LOOK_EVERY // packets, ticks
#define TD_LEVEL_SAMPLES   64u                  // of G.711, a cache line of them
#define TD_LEVEL_LOOKS_MAX 64u                  // of a vector

struct td_media_worker;
struct td_packet;
struct td_plan;

struct td_level {
	// Sums over milliseconds of mean squares, and the milliseconds.
	alignas(TD_CACHE_LINE) uint64_t talk_energy;
	uint64_t quiet_energy;
	uint32_t talk_ms, quiet_ms, double_talk_ms, clipped_ms;
	uint32_t context; // index
	uint32_t look_ms; // what a look at a packet stands for
};

_Static_assert(sizeof(struct td_level) == TD_CACHE_LINE, "a look touches one line of a stream");

// What of a vector is to be looked at.
struct td_level_looks {
	uint32_t count;
	struct td_level_look {
		uint32_t stream;
		uint8_t codec; // TD_CODEC_PCMU, TD_CODEC_PCMA
		uint8_t law[TD_LEVEL_SAMPLES];
	} looks[TD_LEVEL_LOOKS_MAX];
};

// It is the turn of this packet of audio, accepted and not sent on yet.
static inline bool td_level_is_turn(const struct td_packet *packet)
{
#ifdef TD_WITHOUT_QUALITY // perf/run stats compares
	return false;
#endif
	return (packet->flags & TD_PACKET_LOOK) != 0;
}
// Once a packet of a vector. Does nothing for what is not G.711, or not even a line of it.
void td_level_keep(struct td_media_worker *worker, uint32_t stream, const uint8_t *payload,
		   uint32_t payload_len);
// Before a vector and after it: looks at what was kept of the one before.
void td_level_expect(const struct td_media_worker *worker);
void td_level_look(struct td_media_worker *worker, uint64_t now_ns);
// At all that was kept: before a stream comes, changes or goes.
void td_level_finish(struct td_media_worker *worker, uint64_t now_ns);
// Of the sources of a mix that came in another codec; `ready` as in make_mixes.
void td_level_mixed(struct td_media_worker *worker, const struct td_plan *plan,
		    const int16_t *const *ready, uint64_t now_ns);
// A mean square in dBm0, where 0 dBm0 is 3.17 dB below a full sine of mu-law.
int8_t td_level_dbm0(uint64_t energy, uint32_t ms);
