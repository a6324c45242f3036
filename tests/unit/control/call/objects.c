// What the test's dataplane has, and what each command does to it.
#include <arpa/inet.h>
#include <check.h>
#include <string.h>

#include "dataplane.h"

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

static void end_fork(struct dp *dp, struct dp_object *fork)
{
	struct dp_object *player = dp_find(dp->players, fork->player);

	fork->live = false;
	if (player) {
		player->live = false;
		dp_drop_cells(dp, TD_MEMBER_PLAYER, fork->player);
	}
}

static int destroy_context(struct dp *dp, uint32_t handle)
{
	struct dp_object *context = dp_find(dp->contexts, handle);

	if (!context)
		return -TD_ESTALE;
	context->live = false;
	for (int i = 0; i < DP_OBJECTS; i++) {
		if (dp->forks[i].live && dp->forks[i].context == handle) {
			end_fork(dp, &dp->forks[i]);
			dp_fork_event(dp, TD_EVENT_FORK_CLOSED, dp->forks[i].handle, 0);
		}
		if (dp->streams[i].live && dp->streams[i].context == handle) {
			dp->streams[i].live = false;
			dp->swept++;
			dp_drop_cells(dp, TD_MEMBER_STREAM, dp->streams[i].handle);
		}
		if (dp->players[i].live && dp->players[i].context == handle) {
			dp->players[i].live = false;
			dp_drop_cells(dp, TD_MEMBER_PLAYER, dp->players[i].handle);
		}
	}
	return 0;
}

static int create_stream(struct dp *dp, const struct td_command *command, struct td_event *event)
{
	const struct td_command_stream_create *create = &command->u.stream_create;
	struct dp_object *stream;
	uint32_t index, context = create->context.v == TD_HANDLE_LATEST ? dp->latest_context
									: create->context.v;

	if (!dp_find(dp->contexts, context))
		return -TD_ESTALE;
	must(create->owner != 0);
	stream = make(dp->streams, context);
	dp->latest_stream = stream->handle;
	stream->owner = create->owner;
	stream->flags = create->flags;
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
	for (int i = 0; i < DP_OBJECTS; i++)
		for (int track = 0; track < TD_TRACK_MAX; track++)
			if (dp->taps[i].tracks[track] == handle)
				dp->taps[i].tracks[track] = 0;
	stream->live = false;
	dp_drop_cells(dp, TD_MEMBER_STREAM, handle);
	event->u.stream_destroyed.stream.v = handle;
	event->u.stream_destroyed.stats = (struct td_stream_stats){
		.rx_packets = 990,
		.rx_expected = 1000,
		.rx_lost = 10,
		.tx_packets = 1000,
		.rx_jitter_us = 1500,
		.rtt_us = 20000,
		.rx_discarded = 3,
		.quality = { .mos_avg_x100 = 383,
			     .mos_min_x100 = 280,
			     .rtt_max_us = 30000,
			     .delay_max_ms = 90,
			     .bursts = 2,
			     .burst_lost = 7,
			     .measured_ms = 4800,
			     .talk_ms = 2240,
			     .double_talk_ms = 320,
			     .one_way_ms = 1000,
			     .level_dbm0 = -19,
			     .noise_dbm0 = TD_LEVEL_UNKNOWN,
			     .xr_received = 1,
			     .remote = { .mos_cq_x10 = 41 } },
	};
	return 0;
}

static bool items_known(const struct td_play_item *items, uint32_t count)
{
	must(count >= 1);
	must(count <= TD_PLAY_ITEM_MAX);
	for (uint32_t i = 0; i < count; i++) {
		if (items[i].prompt >= DP_PROMPTS)
			return false;
	}
	return true;
}

static int create_player(struct dp *dp, const struct td_command *command, struct td_event *event)
{
	const struct td_command_player_create *create = &command->u.player_create;
	struct dp_object *player;

	if (!dp_find(dp->contexts, create->context.v))
		return -TD_ESTALE;
	if (!items_known(create->items, create->item_count))
		return -TD_ENOT_FOUND;
	player = make(dp->players, create->context.v);
	player->loops = create->loop != 0;
	player->item_count = create->item_count;
	memcpy(player->items, create->items, sizeof player->items);
	event->u.player.v = player->handle;
	return 0;
}

static int destroy_player(struct dp *dp, uint32_t handle)
{
	struct dp_object *player = dp_find(dp->players, handle);

	if (!player)
		return -TD_ESTALE;
	player->live = false;
	dp_drop_cells(dp, TD_MEMBER_PLAYER, handle);
	return 0;
}

