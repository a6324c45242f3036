// Its socket, its commands in line and its events.
#include "dataplane.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void dp_open(struct dp *dp)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memset(dp, 0, sizeof *dp);
	snprintf(dp->dir, sizeof dp->dir, "/tmp/td-call-XXXXXX");
	must(mkdtemp(dp->dir) != NULL);
	snprintf(dp->path, sizeof dp->path, "%s/dataplane.sock", dp->dir);
	snprintf(address.sun_path, sizeof address.sun_path, "%s", dp->path);
	dp->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	must(bind(dp->listener, (struct sockaddr *)&address, sizeof address) == 0);
	must(listen(dp->listener, 4) == 0);
	dp->connection = -1;
	dp_region_make(dp);
}

void dp_close(struct dp *dp)
{
	if (dp->connection >= 0)
		close(dp->connection);
	close(dp->listener);
	unlink(dp->path);
	rmdir(dp->dir);
	dp_region_drop(dp);
}

static void forget(struct dp *dp)
{
	for (int i = 0; i < DP_OBJECTS; i++) {
		dp->contexts[i].live = false;
		dp->streams[i].live = false;
		dp->players[i].live = false;
		dp->taps[i].live = false;
		dp->forks[i].live = false;
	}
	dp->cell_count = 0;
	dp->pending_count = 0;
}

void dp_die(struct dp *dp)
{
	if (dp->connection >= 0)
		close(dp->connection);
	dp->connection = -1;
	forget(dp);
	dp_region_drop(dp);
	dp_region_make(dp);
	dp->sequence = 0;
}

static void send_hello(struct dp *dp)
{
	struct td_region_hello hello = {
		.cookie = TD_REGION_COOKIE,
		.version = TD_REGION_VERSION,
		.total_bytes = dp->bytes,
	};
	int fds[TD_REGION_FD_COUNT] = { dp->memory_fd, dp->command_bell, dp->event_bell };
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof fds)] = { 0 };
	struct iovec iov = { &hello, sizeof hello };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof control };
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof fds);
	memcpy(CMSG_DATA(c), fds, sizeof fds);
	must(sendmsg(dp->connection, &message, 0) == sizeof hello);
}

static void push(struct dp *dp, struct td_event *event)
{
	uint64_t one = 1;

	event->sequence = ++dp->sequence;
	must(td_ring_push(&dp->events, event) == 0);
	must(write(dp->event_bell, &one, sizeof one) == sizeof one);
}

static void push_done(struct dp *dp, const struct td_command *command, struct td_event *event,
		      int result)
{
	event->kind = TD_EVENT_DONE;
	event->request_id = command->request_id;
	event->command = command->kind;
	event->result = result;
	if (dp->lags && result == 0) {
		must(dp->held_count < DP_HELD_MAX);
		dp->held[dp->held_count++] = *event;
		return;
	}
	push(dp, event);
}

void dp_catch_up(struct dp *dp)
{
	for (uint32_t i = 0; i < dp->held_count; i++)
		push(dp, &dp->held[i]);
	dp->held_count = 0;
	dp->lags = false;
}

