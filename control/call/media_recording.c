// What is wanted of the recording of a context: begun, given its tracks, told things, ended. What became
// of that is in media_recorded.c.
#include <stdio.h>
#include <string.h>

#include "call/media_inside.h"

#define NEWCOMER_MS 1000

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

void td_media_recording_words(const struct td_media *media, struct td_recording_words *words)
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

static unsigned tracks_of(const struct td_media *media)
{
	return media->call ? TD_RECORDING_CALL_TRACKS : TD_TRACK_MAX;
}

static bool start(struct td_media *media, struct td_command *command)
{
	struct td_command_record_start *start = &command->u.record_start;
	const struct td_config_recording *config = &media->calls->config->recording;
	struct td_recording *recording = &media->recording;
	struct td_recording_words words;

	recording->started_utc_ms = td_calls_wall_ms(media->calls);
	td_media_recording_words(media, &words);
	td_recording_name(config->name, &words, config->format == TD_RECORD_OPUS ? ".opus" : ".wav",
			  recording->file, sizeof recording->file);
	command->kind = TD_COMMAND_RECORD_START;
	start->context = media->context;
	start->format = (uint8_t)config->format;
	start->track_count = (uint8_t)tracks_of(media);
	start->stereo = media->call && config->format == TD_RECORD_WAV;
	start->owner =
		media->call ? media->call->key : TD_CONFERENCE_OWNER | media->conference->idx;
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

// The party of this call whose stream it is, wherever that is. NULL: none.
static const struct td_leg *find_party(const struct td_call *call, struct td_stream_id stream)
{
	for (uint32_t i = 0; stream.v != 0 && i < call->leg_count; i++)
		if (call->legs[i]->media.stream.v == stream.v)
			return call->legs[i];
	return NULL;
}

static bool caller_hears(const struct td_call *call, const struct td_leg *leg)
{
	uint8_t from = leg->media.slot, to = call->caller ? call->caller->media.slot : from;

	return from != to && from != TD_MEDIA_SLOT_NONE && to != TD_MEDIA_SLOT_NONE &&
	       call->media.cells_wanted[from][to] != 0;
}

// Who has a track of the others keeps it while it is there, also when it takes the call over.
static void want_others(struct td_media *media)
{
	struct td_recording *recording = &media->recording;
	unsigned count = tracks_of(media);
	const struct td_call *call = media->call;

	for (unsigned i = 2; i < count; i++)
		if (stream_of(find_party(call, recording->tracks[i].want)).v == 0)
			recording->tracks[i].want.v = 0;
	for (uint32_t i = 0; i < call->leg_count; i++) {
		const struct td_leg *leg = call->legs[i];
		unsigned free = 2;

		if (leg == call->caller || leg == call->agent || stream_of(leg).v == 0 ||
		    !caller_hears(call, leg) || has_track(recording, leg->media.stream))
			continue;
		while (free < count && recording->tracks[free].want.v != 0)
			free++;
		if (free == count)
			return;
		want_track(&recording->tracks[free], leg->media.stream);
	}
}

static bool has_other_track(const struct td_recording *recording, struct td_stream_id stream)
{
	for (int i = 2; stream.v != 0 && i < TD_RECORDING_CALL_TRACKS; i++)
		if (recording->tracks[i].want.v == stream.v)
			return true;
	return false;
}

static void want_tracks(struct td_media *media)
{
	struct td_stream_id agent;

	if (media->conference) {
		want_members(media);
		return;
	}
	want_track(&media->recording.tracks[0], stream_of(media->call->caller));
	want_others(media);
	agent = stream_of(media->call->agent);
	if (has_other_track(&media->recording, agent))
		agent.v = 0;
	want_track(&media->recording.tracks[1], agent);
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
		leg = find_party(media->call, media->recording.tracks[track].want);
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

	td_media_recording_words(media, &words);
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
