// Placement of tx lines under random edits: every packet reaches whom it should, every line is where
// its stream believes it to be, and at home before its stream goes.
#include "world.h"

#include <string.h>

#define PARTIES 6
#define NOBODY  PARTIES

static struct world world;
static struct td_context_id context;
static struct world_party parties[PARTIES];
static bool alive[PARTIES];
static unsigned heard[PARTIES]; // by listener: whom
static uint32_t seed;

static uint32_t dice(uint32_t sides)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % sides;
}

static void join(unsigned i)
{
	world_party(&world, context, "10.77.0.10", (uint16_t)(4000 + 2 * i), 100 + i, &parties[i]);
	alive[i] = true;
	heard[i] = NOBODY;
}

static void leave(unsigned i)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_DESTROY };

	command.u.stream_destroy = parties[i].id;
	world_do(&world, &command);
	alive[i] = false;
	for (unsigned j = 0; j < PARTIES; j++)
		if (heard[j] == i)
			heard[j] = NOBODY;
}

static void listen(unsigned i, unsigned to)
{
	if (heard[i] != NOBODY)
		ck_assert_int_eq(
			world_gain(&world, context, parties[heard[i]].id, parties[i].id, 0), 0);
	heard[i] = to;
	if (to != NOBODY)
		ck_assert_int_eq(
			world_gain(&world, context, parties[to].id, parties[i].id, TD_GAIN_UNITY),
			0);
}

static void check_lines(void)
{
	struct td_media_worker *worker = td_engine_worker(world.engine, 0);

	for (uint32_t i = 0; i < worker->owned_count; i++) {
		uint32_t stream = worker->owned[i];

		ck_assert_uint_eq(td_media_tx(worker, stream)->stream, stream);
	}
	for (unsigned i = 0; i < PARTIES; i++) {
		uint32_t listeners = 0, last = 0;

		for (unsigned j = 0; j < PARTIES; j++) {
			if (alive[j] && heard[j] == i) {
				listeners++;
				last = td_handle_index(parties[j].id.v);
			}
		}
		// The point of it all: one listener lies beside its speaker.
		if (alive[i] && listeners == 1)
			ck_assert_uint_eq(worker->cold[last].tx_slot,
					  td_handle_index(parties[i].id.v));
	}
}

static void check_speech(void)
{
	for (unsigned i = 0; i < PARTIES; i++) {
		uint32_t expected = 0;

		if (!alive[i])
			continue;
		world_clear(&world);
		world_say(&world, &parties[i]);
		for (unsigned j = 0; j < PARTIES; j++) {
			bool found = false;

			if (!alive[j] || heard[j] != i)
				continue;
			expected++;
			for (uint32_t n = 0; n < world.out_count; n++)
				found |= world.out[n].destination.port_be ==
						 __builtin_bswap16(parties[j].port) &&
					 world.out[n].source.port_be == parties[j].local.port_be &&
					 world.out[n].rtp.ssrc ==
						 world_stats(&world, parties[j].id).tx_ssrc;
			ck_assert(found);
		}
		ck_assert_uint_eq(world.out_count, expected);
	}
}

START_TEST(random_edits)
{
	world_open(&world, &world_default);
	seed = 77;
	context = world_context(&world);
	for (unsigned i = 0; i < PARTIES; i++)
		join(i);
	for (unsigned round = 0; round < 500; round++) {
		unsigned i = dice(PARTIES), to = dice(PARTIES + 1);

		world.now_ns += 100 * WORLD_MS; // freed indexes come back
		if (!alive[i])
			join(i);
		else if (dice(10) == 0)
			leave(i);
		else if (to == NOBODY || alive[to])
			listen(i, to);
		check_lines();
		check_speech();
		if (dice(50) == 0) {
			struct td_command command = { .kind = TD_COMMAND_CONTEXT_DESTROY };

			command.u.context_destroy = context;
			world_do(&world, &command);
			context = world_context(&world);
			for (unsigned j = 0; j < PARTIES; j++)
				join(j);
		}
	}
	world_close(&world);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("placement");
	TCase *tcase = tcase_create("placement");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, random_edits);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
