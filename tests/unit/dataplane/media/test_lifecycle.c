// Objects come and go: pools, ports, grace periods, reset, two workers, the mirror.
#include "world.h"

#include <string.h>

static struct world world;
static struct td_context_id context;
static struct world_party a, b;

static void open_with(uint32_t workers, uint32_t streams)
{
	struct world_options options = { .workers = workers, .streams = streams };

	world_open(&world, &options);
}

static void open_two(void)
{
	world_open_apart(&world, &world_default, &context, &a, &b);
}

static void teardown(void)
{
	world_close(&world);
}

START_TEST(every_pool_fills_and_empties)
{
	struct td_command create = { .kind = TD_COMMAND_STREAM_CREATE };
	struct td_context_id contexts[4];
	struct td_engine_counts counts;

	open_with(1, 4);
	for (unsigned round = 0; round < 10; round++) {
		struct td_command one_more = { .kind = TD_COMMAND_CONTEXT_CREATE };
		struct td_command play = { .kind = TD_COMMAND_PLAYER_CREATE };

		for (unsigned i = 0; i < 4; i++) {
			contexts[i] = world_context(&world);
			(void)world_stream(&world, contexts[i], NULL);
			(void)world_player(&world, contexts[i], 0, true);
		}
		ck_assert_int_eq(world_command(&world, &one_more).result, -TD_EFULL);
		create.u.stream_create.context = contexts[0];
		create.u.stream_create.family = TD_FAMILY_IPV4;
		ck_assert_int_eq(world_command(&world, &create).result, -TD_EFULL);
		play.u.player_create.context = contexts[0];
		play.u.player_create.item_count = 1;
		ck_assert_int_eq(world_command(&world, &play).result, -TD_EFULL);
		for (unsigned i = 0; i < 4; i++)
			ck_assert_int_eq(
				world_simple(&world, TD_COMMAND_CONTEXT_DESTROY, contexts[i].v), 0);
		ck_assert_uint_eq(world.region.workers[0].streams, 0);
		ck_assert_uint_eq(world.region.workers[0].contexts, 0);
		ck_assert_uint_eq(world.region.workers[0].players, 0);
	}
	td_role_enter_main();
	td_engine_count(world.engine, &counts);
	td_role_enter_worker(0);
	ck_assert_uint_eq(counts.contexts + counts.streams + counts.players + counts.taps, 0);
}
END_TEST

START_TEST(no_port_left)
{
	struct world_options options = { .workers = 1, .streams = 16, .port_count = 4 };
	struct td_command create = { .kind = TD_COMMAND_STREAM_CREATE };
	struct td_stream_id stream;

	world_open(&world, &options);
	context = world_context(&world);
	(void)world_stream(&world, context, NULL);
	stream = world_stream(&world, context, NULL);
	create.u.stream_create.context = context;
	create.u.stream_create.family = TD_FAMILY_IPV4;
	ck_assert_int_eq(world_command(&world, &create).result, -TD_ENO_PORT);
	ck_assert_uint_eq(world.region.workers[0].streams, 2);
	// Its ports rest before they are used again.
	ck_assert_int_eq(world_simple(&world, TD_COMMAND_STREAM_DESTROY, stream.v), 0);
	ck_assert_int_eq(world_command(&world, &create).result, -TD_ENO_PORT);
	world.now_ns += TD_PORT_QUARANTINE_NS + 1;
	create.deadline_ns = 0;
	ck_assert_int_eq(world_command(&world, &create).result, 0);
}
END_TEST

START_TEST(destroyed_streams_packets_meet_a_closed_port)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_DESTROY };
	struct td_event event;
	struct frame frame;
	uint32_t index;

	open_two();
	index = td_handle_index(a.id.v);
	world_connect(&world, context, &a, &b);
	world_say(&world, &a);
	world_frame(&a, 160, &frame);
	command.u.stream_destroy = a.id;
	event = world_do(&world, &command);
	ck_assert_uint_eq(event.u.stream_destroyed.stats.rx_packets, 1);
	ck_assert_uint_eq(event.u.stream_destroyed.stats.rx_bytes, 160);
	ck_assert_uint_eq(event.u.stream_destroyed.stats.rx_ssrc, 0xaaaa);
	ck_assert(!world_send(&world, &frame)); // not in the port table any more
	// A worker that had looked it up just before still drops it.
	td_role_enter_worker(0);
	{
		struct rte_mbuf *mbuf = frame_mbuf(world.net.pool, &frame);
		struct td_packet packet;

		ck_assert_int_eq(frame_parse(&world.net, mbuf, &packet), 0);
		packet.stream = index;
		world.handed[0]++;
		td_media_rtp(td_engine_worker(world.engine, 0), &packet, 1, world.now_ns,
			     &world.tx[0]);
		ck_assert_uint_eq(world_drop(&world, TD_DROP_PORT_CLOSED), 1);
		mbuf = frame_mbuf(world.net.pool, &frame);
		ck_assert_int_eq(frame_parse(&world.net, mbuf, &packet), 0);
		packet.stream = index;
		world.handed[0]++;
		td_media_rtcp(td_engine_worker(world.engine, 0), &packet, 1, world.now_ns,
			      &world.tx[0]);
		ck_assert_uint_eq(world_drop(&world, TD_DROP_PORT_CLOSED), 2);
	}
	world_clear(&world);
	world_say(&world, &b); // whom it fed: nobody listens now
	ck_assert_uint_eq(world.out_count, 0);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_NO_LISTENER), 1);
}
END_TEST

