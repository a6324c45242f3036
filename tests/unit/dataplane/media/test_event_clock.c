// Events at 8000 beside Opus: what such a peer sends reaches the others by their clocks, what it gets is
// by its own, and packets go by as they are only between peers of the same one.
#include <stdlib.h>
#include <string.h>

#include "choir.h"

#define TICKS_MAX   64
#define OPUS_KHZ    48u
#define STREAM_STEP 960u // of the timestamps in 20 ms

static struct world world;
static struct choir choir;
static struct td_context_id context;

static void open_world(void)
{
	struct world_options options = { .workers = 1, .streams = 32, .tones = true };

	choir_begin(&choir, &world, &options);
	context = world_context(&world);
}

static void close_world(void)
{
	choir_end(&choir);
	world_close(&world);
}

// A silent Opus phone whose events have this clock; 0: control has not said.
static struct choir_voice *add(uint8_t event_khz)
{
	struct choir_voice *voice = choir_add(&choir, context, TD_CODEC_OPUS, 20);
	struct td_command command = world_set_remote(&voice->party, TD_CODEC_OPUS);

	command.u.stream_set_remote.ptime_ms = 20;
	command.u.stream_set_remote.payload_type = 96;
	command.u.stream_set_remote.payload_type_rx = 96;
	command.u.stream_set_remote.event_clock_khz = event_khz;
	world_do(&world, &command);
	return voice;
}

static void say(struct choir_voice *voice, const uint8_t *payload, uint32_t bytes, uint8_t type,
		uint32_t timestamp)
{
	uint32_t audio = voice->party.timestamp;
	struct frame frame;

	voice->party.payload_type = type;
	voice->party.timestamp = timestamp;
	world_frame(&voice->party, bytes, &frame);
	memcpy(frame.bytes + frame.l4 + 8 + TD_RTP_HEADER_BYTES, payload, bytes);
	frame_checksums(&frame);
	world_send(&world, &frame);
	voice->party.payload_type = 96;
	voice->party.timestamp = audio + STREAM_STEP;
	voice->party.sequence++;
}

static void say_nothing(struct choir_voice *voice)
{
	static const int16_t silence[STREAM_STEP];
	uint8_t payload[TD_RTP_PAYLOAD_MAX];
	int bytes =
		voice->codec->encode(voice->encoder, silence, STREAM_STEP, payload, sizeof payload);

	ck_assert_int_gt(bytes, 0);
	say(voice, payload, (uint32_t)bytes, 96, voice->party.timestamp);
}

// What one party gets of events, taken down by the clock that it has agreed on.
struct ear {
	struct td_event_rx rx;
	char digits[8];
	uint32_t durations_ms[8], count;
	uint32_t begins[8]; // timestamps
	uint8_t payloads[TICKS_MAX][TD_TELEPHONE_EVENT_BYTES];
	uint32_t packets;
};

static void ear_init(struct ear *ear, uint32_t event_khz)
{
	memset(ear, 0, sizeof *ear);
	td_event_rx_init(&ear->rx, event_khz * 1000, OPUS_KHZ * 1000);
}

static void hear(struct ear *ear, const struct world_sent *sent)
{
	const uint8_t *payload = sent->udp_payload + sent->rtp.payload_offset;
	struct td_digit_report reports[TD_EVENT_RX_REPORT_MAX];
	uint32_t count;

	ck_assert_uint_eq(sent->rtp.payload_len, TD_TELEPHONE_EVENT_BYTES);
	ck_assert_uint_lt(ear->packets, TICKS_MAX);
	memcpy(ear->payloads[ear->packets++], payload, TD_TELEPHONE_EVENT_BYTES);
	count = td_event_rx_packet(&ear->rx, sent->rtp.timestamp, sent->rtp.marker, payload,
				   sent->rtp.payload_len, world.now_ns, reports);
	for (uint32_t i = 0; i < count; i++) {
		ck_assert_uint_lt(ear->count, 8);
		ear->begins[ear->count] = sent->rtp.timestamp;
		if (reports[i].kind != TD_DIGIT_END)
			continue;
		ear->durations_ms[ear->count] = reports[i].duration_ms;
		ear->digits[ear->count++] = reports[i].digit;
	}
}

// 20 ms of the world, in which `to` listens.
static void step(const struct choir_voice *to, struct ear *ear)
{
	world_ticks(&world, 20);
	for (uint32_t i = 0; i < world.out_count; i++) {
		const struct world_sent *sent = &world.out[i];

		if (!sent->is_rtcp && sent->rtp.payload_type == 101 &&
		    sent->destination.port_be == __builtin_bswap16(to->party.port))
			hear(ear, sent);
	}
	world_clear(&world);
}

// `from` presses two keys, 100 ms each, as a phone with events of that clock says it.
static void dial(struct choir_voice *from, uint32_t event_khz, struct choir_voice *to,
		 struct ear *ear)
{
	struct td_event_packet packet;
	struct td_event_tx tx;

