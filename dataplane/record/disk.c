#include "record/disk.h"

#include <stdio.h>
#include <unistd.h>

const struct td_disk td_disk_kernel = {
	.write_at = pwrite,
	.cut = ftruncate,
	.sync = fdatasync,
	.sync_all = syncfs,
	.rename = renameat,
};