START_TEST(packets_before_the_worker_knows_meet_a_closed_port)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_CREATE };
	struct td_event event;
	struct frame frame;
	uint32_t entry = 0;
	uint16_t port = 0;

	open_with(1, 4);
	context = world_context(&world);
	command.u.stream_create.context = context;
	command.u.stream_create.family = TD_FAMILY_IPV4;
	world_command_only(&world, &command);
	for (port = WORLD_PORT; port < WORLD_PORT + 2000; port = (uint16_t)(port + 2)) {
		entry = td_demux_lookup(world.demux, 0, port);
		if (entry & TD_DEMUX_OPEN)
			break;
	}
	ck_assert(entry & TD_DEMUX_OPEN);
	frame_udp(&frame, "10.77.0.10", 4000, "10.77.0.2", port, 172);
	ck_assert(world_send(&world, &frame));
	ck_assert_uint_eq(world_drop(&world, TD_DROP_PORT_CLOSED), 1);
	world_turn(&world);
	ck_assert(world_event(&world, TD_EVENT_DONE, &event));
	ck_assert(world_send(&world, &frame));
	ck_assert_uint_eq(world_drop(&world, TD_DROP_PORT_CLOSED), 1);
}
END_TEST

// A destroyed handle's index is not used again before main has passed a grace period, even when
// the pool is hungry for it.
START_TEST(reuse_waits_for_the_worker)
{
	struct td_command destroy = { .kind = TD_COMMAND_CONTEXT_DESTROY };
	struct td_command create = { .kind = TD_COMMAND_CONTEXT_CREATE };
	struct td_context_id first, again;
	struct td_event event;

	open_with(1, 1);
	first = world_context(&world);
	destroy.u.context_destroy = first;
	world_command_only(&world, &destroy);
	world_command_only(&world, &create); // the worker has not seen the first yet
	ck_assert(world_event(&world, TD_EVENT_DONE, &event));
	ck_assert_int_eq(event.result, -TD_EFULL);
	world_turn(&world);
	ck_assert(world_event(&world, TD_EVENT_DONE, &event)); // of the DESTROY
	again = world_context(&world);
	ck_assert_uint_eq(td_handle_index(again.v), td_handle_index(first.v));
	ck_assert_uint_ne(again.v, first.v);
	ck_assert_int_eq(world_simple(&world, TD_COMMAND_CONTEXT_DESTROY, first.v), -TD_ESTALE);
}
END_TEST

START_TEST(full_change_ring_is_busy_and_changes_nothing)
{
	struct td_command edit = { .kind = TD_COMMAND_MATRIX_EDIT };
	struct td_command create = { .kind = TD_COMMAND_STREAM_CREATE };
	struct td_context_id other;
	struct td_event event;

	open_two();
	other = world_context(&world);
	edit.u.matrix_edit.context = context;
	for (unsigned i = 0; i < TD_CHANGE_SLOTS; i++)
		world_command_only(&world, &edit);
	create.u.stream_create.context = context;
	create.u.stream_create.family = TD_FAMILY_IPV4;
	for (uint32_t kind = TD_COMMAND_CONTEXT_CREATE; kind < TD_COMMAND_KIND_COUNT; kind++) {
		struct td_command command = { .kind = kind };

		if (kind == TD_COMMAND_STREAM_DIGITS)
			memcpy(command.u.stream_digits.digits, "5", 2);
		if (kind == TD_COMMAND_STREAM_CREATE)
			command = create;
		else if (kind == TD_COMMAND_STREAM_SET_REMOTE)
			command = world_set_remote(&a, TD_CODEC_PCMU);
		else if (kind == TD_COMMAND_STREAM_DESTROY || kind == TD_COMMAND_STREAM_TUNE ||
			 kind == TD_COMMAND_STREAM_DIGITS)
			command.u.stream_destroy = a.id;
		else if (kind == TD_COMMAND_STREAM_MOVE)
			command.u.stream_move = (struct td_command_stream_move){ a.id, other, 0 };
		else
			command.u.context_destroy = context;
		if (kind == TD_COMMAND_PLAYER_DESTROY || kind == TD_COMMAND_RECORD_STOP ||
		    kind == TD_COMMAND_RECORD_START || kind == TD_COMMAND_RECORD_NOTE ||
		    kind == TD_COMMAND_RECORD_ATTACH || kind == TD_COMMAND_RECORD_DETACH ||
		    kind == TD_COMMAND_RECORD_CONTROL || kind == TD_COMMAND_PLAYER_CONTROL ||
		    kind == TD_COMMAND_FORK_START || kind == TD_COMMAND_FORK_STOP)
			continue; // nothing of that kind there
		world_command_only(&world, &command);
		ck_assert(world_event(&world, TD_EVENT_DONE, &event));
		ck_assert_msg(event.result == -TD_EBUSY, "%s", td_command_name(kind));
		ck_assert_uint_eq(event.thread, 0);
	}
	world_turn(&world);
	for (unsigned i = 0; i < TD_CHANGE_SLOTS; i++)
		ck_assert(world_event(&world, TD_EVENT_DONE, &event));
	ck_assert(!world_event(&world, TD_EVENT_DONE, &event));
	ck_assert_uint_eq(world.region.workers[0].streams, 2);
	world_connect(&world, context, &a, &b);
	world_say(&world, &a);
	ck_assert_uint_eq(world.out_count, 1);
}
END_TEST

