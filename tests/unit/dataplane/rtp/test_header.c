// RTP headers: shapes by table, and every truncation of them.
#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "rtp/header.h"

struct row {
	const char *what;
	uint8_t bytes[48];
	size_t len;
	int error;
	uint16_t offset, payload_len;
};

#define HEAD(first) first, 0x80, 0x12, 0x34, 1, 2, 3, 4, 5, 6, 7, 8

static const struct row rows[] = {
	{ "plain, four bytes of payload", { HEAD(0x80), 1, 2, 3, 4 }, 16, 0, 12, 4 },
	{ "no payload", { HEAD(0x80) }, 12, 0, 12, 0 },
	{ "eleven bytes", { HEAD(0x80) }, 11, -TD_ETRUNCATED, 0, 0 },
	{ "nothing", { 0 }, 0, -TD_ETRUNCATED, 0, 0 },
	{ "version 0", { HEAD(0x00) }, 12, -TD_EVERSION, 0, 0 },
	{ "version 1", { HEAD(0x40) }, 12, -TD_EVERSION, 0, 0 },
	{ "version 3", { HEAD(0xc0) }, 12, -TD_EVERSION, 0, 0 },
	{ "two CSRCs", { HEAD(0x82), 0, 0, 0, 1, 0, 0, 0, 2, 9 }, 21, 0, 20, 1 },
	{ "two CSRCs announced, one and a half there",
	  { HEAD(0x82), 0, 0, 0, 1, 0, 0 },
	  18,
	  -TD_EMALFORMED,
	  0,
	  0 },
	{ "extension of one word",
	  { HEAD(0x90), 0xbe, 0xde, 0, 1, 1, 2, 3, 4, 7, 7 },
	  22,
	  0,
	  20,
	  2 },
	{ "empty extension", { HEAD(0x90), 0xbe, 0xde, 0, 0, 7 }, 17, 0, 16, 1 },
	{ "extension header cut", { HEAD(0x90), 0xbe, 0xde, 0 }, 15, -TD_EMALFORMED, 0, 0 },
	{ "extension longer than the datagram",
	  { HEAD(0x90), 0xbe, 0xde, 0, 2, 1, 2, 3, 4 },
	  20,
	  -TD_EMALFORMED,
	  0,
	  0 },
	{ "extension of 65,535 words",
	  { HEAD(0x90), 0xbe, 0xde, 0xff, 0xff, 1, 2, 3, 4 },
	  20,
	  -TD_EMALFORMED,
	  0,
	  0 },
	{ "padding of two", { HEAD(0xa0), 5, 0, 2 }, 15, 0, 12, 1 },
	{ "padding and nothing else", { HEAD(0xa0), 0, 2 }, 14, 0, 12, 0 },
	{ "padding one too long", { HEAD(0xa0), 0, 3 }, 14, -TD_ECORRUPT, 0, 0 },
	{ "padding of zero", { HEAD(0xa0), 5, 0 }, 14, -TD_ECORRUPT, 0, 0 },
	{ "padding without a byte for it", { HEAD(0xa0) }, 12, -TD_ECORRUPT, 0, 0 },
	{ "CSRC, extension and padding",
	  { HEAD(0xb1), 0, 0, 0, 1, 0, 0, 0, 1, 9, 9, 9, 9, 5, 6, 7, 0, 2 },
	  29,
	  0,
	  24,
	  3 },
};

START_TEST(table)
{
	const struct row *row = &rows[_i];
	struct td_rtp_header header;
	uint8_t *exact = malloc(row->len ? row->len : 1);

	memcpy(exact, row->bytes, row->len);
	ck_assert_msg(td_rtp_parse(exact, row->len, &header) == row->error, "%s", row->what);
	if (row->error == 0) {
		ck_assert_msg(header.payload_offset == row->offset, "%s", row->what);
		ck_assert_msg(header.payload_len == row->payload_len, "%s", row->what);
		ck_assert_uint_eq(header.sequence, 0x1234);
		ck_assert_uint_eq(header.timestamp, 0x01020304);
		ck_assert_uint_eq(header.ssrc, 0x05060708);
		ck_assert_uint_eq(header.payload_type, 0);
		ck_assert_uint_eq(header.marker, 1);
	}
	free(exact);
}
END_TEST

START_TEST(truncation_never_reads_or_claims_beyond)
{
	const struct row *row = &rows[_i];

	for (size_t len = 0; len <= row->len; len++) {
		struct td_rtp_header header;
		uint8_t *exact = malloc(len ? len : 1);

		memcpy(exact, row->bytes, len);
		if (td_rtp_parse(exact, len, &header) == 0)
			ck_assert_uint_le((size_t)header.payload_offset + header.payload_len, len);
		free(exact);
	}
}
END_TEST

START_TEST(short_and_long_way_agree)
{
	uint8_t bytes[20] = { 0x80 };

	for (unsigned second = 0; second < 256; second++) {
		struct td_rtp_header fast, full;

		bytes[1] = (uint8_t)second;
		ck_assert_int_eq(td_rtp_parse(bytes, sizeof bytes, &fast), 0);
		ck_assert_int_eq(td_rtp_parse_full(bytes, sizeof bytes, &full), 0);
		ck_assert_mem_eq(&fast, &full, sizeof fast);
	}
}
END_TEST

START_TEST(write_then_parse)
{
	uint8_t bytes[TD_RTP_HEADER_BYTES];
	struct td_rtp_header header;

	td_rtp_write(bytes, 101, 1, 65535, 0xfffffff0u, 0x80000001u);
	ck_assert_int_eq(td_rtp_parse(bytes, sizeof bytes, &header), 0);
	ck_assert_uint_eq(header.payload_type, 101);
	ck_assert_uint_eq(header.marker, 1);
	ck_assert_uint_eq(header.sequence, 65535);
	ck_assert_uint_eq(header.timestamp, 0xfffffff0u);
	ck_assert_uint_eq(header.ssrc, 0x80000001u);
}
END_TEST

START_TEST(rtcp_by_second_byte)
{
	for (unsigned byte = 0; byte < 256; byte++)
		ck_assert_int_eq(td_rtp_is_rtcp((uint8_t)byte) != 0, byte >= 192 && byte <= 223);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rtp header");
	TCase *tcase = tcase_create("header");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, table, 0, sizeof rows / sizeof rows[0]);
	tcase_add_loop_test(tcase, truncation_never_reads_or_claims_beyond, 0,
			    sizeof rows / sizeof rows[0]);
	tcase_add_test(tcase, short_and_long_way_agree);
	tcase_add_test(tcase, write_then_parse);
	tcase_add_test(tcase, rtcp_by_second_byte);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
