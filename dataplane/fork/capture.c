#include "fork/capture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S      1000000000ull
#define MAGIC         0xa1b23c4du // times in nanoseconds
#define LINK_ETHERNET 1u
#define SUFFIX        ".pcap"

struct file_header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, frame_max, link;
};

struct frame_header {
	uint32_t seconds, nanoseconds, captured, len;
};

static int is_capture(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return entry->d_name[0] != '.' && len > sizeof SUFFIX &&
	       strcmp(entry->d_name + len - (sizeof SUFFIX - 1), SUFFIX) == 0;
}

// Names begin with their time: the first ones are the oldest.
static void make_room(int folder_fd)
{
	struct dirent **entries;
	int count = scandirat(folder_fd, ".", &entries, is_capture, alphasort);

	for (int i = 0; i < count; i++) {
		if (i + (int)TD_CAPTURE_KEPT <= count)
			unlinkat(folder_fd, entries[i]->d_name, 0);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static uint64_t realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void name_it(uint64_t wall_ns, const char *call, char name[TD_FORK_FILE_MAX])
{
	time_t seconds = (time_t)(wall_ns / NS_PER_S);
	struct tm utc;
	char stamp[32];

	gmtime_r(&seconds, &utc);
	strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%S", &utc);
	snprintf(name, TD_FORK_FILE_MAX, "%s.%06u-%s" SUFFIX, stamp,
		 (unsigned)(wall_ns % NS_PER_S / 1000u), call);
}

static int write_out(struct td_capture *capture)
{
	uint32_t done = 0;

	while (done < capture->buffered) {
		ssize_t written =
			write(capture->fd, capture->buffer + done, capture->buffered - done);

		if (written <= 0)
			return -TD_EIO;
		done += (uint32_t)written;
	}
	capture->buffered = 0;
	return 0;
}

static void put(struct td_capture *capture, const void *bytes, uint32_t len)
{
	memcpy(capture->buffer + capture->buffered, bytes, len);
	capture->buffered += len;
	capture->seen->bytes += len;
}

int td_capture_open(struct td_capture *capture, int folder_fd, const char *call, uint32_t seconds,
		    struct td_event_fork *seen, uint64_t now_ns)
{
	const struct file_header header = {
		.magic = MAGIC, .major = 2, .minor = 4, .frame_max = 65535, .link = LINK_ETHERNET
	};
	uint64_t wall_ns = realtime_ns();

	if (seconds == 0 || seconds > TD_CAPTURE_SECONDS)
		seconds = TD_CAPTURE_SECONDS;
	capture->seen = seen;
	capture->buffered = 0;
	capture->until_ns = now_ns + seconds * NS_PER_S;
	capture->realtime_offset_ns = (int64_t)(wall_ns - now_ns);
	make_room(folder_fd);
	name_it(wall_ns, call, seen->file);
	capture->fd = openat(folder_fd, seen->file,
			     O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (capture->fd < 0)
		return -TD_EIO;
	put(capture, &header, sizeof header);
	return 0;
}

int td_capture_close(struct td_capture *capture)
{
	int error = write_out(capture);

	return close(capture->fd) == 0 ? error : -TD_EIO;
}

int td_capture_add(struct td_capture *capture, const struct td_tap_record *record)
{
	uint64_t wall_ns = record->arrival_ns + (uint64_t)capture->realtime_offset_ns;
	const struct frame_header header = { .seconds = (uint32_t)(wall_ns / NS_PER_S),
					     .nanoseconds = (uint32_t)(wall_ns % NS_PER_S),
					     .captured = record->payload_len,
					     .len = record->offered };

	if (record->payload_len > sizeof record->payload ||
	    (record->kind != TD_TAP_FRAME_IN && record->kind != TD_TAP_FRAME_OUT))
		return 0;
	if (capture->seen->bytes + sizeof header + record->payload_len > TD_CAPTURE_BYTES_MAX) {
		capture->seen->lost++;
		return -TD_EFULL;
	}
	if (capture->buffered + sizeof header + record->payload_len > TD_CAPTURE_BUFFER &&
	    write_out(capture) != 0)
		return -TD_EIO;
	put(capture, &header, sizeof header);
	put(capture, record->payload, record->payload_len);
	capture->seen->sent++;
	return 0;
}

int td_capture_turn(struct td_capture *capture, uint64_t now_ns)
{
	if (write_out(capture) != 0)
		return -TD_EIO;
	return now_ns >= capture->until_ns ? -TD_ETIMEOUT : 0;
}
