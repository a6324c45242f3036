// Lecture mode: three who talk and two thousand who listen, in one context. Everybody gets one packet
// a tick, all of one codec the same bytes, and what is in them is what the three say.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "codecs/codec.h"
#include "media/engine_state.h"
#include "world.h"

#define UNITY      TD_GAIN_UNITY
#define TALKERS    3
#define LISTENERS  2000
#define EVERYBODY  (TALKERS + LISTENERS)
#define FIRST_PORT 30000
#define LEVEL      4000.0
#define HEARD_MAX  8000 // samples, 20 ms each of the listeners' PCMU

static struct world world;
static struct td_context_id context;
static struct world_party parties[EVERYBODY];
static uint32_t got[EVERYBODY]; // packets, all in all
static uint16_t sequences[EVERYBODY];
static uint32_t timestamps[EVERYBODY];
static int16_t heard[HEARD_MAX];
static uint32_t heard_count, sung, destroyed;
// What all listeners of a codec have got in this tick.
static uint8_t shared[2][160];
static uint32_t shared_count[2];

static double phase_hz(unsigned talker)
{
	return 400.0 + 250.0 * talker;
}

static uint8_t codec_of(unsigned party)
{
	return party < TALKERS || party % 2 ? TD_CODEC_PCMU : TD_CODEC_G722;
}

static void edit(unsigned party, bool talks, int32_t gain)
{
	const struct td_member floor = { TD_MEMBER_FLOOR, 0 };
	const struct td_member member = { TD_MEMBER_STREAM, parties[party].id.v };
	struct td_command command = { .kind = TD_COMMAND_MATRIX_EDIT };

	command.u.matrix_edit.context = context;
	command.u.matrix_edit.cell_count = 1;
	command.u.matrix_edit.cells[0] = (struct td_cell){ .from = talks ? member : floor,
							   .to = talks ? floor : member,
							   .gain_q12 = gain };
	world_do(&world, &command);
}

static void enter(unsigned party)
{
	struct td_command command;

	world_party(&world, context, "10.77.0.10", (uint16_t)(FIRST_PORT + 2 * party),
		    0x4000 + party, &parties[party]);
	parties[party].payload_type = codec_of(party) == TD_CODEC_G722 ? 9 : 0;
	command = world_set_remote(&parties[party], codec_of(party));
	world_do(&world, &command);
	world_say(&world, &parties[party]); // it is there: packets may go to it
	edit(party, false, UNITY);
	if (party < TALKERS)
		edit(party, true, UNITY);
}

static void sing(unsigned talker)
{
	const struct td_codec *codec = td_codec_get(TD_CODEC_PCMU);
	struct frame frame;
	int16_t pcm[160];

	for (unsigned i = 0; i < 160; i++)
		pcm[i] = (int16_t)lrint(LEVEL *
					sin(2 * M_PI * phase_hz(talker) * (sung + i) / 8000.0));
	world_frame(&parties[talker], 160, &frame);
	ck_assert_int_eq(codec->encode(NULL, pcm, 160,
				       frame.bytes + frame.l4 + 8 + TD_RTP_HEADER_BYTES, 160),
			 160);
	frame_checksums(&frame);
	ck_assert(world_send(&world, &frame));
	parties[talker].sequence++;
	parties[talker].timestamp += 160;
}

static void check_shared(unsigned party, const uint8_t *payload)
{
	unsigned codec = codec_of(party) == TD_CODEC_G722;

	if (shared_count[codec]++ == 0)
		memcpy(shared[codec], payload, 160);
	if (memcmp(shared[codec], payload, 160) != 0)
		ck_abort_msg("listener %u got other bytes than those before", party);
}

static void receive(const struct rte_mbuf *mbuf)
{
	const uint8_t *udp = rte_pktmbuf_mtod_offset(mbuf, const uint8_t *, 14 + 20);
	unsigned party = ((unsigned)(udp[2] << 8 | udp[3]) - FIRST_PORT) / 2;
	struct td_rtp_header rtp;

	ck_assert_uint_lt(party, EVERYBODY);
	ck_assert_int_eq(td_rtp_parse(udp + 8, mbuf->data_len - 42u, &rtp), 0);
	ck_assert_uint_eq(rtp.payload_len, 160);
	if (got[party]++ > 0 && (rtp.sequence != (uint16_t)(sequences[party] + 1) ||
				 rtp.timestamp != timestamps[party] + 160))
		ck_abort_msg("party %u: its numbers are broken", party);
	sequences[party] = rtp.sequence;
	timestamps[party] = rtp.timestamp;
	if (party >= TALKERS)
		check_shared(party, udp + 8 + rtp.payload_offset);
}

