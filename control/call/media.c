// Choosing and sending the command that comes next.
#include "call/media.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "call/manager.h"
#include "call/media_answers.h"
#include "link/link.h"
#include "td_assert.h"
#include "td_log.h"

#define DSCP_EF 46 // RFC 3246: what telephony marks its media with

void td_media_init(struct td_media *media)
{
	memset(media, 0, sizeof *media);
	media->prompt_wanted = TD_MEDIA_NO_PROMPT;
	media->players[0].prompt = TD_MEDIA_NO_PROMPT;
	media->players[1].prompt = TD_MEDIA_NO_PROMPT;
}

bool td_media_idle(const struct td_call *call)
{
	const struct td_media *media = &call->media;

	return media->request_count == 0 && media->context.v == 0 && call->leg_count == 0 &&
	       media->recording != TD_RECORDING_RUNNING && media->recording != TD_RECORDING_CLOSING;
}

static bool under_way(const struct td_media *media, enum td_command_kind kind)
{
	for (int i = 0; i < TD_MEDIA_REQUEST_MAX; i++) {
		if (media->requests[i].kind == kind)
			return true;
	}
	return false;
}

bool td_media_leg_busy(const struct td_call *call, const struct td_leg *leg)
{
	for (int i = 0; i < TD_MEDIA_REQUEST_MAX; i++) {
		if (call->media.requests[i].kind != 0 && call->media.requests[i].leg == leg)
			return true;
	}
	return false;
}

static struct td_member member_stream(const struct td_leg *leg)
{
	return (struct td_member){ TD_MEMBER_STREAM, leg ? leg->media.stream.v : 0 };
}

// The two ends of a cell; false when one of them is not there.
static bool cell_ends(const struct td_call *call, uint32_t bit, struct td_cell *cell)
{
	const uint32_t to_agent = TD_CELL_CALLER_AGENT | TD_CELL_PLAYER_AGENT | TD_CELL_OLD_AGENT;
	const uint32_t old = TD_CELL_OLD_CALLER | TD_CELL_OLD_AGENT;

	*cell = (struct td_cell){ .to = member_stream(bit & to_agent ? call->agent
								     : call->caller) };
	if (bit == TD_CELL_CALLER_AGENT)
		cell->from = member_stream(call->caller);
	else if (bit == TD_CELL_AGENT_CALLER)
		cell->from = member_stream(call->agent);
	else
		cell->from = (struct td_member){ TD_MEMBER_PLAYER,
						 call->media.players[bit & old ? 1 : 0].id.v };
	return cell->from.handle != 0 && cell->to.handle != 0;
}

// The cells that are both wanted and possible with what is there now.
static uint32_t cells_due(const struct td_call *call)
{
	uint32_t due = 0;

	for (uint32_t bit = TD_CELL_CALLER_AGENT; bit <= TD_CELL_PLAYER_AGENT; bit <<= 1) {
		struct td_cell cell;

		if ((call->media.cells_wanted & bit) && cell_ends(call, bit, &cell))
			due |= bit;
	}
	return due;
}

static bool next_matrix(struct td_call *call, struct td_command *command)
{
	struct td_media *media = &call->media;
	struct td_command_matrix_edit *edit = &command->u.matrix_edit;
	uint32_t due = cells_due(call);

	// One edit builds on the other: the first has to be known to have worked.
	if (due == media->cells || under_way(media, TD_COMMAND_MATRIX_EDIT))
		return false;
	command->kind = TD_COMMAND_MATRIX_EDIT;
	edit->context = media->context;
	for (uint32_t bit = TD_CELL_CALLER_AGENT; bit <= TD_CELL_OLD_AGENT; bit <<= 1) {
		struct td_cell *cell = &edit->cells[edit->cell_count];

		if (!((due ^ media->cells) & bit) || !cell_ends(call, bit, cell))
			continue;
		cell->gain_q12 = due & bit ? TD_GAIN_UNITY : 0;
		edit->cell_count++;
	}
	// A cell whose end has gone went with it.
	if (edit->cell_count == 0)
		media->cells = due;
	return edit->cell_count > 0;
}

