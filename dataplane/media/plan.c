// The plan compiler: from what the survey found to one immutable piece of memory.
#include "media/plan.h"

#include <stdlib.h>

#include "codecs/codec.h"
#include "media/plan_survey.h"

struct td_plan_scratch *td_plan_scratch_create(void)
{
	return calloc(1, sizeof(struct td_plan_scratch));
}

void td_plan_scratch_destroy(struct td_plan_scratch *scratch)
{
	free(scratch);
}

uint32_t td_plan_member_hz(const struct td_matrix_member *member)
{
	const struct td_codec *codec = td_codec_get((enum td_codec_id)member->codec);
	uint32_t hz = codec != NULL ? codec->sample_hz : 8000u;

	if (member->kind == TD_MEMBER_PLAYER)
		hz = member->rate_khz * 1000u;
	else if (member->settings.max_hz != 0 && member->settings.max_hz < hz)
		hz = member->settings.max_hz;
	return hz <= 8000u ? 8000u : hz <= 16000u ? 16000u : 48000u;
}

// The arrays of a plan, one after the other in its memory.
static struct td_plan *allocate(const struct td_plan *counts)
{
	size_t head = (sizeof *counts + 15u) & ~(size_t)15u;
	size_t mixes = counts->mix_count * sizeof(struct td_plan_mix);
	size_t sources = counts->source_count * sizeof(struct td_plan_source);
	size_t seats = counts->seat_count * sizeof(struct td_plan_seat);
	size_t words = (size_t)counts->route_sink_count + counts->mix_sink_count;
	size_t routes = counts->route_count * sizeof(struct td_plan_route);
	size_t cells = counts->cell_count * sizeof(struct td_plan_cell);
	uint8_t *memory = calloc(1, head + mixes + sources + routes + cells + seats +
					    words * sizeof(uint32_t));
	struct td_plan *plan = (struct td_plan *)memory;

	if (memory == NULL)
		return NULL;
	*plan = *counts;
	plan->mixes = (struct td_plan_mix *)(memory + head);
	plan->sources = (struct td_plan_source *)(memory + head + mixes);
	plan->routes = (struct td_plan_route *)(memory + head + mixes + sources);
	plan->cells = (struct td_plan_cell *)(memory + head + mixes + sources + routes);
	plan->seats = (struct td_plan_seat *)(memory + head + mixes + sources + routes + cells);
	plan->route_sinks = (uint32_t *)(plan->seats + counts->seat_count);
	plan->mix_sinks = plan->route_sinks + counts->route_sink_count;
	return plan;
}

// From how many hear each to where its listeners begin, and they follow.
static void write_routes(const struct td_matrix *matrix, struct td_plan_scratch *scratch,
			 struct td_plan *plan)
{
	uint32_t route = 0, first = 0;

	for (uint32_t slot = 0; slot < matrix->slots; slot++) {
		uint32_t count = scratch->heard[slot];

		if (count == 0)
			continue;
		plan->routes[route++] = (struct td_plan_route){
			.feed = matrix->members[slot].feed,
			.sink_first = first,
			.sink_count = count,
		};
		scratch->heard[slot] = first;
		first += count;
	}
	for (uint32_t to = 0; to < matrix->slots; to++)
		if (scratch->only[to] != TD_SLOT_NONE &&
		    matrix->members[to].kind == TD_MEMBER_STREAM)
			plan->route_sinks[scratch->heard[scratch->only[to]]++] =
				matrix->members[to].feed;
}

static void write_sources(const struct td_matrix *matrix, const struct td_plan_scratch *scratch,
			  struct td_plan *plan)
{
	for (uint32_t slot = 0; slot < matrix->slots; slot++) {
		const struct td_matrix_member *member = &matrix->members[slot];

		if (scratch->source_of[slot] == TD_SOURCE_NONE)
			continue;
		plan->detects |= member->detect != 0;
		plan->sources[scratch->source_of[slot]] = (struct td_plan_source){
			.feed = member->feed,
			.slot = slot,
			.codec = member->codec,
			.inlet = TD_LET_NONE,
			.talk_q12 = scratch->floor ? member->talk_q12 : 0,
			.detect = member->detect,
			.tune = member->tune,
		};
	}
}

static void write_cells(const struct td_matrix *matrix, const struct td_plan_scratch *scratch,
			struct td_plan *plan, uint32_t to, uint32_t first)
{
	uint32_t cell = td_matrix_first_cell(matrix, to);

