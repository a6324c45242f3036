// Many looks make a minute. A party talks when its samples are above TALKING; two talk at once when
// another one of the same context has been found talking within the time that a look stands for.
#include "media/level.h"

#include <math.h>
#include <string.h>

#include "codecs/g711.h"
#include "media/worker_state.h"

_Static_assert(TD_LEVEL_LOOKS_MAX >= TD_MEDIA_VECTOR,
	       "all of a vector may have their turn at once");

#define TALKING      24868u   // mean square of -40 dBm0
#define ZERO_DBM0    2.4868e8 // of 0 dBm0
#define CLIPPED_MIN  2u       // samples at the end of the scale
#define TICK_MS      20u
#define FULL_SCALE   32000 // of samples that were not G.711's
#define LEVEL_LOWEST (-90)

int8_t td_level_dbm0(uint64_t energy, uint32_t ms)
{
	double level;

	if (ms == 0)
		return TD_LEVEL_UNKNOWN;
	level = 10 * log10(((double)energy / ms + 0.1) / ZERO_DBM0);
	return (int8_t)lround(level < LEVEL_LOWEST ? LEVEL_LOWEST : level);
}

// Another party of this context talks too; and this one is remembered to.
static bool others_talk(struct td_talkers *talkers, uint32_t stream, uint64_t now_ns,
			uint64_t until_ns)
{
	uint32_t mine = 0;
	bool others = false;

	for (uint32_t i = 0; i < TD_TALKER_MAX; i++) {
		if (talkers->until_ns[i] > now_ns && talkers->streams[i] != stream)
			others = true;
		else
			mine = i;
	}
	talkers->until_ns[mine] = until_ns;
	talkers->streams[mine] = stream;
	return others;
}

static void note(struct td_media_worker *worker, uint32_t stream, uint32_t mean_square,
		 uint32_t clipped, uint32_t ms, uint64_t now_ns)
{
	struct td_level *level = &worker->streams[stream].level;

	if (mean_square < TALKING) {
		level->quiet_ms += ms;
		level->quiet_energy += (uint64_t)mean_square * ms;
		return;
	}
	level->talk_ms += ms;
	level->talk_energy += (uint64_t)mean_square * ms;
	level->clipped_ms += clipped >= CLIPPED_MIN ? ms : 0;
	if (others_talk(&worker->contexts[level->context].talkers, stream, now_ns,
			now_ns + ms * 1500000ull)) // and a half: looks at two may coincide
		level->double_talk_ms += ms;
}

static uint32_t mean_square_of(const int16_t *pcm, uint32_t count)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < count; i++)
		sum += (uint32_t)(pcm[i] * pcm[i]);
	return count ? (uint32_t)(sum / count) : 0;
}

// Samples of G.711 are multiples of four, and a line of a fourth of them squared fits 32 bits.
static uint32_t mean_square_of_line(const int16_t pcm[TD_LEVEL_SAMPLES])
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < TD_LEVEL_SAMPLES; i++) {
		int16_t fourth = (int16_t)(pcm[i] >> 2);

		sum += (uint32_t)(fourth * fourth);
	}
	return (uint32_t)((uint64_t)sum * 16u / TD_LEVEL_SAMPLES);
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
	note(worker, look->stream, mean_square_of_line(pcm), clipped,
	     worker->streams[look->stream].level.look_ms, now_ns);
}

// The samples of a whole cache line, if the payload holds one.
static const uint8_t *line_of(const uint8_t *payload, uint32_t payload_len)
{
	const uint8_t *line = payload + (-(uintptr_t)payload % TD_CACHE_LINE);

	return line + TD_LEVEL_SAMPLES <= payload + payload_len ? line : payload;
}

void td_level_keep(struct td_media_worker *worker, uint32_t stream, const uint8_t *payload,
		   uint32_t payload_len)
{
	struct td_level_looks *looks = &worker->looks[worker->looks_kept];
	uint8_t codec = worker->streams[stream].rx.codec;
	struct td_level_look *look = &looks->looks[looks->count];

	if ((codec != TD_CODEC_PCMU && codec != TD_CODEC_PCMA) || payload_len < TD_LEVEL_SAMPLES)
		return;
	looks->count++;
	look->stream = stream;
	look->codec = codec;
	memcpy(look->law, line_of(payload, payload_len), TD_LEVEL_SAMPLES);
	__builtin_prefetch(&worker->streams[stream].level, 1);
}

void td_level_expect(const struct td_media_worker *worker)
{
	const struct td_level_looks *looks = &worker->looks[worker->looks_kept ^ 1u];

	for (uint32_t i = 0; i < looks->count; i++)
		__builtin_prefetch(
			&worker->contexts[worker->streams[looks->looks[i].stream].level.context],
			1);
}

void td_level_look(struct td_media_worker *worker, uint64_t now_ns)
{
	struct td_level_looks *looks;

	worker->looks_kept ^= 1u;
	looks = &worker->looks[worker->looks_kept];
	for (uint32_t i = 0; i < looks->count; i++)
		look(worker, &looks->looks[i], now_ns);
	looks->count = 0;
}

void td_level_finish(struct td_media_worker *worker, uint64_t now_ns)
{
	td_level_look(worker, now_ns);
	td_level_look(worker, now_ns);
}

bool td_media_looks(void)
{
#ifdef TD_WITHOUT_QUALITY
	return false;
#endif
	return true;
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
