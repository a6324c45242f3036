#include "attach.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "td_region.h"

#define ANSWER_MS   5000
#define DEADLINE_NS 60000000000ull
#define STALLED_NS  1000000000ull // a worker that turns does so every millisecond

struct td_attach {
	int socket, memory, command_bell, event_bell;
	struct td_region region;
	struct td_ring_view commands;
	struct td_ring_view events[TD_WORKER_MAX + 1];
	uint64_t request_id;
	void (*idle)(void *user);
	void *user;
};

static _Noreturn void quit(const char *what, const char *why)
{
	fprintf(stderr, "rtpblast: %s: %s\n", what, why);
	exit(2);
}

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void receive_hello(struct td_attach *attach, struct td_region_hello *hello)
{
	char control[CMSG_SPACE(TD_REGION_FD_COUNT * sizeof(int))];
	struct iovec iov = { hello, sizeof *hello };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof control };
	struct cmsghdr *cmsg;
	int fds[TD_REGION_FD_COUNT];

	if (recvmsg(attach->socket, &message, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof *hello)
		quit("hello", strerror(errno));
	if (hello->result != 0)
		quit("the dataplane refuses", td_error_text(hello->result));
	cmsg = CMSG_FIRSTHDR(&message);
	if (!cmsg || cmsg->cmsg_len != CMSG_LEN(sizeof fds))
		quit("hello", "no descriptors came with it");
	memcpy(fds, CMSG_DATA(cmsg), sizeof fds);
	attach->memory = fds[0];
	attach->command_bell = fds[1];
	attach->event_bell = fds[2];
}

struct td_attach *td_attach_open(const char *socket_path, void (*idle)(void *user), void *user)
{
	struct td_attach *attach = calloc(1, sizeof *attach);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char reason[TD_REGION_REASON_MAX];
	struct td_region_hello hello;
	void *memory;

	snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
	attach->idle = idle;
	attach->user = user;
	attach->socket = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (connect(attach->socket, (struct sockaddr *)&address, sizeof address) != 0)
		quit(socket_path, strerror(errno));
	receive_hello(attach, &hello);
	memory = mmap(NULL, hello.total_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, attach->memory,
		      0);
	if (memory == MAP_FAILED)
		quit("region", strerror(errno));
	if (td_region_check(memory, hello.total_bytes, &attach->region, reason) != 0)
		quit("region", reason);
	if (td_region_attach_commands(&attach->region, 1, &attach->commands) != 0)
		quit("region", "command ring");
	for (uint32_t i = 0; i <= attach->region.worker_count; i++)
		if (td_region_attach_events(&attach->region, i, 0, &attach->events[i]) != 0)
			quit("region", "event ring");
	return attach;
}

void td_attach_close(struct td_attach *attach)
{
	struct td_command reset = { .kind = TD_COMMAND_RESET };
	struct td_event answer;

	td_attach_call(attach, &reset, &answer);
	munmap(attach->region.header, attach->region.bytes);
	close(attach->memory);
	close(attach->command_bell);
	close(attach->event_bell);
	close(attach->socket);
	free(attach);
}

static int take_answer(struct td_attach *attach, uint64_t id, struct td_event *answer)
{
	for (uint32_t i = 0; i <= attach->region.worker_count; i++)
		while (td_ring_pop(&attach->events[i], answer) == 0)
			if (answer->kind == TD_EVENT_DONE && answer->request_id == id)
				return 1;
	return 0;
}

// Says whose fault it is, as far as the workers' heartbeats tell.
static _Noreturn void give_up(const struct td_attach *attach, const struct td_command *command)
{
	uint64_t now_ns = monotonic_ns();

	fprintf(stderr, "rtpblast: %s: no answer from the dataplane in %d s: ",
		td_command_name(command->kind), ANSWER_MS / 1000);
	for (uint32_t w = 0; w < attach->region.worker_count; w++) {
		const volatile uint64_t *beat = &attach->region.workers[w].heartbeat_ns;
		uint64_t age_ns = now_ns - *beat;

		if (age_ns > STALLED_NS && age_ns < INT64_MAX) {
			fprintf(stderr,
				"worker %u has not turned for %.1f s; is there a process on its core "
				"that lets nobody else have it (chrt)?\n",
				w, (double)age_ns / 1e9);
			exit(2);
		}
	}
	fprintf(stderr, "its workers turn, its main thread is held up or has ended\n");
	exit(2);
}

