// Keys over the life of a call on a real engine: re-keys, holds, moves, everything that makes packets,
// and what is left of a key when its stream is gone.
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "media/engine_state.h"
#include "srtp_peer.h"

#define SAID  160
#define SUITE TD_SRTP_AEAD_AES_128_GCM

static struct world world;
static struct td_context_id context;
static struct peer a, b, c;
static const struct td_srtp_master plain;
static uint8_t said[SAID];

static void open_three(uint32_t workers)
{
	struct world_options options = { .workers = workers, .streams = 32, .tones = true };
	struct td_srtp_master keys[6];

	for (uint32_t i = 0; i < 6; i++)
		keys[i] = peer_master(i < 4 ? SUITE : TD_SRTP_AES_CM_128_HMAC_SHA1_80, i);
	world_open(&world, &options);
	context = world_context(&world);
	peer_open(&world, context, "10.77.0.10", 4000, 0xaaaa, &keys[0], &keys[1], &a);
	peer_open(&world, context, "10.77.0.20", 6000, 0xbbbb, &keys[2], &keys[3], &b);
	peer_open(&world, context, "10.77.0.30", 8000, 0xcccc, &keys[4], &keys[5], &c);
	world_connect(&world, context, &a.party, &b.party);
}

static void close_world(void)
{
	peer_close(&a);
	peer_close(&b);
	peer_close(&c);
	world_close(&world);
}

static void from_to(struct peer *from, const struct peer *to, unsigned packets)
{
	static uint32_t number;

	for (unsigned i = 0; i < packets; i++) {
		world.now_ns += 20 * WORLD_MS;
		peer_payload(++number, said, SAID);
		peer_say(&world, from, said, SAID);
		peer_expect(&world, to, said, SAID);
		world_clear(&world);
	}
}

static void both(unsigned packets)
{
	from_to(&a, &b, packets);
	from_to(&b, &a, packets);
}

static struct td_protection *protection_of(const struct peer *peer)
{
	return &world.engine->protections[td_handle_index(peer->party.id.v)];
}

// An answer changes keys and address at once: not one packet under the old key goes to the new address.
START_TEST(a_new_answer)
{
	struct td_srtp_master says = peer_master(SUITE, 20), hears = peer_master(SUITE, 21);
	struct td_command command;
	struct frame late;

	open_three(1);
	both(20);
	peer_frame(&a, said, SAID, &late);
	peer_rekey(&a, &says, &hears);
	a.party.port = 4100;
	command = peer_set_remote(&a, TD_CODEC_PCMU);
	world_do(&world, &command);
	ck_assert(world_send(&world, &late)); // from the old address
	ck_assert_uint_eq(world.out_count, 0);
	both(200);
	// The same again, as a session timer's refresh does: nothing is disturbed.
	command = peer_set_remote(&a, TD_CODEC_PCMU);
	world_do(&world, &command);
	both(5);
	// A packet that was on its way under the old key to the same address is still heard.
	peer_frame(&a, said, SAID, &late);
	says = peer_master(SUITE, 22);
	peer_rekey(&a, &says, &hears);
	command = peer_set_remote(&a, TD_CODEC_PCMU);
	world_do(&world, &command);
	ck_assert(world_send(&world, &late));
	ck_assert_uint_eq(world.out_count, 1);
	world_clear(&world);
	from_to(&a, &b, 20);
	ck_assert_int_eq(command.u.stream_set_remote.srtp_rx.suite, SUITE);
}
END_TEST

START_TEST(what_is_no_key_is_refused)
{
	struct td_command command;

	open_three(1);
	command = peer_set_remote(&a, TD_CODEC_PCMU);
	command.u.stream_set_remote.srtp_rx.suite = TD_SRTP_SUITE_COUNT;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	command = peer_set_remote(&a, TD_CODEC_PCMU);
	command.u.stream_set_remote.srtp_tx.mki_bytes = TD_SRTP_MKI_MAX + 1;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	both(5);
}
END_TEST

