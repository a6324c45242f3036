// Commands refused: every error leaves everything as it was.
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

START_TEST(ping_is_answered_by_main)
{
	struct td_command command = { .kind = TD_COMMAND_PING };
	struct td_event event;

	open_with(1, 4);
	event = world_command(&world, &command);
	ck_assert_int_eq(event.result, 0);
	ck_assert_uint_eq(event.thread, 0);
}
END_TEST

START_TEST(unknown_kinds_are_invalid)
{
	static const uint32_t kinds[] = { TD_COMMAND_NONE, TD_COMMAND_KIND_COUNT, 4000000000u };

	open_with(1, 4);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		ck_assert_int_eq(world_simple(&world, kinds[i], 0), -TD_EINVALID);
}
END_TEST

START_TEST(after_its_deadline_nothing_happens)
{
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_CREATE };

	open_with(1, 4);
	command.deadline_ns = world.now_ns - 1;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_ETIMEOUT);
	ck_assert_uint_eq(world.region.workers[0].contexts, 0);
	command.deadline_ns = world.now_ns;
	ck_assert_int_eq(world_command(&world, &command).result, 0);
}
END_TEST

START_TEST(stale_handles)
{
	static const uint32_t kinds[] = { TD_COMMAND_CONTEXT_DESTROY, TD_COMMAND_STREAM_DESTROY,
					  TD_COMMAND_PLAYER_DESTROY, TD_COMMAND_RECORD_STOP };
	struct td_player_id player;

	open_two();
	player = world_player(&world, context, 0, true);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		ck_assert_int_eq(world_simple(&world, kinds[i], 0), -TD_ESTALE);
		ck_assert_int_eq(world_simple(&world, kinds[i], UINT32_MAX), -TD_ESTALE);
		ck_assert_int_eq(world_simple(&world, kinds[i], context.v ^ 1u << 20), -TD_ESTALE);
	}
	ck_assert_int_eq(world_simple(&world, TD_COMMAND_STREAM_DESTROY, a.id.v), 0);
	ck_assert_int_eq(world_simple(&world, TD_COMMAND_STREAM_DESTROY, a.id.v), -TD_ESTALE);
	ck_assert_int_eq(world_simple(&world, TD_COMMAND_PLAYER_DESTROY, player.v), 0);
	ck_assert_int_eq(world_simple(&world, TD_COMMAND_PLAYER_DESTROY, player.v), -TD_ESTALE);
	ck_assert_int_eq(world_simple(&world, TD_COMMAND_CONTEXT_DESTROY, context.v), 0);
	ck_assert_int_eq(world_simple(&world, TD_COMMAND_CONTEXT_DESTROY, context.v), -TD_ESTALE);
	ck_assert_int_eq(world_simple(&world, TD_COMMAND_STREAM_DESTROY, b.id.v), -TD_ESTALE);
	ck_assert_int_eq(world_gain(&world, context, a.id, b.id, 0), -TD_ESTALE);
}
END_TEST

START_TEST(families)
{
	struct td_command create = { .kind = TD_COMMAND_STREAM_CREATE };
	struct td_event event;

	open_with(1, 4);
	context = world_context(&world);
	create.u.stream_create.context = context;
	create.u.stream_create.family = TD_FAMILY_NONE;
	ck_assert_int_eq(world_command(&world, &create).result, -TD_EINVALID);
	create.u.stream_create.family = 3;
	ck_assert_int_eq(world_command(&world, &create).result, -TD_EINVALID);
	create.u.stream_create.family = TD_FAMILY_IPV6;
	event = world_do(&world, &create);
	ck_assert_uint_eq(event.u.stream_created.local.family, TD_FAMILY_IPV6);
	ck_assert_uint_eq(event.u.stream_created.local.addr[15], 2);
	ck_assert_uint_eq(__builtin_bswap16(event.u.stream_created.local.port_be) % 2, 0);
}
END_TEST

