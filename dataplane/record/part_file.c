#include "record/part_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "td_assert.h"

#define PART_MAX (TD_PART_NAME_MAX + sizeof TD_RECORD_PART)

static bool part_ok(const char *part, size_t length)
{
	if (length == 0 || part[0] == '.')
		return false;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)part[i] < 0x21 || part[i] == 0x7f)
			return false;
	return true;
}

bool td_part_file_name_ok(const char *name)
{
	if (strnlen(name, TD_PART_NAME_MAX) >= TD_PART_NAME_MAX)
		return false;
	for (;;) {
		size_t part = strcspn(name, "/");

		if (!part_ok(name, part))
			return false;
		if (name[part] == '\0')
			return true;
		name += part + 1;
	}
}

static int fail(struct td_part_file *file)
{
	if (!file->error) {
		file->error = -TD_EIO;
		file->error_number = errno;
	}
	return file->error;
}

bool td_disk_write_all(const struct td_disk *disk, int fd, const void *bytes, size_t size, off_t at)
{
	const char *from = bytes;

	while (size > 0) {
		ssize_t done = disk->write_at(fd, from, size, at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done == 0)
			errno = ENOSPC;
		if (done <= 0)
			return false;
		from += done;
		at += done;
		size -= (size_t)done;
	}
	return true;
}

static void make_folders(int folder_fd, const char *name)
{
	char path[TD_PART_NAME_MAX];

	// A folder that cannot be made shows in the open that follows.
	for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(path, sizeof path, "%.*s", (int)(slash - name), name);
		mkdirat(folder_fd, path, 0750);
	}
}

static void part_name(const struct td_part_file *file, char part[PART_MAX])
{
	snprintf(part, PART_MAX, "%s" TD_RECORD_PART, file->name);
}

static int write_vault_header(struct td_part_file *file, const uint8_t *key)
{
	uint8_t header[TD_VAULT_HEADER_BYTES];
	int error;

	file->chunk = malloc(TD_VAULT_CHUNK_MAX);
	if (!file->chunk)
		return -TD_EMEMORY;
	error = td_vault_create(&file->vault, key, header);
	if (error)
		return error;
	if (!td_disk_write_all(file->disk, file->fd, header, sizeof header, 0))
		return fail(file);
	file->size = sizeof header;
	return 0;
}

static void give_up(struct td_part_file *file)
{
	if (file->chunk)
		td_vault_fini(&file->vault);
	free(file->chunk);
	file->chunk = NULL;
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

static int create(struct td_part_file *file, const uint8_t *key)
{
	char part[PART_MAX];
	int error;

	make_folders(file->folder_fd, file->name);
	if (faccessat(file->folder_fd, file->name, F_OK, 0) == 0)
		return -TD_EEXISTS;
	part_name(file, part);
	file->fd = openat(file->folder_fd, part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			  0640);
	if (file->fd < 0)
		return errno == EEXIST ? -TD_EEXISTS : fail(file);
	(void)!flock(file->fd, LOCK_EX | LOCK_NB);
	error = key ? write_vault_header(file, key) : 0;
	if (!error)
		return 0;
	give_up(file);
	unlinkat(file->folder_fd, part, 0);
	return error;
}

int td_part_file_open(struct td_part_file *file, const struct td_disk *disk, int folder_fd,
		      const char *name, const uint8_t key[TD_VAULT_KEY_BYTES])
{
	int error;

	memset(file, 0, sizeof *file);
	file->disk = disk;
	file->fd = -1;
	file->folder_fd = folder_fd;
	if (!td_part_file_name_ok(name) ||
	    (size_t)snprintf(file->name, sizeof file->name, "%s%s", name,
			     key ? TD_RECORD_ENCRYPTED : "") >= sizeof file->name)
		return file->error = -TD_EINVALID;
	error = create(file, key);
	if (error && !file->error) {
		file->error = error;
		file->error_number = error == -TD_EEXISTS ? EEXIST : ENOMEM;
	}
	return error;
}

static int put(struct td_part_file *file, const void *bytes, size_t size)
{
	if (!td_disk_write_all(file->disk, file->fd, bytes, size, (off_t)file->size)) {
		fail(file);
		// A part of it may be behind the last good byte: nobody must hear it.
		(void)!file->disk->cut(file->fd, (off_t)file->size);
		return file->error;
	}
	file->size += size;
	file->dirty = true;
	return 0;
}

static int put_sealed(struct td_part_file *file, const void *text, size_t size, bool last)
{
	size_t sealed = td_vault_seal(&file->vault, text, size, last, file->chunk);

	if (sealed == 0) {
		errno = EIO;
		return fail(file);
	}
	return put(file, file->chunk, sealed);
}

int td_part_file_append(struct td_part_file *file, const void *bytes, size_t size)
{
	const uint8_t *from = bytes;

	if (file->error)
		return file->error;
	TD_ASSERT(file->fd >= 0);
	if (!file->chunk)
		return put(file, bytes, size);
	while (size > 0 && !file->error) {
		size_t now = size < TD_VAULT_TEXT_MAX ? size : TD_VAULT_TEXT_MAX;

		(void)!put_sealed(file, from, now, false);
		from += now;
		size -= now;
	}
	return file->error;
}

int td_part_file_refresh(struct td_part_file *file, const void *bytes, size_t size)
{
	if (file->chunk)
		return file->error;
	// Also when no more can be appended: what it is written over is there.
	if (!td_disk_write_all(file->disk, file->fd, bytes, size, 0))
		return fail(file);
	file->dirty = true;
	return file->error;
}

int td_part_file_sync(struct td_part_file *file)
{
	file->dirty = false;
	return file->disk->sync(file->fd) == 0 ? file->error : fail(file);
}

int td_part_file_end(struct td_part_file *file)
{
	return file->chunk && !file->error ? put_sealed(file, "", 0, true) : file->error;
}

int td_part_file_close(struct td_part_file *file)
{
	char part[PART_MAX];

	TD_ASSERT(file->fd >= 0);
	part_name(file, part);
	if (file->disk->rename(file->folder_fd, part, file->folder_fd, file->name) != 0)
		fail(file);
	give_up(file);
	return file->error;
}
