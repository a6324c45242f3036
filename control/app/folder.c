#include "app/folder.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int failed(const char *path, int error, char reason[TD_FOLDER_REASON_MAX])
{
	snprintf(reason, TD_FOLDER_REASON_MAX,
		 "cannot use the data folder %s: %s; make it writable for this user or change "
		 "system.data_dir",
		 path, strerror(error));
	return -TD_EIO;
}

int td_control_folder_make(const char *path, char reason[TD_FOLDER_REASON_MAX])
{
	char part[PATH_MAX];
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof part)
		return failed(path, ENAMETOOLONG, reason);
	memcpy(part, path, len + 1);
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0755) != 0 && errno != EEXIST)
			return failed(part, errno, reason);
		*slash = '/';
	}
	// Records are about people: not for everybody on the machine.
	if (mkdir(part, 0750) != 0 && errno != EEXIST)
		return failed(part, errno, reason);
	return access(part, W_OK | X_OK) == 0 ? 0 : failed(part, errno, reason);
}
