// The sidecar of a recording NAME: NAME.json, all that is known of it besides its sound.
//
//   { "recording", "state", "began", "duration_ms", "format", "sample_hz", "channels", "encrypted",
//     "notes": {key: text}, "tracks": [{"track", "name", codecs, counters}], "written_per_received",
//     "gaps", "marks",
//     "files": [{"name", "bytes", "sha256": {"from", "bytes", "segment_bytes", "links", "head"}}] }
//
// In Opus the file of track N is the one with N in its name. A track that nobody has come for is not
// listed, but for the first two and the channels of a WAV file.
//
// State is "recording" while it is being written, then "complete" (every packet that came is in the file),
// "incomplete", "failed" (the disk refused: "error") or "repaired" (the recorder was killed). The
// recorder thread says what it knows, the disk thread adds the files; a JSON value belongs to one of
// them at a time.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "record/chain.h"
#include "record/take.h"

// All but the files; NULL: no memory.
json_t *td_sidecar_make(const struct td_take *take, const char *state);

// Adds one file. `from`: where in it the chain begins. The links are left out while the recording runs
// (`done` false).
void td_sidecar_add_file(json_t *sidecar, const char *name, uint64_t bytes, uint64_t from,
			 const struct td_chain *chain, bool done);

// Whether one of its "files" has this name.
bool td_sidecar_lists(const json_t *files, const char *name);

// Its text, which the caller frees with free(); NULL: no memory.
char *td_sidecar_text(const json_t *sidecar);
