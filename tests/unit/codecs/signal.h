// Sounds to code, and how alike two of them are.
#pragma once

#include <stddef.h>
#include <stdint.h>

void signal_sine(int16_t *pcm, size_t samples, uint32_t rate_hz, double hz, double level);
// A glottal pulse train of wandering pitch through three resonances, as in a vowel.
void signal_voice(int16_t *pcm, size_t samples, uint32_t rate_hz);

double signal_snr_db(const int16_t *wanted, const int16_t *got, size_t samples);
// The largest normalised correlation of the two, `got` being late by 0 to `delay_max` samples.
double signal_correlation(const int16_t *wanted, const int16_t *got, size_t samples,
			  size_t delay_max);
double signal_level_db(const int16_t *pcm, size_t samples); // of 32767
// The level of one frequency, dB of 32767.
double signal_tone_db(const int16_t *pcm, size_t samples, uint32_t rate_hz, double hz);
