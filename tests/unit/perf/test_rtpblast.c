// What the load generator's figures rest on: what it counts as lost, late or twice, its quantiles,
// and packets that are what RFC 3550 and RFC 4733 say.
#include <arpa/inet.h>
#include <check.h>
#include <string.h>

#include "net/checksum.h"
#include "rtpblast/arrivals.h"
#include "rtpblast/flow.h"
#include "rtpblast/histogram.h"

static const struct {
	const char *what;
	uint32_t numbers[8], count;
	uint32_t unique, late, duplicates, gaps;
} sequences[] = {
	{ "in order", { 7, 8, 9 }, 3, 3, 0, 0, 0 },
	{ "one lost", { 7, 9 }, 2, 2, 0, 0, 1 },
	{ "two swapped", { 7, 9, 8, 10 }, 4, 4, 1, 0, 0 },
	{ "twice", { 7, 8, 8, 7, 9 }, 5, 3, 0, 2, 0 },
	{ "before the first", { 7, 6 }, 2, 2, 1, 0, 0 },
	{ "a jump of the whole window", { 7, 71, 8 }, 3, 3, 1, 0, 62 },
	{ "just inside the window, twice", { 8, 71, 8 }, 3, 2, 0, 1, 62 },
	{ "round the end", { UINT32_MAX, 1, 0 }, 3, 3, 1, 0, 0 },
};

START_TEST(test_arrivals)
{
	struct td_arrivals arrivals = { 0 };

	for (uint32_t i = 0; i < sequences[_i].count; i++)
		td_arrivals_note(&arrivals, sequences[_i].numbers[i]);
	ck_assert_msg(arrivals.unique == sequences[_i].unique, "%s", sequences[_i].what);
	ck_assert_msg(arrivals.late == sequences[_i].late, "%s", sequences[_i].what);
	ck_assert_msg(arrivals.duplicates == sequences[_i].duplicates, "%s", sequences[_i].what);
	ck_assert_msg(td_arrivals_gaps(&arrivals) == sequences[_i].gaps, "%s", sequences[_i].what);
}
END_TEST

// Sequence numbers that wrap are numbers that go on, forwards and backwards.
START_TEST(test_extend)
{
	struct td_arrivals arrivals = { 0 };
	uint32_t first = td_arrivals_extend(&arrivals, 65534);

	td_arrivals_note(&arrivals, first);
	ck_assert_uint_eq(td_arrivals_extend(&arrivals, 65535), first + 1);
	ck_assert_uint_eq(td_arrivals_extend(&arrivals, 3), first + 5);
	ck_assert_uint_eq(td_arrivals_extend(&arrivals, 65530), first - 4);
	td_arrivals_note(&arrivals, td_arrivals_extend(&arrivals, 3));
	ck_assert_uint_eq(td_arrivals_extend(&arrivals, 65535), first + 1);
	ck_assert_uint_eq(td_arrivals_gaps(&arrivals), 4);
}
END_TEST

START_TEST(test_histogram)
{
	static struct td_histogram histogram;

	memset(&histogram, 0, sizeof histogram);
	ck_assert_double_eq(td_histogram_quantile_us(&histogram, 0.5), 0);
	for (uint64_t us = 1; us <= 10000; us++)
		td_histogram_add(&histogram, us * 1000);
	for (unsigned tenth = 1; tenth < 10; tenth++)
		ck_assert_double_eq_tol(td_histogram_quantile_us(&histogram, tenth / 10.0),
					1000.0 * tenth, 1000.0 * tenth / 60);
	ck_assert_double_eq_tol(td_histogram_quantile_us(&histogram, 0.999), 9990, 9990 / 60.0);
	ck_assert_uint_eq(histogram.max_ns, 10000000);
	td_histogram_add(&histogram, UINT64_MAX); // beyond its range: in the last slot, not outside
	ck_assert_uint_eq(histogram.total, 10001);
}
END_TEST

static struct td_payload_frame circle[3];
static const struct td_payload payload = { circle, 3, 160 };

static struct td_flow make_flow(void)
{
	struct td_flow flow = { .payload = &payload, .ssrc = 65000, .start = 1, .probes = 1 };

	for (int i = 0; i < 3; i++) {
		circle[i].bytes = 160;
		memset(circle[i].data, 0x40 + i, sizeof circle[i].data);
	}
	flow.to.port_be = htons(20000);
	memcpy(flow.to.addr, (const uint8_t[]){ 10, 0, 0, 2 }, 4);
	return flow;
}

