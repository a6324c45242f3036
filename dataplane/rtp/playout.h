// One received stream made audible: packets in as they come, PCM out as the clock asks for it.
//
//   put --> [ jitter.h: order ] --decoder, recovery, concealment--> [ decoded ] --stretch--> pull
//             delay.h: when       delay = now - timestamp being played
//
//   target <= delay <= target + a pull + 5.5 ms, or it is being brought there: by choosing when
//   to begin after a silence, else one pitch period a pull. What does not come is waited for as
//   long as nothing after it has come: then the delay grows by as much; else it is lost. While a
//   codec's redundancy is needed often, the delay is a packet more, so that it is there in time.
//
// Another SSRC, another numbering or another time base is played from its first packet on, and what
// still waited of the one before is dropped.
//
// Times are ticks of the codec's RTP clock, modulo 2^32. The struct holds no pointer into itself
// and is at most TD_PLAYOUT_BYTES_MAX, whatever the codec; decoder state is the caller's. When the
// bytes or the 64 places for waiting packets run out, the oldest packets go: 8 kB of G.711 is more
// than the longest delay, but L16 at 48 kHz has room for three packets of 10 ms. Pure: no clock, no
// allocation; one thread. Nothing that arrives can do worse than sound bad.
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "codecs/codec.h"
#include "codecs/comfort_noise.h"
#include "rtp/delay.h"
#include "rtp/jitter.h"

#define TD_PLAYOUT_BYTES_MAX    12288
#define TD_PLAYOUT_ARENA_BYTES  9984
#define TD_PLAYOUT_LINE         64
#define TD_PLAYOUT_PACKET_LINES 3   // of 20 ms of G.711
#define TD_PLAYOUT_PACKET_MS    60  // the longest packet
#define TD_PLAYOUT_PULL_MS      20  // the longest pull
#define TD_PLAYOUT_DELAY_MAX_MS 500 // unless limits say otherwise

// Bounds of the delay beyond that of the quickest packet.
struct td_playout_limits {
	uint32_t min_ms, max_ms;
};

enum td_playout_kind {
	TD_PLAYOUT_AUDIO,
	TD_PLAYOUT_COMFORT_NOISE, // RFC 3389
	TD_PLAYOUT_EVENT          // RFC 4733: time passes, nothing is said
};

enum td_playout_put {
	TD_PLAYOUT_QUEUED,
	TD_PLAYOUT_LATE, // its time has been filled with something else
	TD_PLAYOUT_DUPLICATE,
	TD_PLAYOUT_OVERFLOW, // queued, and older packets had to go for it
	TD_PLAYOUT_REFUSED   // not a payload of this codec, or longer than TD_PLAYOUT_PACKET_MS
};

enum td_playout_pull {
	TD_PLAYOUT_SILENT, // pcm is zeros, and nothing is to be mixed
	TD_PLAYOUT_DONE,   // pcm is filled
	TD_PLAYOUT_DECODE  // decode the job into pcm and call td_playout_decoded
};

// What is to be decoded: borrows the playout's own bytes, until the next put.
struct td_playout_job {
	const uint8_t *payload;
	uint16_t len;
};

// Sums over the playout's life, and how it is now.
struct td_playout_stats {
	uint64_t played_samples;    // as they were sent
	uint64_t concealed_samples; // made up for what did not come in time
	uint64_t recovered_samples; // of these packets' own redundancy
	uint64_t silence_samples;   // nothing was said: pauses, comfort noise, before and after
	uint64_t stretched_samples, shrunk_samples;
	uint64_t stretches, shrinks; // how often
	uint64_t packets, late, duplicates, overflows, refused, restarts;
	uint32_t delay_us;  // of what is being played, beyond the quickest packet
	uint32_t target_us; // the least it is meant to be
	uint32_t jitter_us; // of 99 in 100, beyond the quickest
	int32_t skew_ppm;   // above 0: the sender's clock is faster than ours
};

