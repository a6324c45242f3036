// Any sequence of commands on a real engine, with packets, forgeries and ticks in between: each is
// answered as it has to be, and whatever has happened, everybody hears whom the matrix says, nothing
// plain leaves where there is a key, nothing is believed without one, and nothing private is told.
#include <string.h>

#include "media/engine_state.h"
#include "steps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *input;
static size_t left;

uint8_t step_byte(void)
{
	if (left == 0)
		return 0;
	left--;
	return *input++;
}

struct stage_context *step_context(uint8_t byte, uint32_t *place)
{
	*place = byte % STAGE_CONTEXTS;
	return stage.contexts[*place].id.v != 0 ? &stage.contexts[*place] : NULL;
}

// Not enough inlets or outlets: nothing has been taken for what was refused.
void step_check_full(uint32_t inlets, uint32_t outlets)
{
	const struct td_engine *engine = stage.world.engine;

	must(engine->free_inlet_count == inlets && engine->free_outlet_count == outlets);
}

static void create_context(void)
{
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_CREATE };
	struct stage_context *context = &stage.contexts[step_byte() % STAGE_CONTEXTS];

	if (context->id.v != 0)
		return;
	context->id = stage_command(&command).u.context;
	must(context->id.v != 0);
	oracle_init(&context->oracle);
	context->private = false;
}

static void bury_members(uint32_t place)
{
	for (uint32_t i = 0; i < STAGE_STREAMS; i++) {
		if (!stage.parties[i].live || stage.parties[i].context != place)
			continue;
		stage_bury(STAGE_STREAM, stage.parties[i].party.id.v);
		stage.parties[i].live = false;
	}
	for (uint32_t i = 0; i < STAGE_PLAYERS; i++) {
		if (!stage.players[i].live || stage.players[i].context != place)
			continue;
		stage_bury(STAGE_PLAYER, stage.players[i].id.v);
		stage.players[i].live = false;
	}
	stage_taps_of_gone(place);
}

static void destroy_context(void)
{
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_DESTROY };
	uint32_t place;
	struct stage_context *context = step_context(step_byte(), &place);

	if (context == NULL) {
		command.u.context_destroy.v = stage_dead(STAGE_CONTEXT, step_byte());
		must(stage_command(&command).result == -TD_ESTALE);
		return;
	}
	command.u.context_destroy = context->id;
	must(stage_command(&command).result == 0);
	stage_bury(STAGE_CONTEXT, context->id.v);
	context->id.v = 0;
	bury_members(place);
}

struct stage_party *step_party(uint8_t byte)
{
	struct stage_party *party = &stage.parties[byte % STAGE_STREAMS];

	return party->live ? party : NULL;
}

struct stage_player *step_player(uint8_t byte)
{
	struct stage_player *player = &stage.players[byte % STAGE_PLAYERS];

	return player->live ? player : NULL;
}

struct td_member step_member(void)
{
	uint8_t byte = step_byte();
	const struct stage_party *party = &stage.parties[byte % STAGE_STREAMS];
	const struct stage_player *player = &stage.players[byte % STAGE_PLAYERS];

	if (byte < 176)
		return (struct td_member){ TD_MEMBER_STREAM,
					   party->live ? party->party.id.v
						       : stage_dead(STAGE_STREAM, byte) };
	if (byte < 208)
		return (struct td_member){ TD_MEMBER_PLAYER,
					   player->live ? player->id.v
							: stage_dead(STAGE_PLAYER, byte) };
	if (byte < 252)
		return (struct td_member){ TD_MEMBER_FLOOR, 0 };
	return (struct td_member){ byte, 0 };
}

