// Commands that move members, and those that say what is listened for and pressed.
#include "media/engine_state.h"
#include "steps.h"

static void fill_cells(struct td_command_stream_move *move)
{
	static const int32_t gains[] = { TD_GAIN_UNITY,  TD_GAIN_UNITY,     0,
					 TD_GAIN_FOLLOW, TD_GAIN_UNITY / 2, TD_GAIN_MAX + 1 };

	move->cell_count = step_byte() % 4u;
	for (uint32_t i = 0; i < move->cell_count; i++) {
		move->cells[i].from = step_member();
		move->cells[i].to = step_member();
		move->cells[i].gain_q12 = gains[step_byte() % (sizeof gains / sizeof gains[0])];
	}
}

// The oracle of the new context with the stream and its cells, or the error there has to be.
static int arrive(const struct stage_party *party, const struct oracle_member *was,
		  const struct td_command_stream_move *move, struct oracle *oracle)
{
	uint32_t at = oracle_add(oracle, TD_MEMBER_STREAM, party->party.id.v);

	if (at == ORACLE_NONE)
		return -TD_EFULL;
	oracle->members[at].codec = was->codec;
	return oracle_edit(oracle, move->cells, move->cell_count);
}

// What a private party says would be heard elsewhere.
static bool may_not_leave(const struct stage_party *party)
{
	const struct stage_context *from = &stage.contexts[party->context];
	struct oracle_member member = { .kind = TD_MEMBER_STREAM, .handle = party->party.id.v };

	return from->private && stage_is_party(from, &member);
}

void step_move_stream(void)
{
	const struct td_engine *engine = stage.world.engine;
	uint32_t inlets = engine->free_inlet_count, outlets = engine->free_outlet_count, place, at;
	struct td_command command = { .kind = TD_COMMAND_STREAM_MOVE };
	struct td_command_stream_move *move = &command.u.stream_move;
	struct stage_party *party = step_party(step_byte());
	uint8_t to = step_byte();
	struct stage_context *context = step_context(to, &place);
	struct oracle arrived, *left;
	int expected, result;

	move->stream.v = party != NULL ? party->party.id.v : stage_dead(STAGE_STREAM, to);
	move->context.v = context != NULL ? context->id.v : stage_dead(STAGE_CONTEXT, to);
	fill_cells(move);
	result = stage_command(&command).result;
	if (party == NULL || context == NULL || party->context == place) {
		must(result == (party == NULL || context == NULL ? -TD_ESTALE : -TD_EINVALID));
		return;
	}
	if (may_not_leave(party)) {
		must(result == -TD_ESTATE);
		return;
	}
	left = &stage.contexts[party->context].oracle;
	at = oracle_find(left, TD_MEMBER_STREAM, party->party.id.v);
	arrived = context->oracle;
	expected = arrive(party, &left->members[at], move, &arrived);
	if (result == -TD_EFULL && expected == 0) {
		step_check_full(inlets, outlets);
		return;
	}
	must(result == expected);
	if (result != 0)
		return;
	oracle_remove(left, TD_MEMBER_STREAM, party->party.id.v);
	context->oracle = arrived;
	party->context = place;
}

void step_move_context(void)
{
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_MOVE };
	uint32_t place;
	uint8_t byte = step_byte();
	struct stage_context *context = step_context(byte, &place);
	int expected;

	command.u.context_move.context.v =
		context != NULL ? context->id.v : stage_dead(STAGE_CONTEXT, byte);
	command.u.context_move.worker = (byte >> 2) % (STAGE_WORKERS + 1u);
	expected = command.u.context_move.worker < STAGE_WORKERS ? 0 : -TD_EINVALID;
	must(stage_command(&command).result == (context != NULL ? expected : -TD_ESTALE));
}

void step_tune(void)
{
	const struct td_engine *engine = stage.world.engine;
	uint32_t inlets = engine->free_inlet_count, outlets = engine->free_outlet_count;
	struct td_command command = { .kind = TD_COMMAND_STREAM_TUNE };
	struct stage_party *party = step_party(step_byte());
	uint8_t how = step_byte();
	int result;

	command.u.stream_tune.stream.v =
		party != NULL ? party->party.id.v : stage_dead(STAGE_STREAM, how);
	command.u.stream_tune.detect = how & 0x1fu;
	command.u.stream_tune.flags = how >> 5;
	result = stage_command(&command).result;
	if (result == -TD_EFULL && party != NULL)
		step_check_full(inlets, outlets);
	else
		must(result == (party == NULL                    ? -TD_ESTALE
				: (how & 0x10u) || (how & 0x80u) ? -TD_EINVALID
								 : 0));
}

void step_digits(void)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_DIGITS };
	struct td_command_stream_digits *digits = &command.u.stream_digits;
	struct stage_party *party = step_party(step_byte());
	uint8_t how = step_byte();
	int result;

	digits->stream.v = party != NULL ? party->party.id.v : stage_dead(STAGE_STREAM, how);
	digits->how = how & 3u;
	digits->duration_ms = how & 4u ? 40 : 0;
	digits->digits[0] = (char)('0' + (how >> 3) % 12u); // ten of them are digits
	digits->digits[1] = how & 0x80u ? '#' : '\0';
	result = stage_command(&command).result;
	if (party == NULL)
		must(result == -TD_ESTALE);
	else if (digits->how > TD_DIGITS_TONE || td_digit_bit(digits->digits[0]) == 0)
		must(result == -TD_EINVALID);
	else
		must(result == 0 || result == -TD_ESTATE || result == -TD_EUNSUPPORTED ||
		     result == -TD_EBUSY);
}
