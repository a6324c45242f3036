// The disk thread: what the recorder thread hands over becomes files, however slow the disk is.
//
//   recorder thread --open, write, sidecar, close--> [ jobs, bounded by bytes ] --> disk thread
//   recorder thread <--begun, failed, closed-------- [ news ] <---------------------'
//
// Jobs are done in order. While the disk does not answer they wait, up to `queue_bytes`; beyond that the
// recorder thread keeps what it has (td_scribe_has_room), and when its windows are full too the sound is
// lost and counted. What was written is made durable in groups, at most TD_SCRIBE_SYNC_MS apart.
// At its beginning the disk thread also repairs what a recorder that was killed has left behind.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "record/bytes.h"
#include "record/chain.h"
#include "record/disk.h"
#include "record/vault.h"
#include "td_command.h"
#include "td_error.h"

#define TD_SCRIBE_SYNC_MS     300
#define TD_SCRIBE_SLOW_MS     1000 // without an answer for so long the disk is slow
#define TD_SCRIBE_QUEUE_BYTES (256u << 20)

struct td_scribe;

struct td_scribe_options {
	int folder_fd; // borrowed
	uint32_t slots_max;
	bool sync;
	const uint8_t *key;         // of TD_VAULT_KEY_BYTES, copied; NULL: not encrypted
	const struct td_disk *disk; // NULL: the kernel's
	uint64_t queue_bytes;       // 0: TD_SCRIBE_QUEUE_BYTES
};

// How a recording lies on the disk.
struct td_scribe_form {
	char name[TD_FILE_NAME_MAX];
	uint8_t format;   // enum td_record_format
	uint8_t channels; // of a WAV file
	uint8_t files; // that there are from the beginning; another one of Opus with its first write
};

enum td_scribe_news_kind { TD_SCRIBE_FAILED, TD_SCRIBE_CLOSED };

struct td_scribe_news {
	uint32_t slot;
	uint8_t kind;
	int error, error_number; // of FAILED; of CLOSED: 0 or the same again
	uint64_t bytes;          // of sound, in all files
	uint8_t digest[TD_CHAIN_BYTES];
};

// -TD_EMEMORY. Takes the list of what is to be repaired at once, before any file is made.
TD_MUST_CHECK int td_scribe_create(const struct td_scribe_options *options, struct td_scribe **out);
TD_MUST_CHECK int td_scribe_start(struct td_scribe *scribe);
// Does all jobs, joins the thread; news may be read until destroy.
void td_scribe_stop(struct td_scribe *scribe);
void td_scribe_destroy(struct td_scribe *scribe);

// Jobs: of one slot in this order, the next open after CLOSED. `bytes` and `sidecar` are taken.
// -TD_EMEMORY: nothing was taken.
TD_MUST_CHECK int td_scribe_open(struct td_scribe *scribe, uint32_t slot,
				 const struct td_scribe_form *form);
TD_MUST_CHECK int td_scribe_write(struct td_scribe *scribe, uint32_t slot, unsigned file,
				  uint32_t rate_hz, struct td_bytes *bytes);
TD_MUST_CHECK int td_scribe_sidecar(struct td_scribe *scribe, uint32_t slot, json_t *sidecar);
TD_MUST_CHECK int td_scribe_close(struct td_scribe *scribe, uint32_t slot, json_t *sidecar);

// For what will be written: a buffer that has been written, empty, or none yet.
void td_scribe_blank(struct td_scribe *scribe, struct td_bytes *bytes);

bool td_scribe_has_room(struct td_scribe *scribe);
bool td_scribe_next(struct td_scribe *scribe, struct td_scribe_news *out);

// Any thread.
struct td_scribe_health {
	uint64_t busy_since_ns; // of the answer that is waited for; 0: none
	unsigned free_percent;  // of the file system
	int error_number;       // of the last write; 0: it went well
	uint32_t repaired;      // recordings, since the start
	bool repairing;
};
void td_scribe_look(struct td_scribe *scribe, struct td_scribe_health *health);
