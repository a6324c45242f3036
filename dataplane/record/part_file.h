// One file of a recording while it is written.
//
//   NAME.part  --append, refresh, ...-->  --end, sync, close-->  NAME          (NAME.tde.part --> NAME.tde)
//
// What is there is good at every moment: an append that fails (disk full, read-only, I/O error) is cut
// off again, the file stays at its last good length, and the error stays with it and is answered
// by whatever comes after. With a key the file is a vault (vault.h), else the bytes themselves. While
// it is open it is locked (flock), so that nobody takes it for one that was left behind.
// Caller's memory, disk thread; the folder's descriptor, the disk and the key are borrowed.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/disk.h"
#include "record/vault.h"
#include "td_command.h"
#include "td_error.h"

#define TD_PART_NAME_MAX (TD_FILE_NAME_MAX + 8) // with a track's number, ".json" or ".tde"

struct td_part_file {
	const struct td_disk *disk;
	int fd;
	int folder_fd;
	int error;        // 0, or the first -TD_E* that stopped it
	int error_number; // errno of that, for the log
	uint64_t size;    // on disk, good
	bool dirty;       // since the last sync
	struct td_vault vault;
	uint8_t *chunk; // of TD_VAULT_CHUNK_MAX; NULL: not encrypted
	char name[TD_PART_NAME_MAX];
};

// Whether a recording may have this name: relative, no "." or ".." part, nothing hidden, no control
// characters.
bool td_part_file_name_ok(const char *name);

// Creates NAME.part below the folder, and the folders in NAME. -TD_EINVALID, -TD_EEXISTS, -TD_EIO,
// -TD_EMEMORY.
TD_MUST_CHECK int td_part_file_open(struct td_part_file *file, const struct td_disk *disk,
				    int folder_fd, const char *name,
				    const uint8_t key[TD_VAULT_KEY_BYTES]);

TD_MUST_CHECK int td_part_file_append(struct td_part_file *file, const void *bytes, size_t size);

// Writes over the beginning; nothing where the file is encrypted.
TD_MUST_CHECK int td_part_file_refresh(struct td_part_file *file, const void *bytes, size_t size);

TD_MUST_CHECK int td_part_file_sync(struct td_part_file *file);

// Nothing more is appended: a vault gets its last chunk.
TD_MUST_CHECK int td_part_file_end(struct td_part_file *file);
// Gives it its final name, which is durable only if it was synced. Answers file->error.
TD_MUST_CHECK int td_part_file_close(struct td_part_file *file);

// Writes all of it; errno says why not.
bool td_disk_write_all(const struct td_disk *disk, int fd, const void *bytes, size_t size,
		       off_t at);