static void hear(void)
{
	const struct td_codec *codec = td_codec_get(TD_CODEC_PCMU);

	if (heard_count + 160 > HEARD_MAX)
		heard_count = 0;
	ck_assert_int_eq(codec->decode(NULL, shared[0], 160, heard + heard_count, 160), 160);
	heard_count += 160;
}

// 20 ms.
static void tick(void)
{
	void *mbuf;

	shared_count[0] = shared_count[1] = 0;
	for (unsigned talker = 0; talker < TALKERS; talker++)
		sing(talker);
	sung += 160;
	world_clear(&world); // what was forwarded at once
	for (unsigned slot = 0; slot < TD_MEDIA_SLOTS; slot++) {
		world.now_ns += WORLD_MS;
		td_role_enter_worker(0);
		td_media_tick(td_engine_worker(world.engine, 0),
			      (uint32_t)(world.now_ns / WORLD_MS % TD_MEDIA_SLOTS), world.now_ns,
			      &world.tx[0]);
		td_tx_flush(&world.tx[0]);
		while (rte_ring_dequeue(world.wire, &mbuf) == 0) {
			receive(mbuf);
			rte_pktmbuf_free(mbuf);
		}
	}
	if (shared_count[0] > 0)
		hear();
}

static double gain(unsigned talker)
{
	double real = 0, imaginary = 0;

	ck_assert_uint_ge(heard_count, 1600);
	for (uint32_t i = heard_count - 1600; i < heard_count; i++) {
		real += heard[i] * cos(2 * M_PI * phase_hz(talker) * i / 8000.0);
		imaginary += heard[i] * sin(2 * M_PI * phase_hz(talker) * i / 8000.0);
	}
	return 2 * sqrt(real * real + imaginary * imaginary) / 1600 / LEVEL;
}

static void setup(void)
{
	struct world_options options = {
		.workers = 1, .streams = 2048, .port_count = 5000, .wire = 4096, .mixed = 8
	};

	world_open(&world, &options);
	context = world_context(&world);
	memset(got, 0, sizeof got);
	heard_count = sung = 0;
	destroyed = EVERYBODY;
	for (unsigned i = 0; i < EVERYBODY; i++)
		enter(i);
}

static void teardown(void)
{
	ck_assert_uint_eq(world_drop(&world, TD_DROP_TX_FULL), 0);
	ck_assert_uint_eq(world_drop(&world, TD_DROP_POOL_EMPTY), 0);
	world_close(&world);
}

// `first`: the first party to look at.
static void expect_one_each(uint32_t ticks, unsigned first)
{
	uint32_t before[EVERYBODY];

	memcpy(before, got, sizeof before);
	for (uint32_t i = 0; i < ticks; i++) {
		tick();
		ck_assert_uint_ge(shared_count[0] + shared_count[1], LISTENERS - 2);
	}
	for (unsigned i = first; i < EVERYBODY; i++)
		if (i != destroyed && got[i] != before[i] + ticks)
			ck_abort_msg("party %u got %u packets in %u ticks", i, got[i] - before[i],
				     ticks);
}

START_TEST(everybody_hears_the_three)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_DESTROY };
	const struct td_plan *plan;

	for (unsigned i = 0; i < 30; i++)
		tick();
	expect_one_each(20, 0);
	for (unsigned talker = 0; talker < TALKERS; talker++)
		ck_assert_double_eq_tol(gain(talker), 1, 0.08);
	// Five encoders, whatever the number of listeners: three own mixes, and one a codec.
	plan = td_engine_worker(world.engine, 0)->contexts[td_handle_index(context.v)].plan;
	ck_assert_uint_eq(plan->mix_count, TALKERS + 2);
	ck_assert_uint_eq(plan->source_count, TALKERS);
	ck_assert_uint_eq(world.engine->free_outlet_count, 8 - TALKERS - 2);
	// The one who coded for a thousand hangs up; nobody else notices.
	command.u.stream_destroy = parties[TALKERS].id;
	world_do(&world, &command);
	destroyed = TALKERS;
	expect_one_each(20, 0);
	for (unsigned talker = 0; talker < TALKERS; talker++)
		ck_assert_double_eq_tol(gain(talker), 1, 0.08);
	// One talker is muted for all; the other two hear each other, packet by packet.
	edit(0, true, 0);
	expect_one_each(20, TALKERS);
	ck_assert_double_lt(gain(0), 0.05);
	ck_assert_double_eq_tol(gain(1), 1, 0.08);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lecture");
	TCase *tcase = tcase_create("lecture");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_set_timeout(tcase, 240);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, everybody_hears_the_three);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
