// Learning a source behind NAT, on real packets from end to end.
#include "world.h"

#include "media/engine_state.h"

static struct world world;
static struct td_context_id context;
static struct world_party a, b;

static void open_two(void)
{
	world_open_two(&world, &world_default, &context, &a, &b);
}

static void teardown(void)
{
	world_close(&world);
}

// `from` is where its signalling comes from, NULL: nobody knows.
static void learn_near(const struct world_party *party, const char *from)
{
	struct td_command command = world_set_remote(party, TD_CODEC_PCMU);

	command.u.stream_set_remote.flags = TD_REMOTE_LEARN;
	if (from)
		command.u.stream_set_remote.signalling = frame_endpoint(from, 5060);
	world_do(&world, &command);
}

static void learn(const struct world_party *party)
{
	learn_near(party, NULL);
}

static void talk(struct world_party *party, unsigned packets)
{
	for (unsigned i = 0; i < packets; i++) {
		world.now_ns += 20 * WORLD_MS;
		world_say(&world, party);
	}
}

START_TEST(learned_behind_nat)
{
	struct world_party nat;
	struct td_event event;

	open_two();
	learn_near(&a, "10.77.0.30");
	nat = a;
	nat.addr = "10.77.0.30";
	nat.port = 31000;
	talk(&b, 5); // towards a: it has sent nothing valid yet
	ck_assert_uint_eq(world.out_count, 0);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_SINK_NO_REMOTE), 5);
	talk(&nat, 3);
	ck_assert_uint_eq(world.out_count, 0);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_RTP_SEQUENCE), 3);
	talk(&nat, 1);
	ck_assert_uint_eq(world.out_count, 1); // heard from the fourth packet on
	while (world_event(&world, TD_EVENT_STREAM_ACTIVE, &event) &&
	       event.u.stream_active.stream.v != a.id.v)
		continue;
	ck_assert_uint_eq(event.u.stream_active.stream.v, a.id.v);
	ck_assert_uint_eq(event.u.stream_active.source.port_be, __builtin_bswap16(31000));
	world_clear(&world);
	world_turn(&world); // main finds the next hop
	talk(&b, 1);
	ck_assert_uint_eq(world.out_count, 1);
	ck_assert_uint_eq(world.out[0].destination.addr[3], 30);
	ck_assert_uint_eq(world.out[0].destination.port_be, __builtin_bswap16(31000));
	world_clear(&world);
	talk(&nat, 10);
	ck_assert_uint_eq(world.out_count, 10);
}
END_TEST

// A third address, of which the signalling knows nothing, has to wait for a second.
START_TEST(a_third_address_waits)
{
	struct world_party nat;

	open_two();
	learn_near(&a, "10.77.0.40");
	nat = a;
	nat.addr = "10.77.0.30";
	talk(&nat, 49);
	ck_assert_uint_eq(world.out_count, 0);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_SOURCE_MISMATCH), 49);
	talk(&nat, 4);
	ck_assert_uint_eq(world.out_count, 1);
}
END_TEST

START_TEST(learned_port_of_the_same_address_needs_no_answer)
{
	struct world_party nat;

	open_two();
	learn(&a);
	nat = a;
	nat.port = 31000;
	talk(&nat, 4);
	ck_assert_uint_eq(world.out_count, 1);
	world_clear(&world);
	talk(&b, 1);
	ck_assert_uint_eq(world.out_count, 1);
	ck_assert_uint_eq(world.out[0].destination.port_be, __builtin_bswap16(31000));
}
END_TEST

// Row 2: the exact sender needs one packet, whoever was adopted before it.
START_TEST(exact_sender_takes_over_in_the_window)
{
	struct world_party evil;

	open_two();
	learn(&a);
	evil = a;
	evil.addr = "10.77.0.30";
	evil.ssrc = 0xe1e1;
	talk(&evil, 49); // less than a second
	ck_assert_uint_eq(world.out_count, 0);
	talk(&evil, 10);
	ck_assert_uint_eq(world.out_count, 7);
	world_clear(&world);
	world_turn(&world);
	talk(&a, 1);
	ck_assert_uint_eq(world.out_count, 1); // its very first packet
	world_clear(&world);
	talk(&evil, 100);
	ck_assert_uint_eq(world.out_count, 0);
	talk(&b, 1);
	ck_assert_uint_eq(world.out_count, 1);
	ck_assert_uint_eq(world.out[0].destination.addr[3], 10);
}
END_TEST

START_TEST(burst_does_not_teach)
{
	struct world_party evil;

	open_two();
	learn(&a);
	evil = a;
	evil.addr = "10.77.0.30";
	for (unsigned i = 0; i < 500; i++)
		world_say(&world, &evil);
	talk(&b, 1);
	ck_assert_uint_eq(world.out_count, 0);
}
END_TEST

START_TEST(wrong_payload_type_teaches_nothing)
{
	struct world_party evil;

	open_two();
	learn(&a);
	evil = a;
	evil.addr = "10.77.0.30";
	evil.payload_type = 9;
	talk(&evil, 50);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_SOURCE_MISMATCH), 50);
	talk(&b, 1);
	ck_assert_uint_eq(world.out_count, 0);
}
END_TEST

START_TEST(learning_is_asked_again_until_it_is_answered)
{
	struct world_party nat;

	open_two();
	learn_near(&a, "10.77.0.30");
	nat = a;
	nat.addr = "10.77.0.30";
	talk(&nat, 4);
	{
		// The note is lost: main was too busy.
		struct td_media_worker *worker = td_engine_worker(world.engine, 0);
		struct td_note note;

		while (td_ring_pop(&world.engine->links[0].notes, &note) == 0)
			continue;
		ck_assert(worker->cold[td_handle_index(a.id.v)].learned_pending);
	}
	for (unsigned i = 0; i < 1500; i++) {
		world.now_ns += WORLD_MS;
		td_role_enter_worker(0);
		td_media_sweep(td_engine_worker(world.engine, 0), world.now_ns, &world.tx[0]);
		world_turn(&world);
	}
	world_clear(&world);
	talk(&b, 1);
	ck_assert_uint_eq(world.out_count, 1);
	ck_assert_uint_eq(world.out[0].destination.addr[3], 30);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("learning");
	TCase *tcase = tcase_create("learning");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, learned_behind_nat);
	tcase_add_test(tcase, a_third_address_waits);
	tcase_add_test(tcase, learned_port_of_the_same_address_needs_no_answer);
	tcase_add_test(tcase, exact_sender_takes_over_in_the_window);
	tcase_add_test(tcase, burst_does_not_teach);
	tcase_add_test(tcase, wrong_payload_type_teaches_nothing);
	tcase_add_test(tcase, learning_is_asked_again_until_it_is_answered);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
