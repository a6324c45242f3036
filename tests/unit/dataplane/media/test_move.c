// Streams move between contexts, contexts between workers, and nothing is lost on the way.
#include <stdlib.h>
#include <string.h>

#include "choir.h"

#define UNITY TD_GAIN_UNITY

static struct world world;
static struct choir choir;
static struct td_context_id first, second;
static struct choir_voice *a, *b, *c;

static void open_workers(uint32_t workers)
{
	struct world_options options = { .workers = workers, .streams = 32 };

	choir_begin(&choir, &world, &options);
	first = world_context(&world);
	second = world_context(&world);
}

static void close_world(void)
{
	choir_end(&choir);
	world_close(&world);
}

static struct td_command move_to(struct choir_voice *voice, struct td_context_id to,
				 const struct choir_voice *peer)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_MOVE };
	struct td_command_stream_move *move = &command.u.stream_move;

	move->stream = voice->party.id;
	move->context = to;
	move->cell_count = 2;
	move->cells[0].from = move->cells[1].to =
		(struct td_member){ TD_MEMBER_STREAM, voice->party.id.v };
	move->cells[0].to = move->cells[1].from =
		(struct td_member){ TD_MEMBER_STREAM, peer->party.id.v };
	move->cells[0].gain_q12 = move->cells[1].gain_q12 = UNITY;
	return command;
}

// All workers together.
static uint64_t lost(void)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < world.workers; i++)
		for (unsigned drop = 0; drop < TD_DROP_COUNT; drop++)
			sum += world.region.workers[i].drops[drop];
	return sum;
}

static const struct {
	uint32_t workers;
	uint8_t codecs[3];
} rows[] = {
	{ 1, { TD_CODEC_PCMU, TD_CODEC_PCMU, TD_CODEC_PCMU } }, // forwarded before and after
	{ 1, { TD_CODEC_PCMU, TD_CODEC_PCMA, TD_CODEC_PCMA } }, // mixed before and after
	{ 1, { TD_CODEC_PCMU, TD_CODEC_PCMU, TD_CODEC_G722 } }, // forwarded, then mixed
	{ 2, { TD_CODEC_PCMU, TD_CODEC_PCMU, TD_CODEC_PCMU } },
	{ 2, { TD_CODEC_PCMU, TD_CODEC_PCMA, TD_CODEC_PCMA } },
	{ 2, { TD_CODEC_OPUS, TD_CODEC_PCMA, TD_CODEC_G722 } },
};

// A transfer: a talks to b, and then to c, who waits in a context of its own.
START_TEST(a_stream_moves)
{
	struct td_command command;
	struct td_stream_stats stats;
	struct td_event event;
	uint32_t heard;
	uint64_t before;

	open_workers(rows[_i].workers);
	a = choir_add(&choir, first, rows[_i].codecs[0], 20);
	b = choir_add(&choir, first, rows[_i].codecs[1], 20);
	c = choir_add(&choir, second, rows[_i].codecs[2], 20);
	choir_both(&choir, first, a, b);
	choir_sing(&choir, 600);
	choir_hears(&choir, a, 0, 1, 0);
	before = lost();
	b->silent = true;
	command = move_to(a, second, c);
	event = world_do(&world, &command);
	ck_assert_uint_eq(event.u.context.v, second.v);
	heard = b->packets;
	choir_sing(&choir, 800);
	choir_hears(&choir, a, 0, 0, 1);
	choir_hears(&choir, c, 1, 0, 0);
	ck_assert_uint_eq(b->packets, heard);
	ck_assert_uint_eq(a->breaks + c->breaks, 0);
	stats = world_stats(&world, a->party.id);
	ck_assert_uint_eq(stats.concealed_ms, 0);
	ck_assert_int_eq(stats.rx_lost, 0);
	// Only what b goes on saying to nobody was dropped, and c's before somebody heard it.
	ck_assert_uint_le(lost() - before, 40);
	ck_assert_uint_eq(world.region.streams[a->party.id.v & TD_HANDLE_INDEX_MASK].context.v,
			  second.v);
}
END_TEST

