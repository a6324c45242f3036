#include "oracle.h"

#include <string.h>

#include "td_error.h"

void oracle_init(struct oracle *oracle)
{
	memset(oracle, 0, sizeof *oracle);
	for (uint32_t from = 0; from < ORACLE_MAX; from++)
		for (uint32_t to = 0; to < ORACLE_MAX; to++)
			oracle->own[from][to] = ORACLE_UNSET;
}

uint32_t oracle_count(const struct oracle *oracle, uint32_t kind)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < ORACLE_MAX; i++)
		count += oracle->members[i].kind == kind;
	return count;
}

uint32_t oracle_find(const struct oracle *oracle, uint32_t kind, uint32_t handle)
{
	for (uint32_t i = 0; kind != TD_MEMBER_NONE && i < ORACLE_MAX; i++)
		if (oracle->members[i].kind == kind && oracle->members[i].handle == handle)
			return i;
	return ORACLE_NONE;
}

uint32_t oracle_add(struct oracle *oracle, uint32_t kind, uint32_t handle)
{
	for (uint32_t i = 0; i < ORACLE_MAX; i++) {
		if (oracle->members[i].kind != TD_MEMBER_NONE)
			continue;
		oracle->members[i] = (struct oracle_member){ .kind = kind, .handle = handle };
		return i;
	}
	return ORACLE_NONE;
}

void oracle_remove(struct oracle *oracle, uint32_t kind, uint32_t handle)
{
	uint32_t at = oracle_find(oracle, kind, handle);

	if (at == ORACLE_NONE)
		return;
	for (uint32_t i = 0; i < ORACLE_MAX; i++)
		oracle->own[at][i] = oracle->own[i][at] = ORACLE_UNSET;
	memset(&oracle->members[at], 0, sizeof oracle->members[at]);
}

static bool may_speak(uint32_t kind)
{
	return kind == TD_MEMBER_STREAM || kind == TD_MEMBER_PLAYER || kind == TD_MEMBER_FLOOR;
}

static bool may_hear(uint32_t kind)
{
	return kind == TD_MEMBER_STREAM || kind == TD_MEMBER_FLOOR;
}

static int set(struct oracle *oracle, const struct td_cell *cell)
{
	bool from_floor = cell->from.kind == TD_MEMBER_FLOOR;
	bool to_floor = cell->to.kind == TD_MEMBER_FLOOR, follow = cell->gain_q12 == TD_GAIN_FOLLOW;
	uint32_t from = oracle_find(oracle, cell->from.kind, cell->from.handle);
	uint32_t to = oracle_find(oracle, cell->to.kind, cell->to.handle);

	if (!may_speak(cell->from.kind) || !may_hear(cell->to.kind) || (from_floor && to_floor) ||
	    cell->gain_q12 < TD_GAIN_FOLLOW || cell->gain_q12 > TD_GAIN_MAX)
		return -TD_EINVALID;
	if ((!from_floor && from == ORACLE_NONE) || (!to_floor && to == ORACLE_NONE))
		return -TD_ESTALE;
	if (from_floor)
		oracle->members[to].hear_q12 = follow ? 0 : cell->gain_q12;
	else if (to_floor)
		oracle->members[from].talk_q12 = follow ? 0 : cell->gain_q12;
	else
		oracle->own[from][to] = follow ? ORACLE_UNSET : cell->gain_q12;
	return 0;
}

int oracle_edit(struct oracle *oracle, const struct td_cell *cells, uint32_t count)
{
	struct oracle changed = *oracle;

	if (count > TD_EDIT_CELL_MAX)
		return -TD_EINVALID;
	for (uint32_t i = 0; i < count; i++) {
		int error = set(&changed, &cells[i]);

		if (error != 0)
			return error;
	}
	*oracle = changed;
	return 0;
}

int32_t oracle_says(const struct oracle *oracle, uint32_t from, uint32_t to)
{
	int64_t floor_q24 = (int64_t)oracle->members[from].talk_q12 * oracle->members[to].hear_q12;

	if (oracle->own[from][to] != ORACLE_UNSET)
		return oracle->own[from][to];
	return from == to ? 0 : (int32_t)(floor_q24 / TD_GAIN_UNITY);
}

static bool is_mute(const struct oracle_member *member)
{
	return member->kind == TD_MEMBER_STREAM && member->codec == TD_CODEC_NONE;
}

int32_t oracle_heard(const struct oracle *oracle, uint32_t from, uint32_t to)
{
	int32_t said = oracle_says(oracle, from, to);
	uint32_t voices = 0;

	for (uint32_t i = 0; i < ORACLE_MAX; i++)
		voices += oracle->members[i].kind != TD_MEMBER_NONE &&
			  oracle_says(oracle, i, to) != 0;
	if (!is_mute(&oracle->members[from]) && !is_mute(&oracle->members[to]))
		return said;
	return voices == 1 && said == TD_GAIN_UNITY ? said : 0;
}

uint32_t oracle_feed(const struct oracle_member *member)
{
	uint32_t index = td_handle_index(member->handle);

	return member->kind == TD_MEMBER_PLAYER ? TD_FEED_PLAYER | index : index;
}

static int32_t mix_heard(const struct td_plan *plan, const struct td_plan_mix *mix, uint32_t from)
{
	int32_t heard = 0;

	for (uint32_t s = 0; s < plan->source_count; s++)
		if (plan->sources[s].feed == from && mix->self != s)
			heard += td_matrix_floor_gain(plan->sources[s].talk_q12, mix->hear_q12);
	for (uint32_t c = 0; c < mix->cell_count; c++) {
		const struct td_plan_cell *cell = &plan->cells[mix->cell_first + c];

		if (plan->sources[cell->source].feed == from)
			heard += cell->gain_q12;
	}
	return heard;
}

int32_t oracle_plan_heard(const struct td_plan *plan, uint32_t from, uint32_t to)
{
	int32_t heard = 0;

	for (uint32_t i = 0; i < plan->route_count; i++) {
		const struct td_plan_route *route = &plan->routes[i];

		for (uint32_t j = 0; j < route->sink_count; j++)
			if (route->feed == from && plan->route_sinks[route->sink_first + j] == to)
				heard += TD_GAIN_UNITY;
	}
	for (uint32_t i = 0; i < plan->mix_count; i++) {
		const struct td_plan_mix *mix = &plan->mixes[i];

		for (uint32_t j = 0; j < mix->sink_count; j++)
			if (plan->mix_sinks[mix->sink_first + j] == to)
				heard += mix_heard(plan, mix, from);
	}
	return heard;
}
