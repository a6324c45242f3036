#include "rig/hall.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ip.h>
#include <rte_ring.h>

#include "base/clock.h"
#include "cpu_clock.h"

#define ROUND_MS    20u
#define CLOCK_READS 10000u

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "perf: %s\n", what);
	exit(2);
}

struct td_loop *td_loop_create(enum td_codec_id codec_id, uint32_t sample_hz,
			       const struct td_codec_settings *settings, const int16_t *pcm,
			       uint32_t frames)
{
	const struct td_codec *codec = td_codec_get(codec_id);
	struct td_codec_settings none = { 0 };
	struct td_loop *loop = malloc(sizeof *loop);
	uint32_t samples = sample_hz / 50u;
	void *encoder = NULL;

	must(codec != NULL && loop != NULL, "no such codec, or no memory");
	*loop = (struct td_loop){ codec_id, frames, calloc(frames, sizeof *loop->frames) };
	must(loop->frames != NULL, "no memory");
	if (codec->encoder_bytes != 0) {
		must(posix_memalign(&encoder, TD_CODEC_STATE_ALIGN, codec->encoder_bytes) == 0,
		     "no memory");
		must(codec->encoder_init(encoder, sample_hz, settings != NULL ? settings : &none) ==
			     0,
		     "the encoder does not take its settings");
	}
	for (uint32_t i = 0; i < frames; i++) {
		struct td_loop_frame *frame = &loop->frames[i];
		int bytes = codec->encode(encoder, pcm + (size_t)i * samples, samples,
					  frame->payload, sizeof frame->payload);

		must(bytes > 0, "a frame could not be coded");
		frame->bytes = (uint16_t)bytes;
		frame->sum = rte_raw_cksum(frame->payload, (size_t)bytes);
	}
	free(encoder);
	return loop;
}

void td_loop_free(struct td_loop *loop)
{
	if (loop != NULL)
		free(loop->frames);
	free(loop);
}

uint8_t td_loop_payload_type(enum td_codec_id codec_id)
{
	const struct td_codec *codec = td_codec_get(codec_id);

	return codec->static_payload_type != TD_PAYLOAD_TYPE_NONE ? codec->static_payload_type : 96;
}

static uint64_t read_clock_ns(void)
{
	uint64_t start_ns = td_cpu_ns();

	for (unsigned i = 0; i < CLOCK_READS; i++)
		(void)td_cpu_ns();
	return (td_cpu_ns() - start_ns) / CLOCK_READS;
}

void td_hall_open(struct td_hall *hall, struct td_bench *bench, uint32_t parties)
{
	*hall = (struct td_hall){ .bench = bench, .count = parties, .clock_ns = read_clock_ns() };
	hall->parties = calloc(parties, sizeof *hall->parties);
	hall->spare = calloc(parties, sizeof(struct rte_mbuf *));
	must(hall->parties != NULL && hall->spare != NULL, "no memory");
	for (uint32_t i = 0; i < ROUND_MS; i++) {
		hall->turns[i] = calloc(parties / ROUND_MS + 1u, sizeof *hall->turns[i]);
		must(hall->turns[i] != NULL, "no memory");
	}
}

void td_hall_close(struct td_hall *hall)
{
	rte_pktmbuf_free_bulk(hall->spare, hall->spare_count);
	for (uint32_t i = 0; i < ROUND_MS; i++)
		free(hall->turns[i]);
	free(hall->spare);
	free(hall->parties);
}

void td_hall_join(struct td_hall *hall, uint32_t party, struct td_context_id context,
		  enum td_codec_id codec, const struct td_codec_settings *settings)
{
	struct td_party *joining = &hall->parties[party];

	joining->stream = td_bench_stream(hall->bench, context, party);
	joining->payload_type = td_loop_payload_type(codec);
	joining->clock_step = td_codec_clock_hz(codec) / 50u;
	joining->phase_ms = (uint8_t)(party % ROUND_MS);
	td_bench_connect(hall->bench, &joining->stream, codec, joining->payload_type, settings);
}

void td_hall_say(struct td_hall *hall, uint32_t party, const struct td_loop *loop, uint32_t at)
{
	struct td_party *saying = &hall->parties[party];
	uint32_t ms = saying->phase_ms;

	if (saying->loop == NULL) {
		hall->turns[ms][hall->turn_count[ms]++] = party;
		hall->talkers++;
	}
	saying->loop = loop;
	saying->at = at % loop->count;
}