// What an encoder would refuse at the first tick is refused with the command.
START_TEST(settings_and_packet_times)
{
	static const struct {
		uint8_t codec, ptime_ms;
		uint32_t bitrate_bps;
		int error;
	} rows[] = {
		{ TD_CODEC_OPUS, 20, 0, 0 },
		{ TD_CODEC_OPUS, 20, 5999, -TD_EINVALID },
		{ TD_CODEC_OPUS, 20, 6000, 0 },
		{ TD_CODEC_OPUS, 20, 510000, 0 },
		{ TD_CODEC_OPUS, 20, 510001, -TD_EINVALID },
		{ TD_CODEC_OPUS, 20, UINT32_MAX, -TD_EINVALID },
		{ TD_CODEC_OPUS, 10, 0, 0 },
		{ TD_CODEC_OPUS, 30, 0, -TD_EINVALID }, // there are no such packets
		{ TD_CODEC_OPUS, 40, 0, 0 },
		{ TD_CODEC_OPUS, 50, 0, -TD_EINVALID },
		{ TD_CODEC_OPUS, 60, 0, 0 },
		{ TD_CODEC_PCMU, 30, 5, 0 }, // it has no bitrate to set
		{ TD_CODEC_PCMU, 9, 0, -TD_EINVALID },
		{ TD_CODEC_PCMU, 61, 0, -TD_EINVALID },
		{ TD_CODEC_GSM, 30, 0, -TD_EINVALID },
		{ TD_CODEC_GSM, 40, 0, 0 },
		{ TD_CODEC_L16_48, 20, 0, -TD_EINVALID },
		{ TD_CODEC_L16_48, 0, 0, 0 },
	};

	open_two();
	world_connect(&world, context, &a, &b);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct td_command command = world_set_remote(&a, rows[i].codec);

		command.u.stream_set_remote.payload_type = 96;
		command.u.stream_set_remote.payload_type_rx = 96;
		command.u.stream_set_remote.ptime_ms = rows[i].ptime_ms;
		command.u.stream_set_remote.settings.bitrate_bps = rows[i].bitrate_bps;
		ck_assert_msg(world_command(&world, &command).result == rows[i].error, "row %zu",
			      i);
		world_ticks(&world, 60); // and what was not refused can be coded
		world_clear(&world);
	}
}
END_TEST

// Of several addresses of ours the one that suits the peer is taken.
START_TEST(address_by_the_peer)
{
	static const struct {
		const char *toward;
		const char *ours;
	} rows[] = {
		{ "10.77.0.10", "10.77.0.2" },
		{ "10.88.0.10", "10.88.0.2" },
		{ "192.0.2.1", "10.77.0.2" }, // off both links: the one with a gateway
	};
	struct world_options options = {
		.workers = 1, .streams = 16, .port_count = 4, .second_address = true
	};
	struct td_command create = { .kind = TD_COMMAND_STREAM_CREATE };
	struct td_endpoint ours;
	struct td_event event;

	world_open(&world, &options);
	context = world_context(&world);
	create.u.stream_create.context = context;
	create.u.stream_create.family = TD_FAMILY_IPV4;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		create.u.stream_create.toward = frame_endpoint(rows[i].toward, 4000);
		ours = frame_endpoint(rows[i].ours, 0);
		event = world_do(&world, &create);
		ck_assert(td_endpoint_same_addr(&event.u.stream_created.local, &ours));
	}
	// Both pairs of 10.77.0.2 are taken: the other address serves, then nothing does.
	create.u.stream_create.toward = frame_endpoint("10.77.0.10", 4000);
	ours = frame_endpoint("10.88.0.2", 0);
	event = world_do(&world, &create);
	ck_assert(td_endpoint_same_addr(&event.u.stream_created.local, &ours));
	ck_assert_int_eq(world_command(&world, &create).result, -TD_ENO_PORT);
}
END_TEST

