#include "rtp/playout.h"

#include <string.h>

#include "codecs/plc.h"
#include "td_assert.h"

_Static_assert(sizeof(struct td_playout) <= TD_PLAYOUT_BYTES_MAX, "a stream has its share");

#define BAND_MS        16   // how far above the target the delay may be: a pitch period and a bit
#define PAYLOAD_MAX    1472 // of a datagram
#define GRAIN_PER_S    100  // codecs conceal in units of 10 ms
#define PLC_PATIENCE   10   // 1/10 s: an erasure is silent after 60 ms
#define CODEC_PATIENCE 1    // a second: Opus sends nothing for 400 ms when nothing is said
#define RAMP_PER_S     400  // 2.5 ms

enum mode {
	MODE_IDLE,   // nothing to be heard
	MODE_PAUSE,  // the sender says nothing for now
	MODE_PLAYING // next_timestamp is wanted
};

// The pull at hand.
struct piece {
	int16_t *pcm;
	uint32_t want, done; // samples
	uint32_t now;        // ticks, at the beginning
};

static uint32_t ticks_of(const struct td_playout *p, uint32_t samples)
{
	return (samples >> p->samples_shift) * p->ticks_per_sample;
}

static uint32_t samples_of(const struct td_playout *p, uint32_t ticks)
{
	return (ticks << p->samples_shift) / p->ticks_per_sample;
}

static struct td_plc *plc_of(struct td_playout *p)
{
	return (struct td_plc *)p->arena;
}

static int16_t *decoded_of(struct td_playout *p)
{
	return (int16_t *)(p->arena + p->decoded_at);
}

static void set_decoded(struct td_playout *p, uint32_t samples)
{
	p->decoded_samples = samples;
	p->decoded_ticks = ticks_of(p, samples);
}

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
	bool raw = p->codec->id == TD_CODEC_L16_32 || p->codec->id == TD_CODEC_L16_48;
	// Two bytes a sample at these rates never come in packets as long as others do.
	uint32_t packet_ms = raw ? TD_PLAYOUT_PULL_MS : TD_PLAYOUT_PACKET_MS;

	p->decoded_at = p->codec->conceal == NULL ? (td_plc_bytes(p->rate_hz) + 7u) & ~7u : 0;
	p->decoded_max = p->rate_hz / 1000u * packet_ms;
	p->ring_at = p->decoded_at + p->decoded_max * (uint32_t)sizeof(int16_t);
	p->packet_ticks_max = packet_ms * (p->codec->clock_hz / 1000u);
	TD_ASSERT(p->ring_at + PAYLOAD_MAX <= TD_PLAYOUT_ARENA_BYTES);
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
	if (codec->decoder_init != NULL) {
		error = codec->decoder_init(decoder, rate_hz);
		if (error != 0)
			return error;
	}
	divide_arena(p);
	if (codec->conceal == NULL)
		td_plc_init(plc_of(p), rate_hz);
	p->band_ticks = BAND_MS * (codec->clock_hz / 1000u);
	td_delay_init(&p->delay, codec->clock_hz, bounds.min_ms, bounds.max_ms);
	td_jitter_init(&p->jitter, (uint16_t)(TD_PLAYOUT_ARENA_BYTES - p->ring_at));
	return 0;
}

// Another sender, or one that begins anew: its first packet is played as soon as it may be.
static void restart(struct td_playout *p, uint32_t ssrc, uint16_t sequence)
{
	p->stats.restarts += p->started;
	p->started = true;
	p->ssrc = ssrc;
	p->standing_ticks = 0;
	p->hole = false;
	if (p->mode == MODE_PLAYING) {
		p->mode = MODE_PAUSE;
		p->pause_samples = 0;
	}
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
	set_decoded(p, 0);
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
	// A late packet is the one that has most to say about the delay.
	if (__builtin_expect(duration != 0 && place != TD_JITTER_DUPLICATE, 1) &&
	    __builtin_expect(!td_delay_put(&p->delay, arrival, timestamp, (uint32_t)duration), 0)) {
		restart(p, ssrc, sequence);
		place = TD_JITTER_FITS;
		(void)td_delay_put(&p->delay, arrival, timestamp, (uint32_t)duration);
	}
	if (__builtin_expect(place != TD_JITTER_FITS, 0) &&
	    !admit(p, place, ssrc, sequence, &result))
		return result;
	td_jitter_put(&p->jitter, p->arena + p->ring_at, sequence, timestamp, (uint16_t)duration,
		      payload, len);
	p->packets++;
	if (__builtin_expect((uint32_t)__builtin_popcountll(p->jitter.present) * len * 2u >
				     p->jitter.ring_bytes,
			     0) &&
	    evict(p))
		result = TD_PLAYOUT_OVERFLOW;
	return result;
refused:
	p->stats.refused++;
	return TD_PLAYOUT_REFUSED;
}

