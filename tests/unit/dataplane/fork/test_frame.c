// Framing of a fork's socket: what a far end may send, byte by byte.
#include "fork/frame.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *bytes;
	size_t len;
	int result; // of all of it
} rows[] = {
	{ "A\0\4\0\0\0\0\0\1\2\3\4", 12, 12 },
	{ "A\0\4\0\0\0\0\0\1\2\3\4A\0", 14, 12 }, // the next one has begun
	{ "A\0\0\0\0\0\0\0", 8, 8 },
	{ "M\0\4\0\0\0\0\0m-_1", 12, 12 },
	{ "F\0\0\0\0\0\0\0", 8, 8 },
	{ "E\0\0\0\0\0\0\0", 8, 8 },
	{ "A\0\3\0\0\0\0\0\1\2\3", 11, -TD_EMALFORMED },   // half a sample
	{ "A\1\4\0\0\0\0\0\1\2\3\4", 12, -TD_EMALFORMED }, // a track
	{ "A\0\4\0\1\0\0\0\1\2\3\4", 12, -TD_EMALFORMED }, // a position
	{ "M\0\0\0\0\0\0\0", 8, -TD_EMALFORMED },          // no name
	{ "M\0\101\0\0\0\0\0", 8, -TD_EMALFORMED },        // one of 65 bytes
	{ "M\0\2\0\0\0\0\0a ", 10, -TD_EMALFORMED },
	{ "M\0\2\0\0\0\0\0a\177", 10, -TD_EMALFORMED },
	{ "F\0\1\0\0\0\0\0x", 9, -TD_EMALFORMED },
	{ "E\0\1\0\0\0\0\0x", 9, -TD_EMALFORMED },
	{ "H\0\0\0\0\0\0\0", 8, -TD_EMALFORMED }, // ours alone
	{ "X\0\1\0\0\0\0\0m", 9, -TD_EMALFORMED },
	{ "D\0\1\0\0\0\0\0"
	  "5",
	  9, -TD_EMALFORMED },
	{ "O\0\4\0\0\0\0\0\0\0\0\0", 12, -TD_EMALFORMED },
	{ "\0\0\0\0\0\0\0\0", 8, -TD_EMALFORMED },
	{ "GET / HTTP/1.1\r\n", 16, -TD_EMALFORMED },
};

START_TEST(each_row_and_its_beginnings)
{
	struct td_fork_frame frame;
	uint8_t *bytes;

	for (size_t len = 0; len <= rows[_i].len; len++) {
		size_t whole = rows[_i].result > 0 ? (size_t)rows[_i].result : rows[_i].len;
		int result;

		bytes = malloc(len + 1); // so that a sanitizer sees what lies behind
		memcpy(bytes, rows[_i].bytes, len);
		result = td_fork_frame_parse(bytes, len, &frame);
		if (rows[_i].result > 0)
			ck_assert_int_eq(result, len < whole ? 0 : (int)whole);
		else if (len == rows[_i].len)
			ck_assert_int_eq(result, rows[_i].result);
		else
			ck_assert(result == 0 || result == -TD_EMALFORMED);
		free(bytes);
	}
}
END_TEST

// The longest there is, and one that is malformed is refused before its payload is there.
START_TEST(lengths)
{
	static uint8_t bytes[TD_FORK_HEADER_BYTES + TD_FORK_PAYLOAD_MAX] = { 'A', 0, 0xfe, 0xff };
	struct td_fork_frame frame;

	ck_assert_int_eq(td_fork_frame_parse(bytes, 8 + 65533, &frame), 0);
	ck_assert_int_eq(td_fork_frame_parse(bytes, 8 + 65534, &frame), 8 + 65534);
	ck_assert_uint_eq(frame.length, 65534);
	ck_assert_ptr_eq(frame.payload, bytes + 8);
	bytes[2] = 0xff;
	ck_assert_int_eq(td_fork_frame_parse(bytes, 8, &frame), -TD_EMALFORMED);
}
END_TEST

START_TEST(header_is_little_endian)
{
	const struct td_fork_frame frame = {
		.type = 'A', .track = 1, .length = 0x1234, .position = 0x89abcdef
	};
	uint8_t bytes[TD_FORK_HEADER_BYTES];

	td_fork_frame_write_header(bytes, &frame);
	ck_assert_mem_eq(bytes, "A\1\x34\x12\xef\xcd\xab\x89", 8);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("frame");
	TCase *tcase = tcase_create("frame");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, each_row_and_its_beginnings, 0, sizeof rows / sizeof rows[0]);
	tcase_add_test(tcase, lengths);
	tcase_add_test(tcase, header_is_little_endian);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
