// perf/run transcode: calls between two codecs, beside the same codec calls and nothing else.
//
// Each call is a context of two streams that hear each other, so a direction is: packet in, jitter
// buffer, decode, encode, packet out. The reference decodes and encodes the same frames with as many
// states of its own, at the same rate and with the same settings; G.722 sixteen at a time, as the
// engine does, and for a second row by spandsp, as everybody else does. What a few of the parties hear is decoded and compared with what was said.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spandsp.h>

#include "codecs/g722_lanes.h"
#include "cpu_clock.h"
#include "mix/options.h"
#include "mix/speech.h"

#define MIX_HZ    8000u // of a call with G.711 on one side
#define SAMPLES   (MIX_HZ / 50u)
#define FRAMES    50u // of the loops that are said
#define MBUFS     16383
#define SEED      20264
#define SETTLE    25 // rounds
#define HEARERS   8u // parties whose ears we borrow
#define HEARD_MAX FRAMES
#define LIKENESS  0.85

struct kind {
	const char *name, *reference_name;
	enum td_codec_id codec; // on the other side of PCMU
	uint32_t said_hz;       // what its phone codes at
	uint32_t calls;
	struct td_codec_settings settings;
	bool spandsp; // is what ours is held against
};

static const struct kind kinds[] = {
	{ .name = "PCMU-Opus",
	  .reference_name = "bare codec calls",
	  .codec = TD_CODEC_OPUS,
	  .said_hz = 16000,
	  .calls = 160,
	  .settings = { .bitrate_bps = 24000,
			.complexity = 5,
			.flags = TD_CODEC_FEC,
			.loss_percent = 5 } },
	{ .name = "PCMU-G722",
	  .reference_name = "bare lanes",
	  .codec = TD_CODEC_G722,
	  .said_hz = 16000,
	  .calls = 640 },
	{ .name = "PCMU-G722",
	  .reference_name = "bare spandsp calls",
	  .codec = TD_CODEC_G722,
	  .said_hz = 16000,
	  .calls = 640,
	  .spandsp = true },
};

// One side of a call as the bare loop has it.
struct side {
	const struct td_codec *codec;
	const struct td_loop *loop;
	void *encoder, *decoder;
	g722_encode_state_t *span_encoder;
	g722_decode_state_t *span_decoder;
	uint32_t at;
	int16_t pcm[SAMPLES];
};

struct ear {
	const struct td_codec *codec;
	void *decoder;
	uint32_t samples;
	int16_t pcm[HEARD_MAX * SAMPLES];
};

struct transcode {
	const struct kind *kind;
	struct td_bench bench;
	struct td_hall hall;
	struct td_loop *said[2]; // in PCMU, in the other codec
	struct side *sides;      // 2i speaks PCMU, 2i + 1 the other codec
	struct ear ears[HEARERS];
	int16_t truth[FRAMES * SAMPLES];
};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "transcode: %s\n", what);
	exit(2);
}

static void *make_state(size_t bytes)
{
	void *state = NULL;

	if (bytes != 0)
		must(posix_memalign(&state, TD_CODEC_STATE_ALIGN, bytes) == 0, "no memory");
	return state;
}

static void open_coders(const struct kind *kind, const struct td_codec *codec, void **encoder,
			void **decoder)
{
	if (codec->encoder_bytes == 0)
		return;
	*decoder = make_state(codec->decoder_bytes);
	must(codec->decoder_init(*decoder, MIX_HZ) == 0, "the decoder does not start");
	if (encoder == NULL)
		return;
	*encoder = make_state(codec->encoder_bytes);
	must(codec->encoder_init(*encoder, MIX_HZ, &kind->settings) == 0,
	     "the encoder does not start");
}

static void take_frame(struct side *side, const uint8_t **payload, uint32_t *bytes)
{
	const struct td_loop_frame *frame = &side->loop->frames[side->at];

	side->at = side->at + 1u == side->loop->count ? 0 : side->at + 1u;
	*payload = frame->payload;
	*bytes = frame->bytes;
}

// Every call's two directions, one frame each.
static void bare_alone(struct transcode *transcode)
{
	uint8_t out[TD_RTP_PAYLOAD_MAX];

	for (uint32_t i = 0; i < 2u * transcode->kind->calls; i++) {
		struct side *from = &transcode->sides[i], *to = &transcode->sides[i ^ 1u];
		const uint8_t *payload;
		uint32_t bytes;

		take_frame(from, &payload, &bytes);
		must(from->codec->decode(from->decoder, payload, bytes, from->pcm, SAMPLES) ==
			     SAMPLES,
		     "a frame could not be decoded");
		must(to->codec->encode(to->encoder, from->pcm, SAMPLES, out, sizeof out) > 0,
		     "a frame could not be coded");
	}
}

