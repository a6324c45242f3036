// Recordings begun and ended by hand, paused, masked, marked; tones; privacy.
#include "call/recording_verbs.h"

#include <string.h>

#include "call/manager.h"
#include "call/verbs_inside.h"

#define BEEP        "etsi.beep" // 1400 Hz, with its pause behind it
#define BEEP_MS     300u
#define BEEP_GAP_MS 500u // when something else is being announced

static int find(struct td_calls *calls, const struct td_recording_of *of, struct td_media **out,
		char why[TD_FEATURE_WHY_MAX])
{
	struct td_conference *conference;
	struct td_call *call;

	*out = NULL;
	if (of->call) {
		call = td_call_by_id(calls, of->call);
		if (!call)
			return td_feature_fail(why, -TD_ENOT_FOUND, "there is no call %.23s",
					       of->call);
		if (call->state == TD_CALL_ENDING)
			return td_feature_fail(why, -TD_ESTATE, "call %s is ending", call->id);
		*out = &call->media;
		return 0;
	}
	conference = td_conference_find(calls, of->conference ? of->conference : "");
	if (!conference)
		return td_feature_fail(why, -TD_ENOT_FOUND, "there is no conference %.63s",
				       of->conference ? of->conference : "");
	if (conference->seated == 0)
		return td_feature_fail(why, -TD_ESTATE, "nobody is in conference %s",
				       conference->name);
	*out = &conference->media;
	return 0;
}

static int find_open(struct td_calls *calls, const struct td_recording_of *of,
		     struct td_media **out, char why[TD_FEATURE_WHY_MAX])
{
	int error = find(calls, of, out, why);

	if (error || !*out || td_recording_is_open(&(*out)->recording))
		return error;
	return td_feature_fail(why, -TD_ESTATE, "%.63s is not being recorded",
			       of->call ? of->call : of->conference);
}

// Goes where its wishes lead.
static void step(struct td_media *media)
{
	if (media->conference)
		td_conference_want(media->conference);
	else
		td_call_want(media->calls, media->call);
}

int td_recordings_start(struct td_calls *calls, const struct td_recording_of *of,
			char why[TD_FEATURE_WHY_MAX])
{
	struct td_media *media;
	int error = find(calls, of, &media, why);

	if (error || !media)
		return error;
	if (td_recording_is_open(&media->recording))
		return td_feature_fail(why, -TD_ESTATE, "%.63s is being recorded already: %s",
				       of->call ? of->call : of->conference, media->recording.file);
	if (!calls->link_up)
		return td_feature_fail(why, -TD_ELINK_DOWN, "the dataplane is not connected");
	if (calls->recordings_full)
		return td_feature_fail(why, -TD_EFULL,
				       "the disk is full: less than %d %% is free; delete "
				       "recordings, or keep them for a shorter time",
				       TD_RECORD_FREE_MIN);
	td_turn_begin(calls);
	media->recording.order = TD_RECORDING_ON;
	media->recording.state = TD_RECORDING_NONE;
	media->recording.partial = false;
	step(media);
	td_turn_end(calls);
	return 0;
}

int td_recordings_stop(struct td_calls *calls, const struct td_recording_of *of,
		       char why[TD_FEATURE_WHY_MAX])
{
	struct td_media *media;
	int error = find_open(calls, of, &media, why);

	if (error || !media)
		return error;
	td_turn_begin(calls);
	media->recording.order = TD_RECORDING_OFF;
	step(media);
	td_turn_end(calls);
	return 0;
}

static void resume_later(struct td_media *media, uint32_t seconds)
{
	struct td_recording *recording = &media->recording;
	struct td_calls *calls = media->calls;

	td_wheel_cancel(&calls->wheel, &recording->unmask.timer);
	if (seconds > 0)
		td_wheel_arm(&calls->wheel, &recording->unmask.timer,
			     calls->now_ms + seconds * 1000ull);
}

static int apply(struct td_media *media, enum td_record_action action, uint32_t seconds,
		 const char *mark)
{
	struct td_recording *recording = &media->recording;

	switch (action) {
	case TD_RECORD_PAUSE: recording->paused_wanted = true; break;
	case TD_RECORD_MASK: recording->masked_wanted = true; break;
	case TD_RECORD_RESUME: recording->paused_wanted = recording->masked_wanted = false; break;
	case TD_RECORD_MARK:
		if (recording->mark_count == TD_RECORDING_MARKS)
			return -TD_EFULL;
		td_inspect_put(recording->marks[recording->mark_count++], TD_MARK_MAX, mark);
		return 0;
	case TD_RECORD_ACTION_COUNT: return -TD_EINVALID;
	}
	resume_later(media, seconds);
	return 0;
}

