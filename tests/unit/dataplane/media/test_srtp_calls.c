// SRTP on a real engine, with phones that use libsrtp2: whoever speaks what, everybody hears what was
// said, and on the wire nobody else does.
#include <string.h>

#include "srtp_peer.h"

#define SAID 160

static struct world world;
static struct td_context_id context;
static struct peer a, b;
static const struct td_srtp_master plain;

static void open_world(enum td_srtp_engine_kind kind)
{
	struct world_options options = world_default;

	options.srtp = kind;
	options.forks = 1;
	world_open(&world, &options);
	if (kind != TD_SRTP_ENGINE_AUTO)
		ck_assert_int_eq(td_engine_srtp(world.engine), kind);
	else
		ck_assert_int_ne(td_engine_srtp(world.engine), TD_SRTP_ENGINE_AUTO);
	context = world_context(&world);
}

static void close_world(void)
{
	peer_close(&a);
	peer_close(&b);
	world_close(&world);
}

static void from_to(struct peer *from, const struct peer *to, unsigned packets)
{
	static uint32_t number;
	uint8_t payload[SAID];

	for (unsigned i = 0; i < packets; i++) {
		world.now_ns += 20 * WORLD_MS;
		peer_payload(++number, payload, SAID);
		peer_say(&world, from, payload, SAID);
		peer_expect(&world, to, payload, SAID);
		ck_assert_uint_eq(world.out_count, 1);
		world_clear(&world);
	}
}

static void both(struct peer *x, struct peer *y)
{
	world_connect(&world, context, &x->party, &y->party);
	for (unsigned i = 0; i < 10; i++) {
		from_to(x, y, 10);
		from_to(y, x, 10);
	}
}

static uint64_t drops(void)
{
	uint64_t sum = 0;

	for (unsigned drop = 0; drop < TD_DROP_COUNT; drop++)
		sum += world_drop(&world, (enum td_drop)drop);
	return sum;
}

static struct td_srtp_master master_of(unsigned suite, uint32_t number, bool mki)
{
	struct td_srtp_master master = peer_master((enum td_srtp_suite)suite, number);

	if (mki) {
		master.mki_bytes = 4;
		memcpy(master.mki, "\1\2\3", 4);
	}
	return master;
}

#define SUITES (TD_SRTP_SUITE_COUNT - 1)

// Every suite, with and without MKI, by both machines.
START_TEST(protected_on_both_sides)
{
	unsigned suite = 1u + (unsigned)_i % SUITES;
	bool mki = (unsigned)_i / SUITES % 2;
	enum td_srtp_engine_kind kind =
		(unsigned)_i / SUITES / 2 ? TD_SRTP_ENGINE_OPENSSL : TD_SRTP_ENGINE_AUTO;
	struct td_srtp_master keys[4];

	for (uint32_t i = 0; i < 4; i++)
		keys[i] = master_of(suite, i, mki);
	open_world(kind);
	peer_open(&world, context, "10.77.0.10", 4000, 0xaaaa, &keys[0], &keys[1], &a);
	peer_open(&world, context, "10.77.0.20", 6000, 0xbbbb, &keys[2], &keys[3], &b);
	both(&a, &b);
	ck_assert_uint_eq(drops(), 0);
	ck_assert(world_stats(&world, a.party.id).rx_packets == 100);
	// The trailer is not of the payload.
	ck_assert(world_stats(&world, a.party.id).rx_bytes == 100 * SAID);
	ck_assert(world_stats(&world, b.party.id).tx_bytes == 100 * SAID);
}
END_TEST

// Bridges: every way to protect some of the four directions, over both address families.
START_TEST(bridged)
{
	struct td_srtp_master keys[4];
	bool v6 = _i >= 16;

	for (uint32_t i = 0; i < 4; i++)
		keys[i] = _i >> i & 1 ? peer_master(1 + (i * 3 + (uint32_t)_i) % SUITES, i) : plain;
	open_world(TD_SRTP_ENGINE_AUTO);
	peer_open(&world, context, v6 ? "fd77::10" : "10.77.0.10", 4000, 0xaaaa, &keys[0], &keys[1],
		  &a);
	peer_open(&world, context, v6 ? "10.77.0.20" : "10.77.0.20", 6000, 0xbbbb, &keys[2],
		  &keys[3], &b);
	both(&a, &b);
	ck_assert_uint_eq(drops(), 0);
}
END_TEST

