// Edits of a gain matrix as transactions: on a copy, and for good only once all of it has worked.
#include <stdlib.h>
#include <string.h>

#include "media/engine_state.h"

int td_engine_edit_begin(struct td_engine_context *context, struct td_edit *edit)
{
	int error = td_matrix_copy(&context->matrix, &edit->matrix);

	edit->context = context;
	edit->plan = NULL;
	context->editing = error == 0;
	return error;
}

void td_engine_edit_abort(struct td_engine *engine, struct td_edit *edit)
{
	if (edit->plan != NULL)
		td_engine_provision_undo(engine, edit->plan, &edit->before);
	td_matrix_fini(&edit->matrix);
	edit->context->editing = false;
}

static TD_MAIN int compile_concealed(struct td_engine *engine, const struct td_matrix *matrix,
				     struct td_plan **plan)
{
	struct td_matrix concealed;
	int error = td_matrix_copy(matrix, &concealed);

	if (error != 0)
		return error;
	error = td_matrix_conceal(&concealed);
	if (error == 0)
		error = td_plan_compile(&concealed, engine->playable, engine->scratch, plan);
	td_matrix_fini(&concealed);
	return error;
}

static TD_MAIN int compile(struct td_engine *engine, struct td_edit *edit)
{
	struct td_plan *plan;
	int error;

	if (edit->matrix.private)
		error = compile_concealed(engine, &edit->matrix, &plan);
	else
		error = td_plan_compile(&edit->matrix, engine->playable, engine->scratch, &plan);
	if (error != 0)
		return error;
	error = td_engine_provision(engine, plan, &edit->before);
	if (error == 0)
		edit->plan = plan;
	return error;
}

int td_engine_edit_prepare(struct td_engine *engine, struct td_edit *edit)
{
	int error = compile(engine, edit);

	if (error == -TD_EFULL && td_engine_provision_reclaim(engine) > 0)
		error = compile(engine, edit);
	return error;
}

struct td_plan *td_engine_edit_adopt(struct td_edit *edit)
{
	struct td_engine_context *context = edit->context;

	td_matrix_fini(&context->matrix);
	context->matrix = edit->matrix;
	context->plans_out += context->plan != NULL;
	context->plan = edit->plan;
	context->editing = false;
	return edit->plan;
}

int td_engine_edit_commit(struct td_engine *engine, struct td_edit *edit, struct td_change *change)
{
	int error = td_engine_edit_prepare(engine, edit);

	if (error != 0)
		td_engine_edit_abort(engine, edit);
	else
		change->plan = td_engine_edit_adopt(edit);
	return error;
}

uint32_t td_engine_member_slot(struct td_engine *engine, const struct td_engine_context *context,
			       const struct td_member *member)
{
	uint32_t index = td_handle_index(context->handle);
	const struct td_engine_stream *stream;
	const struct td_engine_player *player;

	switch ((enum td_member_kind)member->kind) {
	case TD_MEMBER_STREAM:
		stream = td_engine_find_stream(engine, member->handle);
		return stream != NULL && stream->context == index ? stream->slot : TD_SLOT_NONE;
	case TD_MEMBER_PLAYER:
		player = td_engine_find_player(engine, member->handle);
		return player != NULL && player->context == index ? player->slot : TD_SLOT_NONE;
	case TD_MEMBER_FLOOR:
	case TD_MEMBER_NONE: break;
	}
	return TD_SLOT_NONE;
}

static bool is_end(const struct td_member *member, bool hears)
{
	return member->kind == TD_MEMBER_STREAM || member->kind == TD_MEMBER_FLOOR ||
	       (member->kind == TD_MEMBER_PLAYER && !hears);
}

static int edit_cell(struct td_engine *engine, struct td_edit *edit, const struct td_cell *cell)
{
	bool from_floor = cell->from.kind == TD_MEMBER_FLOOR;
	bool to_floor = cell->to.kind == TD_MEMBER_FLOOR;
	uint32_t from, to;

	if (cell->gain_q12 < TD_GAIN_FOLLOW || cell->gain_q12 > TD_GAIN_MAX ||
	    !is_end(&cell->from, false) || !is_end(&cell->to, true) || (from_floor && to_floor))
		return -TD_EINVALID;
	from = td_engine_member_slot(engine, edit->context, &cell->from);
	to = td_engine_member_slot(engine, edit->context, &cell->to);
	if ((from == TD_SLOT_NONE && !from_floor) || (to == TD_SLOT_NONE && !to_floor))
		return -TD_ESTALE;
	return td_matrix_set(&edit->matrix, from, to, cell->gain_q12);
}

int td_engine_edit_cells(struct td_engine *engine, struct td_edit *edit,
			 const struct td_cell *cells, uint32_t count)
{
	if (count > TD_EDIT_CELL_MAX)
		return -TD_EINVALID;
	for (uint32_t i = 0; i < count; i++) {
		int error = edit_cell(engine, edit, &cells[i]);

		if (error != 0)
			return error;
	}
	return 0;
}

int td_engine_members_remove(struct td_engine *engine, struct td_engine_context *context,
			     const uint32_t *slots, uint32_t count, struct td_change *change)
{
	struct td_engine_stream *stream = NULL, *heir = NULL;
	struct td_matrix *matrix = &context->matrix; // nobody hears anybody yet
	const struct td_plan *plan = context->plan;
	struct td_edit edit;
	int error = 0;

	if (plan != NULL) {
		error = td_engine_edit_begin(context, &edit);
		matrix = &edit.matrix;
	}
	if (error != 0)
		return error;
	for (uint32_t i = 0; i < count; i++) {
		const struct td_matrix_member *member = &matrix->members[slots[i]];

		if (plan != NULL && member->kind == TD_MEMBER_STREAM) {
			stream = &engine->streams[member->feed];
			heir = td_engine_provision_heir(engine, plan, member->feed);
		}
		td_matrix_remove(matrix, slots[i]);
	}
	if (plan == NULL)
		return 0;
	if (heir != NULL)
		td_engine_provision_exchange(engine, stream, heir);
	error = td_engine_edit_commit(engine, &edit, change);
	if (error != 0 && heir != NULL)
		td_engine_provision_exchange(engine, stream, heir);
	return error;
}

int td_engine_member_remove(struct td_engine *engine, struct td_engine_context *context,
			    uint32_t slot, struct td_change *change)
{
	return td_engine_members_remove(engine, context, &slot, 1, change);
}

void td_engine_plan_gone(struct td_engine *engine, const struct td_note *note)
{
	struct td_engine_context *context = &engine->contexts[td_handle_index(note->handle)];

	if (context->plan == note->plan)
		context->plan = NULL; // the last one of a context that ends
	else
		context->plans_out--;
	td_engine_plan_free(note->plan);
}

void td_engine_plan_free(struct td_plan *plan)
{
	struct td_engine_made *garbage, *next;

	if (plan == NULL)
		return;
	for (garbage = plan->garbage; garbage != NULL; garbage = next) {
		next = garbage->next;
		td_engine_made_free(garbage);
	}
	free(plan);
}
