// Where a pull's samples come from when it is not simply the next packet: several packets or a part
// of one, their redundancy, concealment, noise, time-scaling. The slow half of playout.h, and only
// for it.
//
//   PLAYING --nothing comes for long--> IDLE      PLAYING <--its time has come-- IDLE, PAUSE
//   PLAYING --the sender says nothing--> PAUSE --for long--> IDLE
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codecs/plc.h"
#include "rtp/playout.h"
#include "rtp/stretch.h"

// What is left to spare after a step down, or the next thing would be a step up.
#define TD_SUPPLY_SLACK_MS 3

// Packets from loss to loss, ten seconds mostly: beyond, losses have nothing to do with each other.
#define TD_SUPPLY_LOSS_INTERVAL_MAX 500u

enum td_supply_mode {
	TD_SUPPLY_IDLE,   // nothing to be heard
	TD_SUPPLY_PAUSE,  // the sender says nothing for now
	TD_SUPPLY_PLAYING // next_timestamp is wanted
};

static inline uint32_t td_supply_ticks(const struct td_playout *p, uint32_t samples)
{
	return (samples >> p->samples_shift) * p->ticks_per_sample;
}

static inline struct td_plc *td_supply_plc(struct td_playout *p)
{
	return (struct td_plc *)p->arena;
}

static inline int16_t *td_supply_decoded(struct td_playout *p)
{
	return (int16_t *)(p->arena + p->decoded_at);
}

static inline const uint8_t *td_supply_payload(const struct td_playout *p,
					       const struct td_jitter_slot *slot)
{
	return p->arena + p->ring_at + slot->offset;
}

// `samples` are left decoded and not played.
static inline void td_supply_keep(struct td_playout *p, uint32_t samples)
{
	p->decoded_samples = samples;
	p->decoded_ticks = td_supply_ticks(p, samples);
}

// The sender says nothing from here on, until its next packet of audio is due.
void td_supply_pause(struct td_playout *p);

// The first samples after silence or noise are about to be heard: softens their beginning.
void td_supply_begin(struct td_playout *p, int16_t *pcm, uint32_t samples);

// Samples were decoded, to be heard behind all that was before them: the PLC remembers them, and
// blends them into what it has made up.
static inline void td_supply_good(struct td_playout *p, int16_t *pcm, uint32_t samples)
{
	if (p->codec->conceal == NULL)
		td_plc_good(td_supply_plc(p), pcm, samples);
	p->mending = false;
}

// Where a codec has no state, the PLC is not told of every packet: the payloads of the last ones are
// still in the ring, and are decoded again when they turn out to be needed, which is seldom. So long
// as `untold` is not 0 they are the last bytes written there, one packet behind the other, all of a
// pull's length, and their slots are those before the wanted one; whatever would change that comes
// here first. `skip`: how many packets before the wanted one are not among them.
#define TD_SUPPLY_UNTOLD_MAX 3u // 60 ms are more than the PLC remembers
void td_supply_tell(struct td_playout *p, uint32_t skip);

// Is the packet before the wanted one such that the PLC need not be told of it now?
static inline bool td_supply_may_wait(const struct td_playout *p)
{
	const struct td_jitter_slot *slot =
		&p->jitter.slots[(p->jitter.wanted - 1u) % TD_JITTER_SLOTS];

	return p->recall & !p->mending & (p->jitter.present == 0) &
	       (slot->position + slot->len == p->jitter.position);
}

// A packet has been played without loss: is what redundancy costs in delay still worth it?
void td_supply_review_extra(struct td_playout *p);

// Fills a pull that begins at `now` ticks.
enum td_playout_pull td_supply_fill(struct td_playout *p, uint32_t now, int16_t *pcm,
				    uint32_t samples);

// Fills a pull whose packet turned out to be no good.
void td_supply_replace(struct td_playout *p, int16_t *pcm, uint32_t samples);