START_TEST(reset_destroys_every_context)
{
	struct td_command command = { .kind = TD_COMMAND_RESET };
	struct td_engine_counts counts;
	struct td_event event;

	open_with(2, 4000);
	event = world_do(&world, &command);
	ck_assert(event.u.reset_count == 0);
	for (unsigned i = 0; i < 900; i++) {
		struct td_context_id one = world_context(&world);

		(void)world_stream(&world, one, NULL);
	}
	ck_assert_uint_eq(world.region.workers[0].contexts + world.region.workers[1].contexts, 900);
	command.deadline_ns = 0;
	world_command_only(&world, &command);
	for (unsigned turn = 0; turn < 50 && !world_event(&world, TD_EVENT_DONE, &event); turn++)
		world_turn(&world);
	ck_assert_uint_eq(event.command, TD_COMMAND_RESET);
	ck_assert_int_eq(event.result, 0);
	ck_assert(event.u.reset_count == 900);
	ck_assert_uint_eq(world.region.workers[0].contexts + world.region.workers[1].contexts, 0);
	ck_assert_uint_eq(world.region.workers[0].streams + world.region.workers[1].streams, 0);
	world.now_ns += 100 * WORLD_MS;
	world_turn(&world);
	td_role_enter_main();
	td_engine_count(world.engine, &counts);
	td_role_enter_worker(0);
	ck_assert_uint_eq(counts.contexts + counts.streams + counts.waiting, 0);
}
END_TEST

START_TEST(second_reset_takes_over)
{
	struct td_command command = { .kind = TD_COMMAND_RESET };
	struct td_event event;

	open_with(1, 600);
	for (unsigned i = 0; i < 500; i++)
		(void)world_context(&world);
	world_command_only(&world, &command);
	world_command_only(&world, &command);
	ck_assert(world_event(&world, TD_EVENT_DONE, &event)); // the first one's answer
	ck_assert_uint_eq(event.request_id, world.request - 1);
	ck_assert_int_eq(event.result, -TD_EBUSY);
	for (unsigned turn = 0; turn < 50 && !world_event(&world, TD_EVENT_DONE, &event); turn++)
		world_turn(&world);
	ck_assert_uint_eq(event.request_id, world.request);
	ck_assert_int_eq(event.result, 0);
	ck_assert(event.u.reset_count == 500);
	ck_assert_uint_eq(world.region.workers[0].contexts, 0);
	ck_assert(!world_event(&world, TD_EVENT_DONE, &event));
}
END_TEST

