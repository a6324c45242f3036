// Too little of something: memory, inlets, outlets. What is refused has changed nothing, and whoever
// was heard before is heard on.
#include "scarcity.h"

#include <stdlib.h>
#include <string.h>

#include "choir.h"
#include "media/engine_state.h"

#define UNITY     TD_GAIN_UNITY
#define SWEEP_MAX 200
#define SLOTS_MAX 16

static struct world world;
static struct choir choir;
static struct td_context_id context, other;

static void open_with(uint32_t mixed)
{
	struct world_options options = { .workers = 1, .streams = 32, .mixed = mixed };

	choir_begin(&choir, &world, &options);
	context = world_context(&world);
	other = world_context(&world);
}

static void open_plenty(void)
{
	open_with(0);
}

static void close_world(void)
{
	choir_end(&choir);
	world_close(&world);
}

// All that a refused command must leave alone.
struct picture {
	struct td_engine_counts counts;
	uint32_t inlets, outlets, ports;
	struct {
		uint32_t slots, members, cells;
		const struct td_plan *plan;
		int32_t heard[SLOTS_MAX][SLOTS_MAX];
	} contexts[2];
};

static void take_picture(struct picture *picture)
{
	const struct td_engine *engine = world.engine;

	memset(picture, 0, sizeof *picture);
	td_role_enter_main();
	td_engine_count(engine, &picture->counts);
	td_role_enter_worker(0);
	picture->inlets = engine->free_inlet_count;
	picture->outlets = engine->free_outlet_count;
	picture->ports = td_demux_port_free_count(world.demux, 0);
	for (unsigned i = 0; i < 2; i++) {
		const struct td_engine_context *entry =
			&engine->contexts[td_handle_index(i ? other.v : context.v)];

		ck_assert_uint_le(entry->matrix.slots, SLOTS_MAX);
		picture->contexts[i].slots = entry->matrix.slots;
		picture->contexts[i].members = entry->matrix.member_count;
		picture->contexts[i].cells = entry->matrix.cell_count;
		picture->contexts[i].plan = entry->plan;
		for (uint32_t from = 0; from < entry->matrix.slots; from++)
			for (uint32_t to = 0; to < entry->matrix.slots; to++)
				picture->contexts[i].heard[from][to] =
					td_matrix_heard(&entry->matrix, from, to);
	}
}

// With the first allocation failing, then the second, until it works; how often it did not.
static struct td_event sweep(struct td_command *command, unsigned least)
{
	struct picture before, after;
	struct td_event event;
	unsigned nth = 0;
	bool hit;

	take_picture(&before);
	do {
		ck_assert_uint_lt(++nth, SWEEP_MAX);
		command->deadline_ns = 0;
		scarcity_after(nth);
		world_command_only(&world, command);
		hit = scarcity_end();
		world_turn(&world);
		ck_assert(world_event(&world, TD_EVENT_DONE, &event));
		ck_assert_int_eq(event.result, hit ? -TD_EMEMORY : 0);
		if (!hit)
			break;
		take_picture(&after);
		ck_assert_mem_eq(&before, &after, sizeof before);
	} while (hit);
	ck_assert_msg(nth > least, "%s allocates %u times, expected %u",
		      td_command_name(command->kind), nth - 1, least);
	return event;
}

static struct td_member floor_member(void)
{
	return (struct td_member){ TD_MEMBER_FLOOR, 0 };
}

static struct td_member member(const struct choir_voice *voice)
{
	return (struct td_member){ TD_MEMBER_STREAM, voice->party.id.v };
}

// Everybody on the floor, in one edit.
static void confer_command(struct td_command *command)
{
	*command = (struct td_command){ .kind = TD_COMMAND_MATRIX_EDIT };
	command->u.matrix_edit.context = context;
	for (uint32_t i = 0; i < choir.count; i++) {
		struct td_cell *cells = command->u.matrix_edit.cells + 2 * i;

		cells[0] = (struct td_cell){ member(&choir.voices[i]), floor_member(), UNITY };
		cells[1] = (struct td_cell){ floor_member(), member(&choir.voices[i]), UNITY };
		command->u.matrix_edit.cell_count += 2;
	}
}

static void three_conferring(void)
{
	struct td_command command;

	choir_add(&choir, context, TD_CODEC_PCMU, 20);
	choir_add(&choir, context, TD_CODEC_G722, 20);
	choir_add(&choir, context, TD_CODEC_OPUS, 20);
	confer_command(&command);
	// The copies of the matrix, its cells, the plan, and resamplers with their places.
	(void)sweep(&command, 5);
	choir_sing(&choir, 600);
	choir_hears(&choir, &choir.voices[0], 0, 1, 1);
	choir_hears(&choir, &choir.voices[1], 1, 0, 1);
	choir_hears(&choir, &choir.voices[2], 1, 1, 0);
}

START_TEST(no_memory_for_an_edit)
{
	three_conferring();
}
END_TEST

