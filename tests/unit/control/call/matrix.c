// The gain matrix of the test's dataplane: the cells that were set, and the one rule by which it
// follows who hears whom; what there is to hear.
#include <string.h>

#include "dataplane.h"

void dp_drop_cells(struct dp *dp, uint32_t kind, uint32_t handle)
{
	for (uint32_t i = dp->cell_count; i-- > 0;) {
		const struct dp_cell *cell = &dp->cells[i];

		if ((cell->from.kind == kind && cell->from.handle == handle) ||
		    (cell->to.kind == kind && cell->to.handle == handle))
			dp->cells[i] = dp->cells[--dp->cell_count];
	}
}

static bool same_member(struct td_member a, struct td_member b)
{
	return a.kind == b.kind && a.handle == b.handle;
}

static struct dp_cell *find_cell(struct dp *dp, struct td_member from, struct td_member to)
{
	for (uint32_t i = 0; i < dp->cell_count; i++) {
		if (same_member(dp->cells[i].from, from) && same_member(dp->cells[i].to, to))
			return &dp->cells[i];
	}
	return NULL;
}

static struct dp_object *object_of(struct dp *dp, struct td_member member)
{
	return dp_find(member.kind == TD_MEMBER_STREAM ? dp->streams : dp->players, member.handle);
}

// One end of a cell: a member of this context, or its floor. `moving` counts as one.
static bool known(struct dp *dp, uint32_t context, struct td_member member, uint32_t moving)
{
	const struct dp_object *object;

	if (member.kind == TD_MEMBER_FLOOR)
		return member.handle == 0;
	object = object_of(dp, member);
	return object && (object->context == context || member.handle == moving);
}

static int check_cells(struct dp *dp, uint32_t context, const struct td_cell *cells, uint32_t count,
		       uint32_t moving)
{
	must(count <= TD_EDIT_CELL_MAX);
	for (uint32_t i = 0; i < count; i++) {
		const struct td_cell *cell = &cells[i];

		if (cell->to.kind == TD_MEMBER_PLAYER || cell->gain_q12 > TD_GAIN_MAX ||
		    cell->gain_q12 < TD_GAIN_FOLLOW ||
		    (cell->from.kind == TD_MEMBER_FLOOR && cell->to.kind == TD_MEMBER_FLOOR))
			return -TD_EINVALID;
		if (!known(dp, context, cell->from, moving) ||
		    !known(dp, context, cell->to, moving))
			return -TD_ESTALE;
	}
	return 0;
}

static void set_cells(struct dp *dp, uint32_t context, const struct td_cell *cells, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct td_cell *cell = &cells[i];
		struct dp_cell *have = find_cell(dp, cell->from, cell->to);
		struct dp_cell next = { context, cell->from, cell->to, cell->gain_q12 };

		if (have)
			*have = dp->cells[--dp->cell_count];
		if (cell->gain_q12 != TD_GAIN_FOLLOW) {
			must(dp->cell_count < 8 * DP_OBJECTS);
			dp->cells[dp->cell_count++] = next;
		}
	}
}

int dp_edit(struct dp *dp, const struct td_command_matrix_edit *edit)
{
	int error;

	if (!dp_find(dp->contexts, edit->context.v))
		return -TD_ESTALE;
	must(edit->cell_count >= 1);
	error = check_cells(dp, edit->context.v, edit->cells, edit->cell_count, 0);
	if (error)
		return error;
	set_cells(dp, edit->context.v, edit->cells, edit->cell_count);
	return 0;
}

int dp_move(struct dp *dp, const struct td_command_stream_move *move)
{
	struct dp_object *stream = dp_find(dp->streams, move->stream.v);
	int error;

	if (!stream || !dp_find(dp->contexts, move->context.v))
		return -TD_ESTALE;
	error = check_cells(dp, move->context.v, move->cells, move->cell_count, move->stream.v);
	if (error)
		return error;
	dp_drop_cells(dp, TD_MEMBER_STREAM, move->stream.v);
	stream->context = move->context.v;
	stream->moves++;
	set_cells(dp, move->context.v, move->cells, move->cell_count);
	return 0;
}

static const struct dp_cell *cell_of(const struct dp *dp, struct td_member from,
				     struct td_member to)
{
	return find_cell((struct dp *)dp, from, to);
}

int32_t dp_gain(const struct dp *dp, struct td_member from, uint32_t to)
{
	const struct td_member listener = { TD_MEMBER_STREAM, to }, floor = { TD_MEMBER_FLOOR, 0 };
	const struct dp_object *a = object_of((struct dp *)dp, from);
	const struct dp_object *b = object_of((struct dp *)dp, listener);
	const struct dp_cell *own = cell_of(dp, from, listener), *talk, *hear;

	if (!a || !b || a->context != b->context)
		return 0;
	if (own)
		return own->gain;
	talk = cell_of(dp, from, floor);
	hear = cell_of(dp, floor, listener);
	if (!talk || !hear || same_member(from, listener))
		return 0;
	return (int32_t)((int64_t)talk->gain * hear->gain / TD_GAIN_UNITY);
}

bool dp_hears(const struct dp *dp, uint32_t to, uint32_t from)
{
	return dp_gain(dp, (struct td_member){ TD_MEMBER_STREAM, from }, to) > 0;
}

static uint32_t sources(const struct dp *dp, uint32_t to, struct td_member *first)
{
	static const uint32_t kinds[] = { TD_MEMBER_PLAYER, TD_MEMBER_STREAM };
	uint32_t count = 0;

	*first = (struct td_member){ TD_MEMBER_NONE, 0 };
	for (int k = 0; k < 2; k++) {
		const struct dp_object *objects =
			kinds[k] == TD_MEMBER_STREAM ? dp->streams : dp->players;

		for (int i = 0; i < DP_OBJECTS; i++) {
			const struct td_member from = { kinds[k], objects[i].handle };

			if (!objects[i].live || dp_gain(dp, from, to) == 0)
				continue;
			if (count++ == 0)
				*first = from;
		}
	}
	return count;
}

uint32_t dp_sources(const struct dp *dp, uint32_t to)
{
	struct td_member first;

	return sources(dp, to, &first);
}

uint32_t dp_heard_by(const struct dp *dp, uint32_t to, enum td_member_kind *kind)
{
	struct td_member first;

	sources(dp, to, &first);
	*kind = (enum td_member_kind)first.kind;
	return first.handle;
}

struct dp_object *dp_find(struct dp_object *objects, uint32_t handle)
{
	struct dp_object *object = &objects[td_handle_index(handle) % DP_OBJECTS];

	return object->live && object->handle == handle ? object : NULL;
}

uint32_t dp_live(const struct dp_object *objects)
{
	uint32_t live = 0;

	for (int i = 0; i < DP_OBJECTS; i++)
		live += objects[i].live;
	return live;
}
