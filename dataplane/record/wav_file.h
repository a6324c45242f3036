// One recording on disk: a stereo WAV whose header is valid at every moment.
//
//   NAME.part  --append, append, ...-->  --close-->  NAME
//
// Samples are appended first and the header's sizes written after them, so a crash leaves a shorter
// file, never a broken one. A write that fails (disk full, read-only, I/O error) leaves the file at
// its last good length and playable; the error stays with the file and is answered again by
// close. Caller's memory, recorder thread; the folder's descriptor is borrowed.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "td_error.h"
#include "td_limits.h"

#define TD_WAV_FILE_CHANNELS 2

struct td_wav_file {
	int fd;
	int folder_fd;
	int error;        // 0, or the first -TD_E* that stopped it
	int error_number; // errno of that, for the log
	uint64_t frames;  // on disk, as the header says
	uint32_t rate_hz; // 8000 from open on; another may be set before the first append
	char name[TD_FILE_NAME_MAX];
};

// Whether a recording may have this name: relative, no "." or ".." part, no control characters,
// ends in ".wav".
bool td_wav_file_name_ok(const char *name);

// Creates NAME.part below the folder (and the folders in NAME) and writes an empty header.
// -TD_EINVALID, -TD_EEXISTS, -TD_EIO.
TD_MUST_CHECK int td_wav_file_open(struct td_wav_file *file, int folder_fd, const char *name);

// Appends `count` interleaved frames and makes the header say so. The first failure is answered
// once more by every later call.
TD_MUST_CHECK int td_wav_file_append(struct td_wav_file *file,
				     const int16_t (*frames)[TD_WAV_FILE_CHANNELS], size_t count);

// Makes the samples durable (`sync`) and gives the file its final name. Answers file->error.
TD_MUST_CHECK int td_wav_file_close(struct td_wav_file *file, bool sync);