// Good samples go out: the PLC sees them as they are heard.
static void heard(struct td_playout *p, int16_t *pcm, uint32_t samples)
{
	if (p->ramp) {
		uint32_t ramp = p->rate_hz / RAMP_PER_S;

		for (uint32_t i = 0; i < ramp && i < samples; i++)
			pcm[i] = (int16_t)(pcm[i] * (int32_t)i / (int32_t)ramp);
		p->ramp = false;
	}
	if (p->codec->conceal == NULL)
		td_plc_good(plc_of(p), pcm, samples);
}

// Moves decoded samples into the pull.
static void take(struct td_playout *p, struct piece *piece)
{
	uint32_t rest = piece->want - piece->done;
	uint32_t count = p->decoded_samples < rest ? p->decoded_samples : rest;
	int16_t *decoded = decoded_of(p);

	memcpy(piece->pcm + piece->done, decoded, count * sizeof decoded[0]);
	memmove(decoded, decoded + count, (p->decoded_samples - count) * sizeof decoded[0]);
	set_decoded(p, p->decoded_samples - count);
	heard(p, piece->pcm + piece->done, count);
	piece->done += count;
}

// Makes up at most `samples`: into the pull, or by the codec behind what it has decoded. Answers
// how many.
static uint32_t make_up(struct td_playout *p, struct piece *piece, uint32_t samples)
{
	uint32_t rest = piece->want - piece->done, grain = p->rate_hz / GRAIN_PER_S, count;
	int made;

	if (samples > rest)
		samples = rest;
	if (p->codec->conceal == NULL) {
		td_plc_conceal(plc_of(p), piece->pcm + piece->done, samples);
		piece->done += samples;
		return samples;
	}
	count = (samples + grain - 1u) / grain * grain;
	if (count > p->decoded_max - p->decoded_samples)
		count = samples;
	made = p->codec->conceal(p->decoder, decoded_of(p) + p->decoded_samples, count);
	if (made <= 0 || (uint32_t)made > count) {
		memset(piece->pcm + piece->done, 0, samples * sizeof piece->pcm[0]);
		piece->done += samples;
		return samples;
	}
	set_decoded(p, p->decoded_samples + (uint32_t)made);
	return (uint32_t)made;
}

// Decodes a waiting packet behind what is decoded. It is gone then, whatever came of it.
static void decode(struct td_playout *p, const struct td_jitter_slot *slot, uint32_t ahead)
{
	uint32_t room = p->decoded_max - p->decoded_samples;
	int samples = p->codec->decode(p->decoder, p->arena + p->ring_at + slot->offset, slot->len,
				       decoded_of(p) + p->decoded_samples, room);

	p->next_timestamp = slot->timestamp;
	p->standing_ticks = 0;
	if (samples > 0 && (uint32_t)samples <= room) {
		p->next_timestamp += slot->duration;
		p->packet_samples = (uint32_t)samples;
		p->played_samples += (uint32_t)samples;
		set_decoded(p, p->decoded_samples + (uint32_t)samples);
		p->hole = false;
	} else {
		p->stats.refused++;
		p->hole = true;
	}
	td_jitter_pop(&p->jitter, ahead);
}

