#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/door.h"
#include "app/folder.h"
#include "td_assert.h"

static int refuse(char *reason, int error, const char *path, const char *what)
{
	snprintf(reason, TD_DOOR_REASON_MAX, "%s: %s", path, what);
	return error;
}

// True when a process answers at this address.
static bool is_served(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	bool served =
		fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;

	if (fd >= 0)
		close(fd);
	return served;
}

int td_door_open(struct td_door *door, const char *run_dir, char reason[TD_DOOR_REASON_MAX])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t mask;
	int len, failed;

	*door = (struct td_door){ .listener = -1, .client = -1 };
	len = snprintf(door->path, sizeof door->path, "%s/dataplane.sock", run_dir);
	if (len < 0 || (size_t)len >= sizeof address.sun_path)
		return refuse(reason, -TD_EINVALID, run_dir,
			      "too long for a socket's path: set a shorter system.run_dir");
	memcpy(address.sun_path, door->path, (size_t)len + 1);
	if (td_folder_make(run_dir) != 0) {
		snprintf(reason, TD_DOOR_REASON_MAX,
			 "system.run_dir %s cannot be made: %s; set another, or make it yourself",
			 run_dir, strerror(errno));
		return -TD_EIO;
	}
	if (is_served(&address))
		return refuse(reason, -TD_EBUSY, door->path,
			      "another tandem-dataplane serves it: stop that one, or set another "
			      "system.run_dir");
	unlink(door->path);
	door->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mask = umask(0177);
	failed = door->listener < 0 ||
		 bind(door->listener, (struct sockaddr *)&address, sizeof address) < 0 ||
		 listen(door->listener, 4) < 0;
	umask(mask);
	if (failed) {
		refuse(reason, -TD_EIO, door->path, strerror(errno));
		td_door_close(door);
		return -TD_EIO;
	}
	return 0;
}

void td_door_close(struct td_door *door)
{
	td_door_detach(door);
	if (door->listener < 0)
		return;
	close(door->listener);
	door->listener = -1;
	unlink(door->path);
}

void td_door_detach(struct td_door *door)
{
	if (door->client >= 0)
		close(door->client);
	door->client = -1;
}

bool td_door_client_gone(struct td_door *door)
{
	char byte;
	ssize_t got;

	if (door->client < 0)
		return false;
	got = recv(door->client, &byte, sizeof byte, MSG_DONTWAIT);
	// What a client might send means nothing and is thrown away.
	if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)))
		return false;
	td_door_detach(door);
	return true;
}

static int send_hello(int fd, const struct td_share *share, int result)
{
	struct td_region_hello hello = {
		.cookie = TD_REGION_COOKIE,
		.version = TD_REGION_VERSION,
		.result = result,
		.total_bytes = share->region.bytes,
	};
	int fds[TD_REGION_FD_COUNT] = { share->memory_fd, share->command_bell, share->event_bell };
	struct iovec bytes = { .iov_base = &hello, .iov_len = sizeof hello };
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof fds)];
	} control = { 0 };
	struct msghdr message = { .msg_iov = &bytes, .msg_iovlen = 1 };

	if (result == 0) {
		struct cmsghdr *header;

		message.msg_control = control.space;
		message.msg_controllen = sizeof control.space;
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof fds);
		memcpy(CMSG_DATA(header), fds, sizeof fds);
	}
	return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof hello ? 0 : -TD_EIO;
}

enum td_door_news td_door_accept(struct td_door *door, struct td_share *share)
{
	int fd = accept4(door->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return TD_DOOR_NOTHING;
	// The one we had may have gone a moment ago.
	td_door_client_gone(door);
	if (door->client >= 0) {
		// Whether it still listens to the refusal is its own affair.
		if (send_hello(fd, share, -TD_EBUSY) != 0)
			errno = 0;
		close(fd);
		return TD_DOOR_REFUSED;
	}
	// Before the hello: the moment it is out, the new client may push its RESET.
	td_share_forget_commands(share);
	if (send_hello(fd, share, 0) != 0) {
		close(fd);
		return TD_DOOR_NOTHING;
	}
	door->client = fd;
	return TD_DOOR_ATTACHED;
}
