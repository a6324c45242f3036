// G.722: any bytes decode, alone and in lanes to the same samples and states, and what they decode
// to can be coded again, with the same result either way.
//
// The first byte says the rate and how many streams share the rest among them.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codecs/g722.h"
#include "codecs/g722_lanes.h"

#define BYTES_MAX 160

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct td_g722_decoder decoders[2][TD_G722_LANES];
static struct td_g722_encoder encoders[2][TD_G722_LANES];
static int16_t pcm[2][TD_G722_LANES][2 * BYTES_MAX];
static uint8_t payload[2][TD_G722_LANES][BYTES_MAX];

static void must(int holds)
{
	if (!holds)
		abort();
}

static void init(uint32_t rate_hz)
{
	memset(pcm, 0, sizeof pcm);
	memset(payload, 0, sizeof payload);
	for (int i = 0; i < TD_G722_LANES; i++) {
		must(td_g722_decoder_init(&decoders[0][i], rate_hz) == 0);
		must(td_g722_encoder_init(&encoders[0][i], rate_hz, NULL) == 0);
	}
	memcpy(decoders[1], decoders[0], sizeof decoders[0]);
	memcpy(encoders[1], encoders[0], sizeof encoders[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned lane_count = size ? 1 + data[0] % TD_G722_LANES : 1;
	uint32_t rate_hz = size && data[0] & 0x80 ? 8000 : 16000;
	struct td_g722_decoder *decoder[TD_G722_LANES];
	struct td_g722_encoder *encoder[TD_G722_LANES];
	const uint8_t *from[TD_G722_LANES];
	const int16_t *sound[TD_G722_LANES];
	int16_t *heard[TD_G722_LANES];
	uint8_t *to[TD_G722_LANES];
	size_t bytes = size ? (size - 1) / lane_count : 0, samples;

	bytes = bytes > BYTES_MAX ? BYTES_MAX : bytes;
	samples = bytes * (rate_hz / 8000);
	init(rate_hz);
	for (unsigned i = 0; i < lane_count; i++) {
		from[i] = data ? data + 1 + i * bytes : payload[0][i];
		decoder[i] = &decoders[1][i];
		encoder[i] = &encoders[1][i];
		sound[i] = heard[i] = pcm[1][i];
		to[i] = payload[1][i];
		must(td_g722_decode(&decoders[0][i], from[i], bytes, pcm[0][i], samples) ==
		     (int)samples);
		must(td_g722_encode(&encoders[0][i], pcm[0][i], samples, payload[0][i], bytes) ==
		     (int)bytes);
	}
	must(td_g722_decode_lanes(decoder, from, heard, lane_count, bytes) == samples);
	must(td_g722_encode_lanes(encoder, sound, to, lane_count, samples) == bytes);
	must(memcmp(pcm[0], pcm[1], sizeof pcm[0]) == 0);
	must(memcmp(payload[0], payload[1], sizeof payload[0]) == 0);
	must(memcmp(decoders[0], decoders[1], sizeof decoders[0]) == 0);
	must(memcmp(encoders[0], encoders[1], sizeof encoders[0]) == 0);
	return 0;
}