START_TEST(matrix_refused_changes_nothing)
{
	struct td_command command = { .kind = TD_COMMAND_MATRIX_EDIT };
	struct td_command_matrix_edit *edit = &command.u.matrix_edit;
	struct world_party c;

	open_two();
	world_party(&world, context, "10.77.0.30", 8000, 0xcccc, &c);
	world_connect(&world, context, &a, &b);
	// Good cells beside one of a member that is gone: none of them takes effect.
	edit->context = context;
	edit->cell_count = 2;
	edit->cells[0] =
		(struct td_cell){ { TD_MEMBER_STREAM, a.id.v }, { TD_MEMBER_STREAM, b.id.v }, 0 };
	edit->cells[1] = (struct td_cell){ { TD_MEMBER_STREAM, c.id.v + (1u << 20) },
					   { TD_MEMBER_STREAM, a.id.v },
					   TD_GAIN_UNITY };
	ck_assert_int_eq(world_command(&world, &command).result, -TD_ESTALE);
	world_say(&world, &a);
	ck_assert_uint_eq(world.out_count, 1);
	ck_assert_uint_eq(world.out[0].destination.port_be, __builtin_bswap16(6000));
	world_clear(&world);
	world_say(&world, &b);
	ck_assert_uint_eq(world.out_count, 1);
	world_clear(&world);
	world_say(&world, &c);
	ck_assert_uint_eq(world.out_count, 0);
	// And a later edit does not bring the refused one to life.
	ck_assert_int_eq(world_gain(&world, context, a.id, c.id, TD_GAIN_UNITY), 0);
	world_say(&world, &a);
	ck_assert_uint_eq(world.out_count, 2);
}
END_TEST

START_TEST(matrix_errors)
{
	struct td_context_id other;
	struct world_party far;
	struct td_player_id player;
	struct td_command command = { .kind = TD_COMMAND_MATRIX_EDIT };
	struct td_cell *cell = &command.u.matrix_edit.cells[0];

	open_two();
	other = world_context(&world);
	world_party(&world, other, "10.77.0.30", 8000, 0xcccc, &far);
	player = world_player(&world, context, 0, true);
	ck_assert_int_eq(world_gain(&world, context, a.id, far.id, TD_GAIN_UNITY), -TD_ESTALE);
	ck_assert_int_eq(world_gain(&world, other, a.id, far.id, TD_GAIN_UNITY), -TD_ESTALE);
	ck_assert_int_eq(world_gain(&world, context, a.id, b.id, -2), -TD_EINVALID);
	ck_assert_int_eq(world_gain(&world, context, a.id, b.id, INT16_MAX + 1), -TD_EINVALID);
	*cell = (struct td_cell){ { TD_MEMBER_FLOOR, 0 }, { TD_MEMBER_FLOOR, 0 }, 1 };
	command.u.matrix_edit.context = context;
	command.u.matrix_edit.cell_count = 1;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	command.u.matrix_edit.context = context;
	command.u.matrix_edit.cell_count = TD_EDIT_CELL_MAX + 1;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	command.u.matrix_edit.cell_count = 1;
	*cell = (struct td_cell){ { TD_MEMBER_STREAM, a.id.v }, { TD_MEMBER_PLAYER, player.v }, 1 };
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	*cell = (struct td_cell){ { 9, a.id.v }, { TD_MEMBER_STREAM, b.id.v }, 1 };
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	// A player's handle is not a stream's, though the number might be.
	*cell = (struct td_cell){ { TD_MEMBER_PLAYER, a.id.v + 5 },
				  { TD_MEMBER_STREAM, b.id.v },
				  TD_GAIN_UNITY };
	ck_assert_int_eq(world_command(&world, &command).result, -TD_ESTALE);
	command.u.matrix_edit.cell_count = 0;
	ck_assert_int_eq(world_command(&world, &command).result, 0); // nothing is fine
}
END_TEST

START_TEST(codecs_are_checked)
{
	struct td_command command;

	open_two();
	world_connect(&world, context, &a, &b);
	command = world_set_remote(&a, TD_CODEC_NONE);
	ck_assert_int_eq(world_command(&world, &command).result, -TD_ECODEC);
	command = world_set_remote(&a, 77);
	ck_assert_int_eq(world_command(&world, &command).result, -TD_ECODEC);
	world_say(&world, &a); // still PCMU
	ck_assert_uint_eq(world.out_count, 1);
}
END_TEST

