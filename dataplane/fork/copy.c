#include "fork/copy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fork/capture.h"
#include "fork/dialogue.h"
#include "fork/rtp_copy.h"
#include "td_log.h"

#define TOLD_NS       1000000000ull
#define SOCKET_BUFFER (64 * 1024) // a far end that comes back does not begin in the distant past

const char *td_copy_name(const struct td_copy *copy)
{
	return copy->start.destination != NULL ? copy->start.destination->name : "capture";
}

static int reach_rtp(struct td_copy_start *start, struct td_event_fork *seen)
{
	int error;

	start->rtp = calloc(1, sizeof *start->rtp);
	if (start->rtp == NULL)
		return -TD_EMEMORY;
	error = td_rtp_copy_open(start->rtp, &start->destination->rtp, &start->command, seen);
	if (error == 0)
		return 0;
	td_error(start->command.call, "fork %s: %s", start->destination->name, strerror(errno));
	free(start->rtp);
	return error;
}

static int connect_socket(const char *path, int *out)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
	    bytes = SOCKET_BUFFER;

	if (fd < 0)
		return -TD_EIO;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
	snprintf(to.sun_path, sizeof to.sun_path, "%s", path);
	if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0) {
		*out = fd;
		return 0;
	}
	bytes = errno;
	close(fd);
	errno = bytes;
	return bytes == EAGAIN ? -TD_EBUSY : -TD_EIO;
}

static int reach_socket(struct td_copy_start *start)
{
	const struct td_forker_destination *to = start->destination;
	int error;

	if (start->command.stream_count > TD_DIALOGUE_TRACKS)
		return -TD_EINVALID;
	error = connect_socket(to->socket, &start->fd);
	if (error != 0) {
		td_error(start->command.call, "fork %s: nobody listens at %s: %s", to->name,
			 to->socket, strerror(errno));
		return error;
	}
	if (!to->speaks)
		return 0;
	start->live = aligned_alloc(TD_CACHE_LINE, sizeof *start->live);
	if (start->live == NULL) {
		close(start->fd);
		return -TD_EMEMORY;
	}
	td_live_init(start->live);
	return 0;
}

int td_copy_reach(struct td_copy_start *start, struct td_event_fork *seen)
{
	start->fd = -1;
	if (start->command.what == TD_FORK_CAPTURE)
		return 0;
	if (start->destination == NULL)
		return -TD_ENOT_FOUND;
	return start->destination->rtp.family != TD_FAMILY_NONE ? reach_rtp(start, seen)
								: reach_socket(start);
}

static int begin_dialogue(struct td_copy *copy, uint64_t now_ns)
{
	const struct td_copy_start *start = &copy->start;
	const struct td_dialogue_options options = {
		.fd = start->fd,
		.call = start->command.call,
		.fork = start->destination->name,
		.tracks = { start->command.tracks[0], start->command.tracks[1] },
		.track_count = start->command.stream_count,
		.rate_hz = start->destination->rate_hz,
		.live = start->live,
		.seen = &copy->seen,
	};

	copy->dialogue = td_dialogue_create(&options, now_ns);
	return copy->dialogue != NULL ? 0 : -TD_EMEMORY;
}

static int begin_capture(struct td_copy *copy, int captures_fd, uint64_t now_ns)
{
	int error;

	if (captures_fd < 0)
		return -TD_EIO;
	copy->capture = malloc(sizeof *copy->capture);
	if (copy->capture == NULL)
		return -TD_EMEMORY;
	error = td_capture_open(copy->capture, captures_fd, copy->start.command.call,
				copy->start.command.seconds, &copy->seen, now_ns);
	if (error == 0)
		return 0;
	td_error(copy->start.command.call, "capture %s: %s", copy->seen.file, strerror(errno));
	free(copy->capture);
	copy->capture = NULL;
	return error;
}

int td_copy_begin(struct td_copy *copy, struct td_fork_id id, const struct td_copy_start *start,
		  int captures_fd, uint64_t now_ns)
{
	*copy = (struct td_copy){ .id = id, .start = *start, .rtp = start->rtp, .told_ns = now_ns };
	copy->seen.fork = id;
	copy->seen.owner = start->command.owner;
	copy->seen.tracks = start->command.stream_count;
	if (start->command.what == TD_FORK_CAPTURE)
		return begin_capture(copy, captures_fd, now_ns);
	return start->rtp != NULL ? 0 : begin_dialogue(copy, now_ns);
}

void td_copy_finish(struct td_copy *copy, uint64_t now_ns)
{
	if (copy->dialogue != NULL)
		td_dialogue_destroy(copy->dialogue, copy->ended ? td_error_text(copy->result)
								: "the fork was stopped");
	if (copy->rtp != NULL)
		td_rtp_copy_close(copy->rtp, now_ns);
	if (copy->capture != NULL && td_capture_close(copy->capture) != 0 && !copy->ended)
		copy->result = -TD_EIO;
	free(copy->rtp);
	free(copy->capture);
	free(copy->start.live);
	copy->dialogue = NULL;
	copy->rtp = NULL;
	copy->capture = NULL;
	copy->start.live = NULL;
}

int td_copy_add(struct td_copy *copy, const struct td_tap_record *record)
{
	copy->seen.packets++;
	if (copy->ended)
		return 0;
	if (copy->capture != NULL)
		return td_capture_add(copy->capture, record);
	if (copy->dialogue != NULL)
		td_dialogue_add(copy->dialogue, record);
	else if (copy->rtp != NULL)
		td_rtp_copy_add(copy->rtp, record);
	return 0;
}

int td_copy_turn(struct td_copy *copy, uint64_t now_ns)
{
	if (copy->ended)
		return 0;
	if (copy->capture != NULL)
		return td_capture_turn(copy->capture, now_ns);
	if (copy->dialogue != NULL)
		return td_dialogue_turn(copy->dialogue, now_ns);
	td_rtp_copy_turn(copy->rtp, now_ns);
	return 0;
}

bool td_copy_has_moved(struct td_copy *copy, uint64_t now_ns)
{
	if (now_ns - copy->told_ns < TOLD_NS ||
	    memcmp(&copy->seen, &copy->told, sizeof copy->seen) == 0)
		return false;
	copy->told = copy->seen;
	copy->told_ns = now_ns;
	return true;
}