// What was lost right before a waiting packet, from that packet.
static bool recover(struct td_playout *p, const struct td_jitter_slot *slot, uint32_t gap)
{
	uint32_t samples = samples_of(p, gap);
	int made;

	if (p->codec->recover == NULL || gap > slot->duration ||
	    samples > p->decoded_max - p->decoded_samples)
		return false;
	made = p->codec->recover(p->decoder, p->arena + p->ring_at + slot->offset, slot->len,
				 decoded_of(p) + p->decoded_samples, samples);
	if (made <= 0 || (uint32_t)made > samples)
		return false;
	set_decoded(p, p->decoded_samples + (uint32_t)made);
	p->stats.recovered_samples += (uint32_t)made;
	p->next_timestamp = slot->timestamp;
	return true;
}

static void pause(struct td_playout *p)
{
	p->mode = MODE_PAUSE;
	p->pause_samples = 0;
	p->standing_ticks = 0;
}

// The wanted packet has not come, and a later one waits: what is between is lost, or a pause.
static void bridge(struct td_playout *p, struct piece *piece, const struct td_jitter_slot *slot,
		   uint32_t ahead, uint32_t gap)
{
	uint32_t made, chunk = gap;

	if (ahead == 0 && !p->hole) {
		pause(p);
		return;
	}
	if (recover(p, slot, gap))
		return;
	// The last of what is lost may be in the packet after it.
	if (p->codec->recover != NULL && gap > slot->duration)
		chunk = gap - slot->duration;
	made = make_up(p, piece, samples_of(p, chunk) == 0 ? 1u : samples_of(p, chunk));
	p->stats.concealed_samples += made;
	made = ticks_of(p, made);
	p->next_timestamp += made < gap && made != 0 ? made : gap;
}

// Brings on the next waiting packet, if it is time for it. False: there is none.
static bool advance(struct td_playout *p, struct piece *piece)
{
	uint32_t ahead = td_jitter_ahead(&p->jitter), credit;
	const struct td_jitter_slot *slot = td_jitter_at(&p->jitter, ahead);
	uint32_t at = piece->now + ticks_of(p, piece->done);
	int32_t gap;

	if (ahead == TD_JITTER_SLOTS)
		return false;
	if (!td_jitter_intact(&p->jitter, slot)) {
		p->stats.overflows++;
		p->hole = true;
		td_jitter_pop(&p->jitter, ahead);
		return true;
	}
	if (slot->duration == 0) {
		td_jitter_pop(&p->jitter, ahead);
		if (p->mode == MODE_PLAYING)
			pause(p);
		return true;
	}
	if (p->mode != MODE_PLAYING) {
		if ((int32_t)(at - slot->timestamp - p->delay.target) < 0)
			return false;
		p->ramp = p->mode == MODE_IDLE;
		p->mode = MODE_PLAYING;
		decode(p, slot, ahead);
		return true;
	}
	gap = (int32_t)(slot->timestamp - p->next_timestamp);
	if (gap > 0) {
		credit = p->standing_ticks < (uint32_t)gap ? p->standing_ticks : (uint32_t)gap;
		p->next_timestamp += credit;
		p->standing_ticks = 0;
		gap -= (int32_t)credit;
	}
	if (gap > 0)
		bridge(p, piece, slot, ahead, (uint32_t)gap);
	else
		decode(p, slot, ahead);
	return true;
}

static void fade_out(int16_t *pcm, uint32_t samples)
{
	for (uint32_t i = 0; i < samples; i++)
		pcm[i] = (int16_t)(pcm[i] * (int32_t)(samples - i) / (int32_t)samples);
}

// Nothing waits: time stands still and something is made up, for as long as that makes sense.
static void stand(struct td_playout *p, struct piece *piece)
{
	uint32_t patience =
		p->codec->clock_hz / (p->codec->conceal == NULL ? PLC_PATIENCE : CODEC_PATIENCE);
	uint32_t from = piece->done, rest = piece->want - from;

	if (p->mode == MODE_IDLE) {
		memset(piece->pcm + from, 0, rest * sizeof piece->pcm[0]);
		piece->done = piece->want;
		p->stats.silence_samples += rest;
		return;
	}
	rest = make_up(p, piece, rest);
	if (p->mode == MODE_PAUSE) {
		p->stats.silence_samples += rest;
		p->pause_samples += rest;
		if (ticks_of(p, p->pause_samples) < patience)
			return;
	} else {
		p->stats.concealed_samples += rest;
		p->standing_ticks += ticks_of(p, rest);
		if (p->standing_ticks < patience)
			return;
	}
	while (p->decoded_samples != 0 && piece->done < piece->want)
		take(p, piece);
	set_decoded(p, 0);
	fade_out(piece->pcm + from, piece->done - from);
	p->mode = MODE_IDLE;
	p->standing_ticks = 0;
}

