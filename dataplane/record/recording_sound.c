#include "record/recording_sound.h"

#include <stdlib.h>
#include <string.h>

#include "codecs/codec.h"

#define NS_PER_MS    1000000ull
#define OPUS_OUT_MAX (1u << 20) // of a track that waits for the disk

static uint32_t wide_or_narrow(const struct td_recording *recording)
{
	return recording->pairs[0].rate_hz;
}

// Makes the recording a wideband one, if it has not begun on disk and there is memory to do it.
static void widen(struct td_recording *recording)
{
	struct td_resampler *up;

	if (wide_or_narrow(recording) == TD_TIMELINE_WIDE_HZ || recording->pairs[0].written > 0)
		return;
	if (td_resampler_create(TD_TIMELINE_HZ, TD_TIMELINE_WIDE_HZ, &up) != 0)
		return;
	for (unsigned i = 0; i < recording->pair_count; i++)
		td_timeline_widen(&recording->pairs[i], up);
	td_resampler_destroy(up);
	recording->take.rate_hz = TD_TIMELINE_WIDE_HZ;
}

// A silence of `samples` that ends at `end`, both at the recording's rate.
static void note_gap(struct td_recording *recording, unsigned index, int64_t end, int64_t samples)
{
	struct td_recording_track *track = &recording->tracks[index];
	uint32_t per_ms = recording->take.rate_hz / 1000;
	int64_t lost = track->reorder.lost - track->lost_told;
	struct td_take_gap gap = { .track = (uint8_t)index,
				   .at_ms = (uint32_t)((end - samples) / per_ms),
				   .length_ms = (uint32_t)(samples / per_ms) };

	if (track->masked || gap.length_ms == 0)
		return;
	gap.lost = lost < 0 ? 0 : lost > UINT16_MAX ? UINT16_MAX : (uint16_t)lost;
	recording->take.tracks[index].gap_ms += gap.length_ms;
	td_take_gap(&recording->take, &gap);
}

// Those who come later than the first two, if they do, begin where the others are.
static struct td_timeline *pair_of(struct td_recording *recording, unsigned index)
{
	while (recording->pair_count <= index / 2) {
		struct td_timeline *pair = &recording->pairs[recording->pair_count++];

		td_timeline_init(pair, recording->pairs[0].start_ns);
		pair->rate_hz = recording->pairs[0].rate_hz;
		pair->written = pair->end = recording->pairs[0].written;
	}
	return &recording->pairs[index / 2];
}

static void put_wav(struct td_recording *recording, unsigned index, const struct td_codec *codec,
		    const struct td_tap_record *record, bool late)
{
	struct td_recording_track *track = &recording->tracks[index];
	struct td_take_track *take = &recording->take.tracks[index];
	struct td_timeline *pair = pair_of(recording, index);
	int16_t pcm[TD_TIMELINE_PACKET_MAX];
	struct td_timeline_packet packet = { .ssrc = record->ssrc,
					     .timestamp = record->timestamp,
					     .clock_hz = codec->clock_hz,
					     .arrival_ns = record->arrival_ns,
					     .pcm = pcm };
	int64_t gap;

	if (codec->sample_hz > TD_TIMELINE_HZ)
		widen(recording);
	packet.count = td_voice_hear(&track->voice, codec, record->ssrc, wide_or_narrow(recording),
				     record->payload, record->payload_len, pcm);
	gap = td_timeline_place(pair, index % 2, &packet);
	if (gap == TD_TIMELINE_LATE) {
		take->late++;
		return;
	}
	take->written++;
	if (gap > 0 && !late)
		note_gap(recording, index, pair->sides[index % 2].edge - packet.count, gap);
	if (take->first_ms < 0)
		take->first_ms = (pair->sides[index % 2].edge - packet.count) /
				 (int64_t)(wide_or_narrow(recording) / 1000);
}

void td_recording_end_opus(struct td_recording_track *track)
{
	if (track->opus)
		td_opus_track_fini(track->opus);
	free(track->opus);
	track->opus = NULL;
}

bool td_recording_begin_opus(struct td_recording *recording, unsigned index)
{
	struct td_recording_track *track = &recording->tracks[index];
	// Of all that belong to one recording none has another's.
	uint32_t serial = (uint32_t)(recording->start_ns >> 10) * TD_TRACK_MAX + index;

	track->opus = malloc(sizeof *track->opus);
	if (!track->opus)
		return false;
	td_opus_track_begin(track->opus, serial, recording->take.name);
	if (!track->opus->out.broken)
		return true;
	td_recording_end_opus(track);
	return false;
}

// false: there is no memory; nothing of it is kept.
static bool give(struct td_recording *recording, unsigned file, struct td_bytes *bytes)
{
	if (bytes->used == 0 ||
	    td_scribe_write(recording->scribe, td_handle_index(recording->tap.v), file,
			    recording->take.rate_hz, bytes) == 0)
		return true;
	td_bytes_free(bytes);
	return false;
}