// The same of sixteen calls, G.722 in lanes.
static void bare_lanes_of(struct side *sides)
{
	struct td_g722_decoder *decoders[TD_G722_LANES];
	struct td_g722_encoder *encoders[TD_G722_LANES];
	const uint8_t *payloads[TD_G722_LANES];
	uint8_t out[TD_G722_LANES][SAMPLES], *outs[TD_G722_LANES];
	const int16_t *in_pcm[TD_G722_LANES];
	int16_t *pcm[TD_G722_LANES];
	const uint8_t *payload;
	uint32_t bytes;

	for (uint32_t i = 0; i < TD_G722_LANES; i++) {
		struct side *law = &sides[2u * i], *g722 = &sides[2u * i + 1u];

		take_frame(law, &payload, &bytes);
		law->codec->decode(NULL, payload, bytes, law->pcm, SAMPLES);
		take_frame(g722, &payloads[i], &bytes);
		decoders[i] = g722->decoder;
		encoders[i] = g722->encoder;
		in_pcm[i] = law->pcm;
		pcm[i] = g722->pcm;
		outs[i] = out[i];
	}
	td_g722_decode_lanes(decoders, payloads, pcm, TD_G722_LANES, SAMPLES);
	td_g722_encode_lanes(encoders, in_pcm, outs, TD_G722_LANES, SAMPLES);
	for (uint32_t i = 0; i < TD_G722_LANES; i++)
		sides[2u * i].codec->encode(NULL, pcm[i], SAMPLES, out[i], SAMPLES);
}

// The same of one call, G.722 by spandsp.
static void bare_span(struct side *law, struct side *g722)
{
	uint8_t out[SAMPLES];
	const uint8_t *payload;
	uint32_t bytes;

	take_frame(law, &payload, &bytes);
	law->codec->decode(NULL, payload, bytes, law->pcm, SAMPLES);
	g722_encode(g722->span_encoder, out, law->pcm, SAMPLES);
	take_frame(g722, &payload, &bytes);
	g722_decode(g722->span_decoder, g722->pcm, payload, (int)bytes);
	law->codec->encode(NULL, g722->pcm, SAMPLES, out, SAMPLES);
}

static uint64_t bare_round(void *user)
{
	struct transcode *transcode = user;
	uint64_t start_ns = td_cpu_ns();

	if (transcode->kind->spandsp) {
		for (uint32_t i = 0; i < transcode->kind->calls; i++)
			bare_span(&transcode->sides[2u * i], &transcode->sides[2u * i + 1u]);
		return td_cpu_ns() - start_ns;
	}
	if (transcode->kind->codec != TD_CODEC_G722) {
		bare_alone(transcode);
		return td_cpu_ns() - start_ns;
	}
	for (uint32_t i = 0; i < transcode->kind->calls; i += TD_G722_LANES)
		bare_lanes_of(&transcode->sides[2u * i]);
	return td_cpu_ns() - start_ns;
}

static void listen(void *user, uint32_t party, const uint8_t *payload, uint32_t bytes)
{
	struct transcode *transcode = user;
	struct ear *ear;
	int samples;

	if (party >= HEARERS || transcode->ears[party].samples == HEARD_MAX * SAMPLES)
		return;
	ear = &transcode->ears[party];
	samples =
		ear->codec->decode(ear->decoder, payload, bytes, ear->pcm + ear->samples, SAMPLES);
	must(samples == SAMPLES, "what was sent cannot be decoded");
	ear->samples += SAMPLES;
}

static bool check(struct transcode *transcode)
{
	bool good = true;

	transcode->hall.hear = listen;
	transcode->hall.user = transcode;
	for (uint32_t i = 0; i < HEARERS; i++)
		transcode->ears[i].samples = 0;
	for (uint32_t i = 0; i < HEARD_MAX + SETTLE; i++)
		td_hall_round(&transcode->hall);
	transcode->hall.hear = NULL;
	for (uint32_t i = 0; i < HEARERS; i++) {
		const struct ear *ear = &transcode->ears[i];
		// The beginning of a decoder is not yet what it will be.
		double likeness = td_speech_likeness(transcode->truth, FRAMES * SAMPLES,
						     ear->pcm + SETTLE * SAMPLES,
						     (HEARD_MAX - SETTLE) * SAMPLES);

		if (ear->samples == HEARD_MAX * SAMPLES && likeness >= LIKENESS)
			continue;
		fprintf(stderr, "transcode: %s: party %u hears %.3f of what was said\n",
			transcode->kind->name, i, likeness);
		good = false;
	}
	return good;
}

static void make_said(struct transcode *transcode)
{
	const struct kind *kind = transcode->kind;
	static int16_t wide[FRAMES * 320u];

	td_speech_make(transcode->truth, FRAMES * SAMPLES, MIX_HZ, 1);
	td_speech_make(wide, FRAMES * kind->said_hz / 50u, kind->said_hz, 1);
	transcode->said[0] = td_loop_create(TD_CODEC_PCMU, MIX_HZ, NULL, transcode->truth, FRAMES);
	transcode->said[1] =
		td_loop_create(kind->codec, kind->said_hz, &kind->settings, wide, FRAMES);
}

