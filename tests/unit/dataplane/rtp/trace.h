// Generated streams on bad networks, played by a playout and listened to: what the playout's tests
// share. Everything follows from a printed seed.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rtp/playout.h"

#define TRACE_MS          1000000ull
#define TRACE_PAYLOAD_MAX 1472

// xorshift64*; never 0.
struct trace_random {
	uint64_t state;
};

double trace_uniform(struct trace_random *random); // (0, 1]
// A Pareto delay, shape 3, of this mean and deviation, at most four deviations late (as netem's).
double trace_pareto_ms(struct trace_random *random, double mean_ms, double deviation_ms);

struct trace_packet {
	uint64_t arrival_ns;
	uint32_t ssrc, timestamp, order;
	uint16_t sequence, len;
	enum td_playout_kind kind;
	uint8_t payload[TRACE_PAYLOAD_MAX];
};

struct trace {
	const struct td_codec *codec;
	uint32_t rate_hz;
	void *encoder, *decoder;
	int16_t *said; // what was spoken, after the codec
	uint32_t said_samples;
	struct trace_packet *packets; // in order of arrival once trace_arrive has been called
	uint32_t count, room;
	int16_t *heard;
	uint32_t heard_samples;
	uint64_t start_ns; // of the first pull
	uint64_t pull_ns;  // from a pull to the next; 0: what the samples say
	struct td_playout playout;
	struct td_playout_stats stats;
	// One a pull.
	uint32_t *delay_us, *target_us, *concealed;
	uint32_t pulls;
};

// A vowel whose pitch wanders between 90 and 220 Hz, with soft pauses of 300 ms every two seconds
// or none; loud enough to hear a click, smooth enough to measure one. `flags`: TD_CODEC_*.
void trace_speak(struct trace *trace, enum td_codec_id codec, uint32_t rate_hz, uint32_t seconds,
		 bool pauses, uint8_t flags);

// Adds a packet of `samples` spoken from `at`, with a timestamp and number of its own, that leaves
// when its last sample is spoken and takes delay_ms. A negative delay: lost. In the order of what
// is spoken: the encoder goes on from packet to packet.
void trace_send(struct trace *trace, uint32_t at, uint32_t samples, uint32_t ssrc,
		uint16_t sequence, uint32_t timestamp, double delay_ms);
// All of what was spoken in packets of `samples`; delay_ms(context, packet) as above.
void trace_send_all(struct trace *trace, uint32_t samples,
		    double (*delay_ms)(void *context, uint32_t packet), void *context);
void trace_arrive(struct trace *trace);

// Plays it all, pulls of 20 ms, and what was heard is in `heard`.
void trace_play(struct trace *trace, const struct td_playout_limits *limits);
void trace_free(struct trace *trace);

// The largest second difference: what a click makes large.
uint32_t trace_roughness(const int16_t *pcm, uint32_t samples);

// Finds 60 ms heard at `at` in what was said at most 700 ms earlier: how alike (0 to 1), and how
// many samples ago it was said.
double trace_recognise(const struct trace *trace, uint32_t at, uint32_t *ago);

// Means and extremes of one of the columns, pulls [from, to).
double trace_mean(const uint32_t *column, uint32_t from, uint32_t to);
uint32_t trace_max(const uint32_t *column, uint32_t from, uint32_t to);
