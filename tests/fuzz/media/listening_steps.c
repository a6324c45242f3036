// Recordings, forks and captures, and privacy: who listens, and what nobody may hear.
#include <string.h>

#include "media/engine_state.h"
#include "steps.h"

bool stage_is_party(const struct stage_context *context, const struct oracle_member *member)
{
	for (uint32_t i = 0; i < context->party_count; i++)
		if (member->kind == TD_MEMBER_STREAM && member->handle == context->parties[i])
			return true;
	return false;
}

static bool is_private(uint32_t context_index)
{
	for (uint32_t i = 0; i < STAGE_CONTEXTS; i++)
		if (stage.contexts[i].id.v != 0 &&
		    td_handle_index(stage.contexts[i].id.v) == context_index)
			return stage.contexts[i].private;
	return false; // one that is gone
}

// A fork's record: of a stream of its own that is not private.
static void check_fork_record(const struct td_tap_record *record)
{
	const struct td_engine_fork *fork = &stage.world.engine->forks[record->tap];
	bool is_track = record->side < TD_FORK_STREAM_MAX;
	uint32_t stream = is_track ? fork->streams[record->side] : TD_INDEX_NONE;

	must(is_track);
	if (fork->stream_count == 0) {
		must(!is_private(fork->context));
		return;
	}
	if (stream != TD_INDEX_NONE)
		must(!is_private(stage.world.engine->streams[stream].context));
}

uint32_t stage_listen(void)
{
	uint32_t said = 0;

	for (uint32_t i = 0; i < STAGE_WORKERS; i++) {
		struct td_tap_ring *taps = td_engine_tap_ring(stage.world.engine, i);
		struct td_tap_ring *forks = td_engine_fork_ring(stage.world.engine, i);
		const struct td_tap_record *record;

		for (; td_tap_peek(taps) != NULL; said++)
			td_tap_release(taps);
		while ((record = td_tap_peek(forks)) != NULL) {
			check_fork_record(record);
			said += record->kind == TD_TAP_AUDIO || record->kind == TD_TAP_EVENT;
			td_tap_release(forks);
		}
	}
	return said;
}

void stage_listen_to(const struct stage_party *party)
{
	bool hushed = stage.contexts[party->context].private;

	for (uint32_t i = 0; i < STAGE_WORKERS; i++) {
		struct td_tap_ring *taps = td_engine_tap_ring(stage.world.engine, i);
		const struct td_tap_record *record;

		while ((record = td_tap_peek(taps)) != NULL) {
			uint8_t flags = stage.world.engine->tap_flags[record->tap];

			must(record->ssrc == party->party.ssrc);
			must(!(flags & TD_TAP_PAUSED));
			must((record->flags == TD_TAP_MASKED) ==
			     (hushed || (flags & TD_TAP_MASKED)));
			must(record->flags == 0 || record->payload_len == 0);
			td_tap_release(taps);
		}
	}
	(void)stage_listen();
}

static void close_all(struct stage_tap *taps, uint32_t context, uint32_t *closing, uint32_t *count)
{
	for (uint32_t i = 0; i < STAGE_TAPS; i++) {
		if (taps[i].handle == 0 || taps[i].context != context)
			continue;
		closing[(*count)++] = taps[i].handle;
		taps[i].handle = 0;
	}
}

void stage_taps_of_gone(uint32_t context)
{
	close_all(stage.taps, context, stage.closing_taps, &stage.closing_tap_count);
	close_all(stage.forks, context, stage.closing_forks, &stage.closing_fork_count);
}

void stage_close_taps(void)
{
	struct td_event event = { .kind = TD_EVENT_RECORD_CLOSED };
	bool any = false;

	if (stage.world.closed - stage.closed_taps == stage.closing_tap_count) {
		td_role_enter_recorder();
		for (; stage.closing_tap_count > 0; any = true) {
			event.u.recording.tap.v = stage.closing_taps[--stage.closing_tap_count];
			must(td_engine_record_event(stage.world.engine, &event) == 0);
		}
		stage.closed_taps = stage.world.closed;
	}
	event = (struct td_event){ .kind = TD_EVENT_FORK_CLOSED };
	if (stage.world.forks_closed - stage.closed_forks == stage.closing_fork_count) {
		td_role_enter_forker();
		for (; stage.closing_fork_count > 0; any = true) {
			event.u.fork.fork.v = stage.closing_forks[--stage.closing_fork_count];
			must(td_engine_fork_event(stage.world.engine, &event) == 0);
		}
		stage.closed_forks = stage.world.forks_closed;
	}
	td_role_enter_worker(0);
	if (any)
		stage_flush();
}