static void connect_call(struct transcode *transcode, uint32_t call)
{
	struct td_context_id context = td_bench_context(&transcode->bench);
	struct td_hall *hall = &transcode->hall;
	struct td_member members[2];
	struct td_cell cells[2];

	for (uint32_t i = 0; i < 2; i++) {
		uint32_t party = 2u * call + i;

		td_hall_join(hall, party, context, i == 0 ? TD_CODEC_PCMU : transcode->kind->codec,
			     &transcode->kind->settings);
		members[i] =
			(struct td_member){ TD_MEMBER_STREAM, hall->parties[party].stream.id.v };
	}
	cells[0] = (struct td_cell){ members[0], members[1], TD_GAIN_UNITY };
	cells[1] = (struct td_cell){ members[1], members[0], TD_GAIN_UNITY };
	td_bench_edit(&transcode->bench, context, cells, 2);
}

static void open_transcode(struct transcode *transcode, struct rte_mempool *pool)
{
	const struct kind *kind = transcode->kind;
	uint32_t parties = 2u * kind->calls;
	struct td_bench_options options = { .name = kind->reference_name,
					    .stream_count = parties,
					    .mixed_count = parties,
					    .pool = pool,
					    .seed = SEED };

	td_bench_open(&transcode->bench, &options);
	td_hall_open(&transcode->hall, &transcode->bench, parties);
	make_said(transcode);
	transcode->sides = calloc(parties, sizeof *transcode->sides);
	must(transcode->sides != NULL, "no memory");
	for (uint32_t call = 0; call < kind->calls; call++)
		connect_call(transcode, call);
	td_bench_resolve(&transcode->bench);
	for (uint32_t i = 0; i < parties; i++) {
		struct side *side = &transcode->sides[i];

		// Each call is at another place of the loop.
		side->codec = td_codec_get(i % 2u == 0 ? TD_CODEC_PCMU : kind->codec);
		side->loop = transcode->said[i % 2u];
		side->at = i * 7u % FRAMES;
		open_coders(kind, side->codec, &side->encoder, &side->decoder);
		if (kind->spandsp && i % 2u != 0) {
			side->span_encoder = g722_encode_init(NULL, 64000, G722_SAMPLE_RATE_8000);
			side->span_decoder = g722_decode_init(NULL, 64000, G722_SAMPLE_RATE_8000);
			must(side->span_encoder && side->span_decoder, "no memory");
		}
		td_hall_say(&transcode->hall, i, side->loop, side->at);
	}
	for (uint32_t i = 0; i < HEARERS; i++) {
		transcode->ears[i].codec = transcode->sides[i].codec;
		open_coders(kind, transcode->ears[i].codec, NULL, &transcode->ears[i].decoder);
	}
}

static void close_transcode(struct transcode *transcode)
{
	td_bench_close(&transcode->bench);
	td_hall_close(&transcode->hall);
	for (uint32_t i = 0; i < 2u * transcode->kind->calls; i++) {
		free(transcode->sides[i].encoder);
		free(transcode->sides[i].decoder);
		if (transcode->sides[i].span_encoder == NULL)
			continue;
		g722_encode_free(transcode->sides[i].span_encoder);
		g722_decode_free(transcode->sides[i].span_decoder);
	}
	for (uint32_t i = 0; i < HEARERS; i++)
		free(transcode->ears[i].decoder);
	free(transcode->sides);
	td_loop_free(transcode->said[0]);
	td_loop_free(transcode->said[1]);
}

int main(int argc, char **argv)
{
	static struct transcode transcode;
	struct td_mix_options options = td_mix_options_parse(argc, argv);
	struct rte_mempool *pool = td_bench_eal("transcode", "0", MBUFS);
	const bool stages = options.stages;
	uint64_t failed = 0;

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		double frames = 2.0 * kinds[i].calls;
		struct td_mix_row row = { .bench = "transcode",
					  .case_name = kinds[i].name,
					  .unit = "ns/frame",
					  .reference_name = kinds[i].reference_name,
					  .hall = &transcode.hall,
					  .divisor = frames,
					  .one = TD_STAGE_JITTER,
					  .reference = bare_round,
					  .user = &transcode,
					  .reference_divisor = frames };

		transcode = (struct transcode){ .kind = &kinds[i] };
		open_transcode(&transcode, pool);
		// A row of the same work beside another reference has the same stages.
		options.stages = stages && !kinds[i].spandsp;
		row.wrong = !check(&transcode);
		failed += td_mix_measure(&options, &row, 2u * kinds[i].calls);
		close_transcode(&transcode);
	}
	return failed != 0;
}
