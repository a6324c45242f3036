#include "record/recording.h"

#include <stdlib.h>
#include <string.h>

#include "codecs/codec.h"
#include "record/recording_sound.h"
#include "record/sidecar.h"
#include "td_assert.h"

#define NS_PER_MS  1000000ull
#define NEW_STREAM 20000 // "offered" that far ahead counts another stream's packets

static int allocate(struct td_recording *recording)
{
	const struct td_take *take = &recording->take;
	unsigned pairs;

	recording->tracks = calloc(take->track_count, sizeof *recording->tracks);
	if (!recording->tracks)
		return -TD_EMEMORY;
	if (take->format == TD_RECORD_OPUS)
		return 0;
	pairs = (take->track_count + 1u) / 2;
	recording->pair_count = take->stereo ? 1 : pairs;
	recording->pairs = malloc(pairs * sizeof *recording->pairs);
	if (!recording->pairs)
		return -TD_EMEMORY;
	for (unsigned i = 0; i < recording->pair_count; i++)
		td_timeline_init(&recording->pairs[i], recording->start_ns);
	return 0;
}

static int begin_files(struct td_recording *recording)
{
	const struct td_take *take = &recording->take;
	struct td_scribe_form form = { .format = take->format,
				       .channels = (uint8_t)td_take_channels(take),
				       .files = 1 };

	memcpy(form.name, take->name, sizeof form.name);
	if (take->format == TD_RECORD_OPUS)
		form.files = TD_RECORDING_FIRST_FILES;
	for (unsigned i = 0; take->format == TD_RECORD_OPUS && i < form.files; i++)
		if (!td_recording_begin_opus(recording, i))
			return -TD_EMEMORY;
	return td_scribe_open(recording->scribe, td_handle_index(recording->tap.v), &form);
}

static void note(struct td_recording *recording, uint64_t now_ns)
{
	json_t *sidecar;

	td_recording_sum_up(recording);
	sidecar = td_sidecar_make(&recording->take, "recording");
	recording->noted_ns = now_ns;
	if (sidecar &&
	    td_scribe_sidecar(recording->scribe, td_handle_index(recording->tap.v), sidecar) != 0)
		json_decref(sidecar);
}

int td_recording_begin(struct td_recording *recording, struct td_tap_id tap,
		       const struct td_command_record_start *start, struct td_scribe *scribe,
		       uint64_t now_ns, int64_t now_utc_ms)
{
	struct td_take *take = &recording->take;

	TD_ASSERT(recording->state == TD_RECORDING_FREE);
	memset(recording, 0, sizeof *recording);
	recording->tap = tap;
	recording->scribe = scribe;
	recording->start_ns = now_ns;
	memcpy(take->name, start->name, sizeof take->name);
	take->name[sizeof take->name - 1] = '\0';
	take->owner = start->owner;
	take->format = start->format;
	take->mono = start->mono != 0;
	take->stereo = start->stereo != 0;
	take->track_count = start->track_count ? start->track_count : 2;
	take->began_utc_ms = now_utc_ms;
	take->rate_hz = take->format == TD_RECORD_OPUS ? TD_OPUS_HZ : TD_TIMELINE_HZ;
	for (unsigned i = 0; i < take->track_count; i++)
		take->tracks[i].first_ms = -1;
	if (allocate(recording) != 0 || begin_files(recording) != 0) {
		td_recording_end(recording);
		return -TD_EMEMORY;
	}
	recording->state = TD_RECORDING_OPEN;
	note(recording, now_ns);
	return 0;
}

// How many came for the tap since the last record of the track, with those the ring refused.
static unsigned came_since(struct td_recording_track *track, const struct td_tap_record *record)
{
	uint16_t since = (uint16_t)(record->offered - track->offered);

	// Another stream counts from one.
	if (!track->counted || (track->ssrc != record->ssrc && since > NEW_STREAM))
		since = record->offered;
	track->counted = true;
	track->offered = record->offered;
	track->ssrc = record->ssrc;
	return since > 0 ? since : 1;
}

