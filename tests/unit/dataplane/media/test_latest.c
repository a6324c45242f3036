// TD_HANDLE_LATEST: what a command has made, meant by those right behind it.
#include "world.h"

static struct world world;
static struct td_context_id context;
static struct world_party a, b;

static void setup(void)
{
	const struct world_options options = { .workers = 1, .streams = 8 };

	world_open(&world, &options);
	a = (struct world_party){ .addr = "10.77.0.10", .port = 4000 };
}

static void teardown(void)
{
	world_close(&world);
}

static struct td_command on_latest(uint32_t kind)
{
	struct td_command command = { .kind = kind };

	if (kind == TD_COMMAND_STREAM_CREATE) {
		command.u.stream_create.context.v = TD_HANDLE_LATEST;
		command.u.stream_create.family = TD_FAMILY_IPV4;
	} else if (kind == TD_COMMAND_STREAM_SET_REMOTE) {
		command = world_set_remote(&a, TD_CODEC_PCMU);
		command.u.stream_set_remote.stream.v = TD_HANDLE_LATEST;
	}
	return command;
}

static int create_stream(void)
{
	struct td_command command = on_latest(TD_COMMAND_STREAM_CREATE);

	return world_command(&world, &command).result;
}

static int set_remote(void)
{
	struct td_command command = on_latest(TD_COMMAND_STREAM_SET_REMOTE);

	return world_command(&world, &command).result;
}

// Three at once, unanswered in between; media goes by what they have made.
START_TEST(three_commands_are_one_exchange)
{
	static const uint32_t kinds[] = { TD_COMMAND_CONTEXT_CREATE, TD_COMMAND_STREAM_CREATE,
					  TD_COMMAND_STREAM_SET_REMOTE };
	struct td_event event;

	for (size_t i = 0; i < 3; i++) {
		struct td_command command = on_latest(kinds[i]);

		world_command_only(&world, &command);
	}
	world_turn(&world);
	for (size_t i = 0; i < 3; i++) {
		ck_assert(world_event(&world, TD_EVENT_DONE, &event));
		ck_assert_uint_eq(event.command, kinds[i]);
		ck_assert_int_eq(event.result, 0);
		if (i == 0)
			context = event.u.context;
		if (i == 1)
			a.id = event.u.stream_created.stream;
	}
	world_party(&world, context, "10.77.0.30", 8000, 0xbbbb, &b);
	world_connect(&world, context, &a, &b);
	world_say(&world, &b);
	ck_assert_uint_eq(world.out_count, 1);
	ck_assert_uint_eq(world.out[0].destination.port_be, __builtin_bswap16(a.port));
}
END_TEST

START_TEST(nothing_was_made_yet)
{
	ck_assert_int_eq(create_stream(), -TD_ESTALE);
	ck_assert_int_eq(set_remote(), -TD_ESTALE);
}
END_TEST

// The one before it is not meant instead.
START_TEST(a_refused_stream_is_not_there)
{
	struct td_command wrong = on_latest(TD_COMMAND_STREAM_CREATE);

	context = world_context(&world);
	ck_assert_int_eq(create_stream(), 0);
	ck_assert_int_eq(set_remote(), 0);
	wrong.u.stream_create.family = TD_FAMILY_NONE;
	ck_assert_int_eq(world_command(&world, &wrong).result, -TD_EINVALID);
	ck_assert_int_eq(set_remote(), -TD_ESTALE);
	ck_assert_int_eq(create_stream(), 0);
	ck_assert_int_eq(set_remote(), 0);
}
END_TEST

START_TEST(a_refused_context_is_not_there)
{
	struct td_command late = { .kind = TD_COMMAND_CONTEXT_CREATE, .deadline_ns = 1 };

	context = world_context(&world);
	ck_assert_int_eq(create_stream(), 0);
	ck_assert_int_eq(world_command(&world, &late).result, -TD_ETIMEOUT);
	ck_assert_int_eq(create_stream(), -TD_ESTALE);
	// Nor does the stream that it refused leave the one before it to be meant.
	ck_assert_int_eq(set_remote(), -TD_ESTALE);
}
END_TEST

START_TEST(what_has_gone_is_not_there)
{
	struct td_command create = on_latest(TD_COMMAND_STREAM_CREATE);
	struct td_event event;

	context = world_context(&world);
	event = world_do(&world, &create);
	ck_assert_int_eq(
		world_simple(&world, TD_COMMAND_STREAM_DESTROY, event.u.stream_created.stream.v),
		0);
	ck_assert_int_eq(set_remote(), -TD_ESTALE);
	ck_assert_int_eq(world_simple(&world, TD_COMMAND_CONTEXT_DESTROY, context.v), 0);
	ck_assert_int_eq(create_stream(), -TD_ESTALE);
}
END_TEST

// Where one control process has ended and the next begins.
START_TEST(reset_forgets_it)
{
	context = world_context(&world);
	ck_assert_int_eq(create_stream(), 0);
	ck_assert_int_eq(world_simple(&world, TD_COMMAND_RESET, 0), 0);
	ck_assert_int_eq(create_stream(), -TD_ESTALE);
	ck_assert_int_eq(set_remote(), -TD_ESTALE);
}
END_TEST

START_TEST(other_commands_do_not_take_it)
{
	static const uint32_t kinds[] = { TD_COMMAND_CONTEXT_DESTROY, TD_COMMAND_STREAM_DESTROY };

	context = world_context(&world);
	ck_assert_int_eq(create_stream(), 0);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		ck_assert_int_eq(world_simple(&world, kinds[i], TD_HANDLE_LATEST), -TD_ESTALE);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("latest");
	TCase *tcase = tcase_create("latest");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, three_commands_are_one_exchange);
	tcase_add_test(tcase, nothing_was_made_yet);
	tcase_add_test(tcase, a_refused_stream_is_not_there);
	tcase_add_test(tcase, a_refused_context_is_not_there);
	tcase_add_test(tcase, what_has_gone_is_not_there);
	tcase_add_test(tcase, reset_forgets_it);
	tcase_add_test(tcase, other_commands_do_not_take_it);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
