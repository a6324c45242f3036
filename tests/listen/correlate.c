#include "correlate.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_S        0.5
#define PIECE_SLACK_S  0.1 // how far a piece may sit beside the common lag
#define PIECE_HEARD    0.9 // rho from which a piece counts as heard
#define ADRIFT_PIECE_S 0.25
#define ADRIFT_HEARD   0.8
#define SPOKEN_DBFS    -45.0 // a piece of `said` below this is a pause
#define ENERGY_MIN     1e-9  // per sample; -90 dBFS: below it there is nothing to compare
#define SILENT_DBFS    -50.0
#define FLOOR_DBFS     -200.0

// In-place radix-2 transform; `turns` holds exp(sign * 2 pi i k / n) for k below n / 2, -1 forward and
// +1 inverse (unscaled).
static void fft(double complex *x, size_t n, const double complex *turns)
{
	for (size_t i = 1, j = 0; i < n; i++) {
		size_t bit = n >> 1;

		for (; j & bit; bit >>= 1)
			j ^= bit;
		j ^= bit;
		if (i < j) {
			double complex t = x[i];

			x[i] = x[j];
			x[j] = t;
		}
	}
	for (size_t len = 2; len <= n; len <<= 1) {
		for (size_t i = 0; i < n; i += len) {
			for (size_t k = 0; k < len / 2; k++) {
				double complex a = x[i + k];
				double complex b = x[i + k + len / 2] * turns[k * (n / len)];

				x[i + k] = a + b;
				x[i + k + len / 2] = a - b;
			}
		}
	}
}

static double mean_of(const double *x, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += x[i];
	return count ? sum / (double)count : 0;
}

// energy[i] = sum of (x - mean)^2 before i, so that any stretch's energy is one subtraction.
static double *energy_sums(const double *x, size_t count, double mean)
{
	double *sums = malloc((count + 1) * sizeof *sums);

	if (!sums)
		return NULL;
	sums[0] = 0;
	for (size_t i = 0; i < count; i++)
		sums[i + 1] = sums[i] + (x[i] - mean) * (x[i] - mean);
	return sums;
}

// product[lag mod n] = sum over i of said[i - lag] * heard[i]; the caller frees it.
static double complex *products(const double *said, size_t said_count, double said_mean,
				const double *heard, size_t heard_count, double heard_mean,
				size_t n)
{
	double complex *a = calloc(n, sizeof *a), *b = calloc(n, sizeof *b);
	double complex *turns = calloc(n / 2 + 1, sizeof *turns);

	if (!a || !b || !turns)
		goto fail;
	for (size_t k = 0; k < n / 2; k++)
		turns[k] = cexp(-2.0 * M_PI * I * (double)k / (double)n);
	for (size_t i = 0; i < said_count; i++)
		a[i] = said[i] - said_mean;
	for (size_t i = 0; i < heard_count; i++)
		b[i] = heard[i] - heard_mean;
	fft(a, n, turns);
	fft(b, n, turns);
	for (size_t i = 0; i < n; i++)
		b[i] *= conj(a[i]) / (double)n;
	for (size_t k = 0; k < n / 2; k++)
		turns[k] = conj(turns[k]);
	fft(b, n, turns);
	free(turns);
	free(a);
	return b;
fail:
	free(turns);
	free(a);
	free(b);
	return NULL;
}

struct stretch {
	long heard_from, said_from, count; // heard[heard_from + k] goes with said[said_from + k]
};

static struct stretch overlap_at(long lag, size_t said_count, size_t heard_count)
{
	long from = lag > 0 ? lag : 0;
	long to = (long)said_count + lag < (long)heard_count ? (long)said_count + lag
							     : (long)heard_count;

	return (struct stretch){ from, from - lag, to - from };
}

// A piece of what was said, put beside what was heard.
struct fit {
	double product, said_energy, heard_energy;
	double rho;
};

static struct fit fit_of(const double *said, const double *heard, size_t count)
{
	double said_mean = mean_of(said, count), heard_mean = mean_of(heard, count);
	struct fit fit = { 0 };

	for (size_t i = 0; i < count; i++) {
		double s = said[i] - said_mean, h = heard[i] - heard_mean;

		fit.product += s * h;
		fit.said_energy += s * s;
		fit.heard_energy += h * h;
	}
	if (fit.said_energy >= ENERGY_MIN * (double)count &&
	    fit.heard_energy >= ENERGY_MIN * (double)count)
		fit.rho = fit.product / sqrt(fit.said_energy * fit.heard_energy);
	return fit;
}

static double dbfs(double mean_square)
{
	return mean_square > 1e-20 ? 10 * log10(mean_square) : FLOOR_DBFS;
}

static double mean_square(const double *x, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += x[i] * x[i];
	return count ? sum / (double)count : 0;
}

// The best fit of a piece within `slack` samples of `at`; the first that reaches `enough` will do.
// 0, +1, -1, +2, -2...: most pieces sit exactly on the common lag.
static struct fit seek(const double *piece, size_t count, const double *heard, size_t heard_count,
		       long at, long slack, double enough)
{
	struct fit best = { .rho = -1 };

	for (long i = 0; i <= 2 * slack && best.rho < enough; i++) {
		long where = at + (i & 1 ? (i + 1) / 2 : -(i / 2));

		if (where < 0 || where + (long)count > (long)heard_count)
			continue;
		struct fit fit = fit_of(piece, heard + where, count);

		if (fit.rho > best.rho)
			best = fit;
	}
	return best;
}

