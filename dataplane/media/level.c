// How loud, and who talks: looked at in one packet of sixteen.
//
// Eight milliseconds of G.711 in one cache line say enough: many looks make a minute. A party talks
// when its samples are above TALKING; two talk at once when another one of the same context has been
// found talking within the time that a look stands for.
#include <math.h>
#include <string.h>

#include "codecs/g711.h"
#include "media/worker_state.h"
#include "rtp/header.h"

_Static_assert(TD_LEVEL_LOOKS_MAX >= TD_MEDIA_VECTOR,
	       "all of a vector may have their turn at once");

#define TALKING      24868u   // mean square of -40 dBm0
#define ZERO_DBM0    2.4868e8 // of 0 dBm0
#define CLIPPED_MIN  2u       // samples at the end of the scale
#define TICK_MS      20u
#define FULL_SCALE   32000 // of samples that were not G.711's
#define LEVEL_LOWEST (-90)

// Version 2 without padding, extension or CSRCs; the payload type.
#define PLAIN_MASK 0xff7f0000u
#define PLAIN      0x80000000u

int8_t td_level_dbm0(uint64_t energy, uint32_t ms)
{
	double level;

	if (ms == 0)
		return TD_LEVEL_UNKNOWN;
	level = 10 * log10(((double)energy / ms + 0.1) / ZERO_DBM0);
	return (int8_t)lround(level < LEVEL_LOWEST ? LEVEL_LOWEST : level);
}

// Another party of this context talks too; and this one is remembered to.
static bool others_talk(struct td_worker_context *context, uint32_t stream, uint64_t now_ns,
			uint64_t until_ns)
{
	struct td_talker *mine = &context->talkers[0];
	bool others = false;

	for (uint32_t i = 0; i < TD_TALKER_MAX; i++) {
		struct td_talker *talker = &context->talkers[i];

		if (talker->until_ns > now_ns && talker->stream != stream)
			others = true;
		else
			mine = talker;
	}
	*mine = (struct td_talker){ .until_ns = until_ns, .stream = stream };
	return others;
}

static void note(struct td_media_worker *worker, uint32_t stream, uint32_t mean_square,
		 uint32_t clipped, uint32_t ms, uint64_t now_ns)
{
	struct td_stream_cold *cold = &worker->cold[stream];
	struct td_measure *measure = &cold->measure;

	if (mean_square < TALKING) {
		measure->quiet_ms += ms;
		measure->quiet_energy += (uint64_t)mean_square * ms;
		return;
	}
	measure->talk_ms += ms;
	measure->talk_energy += (uint64_t)mean_square * ms;
	measure->clipped_ms += clipped >= CLIPPED_MIN ? ms : 0;
	if (others_talk(&worker->contexts[td_handle_index(cold->context.v)], stream, now_ns,
			now_ns + ms * 1500000ull)) // and a half: looks at two may coincide
		measure->double_talk_ms += ms;
}

static uint32_t mean_square_of(const int16_t *pcm, uint32_t count)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < count; i++)
		sum += (uint32_t)(pcm[i] * pcm[i]);
	return count ? (uint32_t)(sum / count) : 0;
}

// The samples of a whole cache line, if the payload holds one.
static const uint8_t *line_of(const struct td_packet *packet)
{
	const uint8_t *first = packet->payload + TD_RTP_HEADER_BYTES;
	const uint8_t *line = first + (-(uintptr_t)first % TD_CACHE_LINE);

	return line + TD_LEVEL_SAMPLES <= packet->payload + packet->payload_len ? line : first;
}

static bool is_audio(const struct td_media_worker *worker, const struct td_packet *packet)
{
	const struct td_stream_rx *rx = &worker->streams[packet->stream].rx;
	uint32_t first = td_rtp_load32(packet->payload);

	return (rx->flags & TD_RX_ACTIVE) &&
	       (first & PLAIN_MASK) == (PLAIN | (uint32_t)rx->payload_type << 16) &&
	       (rx->codec == TD_CODEC_PCMU || rx->codec == TD_CODEC_PCMA) &&
	       td_media_is_accepted(worker, packet);
}

