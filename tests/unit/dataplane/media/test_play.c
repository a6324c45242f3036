// PLAY: prompts to streams, frame by frame, and what prompts are made of.
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codecs/codec.h"
#include "codecs/wav.h"
#include "media/engine_state.h"

static struct world world;
static struct td_context_id context;
static struct world_party a, b;

static void setup(void)
{
	world_open(&world, &world_default);
	context = world_context(&world);
	world_party(&world, context, "10.77.0.10", 4000, 0xaaaa, &a);
	world_party(&world, context, "10.77.0.20", 6000, 0xbbbb, &b);
}

static void teardown(void)
{
	world_close(&world);
}

static void listen(struct td_player_id player, const struct world_party *party)
{
	ck_assert_int_eq(world_player_gain(&world, context, player, party->id, TD_GAIN_UNITY), 0);
}

START_TEST(once_then_end)
{
	const uint8_t *payload = world.prompts->entries[0].coding[TD_CODEC_PCMU].bytes;
	struct td_player_id player = world_player(&world, context, 0, false);
	struct td_event event;

	listen(player, &a);
	world_ticks(&world, 99);
	ck_assert_uint_ge(world.out_count, 4);
	ck_assert(!world_event(&world, TD_EVENT_PLAYER_END, &event) || world.out_count == 5);
	world_ticks(&world, 200);
	ck_assert_uint_eq(world.out_count, 5);
	for (uint32_t i = 0; i < 5; i++) {
		const struct world_sent *sent = &world.out[i];

		ck_assert_uint_eq(sent->rtp.payload_type, 0);
		ck_assert_uint_eq(sent->rtp.marker, i == 0);
		ck_assert_uint_eq(sent->rtp.payload_len, 160);
		ck_assert_mem_eq(sent->udp_payload + 12, payload + 160 * i, 160);
		ck_assert_uint_eq(sent->rtp.sequence, (uint16_t)(world.out[0].rtp.sequence + i));
		ck_assert_uint_eq(sent->rtp.timestamp, world.out[0].rtp.timestamp + 160 * i);
		ck_assert_uint_eq(sent->source.port_be, a.local.port_be);
	}
	ck_assert(world_stats(&world, a.id).tx_packets == 5);
	ck_assert(world_stats(&world, a.id).tx_bytes == 800);
}
END_TEST

START_TEST(end_is_said_once_and_again_only_when_it_was_lost)
{
	struct td_player_id player = world_player(&world, context, 0, false);
	struct td_event event;
	unsigned count = 0;

	world_ticks(&world, 500); // it ends with nobody listening, too
	while (world_event(&world, TD_EVENT_PLAYER_END, &event)) {
		ck_assert_uint_eq(event.u.player_end.player.v, player.v);
		ck_assert_uint_eq(event.u.player_end.context.v, context.v);
		count++;
	}
	ck_assert_uint_eq(count, 1);
	player = world_player(&world, context, 0, false);
	for (unsigned i = 0; i < TD_EVENT_SLOTS + 10; i++) {
		struct td_command edit = { .kind = TD_COMMAND_MATRIX_EDIT };

		edit.u.matrix_edit.context = context;
		world_command_only(&world, &edit);
		world_turn(&world);
	}
	world_ticks(&world, 500);
	while (world_event(&world, TD_EVENT_PLAYER_END, &event))
		ck_abort_msg("there was no room for it");
	world_ticks(&world, 40);
	ck_assert(world_event(&world, TD_EVENT_PLAYER_END, &event));
	ck_assert_uint_eq(event.u.player_end.player.v, player.v);
}
END_TEST

START_TEST(loops_without_a_seam)
{
	const uint8_t *payload = world.prompts->entries[0].coding[TD_CODEC_PCMU].bytes;
	struct td_player_id player = world_player(&world, context, 0, true);
	struct td_event event;

	listen(player, &a);
	world_ticks(&world, 20 * 23);
	ck_assert_uint_eq(world.out_count, 23);
	for (uint32_t i = 0; i < 23; i++) {
		ck_assert_mem_eq(world.out[i].udp_payload + 12, payload + 160 * (i % 5), 160);
		ck_assert_uint_eq(world.out[i].rtp.timestamp, world.out[0].rtp.timestamp + 160 * i);
	}
	ck_assert(!world_event(&world, TD_EVENT_PLAYER_END, &event));
}
END_TEST