static bool next_player(struct td_call *call, struct td_command *command)
{
	struct td_media *media = &call->media;
	struct td_media_player *now = &media->players[0], *old = &media->players[1];

	if (now->prompt == media->prompt_wanted &&
	    (now->prompt == TD_MEDIA_NO_PROMPT || now->loops == media->prompt_loops))
		return false;
	if (old->id.v != 0)
		return false; // its end comes first, below
	if (now->id.v != 0) {
		*old = *now;
		media->cells = (media->cells & (TD_CELL_CALLER_AGENT | TD_CELL_AGENT_CALLER)) |
			       (media->cells & TD_CELL_PLAYER_CALLER ? TD_CELL_OLD_CALLER : 0u) |
			       (media->cells & TD_CELL_PLAYER_AGENT ? TD_CELL_OLD_AGENT : 0u);
	}
	*now = (struct td_media_player){ .prompt = media->prompt_wanted,
					 .loops = media->prompt_loops };
	if (now->prompt == TD_MEDIA_NO_PROMPT)
		return false;
	command->kind = TD_COMMAND_PLAYER_CREATE;
	command->u.player_create = (struct td_command_player_create){
		.context = media->context,
		.loop = now->loops,
		.item_count = 1,
		.items = { { .prompt = now->prompt } },
	};
	return true;
}

static bool next_old_player(struct td_call *call, struct td_command *command)
{
	if (call->media.players[1].id.v == 0 || call->media.old_ending)
		return false;
	command->kind = TD_COMMAND_PLAYER_DESTROY;
	command->u.player_destroy = call->media.players[1].id;
	return true;
}

// "20261123T150455.123-c42.wav": sorts by time, unique over restarts.
static void name_recording(const struct td_calls *calls, struct td_call *call)
{
	uint64_t wall_ms = td_calls_wall_ms(calls);
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm utc;
	char stamp[32];

	gmtime_r(&seconds, &utc);
	strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%S", &utc);
	snprintf(call->media.file, sizeof call->media.file, "%s.%03u-%s.wav", stamp,
		 (unsigned)(wall_ms % 1000), call->id);
}

static bool next_recording(struct td_calls *calls, struct td_call *call, struct td_command *command)
{
	struct td_media *media = &call->media;
	struct td_command_record_start *start = &command->u.record_start;

	if (!media->record_wanted || media->recording != TD_RECORDING_NONE || !call->caller ||
	    !call->agent || !call->caller->media.stream.v || !call->agent->media.stream.v)
		return false;
	name_recording(calls, call);
	command->kind = TD_COMMAND_RECORD_START;
	start->context = media->context;
	start->left = call->caller->media.stream;
	start->right = call->agent->media.stream;
	start->owner = call->key;
	memcpy(start->name, media->file, sizeof start->name);
	return true;
}

// A recording ends before the streams it hears, so that its end is not cut.
static bool recording_over(const struct td_call *call)
{
	return !call->media.record_wanted || !call->caller || !call->caller->media.wanted ||
	       !call->agent || !call->agent->media.wanted;
}

static struct td_leg *next_stream_end(struct td_call *call, struct td_command *command)
{
	for (uint32_t i = 0; i < call->leg_count; i++) {
		struct td_leg *leg = call->legs[i];

		if (leg->media.wanted || leg->media.stream.v == 0 || leg->media.ending)
			continue;
		command->kind = TD_COMMAND_STREAM_DESTROY;
		command->u.stream_destroy = leg->media.stream;
		return leg;
	}
	return NULL;
}

static struct td_leg *next_stream(struct td_call *call, struct td_command *command)
{
	for (uint32_t i = 0; i < call->leg_count; i++) {
		struct td_leg *leg = call->legs[i];

		if (!leg->media.wanted || leg->media.failed || leg->media.stream.v != 0)
			continue;
		command->kind = TD_COMMAND_STREAM_CREATE;
		command->u.stream_create = (struct td_command_stream_create){
			.context = call->media.context,
			.family = leg->media.family,
			.owner = call->key,
			// Where its media will come from; before an answer only its signalling says.
			.toward = leg->agreed.remote.family == leg->media.family
					  ? leg->agreed.remote
					  : leg->peer,
		};
		return leg;
	}
	return NULL;
}

static void fill_remote(const struct td_leg *leg, struct td_command *command)
{
	const struct td_sdp_agreed *agreed = &leg->agreed;

	command->kind = TD_COMMAND_STREAM_SET_REMOTE;
	command->u.stream_set_remote = (struct td_command_stream_set_remote){
		.stream = leg->media.stream,
		.remote = agreed->remote,
		.remote_rtcp = agreed->remote_rtcp,
		.flags = (leg->media.learn ? TD_REMOTE_LEARN : 0u) |
			 (agreed->rtcp_mux ? TD_REMOTE_RTCP_MUX : 0u),
		.codec = (uint8_t)agreed->codec,
		.payload_type = agreed->payload_type,
		.payload_type_rx = agreed->payload_type_rx,
		.event_payload_type = agreed->event_payload_type,
		.event_payload_type_rx = agreed->event_payload_type_rx,
		.ptime_ms = agreed->ptime_ms,
		.dscp = DSCP_EF,
		.cn_payload_type = agreed->cn_payload_type,
		.cn_payload_type_rx = agreed->cn_payload_type_rx,
		.settings = agreed->settings,
	};
}

