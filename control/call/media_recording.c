// The recording of a context: begun, given its tracks, told things, ended.
#include <stdio.h>
#include <string.h>

#include "call/media_inside.h"
#include "call/recording_name.h"
#include "store/store.h"
#include "td_log.h"

#define NEWCOMER_MS      1000
#define CONFERENCE_OWNER (1ull << 63) // of the events of a conference's recording: | its index

static const char *tenant_of(const struct td_media *media)
{
	const struct td_config *config = media->calls->config;
	const struct td_call *call = media->call;

	if (!call)
		return media->conference->config ? media->conference->config->tenant : NULL;
	if (call->queue != TD_CALL_QUEUE_NONE && config->queues[call->queue].tenant)
		return config->queues[call->queue].tenant;
	return call->trunk ? call->trunk->config->tenant : NULL;
}

static const char *agent_of(const struct td_call *call)
{
	return call->agent_idx == TD_LEG_AGENT_NONE
		       ? NULL
		       : call->calls->config->agents[call->agent_idx].id;
}

static void fill_words(const struct td_media *media, struct td_recording_words *words)
{
	const struct td_call *call = media->call;

	*words = (struct td_recording_words){ .tenant = tenant_of(media),
					      .utc_ms = media->recording.started_utc_ms };
	if (!call) {
		words->call = td_conference_name(media->conference);
		words->queue = "conference";
		return;
	}
	words->call = call->id;
	words->agent = agent_of(call);
	words->caller = call->caller_name;
	words->called = call->called_name;
	if (call->queue != TD_CALL_QUEUE_NONE)
		words->queue = call->calls->config->queues[call->queue].name;
	if (call->trunk)
		words->trunk = call->trunk->config->name;
}

static bool start(struct td_media *media, struct td_command *command)
{
	struct td_command_record_start *start = &command->u.record_start;
	const struct td_config_recording *config = &media->calls->config->recording;
	struct td_recording *recording = &media->recording;
	struct td_recording_words words;

	recording->started_utc_ms = td_calls_wall_ms(media->calls);
	fill_words(media, &words);
	td_recording_name(config->name, &words, config->format == TD_RECORD_OPUS ? ".opus" : ".wav",
			  recording->file, sizeof recording->file);
	command->kind = TD_COMMAND_RECORD_START;
	start->context = media->context;
	start->format = (uint8_t)config->format;
	start->track_count = media->call ? 2 : TD_TRACK_MAX;
	start->owner = media->call ? media->call->key : CONFERENCE_OWNER | media->conference->idx;
	memcpy(start->name, recording->file, sizeof start->name);
	return true;
}

// Its stream can be heard, wherever it is.
static struct td_stream_id stream_of(const struct td_leg *leg)
{
	static const struct td_stream_id none = { 0 };

	return leg && leg->media.wanted && !leg->media.failed && !leg->media.ending
		       ? leg->media.stream
		       : none;
}

static void want_track(struct td_recording_track *track, struct td_stream_id stream)
{
	if (track->want.v != stream.v && stream.v != 0)
		track->note_due = true;
	track->want = stream;
}

static bool has_track(const struct td_recording *recording, struct td_stream_id stream)
{
	for (int i = 0; i < TD_TRACK_MAX; i++)
		if (recording->tracks[i].want.v == stream.v)
			return true;
	return false;
}

static bool may_talk(const struct td_leg *leg)
{
	return leg->seated && leg->seat != TD_SEAT_LISTENER && stream_of(leg).v != 0;
}

// Members keep their track; those who have none get one that is free.
static void want_members(struct td_media *media)
{
	struct td_recording *recording = &media->recording;
	struct td_list *it;

	for (int i = 0; i < TD_TRACK_MAX; i++) {
		const struct td_leg *leg =
			recording->tracks[i].want.v
				? td_media_find_leg(media, recording->tracks[i].want.v)
				: NULL;

		if (!leg || !may_talk(leg))
			recording->tracks[i].want.v = 0;
	}
	TD_LIST_FOREACH (it, &media->members) {
		const struct td_leg *leg = TD_LIST_ENTRY(it, struct td_leg, media.member);
		int free = 0;

		if (!may_talk(leg) || has_track(recording, leg->media.stream))
			continue;
		while (free < TD_TRACK_MAX && recording->tracks[free].want.v != 0)
			free++;
		if (free == TD_TRACK_MAX)
			return;
		want_track(&recording->tracks[free], leg->media.stream);
	}
}

