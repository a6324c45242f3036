// What a recorder that was killed has left behind: NAME.part files, made whole and given their names.
//
//   NAME.wav.part    the header says what is there: all of the samples that reached the disk
//   NAME.opus.part   cut behind the last whole page, which becomes the last one
//   NAME.tde.part    cut behind the last whole chunk; with the key a last chunk is added
//   NAME.json.part   state "repaired", the files' lengths and chains as they are now; of Opus also those
//                    that had begun since it was written
//
// Nothing is ever removed but what is not whole at the end. A file that nothing can be made of is
// renamed to NAME.broken. A file that is locked is being written: it is left alone.
// One thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codecs/wav.h"
#include "record/paper.h"
#include "td_error.h"

struct td_repair;

// Lists what there is now. -TD_EMEMORY. A folder that cannot be read is empty.
TD_MUST_CHECK int td_repair_create(int folder_fd, struct td_repair **out);
void td_repair_destroy(struct td_repair *repair);

// Repairs the next one; false: none is left.
bool td_repair_next(struct td_repair *repair, const struct td_desk *desk);
uint32_t td_repair_count(const struct td_repair *repair); // so far

// What is good of a file, as far as it was looked at. All zero to begin with.
struct td_repair_found {
	uint64_t good;      // bytes from the beginning that are whole
	uint32_t count;     // pages, chunks, or frames of WAV beyond the header
	uint64_t last_page; // of Ogg: where the last whole page begins
	uint32_t serial;    // likewise
	uint32_t rate_hz;   // of WAV
	uint16_t channels;  // likewise
	bool last;          // the end is marked as one
	bool over;          // what follows is not good
};

// Pure: each goes on at found->good with the bytes that are there, as far as there are whole things. A
// WAV file is known by its header and its size alone.
void td_repair_scan_ogg(const uint8_t *bytes, size_t size, struct td_repair_found *found);
void td_repair_scan_vault(const uint8_t *bytes, size_t size, struct td_repair_found *found);
void td_repair_scan_wav(const uint8_t header[TD_WAV_HEADER_BYTES], uint64_t file_size,
			struct td_repair_found *found);
