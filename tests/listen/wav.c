#include "wav.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAV_BYTES_MAX (1u << 30)

struct format {
	unsigned tag, channels, rate_hz, bits;
};

static unsigned le16(const uint8_t *p)
{
	return (unsigned)(p[0] | p[1] << 8);
}

static uint32_t le32(const uint8_t *p)
{
	return le16(p) | (uint32_t)le16(p + 2) << 16;
}

static int read_format(const uint8_t *chunk, size_t length, struct format *format, char error[256])
{
	if (length < 16) {
		snprintf(error, 256, "the fmt chunk has %zu bytes, expected at least 16", length);
		return -1;
	}
	format->tag = le16(chunk);
	format->channels = le16(chunk + 2);
	format->rate_hz = le32(chunk + 4);
	format->bits = le16(chunk + 14);
	// WAVE_FORMAT_EXTENSIBLE keeps the real tag at the start of its GUID.
	if (format->tag == 0xfffe && length >= 26)
		format->tag = le16(chunk + 24);
	if (format->tag != 1 || format->bits != 16 || format->channels < 1 ||
	    format->channels > 2 || format->rate_hz == 0) {
		snprintf(error, 256,
			 "format tag %u, %u bits, %u channels, %u Hz; expected 16-bit PCM, 1 or 2 "
			 "channels",
			 format->tag, format->bits, format->channels, format->rate_hz);
		return -1;
	}
	return 0;
}

static int take_samples(const uint8_t *data, size_t length, const struct format *format,
			int channel, struct td_listen_wav *out, char error[256])
{
	size_t frame_bytes = 2u * format->channels;
	size_t count = length / frame_bytes;

	if (channel >= (int)format->channels) {
		snprintf(error, 256, "channel %d asked for, the file has %u", channel,
			 format->channels);
		return -1;
	}
	out->samples = malloc((count ? count : 1) * sizeof *out->samples);
	if (!out->samples) {
		snprintf(error, 256, "out of memory for %zu samples", count);
		return -1;
	}
	for (size_t i = 0; i < count; i++) {
		double sum = 0;

		for (unsigned c = 0; c < format->channels; c++) {
			if (channel < 0 || channel == (int)c)
				sum += (int16_t)le16(data + i * frame_bytes + 2u * c);
		}
		out->samples[i] = sum / 32768.0 / (channel < 0 ? format->channels : 1);
	}
	out->count = count;
	out->rate_hz = format->rate_hz;
	out->channels = format->channels;
	return 0;
}

int td_listen_wav_parse(const uint8_t *bytes, size_t length, int channel, struct td_listen_wav *out,
			char error[256])
{
	struct format format = { 0 };
	size_t at = 12;

	memset(out, 0, sizeof *out);
	if (length < 12 || (memcmp(bytes, "RIFF", 4) != 0 && memcmp(bytes, "RF64", 4) != 0) ||
	    memcmp(bytes + 8, "WAVE", 4) != 0) {
		snprintf(error, 256, "no RIFF/WAVE header");
		return -1;
	}
	while (length - at >= 8) {
		const uint8_t *chunk = bytes + at + 8;
		size_t promised = le32(bytes + at + 4), there = length - at - 8;
		size_t size = promised < there ? promised : there;

		if (!memcmp(bytes + at, "fmt ", 4) && read_format(chunk, size, &format, error))
			return -1;
		if (!memcmp(bytes + at, "data", 4)) {
			if (!format.rate_hz) {
				snprintf(error, 256, "the data chunk comes before a fmt chunk");
				return -1;
			}
			// 0 is a writer that has not come back yet to fill it in.
			return take_samples(chunk, promised ? size : there, &format, channel, out,
					    error);
		}
		if (promised >= there)
			break;
		// Chunks are padded to even lengths.
		at += 8 + size + (size & 1 && size < there ? 1 : 0);
	}
	snprintf(error, 256, "no data chunk");
	return -1;
}

static uint8_t *read_file(const char *path, size_t *length, char error[256])
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = NULL;
	long size;

	if (!file) {
		snprintf(error, 256, "%s", strerror(errno));
		return NULL;
	}
	if (fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0 || size > (long)WAV_BYTES_MAX ||
	    fseek(file, 0, SEEK_SET)) {
		snprintf(error, 256, "not a file this tool can read");
		goto close;
	}
	bytes = malloc((size_t)size + 1);
	if (!bytes) {
		snprintf(error, 256, "out of memory");
		goto close;
	}
	*length = fread(bytes, 1, (size_t)size, file);
close:
	fclose(file);
	return bytes;
}

int td_listen_wav_load(const char *path, int channel, struct td_listen_wav *out, char error[256])
{
	size_t length = 0;
	uint8_t *bytes = read_file(path, &length, error);
	int result;

	if (!bytes)
		return -1;
	result = td_listen_wav_parse(bytes, length, channel, out, error);
	free(bytes);
	return result;
}

void td_listen_wav_free(struct td_listen_wav *wav)
{
	free(wav->samples);
	memset(wav, 0, sizeof *wav);
}