void td_attach_call(struct td_attach *attach, struct td_command *command, struct td_event *answer)
{
	uint64_t one = 1;
	int waited_ms = 0;

	command->request_id = ++attach->request_id;
	command->deadline_ns = monotonic_ns() + DEADLINE_NS;
	if (td_ring_push(&attach->commands, command) != 0 ||
	    write(attach->command_bell, &one, sizeof one) != sizeof one)
		quit(td_command_name(command->kind), "the command ring is full");
	while (!take_answer(attach, command->request_id, answer)) {
		struct pollfd bell = { attach->event_bell, POLLIN, 0 };
		uint64_t rings;
		int rang = poll(&bell, 1, 1);

		// Counted in waits, not by the clock: where both of us were held up nobody is late.
		waited_ms += rang == 0;
		if (waited_ms > ANSWER_MS)
			give_up(attach, command);
		if (rang > 0 && read(bell.fd, &rings, sizeof rings) < 0)
			quit("event bell", strerror(errno));
		attach->idle(attach->user);
	}
	if (answer->result != 0)
		quit(td_command_name(command->kind), td_error_text(answer->result));
}

static struct td_stream_id make_stream(struct td_attach *attach, struct td_context_id context,
				       const struct td_attach_party *party,
				       struct td_endpoint *local)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_CREATE };
	struct td_event answer;
	struct td_stream_id stream;

	command.u.stream_create.context = context;
	command.u.stream_create.family = TD_FAMILY_IPV4;
	td_attach_call(attach, &command, &answer);
	stream = answer.u.stream_created.stream;
	*local = answer.u.stream_created.local;

	command = (struct td_command){ .kind = TD_COMMAND_STREAM_SET_REMOTE };
	command.u.stream_set_remote = (struct td_command_stream_set_remote){
		.stream = stream,
		.remote = party->remote,
		.codec = (uint8_t)party->codec,
		.payload_type = party->payload_type,
		.payload_type_rx = party->payload_type,
		.event_payload_type = party->event_payload_type,
		.event_payload_type_rx = party->event_payload_type,
		.cn_payload_type = TD_PAYLOAD_TYPE_NONE,
		.cn_payload_type_rx = TD_PAYLOAD_TYPE_NONE,
		.ptime_ms = 20,
		.settings = party->settings,
		.srtp_rx = party->srtp_rx,
		.srtp_tx = party->srtp_tx,
	};
	td_attach_call(attach, &command, &answer);
	return stream;
}

void td_attach_make_call(struct td_attach *attach, const struct td_attach_party parties[2],
			 struct td_endpoint local[2])
{
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_CREATE };
	struct td_context_id context;
	struct td_event answer;
	struct td_member a = { .kind = TD_MEMBER_STREAM }, b = { .kind = TD_MEMBER_STREAM };

	td_attach_call(attach, &command, &answer);
	context = answer.u.context;
	a.handle = make_stream(attach, context, &parties[0], &local[0]).v;
	b.handle = make_stream(attach, context, &parties[1], &local[1]).v;
	command = (struct td_command){ .kind = TD_COMMAND_MATRIX_EDIT };
	command.u.matrix_edit.context = context;
	command.u.matrix_edit.cell_count = 2;
	command.u.matrix_edit.cells[0] = (struct td_cell){ a, b, TD_GAIN_UNITY };
	command.u.matrix_edit.cells[1] = (struct td_cell){ b, a, TD_GAIN_UNITY };
	td_attach_call(attach, &command, &answer);
}

void td_attach_drain(struct td_attach *attach)
{
	struct td_event event;

	for (uint32_t i = 0; i <= attach->region.worker_count; i++)
		while (td_ring_pop(&attach->events[i], &event) == 0)
			;
}

void td_attach_drops(const struct td_attach *attach, uint64_t drops[TD_DROP_COUNT])
{
	for (int drop = 0; drop < TD_DROP_COUNT; drop++) {
		drops[drop] = 0;
		for (uint32_t w = 0; w < attach->region.worker_count; w++)
			drops[drop] += attach->region.workers[w].drops[drop];
	}
}

void td_attach_stages(const struct td_attach *attach, struct td_attach_stage stages[TD_STAGE_COUNT])
{
	memset(stages, 0, TD_STAGE_COUNT * sizeof *stages);
	for (uint32_t w = 0; w < attach->region.worker_count; w++) {
		const struct td_worker_stats *stats = &attach->region.workers[w];

		for (int i = 0; i < TD_STAGE_COUNT && stats->ticks_per_s > 0; i++) {
			stages[i].ns +=
				(double)stats->stages[i].ticks * 1e9 / (double)stats->ticks_per_s;
			stages[i].units += (double)stats->stages[i].units;
		}
	}
}