START_TEST(no_memory_for_another_codec)
{
	struct td_command command;
	struct choir_voice *a;

	three_conferring();
	a = &choir.voices[0];
	choir_sing(&choir, 400);
	command = world_set_remote(&a->party, TD_CODEC_L16_32);
	(void)sweep(&command, 3);
	a->silent = true; // it goes on in PCMU, which is nothing to L16
}
END_TEST

START_TEST(no_memory_for_members_that_come_and_go)
{
	struct td_command create = { .kind = TD_COMMAND_STREAM_CREATE };
	struct td_command play = { .kind = TD_COMMAND_PLAYER_CREATE };
	struct td_command end_stream = { .kind = TD_COMMAND_STREAM_DESTROY };
	struct td_command end_player = { .kind = TD_COMMAND_PLAYER_DESTROY };

	three_conferring();
	create.u.stream_create.context = context;
	create.u.stream_create.family = TD_FAMILY_IPV4;
	play.u.player_create.context = context;
	play.u.player_create.item_count = 1;
	play.u.player_create.loop = 1;
	// Until the arrays of members have had to grow.
	for (unsigned i = 0; i < 4; i++) {
		end_stream.u.stream_destroy = sweep(&create, i == 0).u.stream_created.stream;
		end_player.u.player_destroy = sweep(&play, 0).u.player;
	}
	(void)sweep(&end_stream, 2);
	(void)sweep(&end_player, 2);
	choir_sing(&choir, 400);
	choir_hears(&choir, &choir.voices[0], 0, 1, 1);
	ck_assert_uint_eq(choir.voices[0].breaks + choir.voices[0].stalls, 0);
}
END_TEST

START_TEST(no_memory_for_a_move_or_a_detector)
{
	struct td_command move = { .kind = TD_COMMAND_STREAM_MOVE };
	struct td_command tune = { .kind = TD_COMMAND_STREAM_TUNE };

	three_conferring();
	tune.u.stream_tune.stream = choir.voices[1].party.id;
	tune.u.stream_tune.detect = TD_DETECT_DTMF;
	(void)sweep(&tune, 2);
	move.u.stream_move.stream = choir.voices[2].party.id;
	move.u.stream_move.context = other;
	move.u.stream_move.cell_count = 1;
	move.u.stream_move.cells[0].from = member(&choir.voices[2]);
	move.u.stream_move.cells[0].to = member(&choir.voices[2]); // it hears itself there
	move.u.stream_move.cells[0].gain_q12 = UNITY / 2;
	(void)sweep(&move, 4);
	choir_sing(&choir, 600);
	choir_hears(&choir, &choir.voices[0], 0, 1, 0);
	choir_hears(&choir, &choir.voices[1], 1, 0, 0);
	choir_hears(&choir, &choir.voices[2], 0, 0, 0.5);
}
END_TEST

// Three inlets and outlets for four: the fourth is refused, again and again, and nothing is lost.
START_TEST(no_inlet_and_no_outlet)
{
	struct picture before, after;

	open_with(3);
	for (uint32_t i = 0; i < 3; i++) {
		struct choir_voice *voice = choir_add(&choir, context, TD_CODEC_PCMU, 20);

		ck_assert_int_eq(choir_edit(&choir, context, voice, NULL, UNITY), 0);
		ck_assert_int_eq(choir_edit(&choir, context, NULL, voice, UNITY), 0);
	}
	choir_add(&choir, context, TD_CODEC_PCMA, 20);
	choir_sing(&choir, 400);
	take_picture(&before);
	for (unsigned i = 0; i < 10; i++) {
		ck_assert_int_eq(choir_edit(&choir, context, &choir.voices[3], NULL, UNITY),
				 -TD_EFULL);
		ck_assert_int_eq(choir_edit(&choir, context, NULL, &choir.voices[3], UNITY),
				 -TD_EFULL);
		choir_sing(&choir, 100);
	}
	take_picture(&after);
	ck_assert_mem_eq(&before, &after, sizeof before);
	choir_hears(&choir, &choir.voices[0], 0, 1, 1, 0);
	choir_hears(&choir, &choir.voices[2], 1, 1, 0, 0);
	ck_assert_uint_eq(choir.voices[0].breaks + choir.voices[0].stalls, 0);
	ck_assert_uint_ge(choir.voices[0].packets, 68);
}
END_TEST

// Of what a refused edit needed, what there was stays there for others.
START_TEST(what_was_refused_has_kept_nothing)
{
	struct choir_voice *voices[6];
	struct td_command command;

	open_with(3);
	for (unsigned i = 0; i < 4; i++)
		voices[i] = choir_add(&choir, context, TD_CODEC_PCMU, 20);
	confer_command(&command); // four at once
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EFULL);
	ck_assert_uint_eq(world.engine->free_inlet_count, 3);
	ck_assert_uint_eq(world.engine->free_outlet_count, 3);
	voices[4] = choir_add(&choir, other, TD_CODEC_PCMU, 20);
	voices[5] = choir_add(&choir, other, TD_CODEC_PCMA, 20);
	ck_assert_int_eq(choir_edit(&choir, other, voices[4], voices[5], UNITY), 0);
	ck_assert_int_eq(choir_edit(&choir, other, voices[5], voices[4], UNITY), 0);
	choir_sing(&choir, 600);
	choir_hears(&choir, voices[4], 0, 0, 0, 0, 0, 1);
	choir_hears(&choir, voices[5], 0, 0, 0, 0, 1, 0);
}
END_TEST

