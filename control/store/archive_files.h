// The files of a recording, by its name in the index: which there are, and their end.
//
//   a.wav     a.wav                      a.wav.json: the sidecar
//   a.opus    a.1.opus, a.2.opus, ...    a.opus.json
//
// Each may be encrypted (.tde), under way (.part), both, or broken. How many tracks of an Opus recording
// have a file is for the folder to say. A name that steps out of the folder has none.
// These wait for the disk; the folder's descriptor is borrowed.
#pragma once

#include "td_error.h"

typedef void td_archive_file_fn(void *user, const char *file);

// Tells those with sound that are there, in the order of their tracks; a broken one is none of them.
void td_archive_files_list(int folder_fd, const char *name, td_archive_file_fn *each, void *user);

// Deletes all of them and the sidecar. 0, or -errno of the first that refuses: -EINVAL for a name that
// nobody of ours has written.
TD_MUST_CHECK int td_archive_files_remove(int folder_fd, const char *name);