// Frames that are not like most go the long way in between, whatever is opened or sealed; the short one
// goes on behind them, to where the listener is by then.
START_TEST(between_others)
{
	struct td_srtp_master keys[4];
	uint8_t payload[SAID];
	struct frame frame;

	for (uint32_t i = 0; i < 4; i++)
		keys[i] = _i >> (i & 1u) & 1 ? peer_master(TD_SRTP_AEAD_AES_128_GCM, i) : plain;
	open_world(TD_SRTP_ENGINE_AUTO);
	peer_open(&world, context, "10.77.0.10", 4000, 0xaaaa, &keys[0], &keys[2], &a);
	peer_open(&world, context, "10.77.0.20", 6000, 0xbbbb, &keys[3], &keys[1], &b);
	both(&a, &b);
	for (uint32_t i = 0; i < 24; i++) {
		world.now_ns += 20 * WORLD_MS;
		peer_payload(i, payload, SAID);
		peer_frame(&a, payload, SAID, &frame);
		if (i % 3 == 1)
			frame_tag(&frame, 0xe000); // priority only
		if (i % 4 == 0)
			memset(frame.bytes + frame.l4 + 6, 0, 2); // no checksum
		ck_assert(world_send(&world, &frame));
		peer_expect(&world, &b, payload, SAID);
		ck_assert_uint_eq(world.out_count, 1);
		world_clear(&world);
		from_to(&a, &b, 3);
		if (i % 8 == 7) {
			struct td_command command;

			b.party.port++;
			command = peer_set_remote(&b, TD_CODEC_PCMU);
			world_do(&world, &command);
		}
	}
}
END_TEST

// Several listeners of one party: each in its own way.
START_TEST(one_speaker_many_listeners)
{
	static struct peer c;
	struct td_srtp_master says = peer_master(TD_SRTP_AEAD_AES_128_GCM, 1);
	struct td_srtp_master hears = peer_master(TD_SRTP_AES_CM_128_HMAC_SHA1_80, 2);
	uint8_t payload[SAID];

	open_world(TD_SRTP_ENGINE_AUTO);
	peer_open(&world, context, "10.77.0.10", 4000, 0xaaaa, &says, &plain, &a);
	peer_open(&world, context, "10.77.0.20", 6000, 0xbbbb, &plain, &hears, &b);
	peer_open(&world, context, "10.77.0.30", 8000, 0xcccc, &plain, &plain, &c);
	ck_assert_int_eq(world_gain(&world, context, a.party.id, b.party.id, TD_GAIN_UNITY), 0);
	ck_assert_int_eq(world_gain(&world, context, a.party.id, c.party.id, TD_GAIN_UNITY), 0);
	for (uint32_t i = 0; i < 50; i++) {
		world.now_ns += 20 * WORLD_MS;
		peer_payload(i, payload, SAID);
		peer_say(&world, &a, payload, SAID);
		ck_assert_uint_eq(world.out_count, 2);
		peer_expect(&world, &b, payload, SAID);
		peer_expect(&world, &c, payload, SAID);
		world_clear(&world);
	}
}
END_TEST

// Three wraps of both numberings, packets lost around each.
START_TEST(numbers_wrap)
{
	struct td_srtp_master keys[2] = { peer_master((enum td_srtp_suite)(1 + _i), 1),
					  peer_master((enum td_srtp_suite)(1 + _i), 2) };
	struct td_stream_mirror mirror;
	uint8_t payload[SAID];

	open_world(TD_SRTP_ENGINE_AUTO);
	peer_open(&world, context, "10.77.0.10", 4000, 0xaaaa, &keys[0], &plain, &a);
	peer_open(&world, context, "10.77.0.20", 6000, 0xbbbb, &plain, &keys[1], &b);
	world_connect(&world, context, &a.party, &b.party);
	for (uint32_t i = 0; i < 3 * 65536 / 50; i++) {
		world.now_ns += 20 * WORLD_MS;
		peer_payload(i, payload, SAID);
		peer_say(&world, &a, payload, SAID);
		peer_expect(&world, &b, payload, SAID);
		world_clear(&world);
		a.party.sequence = (uint16_t)(a.party.sequence + 49);
	}
	ck_assert_uint_eq(drops(), 0);
	td_role_enter_worker(0);
	td_media_mirror(td_engine_worker(world.engine, 0), td_handle_index(a.party.id.v));
	td_media_mirror(td_engine_worker(world.engine, 0), td_handle_index(b.party.id.v));
	ck_assert_int_eq(
		td_mirror_read(&world.region.streams[td_handle_index(a.party.id.v)], &mirror), 0);
	ck_assert_uint_eq(mirror.srtp_rx_suite, 1 + _i);
	ck_assert_uint_eq(mirror.srtp_tx_suite, TD_SRTP_NONE);
	ck_assert_uint_ge(mirror.srtp_rx_rollover, 2);
	ck_assert_int_eq(
		td_mirror_read(&world.region.streams[td_handle_index(b.party.id.v)], &mirror), 0);
	ck_assert_uint_eq(mirror.srtp_tx_suite, 1 + _i);
	ck_assert_uint_ge(mirror.srtp_tx_rollover, 2);
}
END_TEST

