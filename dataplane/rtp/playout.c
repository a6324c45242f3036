#include "rtp/playout.h"

#include <string.h>

#include "rtp/supply.h"
#include "td_assert.h"

_Static_assert(sizeof(struct td_playout) <= TD_PLAYOUT_BYTES_MAX, "a stream has its share");

#define BAND_MS     16   // two short pitch periods, or one long one and a bit
#define PAYLOAD_MAX 1472 // of a datagram

static bool knows_rate(const struct td_codec *codec, uint32_t rate_hz)
{
	for (uint32_t i = 0; codec->rates[i] != 0; i++) {
		if (codec->rates[i] == rate_hz)
			return rate_hz % codec->clock_hz == 0 || codec->clock_hz % rate_hz == 0;
	}
	return false;
}

// Divides the arena: what the PLC and a packet's PCM do not need holds payloads.
static void divide_arena(struct td_playout *p)
{
	uint32_t packet_ms = p->codec->ptime_max_ms;
	uint32_t decoded_ms = packet_ms < TD_PLAYOUT_PULL_MS ? TD_PLAYOUT_PULL_MS : packet_ms;

	p->decoded_at = p->codec->conceal == NULL ? (td_plc_bytes(p->rate_hz) + 7u) & ~7u : 0;
	p->decoded_max = p->rate_hz / 1000u * decoded_ms;
	p->ring_at = p->decoded_at + p->decoded_max * (uint32_t)sizeof(int16_t);
	p->ring_at = (p->ring_at + TD_PLAYOUT_LINE - 1u) & ~(TD_PLAYOUT_LINE - 1u);
	p->packet_ticks_max = packet_ms * (p->codec->clock_hz / 1000u);
	TD_ASSERT(packet_ms <= TD_PLAYOUT_PACKET_MS &&
		  p->ring_at + PAYLOAD_MAX <= TD_PLAYOUT_ARENA_BYTES);
}

int td_playout_init(struct td_playout *p, const struct td_codec *codec, void *decoder,
		    uint32_t rate_hz, const struct td_playout_limits *limits)
{
	struct td_playout_limits bounds = { 0, TD_PLAYOUT_DELAY_MAX_MS };
	int error;

	if (limits != NULL)
		bounds = *limits;
	if (bounds.min_ms > bounds.max_ms || bounds.max_ms > TD_PLAYOUT_DELAY_MAX_MS)
		return -TD_EINVALID;
	if (!knows_rate(codec, rate_hz))
		return -TD_EUNSUPPORTED;
	memset(p, 0, sizeof *p);
	p->codec = codec;
	p->decoder = decoder;
	p->rate_hz = rate_hz;
	p->ticks_per_sample = rate_hz < codec->clock_hz ? codec->clock_hz / rate_hz : 1;
	p->samples_shift = rate_hz > codec->clock_hz ? 1 : 0;
	if (rate_hz > 2u * codec->clock_hz)
		return -TD_EUNSUPPORTED;
	// A codec whose state takes memory of its own has been made ready by who owns it.
	if (codec->decoder_init != NULL && codec->decoder_fini == NULL) {
		error = codec->decoder_init(decoder, rate_hz);
		if (error != 0)
			return error;
	}
	divide_arena(p);
	if (codec->conceal == NULL)
		td_plc_init(td_supply_plc(p), rate_hz);
	p->mending = true;
	p->band_ticks = BAND_MS * (codec->clock_hz / 1000u);
	p->small_ticks = codec->clock_hz / (1000000u / TD_STRETCH_PERIOD_MIN_US);
	td_comfort_noise_init(&p->noise, rate_hz);
	td_delay_init(&p->delay, codec->clock_hz, bounds.min_ms, bounds.max_ms);
	td_jitter_init(&p->jitter, (uint16_t)(TD_PLAYOUT_ARENA_BYTES - p->ring_at));
	return 0;
}

// Another sender, or one that begins anew: its first packet is played as soon as it may be.
static void restart(struct td_playout *p, uint32_t ssrc, uint16_t sequence)
{
	td_supply_tell(p, 0);
	p->stats.restarts += p->started;
	p->started = true;
	p->ssrc = ssrc;
	p->noise.seed ^= ssrc << 1; // it stays odd
	p->hole = false;
	p->newest_sequence = sequence;
	p->extra_ticks = 0;
	p->loss_interval = TD_SUPPLY_LOSS_INTERVAL_MAX;
	p->plain_losses = 0;
	if (p->mode == TD_SUPPLY_PLAYING)
		td_supply_pause(p);
	td_jitter_start(&p->jitter, sequence);
	td_delay_restart(&p->delay);
}

void td_playout_reset(struct td_playout *p)
{
	if (!p->started)
		return;
	restart(p, p->ssrc, p->jitter.wanted);
	p->stats.restarts--;
	p->started = false;
	td_supply_keep(p, 0);
}

