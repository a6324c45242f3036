#include "codecs/wav.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "codecs/g711.h"
#include "td_assert.h"

#define FORMAT_EXTENSIBLE 0xfffe
#define CHANNELS_MAX      8
#define RATE_MIN_HZ       8000
#define RATE_MAX_HZ       48000
#define SIZE_IN_DS64      0xffffffffu

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) | (uint32_t)get16(p + 2) << 16;
}

static uint8_t *put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	return p + 2;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	return put16(put16(p, v), v >> 16);
}

static uint8_t *put64(uint8_t *p, uint64_t v)
{
	return put32(put32(p, (uint32_t)v), (uint32_t)(v >> 32));
}

static uint8_t *put_tag(uint8_t *p, const char *tag)
{
	memcpy(p, tag, 4);
	return p + 4;
}

static int parse_format(const uint8_t *chunk, size_t size, struct td_wav *wav, char *reason)
{
	unsigned coding, bits;

	if (size < 16) {
		snprintf(reason, TD_WAV_REASON_MAX, "fmt chunk has %zu bytes, expected 16", size);
		return -TD_EMALFORMED;
	}
	coding = get16(chunk);
	if (coding == FORMAT_EXTENSIBLE && size >= 26)
		coding = get16(chunk + 24); // the first two bytes of the sub-format's GUID
	wav->channels = get16(chunk + 2);
	wav->sample_hz = get32(chunk + 4);
	bits = get16(chunk + 14);
	if (!((coding == TD_WAV_PCM16 && bits == 16) ||
	      ((coding == TD_WAV_ALAW || coding == TD_WAV_ULAW) && bits == 8))) {
		snprintf(reason, TD_WAV_REASON_MAX,
			 "found coding %u with %u bits, expected 16-bit PCM or 8-bit G.711", coding,
			 bits);
		return -TD_EUNSUPPORTED;
	}
	if (wav->channels < 1 || wav->channels > CHANNELS_MAX || wav->sample_hz < RATE_MIN_HZ ||
	    wav->sample_hz > RATE_MAX_HZ) {
		snprintf(reason, TD_WAV_REASON_MAX,
			 "found %u channels at %u Hz, expected 1 to %d at %d to %d Hz",
			 wav->channels, wav->sample_hz, CHANNELS_MAX, RATE_MIN_HZ, RATE_MAX_HZ);
		return -TD_EUNSUPPORTED;
	}
	wav->coding = (enum td_wav_coding)coding;
	wav->frame_bytes = (uint16_t)(wav->channels * bits / 8);
	return 0;
}

int td_wav_parse(const uint8_t *bytes, size_t size, struct td_wav *wav,
		 char reason[TD_WAV_REASON_MAX])
{
	bool have_format = false;
	size_t at = 12;

	memset(wav, 0, sizeof *wav);
	reason[0] = '\0';
	if (size < 12 || (memcmp(bytes, "RIFF", 4) != 0 && memcmp(bytes, "RF64", 4) != 0) ||
	    memcmp(bytes + 8, "WAVE", 4) != 0) {
		snprintf(reason, TD_WAV_REASON_MAX, "not a WAV file");
		return -TD_EMALFORMED;
	}
	while (size - at >= 8) {
		const uint8_t *chunk = bytes + at + 8;
		size_t room = size - at - 8, length = get32(bytes + at + 4);
		size_t here = length < room ? length : room;

		if (memcmp(bytes + at, "fmt ", 4) == 0) {
			int error = parse_format(chunk, here, wav, reason);

			if (error)
				return error;
			have_format = true;
		} else if (memcmp(bytes + at, "data", 4) == 0 && have_format) {
			wav->data = chunk;
			wav->frames = here / wav->frame_bytes;
			return 0;
		}
		if (length >= room)
			break;
		at += 8 + length + (length & 1); // chunks are padded to even sizes
		if (at > size)
			break;
	}
	snprintf(reason, TD_WAV_REASON_MAX, have_format ? "no data chunk" : "no fmt chunk");
	return -TD_ETRUNCATED;
}

static int32_t sample_at(const struct td_wav *wav, const uint8_t *frame, unsigned channel)
{
	int16_t sample;

	switch (wav->coding) {
	case TD_WAV_ALAW: td_g711_alaw_decode(&sample, frame + channel, 1); return sample;
	case TD_WAV_ULAW: td_g711_ulaw_decode(&sample, frame + channel, 1); return sample;
	case TD_WAV_PCM16: break;
	}
	return (int16_t)get16(frame + 2 * channel);
}

void td_wav_to_mono(const struct td_wav *wav, int16_t *pcm)
{
	TD_ASSERT(wav->channels > 0); // td_wav_parse has seen to it
	for (size_t i = 0; i < wav->frames; i++) {
		const uint8_t *frame = wav->data + i * wav->frame_bytes;
		int32_t sum = 0;

		for (unsigned c = 0; c < wav->channels; c++)
			sum += sample_at(wav, frame, c);
		pcm[i] = (int16_t)(sum / wav->channels);
	}
}

void td_wav_write_header(uint8_t header[TD_WAV_HEADER_BYTES], uint32_t sample_hz, uint16_t channels,
			 uint64_t frames)
{
	uint32_t frame_bytes = channels * 2u;
	uint64_t data_bytes = frames * frame_bytes;
	uint64_t riff_bytes = data_bytes + TD_WAV_HEADER_BYTES - 8;
	bool large = riff_bytes >= SIZE_IN_DS64;
	uint8_t *p = header;

	p = put_tag(p, large ? "RF64" : "RIFF");
	p = put32(p, large ? SIZE_IN_DS64 : (uint32_t)riff_bytes);
	p = put_tag(p, "WAVE");
	p = put_tag(p, large ? "ds64" : "JUNK");
	p = put32(p, 28);
	p = put64(p, riff_bytes);
	p = put64(p, data_bytes);
	p = put64(p, frames);
	p = put32(p, 0); // no further table entries
	p = put_tag(p, "fmt ");
	p = put32(p, 16);
	p = put16(p, TD_WAV_PCM16);
	p = put16(p, channels);
	p = put32(p, sample_hz);
	p = put32(p, sample_hz * frame_bytes);
	p = put16(p, frame_bytes);
	p = put16(p, 16);
	p = put_tag(p, "data");
	put32(p, large ? SIZE_IN_DS64 : (uint32_t)data_bytes);
}
