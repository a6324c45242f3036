// The recording of a call: begun when both parties are there, stopped before the first one goes.
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "call/media_inside.h"
#include "td_log.h"

// "20261123T150455.123-c42.wav": sorts by time, unique over restarts.
static void name_recording(struct td_media *media)
{
	uint64_t wall_ms = td_calls_wall_ms(media->calls);
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm utc;
	char stamp[32];

	gmtime_r(&seconds, &utc);
	strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%S", &utc);
	snprintf(media->file, sizeof media->file, "%s.%03u-%s.wav", stamp,
		 (unsigned)(wall_ms % 1000), media->call->id);
}

// Its stream is in this context, and stays.
static bool stays(const struct td_media *media, const struct td_leg *leg)
{
	return leg && leg->media.wanted && leg->media.room == media;
}

static bool here(const struct td_media *media, const struct td_leg *leg)
{
	return stays(media, leg) && leg->media.stream.v != 0 && leg->media.at == media &&
	       leg->media.waits == 0;
}

bool td_media_next_recording(struct td_media *media, struct td_command *command)
{
	struct td_command_record_start *start = &command->u.record_start;
	const struct td_call *call = media->call;

	if (!call || !media->record_wanted || media->recording != TD_RECORDING_NONE ||
	    !here(media, call->caller) || !here(media, call->agent))
		return false;
	name_recording(media);
	command->kind = TD_COMMAND_RECORD_START;
	start->context = media->context;
	start->left = call->caller->media.stream;
	start->right = call->agent->media.stream;
	media->recorded_agent_ref = td_leg_ref(media->calls, call->agent);
	start->owner = call->key;
	memcpy(start->name, media->file, sizeof start->name);
	return true;
}

bool td_media_recording_holds(const struct td_media *media)
{
	for (int i = 0; i < TD_MEDIA_REQUEST_MAX; i++) {
		if (media->requests[i].kind == TD_COMMAND_RECORD_START)
			return true;
	}
	return media->recording == TD_RECORDING_RUNNING;
}

// A recording ends before the streams it hears, so that its end is not cut.
bool td_media_next_recording_end(struct td_media *media, struct td_command *command)
{
	const struct td_call *call = media->call;

	if (media->recording != TD_RECORDING_RUNNING)
		return false;
	if (media->record_wanted && stays(media, call->caller) && stays(media, call->agent) &&
	    td_leg_ref(media->calls, call->agent) == media->recorded_agent_ref)
		return false;
	command->kind = TD_COMMAND_RECORD_STOP;
	command->u.record_stop = media->tap;
	return true;
}

void td_media_recording_event(struct td_calls *calls, const struct td_event *event)
{
	struct td_call *call = td_call_find(calls, event->u.recording.owner);
	struct td_media *media;

	if (!call)
		return;
	media = &call->media;
	if (event->kind == TD_EVENT_RECORD_FAILED || event->result != 0) {
		if (!media->recording_partial)
			td_warn(call->id, "the recording is incomplete: %s",
				td_error_text(event->result));
		media->recording_partial = true;
	}
	if (event->kind != TD_EVENT_RECORD_CLOSED || media->recording == TD_RECORDING_CLOSED)
		return;
	media->recorded = event->u.recording;
	media->recording = TD_RECORDING_CLOSED;
	td_media_step(media);
}
