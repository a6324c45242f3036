// Speech-like audio for benchmarks: voiced and unvoiced syllables, pauses, room noise.
#pragma once

#include <stddef.h>
#include <stdint.h>

// `samples` at 16 kHz of one speaker; every number is another voice saying something else. Peaks
// stay below half of full scale.
void td_speech_make(int16_t *pcm, size_t samples, uint32_t speaker);
