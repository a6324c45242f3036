#include "record/sidecar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "td_codec_id.h"

static void put_time(json_t *sidecar, int64_t utc_ms)
{
	time_t seconds = (time_t)(utc_ms / 1000);
	char text[40];
	struct tm utc;
	size_t length;

	gmtime_r(&seconds, &utc);
	length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + length, sizeof text - length, ".%03dZ", (int)(utc_ms % 1000));
	json_object_set_new(sidecar, "began", json_string(text));
}

static json_t *codecs_of(uint32_t bits)
{
	json_t *list = json_array();

	for (unsigned i = 1; i < TD_CODEC_COUNT; i++)
		if (bits & 1u << i)
			json_array_append_new(list,
					      json_string(td_codec_name((enum td_codec_id)i)));
	return list;
}

// Who was told of as heard on a track, the last one if there were more; NULL: nobody.
static const char *name_on(const struct td_take *take, unsigned index)
{
	char key[TD_NOTE_KEY_MAX];

	snprintf(key, sizeof key, "track%u.name", index);
	for (unsigned i = 0; i < take->note_count; i++)
		if (strcmp(take->notes[i].key, key) == 0)
			return take->notes[i].text;
	return NULL;
}

static json_t *track_of(const struct td_take *take, unsigned index)
{
	const struct td_take_track *track = &take->tracks[index];
	json_t *out = json_pack("{s:i, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "track",
				(int)index + 1, "codecs", codecs_of(track->codecs),
				"packets_received", (json_int_t)track->received, "packets_written",
				(json_int_t)track->written, "packets_late", (json_int_t)track->late,
				"packets_refused", (json_int_t)track->refused, "packets_paused",
				(json_int_t)track->paused, "packets_lost", (json_int_t)track->lost,
				"gap_ms", (json_int_t)track->gap_ms);
	const char *name = name_on(take, index);

	if (name)
		json_object_set_new(out, "name", json_string(name));
	if (track->first_ms >= 0)
		json_object_set_new(out, "first_packet_ms", json_integer(track->first_ms));
	if (take->format == TD_RECORD_OPUS)
		json_object_set_new(out, "packets_coded", json_integer((json_int_t)track->coded));
	return out;
}

// A track on which nobody is heard is nowhere: neither a channel nor a file is kept for it.
static bool has_no_place(const struct td_take *take)
{
	return take->stereo || take->format == TD_RECORD_OPUS;
}

static void put_tracks(json_t *sidecar, const struct td_take *take)
{
	json_t *list = json_array();
	uint64_t received = 0, written = 0;

	for (unsigned i = 0; i < take->track_count; i++) {
		if (i >= 2 && has_no_place(take) && take->tracks[i].received == 0)
			continue; // nobody has come for it
		json_array_append_new(list, track_of(take, i));
		received += take->tracks[i].received - take->tracks[i].paused;
		written += take->tracks[i].written;
	}
	json_object_set_new(sidecar, "tracks", list);
	json_object_set_new(sidecar, "written_per_received",
			    json_real(received ? (double)written / (double)received : 1.0));
}

static void put_gaps(json_t *sidecar, const struct td_take *take)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < take->gap_count; i++) {
		const struct td_take_gap *gap = &take->gaps[i];

		json_array_append_new(list, json_pack("{s:i, s:I, s:I, s:i}", "track",
						      (int)gap->track + 1, "at_ms",
						      (json_int_t)gap->at_ms, "ms",
						      (json_int_t)gap->length_ms, "packets_lost",
						      (int)gap->lost));
	}
	json_object_set_new(sidecar, "gaps", list);
}

static void put_marks(json_t *sidecar, const struct td_take *take)
{
	static const char *const kinds[] = { "mark", "pause", "mask" };
	json_t *list = json_array();

	for (unsigned i = 0; i < take->mark_count; i++) {
		const struct td_take_mark *mark = &take->marks[i];
		json_t *out = json_pack("{s:s, s:I}", "kind", kinds[mark->kind], "at_ms",
					(json_int_t)mark->at_ms);

		if (mark->kind != TD_TAKE_MARK)
			json_object_set_new(out, "ms", json_integer((json_int_t)mark->length_ms));
		if (mark->text[0] != '\0')
			json_object_set_new(out, "text", json_string(mark->text));
		json_array_append_new(list, out);
	}
	json_object_set_new(sidecar, "marks", list);
}

json_t *td_sidecar_make(const struct td_take *take, const char *state)
{
	json_t *notes = json_object(), *sidecar;

	for (unsigned i = 0; i < take->note_count; i++)
		// What is not UTF-8 is no note.
		json_object_set_new(notes, take->notes[i].key, json_string(take->notes[i].text));
	sidecar = json_pack("{s:s, s:s, s:I, s:s, s:i, s:i, s:b, s:o}", "recording", take->name,
			    "state", state, "duration_ms", (json_int_t)take->duration_ms, "format",
			    take->format == TD_RECORD_OPUS ? "opus" : "wav", "sample_hz",
			    (int)take->rate_hz, "channels", (int)td_take_channels(take),
			    "encrypted", 0, "notes", notes);
	if (!sidecar)
		return NULL;
	put_time(sidecar, take->began_utc_ms);
	put_tracks(sidecar, take);
	put_gaps(sidecar, take);
	put_marks(sidecar, take);
	if (take->forgotten)
		json_object_set_new(sidecar, "forgotten",
				    json_integer((json_int_t)take->forgotten));
	json_object_set_new(sidecar, "files", json_array());
	return sidecar;
}

void td_sidecar_add_file(json_t *sidecar, const char *name, uint64_t bytes, uint64_t from,
			 const struct td_chain *chain, bool done)
{
	json_t *sha, *links = json_array();
	char text[TD_CHAIN_TEXT];

	for (uint32_t i = 0; done && i < chain->link_count; i++) {
		td_chain_text(chain->links[i], text);
		json_array_append_new(links, json_string(text));
	}
	td_chain_text(chain->head, text);
	sha = json_pack("{s:I, s:I, s:i, s:s, s:o}", "from", (json_int_t)from, "bytes",
			(json_int_t)chain->bytes, "segment_bytes", (int)TD_CHAIN_SEGMENT, "head",
			text, "links", links);
	json_array_append_new(json_object_get(sidecar, "files"),
			      json_pack("{s:s, s:I, s:o}", "name", name, "bytes", (json_int_t)bytes,
					"sha256", sha));
}

bool td_sidecar_lists(const json_t *files, const char *name)
{
	for (size_t i = 0; i < json_array_size(files); i++) {
		json_t *one = json_object_get(json_array_get(files, i), "name");

		if (json_is_string(one) && strcmp(json_string_value(one), name) == 0)
			return true;
	}
	return false;
}

char *td_sidecar_text(const json_t *sidecar)
{
	return json_dumps(sidecar, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
}
