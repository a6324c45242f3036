#include "dataplane.h"

#include <arpa/inet.h>
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void make_region(struct dp *dp)
{
	const struct td_region_sizes sizes = { 1, DP_OBJECTS, DP_PROMPTS };
	static uint64_t boot_id;

	dp->bytes = td_region_bytes(&sizes);
	dp->memory_fd = memfd_create("td-test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	must(dp->memory_fd >= 0);
	must(ftruncate(dp->memory_fd, (off_t)dp->bytes) == 0);
	must(fcntl(dp->memory_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
	dp->memory = mmap(NULL, dp->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, dp->memory_fd, 0);
	must(dp->memory != MAP_FAILED);
	td_region_format(dp->memory, &sizes, ++boot_id, 1, &dp->region);
	memcpy(dp->region.prompts[0].name, "greeting", sizeof "greeting");
	dp->region.prompts[0].duration_ms = DP_GREETING_MS;
	memcpy(dp->region.prompts[1].name, "music", sizeof "music");
	dp->region.prompts[1].duration_ms = 60000;
	must(td_region_attach_commands(&dp->region, 0, &dp->commands) == 0);
	must(td_region_attach_events(&dp->region, 0, 1, &dp->events) == 0);
	dp->command_bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	dp->event_bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

static void drop_region(struct dp *dp)
{
	munmap(dp->memory, dp->bytes);
	close(dp->memory_fd);
	close(dp->command_bell);
	close(dp->event_bell);
}

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
	make_region(dp);
}

void dp_close(struct dp *dp)
{
	if (dp->connection >= 0)
		close(dp->connection);
	close(dp->listener);
	unlink(dp->path);
	rmdir(dp->dir);
	drop_region(dp);
}

static void forget(struct dp *dp)
{
	for (int i = 0; i < DP_OBJECTS; i++) {
		dp->contexts[i].live = false;
		dp->streams[i].live = false;
		dp->players[i].live = false;
		dp->taps[i].live = false;
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
	drop_region(dp);
	make_region(dp);
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
	push(dp, event);
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

struct dp_object *dp_find(struct dp_object *objects, uint32_t handle)
{
	struct dp_object *object = &objects[td_handle_index(handle) % DP_OBJECTS];

	return object->live && object->handle == handle ? object : NULL;
}

uint32_t dp_live(const struct dp_object *objects)
{
	uint32_t live = 0;

	for (int i = 0; i < DP_OBJECTS; i++)
		live += objects[i].live;
	return live;
}

static struct dp_object *make(struct dp_object *objects, uint32_t context)
{
	for (uint32_t i = 0; i < DP_OBJECTS; i++) {
		struct dp_object *object = &objects[i];

		if (object->live)
			continue;
		object->generation = td_handle_next_generation(object->generation);
		*object = (struct dp_object){
			.handle = td_handle_make(i, object->generation),
			.generation = object->generation,
			.context = context,
			.live = true,
		};
		return object;
	}
	ck_abort_msg("the test's dataplane is full");
	return NULL;
}

static void drop_cells(struct dp *dp, uint32_t kind, uint32_t handle)
{
	for (uint32_t i = dp->cell_count; i-- > 0;) {
		const struct dp_cell *cell = &dp->cells[i];

		if ((cell->from.kind == kind && cell->from.handle == handle) ||
		    (cell->to.kind == kind && cell->to.handle == handle))
			dp->cells[i] = dp->cells[--dp->cell_count];
	}
}

static int destroy_context(struct dp *dp, uint32_t handle)
{
	struct dp_object *context = dp_find(dp->contexts, handle);

	if (!context)
		return -TD_ESTALE;
	context->live = false;
	for (int i = 0; i < DP_OBJECTS; i++) {
		if (dp->streams[i].live && dp->streams[i].context == handle) {
			dp->streams[i].live = false;
			dp->swept++;
			drop_cells(dp, TD_MEMBER_STREAM, dp->streams[i].handle);
		}
		if (dp->players[i].live && dp->players[i].context == handle) {
			dp->players[i].live = false;
			drop_cells(dp, TD_MEMBER_PLAYER, dp->players[i].handle);
		}
	}
	return 0;
}

static bool same_member(struct td_member a, struct td_member b)
{
	return a.kind == b.kind && a.handle == b.handle;
}

static struct dp_cell *find_cell(struct dp *dp, struct td_member from, struct td_member to)
{
	for (uint32_t i = 0; i < dp->cell_count; i++) {
		if (same_member(dp->cells[i].from, from) && same_member(dp->cells[i].to, to))
			return &dp->cells[i];
	}
	return NULL;
}

static bool known(struct dp *dp, struct td_member member)
{
	return dp_find(member.kind == TD_MEMBER_STREAM ? dp->streams : dp->players, member.handle);
}

// One listener hears at most one source: anything else would need mixing.
static int edit(struct dp *dp, const struct td_command_matrix_edit *edit)
{
	if (!dp_find(dp->contexts, edit->context.v))
		return -TD_ESTALE;
	must(edit->cell_count >= 1);
	must(edit->cell_count <= TD_EDIT_CELL_MAX);
	for (uint32_t i = 0; i < edit->cell_count; i++) {
		if (!known(dp, edit->cells[i].from) || !known(dp, edit->cells[i].to))
			return -TD_ESTALE;
	}
	for (uint32_t i = 0; i < edit->cell_count; i++) {
		const struct td_cell *cell = &edit->cells[i];
		struct dp_cell *have = find_cell(dp, cell->from, cell->to);

		if (cell->gain_q12 == 0 && have)
			*have = dp->cells[--dp->cell_count];
		if (cell->gain_q12 != 0 && !have)
			dp->cells[dp->cell_count++] =
				(struct dp_cell){ edit->context.v, cell->from, cell->to };
	}
	for (uint32_t i = 0; i < dp->cell_count; i++) {
		for (uint32_t k = 0; k < i; k++)
			must(!same_member(dp->cells[i].to, dp->cells[k].to)); // one source each
	}
	return 0;
}

static int create_stream(struct dp *dp, const struct td_command *command, struct td_event *event)
{
	const struct td_command_stream_create *create = &command->u.stream_create;
	struct dp_object *stream;
	uint32_t index;

	if (!dp_find(dp->contexts, create->context.v))
		return -TD_ESTALE;
	must(create->owner != 0);
	stream = make(dp->streams, create->context.v);
	stream->owner = create->owner;
	index = td_handle_index(stream->handle);
	event->u.stream_created.stream.v = stream->handle;
	must(td_endpoint_parse_addr(create->family == TD_FAMILY_IPV6 ? "fd77::2" : "10.77.0.2",
				    &event->u.stream_created.local) == 0);
	event->u.stream_created.local.port_be = htons((uint16_t)(20000 + 2 * index));
	return 0;
}

static int destroy_stream(struct dp *dp, uint32_t handle, struct td_event *event)
{
	struct dp_object *stream = dp_find(dp->streams, handle);

	if (!stream)
		return -TD_ESTALE;
	// The recording has to be stopped before its parties go, or its end would be cut.
	for (int i = 0; i < DP_OBJECTS; i++)
		must(!dp->taps[i].live ||
		     (dp->taps[i].left != handle && dp->taps[i].right != handle));
	stream->live = false;
	drop_cells(dp, TD_MEMBER_STREAM, handle);
	event->u.stream_destroyed.stream.v = handle;
	event->u.stream_destroyed.stats = (struct td_stream_stats){
		.rx_packets = 990,
		.rx_expected = 1000,
		.rx_lost = 10,
		.tx_packets = 1000,
		.rx_jitter_us = 1500,
		.rtt_us = 20000,
	};
	return 0;
}

static int create_player(struct dp *dp, const struct td_command *command, struct td_event *event)
{
	const struct td_command_player_create *create = &command->u.player_create;
	struct dp_object *player;

	if (!dp_find(dp->contexts, create->context.v))
		return -TD_ESTALE;
	if (create->items[0].prompt >= DP_PROMPTS)
		return -TD_ENOT_FOUND;
	player = make(dp->players, create->context.v);
	player->loops = create->loop != 0;
	event->u.player.v = player->handle;
	return 0;
}

static int destroy_player(struct dp *dp, uint32_t handle)
{
	struct dp_object *player = dp_find(dp->players, handle);

	if (!player)
		return -TD_ESTALE;
	player->live = false;
	drop_cells(dp, TD_MEMBER_PLAYER, handle);
	return 0;
}

static int start_recording(struct dp *dp, const struct td_command *command, struct td_event *event)
{
	const struct td_command_record_start *start = &command->u.record_start;
	size_t len = strnlen(start->name, sizeof start->name);
	struct dp_object *tap;

	if (!dp_find(dp->streams, start->left.v) || !dp_find(dp->streams, start->right.v))
		return -TD_ESTALE;
	must(len > 4);
	ck_assert_str_eq(start->name + len - 4, ".wav");
	must(!strchr(start->name, '/'));
	tap = make(dp->taps, start->context.v);
	tap->owner = start->owner;
	tap->left = start->left.v;
	tap->right = start->right.v;
	event->u.tap.v = tap->handle;
	return 0;
}

static void report_closed(struct dp *dp, const struct dp_object *tap)
{
	struct td_event event = { .kind = TD_EVENT_RECORD_CLOSED };

	event.u.recording = dp->recorded;
	event.u.recording.tap.v = tap->handle;
	event.u.recording.owner = tap->owner;
	push(dp, &event);
}

static int execute(struct dp *dp, const struct td_command *command, struct td_event *event)
{
	struct dp_object *object;

	switch ((enum td_command_kind)command->kind) {
	case TD_COMMAND_CONTEXT_CREATE:
		event->u.context.v = make(dp->contexts, 0)->handle;
		return 0;
	case TD_COMMAND_CONTEXT_DESTROY: return destroy_context(dp, command->u.context_destroy.v);
	case TD_COMMAND_STREAM_CREATE: return create_stream(dp, command, event);
	case TD_COMMAND_STREAM_SET_REMOTE:
		object = dp_find(dp->streams, command->u.stream_set_remote.stream.v);
		if (!object)
			return -TD_ESTALE;
		object->remote = command->u.stream_set_remote;
		object->remote_count++;
		return 0;
	case TD_COMMAND_STREAM_DESTROY:
		return destroy_stream(dp, command->u.stream_destroy.v, event);
	case TD_COMMAND_PLAYER_CREATE: return create_player(dp, command, event);
	case TD_COMMAND_PLAYER_DESTROY: return destroy_player(dp, command->u.player_destroy.v);
	case TD_COMMAND_MATRIX_EDIT: return edit(dp, &command->u.matrix_edit);
	case TD_COMMAND_RECORD_START: return start_recording(dp, command, event);
	case TD_COMMAND_RECORD_STOP:
		object = dp_find(dp->taps, command->u.record_stop.v);
		if (!object)
			return -TD_ESTALE;
		object->live = false;
		return 0;
	case TD_COMMAND_NONE:
	case TD_COMMAND_PING:
	case TD_COMMAND_RESET:
	case TD_COMMAND_KIND_COUNT: break;
	}
	return 0;
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
	result = dp->fail[command.kind];
	dp->fail[command.kind] = 0;
	if (result == 0)
		result = execute(dp, &command, &event);
	push_done(dp, &command, &event, result);
	if (command.kind == TD_COMMAND_RECORD_STOP && result == 0 && !dp->keep_open) {
		struct dp_object *tap =
			&dp->taps[td_handle_index(command.u.record_stop.v) % DP_OBJECTS];

		report_closed(dp, tap);
	}
	return true;
}

bool dp_player_end(struct dp *dp)
{
	for (int i = 0; i < DP_OBJECTS; i++) {
		struct td_event event = { .kind = TD_EVENT_PLAYER_END };

		if (!dp->players[i].live || dp->players[i].loops)
			continue;
		event.u.player_end.player.v = dp->players[i].handle;
		event.u.player_end.context.v = dp->players[i].context;
		dp->players[i].loops = true; // its end is reported once
		push(dp, &event);
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

bool dp_hears(const struct dp *dp, uint32_t to, uint32_t from)
{
	for (uint32_t i = 0; i < dp->cell_count; i++) {
		if (dp->cells[i].to.handle == to && dp->cells[i].from.handle == from &&
		    dp->cells[i].from.kind == TD_MEMBER_STREAM)
			return true;
	}
	return false;
}

uint32_t dp_heard_by(const struct dp *dp, uint32_t to, enum td_member_kind *kind)
{
	for (uint32_t i = 0; i < dp->cell_count; i++) {
		if (dp->cells[i].to.handle == to) {
			*kind = (enum td_member_kind)dp->cells[i].from.kind;
			return dp->cells[i].from.handle;
		}
	}
	*kind = TD_MEMBER_NONE;
	return 0;
}
