// A recording on the disk thread: its files, their chains, its sidecar.
//
// A file that is not there from the beginning is made when something is written to it, so that of eight
// tracks there are as many files as were spoken on.
//
// Errors stay with the paper: the first one is told once, and again when it is closed.
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "record/chain.h"
#include "record/part_file.h"
#include "record/scribe.h"

struct td_paper {
	struct td_scribe_form form;
	uint32_t rate_hz;
	uint64_t from;   // where the chain begins in a file
	uint64_t headed; // frames that the header of a WAV file speaks of
	int error, error_number;
	bool error_told;  // to the recorder thread
	bool error_noted; // in the last sidecar
	bool sidecar_dirty;
	unsigned file_count; // behind the last one that was made; before it some may be missing
	struct td_part_file files[TD_TRACK_MAX]; // fd -1: it is not there
	struct td_chain chains[TD_TRACK_MAX];
};

// What all papers of a scribe have in common; borrowed.
struct td_desk {
	const struct td_disk *disk;
	int folder_fd;
	const uint8_t *key; // NULL: not encrypted
};

// Makes the files that are there from the beginning; errors stay with the paper. NULL: no memory.
struct td_paper *td_paper_open(const struct td_desk *desk, const struct td_scribe_form *form);
// Makes the file first where it is not there yet.
void td_paper_write(const struct td_desk *desk, struct td_paper *paper, unsigned file,
		    uint32_t rate_hz, const void *bytes, size_t size);
// Writes NAME.json.part. Takes the sidecar.
void td_paper_note(const struct td_desk *desk, struct td_paper *paper, json_t *sidecar);
// Nothing more is written: chains and vaults end, and the last sidecar (borrowed) tells of them, so that
// it becomes durable with them.
void td_paper_end(const struct td_desk *desk, struct td_paper *paper, json_t *sidecar);
// Makes everything written durable.
void td_paper_sync(const struct td_desk *desk, struct td_paper *paper);
// Somebody else has: everything on its file system is durable.
void td_paper_is_clean(struct td_paper *paper);
bool td_paper_dirty(const struct td_paper *paper);
// Gives the files and the sidecar (that of the end, taken) their final names, fills `news` and frees the paper.
void td_paper_close(const struct td_desk *desk, struct td_paper *paper, json_t *sidecar,
		    struct td_scribe_news *news);

// Writes a whole text file; false: errno says why not.
bool td_paper_write_text(const struct td_desk *desk, const char *name, const char *text);

// "a/b.opus", 1 -> "a/b.2.opus"; -TD_EINVALID when it does not fit.
TD_MUST_CHECK int td_paper_track_name(const char *name, unsigned track, char out[TD_PART_NAME_MAX]);
