// What is said in a context becomes private, or ceases to be.
//
// Two things in one change, so that nothing slips through between them: the taps and digits of all
// its streams are hushed (tap_feed.c, digits.c), and the plan leaves out what parties say for whoever
// is none (td_matrix_conceal). Both hold for whoever comes later.
#include "media/engine_state.h"

static int name_parties(struct td_engine *engine, struct td_edit *edit,
			const struct td_command_context_privacy *privacy)
{
	for (uint32_t slot = 0; slot < edit->matrix.slots; slot++)
		edit->matrix.members[slot].party = false;
	edit->matrix.private = privacy->on != 0 && privacy->party_count > 0;
	for (uint32_t i = 0; edit->matrix.private && i < privacy->party_count; i++) {
		struct td_member party = { TD_MEMBER_STREAM, privacy->parties[i].v };
		uint32_t slot = td_engine_member_slot(engine, edit->context, &party);

		if (slot == TD_SLOT_NONE)
			return -TD_ESTALE;
		edit->matrix.members[slot].party = true;
	}
	return 0;
}

int td_engine_context_privacy(struct td_engine *engine, const struct td_command *command)
{
	const struct td_command_context_privacy *privacy = &command->u.context_privacy;
	struct td_engine_context *context = td_engine_find_context(engine, privacy->context.v);
	struct td_edit edit;
	struct td_change change;
	int error;

	if (context == NULL)
		return -TD_ESTALE;
	if (privacy->party_count > TD_PRIVACY_PARTY_MAX)
		return -TD_EINVALID;
	if (!td_engine_change_room(engine, context->worker, 1))
		return -TD_EBUSY;
	error = td_engine_edit_begin(context, &edit);
	if (error != 0)
		return error;
	error = name_parties(engine, &edit, privacy);
	if (error != 0) {
		td_engine_edit_abort(engine, &edit);
		return error;
	}
	td_engine_change_begin(&change, TD_CHANGE_CONTEXT_PRIVACY, command, context);
	change.u.privacy.on = privacy->on != 0;
	error = td_engine_edit_commit(engine, &edit, &change);
	if (error == 0)
		td_engine_change_push(engine, context->worker, &change);
	return error;
}