bool dp_poll(struct dp *dp)
{
	struct td_command command;
	bool something = false;

	if (dp->connection < 0) {
		dp->connection = accept4(dp->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (dp->connection < 0)
			return false;
		send_hello(dp);
		something = true;
	}
	while (td_ring_pop(&dp->commands, &command) == 0) {
		something = true;
		must(command.kind > TD_COMMAND_NONE);
		must(command.kind < TD_COMMAND_KIND_COUNT);
		dp->seen[command.kind]++;
		if (command.kind == TD_COMMAND_RESET) {
			struct td_event event = { 0 };

			forget(dp);
			push_done(dp, &command, &event, 0);
			continue;
		}
		must(dp->pending_count < DP_PENDING_MAX);
		dp->pending[(dp->pending_head + dp->pending_count++) % DP_PENDING_MAX] = command;
	}
	return something;
}

void dp_fork_event(struct dp *dp, enum td_event_kind kind, uint32_t fork, int result)
{
	const struct dp_object *object = &dp->forks[td_handle_index(fork) % DP_OBJECTS];
	struct td_event event = { .kind = kind, .result = result };

	event.u.fork.fork.v = fork;
	event.u.fork.owner = object->owner;
	event.u.fork.tracks = 2;
	event.u.fork.sent = 7;
	push(dp, &event);
}

void dp_report_end(struct dp *dp, struct dp_object *player, enum td_player_end reason)
{
	struct td_event event = { .kind = TD_EVENT_PLAYER_END };

	event.u.player_end.player.v = player->handle;
	event.u.player_end.context.v = player->context;
	event.u.player_end.reason = reason;
	player->loops = true; // its end is reported once
	push(dp, &event);
}

static void report_closed(struct dp *dp, const struct dp_object *tap)
{
	struct td_event event = { .kind = TD_EVENT_RECORD_CLOSED };

	event.result = dp->recorded_result;
	event.u.recording = dp->recorded;
	event.u.recording.tap.v = tap->handle;
	event.u.recording.owner = tap->owner;
	push(dp, &event);
}

bool dp_answer(struct dp *dp)
{
	struct td_event event = { 0 };
	struct td_command command;
	int result;

	if (dp->pending_count == 0 || dp->mute)
		return false;
	command = dp->pending[dp->pending_head];
	dp->pending_head = (dp->pending_head + 1) % DP_PENDING_MAX;
	dp->pending_count--;
	if (command.kind == TD_COMMAND_CONTEXT_CREATE)
		dp->latest_context = 0;
	if (command.kind == TD_COMMAND_STREAM_CREATE)
		dp->latest_stream = 0;
	result = dp->fail[command.kind];
	dp->fail[command.kind] = 0;
	if (result == 0)
		result = dp_execute(dp, &command, &event);
	push_done(dp, &command, &event, result);
	if (command.kind == TD_COMMAND_RECORD_STOP && result == 0 && !dp->keep_open) {
		struct dp_object *tap =
			&dp->taps[td_handle_index(command.u.record_stop.v) % DP_OBJECTS];

		report_closed(dp, tap);
	}
	if (command.kind == TD_COMMAND_FORK_STOP && result == 0 && !dp->keep_open)
		dp_fork_event(dp, TD_EVENT_FORK_CLOSED, command.u.fork_stop.v, 0);
	return true;
}

bool dp_player_end(struct dp *dp)
{
	for (int i = 0; i < DP_OBJECTS; i++) {
		if (!dp->players[i].live || dp->players[i].loops)
			continue;
		dp_report_end(dp, &dp->players[i], TD_PLAYER_END_PLAYED);
		return true;
	}
	return false;
}

void dp_record_closed(struct dp *dp)
{
	for (int i = 0; i < DP_OBJECTS; i++) {
		if (!dp->taps[i].live && dp->taps[i].owner) {
			report_closed(dp, &dp->taps[i]);
			dp->taps[i].owner = 0;
		}
	}
}

void dp_digit(struct dp *dp, uint32_t stream, char digit)
{
	const struct dp_object *object = dp_find(dp->streams, stream);
	struct td_event event = { .kind = TD_EVENT_DIGIT };

	event.u.digit.stream.v = stream;
	must(object);
	event.u.digit.context.v = object->context;
	event.u.digit.digit = digit;
	event.u.digit.duration_ms = 100;
	push(dp, &event);
}

void dp_tone(struct dp *dp, uint32_t stream, enum td_tone tone)
{
	const struct dp_object *object = dp_find(dp->streams, stream);
	struct td_event event = { .kind = TD_EVENT_TONE };

	event.u.tone.stream.v = stream;
	must(object);
	event.u.tone.context.v = object->context;
	event.u.tone.tone = tone;
	push(dp, &event);
}

void dp_record_alarm(struct dp *dp, enum td_record_alarm alarm, uint32_t active, uint64_t value)
{
	struct td_event event = { .kind = TD_EVENT_RECORD_ALARM };

	event.u.record_alarm.alarm = alarm;
	event.u.record_alarm.active = active;
	event.u.record_alarm.value = value;
	push(dp, &event);
}