START_TEST(remote_is_checked)
{
	struct td_command good, bad;

	open_two();
	good = world_set_remote(&a, TD_CODEC_PCMU);
#define REFUSED(change, error)                                                                     \
	do {                                                                                       \
		struct td_command_stream_set_remote *set = &bad.u.stream_set_remote;               \
		bad = good;                                                                        \
		change;                                                                            \
		ck_assert_int_eq(world_command(&world, &bad).result, error);                       \
	} while (0)
	REFUSED(set->remote = frame_endpoint("fd77::10", 4000), -TD_EINVALID);
	REFUSED(set->remote_rtcp = frame_endpoint("fd77::10", 4001), -TD_EINVALID);
	REFUSED(set->remote = frame_endpoint("224.0.0.1", 4000), -TD_EINVALID);
	REFUSED(set->remote = frame_endpoint("0.0.0.0", 4000), -TD_EINVALID);
	REFUSED(set->payload_type = 128, -TD_EINVALID);
	REFUSED(set->payload_type_rx = 255, -TD_EINVALID);
	REFUSED(set->event_payload_type = 128, -TD_EINVALID);
	REFUSED(set->event_payload_type_rx = set->payload_type_rx, -TD_EINVALID);
	REFUSED(set->cn_payload_type = set->payload_type, -TD_EINVALID);
	REFUSED(set->cn_payload_type_rx = 128, -TD_EINVALID);
	REFUSED(set->event_clock_khz = 16, -TD_EINVALID);
	REFUSED(set->event_clock_khz = 3, -TD_EINVALID);
	REFUSED(set->ptime_ms = 9, -TD_EINVALID);
	REFUSED(set->ptime_ms = 61, -TD_EINVALID);
	REFUSED(set->settings.complexity = 11, -TD_EINVALID);
	REFUSED(set->dscp = 64, -TD_EINVALID);
	REFUSED(set->flags = 0x80, -TD_EINVALID);
	REFUSED(set->stream.v ^= 1u << 20, -TD_ESTALE);
#undef REFUSED
	world_connect(&world, context, &a, &b);
	world_say(&world, &a);
	ck_assert_uint_eq(world.out_count, 1);
}
END_TEST

START_TEST(players_are_checked)
{
	struct td_command command = { .kind = TD_COMMAND_PLAYER_CREATE };
	struct td_command_player_create *create = &command.u.player_create;

	open_two();
	create->context = context;
	create->item_count = 1;
	create->items[0].prompt = 2;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_ENOT_FOUND);
	create->items[0].prompt = UINT32_MAX;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_ENOT_FOUND);
	create->items[0].prompt = 0;
	create->loop = 2;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	create->loop = 0;
	create->item_count = 0;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	create->item_count = TD_PLAY_ITEM_MAX + 1;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	create->item_count = 1;
	create->items[0].length_ms = 101;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	create->items[0].length_ms = 0;
	create->items[0].offset_ms = 100; // "short" has 5 frames of 20 ms: 0 to 99
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	create->items[0].offset_ms = 99;
	ck_assert_int_eq(world_command(&world, &command).result, 0);
	create->items[0].offset_ms = UINT32_MAX;
	create->loop = 1;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	create->items[0].offset_ms = 20;
	create->items[0].length_ms = 80;
	ck_assert_int_eq(world_command(&world, &command).result, 0);
	ck_assert_uint_eq(world.region.workers[0].players, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("commands");
	TCase *tcase = tcase_create("commands");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, ping_is_answered_by_main);
	tcase_add_test(tcase, unknown_kinds_are_invalid);
	tcase_add_test(tcase, after_its_deadline_nothing_happens);
	tcase_add_test(tcase, stale_handles);
	tcase_add_test(tcase, families);
	tcase_add_test(tcase, settings_and_packet_times);
	tcase_add_test(tcase, address_by_the_peer);
	tcase_add_test(tcase, matrix_refused_changes_nothing);
	tcase_add_test(tcase, matrix_errors);
	tcase_add_test(tcase, codecs_are_checked);
	tcase_add_test(tcase, remote_is_checked);
	tcase_add_test(tcase, players_are_checked);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
