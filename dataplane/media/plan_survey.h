// What the plan compiler finds out before it writes: who hears one alone, who needs a mix, which
// sources the mixes need, and at what rate. Private to the compiler (plan.h).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "media/matrix.h"
#include "media/plan.h"

// By slot, unless said otherwise. `buckets` finds a mix by its key.
struct td_plan_scratch {
	uint32_t talkers[TD_MEMBER_MAX]; // slots with a talk gain, dense
	uint32_t talker_count;
	int16_t faintest_q12;           // the least of their talk gains
	uint32_t only[TD_MEMBER_MAX];   // of a listener: the slot it hears alone, TD_SLOT_NONE
	uint32_t mix_of[TD_MEMBER_MAX]; // of a listener: its mix, TD_SOURCE_NONE
	uint32_t heard[TD_MEMBER_MAX];  // of a source: listeners that hear it alone; then a cursor
	uint32_t source_of[TD_MEMBER_MAX];
	uint32_t first_slot[TD_MEMBER_MAX]; // of a mix: a listener of it
	uint32_t sinks[TD_MEMBER_MAX];      // of a mix: how many; then a cursor
	uint32_t cells[TD_MEMBER_MAX];      // of a mix: how many
	uint32_t mix_count, source_count, cell_count;
	uint32_t buckets[2 * TD_MEMBER_MAX]; // mix + 1, 0: empty
	uint32_t bucket_mask;
	uint32_t playable;
	bool floor;
	uint32_t rate_hz;
};

void td_plan_survey(const struct td_matrix *matrix, uint32_t playable,
		    struct td_plan_scratch *scratch);

// Its own voice is in what the floor gives, and has to be left out.
static inline bool td_plan_leaves_self_out(const struct td_matrix_member *member)
{
	return member->talk_q12 != 0 && member->hear_q12 != 0;
}

// What a cell adds to what the floor gives already.
static inline int32_t td_plan_beyond_floor(const struct td_matrix *matrix,
					   const struct td_matrix_cell *cell)
{
	const struct td_matrix_member *from = &matrix->members[cell->from];
	int32_t floor = 0;

	if (cell->from != cell->to)
		floor = td_matrix_floor_gain(from->talk_q12, matrix->members[cell->to].hear_q12);
	return cell->gain_q12 - floor;
}