static void look(struct td_media_worker *worker, const struct td_level_look *look, uint64_t now_ns)
{
	uint8_t loudest = 0; // both laws: the code without its sign
	uint32_t clipped = 0;
	int16_t pcm[TD_LEVEL_SAMPLES];

	if (look->codec == TD_CODEC_PCMA) {
		td_g711_alaw_decode(pcm, look->law, TD_LEVEL_SAMPLES);
		loudest = 0x2a;
	} else {
		td_g711_ulaw_decode(pcm, look->law, TD_LEVEL_SAMPLES);
	}
	for (uint32_t i = 0; i < TD_LEVEL_SAMPLES; i++)
		clipped += (look->law[i] & 0x7fu) == loudest;
	note(worker, look->stream, mean_square_of(pcm, TD_LEVEL_SAMPLES), clipped,
	     worker->cold[look->stream].ptime_ms * TD_LEVEL_EVERY, now_ns);
}

// What a look will touch of a stream lies far away; asked for here, it is there after the vector.
static void expect(const struct td_media_worker *worker, uint32_t stream)
{
	const struct td_stream_cold *cold = &worker->cold[stream];

	__builtin_prefetch(&cold->context);
	__builtin_prefetch(&cold->ptime_ms);
	__builtin_prefetch(&cold->measure, 1);
}

void td_level_sample(struct td_media_worker *worker, const struct td_packet *packets, uint32_t n,
		     struct td_level_looks *looks)
{
	uint32_t chosen[TD_LEVEL_LOOKS_MAX], count = 0;

	looks->count = 0;
#ifdef TD_WITHOUT_QUALITY
	n = 0;
#endif
	for (uint32_t i = 0; i < n; i++) {
		const struct td_packet *packet = &packets[i];
		uint32_t turn = td_rtp_load16(packet->payload + 2) + packet->stream;

		chosen[count] = i;
		count += (turn % TD_LEVEL_EVERY == 0) &
			 (packet->payload_len >= TD_RTP_HEADER_BYTES + TD_LEVEL_SAMPLES);
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct td_packet *packet = &packets[chosen[i]];
		struct td_level_look *look = &looks->looks[looks->count];

		if (!is_audio(worker, packet))
			continue;
		look->stream = packet->stream;
		look->codec = worker->streams[packet->stream].rx.codec;
		memcpy(look->law, line_of(packet), TD_LEVEL_SAMPLES);
		expect(worker, packet->stream);
		looks->count++;
	}
}

void td_level_look(struct td_media_worker *worker, const struct td_level_looks *looks,
		   uint64_t now_ns)
{
	for (uint32_t i = 0; i < looks->count; i++) {
		uint32_t stream = looks->looks[i].stream;

		__builtin_prefetch(
			&worker->contexts[td_handle_index(worker->cold[stream].context.v)].talkers,
			1);
	}
	for (uint32_t i = 0; i < looks->count; i++)
		look(worker, &looks->looks[i], now_ns);
}

static void look_at_samples(struct td_media_worker *worker, uint32_t stream, const int16_t *pcm,
			    uint32_t samples, uint64_t now_ns)
{
	uint32_t clipped = 0;

	for (uint32_t i = 0; i < samples; i++)
		clipped += pcm[i] > FULL_SCALE || pcm[i] < -FULL_SCALE;
	note(worker, stream, mean_square_of(pcm, samples), clipped, TICK_MS * TD_LEVEL_EVERY,
	     now_ns);
}

void td_level_mixed(struct td_media_worker *worker, const struct td_plan *plan,
		    const int16_t *const *ready, uint64_t now_ns)
{
	uint32_t turn = (uint32_t)(now_ns / (TICK_MS * TD_MEDIA_SLOT_NS));
	uint32_t samples = plan->rate_hz / TD_TICKS_PER_S;

	// Streams take turns by index, so that a large conference is looked at a part at a time.
	for (uint32_t i = 0; i < plan->source_count; i++) {
		uint32_t stream = plan->sources[i].feed;
		uint8_t codec;

		if ((stream & TD_FEED_PLAYER) || (turn + stream) % TD_LEVEL_EVERY != 0 ||
		    ready[i] == NULL)
			continue;
		codec = worker->streams[stream].rx.codec;
		if (codec != TD_CODEC_PCMU && codec != TD_CODEC_PCMA)
			look_at_samples(worker, stream, ready[i], samples, now_ns);
	}
}
