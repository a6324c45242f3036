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

// The same by what the difference comes to, of any size.
START_TEST(stepped)
{
	for (uint32_t seed = 0; seed < 1000; seed++) {
		uint64_t removed, added;
		uint16_t before;

		fill(seed);
		before = (uint16_t)~plainly(bytes, 172);
		if (before == 0)
			continue; // no checksum
		removed = td_checksum_add(0, bytes, 20);
		for (int i = 0; i < 20; i++)
			bytes[i] = (uint8_t)(bytes[i] * 5 + 1);
		added = td_checksum_add(0, bytes, 20);
		same((uint16_t)~td_checksum_add_step(before, td_checksum_step(removed, added)),
		     plainly(bytes, 172));
		same((uint16_t)~td_checksum_add_step(before,
						     (0xffffffffull << 8) - removed + added),
		     plainly(bytes, 172));
	}
	ck_assert_uint_eq(td_checksum_add_step(0x1234, 0x1234), 0xffff); // never 0
}
END_TEST

static bool is_right(const uint8_t header[20])
{
	uint64_t words[2];
	uint32_t last;

	memcpy(words, header, 16);
	memcpy(&last, header + 16, 4);
	return td_checksum_is_right20(words[0], words[1], last);
}

// A header with its checksum, and with any one bit of it flipped; those that carry everywhere, too.
START_TEST(header_of_twenty)
{
	for (uint32_t seed = 0; seed < 4000; seed++) {
		uint16_t checksum;

		fill(seed);
		if (seed % 4 == 1)
			memset(bytes, 0xff, 20);
		if (seed % 4 == 2)
			memset(bytes + seed % 16, 0xff, 4);
		bytes[0] = 0x45;
		memset(bytes + 10, 0, 2);
		checksum = (uint16_t)~plainly(bytes, 20);
		memcpy(bytes + 10, &checksum, 2);
		ck_assert(is_right(bytes));
		bytes[seed % 20] ^= (uint8_t)(1u << seed / 20 % 8);
		ck_assert_int_eq(is_right(bytes), plainly(bytes, 20) == 0xffff);
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
	tcase_add_test(tcase, stepped);
	tcase_add_test(tcase, header_of_twenty);
	suite_add_tcase(suite, tcase);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