static int control_player(struct dp *dp, const struct td_command_player_control *control)
{
	struct dp_object *player = dp_find(dp->players, control->player.v);

	if (!player)
		return -TD_ESTALE;
	switch ((enum td_player_action)control->action) {
	case TD_PLAYER_PAUSE: player->paused = true; break;
	case TD_PLAYER_RESUME: player->paused = false; break;
	case TD_PLAYER_SEEK: player->position_ms = control->position_ms; break;
	case TD_PLAYER_SPLICE:
		if (!items_known(control->items, control->item_count))
			return -TD_ENOT_FOUND;
		player->spliced_count = control->item_count;
		memcpy(player->spliced, control->items, sizeof player->spliced);
		break;
	case TD_PLAYER_STOP: dp_report_end(dp, player, TD_PLAYER_END_STOPPED); break;
	case TD_PLAYER_ACTION_COUNT: return -TD_EINVALID;
	}
	return 0;
}

static int start_recording(struct dp *dp, const struct td_command *command, struct td_event *event)
{
	const struct td_command_record_start *start = &command->u.record_start;
	size_t len = strnlen(start->name, sizeof start->name);
	struct dp_object *tap;

	if ((start->left.v && !dp_find(dp->streams, start->left.v)) ||
	    (start->right.v && !dp_find(dp->streams, start->right.v)))
		return -TD_ESTALE;
	must(len > 5);
	ck_assert_str_eq(start->name + len - (start->format == TD_RECORD_OPUS ? 5 : 4),
			 start->format == TD_RECORD_OPUS ? ".opus" : ".wav");
	must(!start->stereo || start->format == TD_RECORD_WAV);
	must(!strchr(start->name, '/'));
	tap = make(dp->taps, start->context.v);
	tap->owner = start->owner;
	tap->tracks[0] = start->left.v;
	tap->tracks[1] = start->right.v;
	tap->track_count = start->track_count ? start->track_count : 2;
	tap->stereo = start->stereo != 0;
	event->u.tap.v = tap->handle;
	return 0;
}

static uint32_t *track_of(struct dp_object *tap, uint32_t stream)
{
	for (unsigned i = 0; i < TD_TRACK_MAX; i++)
		if (tap->tracks[i] == stream)
			return &tap->tracks[i];
	return NULL;
}

static int set_track(struct dp *dp, const struct td_command_record_track *track, bool on)
{
	struct dp_object *tap = dp_find(dp->taps, track->tap.v);
	uint32_t *at;

	if (!tap || !dp_find(dp->streams, track->stream.v))
		return -TD_ESTALE;
	if (on && track->track >= tap->track_count)
		return -TD_EINVALID;
	at = track_of(tap, track->stream.v);
	if (on && at)
		return -TD_EBUSY;
	if (!on && !at)
		return -TD_ENOT_FOUND;
	if (on)
		tap->tracks[track->track] = track->stream.v;
	else
		*at = 0;
	return 0;
}

static int control_recording(struct dp *dp, const struct td_command_record_control *control)
{
	struct dp_object *tap = dp_find(dp->taps, control->tap.v);

	if (!tap)
		return -TD_ESTALE;
	must(control->action < TD_RECORD_ACTION_COUNT);
	tap->actions[control->action]++;
	memcpy(tap->mark, control->text, sizeof tap->mark);
	return 0;
}

static int set_privacy(struct dp *dp, const struct td_command_context_privacy *privacy)
{
	struct dp_object *context = dp_find(dp->contexts, privacy->context.v);

	if (!context)
		return -TD_ESTALE;
	for (uint32_t i = 0; i < privacy->party_count; i++) {
		const struct dp_object *stream = dp_find(dp->streams, privacy->parties[i].v);

		if (!stream || stream->context != context->handle)
			return -TD_ESTALE;
	}
	context->privacy = *privacy;
	return 0;
}