// Somebody is heard on a track of Opus: its file is begun if it is not there, and the sidecar tells of it
// soon. false: there is no memory; the next packet tries it again.
static bool begin_file(struct td_recording *recording, unsigned index)
{
	struct td_recording_track *track = &recording->tracks[index];

	if (track->opus)
		return true;
	if (!td_recording_begin_opus(recording, index))
		return false;
	recording->noted_ns = 0;
	if (give(recording, index, &track->opus->out))
		return true;
	td_recording_end_opus(track);
	return false;
}

static int64_t arrival_place(const struct td_recording *recording, uint64_t arrival_ns)
{
	if (arrival_ns <= recording->start_ns)
		return 0;
	return (int64_t)((arrival_ns - recording->start_ns) * 6 / 125000); // 48 samples a ms
}

static void put_opus(struct td_recording *recording, unsigned index, const struct td_codec *codec,
		     const struct td_tap_record *record)
{
	struct td_recording_track *track = &recording->tracks[index];
	struct td_take_track *take = &recording->take.tracks[index];
	struct td_opus_piece pieces[TD_OPUS_PIECES_MAX];
	int64_t place =
		td_anchor_locate(&track->anchor, TD_OPUS_HZ, record->ssrc, record->timestamp,
				 codec->clock_hz, arrival_place(recording, record->arrival_ns));
	unsigned count = !begin_file(recording, index) || track->opus->out.used > OPUS_OUT_MAX
				 ? 0
				 : td_opus_source_hear(&track->source, codec, record, pieces);
	bool written = count > 0;

	for (unsigned i = 0; i < count; i++) {
		int64_t gap = td_opus_track_put(track->opus, place, pieces[i].packet,
						pieces[i].size, pieces[i].samples);

		written = written && gap != TD_OPUS_LATE;
		if (gap > 0 && take->first_ms >= 0)
			note_gap(recording, index, place, gap);
		if (take->first_ms < 0)
			take->first_ms = place / (TD_OPUS_HZ / 1000);
		place += pieces[i].samples;
	}
	take->coded = track->source.coded;
	if (written)
		take->written++;
	else
		take->late++;
}

void td_recording_hear(void *user, const struct td_tap_record *record, bool late)
{
	const struct td_recording_ear *ear = user;
	struct td_recording *recording = ear->recording;
	const struct td_codec *codec = td_codec_get((enum td_codec_id)record->codec);
	struct td_recording_track *track = &recording->tracks[ear->track];
	struct td_take_track *take = &recording->take.tracks[ear->track];

	if (!codec)
		return; // a telephone-event: no sound to write
	take->received++;
	take->codecs |= 1u << codec->id;
	if (record->flags & TD_TAP_MASKED) {
		// What it said is not to be known: its time is silent, and nothing of it is missing.
		if (recording->take.format == TD_RECORD_OPUS)
			(void)begin_file(recording, ear->track);
		take->written++;
		track->masked = true;
		return;
	}
	if (recording->held && record->arrival_ns >= recording->held_ns) {
		take->paused++;
		return;
	}
	if (recording->take.format == TD_RECORD_OPUS)
		put_opus(recording, ear->track, codec, record);
	else
		put_wav(recording, ear->track, codec, record, late);
	track->lost_told = track->reorder.lost;
	track->masked = false;
}

static int16_t clip(int32_t sum)
{
	return (int16_t)(sum > INT16_MAX ? INT16_MAX : sum < INT16_MIN ? INT16_MIN : sum);
}

// The first track alone, all others together.
static void add_to_right(int16_t *out, int16_t (*two)[TD_TIMELINE_SIDES], unsigned count,
			 unsigned pair)
{
	for (unsigned i = 0; i < count; i++) {
		if (pair == 0) {
			out[2 * i] = two[i][0];
			out[2 * i + 1] = two[i][1];
		} else {
			out[2 * i + 1] = clip(out[2 * i + 1] + two[i][0] + two[i][1]);
		}
	}
}

// The next `count` frames of all pairs, interleaved or mixed, to `out`.
static void interleave(struct td_recording *recording, unsigned count, int16_t *out)
{
	static _Thread_local int16_t two[TD_TIMELINE_FRAMES_MAX][TD_TIMELINE_SIDES];
	unsigned tracks = recording->take.track_count;
	bool split = !recording->take.mono && !recording->take.stereo;

	if (recording->take.mono)
		memset(out, 0, count * sizeof *out);
	for (unsigned pair = 0; pair < recording->pair_count; pair++) {
		td_timeline_take(&recording->pairs[pair], two, count);
		for (unsigned i = 0; i < count && recording->take.mono; i++) {
			out[i] = clip(out[i] + two[i][0] + two[i][1]);
		}
		if (recording->take.stereo)
			add_to_right(out, two, count, pair);
		for (unsigned i = 0; i < count && split; i++) {
			out[i * tracks + 2 * pair] = two[i][0];
			if (2 * pair + 1 < tracks)
				out[i * tracks + 2 * pair + 1] = two[i][1];
		}
	}
}