static void cover(const double *said, const double *heard, size_t heard_count,
		  struct stretch stretch, unsigned rate_hz, struct td_listen_match *out)
{
	long piece = (long)(PIECE_S * rate_hz), slack = (long)(PIECE_SLACK_S * rate_hz);
	struct fit sum = { 0 };
	unsigned pieces = 0, found = 0;

	for (long k = 0; k + piece <= stretch.count; k += piece) {
		const double *spoken = said + stretch.said_from + k;

		if (dbfs(mean_square(spoken, (size_t)piece)) < SPOKEN_DBFS)
			continue;
		struct fit fit = seek(spoken, (size_t)piece, heard, heard_count,
				      stretch.heard_from + k, slack, PIECE_HEARD);

		pieces++;
		found += fit.rho >= PIECE_HEARD;
		sum.product += fit.product;
		sum.said_energy += fit.said_energy;
		sum.heard_energy += fit.heard_energy;
	}
	out->pieces = pieces;
	out->coverage = pieces ? (double)found / pieces : 0;
	if (sum.said_energy > 0 && sum.heard_energy > 0)
		out->near = sum.product / sqrt(sum.said_energy * sum.heard_energy);
}

// The lag with the greatest product among those that overlap enough, or LONG_MIN-like failure as 0
// in *found. The product rather than rho decides: a short overlap reaches a high rho by chance.
static long best_lag(const double complex *product, size_t n, size_t said_count, size_t heard_count,
		     long overlap_min, int *found)
{
	double best = 0;
	long best_at = 0;

	*found = 0;
	for (long lag = -(long)said_count + 1; lag < (long)heard_count; lag++) {
		double value = creal(product[lag < 0 ? n - (size_t)-lag : (size_t)lag]);

		if (overlap_at(lag, said_count, heard_count).count < overlap_min)
			continue;
		if (!*found || value > best) {
			*found = 1;
			best = value;
			best_at = lag;
		}
	}
	return best_at;
}

static double rho_at(const double complex *product, size_t n, long lag, struct stretch stretch,
		     const double *said_energy, const double *heard_energy)
{
	double s = said_energy[stretch.said_from + stretch.count] - said_energy[stretch.said_from];
	double h =
		heard_energy[stretch.heard_from + stretch.count] - heard_energy[stretch.heard_from];
	double least = ENERGY_MIN * (double)stretch.count;

	if (s < least || h < least)
		return 0;
	return creal(product[lag < 0 ? n - (size_t)-lag : (size_t)lag]) / sqrt(s * h);
}

int td_listen_correlate(const double *said, size_t said_count, const double *heard,
			size_t heard_count, unsigned rate_hz, double overlap_min_s,
			struct td_listen_match *out)
{
	double said_mean = mean_of(said, said_count), heard_mean = mean_of(heard, heard_count);
	double *said_energy = energy_sums(said, said_count, said_mean);
	double *heard_energy = energy_sums(heard, heard_count, heard_mean);
	double complex *product = NULL;
	int result = -1, found;
	size_t n = 1;

	memset(out, 0, sizeof *out);
	while (n < said_count + heard_count)
		n <<= 1;
	if (!said_energy || !heard_energy ||
	    said_energy[said_count] < ENERGY_MIN * (double)said_count ||
	    heard_energy[heard_count] < ENERGY_MIN * (double)heard_count || !said_count ||
	    !heard_count)
		goto out;
	product = products(said, said_count, said_mean, heard, heard_count, heard_mean, n);
	if (!product)
		goto out;
	long lag = best_lag(product, n, said_count, heard_count, (long)(overlap_min_s * rate_hz),
			    &found);
	if (!found)
		goto out;
	struct stretch stretch = overlap_at(lag, said_count, heard_count);

	out->correlation = rho_at(product, n, lag, stretch, said_energy, heard_energy);
	out->lag_s = (double)lag / rate_hz;
	out->overlap_s = (double)stretch.count / rate_hz;
	cover(said, heard, heard_count, stretch, rate_hz, out);
	result = 0;
out:
	free(product);
	free(said_energy);
	free(heard_energy);
	return result;
}

double td_listen_adrift(const double *said, size_t said_count, const double *heard,
			size_t heard_count, unsigned rate_hz, double lag_s, double drift_s)
{
	struct stretch stretch = overlap_at(lround(lag_s * rate_hz), said_count, heard_count);
	long piece = (long)(ADRIFT_PIECE_S * rate_hz), drift = (long)(drift_s * rate_hz);
	unsigned pieces = 0, found = 0;

	for (long k = 0; k + piece <= stretch.count; k += piece) {
		const double *spoken = said + stretch.said_from + k;

		if (dbfs(mean_square(spoken, (size_t)piece)) < SPOKEN_DBFS)
			continue;
		pieces++;
		found += seek(spoken, (size_t)piece, heard, heard_count, stretch.heard_from + k,
			      drift, ADRIFT_HEARD)
				 .rho >= ADRIFT_HEARD;
	}
	return pieces ? (double)found / pieces : 0;
}

void td_listen_level(const double *samples, size_t count, unsigned rate_hz,
		     struct td_listen_level *out)
{
	size_t frame = rate_hz / 50, frames = 0, silent = 0;
	double peak = 0;

	for (size_t i = 0; i < count; i++)
		peak = fmax(peak, fabs(samples[i]));
	for (size_t at = 0; frame && at + frame <= count; at += frame) {
		frames++;
		silent += dbfs(mean_square(samples + at, frame)) < SILENT_DBFS;
	}
	out->rms_dbfs = dbfs(mean_square(samples, count));
	out->peak_dbfs = dbfs(peak * peak);
	out->silence = frames ? (double)silent / (double)frames : 1;
	out->seconds = rate_hz ? (double)count / rate_hz : 0;
}
