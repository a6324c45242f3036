// Packet loss concealment for the codecs that have none of their own (G.711, L16, G.722, GSM), in
// the manner of ITU-T G.711 Appendix I, without its delay.
//
//   good, good, [lost: the last pitch periods again, fading] , good (its start blended), good
//
//   gain at t ms of an erasure = 1 below 10, then 20 % less every 10 ms, 0 from 60 on
//   history = the last 3 1/4 of the longest pitch period (15 ms), 390 samples at 8 kHz
//
// What is received is never changed, except the first samples after an erasure. Where Appendix I
// holds the sound back by 3.75 ms to blend it into the erasure, this adds the step between the two
// to the start of the erasure and lets it die away: no delay and no click. One struct a stream, in
// the caller's memory; pure; any thread; any number of samples a call.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TD_PLC_RATE_MAX    48000
#define TD_PLC_HISTORY_MAX (TD_PLC_RATE_MAX / 800 * 39) // 48.75 ms

struct td_plc {
	uint32_t rate_hz;
	uint32_t history_samples; // of this rate
	uint32_t write_idx;       // the oldest sample, where the next one goes
	uint32_t erased_samples;  // since the last good one, 0: none; stops counting at silence
	uint32_t pitch_samples;   // what the erasure repeats
	uint32_t periods;         // how many of them make its cycle: 1 to 3
	uint32_t cycle_idx;       // where in the cycle it is
	uint32_t old_cycle_idx;   // the same of the shorter cycle it is blended from
	uint32_t blend_samples;   // what is left of that blend
	int32_t step;             // between the last good sample and the one the cycle expects
	int16_t history[TD_PLC_HISTORY_MAX];
};

// How much of the struct is touched at a rate, for those who keep many of them: the rest of the
// history need not be there.
static inline uint32_t td_plc_bytes(uint32_t rate_hz)
{
	return (uint32_t)(offsetof(struct td_plc, history) +
			  rate_hz / 800u * 39u * sizeof(int16_t));
}

// Ready for `rate_hz`: 8000, 16000, 32000 or 48000.
void td_plc_init(struct td_plc *plc, uint32_t rate_hz);

// After each frame that came, of `samples`, before it is played: remembers it. After an erasure it
// blends the start of the frame in place (up to 10 ms).
void td_plc_good(struct td_plc *plc, int16_t *pcm, uint32_t samples);

// Writes `samples` for what did not come.
void td_plc_conceal(struct td_plc *plc, int16_t *pcm, uint32_t samples);
