// RTCP compounds: built and read back, RFC 3550 A.2 by table, every truncation, round-trip times.
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "rtp/header.h"
#include "rtp/rtcp.h"

static const struct td_rtcp_sender sender = { .ntp = 0x83aa7e80deadbeefull,
					      .rtp_timestamp = 0x80000001u,
					      .packets = 1000,
					      .octets = 160000 };
static const struct td_rtcp_report report = { .ssrc = 0xcafe0001u,
					      .lost = -3,
					      .highest = 0x0001fff0u,
					      .jitter = 17,
					      .lsr = 0x7e80deadu,
					      .dlsr = 0x00010000u,
					      .fraction_lost = 12 };

static struct td_rtcp_compound compound(bool with_sender, bool with_report, bool bye)
{
	return (struct td_rtcp_compound){ .ssrc = 0x11223344u,
					  .sender = with_sender ? &sender : NULL,
					  .report = with_report ? &report : NULL,
					  .cname = "td-0123456789abcdef",
					  .bye = bye };
}

START_TEST(round_trip)
{
	struct td_rtcp_compound c = compound(_i & 1, _i & 2, _i & 4);
	uint8_t bytes[TD_RTCP_BUILD_MAX];
	struct td_rtcp_summary s;
	size_t len = td_rtcp_build(bytes, &c);

	ck_assert_uint_eq(len % 4, 0);
	ck_assert_int_eq(td_rtcp_parse(bytes, len, report.ssrc, false, &s), 0);
	ck_assert_uint_eq(s.ssrc, c.ssrc);
	ck_assert_int_eq(s.has_sender, (_i & 1) != 0);
	ck_assert_int_eq(s.has_report, (_i & 2) != 0);
	ck_assert_int_eq(s.has_bye, (_i & 4) != 0);
	ck_assert_uint_eq(s.packet_count, _i & 4 ? 3 : 2);
	if (s.has_sender) {
		ck_assert(s.sender.ntp == sender.ntp);
		ck_assert_uint_eq(s.sender.rtp_timestamp, sender.rtp_timestamp);
		ck_assert_uint_eq(s.sender.packets, sender.packets);
		ck_assert_uint_eq(s.sender.octets, sender.octets);
	}
	if (s.has_report) {
		ck_assert_uint_eq(s.report.ssrc, report.ssrc);
		ck_assert_int_eq(s.report.lost, report.lost);
		ck_assert_uint_eq(s.report.highest, report.highest);
		ck_assert_uint_eq(s.report.jitter, report.jitter);
		ck_assert_uint_eq(s.report.lsr, report.lsr);
		ck_assert_uint_eq(s.report.dlsr, report.dlsr);
		ck_assert_uint_eq(s.report.fraction_lost, report.fraction_lost);
	}
	ck_assert_int_eq(td_rtcp_parse(bytes, len, 0x99999999u, false, &s), 0);
	ck_assert(!s.has_report); // about somebody else
}
END_TEST

START_TEST(cname_of_every_length)
{
	char cname[TD_RTCP_CNAME_MAX + 8];
	uint8_t bytes[TD_RTCP_BUILD_MAX];

	for (size_t n = 0; n < sizeof cname - 1; n++) {
		struct td_rtcp_compound c = compound(true, true, true);
		struct td_rtcp_summary s;
		size_t len;

		memset(cname, 'x', n);
		cname[n] = '\0';
		c.cname = cname;
		len = td_rtcp_build(bytes, &c);
		ck_assert_uint_le(len, sizeof bytes);
		ck_assert_int_eq(td_rtcp_parse(bytes, len, report.ssrc, false, &s), 0);
		ck_assert(s.has_bye);
		// The SDES chunk ends with at least one null octet on a word boundary.
		ck_assert_uint_eq(bytes[len - 8 - 1], 0);
	}
}
END_TEST

START_TEST(every_truncation_is_refused)
{
	struct td_rtcp_compound c = compound(true, true, true);
	uint8_t bytes[TD_RTCP_BUILD_MAX];
	size_t len = td_rtcp_build(bytes, &c), sr = 28 + 24;

	for (size_t cut = 0; cut < len; cut++) {
		struct td_rtcp_summary s;
		uint8_t *exact = malloc(cut ? cut : 1);
		int result;

		memcpy(exact, bytes, cut);
		result = td_rtcp_parse(exact, cut, report.ssrc, false, &s);
		// A cut between two packets leaves a shorter compound that is whole.
		if (cut == sr || cut == len - 8)
			ck_assert_int_eq(result, 0);
		else
			ck_assert_int_eq(result, cut < 4 ? -TD_ETRUNCATED : -TD_EMALFORMED);
		free(exact);
	}
}
END_TEST

