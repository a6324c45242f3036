// perf/run g722: G.722 in lanes beside spandsp, 20 ms at 16 kHz, in one process on one core.
//
// Sixteen speakers, each with states of its own in memory, coded frame by frame as a mixer would:
// all speakers' first frames, then all speakers' second. What the lanes pay for transposing states
// and audio is in the figure. Runs are interleaved and begin with fresh states; every byte and every
// sample of every run is compared, and one that differs is the end: exit 1, nothing printed.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spandsp.h>
#include <spandsp/expose.h>

#include "../cpu_clock.h"
#include "../report.h"
#include "codecs/g722_lanes.h"
#include "speech.h"

#define STREAMS    TD_G722_LANES
#define SAMPLES    320
#define BYTES      160
#define FRAMES_MAX 3000 // a minute
#define RUNS_MAX   41

struct plan {
	unsigned runs;
	size_t frames; // of each stream in a run
};

// One party's audio on its way through one of the three.
struct path {
	uint8_t payload[STREAMS][FRAMES_MAX][BYTES];
	int16_t heard[STREAMS][FRAMES_MAX][SAMPLES];
};

enum way { WAY_LANES, WAY_ALONE, WAY_SPANDSP, WAY_COUNT };

static int16_t speech[STREAMS][FRAMES_MAX][SAMPLES];
static struct path paths[WAY_COUNT];

static struct td_g722_encoder encoders[STREAMS];
static struct td_g722_decoder decoders[STREAMS];
static g722_encode_state_t span_encoders[STREAMS];
static g722_decode_state_t span_decoders[STREAMS];

static void fresh_states(void)
{
	for (int i = 0; i < STREAMS; i++) {
		if (td_g722_encoder_init(&encoders[i], 16000, NULL) != 0 ||
		    td_g722_decoder_init(&decoders[i], 16000) != 0)
			exit(2);
		g722_encode_init(&span_encoders[i], 64000, 0);
		g722_decode_init(&span_decoders[i], 64000, 0);
	}
}

static void encode_frame(enum way way, size_t frame)
{
	struct td_g722_encoder *states[STREAMS];
	const int16_t *pcm[STREAMS];
	uint8_t *payload[STREAMS];

	for (int i = 0; i < STREAMS; i++) {
		states[i] = &encoders[i];
		pcm[i] = speech[i][frame];
		payload[i] = paths[way].payload[i][frame];
	}
	if (way == WAY_LANES)
		td_g722_encode_lanes(states, pcm, payload, STREAMS, SAMPLES);
	for (int i = 0; way == WAY_ALONE && i < STREAMS; i++)
		td_g722_encode(states[i], pcm[i], SAMPLES, payload[i], BYTES);
	for (int i = 0; way == WAY_SPANDSP && i < STREAMS; i++)
		g722_encode(&span_encoders[i], payload[i], pcm[i], SAMPLES);
}

static void decode_frame(enum way way, size_t frame)
{
	struct td_g722_decoder *states[STREAMS];
	const uint8_t *payload[STREAMS];
	int16_t *pcm[STREAMS];

	for (int i = 0; i < STREAMS; i++) {
		states[i] = &decoders[i];
		payload[i] = paths[way].payload[i][frame];
		pcm[i] = paths[way].heard[i][frame];
	}
	if (way == WAY_LANES)
		td_g722_decode_lanes(states, payload, pcm, STREAMS, BYTES);
	for (int i = 0; way == WAY_ALONE && i < STREAMS; i++)
		td_g722_decode(states[i], payload[i], BYTES, pcm[i], SAMPLES);
	for (int i = 0; way == WAY_SPANDSP && i < STREAMS; i++)
		g722_decode(&span_decoders[i], pcm[i], payload[i], BYTES);
}

// Microseconds a frame of one stream.
static double run(enum way way, size_t frames, void (*frame_through)(enum way way, size_t frame))
{
	uint64_t start_ns = td_cpu_ns();

	for (size_t frame = 0; frame < frames; frame++)
		frame_through(way, frame);
	return (double)(td_cpu_ns() - start_ns) / 1000 / (double)(frames * STREAMS);
}

static void compare(enum way way, size_t frames)
{
	for (int i = 0; i < STREAMS; i++)
		for (size_t frame = 0; frame < frames; frame++) {
			const struct path *ours = &paths[way], *theirs = &paths[WAY_SPANDSP];
			const char *what = NULL;

			if (memcmp(ours->payload[i][frame], theirs->payload[i][frame], BYTES) != 0)
				what = "encoded";
			else if (memcmp(ours->heard[i][frame], theirs->heard[i][frame],
					sizeof ours->heard[i][frame]) != 0)
				what = "decoded";
			if (!what)
				continue;
			fprintf(stderr,
				"g722: stream %d, frame %zu is %s otherwise than by spandsp\n", i,
				frame, what);
			exit(1);
		}
}

static void print_row(const char *name, double *ours, double *theirs, unsigned runs)
{
	struct td_report_row row = { .bench = "g722",
				     .case_name = name,
				     .unit = "us/frame",
				     .reference_name = "spandsp",
				     .p50_us = -1,
				     .p99_us = -1 };

	row.value = td_report_median(ours, runs);
	row.min = ours[0];
	row.max = ours[runs - 1];
	row.reference = td_report_median(theirs, runs);
	td_report_print(&row);
}

static struct plan parse_plan(int argc, char **argv)
{
	static const struct option longs[] = { { "quick", no_argument, NULL, 'q' },
					       { "seconds", required_argument, NULL, 's' },
					       { "cores", required_argument, NULL, 'c' },
					       { NULL, 0, NULL, 0 } };
	struct plan plan = { .runs = 15, .frames = 500 };
	int option, seconds;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'q': plan = (struct plan){ .runs = 5, .frames = 250 }; break;
		case 's':
			// A second of each speaker takes the three some 25 ms a run.
			seconds = atoi(optarg);
			plan.frames = seconds < 1 ? 50 : 50 * (size_t)seconds;
			plan.frames = plan.frames > FRAMES_MAX ? FRAMES_MAX : plan.frames;
			break;
		case 'c': break; // one core is what this measures
		default: exit(2);
		}
	}
	return plan;
}

int main(int argc, char **argv)
{
	static double encoded[WAY_COUNT][RUNS_MAX], decoded[WAY_COUNT][RUNS_MAX];
	struct plan plan = parse_plan(argc, argv);

	for (uint32_t i = 0; i < STREAMS; i++)
		td_speech_make(speech[i][0], SAMPLES * plan.frames, i);
	// The first time through is to have every page and to warm up.
	for (unsigned i = 0; i <= plan.runs; i++) {
		for (enum way way = 0; way < WAY_COUNT; way++) {
			fresh_states();
			memset(&paths[way], 0, sizeof paths[way]);
			encoded[way][i ? i - 1 : 0] = run(way, plan.frames, encode_frame);
			decoded[way][i ? i - 1 : 0] = run(way, plan.frames, decode_frame);
		}
		compare(WAY_LANES, plan.frames);
		compare(WAY_ALONE, plan.frames);
	}
	print_row("encode", encoded[WAY_LANES], encoded[WAY_SPANDSP], plan.runs);
	print_row("decode", decoded[WAY_LANES], decoded[WAY_SPANDSP], plan.runs);
	print_row("encode, one stream", encoded[WAY_ALONE], encoded[WAY_SPANDSP], plan.runs);
	print_row("decode, one stream", decoded[WAY_ALONE], decoded[WAY_SPANDSP], plan.runs);
	return 0;
}
