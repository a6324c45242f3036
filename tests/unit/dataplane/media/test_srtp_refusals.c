// What SRTP refuses on a real engine: forgeries, replays, plain packets, other keys. Nothing is
// learned from any of it, each is counted for its stream, and the call goes on.
#include <string.h>

#include "rtp/rtcp.h"
#include "srtp_peer.h"

#define SAID 160

static struct world world;
static struct td_context_id context;
static struct peer a, b;
static const struct td_srtp_master plain;
static uint8_t said[SAID];

static void open_two(enum td_srtp_suite suite, bool learn)
{
	struct td_srtp_master says = peer_master(suite, 1), hears = peer_master(suite, 2);
	struct td_command command;

	world_open(&world, &world_default);
	context = world_context(&world);
	peer_open(&world, context, "10.77.0.10", 4000, 0xaaaa, &says, &hears, &a);
	peer_open(&world, context, "10.77.0.20", 6000, 0xbbbb, &plain, &plain, &b);
	if (learn) {
		command = peer_set_remote(&a, TD_CODEC_PCMU);
		command.u.stream_set_remote.flags = TD_REMOTE_LEARN;
		world_do(&world, &command);
	}
	world_connect(&world, context, &a.party, &b.party);
}

static void close_world(void)
{
	peer_close(&a);
	peer_close(&b);
	world_close(&world);
}

static void a_is_heard(unsigned packets)
{
	static uint32_t number;

	for (unsigned i = 0; i < packets; i++) {
		world.now_ns += 20 * WORLD_MS;
		peer_payload(++number, said, SAID);
		peer_say(&world, &a, said, SAID);
		peer_expect(&world, &b, said, SAID);
		world_clear(&world);
	}
}

static void nothing_went(void)
{
	ck_assert_uint_eq(world.out_count, 0);
}

static const struct td_stream_rx *rx_of(const struct peer *peer)
{
	return &td_media_streams(
			td_engine_worker(world.engine, 0))[td_handle_index(peer->party.id.v)]
			.rx;
}

// Everything that a stream knows of its peer, to be compared.
struct known {
	struct td_stream_rx rx;
	struct td_source_lock lock;
	struct td_lock_candidates candidates;
	struct td_srtp srtp;
};

static void know(struct known *known)
{
	const struct td_media_worker *worker = td_engine_worker(world.engine, 0);
	uint32_t index = td_handle_index(a.party.id.v);

	memset(known, 0, sizeof *known);
	memcpy(&known->rx, rx_of(&a), sizeof known->rx);
	memcpy(&known->lock, &worker->cold[index].lock, sizeof known->lock);
	memcpy(&known->candidates, &worker->candidates[index], sizeof known->candidates);
	memcpy(&known->srtp, &worker->protections[index].rx, sizeof known->srtp);
}

// A hundred times more forgeries than ended calls elsewhere, from the right address.
START_TEST(forgeries_end_nothing)
{
	static struct known before, after;
	struct frame frame;
	uint8_t *rtp;

	open_two((enum td_srtp_suite)(1 + _i), false);
	a_is_heard(20);
	know(&before);
	for (uint32_t i = 0; i < 10000; i++) {
		struct peer forger = a;
		uint32_t bytes = TD_RTP_HEADER_BYTES + SAID + 10;

		// Of the right SSRC and the next number, of others; random tags.
		peer_payload(i, said, SAID);
		forger.out = NULL;
		forger.party.ssrc += i % 3 == 0 ? i : 0;
		forger.party.sequence = (uint16_t)(forger.party.sequence + i % 100);
		peer_frame(&forger, said, SAID, &frame);
		rtp = frame.bytes + frame.l4 + 8;
		peer_payload(i * 7, rtp + TD_RTP_HEADER_BYTES + SAID, 10);
		peer_wrap(&a, rtp, bytes, false, &frame);
		ck_assert(world_send(&world, &frame));
	}
	nothing_went();
	know(&after);
	ck_assert_mem_eq(&before, &after, sizeof before);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_SRTP_BAD_TAG), 10000);
	ck_assert_uint_eq(world_stats(&world, a.party.id).rx_srtp_bad_tag, 10000);
	a_is_heard(20);
}
END_TEST

