// The plan compiler: one column of the matrix is one listener.
#include "media/plan.h"

#include <stdbool.h>
#include <string.h>

#define NOBODY TD_PLAN_MEMBER_MAX

// The one member that `to` hears, NOBODY, or -TD_ENEEDS_MIX when there are several.
static int only_source(const struct td_matrix *matrix, unsigned to)
{
	int source = NOBODY;

	for (unsigned from = 0; from < TD_PLAN_MEMBER_MAX; from++) {
		if (matrix->gain_q12[from][to] == 0)
			continue;
		if (source != NOBODY || matrix->gain_q12[from][to] != TD_GAIN_UNITY)
			return -TD_ENEEDS_MIX;
		source = (int)from;
	}
	return source;
}

static bool same_codec(uint8_t a, uint8_t b)
{
	return a == b || a == TD_CODEC_NONE || b == TD_CODEC_NONE;
}

static int compile_listener(const struct td_matrix *matrix, unsigned to, struct td_plan *plan)
{
	int from = only_source(matrix, to);

	if (from < 0)
		return from;
	if (from == NOBODY) {
		plan->kind[to] = TD_PLAN_NONE;
		return 0;
	}
	plan->kind[to] = TD_PLAN_PLAY;
	if (matrix->members[from].kind == TD_MEMBER_STREAM) {
		if (!same_codec(matrix->members[from].codec, matrix->members[to].codec))
			return -TD_ENEEDS_MIX;
		plan->kind[to] = TD_PLAN_FORWARD;
	}
	plan->from[to] = (uint8_t)from;
	plan->heard_by[from] = (uint16_t)(plan->heard_by[from] | 1u << to);
	return 0;
}

int td_plan_compile(const struct td_matrix *matrix, struct td_plan *plan)
{
	struct td_plan made;

	memset(&made, 0, sizeof made);
	for (unsigned to = 0; to < TD_PLAN_MEMBER_MAX; to++) {
		int error;

		if (matrix->members[to].kind != TD_MEMBER_STREAM)
			continue;
		error = compile_listener(matrix, to, &made);
		if (error != 0)
			return error;
	}
	*plan = made;
	return 0;
}