static void want_tracks(struct td_media *media)
{
	if (media->conference) {
		want_members(media);
		return;
	}
	want_track(&media->recording.tracks[0], stream_of(media->call->caller));
	want_track(&media->recording.tracks[1], stream_of(media->call->agent));
}

static bool next_track(struct td_media *media, struct td_command *command, uint32_t *number)
{
	struct td_recording *recording = &media->recording;

	for (uint32_t i = 0; i < TD_TRACK_MAX; i++) {
		const struct td_recording_track *track = &recording->tracks[i];
		bool leaves = track->have.v != 0;

		if (track->have.v == track->want.v ||
		    (!leaves && track->want.v == track->refused.v))
			continue;
		command->kind = leaves ? TD_COMMAND_RECORD_DETACH : TD_COMMAND_RECORD_ATTACH;
		command->u.record_track = (struct td_command_record_track){
			.tap = recording->tap,
			.stream = leaves ? track->have : track->want,
			.track = i,
		};
		*number = i;
		return true;
	}
	return false;
}

static const char *party_on(const struct td_media *media, uint32_t track, char out[TD_MARK_MAX])
{
	const struct td_leg *leg = NULL;

	if (media->call)
		leg = track == 0 ? media->call->caller : media->call->agent;
	else if (media->recording.tracks[track].want.v)
		leg = td_media_find_leg(media, media->recording.tracks[track].want.v);
	if (!leg || !leg->call)
		return NULL;
	td_inspect_put(out, TD_MARK_MAX,
		       leg->outbound ? media->calls->config->agents[leg->agent].id
				     : leg->call->caller_name);
	return out;
}

static void note(struct td_command *command, const struct td_media *media, const char *key,
		 const char *text)
{
	struct td_command_record_note *told = &command->u.record_note;

	command->kind = TD_COMMAND_RECORD_NOTE;
	told->tap = media->recording.tap;
	td_inspect_put(told->key, sizeof told->key, key);
	td_inspect_put(told->text, sizeof told->text, text);
}

// What the sidecar is told once, one after the other.
static bool next_note(struct td_media *media, struct td_command *command)
{
	struct td_recording_words words;
	struct td_recording *recording = &media->recording;

	fill_words(media, &words);
	for (;;) {
		const struct {
			const char *key, *text;
		} notes[] = {
			{ media->call ? "call" : "conference", words.call },
			{ "tenant", words.tenant },
			{ "queue", media->call ? words.queue : NULL },
			{ "trunk", words.trunk },
			{ "caller", words.caller },
			{ "called", words.called },
		};

		if (recording->notes_told >= sizeof notes / sizeof notes[0])
			return false;
		note(command, media, notes[recording->notes_told].key,
		     notes[recording->notes_told].text);
		if (command->u.record_note.text[0])
			return true;
		command->kind = 0;
		recording->notes_told++;
	}
}

// Who is heard on a track now.
static bool next_track_note(struct td_media *media, struct td_command *command, uint32_t *number)
{
	struct td_recording *recording = &media->recording;

	for (uint32_t i = 0; i < TD_TRACK_MAX; i++) {
		struct td_recording_track *track = &recording->tracks[i];
		char key[TD_NOTE_KEY_MAX], party[TD_MARK_MAX];

		if (!track->note_due || track->have.v == 0 || track->have.v != track->want.v)
			continue;
		if (!party_on(media, i, party)) {
			track->note_due = false;
			continue;
		}
		snprintf(key, sizeof key, "track%u.name", i);
		note(command, media, key, party);
		*number = i;
		return true;
	}
	return false;
}

