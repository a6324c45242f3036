// What the recorder asks of a disk: the kernel's calls, or those of a test that plays a broken disk.
#pragma once

#include <sys/types.h>

struct td_disk {
	ssize_t (*write_at)(int fd, const void *bytes, size_t size, off_t at);
	int (*cut)(int fd, off_t size);
	int (*sync)(int fd);            // its data and its size are durable
	int (*sync_all)(int folder_fd); // those of everything on the same file system
	int (*rename)(int from_fd, const char *from, int to_fd, const char *to);
};

extern const struct td_disk td_disk_kernel;