struct row {
	const char *what;
	uint8_t bytes[40];
	size_t len;
	int error;
};

#define RR 0x80, 201, 0, 1, 1, 2, 3, 4

static const struct row rows[] = {
	{ "empty RR", { RR }, 8, 0 },
	{ "four bytes only (AST-2017-008)", { 0x80, 201, 0, 0 }, 4, -TD_EMALFORMED },
	{ "version 1", { 0x40, 201, 0, 1, 1, 2, 3, 4 }, 8, -TD_EMALFORMED },
	{ "first packet padded", { 0xa0, 201, 0, 1, 1, 2, 3, 4 }, 8, -TD_EMALFORMED },
	{ "first packet SDES", { 0x80, 202, 0, 1, 1, 2, 3, 4 }, 8, -TD_EMALFORMED },
	{ "length beyond the end", { 0x80, 201, 0, 2, 1, 2, 3, 4 }, 8, -TD_EMALFORMED },
	{ "length 65,535", { 0x80, 201, 0xff, 0xff, 1, 2, 3, 4 }, 8, -TD_EMALFORMED },
	{ "bytes left over", { RR, 9 }, 9, -TD_EMALFORMED },
	{ "one block announced, none there", { 0x81, 201, 0, 1, 1, 2, 3, 4 }, 8, -TD_EMALFORMED },
	{ "SR without its sender part", { 0x80, 200, 0, 1, 1, 2, 3, 4 }, 8, -TD_EMALFORMED },
	{ "second packet of version 0", { RR, 0, 202, 0, 0 }, 12, -TD_EMALFORMED },
	{ "unknown type is skipped", { RR, 0x80, 211, 0, 1, 9, 9, 9, 9 }, 16, 0 },
	{ "last packet padded by four", { RR, 0xa0, 204, 0, 2, 1, 2, 3, 4, 0, 0, 0, 4 }, 20, 0 },
	{ "padding not a multiple of four",
	  { RR, 0xa0, 204, 0, 2, 1, 2, 3, 4, 0, 0, 0, 3 },
	  20,
	  -TD_EMALFORMED },
	{ "padding longer than the packet",
	  { RR, 0xa0, 204, 0, 1, 0, 0, 0, 8 },
	  16,
	  -TD_EMALFORMED },
	{ "padding of zero", { RR, 0xa0, 204, 0, 1, 0, 0, 0, 0 }, 16, -TD_EMALFORMED },
	{ "padding in the middle",
	  { RR, 0xa0, 204, 0, 1, 0, 0, 0, 4, 0x80, 204, 0, 0 },
	  20,
	  -TD_EMALFORMED },
	{ "BYE with a source", { RR, 0x81, 203, 0, 1, 1, 2, 3, 4 }, 16, 0 },
	{ "BYE with two sources announced, one there",
	  { RR, 0x82, 203, 0, 1, 1, 2, 3, 4 },
	  16,
	  -TD_EMALFORMED },
};

START_TEST(appendix_a2)
{
	const struct row *row = &rows[_i];
	struct td_rtcp_summary s;
	uint8_t *exact = malloc(row->len);

	memcpy(exact, row->bytes, row->len);
	ck_assert_msg(td_rtcp_parse(exact, row->len, 0, false, &s) == row->error, "%s", row->what);
	free(exact);
}
END_TEST

static const struct td_voip_metrics voip = {
	.ssrc = 0xcafe0001u,
	.loss_rate = 1,
	.discard_rate = 2,
	.burst_density = 3,
	.gap_density = 4,
	.burst_ms = 0x0506,
	.gap_ms = 0x0708,
	.round_trip_ms = 0x090a,
	.end_system_ms = 0x0b0c,
	.signal_dbm0 = -18,
	.noise_dbm0 = TD_LEVEL_UNKNOWN,
	.rerl_db = 0x0f,
	.gmin = 16,
	.r_factor = 93,
	.external_r_factor = 127,
	.mos_lq_x10 = 44,
	.mos_cq_x10 = 41,
	.receiver_config = 0xb0,
	.jitter_nominal_ms = 0x1112,
	.jitter_max_ms = 0x1314,
	.jitter_absolute_ms = 0x1516,
};