// Packets of a vector, in disorder and of several streams at once.
START_TEST(a_vector_in_disorder)
{
	struct td_srtp_master keys[4];
	struct frame frames[2][32];
	uint8_t payload[SAID];

	for (uint32_t i = 0; i < 4; i++)
		keys[i] = peer_master(TD_SRTP_AEAD_AES_256_GCM, i);
	open_world(TD_SRTP_ENGINE_AUTO);
	peer_open(&world, context, "10.77.0.10", 4000, 0xaaaa, &keys[0], &keys[1], &a);
	peer_open(&world, context, "10.77.0.20", 6000, 0xbbbb, &keys[2], &keys[3], &b);
	world_connect(&world, context, &a.party, &b.party);
	from_to(&a, &b, 5);
	from_to(&b, &a, 5);
	for (uint32_t i = 0; i < 32; i++) {
		peer_payload(i, payload, SAID);
		peer_frame(&a, payload, SAID, &frames[0][i]);
		peer_frame(&b, payload, SAID, &frames[1][i]);
	}
	for (uint32_t i = 0; i < 32; i++) {
		ck_assert(world_send(&world, &frames[0][i ^ 3]));
		ck_assert(world_send(&world, &frames[1][i ^ 7]));
	}
	ck_assert_uint_eq(world.out_count, 64);
	for (uint32_t i = 0; i < 64; i++) {
		_Alignas(4) uint8_t heard[PEER_ROOM];
		const struct peer *to = i % 2 ? &a : &b;

		peer_payload((i / 2) ^ (i % 2 ? 7 : 3), payload, SAID);
		ck_assert_uint_eq(peer_hear(to, &world.out[i], heard), TD_RTP_HEADER_BYTES + SAID);
		ck_assert_mem_eq(heard + TD_RTP_HEADER_BYTES, payload, SAID);
	}
}
END_TEST

// The longest payload that a link carries, and one more; IPv6 has 20 bytes less.
START_TEST(the_longest_packets)
{
	struct td_srtp_master key = peer_master(TD_SRTP_AEAD_AES_128_GCM, 1);
	uint32_t most = 1500 - 8 - 12 - 16 - (_i ? 40 : 20);
	uint8_t payload[TD_RTP_PAYLOAD_MAX];

	open_world(TD_SRTP_ENGINE_AUTO);
	peer_open(&world, context, "10.77.0.10", 4000, 0xaaaa, &key, &plain, &a);
	peer_open(&world, context, _i ? "fd77::20" : "10.77.0.20", 6000, 0xbbbb, &plain, &key, &b);
	world_connect(&world, context, &a.party, &b.party);
	from_to(&a, &b, 3);
	most = most < TD_RTP_PAYLOAD_MAX ? most : TD_RTP_PAYLOAD_MAX;
	peer_payload(1, payload, most);
	peer_say(&world, &a, payload, most);
	peer_expect(&world, &b, payload, most);
	world_clear(&world);
	if (most == TD_RTP_PAYLOAD_MAX)
		return;
	peer_payload(1, payload, most + 1);
	peer_say(&world, &a, payload, most + 1);
	ck_assert_uint_eq(world.out_count, 0);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_SEAL_REFUSED), 1);
	ck_assert_uint_eq(world_stats(&world, b.party.id).tx_srtp_refused, 1);
	from_to(&a, &b, 3);
}
END_TEST

