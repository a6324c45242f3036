// What a party heard, judged against what another one said: normalised cross-correlation.
//
//                 sum said[i - lag] heard[i]
//   rho(lag) = --------------------------------      over the i where both exist
//              sqrt(sum said^2  *  sum heard^2)
//
// The numerator is computed for every lag at once (FFT), the lag with the greatest is taken, and rho
// there is the verdict: 1 is the same signal at any loudness, G.711 costs about 0.001, two different
// sentences stay below 0.2. Means are removed first, so an offset does not count.
//
// One figure hides a hole in the middle, so the matched stretch is then cut into pieces of half a
// second; `coverage` is the share of the pieces with speech in them that were heard, each allowed to
// sit a tenth of a second beside the common lag, wherever it fits best: a lost packet shifts what a
// phone writes down by 20 ms, and a jitter buffer that stretches and shortens shifts all that
// follows. A shift in the middle halves rho although nothing is missing, so `near` is rho over
// those pieces, each in its place: of two equally loud voices each has 0.6, what is not there 0.29
// at most in two runs of the scenarios.
//
// Memory: works on the caller's arrays, allocates its own scratch and frees it.
#pragma once

#include <stddef.h>

struct td_listen_match {
	double correlation; // rho at the best lag, -1..1
	double near;        // rho with every piece where it fits best near that lag, -1..1
	double lag_s;       // said[0] was heard this much after heard[0]; negative: before it began
	double overlap_s;   // length of the stretch that was compared
	double coverage;    // share of spoken pieces of that stretch that were heard, 0..1
	unsigned pieces;    // how many spoken pieces there were
};

struct td_listen_level {
	double rms_dbfs; // -200 for digital silence
	double peak_dbfs;
	double silence; // share of 20 ms frames below -50 dBFS, 0..1
	double seconds;
};

// Compares `heard` with `said`, both at `rate_hz`. 0, or -1 when there is nothing to compare: one of
// them is silent, or they never overlap by at least `overlap_min_s`.
int td_listen_correlate(const double *said, size_t said_count, const double *heard,
			size_t heard_count, unsigned rate_hz, double overlap_min_s,
			struct td_listen_match *out);

// The share of the spoken quarters of a second of the matched stretch that were heard within
// `drift_s` of the common lag, each wherever it fits best: for what came through a jitter buffer
// that shortens and stretches. 0..1; 0 when nothing was spoken. rho of 0.8 counts as heard, since a
// place where time was stretched, or a speech coder, keeps no waveform exactly.
double td_listen_adrift(const double *said, size_t said_count, const double *heard,
			size_t heard_count, unsigned rate_hz, double lag_s, double drift_s);

void td_listen_level(const double *samples, size_t count, unsigned rate_hz,
		     struct td_listen_level *out);
