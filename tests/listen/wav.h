// WAV files as the listening tool reads them: 16-bit PCM, any rate, one or two channels.
//
// Independent of the switch's own WAV code on purpose: this reader judges what that one wrote. It
// takes a file whose header promises more than there is (a recording still growing, a download cut
// short) and reads the samples that exist, but refuses anything that is not 16-bit PCM.
//
// Memory: td_listen_wav_load allocates, td_listen_wav_free frees. One channel at a time comes out as
// doubles in -1..1, because everything done with them here is arithmetic.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct td_listen_wav {
	double *samples;
	size_t count;
	unsigned rate_hz;
	unsigned channels;
};

// Reads channel `channel` (0: left or only; -1: all, averaged) of `path`. 0, or -1 with one sentence
// in `error`.
int td_listen_wav_load(const char *path, int channel, struct td_listen_wav *out, char error[256]);

// The same from bytes in memory.
int td_listen_wav_parse(const uint8_t *bytes, size_t length, int channel, struct td_listen_wav *out,
			char error[256]);

void td_listen_wav_free(struct td_listen_wav *wav);
