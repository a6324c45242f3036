// Reading a prompt file at start-up; the resampler is speexdsp's.
#include <errno.h>
#include <fcntl.h>
#include <speex/speex_resampler.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codecs/wav.h"

#define RESAMPLER_QUALITY 8 // 0..10; prompts are converted once, so cost does not matter

static int fail(char *reason, int error, const char *path, const char *why)
{
	snprintf(reason, TD_WAV_REASON_MAX, "%s: %s", path, why);
	return error;
}

int td_wav_resample(const int16_t *pcm, size_t samples, uint32_t from_hz, uint32_t to_hz,
		    int16_t **out_pcm, size_t *out_samples)
{
	size_t room = (size_t)((uint64_t)samples * to_hz / from_hz) + 64;
	spx_uint32_t in = (spx_uint32_t)samples, out = (spx_uint32_t)room, tail;
	int16_t silence[512] = { 0 };
	int16_t *converted = malloc(room * sizeof *converted);
	SpeexResamplerState *state;
	int error;

	state = speex_resampler_init(1, from_hz, to_hz, RESAMPLER_QUALITY, &error);
	if (!converted || !state) {
		free(converted);
		if (state)
			speex_resampler_destroy(state);
		return -TD_EMEMORY;
	}
	speex_resampler_skip_zeros(state);
	speex_resampler_process_int(state, 0, pcm, &in, converted, &out);
	// Silence after the end brings out what the filter still holds.
	in = (spx_uint32_t)speex_resampler_get_input_latency(state);
	in = in < 512 ? in : 512;
	tail = (spx_uint32_t)room - out;
	speex_resampler_process_int(state, 0, silence, &in, converted + out, &tail);
	out += tail;
	speex_resampler_destroy(state);
	*out_pcm = converted;
	*out_samples = out;
	return 0;
}

static int convert(const char *path, const uint8_t *bytes, size_t size, int16_t **pcm,
		   size_t *samples, uint32_t *sample_hz, char *reason)
{
	char why[TD_WAV_REASON_MAX];
	struct td_wav wav;
	int error = td_wav_parse(bytes, size, &wav, why);

	if (error)
		return fail(reason, error, path, why);
	if (wav.frames == 0)
		return fail(reason, -TD_EEMPTY, path, "the file holds no samples");
	*samples = wav.frames;
	*pcm = malloc(wav.frames * sizeof **pcm);
	if (!*pcm)
		return fail(reason, -TD_EMEMORY, path, "out of memory");
	td_wav_to_mono(&wav, *pcm);
	*sample_hz = wav.sample_hz;
	return 0;
}

int td_wav_load(const char *path, int16_t **pcm, size_t *samples, uint32_t *sample_hz,
		char reason[TD_WAV_REASON_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *bytes;
	int error;

	*pcm = NULL;
	*samples = 0;
	reason[0] = '\0';
	if (fd < 0)
		return fail(reason, -TD_EIO, path, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0) {
		close(fd);
		return fail(reason, -TD_EIO, path, "not a file with anything in it");
	}
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (bytes == MAP_FAILED)
		return fail(reason, -TD_EIO, path, strerror(errno));
	error = convert(path, bytes, (size_t)st.st_size, pcm, samples, sample_hz, reason);
	munmap(bytes, (size_t)st.st_size);
	return error;
}
