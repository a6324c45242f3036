// One listener after the other: whom it hears, and with whom it shares what it hears.
#include "media/plan_survey.h"

#include <string.h>

#define DETECT_HZ 8000u // what a detector wants when nobody mixes

static bool is_stream(const struct td_matrix *matrix, uint32_t slot)
{
	return matrix->members[slot].kind == TD_MEMBER_STREAM;
}

// Cannot be decoded or encoded yet.
static bool is_mute(const struct td_matrix_member *member)
{
	return member->kind == TD_MEMBER_STREAM && member->codec == TD_CODEC_NONE;
}

// Packets of `from` can be sent to `to` as they are. Digits in between have to arrive as what `to`
// understands, by the same clock, or not at all where it is to be spared them.
static bool forwards(const struct td_matrix_member *from, const struct td_matrix_member *to)
{
	bool spared = (to->tune & TD_TUNE_NO_DIGITS) != 0;

	if (to->ear)
		return false;
	if (is_mute(from) || is_mute(to))
		return true;
	if (from->codec != to->codec ||
	    (from->ptime_ms != to->ptime_ms && from->ptime_ms != 0 && to->ptime_ms != 0))
		return false;
	if (from->events && !spared && (!to->events || from->event_khz != to->event_khz))
		return false;
	if ((from->detect & TD_DETECT_DTMF) &&
	    (spared || ((from->tune & TD_TUNE_CONVERT) && to->events)))
		return false;
	return true;
}

// How many on the floor a listener hears. Two faint gains may come to nothing in Q12: then each has
// to be looked at.
static uint32_t count_floor(const struct td_plan_scratch *scratch, const struct td_matrix *matrix,
			    uint32_t to)
{
	const struct td_matrix_member *member = &matrix->members[to];
	uint32_t count = 0;

	if (member->hear_q12 == 0)
		return 0;
	if (td_matrix_floor_gain(scratch->faintest_q12, member->hear_q12) != 0)
		return scratch->talker_count - (member->talk_q12 != 0);
	for (uint32_t i = 0; i < scratch->talker_count; i++)
		count += scratch->talkers[i] != to &&
			 td_matrix_floor_gain(matrix->members[scratch->talkers[i]].talk_q12,
					      member->hear_q12) != 0;
	return count;
}

// Counts whom a listener hears; *only is the last of them that was seen.
static uint32_t count_heard(const struct td_matrix *matrix, const struct td_plan_scratch *scratch,
			    uint32_t to, uint32_t *only)
{
	const struct td_matrix_member *member = &matrix->members[to];
	uint32_t floor = count_floor(scratch, matrix, to), own = 0;
	uint32_t cell = td_matrix_first_cell(matrix, to);

	for (; cell < matrix->cell_count && matrix->cells[cell].to == to; cell++) {
		uint32_t from = matrix->cells[cell].from;

		if (from != to &&
		    td_matrix_floor_gain(matrix->members[from].talk_q12, member->hear_q12) != 0)
			floor--; // it has a gain of its own
		if (matrix->cells[cell].gain_q12 == 0)
			continue;
		own++;
		*only = from;
	}
	if (floor == 1 && own == 0) {
		for (uint32_t i = 0; i < scratch->talker_count; i++)
			if (td_matrix_heard(matrix, scratch->talkers[i], to) != 0)
				*only = scratch->talkers[i];
	}
	return floor + own;
}

// FNV-1a over what makes two listeners hear the same.
static uint32_t hash_words(uint32_t hash, const void *bytes, size_t count)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < count; i++)
		hash = (hash ^ byte[i]) * 16777619u;
	return hash;
}

static bool same_coding(const struct td_matrix_member *a, const struct td_matrix_member *b)
{
	return a->hear_q12 == b->hear_q12 && a->codec == b->codec && a->ptime_ms == b->ptime_ms &&
	       a->events == b->events && ((a->tune ^ b->tune) & TD_TUNE_NO_DIGITS) == 0 &&
	       memcmp(&a->settings, &b->settings, sizeof a->settings) == 0;
}

