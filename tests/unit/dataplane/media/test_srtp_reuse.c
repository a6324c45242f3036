// No (key, SSRC, index) is ever used twice on a real engine, whatever signalling and the parties do.
#include <stdlib.h>
#include <string.h>

#include "media/engine_state.h"
#include "srtp_peer.h"

#define SAID  160
#define SUITE TD_SRTP_AEAD_AES_128_GCM

static struct world world;
static struct td_context_id context;
static struct peer a, b;
static const struct td_srtp_master plain;
static uint8_t said[SAID];

// b is plain: its numbers may do what they like.
static void open_two(void)
{
	struct td_srtp_master says = peer_master(SUITE, 0), hears = peer_master(SUITE, 1);
	struct world_options options = { .workers = 1, .streams = 32, .tones = true };

	world_open(&world, &options);
	context = world_context(&world);
	peer_open(&world, context, "10.77.0.10", 4000, 0xaaaa, &says, &hears, &a);
	peer_open(&world, context, "10.77.0.20", 6000, 0xbbbb, &plain, &plain, &b);
	world_connect(&world, context, &a.party, &b.party);
}

static void close_world(void)
{
	peer_close(&a);
	peer_close(&b);
	world_close(&world);
}

// What the key stream depends on, as 64-bit words in a hash table.
#define STEPS 60000
#define SLOTS (1u << 20)
#define KEYS  12u

static uint64_t slots[SLOTS];

static bool remember(uint32_t key, uint32_t ssrc, bool rtcp, uint64_t index)
{
	uint64_t word = ((uint64_t)key << 49 | (uint64_t)rtcp << 48 | (index & 0xffffffffffffull)) *
			0x9e3779b97f4a7c15ull;
	uint64_t slot;

	word = (word ^ ssrc) | 1u;
	slot = word >> 44;
	for (; slots[slot] != 0; slot = (slot + 1) % SLOTS)
		if (slots[slot] == word)
			return false;
	slots[slot] = word;
	return true;
}

// Every packet that a was sent is opened by somebody who has only its key and is told its index; the
// index must be new for that key.
static void check_sent(uint32_t key)
{
	const struct td_srtp *seals = &world.engine->protections[td_handle_index(a.party.id.v)].tx;
	static struct td_srtp opens;
	static struct td_srtp_engine engine;
	static bool initialised;
	uint32_t place = 0;

	if (!initialised)
		ck_assert_int_eq(td_srtp_engine_init(&engine, TD_SRTP_ENGINE_AUTO), 0);
	initialised = true;
	for (const struct world_sent *sent = peer_next(&world, &a, &place); sent != NULL;
	     sent = peer_next(&world, &a, &place)) {
		uint8_t bytes[PEER_ROOM];
		struct td_srtp_packet packet = { .srtp = &opens,
						 .bytes = bytes,
						 .len = sent->udp_payload_len,
						 .is_rtcp = sent->is_rtcp };
		struct td_srtp_master master = peer_master(SUITE, key);
		uint32_t ssrc = td_rtp_load32(sent->udp_payload + (sent->is_rtcp ? 4 : 8));
		uint64_t highest = seals->first.rtp.highest;
		uint64_t index = highest - (uint16_t)((uint16_t)highest -
						      td_rtp_load16(sent->udp_payload + 2));

		if (sent->is_rtcp)
			index = td_rtp_load32(sent->udp_payload + sent->udp_payload_len - 4) &
				TD_SRTCP_INDEX_MAX;
		ck_assert_msg(remember(key, ssrc, sent->is_rtcp, index),
			      "key %u, index %lu is used again", key, (unsigned long)index);
		memcpy(bytes, sent->udp_payload, sent->udp_payload_len);
		td_srtp_init(&opens);
		ck_assert_int_eq(td_srtp_rekey_open(&engine, &opens, &master), 0);
		if (!sent->is_rtcp && index > 0)
			ck_assert_int_eq(td_srtp_resume(&opens, ssrc, (uint32_t)((index - 1) >> 16),
							(uint16_t)(index - 1)),
					 0);
		td_srtp_open(&engine, &packet, 1);
		ck_assert_int_eq(packet.verdict, TD_SRTP_OK);
	}
	world_clear(&world);
}

static void set_key(uint32_t key, bool held)
{
	struct td_command command;

	a.hears = key == KEYS ? plain : peer_master(SUITE, key);
	command = peer_set_remote(&a, TD_CODEC_PCMU);
	if (held)
		command.u.stream_set_remote.remote.port_be = 0;
	world_do(&world, &command);
}

// Any sequence of what signalling and the parties do: re-keys with new and former keys, repeated
// answers, holds, plain spells, other feeders, jumps of their numbers, digits, reports.
START_TEST(no_index_is_used_twice)
{
	uint32_t seed = getenv("TD_SEED") ? (uint32_t)strtoul(getenv("TD_SEED"), NULL, 0) : 7u;
	struct td_command digits = { .kind = TD_COMMAND_STREAM_DIGITS };
	uint32_t key = 100 % KEYS, sealed = 0;
	struct td_player_id player;

	open_two();
	player = world_player(&world, context, 1, true);
	digits.u.stream_digits.stream = a.party.id;
	memcpy(digits.u.stream_digits.digits, "1", 2);
	set_key(key, false);
	for (uint32_t i = 0; i < STEPS; i++) {
		uint32_t dice = (seed = seed * 1664525u + 1013904223u) >> 8;

		world.now_ns += 20 * WORLD_MS;
		switch (dice % 200) {
		case 0:
			key = dice / 200 % (KEYS + 1);
			set_key(key, false);
			break;
		case 1: set_key(key, false); break;
		case 2: set_key(key, true); break;
		case 3: set_key(key, false); break;
		case 4: b.party.sequence = (uint16_t)(dice / 200); break;
		case 5: b.party.sequence = (uint16_t)(b.party.sequence + dice / 200 % 3000); break;
		case 6: b.party.ssrc++; break;
		case 7:
		case 8:
			ck_assert_int_eq(world_player_gain(&world, context, player, a.party.id,
							   dice % 200 == 7 ? TD_GAIN_UNITY : 0),
					 0);
			break;
		case 9: (void)world_command(&world, &digits); break;
		case 10:
			td_role_enter_worker(0);
			td_media_sweep(td_engine_worker(world.engine, 0), world.now_ns,
				       &world.tx[0]);
			world_ticks(&world, 0);
			break;
		default: break;
		}
		peer_say(&world, &b, said, SAID);
		if (dice / 3 % 4 == 0)
			world_ticks(&world, 20);
		if (key == KEYS) {
			world_clear(&world);
			continue;
		}
		sealed += world.out_count;
		check_sent(key);
	}
	ck_assert_uint_gt(sealed, STEPS / 4);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("srtp reuse");
	TCase *tcase = tcase_create("reuse");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_add_checked_fixture(tcase, NULL, close_world);
	tcase_set_timeout(tcase, 200);
	tcase_add_test(tcase, no_index_is_used_twice);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