static void edit_matrix(void)
{
	static const int32_t gains[] = { TD_GAIN_UNITY,
					 TD_GAIN_UNITY,
					 TD_GAIN_UNITY,
					 0,
					 TD_GAIN_FOLLOW,
					 TD_GAIN_UNITY / 2,
					 1,
					 TD_GAIN_UNITY * 2,
					 TD_GAIN_MAX,
					 3,
					 TD_GAIN_MAX + 1,
					 TD_GAIN_FOLLOW - 1 };
	const struct td_engine *engine = stage.world.engine;
	uint32_t inlets = engine->free_inlet_count, outlets = engine->free_outlet_count, place;
	struct td_command command = { .kind = TD_COMMAND_MATRIX_EDIT };
	struct td_command_matrix_edit *edit = &command.u.matrix_edit;
	uint8_t how = step_byte();
	struct stage_context *context = step_context(how, &place);
	struct oracle before;
	int expected, result;

	edit->context.v = context != NULL ? context->id.v : stage_dead(STAGE_CONTEXT, how);
	edit->cell_count = 1u + (how >> 2) % 5u + (how >= 250 ? TD_EDIT_CELL_MAX : 0);
	for (uint32_t i = 0; i < edit->cell_count && i < TD_EDIT_CELL_MAX; i++) {
		edit->cells[i].from = step_member();
		edit->cells[i].to = step_member();
		edit->cells[i].gain_q12 = gains[step_byte() % (sizeof gains / sizeof gains[0])];
	}
	if (context == NULL) {
		must(stage_command(&command).result == -TD_ESTALE);
		return;
	}
	before = context->oracle;
	expected = oracle_edit(&context->oracle, edit->cells, edit->cell_count);
	result = how & 0x40 ? stage_post(&command) : stage_command(&command).result;
	if (result == -TD_EFULL && expected == 0) {
		step_check_full(inlets, outlets);
		context->oracle = before;
		return;
	}
	must(result == expected);
}

static void packet(void)
{
	static const uint8_t types[] = { STEP_AUDIO, STEP_AUDIO, STEP_AUDIO, STEP_AUDIO,
					 STEP_EVENT, STEP_NOISE, STEP_AUDIO, 55 };
	static const uint8_t sizes[] = { 160, 160, 33, 1, 80, 0, 3, 4 };
	struct stage_party *party = step_party(step_byte());
	uint8_t how = step_byte();

	if (party == NULL)
		return;
	stage_flush();
	stage_packet(party, types[how & 7], how >> 6, sizes[how >> 3 & 7]);
}

static void a_second_passes(void)
{
	stage_sweeps(1, 1000);
	stage_ticks(1);
}

static void reset(void)
{
	struct td_command command = { .kind = TD_COMMAND_RESET };

	if (step_byte() % 8 != 0)
		return;
	must(stage_command(&command).result == 0);
	for (uint32_t i = 0; i < STAGE_CONTEXTS; i++) {
		if (stage.contexts[i].id.v == 0)
			continue;
		stage_bury(STAGE_CONTEXT, stage.contexts[i].id.v);
		stage.contexts[i].id.v = 0;
		bury_members(i);
	}
}

static void step(void)
{
	uint8_t what = step_byte() % 32;

	// All but edits, which may pile up, begin with a worker that is up to date.
	if (what < 12 || what > 17)
		stage_flush();
	switch (what) {
	case 0: create_context(); break;
	case 1: destroy_context(); break;
	case 2:
	case 3: step_create_stream(); break;
	case 4:
	case 5:
	case 6: step_set_remote(); break;
	case 7: step_destroy_stream(); break;
	case 8: step_create_player(); break;
	case 9:
	case 10: step_control_player(); break;
	case 11: step_destroy_player(); break;
	case 12:
	case 13:
	case 14:
	case 15:
	case 16:
	case 17: edit_matrix(); break;
	case 18:
	case 19:
	case 20: packet(); break;
	case 21:
	case 22: stage_ticks(1u + step_byte() % 4u); break;
	case 24:
	case 25: step_move_stream(); break;
	case 26: step_move_context(); break;
	case 27:
	case 28: step_tune(); break;
	case 23: step_secret(); break;
	case 29: step_digits(); break;
	case 30: step_listening(); break;
	default:
		a_second_passes();
		reset();
		break;
	}
	stage_check();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool open;

	if (!open)
		stage_open();
	open = true;
	secret_forget();
	input = data;
	left = size;
	while (left > 0)
		step();
	stage_clear();
	return 0;
}