START_TEST(begins_at_an_offset)
{
	const uint8_t *payload = world.prompts->entries[1].coding[TD_CODEC_PCMU].bytes;
	struct td_command command = { .kind = TD_COMMAND_PLAYER_CREATE };
	struct td_player_id player;

	command.u.player_create.context = context;
	command.u.player_create.item_count = 1;
	command.u.player_create.items[0].prompt = 1;
	command.u.player_create.items[0].offset_ms = 700;
	player = world_do(&world, &command).u.player;
	listen(player, &a);
	world_ticks(&world, 20);
	ck_assert_uint_eq(world.out_count, 1);
	ck_assert_mem_eq(world.out[0].udp_payload + 12, payload + 160 * 35, 160);
}
END_TEST

START_TEST(one_player_many_listeners_each_in_its_codec)
{
	struct td_player_id player = world_player(&world, context, 1, true);
	struct td_command command = world_set_remote(&b, TD_CODEC_PCMA);

	command.u.stream_set_remote.payload_type = 8;
	world_do(&world, &command);
	listen(player, &a);
	listen(player, &b);
	world_ticks(&world, 20);
	ck_assert_uint_eq(world.out_count, 2);
	for (unsigned i = 0; i < 2; i++) {
		bool is_a = world.out[i].destination.port_be == __builtin_bswap16(4000);

		ck_assert_uint_eq(world.out[i].rtp.payload_type, is_a ? 0 : 8);
		ck_assert_mem_eq(world.out[i].udp_payload + 12,
				 world.prompts->entries[1]
					 .coding[is_a ? TD_CODEC_PCMU : TD_CODEC_PCMA]
					 .bytes,
				 160);
	}
}
END_TEST

START_TEST(listener_that_is_not_ready_misses_nothing_else)
{
	struct td_player_id player = world_player(&world, context, 1, true);
	struct td_stream_id early = world_stream(&world, context, NULL);

	ck_assert_int_eq(world_player_gain(&world, context, player, early, TD_GAIN_UNITY), 0);
	listen(player, &a);
	world_ticks(&world, 100);
	ck_assert_uint_eq(world.out_count, 5);
}
END_TEST

START_TEST(unresolved_next_hop_and_empty_pool)
{
	struct td_player_id player = world_player(&world, context, 1, true);
	struct td_command command = world_set_remote(&a, TD_CODEC_PCMU);
	static struct rte_mbuf *held[8192];
	unsigned count = 0;

	command.u.stream_set_remote.remote = frame_endpoint("10.77.0.77", 6000);
	world_do(&world, &command);
	listen(player, &a);
	world_ticks(&world, 60);
	ck_assert_uint_eq(world.out_count, 0);
	// Nothing was made: drops are of packets that came in.
	ck_assert_uint_eq(world_drop(&world, TD_DROP_NEIGHBOUR_UNRESOLVED), 0);
	command = world_set_remote(&a, TD_CODEC_PCMU);
	world_do(&world, &command);
	while (count < 8192 && (held[count] = rte_pktmbuf_alloc(world.net.pool)) != NULL)
		count++;
	world_ticks(&world, 20);
	while (count > 0)
		rte_pktmbuf_free(held[--count]);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_POOL_EMPTY), 1);
	world_ticks(&world, 20);
	ck_assert_uint_eq(world.out_count, 1);
}
END_TEST

static unsigned contexts_in(const struct td_media_worker *worker, unsigned slot)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < world.engine->capacity[TD_POOL_CONTEXT]; i++)
		count += worker->contexts[i].id.v != 0 && worker->contexts[i].slot == slot;
	return count;
}