START_TEST(test_packet)
{
	const uint8_t to[6] = { 2, 0, 0, 0, 0, 2 }, from[6] = { 2, 0, 0, 0, 0, 1 };
	struct td_flow_probe probe = { .flow = 5, .number = 1000, .sent_ns = 77 }, found;
	uint8_t frame[TD_FLOW_FRAME_MAX];
	struct td_flow flow = make_flow();
	struct td_flow_packet packet;
	uint32_t bytes = td_flow_make(&flow, 1000, to, from, &probe, frame);

	ck_assert_uint_eq(bytes, 14 + 20 + 8 + 12 + 160);
	ck_assert_uint_eq(td_checksum_fold(td_checksum_add(0, frame + 14, 20)), 0xffff);
	ck_assert_int_eq(td_flow_parse(frame, bytes, &packet), 1);
	ck_assert_uint_eq(packet.to_addr, 0x0a000002);
	ck_assert_uint_eq(packet.to_port, 20000);
	ck_assert_uint_eq(packet.sequence, (uint16_t)(65000 + 1000));
	ck_assert_uint_eq(packet.payload_bytes, 160);
	ck_assert_int_eq(td_flow_find_probe(&packet, &found), 1);
	ck_assert_uint_eq(found.number, 1000);
	ck_assert_uint_eq(found.sent_ns, 77);
	ck_assert_uint_eq(packet.payload[159], 0x40 + (1 + 1000) % 3);
	for (uint32_t cut = 0; cut < bytes; cut++)
		ck_assert_int_eq(td_flow_parse(frame, cut, &packet), 0);
	frame[43] = 200; // a sender report
	ck_assert_int_eq(td_flow_parse(frame, bytes, &packet), 0);
}
END_TEST

// Whatever in a datagram is changed on the way without its checksum is found out.
START_TEST(test_sum)
{
	const uint8_t mac[6] = { 0 };
	struct td_flow_probe probe = { .flow = 5 };
	uint8_t frame[TD_FLOW_FRAME_MAX];
	struct td_flow flow = make_flow();
	struct td_flow_packet packet;
	uint32_t bytes = td_flow_make(&flow, 7, mac, mac, &probe, frame);

	ck_assert_int_eq(td_flow_parse(frame, bytes, &packet), 1);
	ck_assert_int_eq(td_flow_is_whole(&packet), 1); // there is none yet
	td_flow_sum(frame);
	ck_assert(frame[40] != 0 || frame[41] != 0);
	ck_assert_int_eq(td_flow_is_whole(&packet), 1);
	for (uint32_t at = 26; at < bytes; at++) {
		if (at == 38 || at == 39)
			continue; // the length says how far it goes
		frame[at] ^= 0x10;
		ck_assert_msg(!td_flow_is_whole(&packet), "byte %u", at);
		frame[at] ^= 0x10;
	}
	frame[38] = 0xff; // a length beyond the frame
	ck_assert_int_eq(td_flow_parse(frame, bytes, &packet), 0);
}
END_TEST

// A digit of 100 ms: marker, one timestamp, durations that grow, the end three times.
START_TEST(test_event)
{
	const uint8_t mac[6] = { 0 };
	struct td_flow flow = make_flow();
	uint32_t timestamp = 0;

	flow.event_every = 50;
	flow.start = 0;
	ck_assert_int_eq(td_flow_is_event(&flow, 49), 0);
	for (uint32_t i = 0; i < 8; i++) {
		uint8_t frame[TD_FLOW_FRAME_MAX];
		uint32_t bytes = td_flow_make(&flow, 50 + i, mac, mac, NULL, frame);
		uint32_t lasted = (i < 5 ? i + 1 : 5) * 160, stamped;

		ck_assert_int_eq(td_flow_is_event(&flow, 50 + i), 1);
		ck_assert_uint_eq(bytes, 54 + 4);
		ck_assert_uint_eq(frame[43], (i == 0 ? 0x80u : 0) | TD_FLOW_EVENT_TYPE);
		ck_assert_uint_eq(frame[55] & 0x80u, i >= 5 ? 0x80u : 0);
		ck_assert_uint_eq((uint32_t)frame[56] << 8 | frame[57], lasted);
		memcpy(&stamped, frame + 46, sizeof stamped);
		ck_assert(i == 0 || stamped == timestamp);
		timestamp = stamped;
	}
	ck_assert_int_eq(td_flow_is_event(&flow, 58), 0);
}
END_TEST