struct td_playout {
	// What every packet and every pull touches.
	const struct td_codec *codec;
	void *decoder;
	uint32_t ssrc;
	uint32_t next_timestamp;                 // of the first tick that is not decoded yet
	uint32_t standing_ticks;                 // made up since, without moving next_timestamp
	uint32_t decoded_ticks, decoded_samples; // in the arena, not played yet
	uint32_t pull_samples, pull_ticks;       // of the last pull
	uint32_t packet_ticks;                   // of the last packet
	uint32_t wide_ticks;  // a packet this long before its time is one too many
	uint32_t band_ticks;  // what is decoded beyond need may be kept below this
	uint32_t small_ticks; // and if it is less than a pitch period
	uint32_t packet_ticks_max;
	uint32_t extra_ticks; // on top of the target, for the redundancy in the packet after
	uint16_t newest_sequence;
	uint8_t mode;
	bool started;
	bool hole;  // a packet before the wanted one was given up
	bool ramp;  // the next samples begin out of silence
	bool noisy; // comfort noise is to be heard
	bool recall; // what was played can be decoded again: the PLC need not be told until it is asked
	bool mending;   // the PLC wants to see the next samples
	uint8_t untold; // packets played last that the PLC has not been told of
	uint64_t packets, played_samples;
	uint32_t played_transit; // now - timestamp at the last pull
	uint32_t ring_at;        // in the arena
	struct td_jitter jitter;
	alignas(TD_PLAYOUT_LINE) struct td_delay delay;
	// The rest.
	uint32_t rate_hz;
	uint32_t ticks_per_sample;        // or 1, where there are
	uint32_t samples_shift;           // 2^samples_shift samples a tick (G.722 at 16 kHz)
	uint32_t loss_packets;            // packets at the last loss
	uint32_t loss_interval;           // packets from loss to loss, averaged
	uint32_t plain_losses;            // in a row, whose next packet had no redundancy
	uint32_t bridged_ticks;           // made up since the last packet, and counted as its time
	uint32_t pause_samples;           // of the present pause
	uint32_t decoded_at, decoded_max; // the arena: [ PLC | decoded | ring ]
	struct td_comfort_noise noise;
	struct td_playout_stats stats;
	alignas(TD_PLAYOUT_LINE) uint8_t arena[TD_PLAYOUT_ARENA_BYTES];
};

// With the struct itself at the beginning of a cache line, which td_playout_put and _pull are quicker
// for: what they always touch is two lines, one of the jitter buffer's slots, and one of the delay.
_Static_assert(offsetof(struct td_playout, jitter.slots) <= 2 * TD_PLAYOUT_LINE &&
		       offsetof(struct td_playout, delay) % TD_PLAYOUT_LINE == 0,
	       "the hot part is two lines");

// Ready for a stream of `codec`, whose PCM is wanted at rate_hz, one of codec->rates. `decoder`
// (borrowed: codec->decoder_bytes, aligned to TD_CODEC_STATE_ALIGN; NULL if 0) is initialised here,
// unless the codec has a decoder_fini: then it comes ready. `limits` NULL: 0 to TD_PLAYOUT_DELAY_MAX_MS. 0, -TD_EUNSUPPORTED (a rate the codec has not),
// -TD_EINVALID (limits that contradict each other).
TD_MUST_CHECK int td_playout_init(struct td_playout *playout, const struct td_codec *codec,
				  void *decoder, uint32_t rate_hz,
				  const struct td_playout_limits *limits);

// Forgets what is queued and what is known of the sender; keeps the sums. For a stream that was
// held, or moved to another source.
void td_playout_reset(struct td_playout *playout);

// A packet has arrived; copies what it needs of the payload. Its order and time are judged here:
// only what a source check drops (other addresses, numbers on probation) need not be given.
enum td_playout_put td_playout_put(struct td_playout *playout, enum td_playout_kind kind,
				   uint32_t ssrc, uint16_t sequence, uint32_t timestamp,
				   bool marker, const uint8_t *payload, uint16_t len,
				   uint64_t arrival_ns);

// The next `samples`, at most TD_PLAYOUT_PULL_MS of them and a multiple of 2.5 ms, to be heard
// from `now_ns` on. Every pull is of what follows the one before, so `now_ns` goes up by as much.
enum td_playout_pull td_playout_pull(struct td_playout *playout, uint64_t now_ns, int16_t *pcm,
				     uint32_t samples, struct td_playout_job *job);

// Asks for the lines that the next pull will need, well before it: first those of the struct, and when
// they are there those of the packet.
static inline void td_playout_expect(const struct td_playout *playout)
{
	__builtin_prefetch(playout, 1);
	__builtin_prefetch((const uint8_t *)playout + TD_PLAYOUT_LINE, 1);
	__builtin_prefetch(&playout->delay);
}

static inline void td_playout_expect_packet(const struct td_playout *playout)
{
	const struct td_jitter *jitter = &playout->jitter;
	const uint8_t *end = playout->arena + playout->ring_at + jitter->offset;

	__builtin_prefetch(&jitter->slots[jitter->wanted % TD_JITTER_SLOTS]);
	for (uint32_t line = 0; line < TD_PLAYOUT_PACKET_LINES; line++)
		__builtin_prefetch(end - 1 - line * TD_PLAYOUT_LINE);
}

// The same for the next put.
static inline void td_playout_expect_room(const struct td_playout *playout)
{
	const struct td_jitter *jitter = &playout->jitter;
	uint32_t at =
		jitter->present == 0 && jitter->offset >= jitter->lap_bytes ? 0 : jitter->offset;

	for (uint32_t line = 0; line < TD_PLAYOUT_PACKET_LINES; line++)
		__builtin_prefetch(playout->arena + playout->ring_at + at + line * TD_PLAYOUT_LINE,
				   1);
}

// After TD_PLAYOUT_DECODE, before the next pull: pcm holds what codec->decode answered to
// (payload, len) with the pull's `samples` of room. What could not be decoded is concealed.
void td_playout_decoded(struct td_playout *playout, int16_t *pcm, int decoded);

void td_playout_stats(const struct td_playout *playout, struct td_playout_stats *stats);
