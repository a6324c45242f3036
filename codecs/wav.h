// WAV files in memory: read prompts, write headers of recordings (RIFF; RF64 by EBU Tech 3306).
//
//   recording header, 80 bytes:  RIFF/RF64 | WAVE | JUNK/ds64 (28) | fmt (16) | data
//
// The JUNK chunk keeps room for the 64-bit sizes, so a file that outgrows 4 GiB only has its first
// 80 bytes rewritten. Parsing trusts nothing: chunk sizes are checked against the bytes there are,
// and a data chunk whose size is a placeholder or too large is cut at the end of the file.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "td_error.h"

#define TD_WAV_HEADER_BYTES 80
#define TD_WAV_REASON_MAX   160
#define TD_WAV_RATE_HZ      8000 // of recordings

enum td_wav_coding { TD_WAV_PCM16 = 1, TD_WAV_ALAW = 6, TD_WAV_ULAW = 7 };

struct td_wav {
	enum td_wav_coding coding;
	uint32_t sample_hz;
	uint16_t channels;
	uint16_t frame_bytes; // one sample of every channel
	const uint8_t *data;  // borrows the parsed bytes
	size_t frames;
};

// Finds format and samples. -TD_ETRUNCATED, -TD_EMALFORMED or -TD_EUNSUPPORTED with a sentence.
TD_MUST_CHECK int td_wav_parse(const uint8_t *bytes, size_t size, struct td_wav *wav,
			       char reason[TD_WAV_REASON_MAX]);

// Mixes the channels down and decodes to int16, frames long, in the file's own rate.
void td_wav_to_mono(const struct td_wav *wav, int16_t *pcm);

// Writes the header of a 16-bit PCM file that holds `frames` frames by now.
void td_wav_write_header(uint8_t header[TD_WAV_HEADER_BYTES], uint32_t sample_hz, uint16_t channels,
			 uint64_t frames);

// Reads a prompt file: mono int16 in its own rate in *pcm (caller frees), *samples of them.
// Start-up only: it allocates and does I/O. 0 or -TD_E* with a sentence that names the file.
TD_MUST_CHECK int td_wav_load(const char *path, int16_t **pcm, size_t *samples, uint32_t *sample_hz,
			      char reason[TD_WAV_REASON_MAX]);

// A whole sound in another rate, in *out_pcm (caller frees). -TD_EMEMORY.
TD_MUST_CHECK int td_wav_resample(const int16_t *pcm, size_t samples, uint32_t from_hz,
				  uint32_t to_hz, int16_t **out_pcm, size_t *out_samples);
