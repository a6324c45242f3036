// What became of the recording of a context: answers, its end, its row in the index; the disk's alarms.
#include <string.h>

#include "call/media_inside.h"
#include "store/store.h"
#include "td_log.h"

static const char *name_of(const struct td_media *media)
{
	return media->call ? media->call->id : td_conference_name(media->conference);
}

static void index_file(const struct td_media *media)
{
	const struct td_recording *recording = &media->recording;
	struct td_recording_words words;
	struct td_cdr_recording row = {
		.started_utc_ms = (int64_t)recording->started_utc_ms,
		.ended_utc_ms = (int64_t)recording->ended_utc_ms,
		.duration_ms = recording->result.duration_ms,
		.bytes = recording->result.bytes,
		.packets_received = recording->result.packets_received[0] +
				    recording->result.packets_received[1],
		.packets_written =
			recording->result.packets_written[0] + recording->result.packets_written[1],
	};

	if (!media->calls->deps.store)
		return;
	td_media_recording_words(media, &words);
	td_inspect_put(row.file, sizeof row.file, recording->file);
	td_inspect_put(row.tenant, sizeof row.tenant, words.tenant);
	td_inspect_put(row.call, sizeof row.call, media->call ? words.call : NULL);
	td_inspect_put(row.conference, sizeof row.conference, media->call ? NULL : words.call);
	td_inspect_put(row.queue, sizeof row.queue, media->call ? words.queue : NULL);
	td_inspect_put(row.agent, sizeof row.agent, words.agent);
	td_inspect_put(row.caller, sizeof row.caller, words.caller);
	td_inspect_put(row.state, sizeof row.state, td_recording_state_name(recording));
	if (td_store_put_recording(media->calls->deps.store, &row) != 0) {
		media->calls->stats.records_lost++;
		td_error(name_of(media), "recording %s could not be written to the index",
			 recording->file);
	}
}

void td_media_recording_started(struct td_media *media, const struct td_event *event)
{
	struct td_recording *recording = &media->recording;

	if (event->result == 0) {
		recording->tap = event->u.tap;
		recording->state = TD_RECORDING_RUNNING;
		index_file(media);
		td_recording_beep_arm(media, true);
		td_notice_recording(media);
		return;
	}
	td_warn(name_of(media), "cannot be recorded: %s", td_error_text(event->result));
	recording->state = TD_RECORDING_REFUSED;
	if (recording->order == TD_RECORDING_ON)
		recording->order = TD_RECORDING_BY_RULE;
	td_notice_recording(media);
	if (media->call && td_recording_required(media->call))
		td_call_hangup(media->calls, media->call, TD_CAUSE_RECORDING_FAILURE);
}

static void forget(struct td_recording *recording)
{
	recording->tap.v = 0;
	recording->paused = recording->masked = false;
	recording->mark_count = 0;
	recording->notes_told = 0;
	memset(recording->tracks, 0, sizeof recording->tracks);
}

void td_media_recording_stopped(struct td_media *media, bool again)
{
	struct td_recording *recording = &media->recording;

	if (recording->state != TD_RECORDING_STOPPING)
		return;
	recording->state = again ? TD_RECORDING_RUNNING : TD_RECORDING_CLOSING;
}

void td_media_recording_answered(struct td_media *media, uint32_t number,
				 const struct td_event *event)
{
	struct td_recording_track *track = &media->recording.tracks[number];

	if (event->result == 0)
		return;
	if (event->command == TD_COMMAND_RECORD_ATTACH) {
		// Stale: the stream or the recording has just gone, and is wanted no more.
		if (event->result != -TD_ESTALE) {
			td_warn(name_of(media), "track %u is not recorded: %s", number,
				td_error_text(event->result));
			media->recording.partial = true;
		}
		track->refused = track->have;
		track->have.v = 0;
	} else if (event->command == TD_COMMAND_RECORD_CONTROL) {
		td_warn(name_of(media), "the recording: %s", td_error_text(event->result));
	}
}

static struct td_media *find(struct td_calls *calls, uint64_t owner)
{
	struct td_call *call;
	uint32_t index = (uint32_t)owner;

	if (owner & TD_CONFERENCE_OWNER)
		return index < calls->conference_slots.count &&
				       td_slots_live(&calls->conference_slots, index)
			       ? &calls->conferences[index].media
			       : NULL;
	call = td_call_find(calls, owner);
	return call ? &call->media : NULL;
}

void td_media_recording_over(struct td_media *media, bool partial)
{
	struct td_recording *recording = &media->recording;
	struct td_calls *calls = media->calls;

	recording->partial |= partial;
	recording->state = TD_RECORDING_CLOSED;
	recording->ended_utc_ms = td_calls_wall_ms(calls);
	td_wheel_cancel(&calls->wheel, &recording->beep.timer);
	td_wheel_cancel(&calls->wheel, &recording->unmask.timer);
	forget(recording);
	index_file(media);
	td_notice_recording(media);
}

void td_media_recording_event(struct td_calls *calls, const struct td_event *event)
{
	struct td_media *media = find(calls, event->u.recording.owner);
	struct td_recording *recording;

	if (!media)
		return;
	recording = &media->recording;
	if (recording->tap.v != 0 && event->u.recording.tap.v != recording->tap.v)
		return; // of the one before
	if (event->kind == TD_EVENT_RECORD_FAILED || event->result != 0) {
		if (!recording->partial)
			td_warn(name_of(media), "the recording is incomplete: %s",
				td_error_text(event->result));
		recording->partial = true;
	}
	if (event->kind != TD_EVENT_RECORD_CLOSED || !td_recording_is_open(recording))
		return;
	recording->result = event->u.recording;
	td_media_recording_over(media, false);
	if (media->conference)
		td_conference_want(media->conference);
	else
		td_media_step(media);
}

void td_recording_alarm(struct td_calls *calls, const struct td_event_record_alarm *alarm)
{
	bool full = alarm->active && alarm->value < TD_RECORD_FREE_MIN;

	if (alarm->alarm >= TD_RECORD_ALARM_COUNT ||
	    (alarm->active == TD_RECORD_ALARM_STILL && calls->stats.recording_alarms[alarm->alarm]))
		return;
	switch ((enum td_record_alarm)alarm->alarm) {
	case TD_RECORD_ALARM_FULL:
		if (full != calls->recordings_full)
			td_error("recordings", full ? "the disk is full: none is begun, and calls "
						      "that have to be recorded are refused"
						    : "there is room on the disk again");
		calls->recordings_full = full;
		break;
	case TD_RECORD_ALARM_SLOW:
		td_warn("recordings",
			alarm->active ? "the disk does not answer: they wait in memory, calls go on"
				      : "the disk answers again");
		break;
	case TD_RECORD_ALARM_FAILED:
		td_error("recordings", "the disk %s%s",
			 alarm->active ? "refuses them, calls go on: " : "takes them again",
			 alarm->active ? strerror((int)alarm->value) : "");
		break;
	case TD_RECORD_ALARM_COUNT: break;
	}
	calls->stats.recording_alarms[alarm->alarm] = alarm->active != 0;
	td_notice_recording_alarm(calls, alarm);
}

void td_recording_alarms_forget(struct td_calls *calls)
{
	calls->recordings_full = false;
	memset(calls->stats.recording_alarms, 0, sizeof calls->stats.recording_alarms);
}
