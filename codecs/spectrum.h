// The spectrum of 32 ms at 8 kHz, and the one or two frequencies most of its power is in.
//
//   256 samples * Hann window -> FFT -> power of bins 31.25 Hz apart -> peaks, five bins wide
//
// Powers are in dBm0 as of a sine (td_tone.h's scale). Pure; the tables are filled by
// td_spectrum_init, once, on the main thread.
#pragma once

#include <stdint.h>

#define TD_SPECTRUM_SAMPLES 256
#define TD_SPECTRUM_RATE_HZ 8000
#define TD_SPECTRUM_PEAKS   2
// Where call progress tones are. Two of them that beat have one steady mean, but no steady peak.
#define TD_SPECTRUM_BAND_FIRST 9  // 281 Hz
#define TD_SPECTRUM_BAND_END   23 // 703 Hz

struct td_spectrum_peak {
	float hz;    // to about 1 Hz where nothing is near
	float share; // of the whole power, 0 to 1
};

struct td_spectrum {
	float dbm0;    // from 150 Hz up; -100 and below is silence
	float band_hz; // the mean frequency of TD_SPECTRUM_BAND_*, weighted by power
	struct td_spectrum_peak peaks[TD_SPECTRUM_PEAKS]; // the stronger first
};

// Call once before anything else; again is harmless.
void td_spectrum_init(void);

void td_spectrum_of(const float samples[TD_SPECTRUM_SAMPLES], struct td_spectrum *out);
