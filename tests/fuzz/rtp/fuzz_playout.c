// The playout: any packets at any time into a stream of any codec and rate. What is asked for is
// what is filled, every sample is accounted for, the store and the histogram hold their invariants,
// and the sanitizers have nothing to say.
//
//   input: | codec, rate | step ... |    step: one byte what, and what that takes
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rtp/playout.h"

#define PCM_MAX   960
#define STATE_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reader {
	const uint8_t *at, *end;
};

static uint32_t take(struct reader *r, uint32_t bytes)
{
	uint32_t value = 0;

	for (; bytes > 0 && r->at < r->end; bytes--)
		value = value << 8 | *r->at++;
	return value;
}

static void hold(int condition)
{
	if (!condition)
		abort();
}

static void check(const struct td_playout *p, uint64_t pulled)
{
	struct td_playout_stats s;
	uint32_t all = 0, above = 0;

	td_playout_stats(p, &s);
	// Every sample that was heard came from somewhere, and every one that came was heard, is still
	// there, or was left out.
	hold(s.played_samples + s.concealed_samples + s.recovered_samples + s.silence_samples +
		     s.stretched_samples ==
	     pulled + s.shrunk_samples + p->decoded_samples);
	hold(p->decoded_samples <= p->decoded_max);
	for (uint32_t i = 0; i < TD_DELAY_BINS; i++) {
		all += p->delay.bins[i];
		above += i > p->delay.quantile_idx ? p->delay.bins[i] : 0;
	}
	hold(!p->delay.started || (above == p->delay.above && all <= p->delay.total + 256));
	for (uint32_t ahead = 0; ahead < TD_JITTER_SLOTS; ahead++) {
		const struct td_jitter_slot *slot = td_jitter_at(&p->jitter, ahead);

		if (p->jitter.present >> ((p->jitter.wanted + ahead) % TD_JITTER_SLOTS) & 1u)
			hold(slot->sequence == (uint16_t)(p->jitter.wanted + ahead) &&
			     slot->offset + slot->len <= p->jitter.ring_bytes);
	}
}

// A stream being played, and what its next packet would be.
struct stream {
	struct td_playout *playout;
	const struct td_codec *codec;
	void *decoder;
	uint32_t rate_hz, ssrc, timestamp;
	uint16_t sequence;
	uint64_t now_ns, pulled;
};

// A packet: mostly the next one, but its numbers may be off by anything.
static void put(struct stream *s, struct reader *r, uint32_t what)
{
	enum td_playout_kind kind =
		what & 0x40 ? (what & 0x20 ? TD_PLAYOUT_EVENT : TD_PLAYOUT_COMFORT_NOISE)
			    : TD_PLAYOUT_AUDIO;
	uint8_t *payload;
	uint32_t len = take(r, 1);

	if (what & 0x01)
		s->sequence = (uint16_t)(s->sequence + (int8_t)take(r, 1));
	if (what & 0x02)
		s->sequence = (uint16_t)take(r, 2);
	if (what & 0x04)
		s->timestamp += (uint32_t)((int16_t)take(r, 2) * 16);
	if (what & 0x08)
		s->timestamp = take(r, 4);
	if (what & 0x10)
		s->ssrc = take(r, 1) & 1;
	if (len == 255)
		len = take(r, 2) % 1500;
	// As long as it is and no longer, for the sanitizer.
	payload = malloc(len ? len : 1);
	hold(payload != NULL);
	for (uint32_t i = 0; i < len; i++)
		payload[i] = (uint8_t)(i < 4 ? take(r, 1) : i * 37u + len);
	(void)td_playout_put(s->playout, kind, s->ssrc, s->sequence, s->timestamp, what & 1,
			     payload, (uint16_t)len, s->now_ns - (uint64_t)(what & 3) * 700000);
	free(payload);
	s->sequence++;
	s->timestamp += s->codec->clock_hz / 50;
}

static void pull(struct stream *s, uint32_t samples)
{
	int16_t *pcm = malloc((samples + 1) * sizeof *pcm);
	struct td_playout_job job;

	hold(pcm != NULL);
	pcm[samples] = 12345;
	if (td_playout_pull(s->playout, s->now_ns, pcm, samples, &job) == TD_PLAYOUT_DECODE)
		td_playout_decoded(
			s->playout, pcm,
			s->codec->decode(s->decoder, job.payload, job.len, pcm, samples));
	hold(pcm[samples] == 12345);
	s->pulled += samples;
	free(pcm);
}

static void step(struct stream *s, struct reader *r)
{
	uint32_t what = take(r, 1);

	if (what < 0x80) {
		put(s, r, what);
		return;
	}
	if (what < 0xf0) {
		uint32_t tens = (what & 1) + 1u;

		s->now_ns += tens * 10000000u;
		pull(s, s->rate_hz / 100 * tens);
	} else if (what < 0xfe) {
		s->now_ns += (uint64_t)take(r, 2) * 1000000u;
	} else {
		uint32_t gone = s->playout->decoded_samples;

		td_playout_reset(s->playout);
		s->pulled += gone - s->playout->decoded_samples; // never to be heard
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static _Alignas(TD_CODEC_STATE_ALIGN) uint8_t decoder[STATE_MAX];
	struct reader r = { data, data + size };
	struct stream s = { .now_ns = 1000000000, .ssrc = 1 };
	uint32_t rates = 0, rate;

	s.codec = td_codec_get((enum td_codec_id)(1u + take(&r, 1) % (TD_CODEC_COUNT - 1u)));
	rate = take(&r, 1);
	if (s.codec == NULL)
		return 0;
	while (s.codec->rates[rates] != 0)
		rates++;
	hold(rates > 0);
	s.rate_hz = s.codec->rates[rate % rates];
	hold(s.codec->decoder_bytes <= sizeof decoder);
	s.decoder = s.codec->decoder_bytes == 0 ? NULL : decoder;
	s.playout = malloc(sizeof *s.playout);
	hold(s.playout != NULL &&
	     td_playout_init(s.playout, s.codec, s.decoder, s.rate_hz, NULL) == 0);
	while (r.at < r.end) {
		step(&s, &r);
		check(s.playout, s.pulled);
	}
	free(s.playout);
	return 0;
}