// What a slot has to do goes by streams: nobody else is put where a crowd is while there is room.
START_TEST(a_crowd_has_its_slot_alone)
{
	struct world_options options = { .workers = 1, .streams = 64 };
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_DESTROY };
	struct td_context_id crowd, others[38];
	struct td_endpoint local;
	struct td_media_worker *worker;
	unsigned slot;

	world_close(&world);
	world_open(&world, &options);
	worker = td_engine_worker(world.engine, 0);
	crowd = world_context(&world);
	for (unsigned i = 0; i < 20; i++)
		(void)world_stream(&world, crowd, &local);
	slot = worker->contexts[td_handle_index(crowd.v)].slot;
	ck_assert_uint_eq(worker->slot_load[slot], 21);
	for (unsigned i = 0; i < 38; i++) {
		others[i] = world_context(&world);
		(void)world_stream(&world, others[i], &local);
	}
	ck_assert_uint_eq(contexts_in(worker, slot), 1);
	for (unsigned i = 0; i < TD_MEDIA_SLOTS; i++)
		if (i != slot)
			ck_assert_uint_eq(contexts_in(worker, i), 2);
	// The crowd has gone: its slot is the emptiest.
	command.u.context_destroy = crowd;
	world_do(&world, &command);
	ck_assert_uint_eq(worker->slot_load[slot], 0);
	crowd = world_context(&world);
	ck_assert_uint_eq(worker->contexts[td_handle_index(crowd.v)].slot, slot);
}
END_TEST

START_TEST(contexts_spread_over_the_slots)
{
	struct td_media_worker *worker = td_engine_worker(world.engine, 0);
	struct td_context_id more[12];

	for (unsigned i = 0; i < 12; i++) {
		more[i] = world_context(&world);
		(void)world_player(&world, more[i], 1, true);
	}
	for (unsigned slot = 0; slot < TD_MEDIA_SLOTS; slot++)
		ck_assert_uint_le(contexts_in(worker, slot), 1);
	for (unsigned i = 0; i < 12; i += 2) {
		struct td_command command = { .kind = TD_COMMAND_CONTEXT_DESTROY };

		command.u.context_destroy = more[i];
		world_do(&world, &command);
	}
	ck_assert_uint_eq(world.region.workers[0].players, 6);
	listen(world_player(&world, context, 1, true), &a);
	world_ticks(&world, 20);
	ck_assert_uint_eq(world.out_count, 1);
}
END_TEST

START_TEST(many_players_in_one_slot)
{
	struct world_options options = { .workers = 1, .streams = 64 };
	struct td_player_id players[60];
	struct td_media_worker *worker;
	struct world_party parties[4];

	world_close(&world);
	world_open(&world, &options);
	worker = td_engine_worker(world.engine, 0);
	for (unsigned c = 0; c < 4; c++) {
		context = world_context(&world);
		world_party(&world, context, "10.77.0.10", (uint16_t)(4000 + 2 * c), c + 1,
			    &parties[c]);
		for (unsigned i = 0; i < 15; i++) {
			players[c * 15 + i] = world_player(&world, context, 1, true);
		}
		listen(players[c * 15 + 7], &parties[c]);
	}
	for (unsigned slot = 0; slot < TD_MEDIA_SLOTS; slot++)
		ck_assert_uint_le(contexts_in(worker, slot), 1);
	world_ticks(&world, 100);
	ck_assert_uint_eq(world.out_count, 20);
	// Each of three in a list taken away: first, middle and last.
	for (unsigned i = 0; i < 60; i++) {
		struct td_command command = { .kind = TD_COMMAND_PLAYER_DESTROY };

		command.u.player_destroy = players[i * 7 % 60];
		world_do(&world, &command);
		world_ticks(&world, 20);
	}
	for (unsigned slot = 0; slot < TD_MEDIA_SLOTS; slot++)
		ck_assert_uint_eq(worker->slot_first[slot], TD_PLAYER_NONE);
}
END_TEST

START_TEST(prompts_are_padded_and_encoded)
{
	const struct td_prompt *prompt = &world.prompts->entries[0];
	int16_t pcm[160];

	ck_assert_uint_eq(prompt->frame_count, 5);
	ck_assert_uint_eq(prompt->duration_ms, 100);
	for (unsigned id = TD_CODEC_PCMU; id <= TD_CODEC_PCMA; id++) {
		const struct td_codec *codec = td_codec_get((enum td_codec_id)id);

		ck_assert_int_eq(
			codec->decode(NULL, prompt->coding[id].bytes + 4 * 160, 160, pcm, 160),
			160);
		for (unsigned i = 150; i < 160; i++) // the padding is silence
			ck_assert_int_le(abs(pcm[i]), 8);
		ck_assert_int_gt(abs(pcm[0]), 500);
	}
}
END_TEST