// A hangup is never refused: who coded for all hands over to the next.
START_TEST(a_hangup_needs_no_outlet)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_DESTROY };
	struct choir_voice *listeners[3];

	open_with(2);
	choir_add(&choir, context, TD_CODEC_PCMU, 20);
	choir_add(&choir, context, TD_CODEC_PCMA, 20);
	for (unsigned i = 0; i < 3; i++) {
		listeners[i] = choir_add(&choir, context, TD_CODEC_G722, 20);
		ck_assert_int_eq(choir_edit(&choir, context, NULL, listeners[i], UNITY), 0);
	}
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(choir_edit(&choir, context, &choir.voices[i], NULL, UNITY), 0);
	ck_assert_int_eq(choir_edit(&choir, context, NULL, &choir.voices[0], UNITY / 2), 0);
	ck_assert_uint_eq(world.engine->free_outlet_count, 0);
	choir_sing(&choir, 600);
	for (unsigned i = 0; i < 2; i++) {
		command.u.stream_destroy = listeners[i]->party.id;
		world_do(&world, &command);
		listeners[i]->away = true;
		choir_sing(&choir, 100);
	}
	choir_sing(&choir, 200);
	choir_hears(&choir, listeners[2], 1, 1, 0, 0, 0);
	ck_assert_uint_eq(listeners[2]->breaks + listeners[2]->stalls, 0);
}
END_TEST

// Streams that were mixed once and only forward by now give up what others are in want of.
START_TEST(who_does_not_mix_any_more_makes_room)
{
	struct choir_voice *c, *d;

	open_with(2);
	choir_add(&choir, context, TD_CODEC_PCMU, 20);
	choir_add(&choir, context, TD_CODEC_PCMU, 20);
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(choir_edit(&choir, context, &choir.voices[i], &choir.voices[1 - i],
					    UNITY / 2),
				 0);
	choir_sing(&choir, 400);
	choir_hears(&choir, &choir.voices[0], 0, 0.5);
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(
			choir_edit(&choir, context, &choir.voices[i], &choir.voices[1 - i], UNITY),
			0);
	c = choir_add(&choir, other, TD_CODEC_PCMU, 20);
	d = choir_add(&choir, other, TD_CODEC_PCMA, 20);
	ck_assert_int_eq(choir_edit(&choir, other, c, d, UNITY), 0);
	ck_assert_int_eq(choir_edit(&choir, other, d, c, UNITY), 0);
	choir_sing(&choir, 600);
	choir_hears(&choir, &choir.voices[0], 0, 1, 0, 0);
	choir_hears(&choir, c, 0, 0, 0, 1);
	choir_hears(&choir, d, 0, 0, 1, 0);
	// But nobody takes from those who mix.
	ck_assert_int_eq(choir_edit(&choir, context, &choir.voices[0], &choir.voices[1], UNITY / 2),
			 -TD_EFULL);
	choir_sing(&choir, 300);
	choir_hears(&choir, &choir.voices[1], 1, 0, 0, 0);
	choir_hears(&choir, d, 0, 0, 1, 0);
}
END_TEST

// Commands that no worker has seen yet when the engine ends leave no memory behind.
START_TEST(the_end_in_the_middle)
{
	struct td_command command;

	open_plenty();
	choir_add(&choir, context, TD_CODEC_PCMU, 20);
	choir_add(&choir, context, TD_CODEC_OPUS, 20);
	for (unsigned i = 0; i < 3; i++) {
		confer_command(&command);
		command.u.matrix_edit.cells[0].gain_q12 = UNITY / (int32_t)(1 + i);
		world_command_only(&world, &command);
		if (i == 0)
			world_turn(&world);
	}
	command = (struct td_command){ .kind = TD_COMMAND_STREAM_MOVE };
	command.u.stream_move.stream = choir.voices[0].party.id;
	command.u.stream_move.context = other;
	world_command_only(&world, &command);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("scarcity");
	TCase *memory = tcase_create("memory"), *lets = tcase_create("lets");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_set_timeout(memory, 60);
	tcase_set_timeout(lets, 60);
	tcase_add_checked_fixture(memory, open_plenty, close_world);
	tcase_add_test(memory, no_memory_for_an_edit);
	tcase_add_test(memory, no_memory_for_another_codec);
	tcase_add_test(memory, no_memory_for_members_that_come_and_go);
	tcase_add_test(memory, no_memory_for_a_move_or_a_detector);
	tcase_add_checked_fixture(lets, NULL, close_world);
	tcase_add_test(lets, no_inlet_and_no_outlet);
	tcase_add_test(lets, what_was_refused_has_kept_nothing);
	tcase_add_test(lets, a_hangup_needs_no_outlet);
	tcase_add_test(lets, who_does_not_mix_any_more_makes_room);
	tcase_add_test(lets, the_end_in_the_middle);
	suite_add_tcase(suite, memory);
	suite_add_tcase(suite, lets);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
