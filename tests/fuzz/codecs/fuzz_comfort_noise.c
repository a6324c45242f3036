// Comfort noise: any payloads, one after the other, are heard at no more than their level and what
// the swing of a noise is; and what a meter makes of the result can be written and read again.
//
// Payloads with a byte of length before each.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codecs/comfort_noise.h"

#define BLOCK      160
#define SWING      16 // times the rms
#define LEVEL_STEP 20 // dB, as the gain decays from payload to payload

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
	if (!holds)
		abort();
}

// Rounded up to 20 dB: what the level allows.
static int loudest(uint8_t level)
{
	int rms = 32768;

	for (int db = LEVEL_STEP; db <= (level & 127); db += LEVEL_STEP)
		rms /= 10;
	return rms > 32768 / SWING ? 32768 : rms * SWING + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct td_comfort_noise noise;
	struct td_noise_meter meter;
	uint8_t payload[TD_COMFORT_NOISE_BYTES_MAX];
	int limit = 0;

	td_comfort_noise_init(&noise, 1);
	td_noise_meter_init(&meter);
	for (size_t at = 0; at < size;) {
		size_t bytes = data[at++];
		int16_t pcm[BLOCK] = { 0 };

		bytes = bytes > size - at ? size - at : bytes;
		td_comfort_noise_describe(&noise, data + at, bytes);
		if (bytes > 0 && loudest(data[at]) > limit)
			limit = loudest(data[at]);
		at += bytes;
		td_comfort_noise_add(&noise, pcm, BLOCK);
		for (int i = 0; i < BLOCK; i++)
			must(abs(pcm[i]) <= limit);
		td_noise_meter_add(&meter, pcm, BLOCK);
	}
	for (uint32_t order = 0; order <= TD_COMFORT_NOISE_ORDER_MAX && meter.blocks; order++) {
		must(td_noise_meter_write(&meter, order, payload, sizeof payload) ==
		     (int)order + 1);
		must(payload[0] <= TD_COMFORT_NOISE_LEVEL_MAX);
		for (uint32_t i = 1; i <= order; i++)
			must(payload[i] != 255);
	}
	return 0;
}
