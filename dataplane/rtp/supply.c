#include "rtp/supply.h"

#include <string.h>

#define GRAIN_PER_S         100 // codecs conceal in units of 10 ms
#define PLC_PATIENCE        10  // 1/10 s: an erasure is silent after 60 ms
#define CODEC_PATIENCE      1   // a second: Opus sends nothing for 400 ms when nothing is said
#define NOISE_PATIENCE      60  // seconds: noise is described once, and then only when it changes
#define RAMP_PER_S          400 // 2.5 ms
#define URGENT_MS           60 // as much to spare, or a quarter of it missing, and joins may be worse

#define LOSS_INTERVAL_OFTEN 100u // packets
#define PLAIN_MAX           5u

#define PERIODS_PER_S       (1000000 / TD_STRETCH_PERIOD_MAX_US)
#define PERIODS_MIN_PER_S   (1000000 / TD_STRETCH_PERIOD_MIN_US)

// The pull at hand.
struct piece {
	int16_t *pcm;
	uint32_t want, done; // samples
	uint32_t now;        // ticks, at the beginning
};

static uint32_t samples_of(const struct td_playout *p, uint32_t ticks)
{
	return (ticks << p->samples_shift) / p->ticks_per_sample;
}

static uint32_t lesser(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

void td_supply_begin(struct td_playout *p, int16_t *pcm, uint32_t samples)
{
	uint32_t ramp = p->rate_hz / RAMP_PER_S;

	for (uint32_t i = 0; p->ramp && i < ramp && i < samples; i++)
		pcm[i] = (int16_t)(pcm[i] * (int32_t)i / (int32_t)ramp);
	p->ramp = false;
	if (p->noisy)
		p->noisy = td_comfort_noise_add(&p->noise, pcm, samples);
}

void td_supply_tell(struct td_playout *p, uint32_t skip)
{
	int16_t pcm[TD_PLC_RATE_MAX / 1000 * TD_PLAYOUT_PULL_MS];

	for (; p->untold > 0; p->untold--) {
		const struct td_jitter_slot *slot =
			&p->jitter.slots[(p->jitter.wanted - skip - p->untold) % TD_JITTER_SLOTS];
		int samples = p->codec->decode(p->decoder, td_supply_payload(p, slot), slot->len,
					       pcm, p->pull_samples);

		if (samples > 0)
			td_plc_good(td_supply_plc(p), pcm, (uint32_t)samples);
	}
}

// Moves decoded samples into the pull.
static void take(struct td_playout *p, struct piece *piece)
{
	uint32_t count = lesser(p->decoded_samples, piece->want - piece->done);
	int16_t *decoded = td_supply_decoded(p);

	memcpy(piece->pcm + piece->done, decoded, count * sizeof decoded[0]);
	memmove(decoded, decoded + count, (p->decoded_samples - count) * sizeof decoded[0]);
	td_supply_keep(p, p->decoded_samples - count);
	if (p->ramp | p->noisy)
		td_supply_begin(p, piece->pcm + piece->done, count);
	piece->done += count;
}

// Makes up about `samples`, into the pull, or by the codec behind what it has decoded (and then in
// its own units). Answers how many.
static uint32_t make_up(struct td_playout *p, struct piece *piece, uint32_t samples)
{
	uint32_t rest = piece->want - piece->done, grain = p->rate_hz / GRAIN_PER_S, count;
	int made;

	samples = lesser(samples, rest);
	if (p->codec->conceal == NULL) {
		td_plc_conceal(td_supply_plc(p), piece->pcm + piece->done, samples);
		piece->done += samples;
		return samples;
	}
	count = (samples + grain - 1u) / grain * grain;
	count = lesser(count, p->decoded_max - p->decoded_samples);
	made = p->codec->conceal(p->decoder, td_supply_decoded(p) + p->decoded_samples, count);
	if (made <= 0 || (uint32_t)made > count) {
		memset(piece->pcm + piece->done, 0, samples * sizeof piece->pcm[0]);
		piece->done += samples;
		return samples;
	}
	td_supply_keep(p, p->decoded_samples + (uint32_t)made);
	return (uint32_t)made;
}

// Decodes a waiting packet behind what is decoded. It is gone then, whatever came of it.
static void decode(struct td_playout *p, const struct td_jitter_slot *slot, uint32_t ahead)
{
	uint32_t room = p->decoded_max - p->decoded_samples;
	int samples = p->codec->decode(p->decoder, td_supply_payload(p, slot), slot->len,
				       td_supply_decoded(p) + p->decoded_samples, room);

	p->next_timestamp = slot->timestamp;
	p->standing_ticks = 0;
	p->bridged_ticks = 0;
	if (samples > 0 && (uint32_t)samples <= room) {
		p->next_timestamp += slot->duration;
		p->packet_ticks = slot->duration;
		p->played_samples += (uint32_t)samples;
		td_supply_good(p, td_supply_decoded(p) + p->decoded_samples, (uint32_t)samples);
		td_supply_keep(p, p->decoded_samples + (uint32_t)samples);
		p->hole = false;
	} else {
		p->stats.refused++;
		p->hole = true;
	}
	td_jitter_pop(&p->jitter, ahead);
}

// A packet was lost. Where packets carry the one before, and they are lost often, it is worth
// waiting for the next one; unless it turns out that they carry nothing.
static void note_loss(struct td_playout *p)
{
	uint32_t interval = (uint32_t)p->packets - p->loss_packets;

	if (p->codec->recover == NULL)
		return;
	if (interval > TD_SUPPLY_LOSS_INTERVAL_MAX)
		interval = TD_SUPPLY_LOSS_INTERVAL_MAX;
	p->loss_packets = (uint32_t)p->packets;
	p->loss_interval += interval / 4u - p->loss_interval / 4u;
	p->extra_ticks = p->loss_interval < LOSS_INTERVAL_OFTEN && p->plain_losses < PLAIN_MAX
				 ? p->packet_ticks
				 : 0;
}

void td_supply_review_extra(struct td_playout *p)
{
	if ((uint32_t)p->packets - p->loss_packets < TD_SUPPLY_LOSS_INTERVAL_MAX)
		return;
	p->extra_ticks = 0;
	p->loss_interval = TD_SUPPLY_LOSS_INTERVAL_MAX;
}

// What was lost right before a waiting packet, from that packet.
static bool recover(struct td_playout *p, const struct td_jitter_slot *slot, uint32_t gap)
{
	uint32_t samples = samples_of(p, gap);
	int made;

	if (p->codec->recover == NULL || gap > slot->duration ||
	    samples > p->decoded_max - p->decoded_samples)
		return false;
	made = p->codec->recover(p->decoder, td_supply_payload(p, slot), slot->len,
				 td_supply_decoded(p) + p->decoded_samples, samples);
	p->plain_losses = made == 0 ? p->plain_losses + 1u : 0;
	if (made <= 0 || (uint32_t)made > samples)
		return false;
	td_supply_keep(p, p->decoded_samples + (uint32_t)made);
	p->stats.recovered_samples += (uint32_t)made;
	p->next_timestamp = slot->timestamp;
	return true;
}

// Packets of `duration` and pulls meet every so many ticks: the steps in which the time a packet
// must be there can be moved, and with it the delay for good.
static uint32_t step_of(const struct td_playout *p, uint32_t duration)
{
	uint32_t a = p->pull_ticks, b = duration;

	while (b != 0) {
		uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

// How long before it is needed a packet is there, when it takes as long as the target: of all that
// are to come the least. `delay` is now - the timestamp that is heard now.
static int32_t margin(const struct td_playout *p, uint32_t delay, uint32_t step)
{
	return (int32_t)(delay - p->delay.target - p->extra_ticks - (p->pull_ticks - step) -
			 p->decoded_ticks % step);
}

// How many ticks are to be left out: whole steps, and what is decoded without need.
static uint32_t excess(const struct td_playout *p, int32_t spare, uint32_t step)
{
	uint32_t left = p->decoded_ticks % step;
	uint32_t slack = TD_SUPPLY_SLACK_MS * (p->codec->clock_hz / 1000u), ticks = 0;

	if (spare < 0)
		return 0;
	if ((uint32_t)spare >= step + slack)
		ticks = ((uint32_t)spare - slack) / step * step;
	if (ticks != 0 || (uint32_t)spare + left > p->band_ticks)
		ticks += left;
	return ticks;
}

void td_supply_pause(struct td_playout *p)
{
	p->mode = TD_SUPPLY_PAUSE;
	p->pause_samples = 0;
	p->standing_ticks = 0;
}

// The wanted packet has not come, and a later one waits: what is between is lost, or a pause.
static void bridge(struct td_playout *p, struct piece *piece, const struct td_jitter_slot *slot,
		   uint32_t ahead, uint32_t gap)
{
	uint32_t made, chunk = gap, step, skip, least;

	if (ahead == 0 && !p->hole) {
		td_supply_pause(p);
		return;
	}
	if (recover(p, slot, gap))
		return;
	// What is lost need not be made up in full when the delay is too long anyway.
	step = step_of(p, slot->duration);
	skip = excess(
		p,
		margin(p, piece->now + td_supply_ticks(p, piece->done) - p->next_timestamp, step),
		step);
	least = p->codec->clock_hz / GRAIN_PER_S;
	if (skip != 0 && gap > least) {
		skip = lesser(skip, gap - least);
		p->next_timestamp += skip;
		p->bridged_ticks += skip;
		gap -= skip;
		chunk = gap;
	}
	// The last of what is lost may be in the packet after it.
	if (p->codec->recover != NULL && gap > slot->duration)
		chunk = gap - slot->duration;
	made = make_up(p, piece, samples_of(p, chunk) == 0 ? 1u : samples_of(p, chunk));
	p->stats.concealed_samples += made;
	made = td_supply_ticks(p, made);
	made = made < gap && made != 0 ? made : gap;
	p->next_timestamp += made;
	p->bridged_ticks += made;
	// Nothing before this packet is wanted any more.
	if (made == gap)
		p->jitter.wanted = slot->sequence;
}

// Decodes packets that simply follow until `samples` are there, as far as they are and fit.
static void gather(struct td_playout *p, uint32_t samples)
{
	while (p->decoded_samples < samples && td_jitter_ahead(&p->jitter) == 0) {
		const struct td_jitter_slot *slot = td_jitter_at(&p->jitter, 0);

		if (slot->duration == 0 || slot->timestamp != p->next_timestamp ||
		    !td_jitter_intact(&p->jitter, slot) ||
		    samples_of(p, slot->duration) > p->decoded_max - p->decoded_samples)
			return;
		decode(p, slot, 0);
	}
}

// Brings the delay nearer to where it should be, if what is said allows it.
static void adapt(struct td_playout *p, uint32_t samples)
{
	uint32_t step = step_of(p, p->packet_ticks), changed, too_much;
	int32_t spare = margin(p, p->played_transit, step);
	int32_t urgent = URGENT_MS * (int32_t)(p->codec->clock_hz / 1000u);

	if (p->extra_ticks != 0)
		td_supply_review_extra(p);
	too_much = samples_of(p, excess(p, spare, step));
	if (spare >= 0 && too_much < p->rate_hz / PERIODS_MIN_PER_S)
		return;
	gather(p, samples + p->rate_hz / PERIODS_PER_S);
	if (p->decoded_samples < samples)
		return;
	if (spare >= 0) {
		changed = td_stretch_shrink(td_supply_decoded(p), p->decoded_samples, p->rate_hz,
					    too_much, spare > urgent);
		td_supply_keep(p, p->decoded_samples - changed);
		p->stats.shrunk_samples += changed;
		p->stats.shrinks += changed != 0;
	} else {
		changed = td_stretch_grow(td_supply_decoded(p), p->decoded_samples, p->rate_hz,
					  p->decoded_max - p->decoded_samples, spare < -urgent / 4);
		td_supply_keep(p, p->decoded_samples + changed);
		p->stats.stretched_samples += changed;
		p->stats.stretches += changed != 0;
	}
}

// True when a packet that begins to be heard now leaves those after it their time. Sound begins
// with a pull, not within one, so that a packet is a pull again.
static bool is_due(const struct td_playout *p, const struct piece *piece,
		   const struct td_jitter_slot *slot)
{
	return piece->done == 0 &&
	       margin(p, piece->now - slot->timestamp, step_of(p, slot->duration)) >= 0;
}

// A payload without audio is next: what it says begins now.
static void begin_pause(struct td_playout *p, const struct td_jitter_slot *slot, uint32_t ahead)
{
	if (p->codec->conceal == NULL) {
		td_comfort_noise_describe(&p->noise, td_supply_payload(p, slot), slot->len);
		p->noisy = p->noisy || slot->len != 0;
	}
	if (p->mode == TD_SUPPLY_PLAYING || slot->len != 0)
		td_supply_pause(p);
	td_jitter_pop(&p->jitter, ahead);
}

// Brings on the next waiting packet, if it is time for it. False: there is none.
static bool advance(struct td_playout *p, struct piece *piece)
{
	uint32_t ahead = td_jitter_ahead(&p->jitter), credit;
	const struct td_jitter_slot *slot = td_jitter_at(&p->jitter, ahead);
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
		begin_pause(p, slot, ahead);
		return true;
	}
	if (p->mode != TD_SUPPLY_PLAYING) {
		if (!is_due(p, piece, slot))
			return false;
		p->ramp = p->mode == TD_SUPPLY_IDLE;
		p->mode = TD_SUPPLY_PLAYING;
		td_comfort_noise_end(&p->noise);
		decode(p, slot, ahead);
		return true;
	}
	gap = (int32_t)(slot->timestamp - p->next_timestamp);
	if (gap > 0) {
		if ((ahead != 0 || p->hole) && p->bridged_ticks == 0)
			note_loss(p);
		credit = lesser(p->standing_ticks, (uint32_t)gap);
		p->next_timestamp += credit;
		p->standing_ticks = 0;
		gap -= (int32_t)credit;
	}
	if (gap > 0) {
		bridge(p, piece, slot, ahead, (uint32_t)gap);
	} else if (gap < 0 && (uint32_t)-gap <= p->bridged_ticks) {
		p->stats.late++; // something else has been heard in its place
		p->packets--;
		td_jitter_pop(&p->jitter, ahead);
		p->hole = true;
	} else {
		decode(p, slot, ahead);
	}
	return true;
}

static void fade_out(int16_t *pcm, uint32_t samples)
{
	for (uint32_t i = 0; i < samples; i++)
		pcm[i] = (int16_t)(pcm[i] * (int32_t)(samples - i) / (int32_t)samples);
}

// How long something is made up when nothing comes, in ticks.
static uint32_t patience(const struct td_playout *p)
{
	if (p->mode == TD_SUPPLY_PAUSE && p->noisy)
		return p->codec->clock_hz * NOISE_PATIENCE;
	return p->codec->clock_hz / (p->codec->conceal == NULL ? PLC_PATIENCE : CODEC_PATIENCE);
}

// Nothing waits: time stands still and something is made up, for as long as that makes sense.
static void stand(struct td_playout *p, struct piece *piece)
{
	uint32_t from = piece->done, rest = piece->want - from;

	if (p->mode == TD_SUPPLY_IDLE) {
		memset(piece->pcm + from, 0, rest * sizeof piece->pcm[0]);
		piece->done = piece->want;
		p->stats.silence_samples += rest;
		return;
	}
	rest = make_up(p, piece, rest);
	if (p->mode == TD_SUPPLY_PAUSE) {
		if (p->noisy)
			p->noisy = td_comfort_noise_add(&p->noise, piece->pcm + from,
							piece->done - from);
		p->stats.silence_samples += rest;
		p->pause_samples += rest;
		if (td_supply_ticks(p, p->pause_samples) < patience(p))
			return;
	} else {
		p->stats.concealed_samples += rest;
		p->standing_ticks += td_supply_ticks(p, rest);
		if (p->standing_ticks < patience(p))
			return;
	}
	while (p->decoded_samples != 0 && piece->done < piece->want)
		take(p, piece);
	p->stats.shrunk_samples += p->decoded_samples;
	td_supply_keep(p, 0);
	fade_out(piece->pcm + from, piece->done - from);
	td_comfort_noise_init(&p->noise, p->noise.seed);
	p->noisy = false;
	p->mode = TD_SUPPLY_IDLE;
	p->standing_ticks = 0;
}

enum td_playout_pull td_supply_fill(struct td_playout *p, uint32_t now, int16_t *pcm,
				    uint32_t samples)
{
	struct piece piece = { .pcm = pcm, .want = samples, .now = now };
	bool idle = p->mode == TD_SUPPLY_IDLE;

	td_supply_tell(p, 0);
	if (p->mode == TD_SUPPLY_PLAYING && p->standing_ticks == 0)
		adapt(p, samples);
	while (piece.done < piece.want) {
		if (p->decoded_samples != 0)
			take(p, &piece);
		else if (!advance(p, &piece))
			stand(p, &piece);
		idle = idle && p->mode == TD_SUPPLY_IDLE;
	}
	p->mending = true;
	return idle ? TD_PLAYOUT_SILENT : TD_PLAYOUT_DONE;
}

void td_supply_replace(struct td_playout *p, int16_t *pcm, uint32_t samples)
{
	struct piece piece = { .pcm = pcm, .want = samples };

	td_supply_tell(p, 1);
	while (piece.done < piece.want) {
		if (p->decoded_samples != 0)
			take(p, &piece);
		else
			p->stats.concealed_samples += make_up(p, &piece, piece.want - piece.done);
	}
	p->mending = true;
}
