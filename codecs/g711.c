#include "codecs/g711.h"

#include <string.h>

#define ULAW_BIAS 132   // added before the segment is found, G.711 table 2
#define ULAW_CLIP 32767 // of the biased magnitude: above it the code would leave segment 7
// A float's exponent and top four mantissa bits are exactly the segment and step of a magnitude
// whose leading bit is at 7 or above; this is that field for the value 128, segment 0 step 0.
#define SEGMENT_ZERO ((127 + 7) << 4)

static inline int32_t segment_and_step(int32_t magnitude)
{
	float f = (float)magnitude;
	int32_t bits;

	memcpy(&bits, &f, sizeof bits);
	return (bits >> 19) - SEGMENT_ZERO;
}

void td_g711_ulaw_encode(uint8_t *restrict law, const int16_t *restrict pcm, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int32_t sample = pcm[i];
		int32_t sign = sample >> 31; // 0 or -1
		int32_t magnitude = ((sample ^ sign) - sign) + ULAW_BIAS;

		magnitude = magnitude > ULAW_CLIP ? ULAW_CLIP : magnitude;
		law[i] = (uint8_t)(segment_and_step(magnitude) ^ (0xff ^ (sign & 0x80)));
	}
}

// Sixteen bits hold every step, so a vector holds twice as many of them; and a shift by 0 to 7 is
// three that are done or not, which every vector unit has.
static inline uint16_t shift_up(uint16_t value, uint16_t by)
{
	value = (uint16_t)(by & 1 ? value << 1 : value);
	value = (uint16_t)(by & 2 ? value << 2 : value);
	return (uint16_t)(by & 4 ? value << 4 : value);
}

void td_g711_ulaw_decode(int16_t *restrict pcm, const uint8_t *restrict law, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint16_t code = (uint8_t)~law[i];
		uint16_t step = (uint16_t)(((code & 0x0f) << 3) + ULAW_BIAS);
		uint16_t magnitude = (uint16_t)(shift_up(step, code >> 4) - ULAW_BIAS);
		uint16_t sign = (uint16_t) - (code >> 7); // 0 or all ones

		pcm[i] = (int16_t)(uint16_t)((magnitude ^ sign) - sign);
	}
}

void td_g711_alaw_encode(uint8_t *restrict law, const int16_t *restrict pcm, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int32_t sample = pcm[i];
		int32_t sign = sample >> 31;       // 0 or -1
		int32_t magnitude = sample ^ sign; // -1 - sample for negatives: A-law is mid-rise
		int32_t curved = segment_and_step(magnitude);
		int32_t code = magnitude < 256 ? magnitude >> 4 : curved;

		law[i] = (uint8_t)(code ^ (0xd5 ^ (sign & 0x80)));
	}
}

void td_g711_alaw_decode(int16_t *restrict pcm, const uint8_t *restrict law, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint16_t code = law[i] ^ 0x55;
		uint16_t segment = (code >> 4) & 7;
		uint16_t step = (uint16_t)((code & 0x0f) << 4);
		uint16_t curved = shift_up((uint16_t)(step + 0x108), (uint16_t)(segment - 1));
		uint16_t magnitude = segment ? curved : (uint16_t)(step + 8);
		uint16_t sign = (uint16_t)((code >> 7) - 1); // positive codes have the top bit set

		pcm[i] = (int16_t)(uint16_t)((magnitude ^ sign) - sign);
	}
}
