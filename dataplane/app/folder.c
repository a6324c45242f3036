#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "app/folder.h"

int td_folder_make(const char *path)
{
	char part[PATH_MAX];
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof part) {
		errno = ENAMETOOLONG;
		return -TD_EIO;
	}
	memcpy(part, path, len + 1);
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return -TD_EIO;
		*slash = '/';
	}
	return mkdir(part, 0755) < 0 && errno != EEXIST ? -TD_EIO : 0;
}