// RFC 3611 sections 2, 3 and 4.7, byte by byte.
static const uint8_t voip_bytes[TD_RTCP_VOIP_BYTES] = {
	0x80, 207,  0,    10,   0x11, 0x22, 0x33, 0x44, // header, our SSRC
	7,    0,    0,    8,    0xca, 0xfe, 0x00, 0x01, // BT, length, SSRC of source
	1,    2,    3,    4,    0x05, 0x06, 0x07, 0x08, // rates, densities, durations
	0x09, 0x0a, 0x0b, 0x0c, 0xee, 0x7f, 0x0f, 16,   // delays, levels, RERL, Gmin
	93,   127,  44,   41,   0xb0, 0,    0x11, 0x12, // R, MOS, RX config, JB nominal
	0x13, 0x14, 0x15, 0x16,
};

START_TEST(voip_metrics_byte_by_byte)
{
	struct td_rtcp_summary s = { 0 };
	uint8_t bytes[TD_RTCP_VOIP_BYTES];

	ck_assert_ptr_eq(td_rtcp_voip_write(bytes, 0x11223344u, &voip), bytes + sizeof bytes);
	ck_assert_mem_eq(bytes, voip_bytes, sizeof bytes);
	ck_assert_int_eq(td_rtcp_xr_read(bytes + 4, sizeof bytes - 4, voip.ssrc, &s), 0);
	ck_assert(s.has_voip);
	ck_assert_mem_eq(&s.voip, &voip, sizeof voip);
	s.has_voip = false;
	ck_assert_int_eq(td_rtcp_xr_read(bytes + 4, sizeof bytes - 4, 1, &s), 0);
	ck_assert(!s.has_voip); // about somebody else
}
END_TEST

START_TEST(extended_reports_in_a_compound)
{
	struct td_rtcp_compound c = compound(true, true, true);
	uint8_t bytes[TD_RTCP_BUILD_MAX];
	struct td_rtcp_summary s;
	size_t len;

	c.voip = &voip;
	len = td_rtcp_build(bytes, &c);
	ck_assert_int_eq(td_rtcp_parse(bytes, len, voip.ssrc, false, &s), 0);
	ck_assert(s.has_sender && s.has_report && s.has_voip && s.has_bye);
	ck_assert_mem_eq(&s.voip, &voip, sizeof voip);
	ck_assert_uint_eq(s.packet_count, 4);
	// Cut anywhere inside the XR it is refused.
	for (size_t cut = len - 8 - TD_RTCP_VOIP_BYTES + 1; cut < len - 8; cut++) {
		uint8_t *exact = malloc(cut);

		memcpy(exact, bytes, cut);
		ck_assert_int_eq(td_rtcp_parse(exact, cut, voip.ssrc, false, &s), -TD_EMALFORMED);
		free(exact);
	}
}
END_TEST

#define XR(words) 0x80, 207, 0, (words), 1, 2, 3, 4

static const struct row xr_rows[] = {
	{ "no block", { RR, XR(1) }, 16, 0 },
	{ "no SSRC", { RR, 0x80, 207, 0, 0 }, 12, -TD_EMALFORMED },
	{ "an unknown block is skipped", { RR, XR(3), 99, 0, 0, 1, 5, 5, 5, 5 }, 24, 0 },
	{ "an empty block is skipped", { RR, XR(2), 99, 0, 0, 0 }, 20, 0 },
	{ "a block beyond the packet", { RR, XR(2), 99, 0, 0, 1 }, 20, -TD_EMALFORMED },
	{ "a block of 65,535 words", { RR, XR(2), 99, 0, 0xff, 0xff }, 20, -TD_EMALFORMED },
	{ "VoIP metrics too short", { RR, XR(3), 7, 0, 0, 1, 5, 5, 5, 5 }, 24, -TD_EMALFORMED },
	{ "padding where a block should be",
	  { RR, 0xa0, 207, 0, 2, 1, 2, 3, 4, 0, 0, 0, 4 },
	  20,
	  0 },
};

START_TEST(extended_reports_by_table)
{
	const struct row *row = &xr_rows[_i];
	struct td_rtcp_summary s;
	uint8_t *exact = malloc(row->len);

	memcpy(exact, row->bytes, row->len);
	ck_assert_msg(td_rtcp_parse(exact, row->len, 0, false, &s) == row->error, "%s", row->what);
	free(exact);
}
END_TEST