static bool next_control(const struct td_recording *recording, struct td_command *command)
{
	struct td_command_record_control *control = &command->u.record_control;
	bool ends = (recording->paused && !recording->paused_wanted) ||
		    (recording->masked && !recording->masked_wanted);

	control->tap = recording->tap;
	if (ends) {
		control->action = TD_RECORD_RESUME;
	} else if (recording->paused != recording->paused_wanted) {
		control->action = TD_RECORD_PAUSE;
	} else if (recording->masked != recording->masked_wanted) {
		control->action = TD_RECORD_MASK;
	} else if (recording->mark_count > 0) {
		control->action = TD_RECORD_MARK;
		memcpy(control->text, recording->marks[0], sizeof control->text);
	} else {
		return false;
	}
	command->kind = TD_COMMAND_RECORD_CONTROL;
	return true;
}

bool td_media_next_recording(struct td_media *media, struct td_command *command, uint32_t *track)
{
	struct td_recording *recording = &media->recording;

	if (recording->state == TD_RECORDING_NONE)
		return td_recording_wanted(recording) && start(media, command);
	if (recording->state != TD_RECORDING_RUNNING)
		return false;
	want_tracks(media);
	return next_control(recording, command) || next_track(media, command, track) ||
	       next_note(media, command) || next_track_note(media, command, track);
}

// One who comes later on a track is also a moment.
static void mark_newcomer(struct td_media *media, uint32_t number, const char *party)
{
	struct td_recording *recording = &media->recording;
	uint64_t now_utc_ms = td_calls_wall_ms(media->calls);

	if (now_utc_ms < recording->started_utc_ms + NEWCOMER_MS ||
	    recording->mark_count == TD_RECORDING_MARKS)
		return;
	snprintf(recording->marks[recording->mark_count++], TD_MARK_MAX, "track%u: %.48s", number,
		 party);
}

static void assume_control(struct td_recording *recording, uint32_t action)
{
	switch ((enum td_record_action)action) {
	case TD_RECORD_PAUSE: recording->paused = true; break;
	case TD_RECORD_MASK: recording->masked = true; break;
	case TD_RECORD_RESUME: recording->paused = recording->masked = false; break;
	case TD_RECORD_MARK:
		memmove(recording->marks[0], recording->marks[1],
			sizeof recording->marks - sizeof recording->marks[0]);
		recording->mark_count--;
		break;
	case TD_RECORD_ACTION_COUNT: break;
	}
}

void td_media_recording_assume(struct td_media *media, const struct td_command *command,
			       uint32_t number)
{
	struct td_recording *recording = &media->recording;
	struct td_recording_track *track = &recording->tracks[number];

	switch (command->kind) {
	case TD_COMMAND_RECORD_START: recording->state = TD_RECORDING_STARTING; break;
	case TD_COMMAND_RECORD_STOP: recording->state = TD_RECORDING_STOPPING; break;
	case TD_COMMAND_RECORD_ATTACH: track->have = command->u.record_track.stream; break;
	case TD_COMMAND_RECORD_DETACH: track->have.v = 0; break;
	case TD_COMMAND_RECORD_CONTROL:
		assume_control(recording, command->u.record_control.action);
		break;
	case TD_COMMAND_RECORD_NOTE:
		if (strncmp(command->u.record_note.key, "track", 5) != 0) {
			recording->notes_told++;
			break;
		}
		track->note_due = false;
		mark_newcomer(media, number, command->u.record_note.text);
		break;
	default: break;
	}
}

bool td_media_next_recording_end(struct td_media *media, struct td_command *command)
{
	struct td_recording *recording = &media->recording;

	if (recording->state != TD_RECORDING_RUNNING || td_recording_wanted(recording))
		return false;
	command->kind = TD_COMMAND_RECORD_STOP;
	command->u.record_stop = recording->tap;
	return true;
}

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
	fill_words(media, &words);
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

	if (owner & CONFERENCE_OWNER)
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
