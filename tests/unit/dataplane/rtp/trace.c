#include "trace.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RECOGNISE_MS 60
#define AGO_MAX_MS   700

double trace_uniform(struct trace_random *random)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return (double)((random->state * 0x2545f4914f6cdd1dull >> 11) + 1) / 9007199254740992.0;
}

double trace_pareto_ms(struct trace_random *random, double mean_ms, double deviation_ms)
{
	double x = (pow(trace_uniform(random), -1.0 / 3.0) - 1.5) * 2.0 / sqrt(3.0);

	return mean_ms + deviation_ms * (x > 4.0 ? 4.0 : x);
}

static double soft(double edge)
{
	return edge <= 0.0 ? 0.0 : edge >= 1.0 ? 1.0 : 0.5 - 0.5 * cos(M_PI * edge);
}

static void *columns(size_t count, size_t bytes)
{
	size_t size = (count * bytes + TD_CODEC_STATE_ALIGN) / TD_CODEC_STATE_ALIGN *
		      TD_CODEC_STATE_ALIGN;
	void *memory = aligned_alloc(TD_CODEC_STATE_ALIGN, size);

	if (memory == NULL)
		abort();
	return memset(memory, 0, size);
}

// What a codec without state makes of it is what is said.
static void pass_codec(struct trace *t)
{
	uint8_t coded[320];

	for (uint32_t i = 0; i + 160 <= t->said_samples; i += 160) {
		int len = t->codec->encode(NULL, t->said + i, 160, coded, sizeof coded);

		if (len <= 0 || t->codec->decode(NULL, coded, (size_t)len, t->said + i, 160) != 160)
			abort();
	}
}

void trace_speak(struct trace *t, enum td_codec_id id, uint32_t rate_hz, uint32_t seconds,
		 bool pauses, uint8_t flags)
{
	struct td_codec_settings settings = {
		.bitrate_bps = 32000, .flags = flags, .complexity = 5, .loss_percent = 10
	};
	double phase = 0.0;

	memset(t, 0, sizeof *t);
	t->codec = td_codec_get(id);
	t->rate_hz = rate_hz;
	t->said_samples = seconds * rate_hz;
	t->said = columns(t->said_samples, sizeof *t->said);
	if (t->codec->encoder_bytes != 0)
		t->encoder = columns(t->codec->encoder_bytes, 1);
	if (t->codec->decoder_bytes != 0)
		t->decoder = columns(t->codec->decoder_bytes, 1);
	if (t->codec->encoder_init != NULL &&
	    t->codec->encoder_init(t->encoder, rate_hz, &settings) != 0)
		abort();
	for (uint32_t i = 0; i < t->said_samples; i++) {
		double s = (double)i / t->rate_hz, in = fmod(s, 2.0), sum = 0.0;
		double pitch = 155.0 + 45.0 * sin(2.1 * s) + 20.0 * sin(7.3 * s + sin(0.37 * s));
		double loud = pauses ? soft(in / 0.1) * soft((1.7 - in) / 0.1) : 1.0;

		phase += 2.0 * M_PI * pitch / t->rate_hz;
		for (int h = 1; h <= 6; h++)
			sum += sin(h * phase + h * h) * (1.0 + 0.6 * sin(h + 3.1 * s)) / h;
		t->said[i] = (int16_t)(4000.0 * loud * sum);
	}
	if (t->encoder == NULL && t->decoder == NULL)
		pass_codec(t);
}

void trace_send(struct trace *t, uint32_t at, uint32_t samples, uint32_t ssrc, uint16_t sequence,
		uint32_t timestamp, double delay_ms)
{
	struct trace_packet *packet;
	int len;

	if (t->count == t->room) {
		t->room = t->room == 0 ? 1024 : t->room * 2;
		t->packets = realloc(t->packets, t->room * sizeof *t->packets);
		if (t->packets == NULL)
			abort();
	}
	packet = &t->packets[t->count];
	len = t->codec->encode(t->encoder, t->said + at, samples, packet->payload,
			       sizeof packet->payload);
	if (len < 0)
		abort();
	if (len == 0 || delay_ms < 0) // DTX, or lost
		return;
	packet->arrival_ns =
		(uint64_t)(((double)(at + samples) / t->rate_hz * 1e3 + delay_ms) * 1e6);
	packet->ssrc = ssrc;
	packet->timestamp = timestamp;
	packet->sequence = sequence;
	packet->len = (uint16_t)len;
	packet->kind = TD_PLAYOUT_AUDIO;
	packet->order = t->count++;
}