int td_recordings_control(struct td_calls *calls, const struct td_recording_of *of,
			  enum td_record_action action, uint32_t seconds, const char *mark,
			  char why[TD_FEATURE_WHY_MAX])
{
	struct td_media *media;
	int error = find_open(calls, of, &media, why);

	if (error || !media)
		return error;
	td_turn_begin(calls);
	error = apply(media, action, seconds, mark);
	if (!error) {
		step(media);
		td_notice_recording(media);
	}
	td_turn_end(calls);
	return error ? td_feature_fail(why, error, "%u marks wait to be written",
				       TD_RECORDING_MARKS)
		     : 0;
}

void td_recording_resume(struct td_media *media)
{
	media->recording.paused_wanted = media->recording.masked_wanted = false;
	step(media);
	td_notice_recording(media);
}

int td_recordings_privacy(struct td_calls *calls, const struct td_recording_of *of, bool on,
			  uint32_t seconds, char why[TD_FEATURE_WHY_MAX])
{
	struct td_media *media;
	int error = find(calls, of, &media, why);

	if (error || !media)
		return error;
	if (media->context.v == 0 || (media->call && media->call->state == TD_CALL_CONFERENCE))
		return td_feature_fail(why, -TD_ESTATE, "the parties of %.63s are not in it",
				       of->call ? of->call : of->conference);
	td_turn_begin(calls);
	td_media_set_privacy(media, on, seconds);
	td_notice_recording(media);
	td_turn_end(calls);
	return 0;
}

void td_recording_describe(const struct td_media *media, struct td_recording_info *out)
{
	const struct td_recording *recording = &media->recording;

	memset(out, 0, sizeof *out);
	out->privacy = media->privacy.confirmed || !media->privacy.wanted
			       ? (media->privacy.wanted ? "on" : "off")
			       : "changing";
	if (!media->privacy.wanted && media->privacy.have.on)
		out->privacy = "changing";
	if (recording->state == TD_RECORDING_NONE)
		return;
	td_inspect_put(out->state, sizeof out->state, td_recording_state_name(recording));
	if (recording->state == TD_RECORDING_REFUSED)
		return;
	td_inspect_put(out->file, sizeof out->file, recording->file);
	out->packets_received =
		recording->result.packets_received[0] + recording->result.packets_received[1];
	out->packets_written =
		recording->result.packets_written[0] + recording->result.packets_written[1];
}

bool td_recording_required(const struct td_call *call)
{
	return call->queue != TD_CALL_QUEUE_NONE &&
	       call->calls->config->queues[call->queue].record_required;
}

static uint32_t beep_interval_s(const struct td_media *media)
{
	const struct td_call *call = media->call;

	if (!call)
		return media->conference->config ? media->conference->config->record_beep_s : 0;
	return call->queue == TD_CALL_QUEUE_NONE
		       ? 0
		       : call->calls->config->queues[call->queue].record_beep_s;
}

void td_recording_beep_arm(struct td_media *media, bool at_once)
{
	struct td_calls *calls = media->calls;
	uint64_t interval_ms = beep_interval_s(media) * 1000ull;

	if (interval_ms > 0)
		td_wheel_arm(&calls->wheel, &media->recording.beep.timer,
			     calls->now_ms + (at_once ? BEEP_GAP_MS : interval_ms));
}

// Who hears it, as bits of slots.
static uint32_t beep_slots(const struct td_call *call)
{
	enum td_beep_for who = call->calls->config->queues[call->queue].record_beep;
	uint32_t slots = 0;

	if (call->caller && who != TD_BEEP_AGENT && call->caller->media.slot != TD_MEDIA_SLOT_NONE)
		slots |= 1u << call->caller->media.slot;
	if (call->agent && who != TD_BEEP_CALLER && call->agent->media.slot != TD_MEDIA_SLOT_NONE)
		slots |= 1u << call->agent->media.slot;
	return slots;
}

void td_recording_beep(struct td_media *media)
{
	const struct td_recording *recording = &media->recording;
	struct td_play_item item = { .length_ms = BEEP_MS };
	bool silent = recording->paused || recording->masked || media->privacy.wanted ||
		      (media->call && media->call->state != TD_CALL_TALKING);
	int error = 0;

	if (recording->state != TD_RECORDING_RUNNING)
		return;
	item.prompt = td_link_prompt(media->calls, "recording", BEEP);
	if (!silent && item.prompt != TD_MEDIA_NO_PROMPT)
		error = td_media_announce(media, &item, 1,
					  media->call ? beep_slots(media->call) : 0, NULL);
	// Whatever else is being said goes first.
	td_recording_beep_arm(media, error == -TD_EBUSY);
	if (!silent && error == 0)
		step(media);
}