// A number that does not fit the window. False: the packet is not wanted.
static bool admit(struct td_playout *p, enum td_jitter_place place, uint32_t ssrc,
		  uint16_t sequence, enum td_playout_put *result)
{
	uint32_t pushed_out;

	switch (place) {
	case TD_JITTER_FITS: break;
	case TD_JITTER_DUPLICATE:
		p->stats.duplicates++;
		*result = TD_PLAYOUT_DUPLICATE;
		return false;
	case TD_JITTER_LATE:
		p->stats.late++;
		*result = TD_PLAYOUT_LATE;
		return false;
	case TD_JITTER_BEYOND:
		pushed_out = td_jitter_advance(&p->jitter, sequence);
		p->hole = true;
		if (pushed_out != 0) {
			p->stats.overflows += pushed_out;
			*result = TD_PLAYOUT_OVERFLOW;
		}
		break;
	case TD_JITTER_FOREIGN: restart(p, ssrc, sequence); break;
	}
	return true;
}

// The oldest packets whose bytes were just written over are given up.
static bool evict(struct td_playout *p)
{
	bool any = false;

	for (;;) {
		uint32_t ahead = td_jitter_ahead(&p->jitter);

		if (ahead == TD_JITTER_SLOTS ||
		    td_jitter_intact(&p->jitter, td_jitter_at(&p->jitter, ahead)))
			return any;
		td_jitter_pop(&p->jitter, ahead);
		p->stats.overflows++;
		p->hole = true;
		any = true;
	}
}

enum td_playout_put td_playout_put(struct td_playout *p, enum td_playout_kind kind, uint32_t ssrc,
				   uint16_t sequence, uint32_t timestamp, bool marker,
				   const uint8_t *payload, uint16_t len, uint64_t arrival_ns)
{
	enum td_playout_put result = TD_PLAYOUT_QUEUED;
	uint32_t arrival = td_delay_ticks(&p->delay, arrival_ns);
	enum td_jitter_place place;
	bool overtaken;
	int duration = 0;

	(void)marker; // Who sets it after every pause says no more than the timestamp does.
	if (__builtin_expect(len > p->jitter.ring_bytes, 0))
		goto refused;
	if (__builtin_expect(kind == TD_PLAYOUT_AUDIO, 1)) {
		duration = p->codec->duration(payload, len);
		if (__builtin_expect(duration <= 0 || (uint32_t)duration > p->packet_ticks_max, 0))
			goto refused;
	} else if (kind == TD_PLAYOUT_EVENT) {
		len = 0;
	}
	if (__builtin_expect(!p->started || ssrc != p->ssrc, 0))
		restart(p, ssrc, sequence);
	place = td_jitter_place(&p->jitter, sequence);
	if (__builtin_expect((p->untold != 0) & ((place != TD_JITTER_FITS) |
						 ((uint32_t)duration != p->pull_ticks) |
						 ((uint16_t)(sequence - p->jitter.wanted) >=
						  TD_JITTER_SLOTS - TD_SUPPLY_UNTOLD_MAX)),
			     0))
		td_supply_tell(p, 0);
	overtaken = (int16_t)(sequence - p->newest_sequence) < 0;
	// A late packet is the one that has most to say about the delay.
	if (__builtin_expect(duration != 0 && place != TD_JITTER_DUPLICATE, 1) &&
	    __builtin_expect(
		    !td_delay_put(&p->delay, arrival, timestamp, (uint32_t)duration, overtaken),
		    0)) {
		restart(p, ssrc, sequence);
		place = TD_JITTER_FITS;
		(void)td_delay_put(&p->delay, arrival, timestamp, (uint32_t)duration, false);
	}
	if (__builtin_expect(place != TD_JITTER_FITS, 0) &&
	    !admit(p, place, ssrc, sequence, &result))
		return result;
	td_jitter_put(&p->jitter, p->arena + p->ring_at, sequence, timestamp, (uint16_t)duration,
		      payload, len);
	p->newest_sequence = overtaken ? p->newest_sequence : sequence;
	p->packets++;
	if (__builtin_expect((uint32_t)__builtin_popcountll(p->jitter.present) * len * 2u >
				     p->jitter.ring_bytes,
			     0)) {
		td_supply_tell(p, 0);
		if (evict(p))
			result = TD_PLAYOUT_OVERFLOW;
	}
	return result;
refused:
	p->stats.refused++;
	return TD_PLAYOUT_REFUSED;
}

