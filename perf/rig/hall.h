// Parties that speak through a bench, 20 ms after 20 ms, and hear what comes back.
//
//   every ms: the packets of the parties whose turn it is -> turns (timed) -> each packet to whom
//             it was sent
//
// What a party says is a loop of frames that were coded beforehand; parties may share one. Packets
// are written and read outside the timed part, and what was sent is what is written next, as the
// memory of a network card's rings would be.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codecs/codec.h"
#include "rig/bench.h"

struct td_loop_frame {
	uint16_t bytes, sum;
	uint8_t payload[TD_RTP_PAYLOAD_MAX];
};

struct td_loop {
	enum td_codec_id codec;
	uint32_t count;
	struct td_loop_frame *frames;
};

// `frames` of `samples` each, coded one after the other. Freed with td_loop_free.
struct td_loop *td_loop_create(enum td_codec_id codec, uint32_t sample_hz,
			       const struct td_codec_settings *settings, const int16_t *pcm,
			       uint32_t frames);
void td_loop_free(struct td_loop *loop);
uint8_t td_loop_payload_type(enum td_codec_id codec);

struct td_party {
	struct td_bench_stream stream;
	const struct td_loop *loop; // NULL: says nothing
	uint32_t at;                // the frame that is said next
	uint32_t timestamp, clock_step;
	uint16_t sequence;
	uint8_t payload_type;
	uint8_t phase_ms; // 0 to 19: when in the round its packets come
	uint32_t heard;   // packets, since td_hall_forget
	uint32_t breaks;  // of the numbers of what it hears
	uint16_t heard_sequence;
};

struct td_hall {
	struct td_bench *bench;
	struct td_party *parties;
	uint32_t count;
	uint32_t *turns[20]; // whose packets come in which millisecond
	uint32_t turn_count[20];
	uint32_t talkers;
	struct rte_mbuf **spare; // packets to be written: at most a round's
	uint32_t spare_count;
	uint64_t clock_ns; // what reading the CPU clock takes
	uint64_t rounds;
	uint64_t unsaid; // packets for which there was no memory or no room: nobody took them
	// What is heard: the party's index, and the payload. NULL: nobody listens. Not timed.
	void (*hear)(void *user, uint32_t party, const uint8_t *payload, uint32_t bytes);
	void *user;
};

void td_hall_open(struct td_hall *hall, struct td_bench *bench, uint32_t parties);
void td_hall_close(struct td_hall *hall);
// The party comes: a stream of `codec` in `context`. Its phase is its index modulo 20.
void td_hall_join(struct td_hall *hall, uint32_t party, struct td_context_id context,
		  enum td_codec_id codec, const struct td_codec_settings *settings);
void td_hall_say(struct td_hall *hall, uint32_t party, const struct td_loop *loop, uint32_t at);
// It says nothing any more, until td_hall_say.
void td_hall_hush(struct td_hall *hall, uint32_t party);

// 20 ms. The CPU time of the worker's turns in it, ns, less what reading the clock itself takes.
uint64_t td_hall_round(struct td_hall *hall);
// The same by hand: the packets of one millisecond of the round go in; what has come out is heard.
void td_hall_talk(struct td_hall *hall, uint32_t ms);
void td_hall_listen(struct td_hall *hall);

void td_hall_forget(struct td_hall *hall);
// How many packets those of the first `parties` parties have not heard since td_hall_forget, of
// one each a round, how often their numbers broke, and what could not be said.
uint64_t td_hall_missing(const struct td_hall *hall, uint32_t parties);
