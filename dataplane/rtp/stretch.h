// Speech a little longer or shorter, without a seam: one pitch period put in or left out.
//
//   shrink  a b c d ...  ->  (a fading into b) c d ...
//   grow    a b c ...    ->  a (b fading into a) b c ...        a, b: as alike as can be found
//
// Overlap-add over the whole period (WSOLA with one join; Verhelst and Roelands, ICASSP 1993). The
// first sample and the last one stay what they were, so a buffer that continues another goes on
// doing so. Where nothing is alike nothing is done, unless it is quiet: then any length will do.
// In place, in the caller's buffer; pure; rates are multiples of 8 kHz up to 48.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TD_STRETCH_PERIOD_MIN_US 2500
#define TD_STRETCH_PERIOD_MAX_US 15000

// Leaves out one period, or in quiet as much as can be, but never more than `cut_max` samples.
// Answers how many samples are gone: 0 if there is no good place. `urgent` is content with less.
uint32_t td_stretch_shrink(int16_t *pcm, uint32_t samples, uint32_t rate_hz, uint32_t cut_max,
			   bool urgent);

// Puts in one period, at most `more_max` samples, for which there is room behind pcm. Answers how
// many samples there are more: 0 if there is no good place.
uint32_t td_stretch_grow(int16_t *pcm, uint32_t samples, uint32_t rate_hz, uint32_t more_max,
			 bool urgent);
