#include "codecs/mix_kernel.h"

#include <string.h>

#define UNITY_Q12 4096

static inline int16_t saturate(int32_t sum)
{
	sum = sum > INT16_MAX ? INT16_MAX : sum;
	return (int16_t)(sum < INT16_MIN ? INT16_MIN : sum);
}

static inline float linear(int32_t gain_q12)
{
	return (float)gain_q12 * (1.0f / UNITY_Q12);
}

void td_mix_clear(int32_t *restrict sum, size_t count)
{
	memset(sum, 0, count * sizeof *sum);
}

void td_mix_add(int32_t *restrict sum, const int16_t *restrict pcm, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sum[i] += pcm[i];
}

void td_mix_add_gain(int32_t *restrict sum, const int16_t *restrict pcm, int32_t gain_q12,
		     size_t count)
{
	float gain = linear(gain_q12);

	if (gain_q12 == UNITY_Q12) {
		td_mix_add(sum, pcm, count);
		return;
	}
	for (size_t i = 0; i < count; i++)
		sum[i] += (int32_t)((float)pcm[i] * gain);
}

void td_mix_without(int32_t *restrict out, const int32_t *restrict sum, const int16_t *restrict own,
		    int32_t own_gain_q12, int32_t gain_q12, size_t count)
{
	float own_gain = linear(own_gain_q12), gain = linear(gain_q12);

	if (own == NULL)
		memcpy(out, sum, count * sizeof *out);
	else if (own_gain_q12 == UNITY_Q12)
		for (size_t i = 0; i < count; i++)
			out[i] = sum[i] - own[i];
	else
		// As it was added, so that nothing of it is left.
		for (size_t i = 0; i < count; i++)
			out[i] = sum[i] - (int32_t)((float)own[i] * own_gain);
	if (gain_q12 == UNITY_Q12)
		return;
	for (size_t i = 0; i < count; i++)
		out[i] = (int32_t)((float)out[i] * gain);
}

void td_mix_saturate(int16_t *restrict out, const int32_t *restrict sum, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = saturate(sum[i]);
}

void td_mix_minus(int16_t *restrict out, const int32_t *restrict sum, const int16_t *restrict own,
		  size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = saturate(sum[i] - own[i]);
}
