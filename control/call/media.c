// Choosing and sending the command that comes next.
#include "call/media.h"

#include <string.h>

#include "call/media_inside.h"
#include "link/link.h"
#include "td_assert.h"

void td_media_init(struct td_media *media, struct td_calls *calls, struct td_call *call,
		   struct td_conference *conference)
{
	memset(media, 0, sizeof *media);
	media->calls = calls;
	media->call = call;
	media->conference = conference;
	media->retry.kind = TD_ALARM_MEDIA_RETRY;
	td_timer_init(&media->retry.timer);
	td_list_init(&media->members);
	td_list_init(&media->work);
	media->recording.beep.kind = TD_ALARM_RECORDING_BEEP;
	media->recording.unmask.kind = TD_ALARM_RECORDING_RESUME;
	media->privacy.end.kind = TD_ALARM_PRIVACY_END;
	td_timer_init(&media->recording.beep.timer);
	td_timer_init(&media->recording.unmask.timer);
	td_timer_init(&media->privacy.end.timer);
	media->prompt_wanted = TD_MEDIA_NO_PROMPT;
	for (int i = 0; i < TD_MEDIA_PLAYERS; i++)
		media->players[i].prompt = TD_MEDIA_NO_PROMPT;
}

void td_media_cancel(struct td_media *media)
{
	struct td_wheel *wheel = &media->calls->wheel;

	td_wheel_cancel(wheel, &media->retry.timer);
	td_wheel_cancel(wheel, &media->recording.beep.timer);
	td_wheel_cancel(wheel, &media->recording.unmask.timer);
	td_wheel_cancel(wheel, &media->privacy.end.timer);
}

bool td_media_idle(const struct td_media *media)
{
	return media->request_count == 0 && media->context.v == 0 && media->member_count == 0 &&
	       media->guest_count == 0 && !td_recording_is_open(&media->recording);
}

static bool under_way(const struct td_media *media, enum td_command_kind kind)
{
	for (int i = 0; i < TD_MEDIA_REQUEST_MAX; i++) {
		if (media->requests[i].kind == kind)
			return true;
	}
	return false;
}

bool td_media_leg_busy(const struct td_leg *leg)
{
	return leg->media.request_count > 0;
}

// The context goes last: a stream that went only with it would leave no statistics.
static bool next_context_end(const struct td_media *media, struct td_command *command)
{
	command->kind = TD_COMMAND_CONTEXT_DESTROY;
	command->u.context_destroy = media->context;
	return media->member_count == 0 && media->guest_count == 0 && media->request_count == 0;
}

static bool next_command(struct td_media *media, struct td_command *command, struct td_leg **leg,
			 uint32_t *number)
{
	if (media->context.v == 0) {
		// A stream that is still elsewhere and shall not come needs no context to end.
		if (!media->context_wanted)
			return td_media_next_leg(media, command, leg);
		command->kind = TD_COMMAND_CONTEXT_CREATE;
		return true;
	}
	if (td_media_next_privacy(media, command) || td_media_next_recording_end(media, command) ||
	    td_media_next_leg(media, command, leg))
		return true;
	if (!media->context_wanted)
		return next_context_end(media, command);
	if (td_media_next_player(media, command, number))
		return true;
	// One edit builds on the other: the first has to be known to have worked.
	if (!under_way(media, TD_COMMAND_MATRIX_EDIT) && td_media_next_edit(media, command))
		return true;
	return td_media_next_player_end(media, command, number) ||
	       td_media_next_recording(media, command, number);
}

// What comes next may depend on what these bring back, or on their being done. What is about one
// leg's stream holds up that leg only: td_media_next_leg.
static bool waits(const struct td_media *media)
{
	static const enum td_command_kind barriers[] = {
		TD_COMMAND_CONTEXT_CREATE,  TD_COMMAND_CONTEXT_DESTROY, TD_COMMAND_PLAYER_CREATE,
		TD_COMMAND_CONTEXT_PRIVACY, TD_COMMAND_RECORD_START,    TD_COMMAND_RECORD_STOP,
	};

	for (size_t i = 0; i < sizeof barriers / sizeof barriers[0]; i++) {
		if (under_way(media, barriers[i]))
			return true;
	}
	return false;
}