static struct stage_tap *free_place(struct stage_tap *taps)
{
	for (uint32_t i = 0; i < STAGE_TAPS; i++)
		if (taps[i].handle == 0)
			return &taps[i];
	return NULL;
}

// One of them, or something that is none: then *handle is dead.
static struct stage_tap *pick(struct stage_tap *taps, uint32_t *handle)
{
	uint8_t byte = step_byte();
	struct stage_tap *tap = &taps[byte % STAGE_TAPS];

	*handle = tap->handle != 0 ? tap->handle : byte | 0xffff0000u;
	return tap->handle != 0 ? tap : NULL;
}

static uint32_t some_stream(const struct stage_party **party)
{
	uint8_t byte = step_byte();

	*party = step_party(byte);
	return *party != NULL ? (*party)->party.id.v : stage_dead(STAGE_STREAM, byte);
}

static void start_recording(void)
{
	struct td_command command = { .kind = TD_COMMAND_RECORD_START };
	struct td_command_record_start *start = &command.u.record_start;
	uint8_t byte = step_byte(), how = step_byte();
	struct stage_tap *tap = free_place(stage.taps);
	const struct stage_party *left, *right = NULL;
	uint32_t place;
	const struct stage_context *context = step_context(byte, &place);
	struct td_event event;
	int expected = 0;

	start->context.v = context != NULL ? context->id.v : stage_dead(STAGE_CONTEXT, byte);
	start->left.v = some_stream(&left);
	start->right.v = how & 1 ? some_stream(&right) : 0;
	start->track_count = (uint8_t)((how >> 1) % (TD_TRACK_MAX + 2u));
	strcpy(start->name, how & 0x80 ? "../x.wav" : "x.wav");
	if (context == NULL)
		expected = -TD_ESTALE;
	else if (start->track_count == 1 || start->track_count > TD_TRACK_MAX)
		expected = -TD_EINVALID;
	else if (left == NULL || (start->right.v != 0 && right == NULL))
		expected = -TD_ESTALE;
	else if (start->left.v == start->right.v || how & 0x80)
		expected = -TD_EINVALID;
	if (tap == NULL && expected == 0)
		return;
	event = stage_command(&command);
	must(event.result == expected || (expected == 0 && event.result == -TD_EFULL));
	if (event.result == 0)
		*tap = (struct stage_tap){ event.u.tap.v, place,
					   start->track_count != 0 ? start->track_count : 2 };
}

static void stop_recording(void)
{
	struct td_command command = { .kind = TD_COMMAND_RECORD_STOP };
	struct stage_tap *tap = pick(stage.taps, &command.u.record_stop.v);

	must(stage_command(&command).result == (tap != NULL ? 0 : -TD_ESTALE));
	if (tap == NULL)
		return;
	stage.closing_taps[stage.closing_tap_count++] = tap->handle;
	tap->handle = 0;
}

static void attach_or_detach(uint32_t kind)
{
	struct td_command command = { .kind = kind };
	struct td_command_record_track *track = &command.u.record_track;
	const struct stage_tap *tap = pick(stage.taps, &track->tap.v);
	const struct stage_party *party;
	int result;

	track->stream.v = some_stream(&party);
	track->track = step_byte() % (TD_TRACK_MAX + 1u);
	result = stage_command(&command).result;
	if (tap == NULL || party == NULL)
		must(result == -TD_ESTALE);
	else if (kind == TD_COMMAND_RECORD_DETACH)
		must(result == 0 || result == -TD_ENOT_FOUND);
	else if (track->track >= tap->tracks)
		must(result == -TD_EINVALID);
	else
		must(result == 0 || result == -TD_EBUSY || result == -TD_EFULL);
}

static void control_recording(void)
{
	struct td_command command = { .kind = TD_COMMAND_RECORD_CONTROL };
	const struct stage_tap *tap = pick(stage.taps, &command.u.record_control.tap.v);
	uint32_t action = step_byte() % (TD_RECORD_ACTION_COUNT + 1u);

	command.u.record_control.action = action;
	must(stage_command(&command).result == (tap == NULL                        ? -TD_ESTALE
						: action >= TD_RECORD_ACTION_COUNT ? -TD_EINVALID
										   : 0));
}

