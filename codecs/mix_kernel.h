// The arithmetic of mixing: int16 samples, 32-bit sums, gains in Q12.
//
//   sum += x      sum += g * x      out = saturate(sum)      out = saturate(g * (sum - own))
//
// Plain loops that the compiler turns into vectors: about 5 ns for 160 samples each. A sum holds
// 65,536 full-scale voices at unity, or 16,384 of them at a gain of 4. Gains that are not unity are
// computed in single precision: within one unit of the exact value. Pure; any thread; `count` is in
// samples; arrays do not overlap.
#pragma once

#include <stddef.h>
#include <stdint.h>

void td_mix_clear(int32_t *restrict sum, size_t count);
void td_mix_add(int32_t *restrict sum, const int16_t *restrict pcm, size_t count);
void td_mix_add_gain(int32_t *restrict sum, const int16_t *restrict pcm, int32_t gain_q12,
		     size_t count);
// *sum - own, scaled; own NULL: nothing is left out. `own_gain_q12` is how loud it is in the sum.
void td_mix_without(int32_t *restrict out, const int32_t *restrict sum, const int16_t *restrict own,
		    int32_t own_gain_q12, int32_t gain_q12, size_t count);
void td_mix_saturate(int16_t *restrict out, const int32_t *restrict sum, size_t count);
// The common case in one pass: saturate(sum - own).
void td_mix_minus(int16_t *restrict out, const int32_t *restrict sum, const int16_t *restrict own,
		  size_t count);