enum td_playout_pull td_playout_pull(struct td_playout *p, uint64_t now_ns, int16_t *pcm,
				     uint32_t samples, struct td_playout_job *job)
{
	uint32_t now = td_delay_ticks(&p->delay, now_ns), spare;
	uint32_t idx = p->jitter.wanted % TD_JITTER_SLOTS;
	const struct td_jitter_slot *slot = &p->jitter.slots[idx];

	if (__builtin_expect(samples != p->pull_samples, 0)) {
		TD_ASSERT(samples != 0 && samples <= p->rate_hz / 1000u * TD_PLAYOUT_PULL_MS);
		td_supply_tell(p, 0);
		p->pull_samples = samples;
		p->pull_ticks = td_supply_ticks(p, samples);
		p->recall = p->codec->conceal == NULL && p->codec->decoder_bytes == 0 &&
			    TD_SUPPLY_UNTOLD_MAX * samples >= td_supply_plc(p)->history_samples;
		p->wide_ticks = p->pull_ticks + TD_SUPPLY_SLACK_MS * (p->codec->clock_hz / 1000u);
	}
	// How long before its time the wanted packet came, if it took as long as the target.
	spare = now - p->next_timestamp - p->delay.target - p->extra_ticks;
	if (p->mode == TD_SUPPLY_PLAYING)
		p->played_transit = now - p->next_timestamp + p->decoded_ticks - p->standing_ticks;
	if (__builtin_expect((p->mode == TD_SUPPLY_PLAYING) & (p->standing_ticks == 0) &
				     (uint32_t)(p->jitter.present >> idx & 1u) &
				     (slot->timestamp == p->next_timestamp) &
				     (slot->duration == p->pull_ticks) &
				     (p->decoded_samples < samples) & (spare < p->wide_ticks) &
				     ((p->decoded_ticks < p->small_ticks) |
				      (spare + p->decoded_ticks <= p->band_ticks)) &
				     td_jitter_intact(&p->jitter, slot),
			     1)) {
		job->payload = p->arena + p->ring_at + slot->offset;
		job->len = slot->len;
		td_jitter_pop(&p->jitter, 0);
		p->next_timestamp += p->pull_ticks;
		return TD_PLAYOUT_DECODE;
	}
	return td_supply_fill(p, now, pcm, samples);
}

// What was decoded goes behind what was left, and as much is left again.
static void rotate(struct td_playout *p, int16_t *pcm, uint32_t samples)
{
	uint32_t left = p->decoded_samples;
	int16_t last[TD_PLC_RATE_MAX / 1000 * TD_PLAYOUT_PULL_MS];
	int16_t *decoded = td_supply_decoded(p);

	memcpy(last, pcm + samples - left, left * sizeof last[0]);
	memmove(pcm + left, pcm, (samples - left) * sizeof pcm[0]);
	memcpy(pcm, decoded, left * sizeof pcm[0]);
	memcpy(decoded, last, left * sizeof decoded[0]);
}

// The PLC is told of the packet that has just been decoded, or may be later.
static void remember(struct td_playout *p, int16_t *pcm, uint32_t samples)
{
	if (__builtin_expect(td_supply_may_wait(p), 1)) {
		p->untold = (uint8_t)(p->untold + (p->untold < TD_SUPPLY_UNTOLD_MAX));
		return;
	}
	td_supply_tell(p, 1);
	td_supply_good(p, pcm, samples);
	// A lap is long enough for a packet that comes not to lie on one of those.
	if (p->recall)
		p->jitter.lap_bytes =
			(uint16_t)((TD_SUPPLY_UNTOLD_MAX + 1u) *
				   p->jitter.slots[(p->jitter.wanted - 1u) % TD_JITTER_SLOTS].len);
}

void td_playout_decoded(struct td_playout *p, int16_t *pcm, int decoded)
{
	uint32_t samples = p->pull_samples;

	if (__builtin_expect(decoded != (int)samples, 0)) {
		p->stats.refused++;
		td_supply_replace(p, pcm, samples);
		return;
	}
	p->played_samples += samples;
	p->packet_ticks = p->pull_ticks;
	p->hole = false;
	remember(p, pcm, samples);
	if (p->decoded_samples != 0)
		rotate(p, pcm, samples);
	if (__builtin_expect(p->ramp | p->noisy, 0))
		td_supply_begin(p, pcm, samples);
	if (__builtin_expect(p->extra_ticks != 0, 0))
		td_supply_review_extra(p);
}

static uint32_t us_of(const struct td_playout *p, uint32_t ticks)
{
	return (int32_t)ticks < 0 ? 0 : (uint32_t)((uint64_t)ticks * 1000000u / p->codec->clock_hz);
}

void td_playout_stats(const struct td_playout *p, struct td_playout_stats *stats)
{
	const struct td_delay *delay = &p->delay;

	*stats = p->stats;
	stats->packets = p->packets;
	stats->played_samples = p->played_samples;
	if (!delay->started)
		return;
	stats->delay_us = us_of(p, p->played_transit - delay->base);
	stats->target_us = us_of(p, delay->target + p->extra_ticks - delay->base);
	stats->jitter_us = us_of(p, delay->late_edge - delay->base);
	stats->skew_ppm = delay->skew_ppm;
}