static void start_fork(void)
{
	struct td_command command = { .kind = TD_COMMAND_FORK_START };
	struct td_command_fork_start *start = &command.u.fork_start;
	uint8_t byte = step_byte(), how = step_byte();
	struct stage_tap *fork = free_place(stage.forks);
	uint32_t place, closed;
	const struct stage_context *context = step_context(byte, &place);
	struct td_event event;
	int expected = context == NULL ? -TD_ESTALE : 0;

	start->context.v = context != NULL ? context->id.v : stage_dead(STAGE_CONTEXT, byte);
	start->what = how & 1 ? TD_FORK_CAPTURE : TD_FORK_DESTINATION;
	start->stream_count = 1u + (how >> 1) % 3u;
	if (how & 0x40) { // of the whole context
		start->what = how & 1 ? TD_FORK_CAPTURE : TD_FORK_FLOOR;
		start->stream_count = how & 1 ? 0 : 1;
		start->codec = how & 2 ? TD_CODEC_PCMU : TD_CODEC_L16_16;
		strcpy(start->tracks[0], "floor");
	}
	strcpy(start->destination, "bot");
	strcpy(start->call, how & 0x80 ? "c 1" : "c1");
	for (uint32_t i = 0; i < start->stream_count && !(how & 0x40); i++) {
		const struct stage_party *party;

		start->streams[i].v = some_stream(&party);
		strcpy(start->tracks[i], "t");
		if (expected == 0 && party == NULL)
			expected = -TD_ESTALE;
		for (uint32_t j = 0; expected == 0 && j < i; j++)
			if (start->streams[j].v == start->streams[i].v)
				expected = -TD_EINVALID;
	}
	if (how & 0x80)
		expected = -TD_EINVALID;
	if (fork == NULL && expected == 0)
		return;
	closed = stage.world.forks_closed;
	event = stage_command(&command);
	if (stage.world.forks_closed != closed) // it had been opened in vain
		stage.closing_forks[stage.closing_fork_count++] = stage.world.last_fork.v;
	if (event.result == -TD_EEXISTS)
		must(how & 0x40 && how & 1 && expected == 0);
	else
		must(event.result == expected || event.result == -TD_EFULL);
	if (event.result == 0)
		*fork = (struct stage_tap){ event.u.fork_started.fork.v, place, 0 };
}

static void stop_fork(void)
{
	struct td_command command = { .kind = TD_COMMAND_FORK_STOP };
	struct stage_tap *fork = pick(stage.forks, &command.u.fork_stop.v);

	must(stage_command(&command).result == (fork != NULL ? 0 : -TD_ESTALE));
	if (fork == NULL)
		return;
	stage.closing_forks[stage.closing_fork_count++] = fork->handle;
	fork->handle = 0;
}

static void privacy(void)
{
	const struct td_engine *engine = stage.world.engine;
	uint32_t inlets = engine->free_inlet_count, outlets = engine->free_outlet_count, place;
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_PRIVACY };
	struct td_command_context_privacy *privacy = &command.u.context_privacy;
	uint8_t byte = step_byte(), how = step_byte();
	struct stage_context *context = step_context(byte, &place);
	int expected = context == NULL ? -TD_ESTALE : 0, result;

	privacy->context.v = context != NULL ? context->id.v : stage_dead(STAGE_CONTEXT, byte);
	privacy->on = how & 3u;
	privacy->party_count = (how >> 2) % 4u + (how >= 248 ? TD_PRIVACY_PARTY_MAX : 0);
	if (expected == 0 && privacy->party_count > TD_PRIVACY_PARTY_MAX)
		expected = -TD_EINVALID;
	for (uint32_t i = 0; i < privacy->party_count && i < TD_PRIVACY_PARTY_MAX; i++) {
		const struct stage_party *party;

		privacy->parties[i].v = some_stream(&party);
		if (expected == 0 && privacy->on && (party == NULL || party->context != place))
			expected = -TD_ESTALE;
	}
	result = stage_command(&command).result;
	if (result == -TD_EFULL && expected == 0) {
		step_check_full(inlets, outlets);
		return;
	}
	must(result == expected);
	if (result != 0)
		return;
	context->private = privacy->on != 0;
	context->party_count = context->private ? privacy->party_count : 0;
	for (uint32_t i = 0; i < context->party_count; i++)
		context->parties[i] = privacy->parties[i].v;
}

void step_listening(void)
{
	(void)stage_listen(); // as it is before
	switch (step_byte() % 12) {
	case 0:
	case 1: start_recording(); break;
	case 2: stop_recording(); break;
	case 3:
	case 4: attach_or_detach(TD_COMMAND_RECORD_ATTACH); break;
	case 5: attach_or_detach(TD_COMMAND_RECORD_DETACH); break;
	case 6: control_recording(); break;
	case 7:
	case 8: start_fork(); break;
	case 9: stop_fork(); break;
	default: privacy(); break;
	}
}
