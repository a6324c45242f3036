// Something like a voice: harmonics of a pitch that wanders, formants that move, syllables.
#pragma once

#include <stdint.h>

// `samples` at `sample_hz`, about -20 dBFS while it speaks; the same for the same seed.
void td_speech_make(int16_t *pcm, uint32_t samples, uint32_t sample_hz, uint32_t seed);

// How alike `b` is to `a`, at the delay of up to `lag_max` samples at which it is most so: the
// normalised correlation over `samples` of `a`, which is repeated from its beginning.
double td_speech_likeness(const int16_t *a, uint32_t a_samples, const int16_t *b,
			  uint32_t b_samples);