START_TEST(prompts_refuse_with_a_sentence)
{
	char reason[TD_PROMPT_REASON_MAX], name[TD_PROMPT_NAME_MAX + 1];
	int16_t pcm[160] = { 0 };
	struct td_prompts *prompts;

	ck_assert_int_eq(td_prompts_create(1u << TD_CODEC_PCMU, NULL, &prompts), 0);
	ck_assert_int_eq(td_prompts_add(prompts, "", pcm, 160, 8000, reason), -TD_EINVALID);
	memset(name, 'n', sizeof name);
	name[TD_PROMPT_NAME_MAX] = '\0';
	ck_assert_int_eq(td_prompts_add(prompts, name, pcm, 160, 8000, reason), -TD_EINVALID);
	name[TD_PROMPT_NAME_MAX - 1] = '\0';
	ck_assert_int_eq(td_prompts_add(prompts, name, pcm, 160, 8000, reason), 0);
	ck_assert_int_eq(td_prompts_add(prompts, name, pcm, 160, 8000, reason), -TD_EEXISTS);
	ck_assert_ptr_nonnull(strstr(reason, "two of this name"));
	ck_assert_int_eq(td_prompts_add(prompts, "empty", pcm, 0, 8000, reason), -TD_EINVALID);
	ck_assert_int_eq(td_prompts_add(prompts, "long", pcm, 3600u * 8000u + 1, 8000, reason),
			 -TD_EINVALID);
	ck_assert_int_lt(td_prompts_load(prompts, "gone", "/nonexistent/file.wav", reason), 0);
	ck_assert_ptr_nonnull(strstr(reason, "file.wav"));
	for (unsigned i = 1; i < TD_PROMPT_MAX; i++) {
		snprintf(name, sizeof name, "p%u", i);
		ck_assert_int_eq(td_prompts_add(prompts, name, pcm, 1, 8000, reason), 0);
	}
	ck_assert_int_eq(td_prompts_add(prompts, "one too many", pcm, 1, 8000, reason), -TD_EFULL);
	td_prompts_destroy(prompts);
	td_prompts_destroy(NULL);
}
END_TEST

START_TEST(prompts_from_a_file)
{
	char path[] = "/tmp/tandem-prompt-XXXXXX", reason[TD_PROMPT_REASON_MAX];
	uint8_t header[TD_WAV_HEADER_BYTES];
	int16_t pcm[8000];
	struct td_prompts *prompts;
	FILE *file = fdopen(mkstemp(path), "wb");

	for (unsigned i = 0; i < 8000; i++)
		pcm[i] = (int16_t)(i * 3);
	td_wav_write_header(header, 8000, 1, 8000);
	ck_assert_uint_eq(fwrite(header, 1, sizeof header, file), sizeof header);
	ck_assert_uint_eq(fwrite(pcm, 2, 8000, file), 8000);
	fclose(file);
	ck_assert_int_eq(td_prompts_create(1u << TD_CODEC_PCMU, NULL, &prompts), 0);
	ck_assert_int_eq(td_prompts_load(prompts, "ramp", path, reason), 0);
	ck_assert_uint_eq(prompts->entries[0].frame_count, 50);
	ck_assert_uint_eq(prompts->entries[0].duration_ms, 1000);
	td_prompts_destroy(prompts);
	unlink(path);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("play");
	TCase *tcase = tcase_create("play");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, once_then_end);
	tcase_add_test(tcase, end_is_said_once_and_again_only_when_it_was_lost);
	tcase_add_test(tcase, loops_without_a_seam);
	tcase_add_test(tcase, begins_at_an_offset);
	tcase_add_test(tcase, one_player_many_listeners_each_in_its_codec);
	tcase_add_test(tcase, listener_that_is_not_ready_misses_nothing_else);
	tcase_add_test(tcase, unresolved_next_hop_and_empty_pool);
	tcase_add_test(tcase, contexts_spread_over_the_slots);
	tcase_add_test(tcase, a_crowd_has_its_slot_alone);
	tcase_add_test(tcase, many_players_in_one_slot);
	tcase_add_test(tcase, prompts_are_padded_and_encoded);
	tcase_add_test(tcase, prompts_refuse_with_a_sentence);
	tcase_add_test(tcase, prompts_from_a_file);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