void trace_send_all(struct trace *t, uint32_t samples,
		    double (*delay_ms)(void *context, uint32_t packet), void *context)
{
	uint32_t ticks = (uint32_t)((uint64_t)samples * t->codec->clock_hz / t->rate_hz);

	for (uint32_t k = 0; (k + 1) * samples <= t->said_samples; k++)
		trace_send(t, k * samples, samples, 7, (uint16_t)(65000u + k),
			   0xffff0000u + k * ticks, delay_ms(context, k));
}

static int by_arrival(const void *a, const void *b)
{
	const struct trace_packet *x = a, *y = b;

	if (x->arrival_ns != y->arrival_ns)
		return x->arrival_ns < y->arrival_ns ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

void trace_arrive(struct trace *t)
{
	qsort(t->packets, t->count, sizeof *t->packets, by_arrival);
}

void trace_play(struct trace *t, const struct td_playout_limits *limits)
{
	uint32_t frame = t->rate_hz / 50, next = 0;
	uint64_t concealed = 0;
	struct td_playout *p = &t->playout;

	t->pulls = t->said_samples / frame + 60;
	t->heard_samples = t->pulls * frame;
	t->heard = columns(t->heard_samples, sizeof *t->heard);
	t->delay_us = columns(t->pulls, sizeof *t->delay_us);
	t->target_us = columns(t->pulls, sizeof *t->target_us);
	t->concealed = columns(t->pulls, sizeof *t->concealed);
	if (t->pull_ns == 0)
		t->pull_ns = 20 * TRACE_MS;
	if (td_playout_init(p, t->codec, t->decoder, t->rate_hz, limits) != 0)
		abort();
	for (uint32_t i = 0; i < t->pulls; i++) {
		uint64_t now = t->start_ns + i * t->pull_ns;
		int16_t *pcm = t->heard + i * frame;
		struct td_playout_job job;

		for (; next < t->count && t->packets[next].arrival_ns <= now; next++) {
			const struct trace_packet *packet = &t->packets[next];

			td_playout_put(p, packet->kind, packet->ssrc, packet->sequence,
				       packet->timestamp, false, packet->payload, packet->len,
				       packet->arrival_ns);
		}
		if (td_playout_pull(p, now, pcm, frame, &job) == TD_PLAYOUT_DECODE)
			td_playout_decoded(
				p, pcm,
				t->codec->decode(t->decoder, job.payload, job.len, pcm, frame));
		td_playout_stats(p, &t->stats);
		t->delay_us[i] = t->stats.delay_us;
		t->target_us[i] = t->stats.target_us;
		t->concealed[i] = (uint32_t)(t->stats.concealed_samples - concealed);
		concealed = t->stats.concealed_samples;
	}
}

void trace_free(struct trace *t)
{
	free(t->encoder);
	free(t->decoder);
	free(t->said);
	free(t->packets);
	free(t->heard);
	free(t->delay_us);
	free(t->target_us);
	free(t->concealed);
	memset(t, 0, sizeof *t);
}

uint32_t trace_roughness(const int16_t *pcm, uint32_t samples)
{
	int32_t most = 0;

	for (uint32_t i = 2; i < samples; i++) {
		int32_t bend = abs(pcm[i] - 2 * pcm[i - 1] + pcm[i - 2]);

		most = bend > most ? bend : most;
	}
	return (uint32_t)most;
}

double trace_recognise(const struct trace *t, uint32_t at, uint32_t *ago)
{
	uint32_t span = t->rate_hz / 1000 * RECOGNISE_MS, ago_max = t->rate_hz / 1000 * AGO_MAX_MS;
	const int16_t *heard = t->heard + at;
	double best = 0.0, power = 1.0;

	for (uint32_t i = 0; i < span; i++)
		power += (double)heard[i] * heard[i];
	*ago = 0;
	for (uint32_t back = 0; back <= ago_max && back <= at; back++) {
		const int16_t *said = t->said + (at - back);
		int64_t alike = 0, other = 1;
		double score;

		if (at - back + span > t->said_samples)
			continue;
		for (uint32_t i = 0; i < span; i++) {
			alike += heard[i] * said[i];
			other += said[i] * said[i];
		}
		score = (double)alike / sqrt(power * (double)other);
		if (score > best) {
			best = score;
			*ago = back;
		}
	}
	*ago += (uint32_t)(t->start_ns * t->rate_hz / 1000000000u);
	return best;
}

double trace_mean(const uint32_t *column, uint32_t from, uint32_t to)
{
	double sum = 0.0;

	for (uint32_t i = from; i < to; i++)
		sum += column[i];
	return sum / (to - from);
}

uint32_t trace_max(const uint32_t *column, uint32_t from, uint32_t to)
{
	uint32_t most = 0;

	for (uint32_t i = from; i < to; i++)
		most = column[i] > most ? column[i] : most;
	return most;
}