static void expect_lines(const void *from, size_t size)
{
	const uint8_t *line = from;

	for (size_t at = 0; at < size; at += TD_CACHE_LINE)
		__builtin_prefetch(line + at, 1);
	__builtin_prefetch(line + size - 1, 1);
}

void td_recording_expect(const struct td_recording *recording, const struct td_tap_record *record)
{
	uint8_t side = record->side;

	if (side >= recording->take.track_count)
		return;
	expect_lines(&recording->tracks[side], offsetof(struct td_recording_track, reorder) +
						       offsetof(struct td_reorder, slots));
	expect_lines(&recording->take.tracks[side], sizeof recording->take.tracks[side]);
	expect_lines(record->payload, record->payload_len);
	if (recording->pairs)
		expect_lines(&recording->pairs[side / 2], offsetof(struct td_timeline, window));
}

void td_recording_expect_place(const struct td_recording *recording,
			       const struct td_tap_record *record)
{
	if (record->side < recording->take.track_count && recording->pairs)
		td_timeline_expect(&recording->pairs[record->side / 2], record->side % 2);
}

void td_recording_add(struct td_recording *recording, const struct td_tap_record *record)
{
	struct td_recording_track *track;
	struct td_take_track *take;
	struct td_recording_ear ear = { recording, record->side };
	unsigned came;

	if (record->side >= recording->take.track_count ||
	    record->payload_len > sizeof record->payload)
		return;
	track = &recording->tracks[record->side];
	take = &recording->take.tracks[record->side];
	came = came_since(track, record);
	take->refused += came - 1;
	take->received += came - 1;
	if (recording->error)
		take->received += td_codec_get((enum td_codec_id)record->codec) != NULL;
	else
		td_reorder_put(&track->reorder, record, td_recording_hear, &ear);
}

static uint64_t now_ms(const struct td_recording *recording, uint64_t now_ns)
{
	return now_ns > recording->start_ns ? (now_ns - recording->start_ns) / NS_PER_MS : 0;
}

static void settle(struct td_recording *recording)
{
	for (unsigned i = 0; i < recording->take.track_count; i++) {
		struct td_recording_ear ear = { recording, (uint8_t)i };

		td_reorder_expire(&recording->tracks[i].reorder, UINT64_MAX, td_recording_hear,
				  &ear);
	}
}

static void resume(struct td_recording *recording, uint64_t now_ns)
{
	uint64_t held_ns = now_ns > recording->held_ns ? now_ns - recording->held_ns : 0;
	struct td_take *take = &recording->take;
	uint8_t kind = recording->held;

	if (!kind)
		return;
	settle(recording);
	recording->held = 0;
	for (unsigned i = take->mark_count; i-- > 0;) {
		if (take->marks[i].kind != kind)
			continue;
		take->marks[i].length_ms = held_ns / NS_PER_MS;
		break;
	}
	for (unsigned i = 0; i < take->track_count; i++) {
		recording->tracks[i].reorder.started = false;
		recording->tracks[i].masked = true;
	}
	if (kind == TD_TAKE_MASK)
		return;
	recording->start_ns += held_ns;
	for (unsigned i = 0; i < recording->pair_count; i++)
		td_timeline_skip(&recording->pairs[i], held_ns);
	for (unsigned i = 0; i < take->track_count; i++)
		recording->tracks[i].anchor.set = false;
}

static void hold(struct td_recording *recording, enum td_take_mark_kind kind, uint64_t now_ns)
{
	resume(recording, now_ns); // a mask may follow a pause
	settle(recording);
	recording->held = (uint8_t)kind;
	recording->held_ns = now_ns;
	(void)!td_take_mark(&recording->take, kind, now_ms(recording, now_ns), "");
	// What came since then and is not written yet is not to be kept.
	for (unsigned i = 0; i < recording->pair_count; i++)
		td_timeline_blank(&recording->pairs[i], now_ns);
}

