#include "peer.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LATE_MAX 16

struct side {
	struct peer *peer;
	enum peer_behaviour behaviour;
	int socket, memfd, command_bell, event_bell;
	uint8_t *memory;
	size_t bytes;
	struct td_region region;
	struct td_ring_view commands, events[PEER_WORKERS + 1];
	uint64_t sequences[PEER_WORKERS + 1];
	uint32_t answers;
	struct td_event late[LATE_MAX];
	uint32_t late_count;
	bool over;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void must(bool condition)
{
	if (!condition) {
		perror("peer");
		abort();
	}
}

static void make_region(struct side *side)
{
	const struct td_region_sizes sizes = { .worker_count = PEER_WORKERS,
					       .stream_count = 4,
					       .prompt_count = 2 };

	side->bytes = td_region_bytes(&sizes);
	side->memfd = memfd_create("td-test-region", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	must(side->memfd >= 0 && ftruncate(side->memfd, (off_t)side->bytes) == 0);
	side->memory = mmap(NULL, side->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, side->memfd, 0);
	must(side->memory != MAP_FAILED);
	td_region_format(side->memory, &sizes, now_ns(), now_ns(), &side->region);
	snprintf(side->region.prompts[0].name, TD_PROMPT_NAME_MAX, "welcome");
	snprintf(side->region.prompts[1].name, TD_PROMPT_NAME_MAX, "music");
	must(td_region_attach_commands(&side->region, 0, &side->commands) == 0);
	for (uint32_t i = 0; i <= PEER_WORKERS; i++)
		must(td_region_attach_events(&side->region, i, 1, &side->events[i]) == 0);
	side->command_bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	side->event_bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	must(side->command_bell >= 0 && side->event_bell >= 0);
}

static void spoil_region(struct side *side)
{
	size_t bytes = side->bytes;

	if (side->behaviour == PEER_WRONG_REGION)
		side->region.header->version++;
	if (side->behaviour == PEER_EMPTY_REGION)
		bytes = 0;
	if (side->behaviour == PEER_TRUNCATED)
		bytes /= 2;
	if (bytes != side->bytes)
		must(ftruncate(side->memfd, (off_t)bytes) == 0);
	if (side->behaviour != PEER_UNSEALED)
		must(fcntl(side->memfd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
	if (side->behaviour == PEER_NOT_A_MEMFD) {
		int ends[2];

		must(pipe2(ends, O_CLOEXEC) == 0);
		close(ends[1]);
		close(side->memfd);
		side->memfd = ends[0];
	}
	if (side->behaviour == PEER_BELL_IS_A_FILE) {
		close(side->event_bell);
		side->event_bell = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
		must(side->event_bell >= 0);
	}
}

static int descriptors_of(enum peer_behaviour behaviour)
{
	if (behaviour == PEER_NO_DESCRIPTORS || behaviour == PEER_BUSY)
		return 0;
	if (behaviour == PEER_TWO_DESCRIPTORS)
		return 2;
	return behaviour == PEER_FIVE_DESCRIPTORS ? 5 : 3;
}

static void send_hello(struct side *side)
{
	uint8_t bytes[sizeof(struct td_region_hello) + 1] = { 0 };
	struct td_region_hello hello = {
		.cookie = TD_REGION_COOKIE ^ (side->behaviour == PEER_HELLO_COOKIE),
		.version = TD_REGION_VERSION + (side->behaviour == PEER_HELLO_VERSION),
		.result = side->behaviour == PEER_BUSY ? -TD_EBUSY : 0,
		.total_bytes = side->bytes,
	};
	int fds[5] = { side->memfd, side->command_bell, side->event_bell, 0, 1 };
	size_t count = (size_t)descriptors_of(side->behaviour);
	char control[CMSG_SPACE(sizeof fds)] __attribute__((aligned(8))) = { 0 };
	struct iovec iov = { bytes, sizeof hello + (side->behaviour == PEER_HELLO_LONG) -
					    (side->behaviour == PEER_HELLO_SHORT) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

	memcpy(bytes, &hello, sizeof hello);
	if (count) {
		struct cmsghdr *c;

		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	}
	must(sendmsg(side->socket, &message, MSG_NOSIGNAL) >= 0);
}

static void send_event(struct side *side, uint32_t thread, struct td_event *event)
{
	event->thread = thread;
	event->time_ns = now_ns();
	event->sequence = side->sequences[thread]++;
	must(td_ring_push(&side->events[thread], event) == 0);
	must(eventfd_write(side->event_bell, 1) == 0);
}

static void fill_answer(struct side *side, const struct td_command *command,
			struct td_event *answer)
{
	uint32_t handle = td_handle_make(++side->answers, 1);

	*answer = (struct td_event){ .request_id = command->request_id,
				     .kind = TD_EVENT_DONE,
				     .command = command->kind };
	if (command->kind == TD_COMMAND_CONTEXT_CREATE)
		answer->u.context.v = handle;
	if (command->kind == TD_COMMAND_STREAM_CREATE)
		answer->u.stream_created.stream.v = handle;
	if (command->kind == TD_COMMAND_PLAYER_CREATE)
		answer->u.player.v = handle;
	if (command->kind == TD_COMMAND_RECORD_START)
		answer->u.tap.v = handle;
	if (command->kind == TD_COMMAND_MATRIX_EDIT)
		answer->result = -TD_ENEEDS_MIX;
}

static void answer_command(struct side *side, const struct td_command *command)
{
	bool create = command->kind == TD_COMMAND_CONTEXT_CREATE ||
		      command->kind == TD_COMMAND_STREAM_CREATE ||
		      command->kind == TD_COMMAND_PLAYER_CREATE ||
		      command->kind == TD_COMMAND_RECORD_START;
	struct td_event answer;

	fill_answer(side, command, &answer);
	if (command->kind == TD_COMMAND_RESET && side->behaviour == PEER_REFUSES_RESET)
		answer.result = -TD_ESTATE;
	if (create && side->behaviour == PEER_LATE && side->late_count < LATE_MAX) {
		side->late[side->late_count++] = answer;
		return;
	}
	if (command->kind != TD_COMMAND_RESET && side->behaviour == PEER_MUTE)
		return;
	// Answers come from different threads of the dataplane.
	send_event(side, side->answers % (PEER_WORKERS + 1), &answer);
	if (command->kind == TD_COMMAND_PLAYER_CREATE) {
		struct td_event end = { .kind = TD_EVENT_PLAYER_END };

		end.u.player_end.player = answer.u.player;
		send_event(side, 1, &end);
	}
}

// True when the command was taken as the moment to misbehave.
static bool misbehave(struct side *side, const struct td_command *command)
{
	struct td_event nonsense = { .kind = TD_EVENT_KIND_COUNT };
	struct td_ring *ring = side->events[0].shared;

	if (command->kind != TD_COMMAND_PING)
		return false;
	switch ((int)side->behaviour) {
	case PEER_DIES_ON_PING: side->over = true; return true;
	case PEER_SPOILS_RING:
		atomic_store(&ring->head, atomic_load(&ring->tail) + 1000000u);
		must(eventfd_write(side->event_bell, 1) == 0);
		return true;
	case PEER_SPOILS_EVENT: send_event(side, 0, &nonsense); return true;
	default: return false;
	}
}

static void pop_commands(struct side *side)
{
	struct td_command command;
	eventfd_t count;

	(void)!eventfd_read(side->command_bell, &count);
	while (!side->over && td_ring_pop(&side->commands, &command) == 0) {
		atomic_fetch_add(&side->peer->seen[command.kind], 1);
		if (!misbehave(side, &command))
			answer_command(side, &command);
	}
}

// Serves until the other side or the test closes.
static void serve(struct side *side)
{
	while (!side->over) {
		struct pollfd fds[3] = { { .fd = side->socket, .events = POLLIN },
					 { .fd = side->command_bell, .events = POLLIN },
					 { .fd = side->peer->stop, .events = POLLIN } };
		int ready = poll(fds, 3, side->late_count ? (int)PEER_LATE_MS : -1);

		if (ready == 0)
			for (; side->late_count > 0; side->late_count--)
				send_event(side, 0, &side->late[side->late_count - 1]);
		if (fds[0].revents || fds[2].revents)
			side->over = true;
		else if (fds[1].revents)
			pop_commands(side);
	}
}

static void handle_connection(struct peer *peer, int socket, enum peer_behaviour behaviour)
{
	struct side side = { .peer = peer, .behaviour = behaviour, .socket = socket };

	atomic_fetch_add(&peer->open_connections, 1);
	make_region(&side);
	spoil_region(&side);
	if (behaviour != PEER_CLOSES) {
		send_hello(&side);
		serve(&side);
	}
	munmap(side.memory, side.bytes);
	close(side.memfd);
	close(side.command_bell);
	close(side.event_bell);
	close(socket);
	atomic_fetch_sub(&peer->open_connections, 1);
}

static void *run(void *user)
{
	struct peer *peer = user;

	for (;;) {
		struct pollfd fds[2] = { { .fd = peer->listener, .events = POLLIN },
					 { .fd = peer->stop, .events = POLLIN } };
		uint32_t index;
		int socket;

		must(poll(fds, 2, -1) > 0);
		if (fds[1].revents)
			return NULL;
		socket = accept4(peer->listener, NULL, NULL, SOCK_CLOEXEC);
		must(socket >= 0);
		index = atomic_fetch_add(&peer->connections, 1);
		if (index >= peer->script_len)
			index = peer->script_len - 1;
		handle_connection(peer, socket, peer->script[index]);
	}
}

void peer_start(struct peer *peer, const enum peer_behaviour *script, uint32_t script_len)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memset(peer, 0, sizeof *peer);
	peer->script = script;
	peer->script_len = script_len;
	strcpy(peer->dir, "/tmp/td-link-XXXXXX");
	must(mkdtemp(peer->dir) != NULL);
	snprintf(peer->path, sizeof peer->path, "%s/dataplane.sock", peer->dir);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", peer->path);
	peer->stop = eventfd(0, EFD_CLOEXEC);
	peer->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	must(peer->stop >= 0 && peer->listener >= 0);
	must(bind(peer->listener, (struct sockaddr *)&address, sizeof address) == 0);
	must(listen(peer->listener, 4) == 0);
	must(pthread_create(&peer->thread, NULL, run, peer) == 0);
}

void peer_stop(struct peer *peer)
{
	must(eventfd_write(peer->stop, 1) == 0);
	pthread_join(peer->thread, NULL);
	close(peer->listener);
	close(peer->stop);
	unlink(peer->path);
	rmdir(peer->dir);
}
