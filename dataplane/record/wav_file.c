#include "record/wav_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codecs/wav.h"
#include "td_assert.h"

#define FRAME_BYTES   (TD_WAV_FILE_CHANNELS * sizeof(int16_t))
#define SUFFIX        ".wav"
#define PART          ".part"
#define PART_NAME_MAX (TD_FILE_NAME_MAX + sizeof PART)

static bool part_ok(const char *part, size_t length)
{
	if (length == 0 || part[0] == '.')
		return false;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)part[i] < 0x21 || part[i] == 0x7f)
			return false;
	return true;
}

bool td_wav_file_name_ok(const char *name)
{
	size_t length = strnlen(name, TD_FILE_NAME_MAX);

	if (length >= TD_FILE_NAME_MAX || length <= strlen(SUFFIX) ||
	    strcmp(name + length - strlen(SUFFIX), SUFFIX) != 0)
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

static int fail(struct td_wav_file *file)
{
	if (!file->error) {
		file->error = -TD_EIO;
		file->error_number = errno;
	}
	return file->error;
}

static bool write_all(int fd, const void *bytes, size_t size, off_t at)
{
	const char *from = bytes;

	while (size > 0) {
		ssize_t done = pwrite(fd, from, size, at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		from += done;
		at += done;
		size -= (size_t)done;
	}
	return true;
}

static bool write_header(const struct td_wav_file *file, uint64_t frames)
{
	uint8_t header[TD_WAV_HEADER_BYTES];

	td_wav_write_header(header, file->rate_hz, TD_WAV_FILE_CHANNELS, frames);
	return write_all(file->fd, header, sizeof header, 0);
}

static void make_folders(int folder_fd, const char *name)
{
	char path[TD_FILE_NAME_MAX];

	// A folder that cannot be made shows in the open that follows.
	for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(path, sizeof path, "%.*s", (int)(slash - name), name);
		mkdirat(folder_fd, path, 0750);
	}
}

int td_wav_file_open(struct td_wav_file *file, int folder_fd, const char *name)
{
	char part[PART_NAME_MAX];

	memset(file, 0, sizeof *file);
	file->fd = -1;
	file->folder_fd = folder_fd;
	file->rate_hz = TD_WAV_RATE_HZ;
	if (!td_wav_file_name_ok(name))
		return -TD_EINVALID;
	snprintf(file->name, sizeof file->name, "%s", name);
	make_folders(folder_fd, name);
	if (faccessat(folder_fd, name, F_OK, 0) == 0)
		return -TD_EEXISTS;
	snprintf(part, sizeof part, "%s" PART, name);
	file->fd = openat(folder_fd, part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (file->fd < 0) {
		int error = errno == EEXIST ? -TD_EEXISTS : fail(file);

		file->error_number = errno;
		return error;
	}
	if (write_header(file, 0))
		return 0;
	fail(file);
	close(file->fd);
	file->fd = -1;
	unlinkat(folder_fd, part, 0);
	return file->error;
}

int td_wav_file_append(struct td_wav_file *file, const int16_t (*frames)[TD_WAV_FILE_CHANNELS],
		       size_t count)
{
	off_t at = (off_t)(TD_WAV_HEADER_BYTES + file->frames * FRAME_BYTES);

	TD_ASSERT(file->fd >= 0);
	if (file->error)
		return file->error;
	if (!write_all(file->fd, frames, count * FRAME_BYTES, at) ||
	    !write_header(file, file->frames + count)) {
		fail(file);
		// A part of this append may be behind the last good length: players that ignore the
		// header's size must not hear it. When even this fails the header still is right.
		(void)!ftruncate(file->fd, at);
		return file->error;
	}
	file->frames += count;
	return 0;
}

int td_wav_file_close(struct td_wav_file *file, bool sync)
{
	char part[PART_NAME_MAX];

	TD_ASSERT(file->fd >= 0);
	snprintf(part, sizeof part, "%s" PART, file->name);
	if (sync && fdatasync(file->fd) != 0)
		fail(file);
	if (close(file->fd) != 0)
		fail(file);
	file->fd = -1;
	if (renameat(file->folder_fd, part, file->folder_fd, file->name) != 0)
		fail(file);
	return file->error;
}