// A destination called "bot" may speak.
static int start_fork(struct dp *dp, const struct td_command *command, struct td_event *event)
{
	const struct td_command_fork_start *start = &command->u.fork_start;
	struct dp_object *fork;

	if (!dp_find(dp->contexts, start->context.v))
		return -TD_ESTALE;
	for (uint32_t i = 0; start->what != TD_FORK_FLOOR && i < start->stream_count; i++)
		if (!dp_find(dp->streams, start->streams[i].v))
			return -TD_ESTALE;
	must(start->what != TD_FORK_FLOOR ||
	     (start->stream_count == 1 && start->streams[0].v == 0 &&
	      td_codec_clock_hz((enum td_codec_id)start->codec) != 0));
	must(start->what != TD_FORK_DESTINATION || start->stream_count > 0);
	fork = make(dp->forks, start->context.v);
	fork->owner = start->owner;
	for (uint32_t i = 0; i < start->stream_count && i < TD_TRACK_MAX; i++)
		fork->tracks[i] = start->streams[i].v;
	fork->what = start->what;
	fork->codec = start->codec;
	memcpy(fork->label, start->call, sizeof fork->label);
	if (start->what != TD_FORK_CAPTURE && strcmp(start->destination, "bot") == 0)
		fork->player = make(dp->players, start->context.v)->handle;
	event->u.fork_started.fork.v = fork->handle;
	event->u.fork_started.player.v = fork->player;
	return 0;
}

int dp_execute(struct dp *dp, const struct td_command *command, struct td_event *event)
{
	struct dp_object *object;

	switch ((enum td_command_kind)command->kind) {
	case TD_COMMAND_CONTEXT_CREATE:
		event->u.context.v = dp->latest_context = make(dp->contexts, 0)->handle;
		return 0;
	case TD_COMMAND_CONTEXT_DESTROY: return destroy_context(dp, command->u.context_destroy.v);
	case TD_COMMAND_STREAM_CREATE: return create_stream(dp, command, event);
	case TD_COMMAND_STREAM_SET_REMOTE:
		object = dp_find(dp->streams,
				 command->u.stream_set_remote.stream.v == TD_HANDLE_LATEST
					 ? dp->latest_stream
					 : command->u.stream_set_remote.stream.v);
		if (!object)
			return -TD_ESTALE;
		object->remote = command->u.stream_set_remote;
		object->remote_count++;
		return 0;
	case TD_COMMAND_STREAM_DESTROY:
		return destroy_stream(dp, command->u.stream_destroy.v, event);
	case TD_COMMAND_PLAYER_CREATE: return create_player(dp, command, event);
	case TD_COMMAND_PLAYER_DESTROY: return destroy_player(dp, command->u.player_destroy.v);
	case TD_COMMAND_MATRIX_EDIT: return dp_edit(dp, &command->u.matrix_edit);
	case TD_COMMAND_RECORD_START: return start_recording(dp, command, event);
	case TD_COMMAND_RECORD_STOP:
		object = dp_find(dp->taps, command->u.record_stop.v);
		if (!object)
			return -TD_ESTALE;
		object->live = false;
		return 0;
	case TD_COMMAND_STREAM_MOVE: return dp_move(dp, &command->u.stream_move);
	case TD_COMMAND_PLAYER_CONTROL: return control_player(dp, &command->u.player_control);
	case TD_COMMAND_STREAM_TUNE:
		object = dp_find(dp->streams, command->u.stream_tune.stream.v);
		if (!object)
			return -TD_ESTALE;
		object->tune = command->u.stream_tune;
		return 0;
	case TD_COMMAND_STREAM_DIGITS:
		object = dp_find(dp->streams, command->u.stream_digits.stream.v);
		if (!object)
			return -TD_ESTALE;
		object->digits = command->u.stream_digits;
		return 0;
	case TD_COMMAND_RECORD_NOTE:
		return dp_find(dp->taps, command->u.record_note.tap.v) ? 0 : -TD_ESTALE;
	case TD_COMMAND_RECORD_ATTACH: return set_track(dp, &command->u.record_track, true);
	case TD_COMMAND_RECORD_DETACH: return set_track(dp, &command->u.record_track, false);
	case TD_COMMAND_RECORD_CONTROL: return control_recording(dp, &command->u.record_control);
	case TD_COMMAND_CONTEXT_PRIVACY: return set_privacy(dp, &command->u.context_privacy);
	case TD_COMMAND_FORK_START: return start_fork(dp, command, event);
	case TD_COMMAND_FORK_STOP:
		object = dp_find(dp->forks, command->u.fork_stop.v);
		if (!object)
			return -TD_ESTALE;
		end_fork(dp, object);
		return 0;
	case TD_COMMAND_CONTEXT_MOVE: return -TD_EUNSUPPORTED; // it has one worker
	case TD_COMMAND_NONE:
	case TD_COMMAND_PING:
	case TD_COMMAND_RESET:
	case TD_COMMAND_KIND_COUNT: break;
	}
	return 0;
}
