// Sums of every length and alignment beside the plainest way to add, and checksums changed word by
// word beside ones made anew.
#include <check.h>
#include <stdlib.h>

#include "net/checksum.h"

#define ROOM 300

static uint8_t bytes[ROOM + 64];

static void fill(uint32_t seed)
{
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
}

// RFC 1071 section 4.1, sixteen bits at a time.
static uint16_t plainly(const uint8_t *at, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)at[i] | (i + 1 < len ? (uint32_t)at[i + 1] << 8 : 0);
	while (sum >> 16)
		sum = (sum & 0xffffu) + (sum >> 16);
	return (uint16_t)sum;
}

// 0xffff and 0 are the same sum.
static void same(uint16_t a, uint16_t b)
{
	ck_assert_uint_eq(a == 0xffffu ? 0 : a, b == 0xffffu ? 0 : b);
}

START_TEST(every_length)
{
	for (size_t len = 0; len <= ROOM; len++) {
		fill((uint32_t)(len * 64u + (unsigned)_i));
		same(td_checksum_fold(td_checksum_add(0, bytes + _i, len)),
		     plainly(bytes + _i, len));
	}
}
END_TEST

// Bytes that carry out of every place.
START_TEST(all_ones)
{
	memset(bytes, 0xff, sizeof bytes);
	for (size_t len = 0; len <= ROOM; len += 2)
		ck_assert_uint_eq(td_checksum_fold(td_checksum_add(0, bytes, len)),
				  len == 0 ? 0 : 0xffff);
}
END_TEST

// In pieces of even length, on top of what was there.
START_TEST(in_pieces)
{
	fill(7);
	for (size_t at = 0; at <= ROOM; at += 2) {
		uint64_t sum = td_checksum_add(0x12345, bytes, at);

		same(td_checksum_fold(td_checksum_add(sum, bytes + at, ROOM - at)),
		     td_checksum_fold(0x12345u + (uint64_t)plainly(bytes, ROOM)));
	}
}
END_TEST

START_TEST(adjusted)
{
	for (uint32_t seed = 0; seed < 1000; seed++) {
		uint16_t before, after;
		uint64_t removed;

		fill(seed);
		before = (uint16_t)~plainly(bytes, 172);
		removed = td_checksum_add(0, bytes + 4, 8);
		for (int i = 4; i < 12; i++)
			bytes[i] = (uint8_t)(bytes[i] * 5 + 1);
		after = td_checksum_adjust(before, removed, td_checksum_add(0, bytes + 4, 8));
		same((uint16_t)~after, plainly(bytes, 172));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("net checksum");
	TCase *tcase = tcase_create("checksum");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, every_length, 0, 64);
	tcase_add_test(tcase, all_ones);
	tcase_add_test(tcase, in_pieces);
	tcase_add_test(tcase, adjusted);
	suite_add_tcase(suite, tcase);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