// Behind NAT: who has no key is not learned, however long and steadily it sends, and whatever it
// repeats of what it has seen; who has it is.
START_TEST(only_who_has_the_key_is_learned)
{
	static const char *const addresses[] = { "10.77.0.30", "10.77.0.10", "10.77.0.10" };
	static const uint16_t ports[] = { 9000, 4444, 4000 }; // other, same address, exact
	struct peer stranger;
	struct td_srtp_master wrong = peer_master(TD_SRTP_AEAD_AES_128_GCM, 99);
	struct frame frame;

	open_two(TD_SRTP_AEAD_AES_128_GCM, true);
	stranger = a;
	stranger.out = stranger.in = NULL;
	stranger.party.addr = addresses[_i];
	stranger.party.port = ports[_i];
	for (uint32_t i = 0; i < 200; i++) {
		if (i == 100)
			peer_rekey(&stranger, &wrong, &plain);
		world.now_ns += 20 * WORLD_MS;
		peer_frame(&stranger, said, SAID, &frame);
		ck_assert(world_send(&world, &frame));
	}
	peer_close(&stranger);
	nothing_went();
	ck_assert_uint_eq(rx_of(&a)->key, 0);
	ck_assert_uint_eq(world_stats(&world, a.party.id).rx_packets, 0);
	// While it might have been learned it was asked for its key; afterwards, not even that.
	ck_assert_uint_gt(world_stats(&world, a.party.id).rx_srtp_bad_tag, 100);
	ck_assert_uint_eq(world_stats(&world, a.party.id).rx_srtp_bad_tag +
				  world_stats(&world, a.party.id).rx_wrong_source,
			  200);
	// Nobody is spoken to who has sent nothing valid.
	peer_say(&world, &b, said, SAID);
	nothing_went();
	a_is_heard(5);
	ck_assert_uint_ne(rx_of(&a)->key, 0);
	// What was heard of it, sent again from elsewhere, is a replay or from the wrong party.
	a.party.sequence--;
	peer_rekey(&a, &a.says, &a.hears);
	peer_frame(&a, said, SAID, &frame);
	peer_wrap(&stranger, frame.bytes + frame.l4 + 8, frame.len - frame.l4 - 8, false, &frame);
	ck_assert(world_send(&world, &frame));
	nothing_went();
	a_is_heard(5);
}
END_TEST

START_TEST(a_translated_peer_is_learned)
{
	open_two(TD_SRTP_AES_CM_128_HMAC_SHA1_80, true);
	a.party.port = 4567; // what NAT made of it
	for (unsigned i = 0; i < 3; i++) {
		world.now_ns += 20 * WORLD_MS;
		peer_say(&world, &a, said, SAID);
	}
	nothing_went();
	a_is_heard(20);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_RTP_SEQUENCE), 3);
}
END_TEST

// Each of the last 128 packets again, and older ones.
START_TEST(replays_are_refused)
{
	static struct frame frames[200];
	unsigned late = 0;

	open_two((enum td_srtp_suite)(1 + _i), false);
	for (unsigned i = 0; i < 200; i++) {
		world.now_ns += 20 * WORLD_MS;
		peer_frame(&a, said, SAID, &frames[i]);
		ck_assert(world_send(&world, &frames[i]));
	}
	ck_assert_uint_eq(world.out_count, 200);
	world_clear(&world);
	for (unsigned i = 0; i < 200; i++)
		ck_assert(world_send(&world, &frames[i]));
	nothing_went();
	late = (unsigned)world_drop(&world, TD_DROP_SRTP_LATE);
	ck_assert_uint_eq(late, 200 - 128);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_SRTP_REPLAYED), 128);
	ck_assert_uint_eq(world_stats(&world, a.party.id).rx_srtp_replayed, 200);
	ck_assert_uint_eq(world_stats(&world, a.party.id).rx_duplicates, 0);
	a_is_heard(5);
}
END_TEST

