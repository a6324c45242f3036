#include "media/matrix.h"

#include <stdlib.h>
#include <string.h>

#include "td_assert.h"

void td_matrix_fini(struct td_matrix *matrix)
{
	free(matrix->members);
	free(matrix->cells);
	memset(matrix, 0, sizeof *matrix);
}

static int copy_array(const void *array, uint32_t count, size_t bytes, void **copy)
{
	*copy = NULL;
	if (count == 0)
		return 0;
	*copy = malloc(count * bytes);
	if (*copy == NULL)
		return -TD_EMEMORY;
	memcpy(*copy, array, count * bytes);
	return 0;
}

int td_matrix_copy(const struct td_matrix *matrix, struct td_matrix *copy)
{
	int error;

	*copy = *matrix;
	copy->member_room = matrix->slots;
	copy->cell_room = matrix->cell_count;
	error = copy_array(matrix->members, matrix->slots, sizeof *matrix->members,
			   (void **)&copy->members);
	if (error == 0)
		error = copy_array(matrix->cells, matrix->cell_count, sizeof *matrix->cells,
				   (void **)&copy->cells);
	else
		copy->cells = NULL;
	if (error != 0)
		td_matrix_fini(copy);
	return error;
}

// Room for one more of `count` things, growing by half.
static int make_room(void **array, uint32_t count, uint32_t *room, uint32_t max, size_t bytes)
{
	uint32_t more = *room + *room / 2u + 4u;
	void *grown;

	if (count >= max)
		return -TD_EFULL;
	if (count < *room)
		return 0;
	more = more < max ? more : max;
	grown = realloc(*array, more * bytes);
	if (grown == NULL)
		return -TD_EMEMORY;
	*array = grown;
	*room = more;
	return 0;
}

int td_matrix_add(struct td_matrix *matrix, enum td_member_kind kind, uint32_t feed, uint32_t *slot)
{
	uint32_t at = 0;
	int error;

	if (matrix->member_count == matrix->slots)
		at = matrix->slots;
	while (at < matrix->slots && matrix->members[at].kind != TD_MEMBER_NONE)
		at++;
	if (at == matrix->slots) {
		error = make_room((void **)&matrix->members, at, &matrix->member_room,
				  TD_MEMBER_MAX, sizeof *matrix->members);
		if (error != 0)
			return error;
		matrix->slots++;
	}
	matrix->members[at] = (struct td_matrix_member){ .feed = feed, .kind = (uint8_t)kind };
	matrix->member_count++;
	*slot = at;
	return 0;
}

void td_matrix_remove(struct td_matrix *matrix, uint32_t slot)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < matrix->cell_count; i++)
		if (matrix->cells[i].from != slot && matrix->cells[i].to != slot)
			matrix->cells[kept++] = matrix->cells[i];
	matrix->cell_count = kept;
	matrix->members[slot].kind = TD_MEMBER_NONE;
	matrix->member_count--;
	while (matrix->slots > 0 && matrix->members[matrix->slots - 1u].kind == TD_MEMBER_NONE)
		matrix->slots--;
}

// Where the cell is, or where it would be.
static uint32_t position(const struct td_matrix *matrix, uint32_t from, uint32_t to)
{
	uint64_t key = (uint64_t)to << 32 | from;
	uint32_t low = 0, high = matrix->cell_count;

	while (low < high) {
		uint32_t middle = (low + high) / 2u;
		const struct td_matrix_cell *cell = &matrix->cells[middle];

		if (((uint64_t)cell->to << 32 | cell->from) < key)
			low = middle + 1u;
		else
			high = middle;
	}
	return low;
}

uint32_t td_matrix_first_cell(const struct td_matrix *matrix, uint32_t to)
{
	return position(matrix, 0, to);
}

static struct td_matrix_cell *cell_at(const struct td_matrix *matrix, uint32_t at, uint32_t from,
				      uint32_t to)
{
	if (at == matrix->cell_count || matrix->cells[at].from != from ||
	    matrix->cells[at].to != to)
		return NULL;
	return &matrix->cells[at];
}

static int set_cell(struct td_matrix *matrix, uint32_t from, uint32_t to, int32_t gain_q12)
{
	uint32_t at = position(matrix, from, to), behind = matrix->cell_count - at;
	struct td_matrix_cell *cell = cell_at(matrix, at, from, to);
	int error;

	if (gain_q12 == TD_GAIN_FOLLOW && cell == NULL)
		return 0;
	if (gain_q12 == TD_GAIN_FOLLOW) {
		memmove(cell, cell + 1, (behind - 1u) * sizeof *cell);
		matrix->cell_count--;
		return 0;
	}
	if (cell == NULL) {
		error = make_room((void **)&matrix->cells, matrix->cell_count, &matrix->cell_room,
				  TD_MATRIX_CELL_MAX, sizeof *matrix->cells);
		if (error != 0)
			return error;
		cell = &matrix->cells[at];
		memmove(cell + 1, cell, behind * sizeof *cell);
		matrix->cell_count++;
	}
	*cell = (struct td_matrix_cell){ .to = to, .from = from, .gain_q12 = (int16_t)gain_q12 };
	return 0;
}

int td_matrix_set(struct td_matrix *matrix, uint32_t from, uint32_t to, int32_t gain_q12)
{
	int16_t *level;

	TD_ASSERT(from != TD_SLOT_NONE || to != TD_SLOT_NONE);
	if (from != TD_SLOT_NONE && to != TD_SLOT_NONE)
		return set_cell(matrix, from, to, gain_q12);
	level = from == TD_SLOT_NONE ? &matrix->members[to].hear_q12
				     : &matrix->members[from].talk_q12;
	*level = gain_q12 == TD_GAIN_FOLLOW ? 0 : (int16_t)gain_q12;
	return 0;
}

int32_t td_matrix_heard(const struct td_matrix *matrix, uint32_t from, uint32_t to)
{
	const struct td_matrix_cell *cell = cell_at(matrix, position(matrix, from, to), from, to);

	if (cell != NULL)
		return cell->gain_q12;
	if (from == to)
		return 0;
	return td_matrix_floor_gain(matrix->members[from].talk_q12, matrix->members[to].hear_q12);
}

int td_matrix_conceal(struct td_matrix *matrix)
{
	for (uint32_t from = 0; from < matrix->slots; from++) {
		if (matrix->members[from].kind == TD_MEMBER_NONE || !matrix->members[from].party)
			continue;
		for (uint32_t to = 0; to < matrix->slots; to++) {
			int error = 0;

			if (matrix->members[to].kind == TD_MEMBER_STREAM &&
			    !matrix->members[to].party && td_matrix_heard(matrix, from, to) != 0)
				error = td_matrix_set(matrix, from, to, 0);
			if (error != 0)
				return error;
		}
	}
	return 0;
}
