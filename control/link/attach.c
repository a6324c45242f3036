#include "link/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "td_error.h"

static int connect_error(int error)
{
	switch (error) {
	case ENOENT:
	case ECONNREFUSED: return -TD_ENOT_FOUND;
	case EACCES:
	case EPERM: return -TD_EDENIED;
	case EAGAIN: return -TD_EBUSY;
	default: return -TD_EIO;
	}
}

static const char *connect_remedy(int error)
{
	switch (error) {
	case ENOENT:
	case ECONNREFUSED: return "is tandem-dataplane running with the same system.run_dir?";
	case EACCES:
	case EPERM: return "run both processes as one user";
	case EAGAIN: return "too many processes are trying to attach";
	default: return "see system.run_dir in the configuration";
	}
}

int td_attachment_connect(struct td_attachment *attachment, const char *path,
			  char reason[TD_ATTACH_REASON_MAX])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int error;

	*attachment = (struct td_attachment){ .socket = -1, .descriptors = { -1, -1, -1 } };
	if (strlen(path) >= sizeof address.sun_path) {
		snprintf(reason, TD_ATTACH_REASON_MAX,
			 "socket path is %zu bytes long, at most %zu fit: shorten system.run_dir",
			 strlen(path), sizeof address.sun_path - 1);
		return -TD_EINVALID;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	attachment->socket = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (attachment->socket >= 0 &&
	    connect(attachment->socket, (struct sockaddr *)&address, sizeof address) == 0)
		return 0;
	error = errno;
	snprintf(reason, TD_ATTACH_REASON_MAX, "no dataplane at %s (%s): %s", path, strerror(error),
		 connect_remedy(error));
	td_attachment_close(attachment);
	return connect_error(error);
}

void td_attachment_close(struct td_attachment *attachment)
{
	if (attachment->memory)
		munmap(attachment->memory, attachment->memory_bytes);
	for (int i = 0; i < TD_REGION_FD_COUNT; i++)
		if (attachment->descriptors[i] >= 0)
			close(attachment->descriptors[i]);
	if (attachment->socket >= 0)
		close(attachment->socket);
	*attachment = (struct td_attachment){ .socket = -1, .descriptors = { -1, -1, -1 } };
}

// Moves the descriptors of one message into the attachment; those beyond the third are closed.
// Returns how many came.
static unsigned take_descriptors(struct td_attachment *attachment, struct msghdr *message)
{
	unsigned count = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		size_t bytes = c->cmsg_len - CMSG_LEN(0);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < bytes / sizeof(int); i++, count++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
			if (count < TD_REGION_FD_COUNT)
				attachment->descriptors[count] = fd;
			else
				close(fd);
		}
	}
	return count;
}

static int check_hello(const struct td_region_hello *hello, size_t bytes, unsigned descriptors,
		       char *reason)
{
	if (bytes != sizeof *hello || hello->cookie != TD_REGION_COOKIE) {
		snprintf(reason, TD_ATTACH_REASON_MAX,
			 "the hello is not a Tandem dataplane's: %zu bytes found, %zu expected",
			 bytes, sizeof *hello);
		return -TD_EMALFORMED;
	}
	if (hello->version != TD_REGION_VERSION) {
		snprintf(reason, TD_ATTACH_REASON_MAX,
			 "dataplane speaks region version %u, expected %u: run both processes from "
			 "one build",
			 hello->version, TD_REGION_VERSION);
		return -TD_EVERSION;
	}
	if (hello->result != 0) {
		int error = hello->result == -TD_EBUSY ? -TD_EBUSY : -TD_ELINK_DOWN;

		snprintf(reason, TD_ATTACH_REASON_MAX, "dataplane refuses to be attached: %s",
			 error == -TD_EBUSY ? "another tandem-control is attached; stop that one"
					    : td_error_text(hello->result));
		return error;
	}
	if (descriptors != TD_REGION_FD_COUNT) {
		snprintf(reason, TD_ATTACH_REASON_MAX,
			 "the hello brought %u descriptors, expected %d", descriptors,
			 TD_REGION_FD_COUNT);
		return -TD_EMALFORMED;
	}
	return 0;
}