void td_recording_control(struct td_recording *recording,
			  const struct td_command_record_control *control, uint64_t now_ns)
{
	switch ((enum td_record_action)control->action) {
	case TD_RECORD_PAUSE: hold(recording, TD_TAKE_PAUSE, now_ns); break;
	case TD_RECORD_MASK: hold(recording, TD_TAKE_MASK, now_ns); break;
	case TD_RECORD_RESUME: resume(recording, now_ns); break;
	case TD_RECORD_MARK:
		(void)!td_take_mark(&recording->take, TD_TAKE_MARK, now_ms(recording, now_ns),
				    control->text);
		break;
	case TD_RECORD_ACTION_COUNT: break;
	}
	recording->noted_ns = 0; // soon
}

void td_recording_flush(struct td_recording *recording, uint64_t now_ns)
{
	uint64_t until_ns = now_ns - TD_RECORDING_DELAY_MS * NS_PER_MS;

	if (recording->state != TD_RECORDING_OPEN || recording->error)
		return;
	for (unsigned i = 0; i < recording->take.track_count; i++) {
		struct td_recording_ear ear = { recording, (uint8_t)i };

		td_reorder_expire(&recording->tracks[i].reorder, now_ns, td_recording_hear, &ear);
	}
	// In a pause time stands still.
	if (recording->held == TD_TAKE_PAUSE && until_ns > recording->held_ns)
		until_ns = recording->held_ns;
	if (!td_scribe_has_room(recording->scribe))
		return;
	td_recording_hand_over(recording, until_ns);
	if (now_ns - recording->noted_ns >= TD_RECORDING_NOTE_MS * NS_PER_MS)
		note(recording, now_ns);
}

static const char *state_of(const struct td_recording *recording)
{
	for (unsigned i = 0; i < recording->take.track_count; i++) {
		const struct td_take_track *track = &recording->take.tracks[i];

		if (track->written + track->paused < track->received)
			return "incomplete";
	}
	return recording->error ? "failed" : "complete";
}

void td_recording_finish(struct td_recording *recording, uint64_t now_ns)
{
	uint32_t slot = td_handle_index(recording->tap.v);
	json_t *sidecar;

	settle(recording);
	resume(recording, now_ns);
	recording->state = TD_RECORDING_CLOSING;
	if (!recording->error)
		td_recording_hand_over_rest(recording);
	td_recording_sum_up(recording);
	sidecar = td_sidecar_make(&recording->take, state_of(recording));
	if (td_scribe_close(recording->scribe, slot, sidecar) != 0)
		// Not even memory for that: it stays as it is, and is repaired at the next start.
		json_decref(sidecar);
}

void td_recording_news(struct td_recording *recording, const struct td_scribe_news *news)
{
	if (news->error && !recording->error) {
		recording->error = news->error;
		recording->error_number = news->error_number;
	}
	if (news->kind != TD_SCRIBE_CLOSED)
		return;
	recording->bytes = news->bytes;
	memcpy(recording->digest, news->digest, sizeof recording->digest);
}

void td_recording_describe(const struct td_recording *recording, uint32_t kind,
			   struct td_event *event)
{
	struct td_event_recording *out = &event->u.recording;
	const struct td_take *take = &recording->take;

	memset(event, 0, sizeof *event);
	event->kind = kind;
	event->result = recording->error;
	out->tap = recording->tap;
	out->owner = take->owner;
	for (unsigned i = 0; i < take->track_count; i++) {
		unsigned side = i == 0 ? 0 : 1;

		out->packets_received[side] += take->tracks[i].received - take->tracks[i].paused;
		out->packets_written[side] += take->tracks[i].written;
		out->packets_late[side] += take->tracks[i].late;
		out->gap_samples[side] += take->tracks[i].gap_ms * (take->rate_hz / 1000);
	}
	out->duration_ms = take->duration_ms;
	out->bytes = recording->bytes;
	memcpy(out->digest, recording->digest, sizeof out->digest);
}

void td_recording_end(struct td_recording *recording)
{
	for (unsigned i = 0; recording->tracks && i < recording->take.track_count; i++) {
		struct td_recording_track *track = &recording->tracks[i];

		td_reorder_fini(&track->reorder);
		td_voice_fini(&track->voice);
		td_opus_source_fini(&track->source);
		td_recording_end_opus(track);
	}
	free(recording->tracks);
	free(recording->pairs);
	td_take_fini(&recording->take);
	memset(recording, 0, sizeof *recording);
}
