#include "codecs/resample.h"

#include <speex/speex_resampler.h>
#include <stdlib.h>
#include <string.h>

#include "td_assert.h"

struct td_resampler {
	uint32_t from_hz, to_hz;
	SpeexResamplerState *filter; // NULL between equal rates
};

static int rate_known(uint32_t hz)
{
	return hz == 8000 || hz == 16000 || hz == 32000 || hz == 48000;
}

int td_resampler_create(uint32_t from_hz, uint32_t to_hz, struct td_resampler **out)
{
	struct td_resampler *resampler;
	int error = 0;

	*out = NULL;
	if (!rate_known(from_hz) || !rate_known(to_hz))
		return -TD_EUNSUPPORTED;
	resampler = calloc(1, sizeof *resampler);
	if (!resampler)
		return -TD_EMEMORY;
	resampler->from_hz = from_hz;
	resampler->to_hz = to_hz;
	if (from_hz != to_hz) {
		resampler->filter =
			speex_resampler_init(1, from_hz, to_hz, TD_RESAMPLE_QUALITY, &error);
		if (!resampler->filter) {
			free(resampler);
			return -TD_EMEMORY;
		}
	}
	*out = resampler;
	return 0;
}

void td_resampler_destroy(struct td_resampler *resampler)
{
	if (!resampler)
		return;
	if (resampler->filter)
		speex_resampler_destroy(resampler->filter);
	free(resampler);
}

size_t td_resampler_process(struct td_resampler *resampler, const int16_t *in, size_t samples,
			    int16_t *out)
{
	size_t room = (samples * resampler->to_hz + resampler->from_hz - 1) / resampler->from_hz;
	spx_uint32_t taken = (spx_uint32_t)samples, made = (spx_uint32_t)room + 1;

	TD_ASSERT(samples <= TD_RESAMPLE_SAMPLES_MAX);
	if (!resampler->filter) {
		memcpy(out, in, samples * sizeof out[0]);
		return samples;
	}
	// Nothing of the filter's start was skipped, so the n-th sample out is due at n * from / to
	// in: `room` of them at most, and blocks of whole 10 ms end where their output ends. The
	// library works in pieces and stops when the output is full, even if the last piece of
	// input would have made nothing: one more is allowed so that it takes all.
	speex_resampler_process_int(resampler->filter, 0, in, &taken, out, &made);
	TD_ASSERT(taken == samples && made <= room);
	return made;
}

void td_resampler_reset(struct td_resampler *resampler)
{
	if (resampler->filter)
		speex_resampler_reset_mem(resampler->filter);
}

uint32_t td_resampler_latency_us(const struct td_resampler *resampler)
{
	if (!resampler->filter)
		return 0;
	return (uint32_t)((uint64_t)speex_resampler_get_input_latency(resampler->filter) * 1000000 /
			  resampler->from_hz);
}