static bool same_cells(const struct td_matrix *matrix, uint32_t a, uint32_t b)
{
	uint32_t i = td_matrix_first_cell(matrix, a), j = td_matrix_first_cell(matrix, b);

	for (;; i++, j++) {
		bool more = i < matrix->cell_count && matrix->cells[i].to == a;

		if (more != (j < matrix->cell_count && matrix->cells[j].to == b))
			return false;
		if (!more)
			return true;
		if (matrix->cells[i].from != matrix->cells[j].from ||
		    matrix->cells[i].gain_q12 != matrix->cells[j].gain_q12)
			return false;
	}
}

static uint32_t hash_listener(const struct td_matrix *matrix, uint32_t to)
{
	const struct td_matrix_member *member = &matrix->members[to];
	uint32_t hash = 2166136261u, cell = td_matrix_first_cell(matrix, to);

	hash = hash_words(hash, &member->hear_q12, sizeof member->hear_q12);
	hash = hash_words(hash, &member->codec, sizeof member->codec);
	hash = hash_words(hash, &member->ptime_ms, sizeof member->ptime_ms);
	for (; cell < matrix->cell_count && matrix->cells[cell].to == to; cell++) {
		hash = hash_words(hash, &matrix->cells[cell].from, sizeof matrix->cells[cell].from);
		hash = hash_words(hash, &matrix->cells[cell].gain_q12,
				  sizeof matrix->cells[cell].gain_q12);
	}
	return hash;
}

static uint32_t new_mix(struct td_plan_scratch *scratch, uint32_t to)
{
	scratch->first_slot[scratch->mix_count] = to;
	scratch->sinks[scratch->mix_count] = 0;
	scratch->cells[scratch->mix_count] = 0;
	return scratch->mix_count++;
}

// The mix of a listener: one that is there already, or a new one.
static uint32_t find_mix(const struct td_matrix *matrix, struct td_plan_scratch *scratch,
			 uint32_t to)
{
	const struct td_matrix_member *member = &matrix->members[to];
	uint32_t at;

	if (td_plan_leaves_self_out(member))
		return new_mix(scratch, to);
	at = hash_listener(matrix, to) & scratch->bucket_mask;
	for (; scratch->buckets[at] != 0; at = (at + 1u) & scratch->bucket_mask) {
		uint32_t mix = scratch->buckets[at] - 1u, other = scratch->first_slot[mix];

		if (same_coding(member, &matrix->members[other]) && same_cells(matrix, to, other))
			return mix;
	}
	scratch->buckets[at] = scratch->mix_count + 1u;
	return new_mix(scratch, to);
}

static void need_source(const struct td_matrix *matrix, struct td_plan_scratch *scratch,
			uint32_t slot)
{
	if (scratch->source_of[slot] == TD_SOURCE_NONE && !is_mute(&matrix->members[slot]))
		scratch->source_of[slot] = scratch->source_count++;
}

static void raise_rate(struct td_plan_scratch *scratch, const struct td_matrix_member *from,
		       const struct td_matrix_member *to)
{
	uint32_t from_hz = td_plan_member_hz(from), to_hz = td_plan_member_hz(to);
	uint32_t hz = from_hz < to_hz ? from_hz : to_hz;

	if (hz > scratch->rate_hz)
		scratch->rate_hz = hz;
}

// Everybody on the floor is heard by `to`: their rates, unless the best has been reached.
static void raise_by_floor(const struct td_matrix *matrix, struct td_plan_scratch *scratch,
			   uint32_t to)
{
	const struct td_matrix_member *member = &matrix->members[to];

	for (uint32_t i = 0; i < scratch->talker_count; i++) {
		if (scratch->rate_hz >= td_plan_member_hz(member))
			return;
		if (scratch->talkers[i] != to && !is_mute(&matrix->members[scratch->talkers[i]]))
			raise_rate(scratch, &matrix->members[scratch->talkers[i]], member);
	}
}