static struct td_leg *next_remote(struct td_call *call, struct td_command *command)
{
	for (uint32_t i = 0; i < call->leg_count; i++) {
		struct td_leg *leg = call->legs[i];
		struct td_leg_media *media = &leg->media;

		if (!media->wanted || media->stream.v == 0 || !media->remote_known ||
		    media->remote_applied == media->remote_serial)
			continue;
		fill_remote(leg, command);
		return leg;
	}
	return NULL;
}

// The context goes last: a stream that went only with it would leave no statistics.
static bool next_context_end(const struct td_call *call, struct td_command *command)
{
	command->kind = TD_COMMAND_CONTEXT_DESTROY;
	command->u.context_destroy = call->media.context;
	return call->leg_count == 0;
}

static bool next_command(struct td_calls *calls, struct td_call *call, struct td_command *command,
			 struct td_leg **leg)
{
	struct td_media *media = &call->media;

	if (media->context.v == 0) {
		command->kind = TD_COMMAND_CONTEXT_CREATE;
		return media->context_wanted;
	}
	if (media->recording == TD_RECORDING_RUNNING && recording_over(call)) {
		command->kind = TD_COMMAND_RECORD_STOP;
		command->u.record_stop = media->tap;
		return true;
	}
	*leg = next_stream_end(call, command);
	if (*leg)
		return true;
	if (!media->context_wanted)
		return next_context_end(call, command);
	*leg = next_stream(call, command);
	if (!*leg)
		*leg = next_remote(call, command);
	return *leg || next_player(call, command) || next_matrix(call, command) ||
	       next_old_player(call, command) || next_recording(calls, call, command);
}

// What comes next may depend on what these bring back, or on their being done.
static bool waits(const struct td_media *media)
{
	static const enum td_command_kind barriers[] = {
		TD_COMMAND_CONTEXT_CREATE, TD_COMMAND_CONTEXT_DESTROY, TD_COMMAND_STREAM_CREATE,
		TD_COMMAND_PLAYER_CREATE,  TD_COMMAND_RECORD_START,    TD_COMMAND_RECORD_STOP,
	};

	for (size_t i = 0; i < sizeof barriers / sizeof barriers[0]; i++) {
		if (under_way(media, barriers[i]))
			return true;
	}
	return media->request_count == TD_MEDIA_REQUEST_MAX;
}

// The command is out: from now on its effect is taken for granted, until its answer says else.
static void assume(struct td_call *call, struct td_media_request *request)
{
	struct td_media *media = &call->media;
	struct td_leg *leg = request->leg;

	media->request_count++;
	request->cells = media->cells;
	if (leg && request->kind == TD_COMMAND_STREAM_SET_REMOTE)
		leg->media.remote_applied = leg->media.remote_serial;
	if (leg && request->kind == TD_COMMAND_STREAM_DESTROY)
		leg->media.ending = true;
	if (request->kind == TD_COMMAND_MATRIX_EDIT)
		media->cells = cells_due(call);
	if (request->kind == TD_COMMAND_PLAYER_DESTROY)
		media->old_ending = true;
}

static struct td_media_request *free_request(struct td_call *call)
{
	struct td_media_request *request = call->media.requests;

	while (request->kind != 0)
		request++;
	return request;
}

// Sends one. False when it could not be sent: a player that was to come is forgotten again.
static bool submit(struct td_calls *calls, struct td_call *call, struct td_command *command,
		   struct td_leg *leg)
{
	struct td_media_request *request = free_request(call);
	int error;

	td_on_control();
	error = td_link_submit(calls->deps.link, command, td_media_answered, request);
	if (error == 0) {
		*request = (struct td_media_request){ call, leg, command->kind, 0 };
		assume(call, request);
		return true;
	}
	if (command->kind == TD_COMMAND_PLAYER_CREATE)
		call->media.players[0] = (struct td_media_player){ .prompt = TD_MEDIA_NO_PROMPT };
	// A link that is down says so by its state; until then nothing can be done.
	if (error != -TD_ELINK_DOWN)
		td_wheel_arm(&calls->wheel, &call->retry.timer, calls->now_ms + TD_MEDIA_RETRY_MS);
	return false;
}

void td_media_step(struct td_calls *calls, struct td_call *call)
{
	while (calls->link_up && !td_timer_armed(&call->retry.timer) && !waits(&call->media)) {
		struct td_leg *leg = NULL;
		struct td_command command;

		memset(&command, 0, sizeof command);
		if (!next_command(calls, call, &command, &leg) ||
		    !submit(calls, call, &command, leg))
			break;
	}
	if (call->state == TD_CALL_ENDING && td_media_idle(call))
		td_call_post(calls, call, TD_CALL_CLEARED);
}