START_TEST(two_workers_one_context_on_one)
{
	struct world_party x[8], y[8];
	struct td_context_id contexts[8];
	unsigned on_first = 0;

	open_with(2, 64);
	for (unsigned i = 0; i < 8; i++) {
		contexts[i] = world_context(&world);
		world_party(&world, contexts[i], "10.77.0.10", (uint16_t)(4000 + 2 * i), i + 1,
			    &x[i]);
		world_party(&world, contexts[i], "10.77.0.20", (uint16_t)(6000 + 2 * i), i + 100,
			    &y[i]);
		world_connect(&world, contexts[i], &x[i], &y[i]);
	}
	for (unsigned i = 0; i < 8; i++) {
		uint32_t wx = td_demux_worker(
			td_demux_lookup(world.demux, 0, __builtin_bswap16(x[i].local.port_be)));
		uint32_t wy = td_demux_worker(
			td_demux_lookup(world.demux, 0, __builtin_bswap16(y[i].local.port_be)));

		ck_assert_uint_eq(wx, wy);
		on_first += wx == 0;
		for (unsigned n = 0; n < 10; n++) {
			world_say(&world, &x[i]);
			world_say(&world, &y[i]);
		}
		ck_assert_uint_eq(world.out_count, 20);
		world_clear(&world);
	}
	ck_assert_uint_eq(on_first, 4); // evenly spread
	ck_assert_uint_eq(world.region.workers[0].forwarded, 80);
	ck_assert_uint_eq(world.region.workers[1].forwarded, 80);
	ck_assert_uint_eq(world.region.workers[0].streams, 8);
	for (unsigned i = 0; i < 8; i++)
		ck_assert_int_eq(world_simple(&world, TD_COMMAND_CONTEXT_DESTROY, contexts[i].v),
				 0);
}
END_TEST

START_TEST(next_hops_are_given_back)
{
	uint32_t first, last;
	struct td_endpoint probe = frame_endpoint("10.77.0.200", 0);

	open_two();
	td_role_enter_main();
	ck_assert_int_eq(td_neighbour_get(world.net.neighbours, 0, &probe, &first), 0);
	td_neighbour_put(world.net.neighbours, first);
	td_role_enter_worker(0);
	for (unsigned i = 0; i < 300; i++) {
		struct td_command command = world_set_remote(&a, TD_CODEC_PCMU);
		struct td_endpoint *remote = &command.u.stream_set_remote.remote;

		remote->addr[3] = (uint8_t)(100 + i % 100);
		command.u.stream_set_remote.remote_rtcp = *remote;
		command.u.stream_set_remote.remote_rtcp.addr[3] ^= 1;
		world_do(&world, &command);
	}
	ck_assert_int_eq(world_simple(&world, TD_COMMAND_CONTEXT_DESTROY, context.v), 0);
	// Every reference is back: a table that leaked would hand out an index far beyond.
	td_role_enter_main();
	ck_assert_int_eq(td_neighbour_get(world.net.neighbours, 0, &probe, &last), 0);
	td_neighbour_put(world.net.neighbours, last);
	td_role_enter_worker(0);
	ck_assert_uint_le(last, first + 8);
}
END_TEST

START_TEST(mirror_shows_what_is_there)
{
	struct td_stream_mirror mirror;
	struct td_command command = { .kind = TD_COMMAND_STREAM_DESTROY };
	uint32_t index;

	open_two();
	index = td_handle_index(a.id.v);
	ck_assert_int_eq(td_mirror_read(&world.region.streams[index], &mirror), 0);
	ck_assert_uint_eq(mirror.id.v, a.id.v);
	ck_assert_uint_eq(mirror.context.v, context.v);
	ck_assert(td_endpoint_equal(&mirror.local, &a.local));
	ck_assert_uint_eq(mirror.remote.port_be, __builtin_bswap16(4000));
	ck_assert_uint_eq(mirror.codec, TD_CODEC_PCMU);
	ck_assert_uint_eq(mirror.source_locked, 1);
	world_say(&world, &a);
	td_role_enter_worker(0);
	for (unsigned i = 0; i < 1100; i++) {
		world.now_ns += WORLD_MS;
		td_media_sweep(td_engine_worker(world.engine, 0), world.now_ns, &world.tx[0]);
	}
	ck_assert_int_eq(td_mirror_read(&world.region.streams[index], &mirror), 0);
	ck_assert(mirror.stats.rx_packets == 1);
	command.u.stream_destroy = a.id;
	world_do(&world, &command);
	ck_assert_int_eq(td_mirror_read(&world.region.streams[index], &mirror), 0);
	ck_assert_uint_eq(mirror.id.v, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lifecycle");
	TCase *tcase = tcase_create("lifecycle");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, every_pool_fills_and_empties);
	tcase_add_test(tcase, no_port_left);
	tcase_add_test(tcase, destroyed_streams_packets_meet_a_closed_port);
	tcase_add_test(tcase, packets_before_the_worker_knows_meet_a_closed_port);
	tcase_add_test(tcase, reuse_waits_for_the_worker);
	tcase_add_test(tcase, full_change_ring_is_busy_and_changes_nothing);
	tcase_add_test(tcase, reset_destroys_every_context);
	tcase_add_test(tcase, second_reset_takes_over);
	tcase_add_test(tcase, two_workers_one_context_on_one);
	tcase_add_test(tcase, next_hops_are_given_back);
	tcase_add_test(tcase, mirror_shows_what_is_there);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
