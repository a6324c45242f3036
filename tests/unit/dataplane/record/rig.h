// One recording with its disk thread and a folder of its own.
#pragma once

#include <jansson.h>

#include "record/recording.h"
#include "scratch.h"

#define RIG_START_NS 1000000000ull

struct rig {
	char folder[SCRATCH_MAX];
	int folder_fd;
	struct td_scribe *scribe;
	struct td_recording recording;
	struct td_event closed;
};
extern struct rig rig;

// `key`: NULL, or what it is encrypted with.
void rig_open(const struct td_command_record_start *start, const uint8_t *key);
// Finishes the recording; fills rig.closed, which must say that all went well.
void rig_finish(uint64_t now_ns);
void rig_close(void);

// NAME.json, parsed; the caller gives it back.
json_t *rig_sidecar(const char *name);
json_int_t rig_number(json_t *object, const char *key);