// What comes while the stream is between two workers is heard all the same.
START_TEST(packets_on_the_way_are_parked)
{
	struct td_command command;
	struct td_event event;

	open_workers(2);
	a = choir_add(&choir, first, TD_CODEC_PCMU, 20);
	b = choir_add(&choir, first, TD_CODEC_PCMU, 20);
	c = choir_add(&choir, second, TD_CODEC_PCMU, 20);
	choir_both(&choir, first, a, b);
	choir_sing(&choir, 100);
	command = move_to(a, second, c);
	world_command_only(&world, &command);
	world_workers(&world); // the first worker has let go
	world_clear(&world);
	for (unsigned i = 0; i < 5; i++)
		world_say(&world, &a->party);
	ck_assert_uint_eq(world.out_count, 0);
	td_role_enter_main();
	ck_assert(td_engine_in_transit(world.engine));
	td_role_enter_worker(0);
	command.kind = TD_COMMAND_PING;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EBUSY);
	world_turn(&world);
	world_turn(&world);
	ck_assert(world_event(&world, TD_EVENT_DONE, &event));
	ck_assert_int_eq(event.result, 0);
	ck_assert_uint_eq(event.thread, 2);
	td_role_enter_main();
	ck_assert(!td_engine_in_transit(world.engine));
	td_role_enter_worker(0);
	ck_assert_uint_eq(world.out_count, 5);
	for (unsigned i = 0; i < 5; i++)
		ck_assert_uint_eq(world.out[i].destination.port_be,
				  __builtin_bswap16(c->party.port));
}
END_TEST

START_TEST(a_context_moves_to_another_worker)
{
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_MOVE };
	struct td_player_id music;
	struct td_event event;

	open_workers(2);
	a = choir_add(&choir, first, TD_CODEC_PCMU, 20);
	b = choir_add(&choir, first, TD_CODEC_G722, 20);
	c = choir_add(&choir, first, TD_CODEC_PCMU, 20);
	choir_both(&choir, first, a, b);
	music = world_player(&world, first, 1, true);
	ck_assert_int_eq(world_player_gain(&world, first, music, c->party.id, UNITY), 0);
	choir_sing(&choir, 600);
	command.u.context_move.context = first;
	command.u.context_move.worker = 2;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	command.u.context_move.worker = 0;
	world_do(&world, &command); // it is there
	for (unsigned i = 0; i < 3; i++) {
		command.u.context_move.worker = 1 - i % 2;
		event = world_do(&world, &command);
		ck_assert_uint_eq(event.thread, 2 - i % 2);
		choir_sing(&choir, 600);
		choir_hears(&choir, a, 0, 1, 0);
		choir_hears(&choir, b, 1, 0, 0);
	}
	ck_assert_uint_eq(a->breaks + b->breaks + c->breaks, 0);
	ck_assert_uint_ge(c->packets, 118);
	ck_assert_uint_eq(world_stats(&world, a->party.id).concealed_ms, 0);
	ck_assert_uint_eq(world.region.workers[0].streams, 0);
	ck_assert_uint_eq(world.region.workers[1].streams, 3);
	ck_assert_uint_eq(world.region.workers[1].players, 1);
}
END_TEST

START_TEST(moves_are_refused_by_name)
{
	struct td_command command;
	struct td_cell *cell;

	open_workers(1);
	a = choir_add(&choir, first, TD_CODEC_PCMU, 20);
	b = choir_add(&choir, first, TD_CODEC_PCMU, 20);
	c = choir_add(&choir, second, TD_CODEC_PCMU, 20);
	choir_both(&choir, first, a, b);
	command = move_to(a, first, b);
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	command = move_to(a, second, b); // b is not there
	ck_assert_int_eq(world_command(&world, &command).result, -TD_ESTALE);
	command = move_to(a, second, c);
	command.u.stream_move.stream.v += 1u << 20;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_ESTALE);
	command = move_to(a, second, c);
	cell = &command.u.stream_move.cells[1];
	cell->gain_q12 = TD_GAIN_MAX + 1;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	choir_sing(&choir, 300); // and nothing has changed
	choir_hears(&choir, a, 0, 1, 0);
	choir_hears(&choir, b, 1, 0, 0);
	choir_hears(&choir, c, 0, 0, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("move");
	TCase *tcase = tcase_create("move");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_add_checked_fixture(tcase, NULL, close_world);
	tcase_add_loop_test(tcase, a_stream_moves, 0, sizeof rows / sizeof rows[0]);
	tcase_add_test(tcase, packets_on_the_way_are_parked);
	tcase_add_test(tcase, a_context_moves_to_another_worker);
	tcase_add_test(tcase, moves_are_refused_by_name);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