// A packet cut short at every length, and one that is plain.
START_TEST(what_is_not_srtp)
{
	static struct known before, after;
	struct frame frame, cut;
	uint64_t refused = 0;

	open_two(TD_SRTP_AEAD_AES_128_GCM, false);
	a_is_heard(3);
	peer_frame(&a, said, SAID, &frame);
	know(&before);
	for (uint32_t len = 0; len < frame.len - frame.l4 - 8; len++) {
		peer_wrap(&a, frame.bytes + frame.l4 + 8, len, false, &cut);
		ck_assert(world_send(&world, &cut));
	}
	nothing_went();
	know(&after);
	ck_assert_mem_eq(&before, &after, sizeof before);
	refused = world_drop(&world, TD_DROP_SRTP_BAD_TAG) +
		  world_drop(&world, TD_DROP_SRTP_MALFORMED) +
		  world_drop(&world, TD_DROP_RTP_SHORT);
	ck_assert_uint_eq(refused, TD_RTP_HEADER_BYTES + SAID + 16);
	// STUN and DTLS are called what they are.
	frame.bytes[frame.l4 + 8] = 0x00;
	frame_checksums(&frame);
	ck_assert(world_send(&world, &frame));
	frame.bytes[frame.l4 + 8] = 22;
	frame_checksums(&frame);
	ck_assert(world_send(&world, &frame));
	ck_assert_uint_eq(world_drop(&world, TD_DROP_NOT_RTP), 2);
	a.party.sequence--;
	peer_rekey(&a, &a.says, &a.hears);
	a_is_heard(3);
}
END_TEST

START_TEST(an_mki_of_nobody)
{
	struct td_srtp_master says = peer_master(TD_SRTP_AES_CM_128_HMAC_SHA1_80, 1);
	struct td_command command;

	open_two(TD_SRTP_AES_CM_128_HMAC_SHA1_80, false);
	says.mki_bytes = 2;
	says.mki[0] = 7;
	peer_rekey(&a, &says, &a.hears);
	command = peer_set_remote(&a, TD_CODEC_PCMU);
	world_do(&world, &command);
	a_is_heard(3);
	says.mki[0] = 8;
	peer_rekey(&a, &says, &a.hears);
	peer_say(&world, &a, said, SAID);
	nothing_went();
	ck_assert_uint_eq(world_drop(&world, TD_DROP_SRTP_NO_KEY), 1);
	ck_assert_uint_eq(world_stats(&world, a.party.id).rx_srtp_no_key, 1);
}
END_TEST