// On hold and back, with rollover behind it; plain for a while and back.
START_TEST(held_and_resumed)
{
	struct td_command command;
	struct td_srtp_master says = a.says, hears = a.hears;

	open_three(1);
	says = a.says;
	hears = a.hears;
	for (unsigned i = 0; i < 70000 / 50; i++) {
		from_to(&b, &a, 1);
		b.party.sequence = (uint16_t)(b.party.sequence + 49);
	}
	ck_assert_uint_ge(td_srtp_rollover(&protection_of(&a)->tx), 1);
	command = peer_set_remote(&a, TD_CODEC_PCMU);
	command.u.stream_set_remote.remote.port_be = 0;
	world_do(&world, &command);
	peer_say(&world, &b, said, SAID);
	ck_assert_uint_eq(world.out_count, 0);
	command = peer_set_remote(&a, TD_CODEC_PCMU);
	world_do(&world, &command);
	both(10);
	// Without keys: it is plain. With them again it goes on where it was.
	a.says = a.hears = plain;
	command = peer_set_remote(&a, TD_CODEC_PCMU);
	world_do(&world, &command);
	for (unsigned i = 0; i < 40000 / 50; i++) {
		peer_say(&world, &b, said, SAID);
		ck_assert_uint_eq(world.out_count, 1);
		ck_assert_mem_eq(world.out[0].udp_payload + 12, said, SAID);
		world_clear(&world);
		b.party.sequence = (uint16_t)(b.party.sequence + 49);
	}
	a.says = says;
	a.hears = hears;
	command = peer_set_remote(&a, TD_CODEC_PCMU);
	world_do(&world, &command);
	both(10);
}
END_TEST

// To another context, and with its context to another worker: rollover and windows go along.
START_TEST(moved)
{
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_MOVE };
	struct td_context_id other;
	struct td_event event;
	struct frame again;

	open_three(2);
	both(10);
	for (uint32_t round = 0; round < 6; round++) {
		peer_payload(round, said, SAID);
		peer_frame(&a, said, SAID, &again);
		ck_assert(world_send(&world, &again));
		peer_expect(&world, &b, said, SAID);
		world_clear(&world);
		command.u.context_move.context = context;
		command.u.context_move.worker = (round + 1) % 2;
		world_command_only(&world, &command);
		for (unsigned turn = 0; turn < 5; turn++)
			world_turn(&world);
		ck_assert(world_event(&world, TD_EVENT_DONE, &event));
		ck_assert_int_eq(event.result, 0);
		ck_assert(world_send(&world, &again));
		ck_assert_uint_eq(world.out_count, 0);
		both(10);
	}
	ck_assert_uint_eq(world_drop(&world, TD_DROP_SRTP_REPLAYED), 6);
	other = world_context(&world);
	command = (struct td_command){ .kind = TD_COMMAND_STREAM_MOVE };
	command.u.stream_move.stream = c.party.id;
	command.u.stream_move.context = other;
	world_do(&world, &command);
	command.u.stream_move.context = context;
	command.u.stream_move.cell_count = 1;
	command.u.stream_move.cells[0] = (struct td_cell){ { TD_MEMBER_STREAM, c.party.id.v },
							   { TD_MEMBER_STREAM, a.party.id.v },
							   TD_GAIN_UNITY };
	world_do(&world, &command);
}
END_TEST

// Packets that come while their stream is between two workers are opened where it arrives.
START_TEST(moved_in_the_middle)
{
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_MOVE };
	_Alignas(4) uint8_t heard[PEER_ROOM];
	uint32_t place = 0, count = 0;

	open_three(2);
	both(10);
	command.u.context_move.context = context;
	command.u.context_move.worker = 1;
	world_command_only(&world, &command);
	world_workers(&world);
	for (unsigned i = 0; i < 10; i++)
		peer_say(&world, &a, said, SAID);
	for (unsigned turn = 0; turn < 5; turn++)
		world_turn(&world);
	for (const struct world_sent *sent = peer_next(&world, &b, &place); sent != NULL;
	     sent = peer_next(&world, &b, &place)) {
		ck_assert_uint_eq(peer_hear(&b, sent, heard), TD_RTP_HEADER_BYTES + SAID);
		ck_assert_mem_eq(heard + TD_RTP_HEADER_BYTES, said, SAID);
		count++;
	}
	ck_assert_uint_eq(count, 10);
	world_clear(&world);
	both(10);
}
END_TEST