static void mix_for(const struct td_matrix *matrix, struct td_plan_scratch *scratch, uint32_t to)
{
	const struct td_matrix_member *member = &matrix->members[to];
	uint32_t mix = find_mix(matrix, scratch, to), cell = td_matrix_first_cell(matrix, to);

	scratch->mix_of[to] = mix;
	if (member->hear_q12 != 0) {
		scratch->floor = true;
		raise_by_floor(matrix, scratch, to);
	}
	if (++scratch->sinks[mix] > 1)
		return; // its cells have been counted
	for (; cell < matrix->cell_count && matrix->cells[cell].to == to; cell++) {
		const struct td_matrix_member *from = &matrix->members[matrix->cells[cell].from];

		if (is_mute(from) || td_plan_beyond_floor(matrix, &matrix->cells[cell]) == 0)
			continue;
		need_source(matrix, scratch, matrix->cells[cell].from);
		raise_rate(scratch, from, member);
		scratch->cells[mix]++;
		scratch->cell_count++;
	}
}

// The frames of players are of 20 ms, in the codecs they are there in.
static bool plays(const struct td_plan_scratch *scratch, const struct td_matrix_member *from,
		  const struct td_matrix_member *to)
{
	return !from->live && !to->ear && (scratch->playable >> to->codec & 1u) != 0 &&
	       (to->ptime_ms == 0 || to->ptime_ms == 20 || is_mute(to));
}

static void survey_listener(const struct td_matrix *matrix, struct td_plan_scratch *scratch,
			    uint32_t to)
{
	const struct td_matrix_member *member = &matrix->members[to];
	uint32_t only = TD_SLOT_NONE, count = count_heard(matrix, scratch, to, &only);

	if (count == 0)
		return;
	if (count == 1 && td_matrix_heard(matrix, only, to) == TD_GAIN_UNITY &&
	    (is_stream(matrix, only) ? forwards(&matrix->members[only], member)
				     : plays(scratch, &matrix->members[only], member))) {
		scratch->only[to] = only;
		scratch->heard[only]++;
		return;
	}
	if (!is_mute(member))
		mix_for(matrix, scratch, to);
}

static void begin(const struct td_matrix *matrix, struct td_plan_scratch *scratch)
{
	uint32_t buckets = 4;

	scratch->talker_count = scratch->mix_count = 0;
	scratch->source_count = scratch->cell_count = 0;
	scratch->faintest_q12 = TD_GAIN_MAX;
	scratch->floor = false;
	scratch->rate_hz = 0;
	while (buckets < 2u * matrix->slots)
		buckets *= 2u;
	scratch->bucket_mask = buckets - 1u;
	memset(scratch->buckets, 0, buckets * sizeof scratch->buckets[0]);
	for (uint32_t slot = 0; slot < matrix->slots; slot++) {
		const struct td_matrix_member *member = &matrix->members[slot];

		scratch->only[slot] = TD_SLOT_NONE;
		scratch->mix_of[slot] = TD_SOURCE_NONE;
		scratch->source_of[slot] = TD_SOURCE_NONE;
		scratch->heard[slot] = 0;
		if (member->kind == TD_MEMBER_NONE || member->talk_q12 == 0)
			continue;
		scratch->talkers[scratch->talker_count++] = slot;
		if (member->talk_q12 < scratch->faintest_q12)
			scratch->faintest_q12 = member->talk_q12;
	}
}

void td_plan_survey(const struct td_matrix *matrix, uint32_t playable,
		    struct td_plan_scratch *scratch)
{
	begin(matrix, scratch);
	scratch->playable = playable;
	for (uint32_t to = 0; to < matrix->slots; to++)
		if (is_stream(matrix, to))
			survey_listener(matrix, scratch, to);
	for (uint32_t i = 0; scratch->floor && i < scratch->talker_count; i++)
		need_source(matrix, scratch, scratch->talkers[i]);
	for (uint32_t slot = 0; slot < matrix->slots; slot++) {
		if (!is_stream(matrix, slot) || matrix->members[slot].detect == 0)
			continue;
		need_source(matrix, scratch, slot);
		if (scratch->rate_hz == 0 && scratch->source_of[slot] != TD_SOURCE_NONE)
			scratch->rate_hz = DETECT_HZ;
	}
	if (scratch->rate_hz == 0 && scratch->mix_count > 0)
		scratch->rate_hz = DETECT_HZ; // those they would hear have no codec yet: silence
}