// Required: nothing plain goes in or out before there are keys, between keys, or without them.
START_TEST(required_is_required)
{
	struct td_srtp_master key = peer_master(TD_SRTP_AEAD_AES_256_GCM, 5);
	struct td_command command;
	struct td_player_id player;
	struct td_event event;

	open_two(TD_SRTP_AEAD_AES_128_GCM, false);
	command = (struct td_command){ .kind = TD_COMMAND_STREAM_DESTROY };
	command.u.stream_destroy = a.party.id;
	world_do(&world, &command);
	command = (struct td_command){ .kind = TD_COMMAND_STREAM_CREATE };
	command.u.stream_create.context = context;
	command.u.stream_create.family = TD_FAMILY_IPV4;
	command.u.stream_create.flags = 0x80;
	ck_assert_int_eq(world_command(&world, &command).result, -TD_EINVALID);
	command.u.stream_create.flags = TD_STREAM_PROTECTED;
	event = world_do(&world, &command);
	peer_close(&a);
	a.says = a.hears = plain;
	a.party.id = event.u.stream_created.stream;
	a.party.local = event.u.stream_created.local;
	a.party.addr = "10.77.0.30";
	world_connect(&world, context, &a.party, &b.party);
	player = world_player(&world, context, 1, true);
	ck_assert_int_eq(world_player_gain(&world, context, player, a.party.id, TD_GAIN_UNITY), 0);
	for (unsigned round = 0; round < 3; round++) {
		uint32_t place = 0;

		for (unsigned i = 0; i < 10; i++) {
			peer_say(&world, &a, said, SAID);
			peer_say(&world, &b, said, SAID);
			world_ticks(&world, 20);
		}
		for (unsigned ms = 0; ms < 3000; ms++) { // nor reports
			world.now_ns += WORLD_MS;
			td_role_enter_worker(0);
			td_media_sweep(td_engine_worker(world.engine, 0), world.now_ns,
				       &world.tx[0]);
		}
		world_ticks(&world, 1);
		ck_assert_ptr_null(peer_next(&world, &a, &place));
		place = 0;
		for (const struct world_sent *sent = peer_next(&world, &b, &place); sent != NULL;
		     sent = peer_next(&world, &b, &place))
			ck_assert_msg(sent->is_rtcp, "round %u",
				      round); // b is plain and has its reports
		world_clear(&world);
		command = peer_set_remote(&a, TD_CODEC_PCMU);
		if (round == 1) { // one direction: the other stays shut
			command.u.stream_set_remote.srtp_rx = key;
			world_do(&world, &command);
			command.u.stream_set_remote.srtp_rx = plain;
		}
		world_do(&world, &command);
	}
	ck_assert_uint_ge(world_drop(&world, TD_DROP_SRTP_NO_KEY), 20);
	ck_assert_int_eq(world_player_gain(&world, context, player, a.party.id, 0), 0);
	peer_say(&world, &b, said, SAID); // forwarded now, were there a key
	nothing_went();
	ck_assert_uint_eq(world_drop(&world, TD_DROP_SINK_NO_KEY), 1);
	peer_rekey(&a, &key, &key);
	command = peer_set_remote(&a, TD_CODEC_PCMU);
	world_do(&world, &command);
	a_is_heard(10);
	peer_say(&world, &b, said, SAID);
	peer_expect(&world, &a, said, SAID);
}
END_TEST

static void rtcp_bytes(uint8_t *bytes, size_t *len)
{
	struct td_rtcp_sender sender = { .ntp = 1ull << 40, .packets = 5, .octets = 800 };
	struct td_rtcp_compound compound = { .ssrc = 0xaaaa, .cname = "a", .sender = &sender };

	*len = td_rtcp_build(bytes, &compound);
}

// Reports: opened before they are believed, sealed before they go; plain ones are refused.
START_TEST(reports_are_protected)
{
	_Alignas(4) uint8_t bytes[PEER_ROOM], heard[PEER_ROOM];
	bool mux = _i / 6;
	struct td_rtcp_summary summary;
	struct td_command command;
	const struct world_sent *sent;
	struct frame frame;
	uint32_t place = 0, reports = 0;
	size_t size;
	int len;

	open_two((enum td_srtp_suite)(1 + _i % 6), false);
	command = peer_set_remote(&a, TD_CODEC_PCMU);
	command.u.stream_set_remote.flags = mux ? TD_REMOTE_RTCP_MUX : 0;
	world_do(&world, &command);
	a_is_heard(10);
	rtcp_bytes(bytes, &size);
	peer_wrap(&a, bytes, (uint32_t)size, !mux, &frame);
	ck_assert(world_send(&world, &frame));
	ck_assert_uint_eq(world_stats(&world, a.party.id).rtcp_rx, 0);
	len = (int)size;
	ck_assert_int_eq(srtp_protect_rtcp(a.out, bytes, &len), srtp_err_status_ok);
	peer_wrap(&a, bytes, (uint32_t)len, !mux, &frame);
	ck_assert(world_send(&world, &frame));
	ck_assert_uint_eq(world_stats(&world, a.party.id).rtcp_rx, 1);
	ck_assert(world_send(&world, &frame)); // again
	ck_assert_uint_eq(world_stats(&world, a.party.id).rtcp_rx, 1);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_SRTP_REPLAYED), 1);
	for (unsigned ms = 0; ms < 20000; ms++) {
		world.now_ns += WORLD_MS;
		td_role_enter_worker(0);
		td_media_sweep(td_engine_worker(world.engine, 0), world.now_ns, &world.tx[0]);
	}
	world_ticks(&world, 1);
	while ((sent = peer_next(&world, &a, &place)) != NULL) {
		uint32_t plain_len = peer_hear(&a, sent, heard);

		ck_assert_uint_gt(plain_len, 0);
		ck_assert_int_eq(td_rtcp_parse(heard, plain_len, 0xaaaa, false, &summary), 0);
		ck_assert(summary.has_report);
		ck_assert(frame_checksums_right(sent->mbuf));
		reports++;
	}
	ck_assert_uint_ge(reports, 3);
}
END_TEST