static void captured(enum td_tap_kind kind, const uint8_t *rtp, uint32_t len)
{
	struct td_tap_ring *ring = td_engine_fork_ring(world.engine, 0);
	const struct td_tap_record *record = td_tap_peek(ring);
	uint32_t headers = 14 + 20 + 8;
	uint16_t ip_len;

	ck_assert_ptr_nonnull(record);
	ck_assert_uint_eq(record->kind, kind);
	ck_assert_uint_eq(record->payload_len, headers + len);
	ck_assert_mem_eq(record->payload + headers, rtp, len);
	memcpy(&ip_len, record->payload + 14 + 2, sizeof ip_len);
	ck_assert_uint_eq(__builtin_bswap16(ip_len), 20 + 8 + len);
	td_tap_release(ring);
}

// An engineer's capture of an SRTP stream has its RTP in the clear, both ways, as a plain call would
// have had it; what could not be opened is there as it came.
START_TEST(captured_in_the_clear)
{
	struct td_srtp_master says = peer_master(1u + (unsigned)_i, 1),
			      hears = peer_master(1u + (unsigned)_i, 2);
	struct td_command command = { .kind = TD_COMMAND_FORK_START };
	_Alignas(4) uint8_t rtp[PEER_ROOM];
	uint8_t payload[SAID];
	struct frame frame;

	open_world(TD_SRTP_ENGINE_AUTO);
	peer_open(&world, context, "10.77.0.10", 4000, 0xaaaa, &says, &hears, &a);
	peer_open(&world, context, "10.77.0.20", 6000, 0xbbbb, &plain, &plain, &b);
	world_connect(&world, context, &a.party, &b.party);
	from_to(&a, &b, 3);
	command.u.fork_start.context = context;
	command.u.fork_start.what = TD_FORK_CAPTURE;
	command.u.fork_start.stream_count = 1;
	command.u.fork_start.streams[0] = a.party.id;
	strcpy(command.u.fork_start.call, "c42");
	strcpy(command.u.fork_start.tracks[0], "caller");
	world_do(&world, &command);
	peer_payload(7, payload, SAID);
	td_rtp_write(rtp, a.party.payload_type, 0, a.party.sequence, a.party.timestamp,
		     a.party.ssrc);
	memcpy(rtp + TD_RTP_HEADER_BYTES, payload, SAID);
	peer_frame(&a, payload, SAID, &frame);
	ck_assert(world_send(&world, &frame));
	captured(TD_TAP_FRAME_IN, rtp, TD_RTP_HEADER_BYTES + SAID);
	frame.bytes[frame.l4 + 8 + TD_RTP_HEADER_BYTES] ^= 1;
	frame.bytes[frame.l4 + 8 + 3] ^= 0x40; // of another number, lest it be a replay
	frame_checksums(&frame);
	ck_assert(world_send(&world, &frame));
	ck_assert_uint_eq(world_stats(&world, a.party.id).rx_srtp_bad_tag, 1);
	captured(TD_TAP_FRAME_IN, frame.bytes + frame.l4 + 8, frame.len - frame.l4 - 8u);
	world_clear(&world);
	peer_say(&world, &b, payload, SAID);
	ck_assert_uint_gt(peer_hear(&a, &world.out[0], rtp), 0);
	captured(TD_TAP_FRAME_OUT, rtp, TD_RTP_HEADER_BYTES + SAID);
	ck_assert_ptr_null(td_tap_peek(td_engine_fork_ring(world.engine, 0)));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("srtp calls");
	TCase *tcase = tcase_create("calls");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_add_checked_fixture(tcase, NULL, close_world);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, protected_on_both_sides, 0, 4 * SUITES);
	tcase_add_loop_test(tcase, bridged, 0, 32);
	tcase_add_loop_test(tcase, between_others, 1, 4);
	tcase_add_test(tcase, one_speaker_many_listeners);
	tcase_add_loop_test(tcase, numbers_wrap, 0, SUITES);
	tcase_add_test(tcase, a_vector_in_disorder);
	tcase_add_loop_test(tcase, the_longest_packets, 0, 2);
	tcase_add_loop_test(tcase, captured_in_the_clear, 0, SUITES);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