// false: there is no memory; they stay in the window and are tried again.
static bool give_frames(struct td_recording *recording, unsigned count)
{
	unsigned channels = td_take_channels(&recording->take);
	size_t size = (size_t)count * channels * sizeof(int16_t);
	struct td_bytes bytes;

	td_scribe_blank(recording->scribe, &bytes);
	if (!td_bytes_grow(&bytes, size)) {
		td_bytes_free(&bytes);
		return false;
	}
	bytes.used = size;
	if (channels == 2 && recording->pair_count == 1)
		td_timeline_take(&recording->pairs[0], (int16_t(*)[2])(void *)bytes.data, count);
	else
		interleave(recording, count, (int16_t *)(void *)bytes.data);
	(void)give(recording, 0, &bytes);
	return true;
}

static unsigned chunk_frames(const struct td_recording *recording)
{
	unsigned ms = recording->pairs[0].written ? TD_RECORDING_CHUNK_MS : TD_RECORDING_FIRST_MS;

	return ms * (wide_or_narrow(recording) / 1000);
}

static void give_tracks(struct td_recording *recording)
{
	for (unsigned i = 0; i < recording->take.track_count; i++) {
		struct td_opus_track *opus = recording->tracks[i].opus;

		if (!opus)
			continue;
		td_opus_track_flush(opus);
		(void)give(recording, i, &opus->out);
	}
}

// All of them end where the longest does.
static void end_tracks(struct td_recording *recording, int64_t end)
{
	for (unsigned i = 0; i < recording->take.track_count; i++) {
		struct td_opus_track *opus = recording->tracks[i].opus;

		if (!opus)
			continue;
		td_opus_track_end(opus, end);
		(void)give(recording, i, &opus->out);
	}
}

void td_recording_hand_over(struct td_recording *recording, uint64_t until_ns)
{
	unsigned ready;

	if (recording->take.format == TD_RECORD_OPUS) {
		// Packets are few: a page a quarter of a second.
		if (until_ns - recording->opus_given_ns < TD_RECORDING_CHUNK_MS * NS_PER_MS)
			return;
		recording->opus_given_ns = until_ns;
		give_tracks(recording);
		return;
	}
	ready = td_timeline_ready(&recording->pairs[0], until_ns);
	while (ready >= chunk_frames(recording) && give_frames(recording, ready))
		ready = td_timeline_ready(&recording->pairs[0], until_ns);
}

static int64_t opus_end(const struct td_recording *recording)
{
	int64_t end = 0;

	for (unsigned i = 0; i < recording->take.track_count; i++) {
		const struct td_opus_track *opus = recording->tracks[i].opus;

		if (opus && opus->edge > end)
			end = opus->edge;
	}
	return end;
}

void td_recording_hand_over_rest(struct td_recording *recording)
{
	unsigned rest = 0, window;

	if (recording->take.format == TD_RECORD_OPUS) {
		end_tracks(recording, opus_end(recording));
		return;
	}
	for (unsigned i = 0; i < recording->pair_count; i++) {
		unsigned one = td_timeline_rest(&recording->pairs[i]);

		rest = one > rest ? one : rest;
	}
	window = TD_TIMELINE_FRAMES * (wide_or_narrow(recording) / TD_TIMELINE_HZ);
	while (rest > 0) {
		unsigned now = rest < window ? rest : window;

		rest = give_frames(recording, now) ? rest - now : 0;
	}
}

void td_recording_sum_up(struct td_recording *recording)
{
	struct td_take *take = &recording->take;

	for (unsigned i = 0; i < take->track_count; i++)
		take->tracks[i].lost = recording->tracks[i].reorder.lost;
	if (take->format == TD_RECORD_OPUS) {
		int64_t end = opus_end(recording);

		take->duration_ms =
			end > TD_OPUS_PRE_SKIP ? (uint64_t)end / (TD_OPUS_HZ / 1000) : 0;
		return;
	}
	take->duration_ms = recording->pairs[0].written * 1000 / wide_or_narrow(recording);
	// Silence after a party's last packet.
	for (unsigned i = 0; i < take->track_count && i / 2 < recording->pair_count &&
			     recording->state == TD_RECORDING_CLOSING;
	     i++) {
		const struct td_timeline_side *side = &recording->pairs[i / 2].sides[i % 2];
		uint64_t written = recording->pairs[0].written;

		if (written > (uint64_t)side->edge)
			take->tracks[i].gap_ms +=
				(written - (uint64_t)side->edge) * 1000 / wide_or_narrow(recording);
		if (take->tracks[i].first_ms > 0)
			take->tracks[i].gap_ms += (uint64_t)take->tracks[i].first_ms;
	}
}