static void assume_leg(struct td_media_request *request, const struct td_command *command)
{
	struct td_leg_media *media = &request->leg->media;

	media->request_count++;
	if (request->kind == TD_COMMAND_STREAM_SET_REMOTE) {
		media->remote_applied = media->remote_serial;
		return;
	}
	media->waits++;
	if (request->kind == TD_COMMAND_STREAM_DESTROY)
		media->ending = true;
	if (request->kind != TD_COMMAND_STREAM_MOVE)
		return;
	request->undo_count = command->u.stream_move.cell_count;
	memcpy(request->undo, command->u.stream_move.cells, sizeof request->undo);
}

// The command is out: from now on its effect is taken for granted, until its answer says else.
static void assume(struct td_media *media, struct td_media_request *request,
		   const struct td_command *command)
{
	const struct td_command_matrix_edit *edit = &command->u.matrix_edit;

	media->request_count++;
	if (request->leg)
		assume_leg(request, command);
	if (request->kind == TD_COMMAND_PLAYER_DESTROY)
		media->players[request->number].ending = true;
	if (request->kind == TD_COMMAND_CONTEXT_PRIVACY)
		td_media_privacy_assume(media, command);
	td_media_recording_assume(media, command, request->number);
	if (request->kind == TD_COMMAND_MATRIX_EDIT) {
		request->undo_count = edit->cell_count;
		td_media_save_cells(media, edit->cells, edit->cell_count, request->undo);
		td_media_take_cells(media, edit->cells, edit->cell_count);
	}
}

// It could not be sent: a player that was to come is forgotten again.
static void not_sent(struct td_media *media, const struct td_command *command, uint32_t number,
		     int error)
{
	struct td_calls *calls = media->calls;

	if (command->kind == TD_COMMAND_PLAYER_CREATE && number == TD_MEDIA_MUSIC)
		media->players[number] = (struct td_media_player){ .prompt = TD_MEDIA_NO_PROMPT };
	if ((command->kind == TD_COMMAND_PLAYER_CREATE && number == TD_MEDIA_ANNOUNCE) ||
	    command->kind == TD_COMMAND_PLAYER_CONTROL)
		media->announcement.state = TD_ANNOUNCEMENT_WANTED;
	// A link that is down says so by its state; until then nothing can be done.
	if (error != -TD_ELINK_DOWN)
		td_wheel_arm(&calls->wheel, &media->retry.timer, calls->now_ms + TD_MEDIA_RETRY_MS);
}

static bool submit(struct td_media *media, struct td_command *command, struct td_leg *leg,
		   uint32_t number)
{
	struct td_media_request *request = media->requests;
	int error;

	while (request->kind != 0)
		request++;
	td_on_control();
	error = td_link_submit(media->calls->deps.link, command, td_media_answered, request);
	if (error) {
		not_sent(media, command, number, error);
		return false;
	}
	*request = (struct td_media_request){
		.media = media, .leg = leg, .kind = command->kind, .number = number
	};
	assume(media, request, command);
	return true;
}

// What was only just asked for has no name yet, but those right behind it may mean it all the same:
// context, stream and remote of a caller are one exchange with the dataplane instead of three.
static bool next_behind(struct td_media *media, uint32_t before, struct td_command *command,
			struct td_leg **leg)
{
	if (before == TD_COMMAND_STREAM_CREATE && td_media_next_remote(*leg, command))
		return true;
	return before != TD_COMMAND_NONE && under_way(media, TD_COMMAND_CONTEXT_CREATE) &&
	       td_media_next_leg(media, command, leg);
}

void td_media_step(struct td_media *media)
{
	uint32_t before = TD_COMMAND_NONE; // kind of the command that went out last, in this step
	struct td_leg *leg = NULL;
	bool more = true;

	while (more && media->calls->link_up && !td_timer_armed(&media->retry.timer) &&
	       media->request_count < TD_MEDIA_REQUEST_MAX) {
		struct td_command command;
		uint32_t player = 0;

		memset(&command, 0, sizeof command);
		more = next_behind(media, before, &command, &leg);
		if (!more) {
			leg = NULL;
			more = !waits(media) && next_command(media, &command, &leg, &player);
		}
		more = more && submit(media, &command, leg, player);
		before = command.kind;
		if (before == TD_COMMAND_STREAM_SET_REMOTE)
			explicit_bzero(&command, sizeof command); // it may have held keys
	}
	if (media->call && media->call->state == TD_CALL_ENDING && media->call->leg_count == 0 &&
	    td_media_idle(media))
		td_call_post(media->calls, media->call, TD_CALL_CLEARED);
}