// The worker's machine, with a count of the packets it was asked to authenticate.
static const struct td_srtp_machine *counted;
static uint64_t authentications;

static void count_tags(struct td_srtp_engine *engine, struct td_srtp_job *const *jobs,
		       unsigned count)
{
	authentications += count;
	counted->cm_tags(engine, jobs, count);
}

static void count_opens(struct td_srtp_engine *engine, struct td_srtp_job *const *jobs,
			unsigned count)
{
	authentications += count;
	counted->gcm_open(engine, jobs, count);
}

static void count_authentications(void)
{
	static struct td_srtp_machine counting;
	struct td_srtp_engine *engine = &td_engine_worker(world.engine, 0)->protector->srtp;

	counted = engine->machine;
	counting = *counted;
	counting.cm_tags = count_tags;
	counting.gcm_open = count_opens;
	engine->machine = &counting;
	authentications = 0;
}

// A third host that sprays copies of what is under way: none is worth the arithmetic, and none takes
// the place of the packet it copies.
START_TEST(strangers_cost_no_arithmetic)
{
	_Alignas(4) uint8_t bytes[PEER_ROOM];
	bool learned = _i / 6;
	struct peer stranger;
	struct frame rtp, frame;
	size_t size;
	int len;

	open_two((enum td_srtp_suite)(1 + _i % 6), learned);
	a_is_heard(5);
	rtcp_bytes(bytes, &size);
	len = (int)size;
	ck_assert_int_eq(srtp_protect_rtcp(a.out, bytes, &len), srtp_err_status_ok);
	stranger = a;
	stranger.party.addr = "10.77.0.66";
	peer_frame(&a, said, SAID, &rtp);
	count_authentications();
	for (unsigned i = 0; i < 200; i++) {
		peer_wrap(&stranger, rtp.bytes + rtp.l4 + 8, rtp.len - rtp.l4 - 8, false, &frame);
		ck_assert(world_send(&world, &frame));
		peer_wrap(&stranger, bytes, (uint32_t)len, true, &frame);
		ck_assert(world_send(&world, &frame));
	}
	ck_assert_uint_eq(authentications, 0);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_SOURCE_MISMATCH), 200);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_RTCP_SOURCE), 200);
	ck_assert_uint_eq(world_stats(&world, a.party.id).rtcp_wrong_source, 200);
	nothing_went();
	ck_assert(world_send(&world, &rtp));
	ck_assert_uint_eq(world.out_count, 1);
	peer_wrap(&a, bytes, (uint32_t)len, true, &frame);
	ck_assert(world_send(&world, &frame));
	ck_assert_uint_eq(world_stats(&world, a.party.id).rtcp_rx, 1);
	ck_assert_uint_eq(authentications, 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("srtp refusals");
	TCase *tcase = tcase_create("refusals");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_add_checked_fixture(tcase, NULL, close_world);
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, forgeries_end_nothing, 0, 6);
	tcase_add_loop_test(tcase, only_who_has_the_key_is_learned, 0, 3);
	tcase_add_test(tcase, a_translated_peer_is_learned);
	tcase_add_loop_test(tcase, replays_are_refused, 0, 6);
	tcase_add_test(tcase, what_is_not_srtp);
	tcase_add_test(tcase, an_mki_of_nobody);
	tcase_add_test(tcase, required_is_required);
	tcase_add_loop_test(tcase, reports_are_protected, 0, 12);
	tcase_add_loop_test(tcase, strangers_cost_no_arithmetic, 0, 12);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