// A digit has no probe: who sent it is known by its SSRC, even when nothing else is left of it.
START_TEST(test_sender)
{
	static const uint32_t indices[] = { 0, 1, 2, 4095, 199999 };
	const uint8_t mac[6] = { 0 };

	for (size_t i = 0; i < sizeof indices / sizeof indices[0]; i++) {
		struct td_flow flow = make_flow();
		uint8_t frame[TD_FLOW_FRAME_MAX];
		struct td_flow_packet packet;
		uint32_t bytes;

		flow.event_every = 50;
		flow.start = 0;
		flow.ssrc = td_flow_ssrc(indices[i]);
		bytes = td_flow_make(&flow, 50, mac, mac, NULL, frame);
		ck_assert_int_eq(td_flow_parse(frame, bytes, &packet), 1);
		ck_assert_uint_eq(td_flow_of_ssrc(packet.ssrc), indices[i]);
		ck_assert_uint_ge(td_flow_of_ssrc(packet.ssrc + 1u), 200000);
	}
}
END_TEST

// A sealed packet is opened by the peer's key and nobody else's, and comes back byte for byte.
START_TEST(test_protect)
{
	static struct td_srtp_engine engine;
	enum td_srtp_suite suite = td_protect_suite("aead_aes_128_gcm", 16);
	struct td_srtp_master a = td_protect_new_key(suite), b = td_protect_new_key(suite);
	const uint8_t mac[6] = { 0 };
	struct td_flow_probe probe = { .flow = 5 };
	uint8_t plain[TD_FLOW_FRAME_MAX], frame[TD_FLOW_FRAME_MAX];
	struct td_flow flow = make_flow();
	struct td_protect *party, *peer;
	struct td_flow_packet parsed;
	struct td_srtp_packet packet;
	uint32_t bytes = td_flow_make(&flow, 0, mac, mac, &probe, plain);

	ck_assert_int_eq(td_srtp_engine_init(&engine, TD_SRTP_ENGINE_AUTO), 0);
	party = td_protect_create(&engine, &a, &b);
	peer = td_protect_create(&engine, &b, &a);
	flow.protect = party;
	ck_assert_uint_eq(td_flow_make(&flow, 0, mac, mac, &probe, frame), bytes + 16);
	packet = (struct td_srtp_packet){ .srtp = &party->send,
					  .bytes = frame + TD_FLOW_RTP_AT,
					  .len = (uint16_t)(bytes - TD_FLOW_RTP_AT) };
	td_srtp_seal(&engine, &packet, 1);
	ck_assert_int_eq(packet.verdict, TD_SRTP_OK);
	ck_assert_int_eq(td_flow_parse(frame, bytes + 16, &parsed), 1);
	ck_assert_uint_eq(parsed.payload_bytes, 160 + 16);
	ck_assert_int_ne(memcmp(frame + 54, plain + 54, 160), 0);
	packet.srtp = &party->receive;
	td_srtp_open(&engine, &packet, 1);
	ck_assert_int_eq(packet.verdict, TD_SRTP_BAD_TAG);
	packet.srtp = &peer->receive;
	td_srtp_open(&engine, &packet, 1);
	ck_assert_int_eq(packet.verdict, TD_SRTP_OK);
	ck_assert_uint_eq(packet.len, bytes - TD_FLOW_RTP_AT);
	ck_assert_mem_eq(frame + TD_FLOW_RTP_AT, plain + TD_FLOW_RTP_AT, packet.len);
	td_protect_destroy(party);
	td_protect_destroy(peer);
	td_srtp_engine_fini(&engine);
}
END_TEST

// Key and salt of RFC 4568 section 6.1's example.
START_TEST(test_read_key)
{
	struct td_srtp_master key = td_protect_read_key(TD_SRTP_AES_CM_128_HMAC_SHA1_80,
							"PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR");

	ck_assert_mem_eq(key.key, "=-n@%^x!Bjufr9)?", 16);
	ck_assert_mem_eq(key.salt, ",#5h\\`=&]{qiPQ", 14);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rtpblast");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tests, test_arrivals, 0, sizeof sequences / sizeof sequences[0]);
	tcase_add_test(tests, test_extend);
	tcase_add_test(tests, test_histogram);
	tcase_add_test(tests, test_packet);
	tcase_add_test(tests, test_sum);
	tcase_add_test(tests, test_event);
	tcase_add_test(tests, test_sender);
	tcase_add_test(tests, test_protect);
	tcase_add_test(tests, test_read_key);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