static int receive_hello(struct td_attachment *attachment, char reason[TD_ATTACH_REASON_MAX])
{
	// Room for more descriptors than promised, so that a surplus is seen and closed, not truncated.
	alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * (TD_REGION_FD_COUNT + 5))];
	struct td_region_hello hello = { 0 };
	struct iovec iov = { .iov_base = &hello, .iov_len = sizeof hello };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control,
	};
	unsigned descriptors;
	ssize_t got;

	do
		got = recvmsg(attachment->socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return -TD_EEMPTY;
	if (got <= 0) {
		snprintf(reason, TD_ATTACH_REASON_MAX,
			 "dataplane closed the socket before its hello%s%s", got < 0 ? ": " : "",
			 got < 0 ? strerror(errno) : "");
		return -TD_ELINK_DOWN;
	}
	descriptors = take_descriptors(attachment, &message);
	if (message.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) {
		snprintf(
			reason, TD_ATTACH_REASON_MAX,
			"the hello is longer than this build's: run both processes from one build");
		return -TD_EMALFORMED;
	}
	return check_hello(&hello, (size_t)got, descriptors, reason);
}

// The largest region td_region_check could accept; a longer memfd is not one.
static size_t region_bytes_max(void)
{
	const struct td_region_sizes sizes = {
		.worker_count = TD_WORKER_MAX,
		.stream_count = TD_STREAM_MAX,
		.prompt_count = TD_PROMPT_MAX,
		.port_count = TD_PORT_MAX,
	};

	return (td_region_bytes(&sizes) + (2u << 20)) & ~(size_t)((2u << 20) - 1);
}

static int map_region(struct td_attachment *attachment, char reason[TD_ATTACH_REASON_MAX])
{
	int fd = attachment->descriptors[0];
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat status;
	void *memory;

	if (seals < 0 || !(seals & F_SEAL_SHRINK)) {
		snprintf(reason, TD_ATTACH_REASON_MAX,
			 "the region's descriptor is not a memfd sealed against shrinking");
		return -TD_EMALFORMED;
	}
	if (fstat(fd, &status) != 0 || status.st_size <= 0 ||
	    (uint64_t)status.st_size > region_bytes_max()) {
		snprintf(reason, TD_ATTACH_REASON_MAX, "the region's size cannot be right");
		return -TD_EMALFORMED;
	}
	memory = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED) {
		snprintf(reason, TD_ATTACH_REASON_MAX, "cannot map the region's %lld bytes: %s",
			 (long long)status.st_size, strerror(errno));
		return -TD_EIO;
	}
	attachment->memory = memory;
	attachment->memory_bytes = (size_t)status.st_size;
	return 0;
}

static int attach_rings(struct td_attachment *attachment, char reason[TD_ATTACH_REASON_MAX])
{
	struct td_region *region = &attachment->region;
	int error;

	_Static_assert(TD_ATTACH_REASON_MAX >= TD_REGION_REASON_MAX, "the checker writes here");
	error = td_region_check(attachment->memory, attachment->memory_bytes, region, reason);
	if (error)
		return error;
	// Once more: a ring's words may have changed since the check.
	error = td_region_attach_commands(region, 1, &attachment->commands);
	if (!error)
		error = td_events_attach(&attachment->events, region);
	if (error)
		snprintf(reason, TD_ATTACH_REASON_MAX, "a ring in the region is damaged: %s",
			 td_error_text(error));
	return error;
}

int td_attachment_receive(struct td_attachment *attachment, char reason[TD_ATTACH_REASON_MAX])
{
	int error = receive_hello(attachment, reason);

	if (error == -TD_EEMPTY)
		return error;
	if (!error)
		error = map_region(attachment, reason);
	if (!error)
		error = attach_rings(attachment, reason);
	return error;
}