// Everything that makes packets makes protected ones: a mix, one coded for several, players, digits.
START_TEST(all_that_is_sent_is_sealed)
{
	struct peer *const peers[] = { &a, &b, &c };
	struct td_command command = { .kind = TD_COMMAND_STREAM_DIGITS };
	unsigned heard[3] = { 0 }, events = 0;
	struct td_player_id player;

	open_three(1);
	for (unsigned i = 0; i < 3; i++)
		for (unsigned j = 0; j < 3; j++)
			ck_assert_int_eq(world_gain(&world, context, peers[i]->party.id,
						    peers[j]->party.id, i == j ? 0 : TD_GAIN_UNITY),
					 0);
	player = world_player(&world, context, 1, true);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(world_player_gain(&world, context, player, peers[i]->party.id,
						   TD_GAIN_UNITY),
				 0);
	command.u.stream_digits.stream = b.party.id;
	command.u.stream_digits.how = TD_DIGITS_EVENT;
	memcpy(command.u.stream_digits.digits, "159", 4);
	world_do(&world, &command);
	for (unsigned i = 0; i < 100; i++) {
		for (unsigned j = 0; j < 3; j++)
			peer_say(&world, peers[j], said, SAID);
		world_ticks(&world, 20);
		for (unsigned j = 0; j < 3; j++) {
			_Alignas(4) uint8_t bytes[PEER_ROOM];
			uint32_t place = 0;

			for (const struct world_sent *sent = peer_next(&world, peers[j], &place);
			     sent != NULL; sent = peer_next(&world, peers[j], &place)) {
				ck_assert_uint_gt(peer_hear(peers[j], sent, bytes), 0);
				ck_assert(frame_checksums_right(sent->mbuf));
				heard[j]++;
				events += (bytes[1] & 0x7f) == 101;
			}
		}
		world_clear(&world);
	}
	for (unsigned j = 0; j < 3; j++)
		ck_assert_uint_ge(heard[j], 90);
	ck_assert_uint_ge(events, 3 * 5);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_SEAL_REFUSED), 0);
}
END_TEST

// A digit of the peer's is understood, and what is recorded is what was said.
START_TEST(opened_for_everybody)
{
	struct td_command command = { .kind = TD_COMMAND_RECORD_START };
	uint8_t event_payload[4] = { 5, 0x80 | 10, 0x03, 0x20 };
	const struct td_tap_record *record;
	struct td_event event;

	open_three(1);
	both(5);
	command.u.record_start.context = context;
	command.u.record_start.left = a.party.id;
	command.u.record_start.right = b.party.id;
	memcpy(command.u.record_start.name, "x.wav", 6);
	world_do(&world, &command);
	from_to(&a, &b, 1);
	record = td_tap_peek(td_engine_tap_ring(world.engine, 0));
	ck_assert_ptr_nonnull(record);
	ck_assert_uint_eq(record->payload_len, SAID);
	ck_assert_mem_eq(record->payload, said, SAID);
	a.party.payload_type = 101;
	for (unsigned i = 0; i < 3; i++) {
		peer_say(&world, &a, event_payload, sizeof event_payload);
		a.party.timestamp -= 160;
	}
	world_clear(&world);
	world_ticks(&world, 40);
	ck_assert(world_event(&world, TD_EVENT_DIGIT, &event));
	ck_assert_int_eq(event.u.digit.digit, '5');
}
END_TEST

static bool holds(const void *memory, size_t bytes, const uint8_t *key)
{
	return memmem(memory, bytes, key, 16) != NULL;
}

// Where a key has been there is none of it when its stream is gone, and of a command at once.
START_TEST(keys_are_erased)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_DESTROY };
	const struct td_protection *protection;
	static const struct td_protection nothing;
	const struct td_engine_worker_link *link;
	size_t ring = td_ring_bytes(TD_CHANGE_SLOTS, sizeof(struct td_change));

	open_three(1);
	both(5);
	link = &world.engine->links[0];
	protection = protection_of(&a);
	ck_assert(holds(protection, sizeof *protection, a.says.key));
	ck_assert(!holds(link->change_memory, ring, a.says.key));
	ck_assert(!holds(link->change_memory, ring, a.hears.key));
	ck_assert(!holds(td_engine_worker(world.engine, 0)->protector, sizeof(struct td_protector),
			 a.says.key));
	command.u.stream_destroy = a.party.id;
	world_do(&world, &command);
	ck_assert_mem_eq(protection, &nothing, sizeof nothing);
	ck_assert_uint_eq(td_engine_worker(world.engine, 0)->protector->guarded, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("srtp keys");
	TCase *tcase = tcase_create("keys");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_add_checked_fixture(tcase, NULL, close_world);
	tcase_set_timeout(tcase, 200);
	tcase_add_test(tcase, a_new_answer);
	tcase_add_test(tcase, what_is_no_key_is_refused);
	tcase_add_test(tcase, held_and_resumed);
	tcase_add_test(tcase, moved);
	tcase_add_test(tcase, moved_in_the_middle);
	tcase_add_test(tcase, all_that_is_sent_is_sealed);
	tcase_add_test(tcase, opened_for_everybody);
	tcase_add_test(tcase, keys_are_erased);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