void td_hall_hush(struct td_hall *hall, uint32_t party)
{
	uint32_t ms = hall->parties[party].phase_ms, i = 0;

	if (hall->parties[party].loop == NULL)
		return;
	while (hall->turns[ms][i] != party)
		i++;
	hall->turns[ms][i] = hall->turns[ms][--hall->turn_count[ms]];
	hall->parties[party].loop = NULL;
	hall->talkers--;
}

static void say(struct td_hall *hall, uint32_t index)
{
	struct td_party *party = &hall->parties[index];
	const struct td_loop_frame *frame = &party->loop->frames[party->at];
	struct td_bench_packet packet = { .stream = &party->stream,
					  .payload = frame->payload,
					  .payload_bytes = frame->bytes,
					  .payload_sum = frame->sum,
					  .sequence = party->sequence++,
					  .timestamp = party->timestamp,
					  .ssrc = index + 1u,
					  .payload_type = party->payload_type };
	struct rte_mbuf *mbuf = hall->spare_count > 0 ? hall->spare[--hall->spare_count]
						      : rte_pktmbuf_alloc(hall->bench->pool);

	if (mbuf != NULL)
		td_bench_write(hall->bench, &packet, mbuf);
	if (mbuf == NULL || rte_ring_enqueue(hall->bench->ring_port.in, mbuf) != 0) {
		rte_pktmbuf_free(mbuf);
		hall->unsaid++;
	}
	party->timestamp += party->clock_step;
	party->at = party->at + 1u == party->loop->count ? 0 : party->at + 1u;
}

static void hear(struct td_hall *hall, const uint8_t *frame, uint32_t bytes)
{
	uint32_t index = td_bench_party(frame);
	struct td_party *party = &hall->parties[index];
	uint16_t sequence = (uint16_t)(frame[44] << 8 | frame[45]);

	must(index < hall->count, "a packet to nobody");
	if ((frame[43] & 0x7fu) != party->payload_type)
		return; // a report
	party->breaks += party->heard > 0 && sequence != (uint16_t)(party->heard_sequence + 1u);
	party->heard++;
	party->heard_sequence = sequence;
	if (hall->hear != NULL)
		hall->hear(hall->user, index, frame + TD_BENCH_HEADERS, bytes - TD_BENCH_HEADERS);
}

void td_hall_listen(struct td_hall *hall)
{
	struct rte_mbuf *mbufs[64];
	unsigned count;

	while ((count = rte_ring_dequeue_burst(hall->bench->ring_port.out, (void **)mbufs, 64,
					       NULL)) > 0)
		for (unsigned i = 0; i < count; i++) {
			if (!td_bench_is_media(hall->bench, mbufs[i]))
				continue;
			hear(hall, rte_pktmbuf_mtod(mbufs[i], const uint8_t *),
			     rte_pktmbuf_pkt_len(mbufs[i]));
			if (hall->spare_count < hall->talkers)
				hall->spare[hall->spare_count++] = mbufs[i];
			else
				rte_pktmbuf_free(mbufs[i]);
		}
}

void td_hall_talk(struct td_hall *hall, uint32_t ms)
{
	for (uint32_t i = 0; i < hall->turn_count[ms]; i++)
		say(hall, hall->turns[ms][i]);
}

uint64_t td_hall_round(struct td_hall *hall)
{
	struct td_bench *bench = hall->bench;
	uint64_t cpu_ns = 0, start_ns;

	td_role_enter_worker(0);
	for (uint32_t ms = 0; ms < ROUND_MS; ms++) {
		td_hall_talk(hall, ms);
		bench->now_ns += TD_NS_PER_MS;
		start_ns = td_cpu_ns();
		do
			td_bench_turn(bench);
		while (!rte_ring_empty(bench->ring_port.in));
		cpu_ns += td_cpu_ns() - start_ns - hall->clock_ns;
		td_hall_listen(hall);
	}
	td_bench_housekeep(bench);
	hall->rounds++;
	return cpu_ns;
}

void td_hall_forget(struct td_hall *hall)
{
	hall->rounds = hall->unsaid = 0;
	for (uint32_t i = 0; i < hall->count; i++)
		hall->parties[i].heard = hall->parties[i].breaks = 0;
}

uint64_t td_hall_missing(const struct td_hall *hall, uint32_t parties)
{
	uint64_t missing = hall->unsaid;

	for (uint32_t i = 0; i < parties; i++) {
		const struct td_party *party = &hall->parties[i];

		// Where a slot comes in the round may change by one while it is counted.
		if (party->heard + 1u < hall->rounds)
			missing += hall->rounds - party->heard;
		missing += party->breaks;
	}
	return missing;
}