	for (; cell < matrix->cell_count && matrix->cells[cell].to == to; cell++) {
		uint32_t source = scratch->source_of[matrix->cells[cell].from];
		int32_t gain_q12 = td_plan_beyond_floor(matrix, &matrix->cells[cell]);

		if (source == TD_SOURCE_NONE || gain_q12 == 0)
			continue;
		plan->cells[first++] = (struct td_plan_cell){ source, gain_q12 };
	}
}

static void write_mixes(const struct td_matrix *matrix, struct td_plan_scratch *scratch,
			struct td_plan *plan)
{
	uint32_t sink = 0, cell = 0;

	for (uint32_t mix = 0; mix < scratch->mix_count; mix++) {
		uint32_t to = scratch->first_slot[mix];
		const struct td_matrix_member *member = &matrix->members[to];

		plan->mixes[mix] = (struct td_plan_mix){
			.self = td_plan_leaves_self_out(member) ? scratch->source_of[to]
								: TD_SOURCE_NONE,
			.cell_first = cell,
			.cell_count = scratch->cells[mix],
			.sink_first = sink,
			.sink_count = scratch->sinks[mix],
			.outlet = TD_LET_NONE,
			.hear_q12 = member->hear_q12,
			.codec = member->codec,
			.ptime_ms = member->ptime_ms,
			.events = member->events,
			.no_digits = (member->tune & TD_TUNE_NO_DIGITS) != 0,
			.settings = member->settings,
		};
		write_cells(matrix, scratch, plan, to, cell);
		scratch->sinks[mix] = sink;
		sink += plan->mixes[mix].sink_count;
		cell += plan->mixes[mix].cell_count;
	}
	for (uint32_t to = 0; to < matrix->slots; to++)
		if (scratch->mix_of[to] != TD_SOURCE_NONE)
			plan->mix_sinks[scratch->sinks[scratch->mix_of[to]]++] =
				matrix->members[to].feed;
}

// Before the mixes are written: their counts of listeners still stand.
static void write_seats(const struct td_matrix *matrix, const struct td_plan_scratch *scratch,
			struct td_plan *plan)
{
	for (uint32_t slot = 0; slot < matrix->slots; slot++) {
		const struct td_matrix_member *member = &matrix->members[slot];
		struct td_plan_seat *seat = &plan->seats[slot];
		uint32_t only = scratch->only[slot], mix = scratch->mix_of[slot];

		*seat = (struct td_plan_seat){ .feed = TD_FEED_NONE, .fed_by = TD_FEED_NONE };
		if (member->kind == TD_MEMBER_NONE)
			continue;
		seat->feed = member->feed;
		seat->ptime_ms = member->ptime_ms;
		if (only != TD_SLOT_NONE) {
			seat->fed_by = matrix->members[only].feed;
			seat->hears =
				seat->fed_by & TD_FEED_PLAYER ? TD_HEARS_PLAY : TD_HEARS_FORWARD;
		} else if (mix != TD_SOURCE_NONE) {
			seat->fed_by = TD_FEED_MIX;
			seat->hears = scratch->sinks[mix] > 1 ? TD_HEARS_SHARED : TD_HEARS_MIX;
		}
	}
}

int td_plan_compile(const struct td_matrix *matrix, uint32_t playable,
		    struct td_plan_scratch *scratch, struct td_plan **out)
{
	struct td_plan counts = { .seat_count = matrix->slots }, *plan;

	td_plan_survey(matrix, playable, scratch);
	counts.rate_hz = scratch->rate_hz;
	counts.floor = scratch->floor;
	counts.source_count = scratch->source_count;
	counts.mix_count = scratch->mix_count;
	counts.cell_count = scratch->cell_count;
	for (uint32_t slot = 0; slot < matrix->slots; slot++) {
		counts.route_count += scratch->heard[slot] != 0;
		counts.route_sink_count += scratch->heard[slot];
		counts.mix_sink_count += scratch->mix_of[slot] != TD_SOURCE_NONE;
	}
	plan = allocate(&counts);
	if (plan == NULL)
		return -TD_EMEMORY;
	write_seats(matrix, scratch, plan);
	write_sources(matrix, scratch, plan);
	write_mixes(matrix, scratch, plan);
	write_routes(matrix, scratch, plan);
	*out = plan;
	return 0;
}