// Whatever is not one packet that fits.
static enum td_playout_pull make(struct td_playout *p, uint32_t now, int16_t *pcm, uint32_t samples)
{
	struct piece piece = { .pcm = pcm, .want = samples, .now = now };
	bool idle = p->mode == MODE_IDLE;

	while (piece.done < piece.want) {
		if (p->decoded_samples != 0)
			take(p, &piece);
		else if (!advance(p, &piece))
			stand(p, &piece);
		idle = idle && p->mode == MODE_IDLE;
	}
	return idle ? TD_PLAYOUT_SILENT : TD_PLAYOUT_DONE;
}

enum td_playout_pull td_playout_pull(struct td_playout *p, uint64_t now_ns, int16_t *pcm,
				     uint32_t samples, struct td_playout_job *job)
{
	uint32_t now = td_delay_ticks(&p->delay, now_ns), excess;
	uint32_t idx = p->jitter.wanted % TD_JITTER_SLOTS;
	const struct td_jitter_slot *slot = &p->jitter.slots[idx];

	if (__builtin_expect(samples != p->pull_samples, 0)) {
		TD_ASSERT(samples != 0 && samples <= p->rate_hz / 1000u * TD_PLAYOUT_PULL_MS);
		p->pull_samples = samples;
		p->pull_ticks = ticks_of(p, samples);
	}
	p->played_transit = now - (p->next_timestamp - p->decoded_ticks);
	excess = p->played_transit - p->delay.target;
	if (__builtin_expect((p->mode == MODE_PLAYING) & (p->standing_ticks == 0) &
				     (uint32_t)(p->jitter.present >> idx & 1u) &
				     (slot->timestamp == p->next_timestamp) &
				     (slot->duration == p->pull_ticks) &
				     (p->decoded_samples <= samples) & (excess <= p->band_ticks) &
				     td_jitter_intact(&p->jitter, slot),
			     1)) {
		job->payload = p->arena + p->ring_at + slot->offset;
		job->len = slot->len;
		td_jitter_pop(&p->jitter, 0);
		p->next_timestamp += p->pull_ticks;
		return TD_PLAYOUT_DECODE;
	}
	return make(p, now, pcm, samples);
}

// What was decoded goes behind what was left, and as much is left again.
static void rotate(struct td_playout *p, int16_t *pcm, uint32_t samples)
{
	uint32_t left = p->decoded_samples;
	int16_t last[TD_PLC_RATE_MAX / 1000 * TD_PLAYOUT_PULL_MS];
	int16_t *decoded = decoded_of(p);

	memcpy(last, pcm + samples - left, left * sizeof last[0]);
	memmove(pcm + left, pcm, (samples - left) * sizeof pcm[0]);
	memcpy(pcm, decoded, left * sizeof pcm[0]);
	memcpy(decoded, last, left * sizeof decoded[0]);
}

void td_playout_decoded(struct td_playout *p, int16_t *pcm, int decoded)
{
	uint32_t samples = p->pull_samples;
	struct piece piece = { .pcm = pcm, .want = samples };

	if (__builtin_expect(decoded != (int)samples, 0)) {
		p->stats.refused++;
		while (piece.done < piece.want) {
			if (p->decoded_samples != 0)
				take(p, &piece);
			else
				p->stats.concealed_samples +=
					make_up(p, &piece, piece.want - piece.done);
		}
		return;
	}
	p->packet_samples = samples;
	p->played_samples += samples;
	p->hole = false;
	if (p->decoded_samples != 0)
		rotate(p, pcm, samples);
	heard(p, pcm, samples);
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
	stats->target_us = us_of(p, delay->target - delay->base);
	stats->jitter_us = us_of(p, td_delay_late_edge(delay) - delay->base);
	stats->skew_ppm = delay->skew_ppm;
}