static const struct row reduced_rows[] = {
	{ "BYE alone", { 0x81, 203, 0, 1, 1, 2, 3, 4 }, 8, 0 },
	{ "XR alone", { XR(1) }, 8, 0 },
	{ "feedback alone", { 0x81, 205, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8 }, 12, 0 },
	{ "SDES alone", { 0x81, 202, 0, 1, 1, 2, 3, 4 }, 8, 0 },
	{ "whole compounds as well", { RR, 0x81, 203, 0, 1, 1, 2, 3, 4 }, 16, 0 },
	{ "one packet, padded", { 0xa1, 203, 0, 2, 1, 2, 3, 4, 0, 0, 0, 4 }, 12, 0 },
	{ "no RTCP type", { 0x81, 100, 0, 1, 1, 2, 3, 4 }, 8, -TD_EMALFORMED },
	{ "version 1", { 0x41, 203, 0, 1, 1, 2, 3, 4 }, 8, -TD_EMALFORMED },
	{ "no SSRC", { 0x80, 203, 0, 0 }, 4, -TD_EMALFORMED },
	{ "bytes left over", { 0x81, 203, 0, 1, 1, 2, 3, 4, 9 }, 9, -TD_EMALFORMED },
};

// RFC 5506: what is refused without an agreement about it, and is fine with one.
START_TEST(reduced_size)
{
	const struct row *row = &reduced_rows[_i];
	struct td_rtcp_summary s;
	uint8_t *exact = malloc(row->len);

	memcpy(exact, row->bytes, row->len);
	ck_assert_msg(td_rtcp_parse(exact, row->len, 0, true, &s) == row->error, "%s", row->what);
	if (row->error == 0 && exact[1] != 201)
		ck_assert_msg(td_rtcp_parse(exact, row->len, 0, false, &s) == -TD_EMALFORMED, "%s",
			      row->what);
	free(exact);
}
END_TEST

START_TEST(reduced_size_is_written)
{
	struct td_rtcp_compound c = { .ssrc = 0x11223344u, .bye = true, .reduced = true };
	uint8_t bytes[TD_RTCP_BUILD_MAX];
	struct td_rtcp_summary s;

	ck_assert_uint_eq(td_rtcp_build(bytes, &c), 8);
	ck_assert_int_eq(td_rtcp_parse(bytes, 8, 0, true, &s), 0);
	ck_assert(s.has_bye);
	ck_assert_uint_eq(s.ssrc, 0x11223344u);
}
END_TEST

START_TEST(ntp_time)
{
	ck_assert(td_rtcp_ntp(0) == 2208988800ull << 32);
	ck_assert(td_rtcp_ntp(1500000000ull) == (2208988801ull << 32 | 0x80000000u));
	ck_assert_uint_eq(td_rtcp_ntp_middle(0x0123456789abcdefull), 0x456789abu);
}
END_TEST

START_TEST(rtt_as_the_figure_in_6_4_1)
{
	// RFC 3550 figure 2: A = 0xb710:8000, LSR = 0xb705:2000, DLSR = 5.25 s: 6.125 s.
	struct td_rtcp_report r = { .lsr = 0xb7052000u, .dlsr = 0x00054000u };

	ck_assert_uint_eq(td_rtcp_rtt_us(0xb7108000u, &r), 6125000u);
	r.lsr = 0;
	ck_assert_uint_eq(td_rtcp_rtt_us(0xb7108000u, &r), 0);
	r.lsr = 0xb7108000u;
	r.dlsr = 1; // the difference is negative
	ck_assert_uint_eq(td_rtcp_rtt_us(0xb7108000u, &r), 0);
	r.dlsr = 0; // no time at all is still known
	ck_assert_uint_eq(td_rtcp_rtt_us(0xb7108000u, &r), 1);
	r.lsr = 0xffffff00u; // the clock wraps in between
	ck_assert_uint_eq(td_rtcp_rtt_us(0x00000100u, &r), 512u * 1000000u / 65536u);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rtcp");
	TCase *tcase = tcase_create("rtcp");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, round_trip, 0, 8);
	tcase_add_test(tcase, cname_of_every_length);
	tcase_add_test(tcase, every_truncation_is_refused);
	tcase_add_loop_test(tcase, appendix_a2, 0, sizeof rows / sizeof rows[0]);
	tcase_add_test(tcase, voip_metrics_byte_by_byte);
	tcase_add_test(tcase, extended_reports_in_a_compound);
	tcase_add_loop_test(tcase, extended_reports_by_table, 0,
			    sizeof xr_rows / sizeof xr_rows[0]);
	tcase_add_loop_test(tcase, reduced_size, 0, sizeof reduced_rows / sizeof reduced_rows[0]);
	tcase_add_test(tcase, reduced_size_is_written);
	tcase_add_test(tcase, ntp_time);
	tcase_add_test(tcase, rtt_as_the_figure_in_6_4_1);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