	td_event_tx_init(&tx, event_khz * 1000, OPUS_KHZ * 1000);
	ck_assert_int_eq(td_event_tx_start(&tx, "5#", 100, 100), 0);
	for (unsigned tick = 0; tick < 60; tick++) {
		say_nothing(to);
		if (tick >= 20 && td_event_tx_tick(&tx, from->party.timestamp, &packet))
			say(from, packet.payload, sizeof packet.payload, 101, packet.timestamp);
		else
			say_nothing(from);
		step(to, ear);
	}
}

static void said_to_control(const struct choir_voice *from)
{
	struct td_event event;

	for (const char *digit = "5#"; *digit != '\0'; digit++) {
		ck_assert(world_event(&world, TD_EVENT_DIGIT, &event));
		ck_assert_int_eq(event.u.digit.digit, *digit);
		ck_assert_uint_eq(event.u.digit.duration_ms, 100);
		ck_assert_uint_eq(event.u.digit.stream.v, from->party.id.v);
	}
	ck_assert(!world_event(&world, TD_EVENT_DIGIT, &event));
}

// From one clock to the other, either way, and as it came between two of the same.
START_TEST(digits_arrive_by_the_clock_of_who_gets_them)
{
	static const struct {
		uint8_t from, to; // as control says it
		bool forwarded;
	} rows[] = {
		{ 8, 48, false }, { 48, 8, false }, { 0, 8, false }, { 8, 8, true },
		{ 48, 48, true }, { 0, 48, true },  { 0, 0, true },
	};
	uint32_t from_khz = rows[_i].from ? rows[_i].from : OPUS_KHZ;
	uint32_t to_khz = rows[_i].to ? rows[_i].to : OPUS_KHZ;
	struct choir_voice *from = add(rows[_i].from), *to = add(rows[_i].to);
	uint8_t first[TD_TELEPHONE_EVENT_BYTES];
	struct td_telephone_event event = { .event = 5,
					    .volume = TD_TELEPHONE_EVENT_VOLUME,
					    .duration = (uint16_t)(20 * to_khz) };
	struct ear ear;

	ear_init(&ear, to_khz);
	choir_both(&choir, context, from, to);
	dial(from, from_khz, to, &ear);
	said_to_control(from);
	ck_assert_str_eq(ear.digits, "5#");
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_uint_ge(ear.durations_ms[i], rows[_i].forwarded ? 100 : 80);
		ck_assert_uint_le(ear.durations_ms[i], rows[_i].forwarded ? 100 : 160);
	}
	td_telephone_event_write(first, &event);
	ck_assert_mem_eq(ear.payloads[0], first, sizeof first);
	ck_assert_uint_eq(world.region.workers[0].digits_lost, 0);
}
END_TEST

START_TEST(digits_are_sent_by_the_clock_of_the_peer)
{
	static const uint8_t clocks[] = { 8, 48 };
	struct td_command command = { .kind = TD_COMMAND_STREAM_DIGITS };
	struct choir_voice *voice = add(clocks[_i]);
	struct ear ear;

	ear_init(&ear, clocks[_i]);
	command.u.stream_digits.stream = voice->party.id;
	strncpy(command.u.stream_digits.digits, "11", TD_DIGITS_MAX);
	command.u.stream_digits.duration_ms = 80;
	command.u.stream_digits.gap_ms = 120;
	world_do(&world, &command);
	for (unsigned tick = 0; tick < 30; tick++) {
		say_nothing(voice);
		step(voice, &ear);
	}
	ck_assert_str_eq(ear.digits, "11");
	ck_assert_uint_eq(ear.durations_ms[0], 80);
	ck_assert_uint_eq(ear.durations_ms[1], 80);
	ck_assert_uint_eq(ear.begins[1] - ear.begins[0], 200 * OPUS_KHZ);
}
END_TEST

// A peer that says at last that it has the other clock: the digit it holds is over, the next is right.
START_TEST(a_new_clock_begins_anew)
{
	struct choir_voice *from = add(48), *to = add(48);
	struct td_command command = world_set_remote(&from->party, TD_CODEC_OPUS);
	struct td_event event;
	struct ear ear;

	ear_init(&ear, 48);
	choir_both(&choir, context, from, to);
	dial(from, 48, to, &ear);
	said_to_control(from);
	command.u.stream_set_remote.ptime_ms = 20;
	command.u.stream_set_remote.payload_type = 96;
	command.u.stream_set_remote.payload_type_rx = 96;
	command.u.stream_set_remote.event_clock_khz = 8;
	world_do(&world, &command);
	while (world_event(&world, TD_EVENT_DIGIT, &event))
		;
	ear_init(&ear, 48);
	dial(from, 8, to, &ear);
	said_to_control(from);
	ck_assert_str_eq(ear.digits, "5#");
	ck_assert_uint_le(ear.durations_ms[1], 160);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("event clock");
	TCase *tcase = tcase_create("event clock");
	SRunner *runner;
	int failed;

	frame_environment();
	tcase_add_checked_fixture(tcase, open_world, close_world);
	tcase_add_loop_test(tcase, digits_arrive_by_the_clock_of_who_gets_them, 0, 7);
	tcase_add_loop_test(tcase, digits_are_sent_by_the_clock_of_the_peer, 0, 2);
	tcase_add_test(tcase, a_new_clock_begins_anew);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
