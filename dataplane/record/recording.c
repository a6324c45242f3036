#include "record/recording.h"

#include <string.h>

#include "codecs/codec.h"
#include "td_assert.h"

#define NS_PER_MS        1000000ull
#define CHUNK_FRAMES_MAX (TD_RECORDING_CHUNK_MS * (TD_TIMELINE_WIDE_HZ / 1000))

void td_recording_begin(struct td_recording *recording, struct td_tap_id tap, uint64_t owner,
			int folder_fd, const char *name, uint64_t now_ns)
{
	TD_ASSERT(recording->tap.v == 0);
	recording->tap = tap;
	recording->owner = owner;
	recording->failed_reported = false;
	td_timeline_init(&recording->timeline, now_ns);
	recording->opened = td_wav_file_open(&recording->file, folder_fd, name) == 0;
	if (!recording->opened && !recording->file.error)
		recording->file.error = -TD_EEXISTS;
}

// Makes the recording a wideband one, if it has not begun on disk and there is memory to do it.
static void widen(struct td_recording *recording)
{
	struct td_resampler *up;

	if (recording->timeline.rate_hz == TD_TIMELINE_WIDE_HZ || recording->timeline.written > 0)
		return;
	if (td_resampler_create(TD_TIMELINE_HZ, TD_TIMELINE_WIDE_HZ, &up) != 0)
		return;
	td_timeline_widen(&recording->timeline, up);
	td_resampler_destroy(up);
	recording->file.rate_hz = TD_TIMELINE_WIDE_HZ;
}

void td_recording_add(struct td_recording *recording, const struct td_tap_record *record)
{
	const struct td_codec *codec = td_codec_get((enum td_codec_id)record->codec);
	int16_t pcm[TD_TIMELINE_PACKET_MAX];
	struct td_timeline_packet packet = { .ssrc = record->ssrc,
					     .timestamp = record->timestamp,
					     .arrival_ns = record->arrival_ns,
					     .pcm = pcm };

	if (!codec)
		return; // a telephone-event: no sound to write
	if (record->side >= TD_TIMELINE_SIDES || record->payload_len > sizeof record->payload)
		return;
	if (recording->file.error) {
		recording->timeline.sides[record->side].received++;
		return;
	}
	if (record->flags & TD_TAP_MASKED) {
		// What it said is not to be known: its time is silent, and nothing of it is missing.
		recording->timeline.sides[record->side].received++;
		recording->timeline.sides[record->side].placed++;
		return;
	}
	if (codec->sample_hz > TD_TIMELINE_HZ)
		widen(recording);
	packet.clock_hz = codec->clock_hz;
	packet.count = td_voice_hear(&recording->voices[record->side], codec, record->ssrc,
				     recording->timeline.rate_hz, record->payload,
				     record->payload_len, pcm);
	td_timeline_place(&recording->timeline, record->side, &packet);
}

// Frames in a chunk at the recording's rate.
static unsigned chunk_frames(const struct td_recording *recording)
{
	return TD_RECORDING_CHUNK_MS * (recording->timeline.rate_hz / 1000);
}

static int write_frames(struct td_recording *recording, unsigned count)
{
	int16_t frames[CHUNK_FRAMES_MAX][TD_TIMELINE_SIDES];

	while (count > 0) {
		unsigned now = count < CHUNK_FRAMES_MAX ? count : CHUNK_FRAMES_MAX;
		int error;

		td_timeline_take(&recording->timeline, frames, now);
		error = td_wav_file_append(&recording->file, frames, now);
		if (error)
			return error;
		count -= now;
	}
	return 0;
}

int td_recording_flush(struct td_recording *recording, uint64_t now_ns)
{
	uint64_t until_ns = now_ns - TD_RECORDING_DELAY_MS * NS_PER_MS;
	unsigned ready;

	if (recording->file.error)
		return recording->file.error;
	ready = td_timeline_ready(&recording->timeline, until_ns);
	if (ready < chunk_frames(recording))
		return 0;
	return write_frames(recording, ready);
}

void td_recording_describe(const struct td_recording *recording, uint32_t kind, int result,
			   struct td_event *event)
{
	const struct td_timeline *timeline = &recording->timeline;
	struct td_event_recording *out = &event->u.recording;

	memset(event, 0, sizeof *event);
	event->kind = kind;
	event->result = result;
	out->tap = recording->tap;
	out->owner = recording->owner;
	for (unsigned i = 0; i < TD_TIMELINE_SIDES; i++) {
		const struct td_timeline_side *side = &timeline->sides[i];

		out->packets_received[i] = side->received;
		out->packets_written[i] = side->placed;
		out->packets_late[i] = side->late;
		out->gap_samples[i] =
			timeline->end > side->samples ? timeline->end - side->samples : 0;
	}
	out->duration_ms = recording->file.frames * 1000u / recording->file.rate_hz;
	out->bytes = recording->file.frames * sizeof timeline->window[0];
}

void td_recording_finish(struct td_recording *recording, bool sync, struct td_event *event)
{
	int result = recording->file.error;

	if (!result)
		result = write_frames(recording, td_timeline_rest(&recording->timeline));
	if (recording->opened) {
		int closed = td_wav_file_close(&recording->file, sync);

		result = result ? result : closed;
	}
	for (unsigned side = 0; side < TD_TIMELINE_SIDES; side++)
		td_voice_fini(&recording->voices[side]);
	td_recording_describe(recording, TD_EVENT_RECORD_CLOSED, result, event);
	recording->tap.v = 0;
}
