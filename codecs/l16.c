// L16: 16-bit linear PCM, most significant byte first (RFC 3551 section 4.5.11), mono. The longest
// packets are those multiples of 10 ms whose payload is at most TD_RTP_PAYLOAD_MAX.
#include <string.h>

#include "codecs/rows.h"

// The loops turn into byte shuffles over whole vectors.
static int l16_encode(void *state, const int16_t *restrict pcm, size_t samples,
		      uint8_t *restrict payload, size_t payload_max)
{
	(void)state;
	if (samples > payload_max / 2)
		return -TD_EFULL;
	for (size_t i = 0; i < samples; i++) {
		uint16_t swapped = __builtin_bswap16((uint16_t)pcm[i]);

		memcpy(payload + 2 * i, &swapped, sizeof swapped);
	}
	return (int)(2 * samples);
}

static int l16_decode(void *state, const uint8_t *restrict payload, size_t bytes,
		      int16_t *restrict pcm, size_t samples_max)
{
	size_t samples = bytes / 2;

	(void)state;
	if (bytes % 2 != 0)
		return -TD_EMALFORMED;
	if (samples > samples_max)
		return -TD_EFULL;
	for (size_t i = 0; i < samples; i++) {
		uint16_t swapped;

		memcpy(&swapped, payload + 2 * i, sizeof swapped);
		pcm[i] = (int16_t)__builtin_bswap16(swapped);
	}
	return (int)samples;
}

static int two_bytes_a_sample(const uint8_t *payload, size_t bytes)
{
	(void)payload;
	return bytes % 2 == 0 ? (int)(bytes / 2) : -TD_EMALFORMED;
}

#define L16_ROW(name_, id_, hz_, ptime_max_ms_)                                                    \
	_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "samples are swapped");          \
	const struct td_codec name_ = { .id = id_,                                                 \
					.name = "L16",                                             \
					.clock_hz = hz_,                                           \
					.sample_hz = hz_,                                          \
					.static_payload_type = TD_PAYLOAD_TYPE_NONE,               \
					.ptime_max_ms = ptime_max_ms_,                             \
					.rates = { hz_ },                                          \
					.encode = l16_encode,                                      \
					.decode = l16_decode,                                      \
					.duration = two_bytes_a_sample }

L16_ROW(td_l16_8_row, TD_CODEC_L16_8, 8000, 60);
L16_ROW(td_l16_16_row, TD_CODEC_L16_16, 16000, 40);
L16_ROW(td_l16_32_row, TD_CODEC_L16_32, 32000, 20);
L16_ROW(td_l16_48_row, TD_CODEC_L16_48, 48000, 10);
