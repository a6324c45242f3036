#include "store/archive_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/cdr.h"
#include "td_command.h"
#include "td_limits.h"

#define SUFFIX_OPUS ".opus"
#define TRACK_BYTES (TD_CDR_PATH_MAX + 16)
#define FILE_BYTES  (TRACK_BYTES + 32)

static bool is_ours(const char *name)
{
	return *name != '/' && !strstr(name, "..");
}

static bool is_opus(const char *name)
{
	size_t len = strlen(name), suffix = strlen(SUFFIX_OPUS);

	return len > suffix && strcmp(name + len - suffix, SUFFIX_OPUS) == 0;
}

// "a.opus", 3 -> "a.3.opus"
static void track_of(const char *name, unsigned number, char track[TRACK_BYTES])
{
	snprintf(track, TRACK_BYTES, "%.*s.%u" SUFFIX_OPUS,
		 (int)(strlen(name) - strlen(SUFFIX_OPUS)), name, number);
}

static void list_one(int folder_fd, const char *name, td_archive_file_fn *each, void *user)
{
	static const char *const suffixes[] = {
		"",
		TD_RECORD_ENCRYPTED,
		TD_RECORD_PART,
		TD_RECORD_ENCRYPTED TD_RECORD_PART,
	};
	char file[FILE_BYTES];

	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		snprintf(file, sizeof file, "%s%s", name, suffixes[i]);
		if (faccessat(folder_fd, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			each(user, file);
	}
}

void td_archive_files_list(int folder_fd, const char *name, td_archive_file_fn *each, void *user)
{
	char track[TRACK_BYTES];

	if (!is_ours(name))
		return;
	if (!is_opus(name)) {
		list_one(folder_fd, name, each, user);
		return;
	}
	for (unsigned number = 1; number <= TD_TRACK_MAX; number++) {
		track_of(name, number, track);
		list_one(folder_fd, track, each, user);
	}
}

// Gone, or never there.
static int remove_one(int folder_fd, const char *name)
{
	static const char *const suffixes[] = {
		TD_RECORD_SIDECAR,
		TD_RECORD_SIDECAR TD_RECORD_PART,
		TD_RECORD_SIDECAR TD_RECORD_BROKEN,
		TD_RECORD_PART,
		TD_RECORD_BROKEN,
		TD_RECORD_ENCRYPTED TD_RECORD_PART,
		TD_RECORD_ENCRYPTED TD_RECORD_BROKEN,
		TD_RECORD_ENCRYPTED,
		"",
	};
	char file[FILE_BYTES];

	for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
		snprintf(file, sizeof file, "%s%s", name, suffixes[i]);
		if (unlinkat(folder_fd, file, 0) != 0 && errno != ENOENT)
			return -errno;
	}
	return 0;
}

int td_archive_files_remove(int folder_fd, const char *name)
{
	char track[TRACK_BYTES];
	int rc = 0;

	if (!is_ours(name))
		return -EINVAL;
	for (unsigned number = 1; is_opus(name) && rc == 0 && number <= TD_TRACK_MAX; number++) {
		track_of(name, number, track);
		rc = remove_one(folder_fd, track);
	}
	return rc == 0 ? remove_one(folder_fd, name) : rc;
}
