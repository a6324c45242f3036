// Memory that is there only where somebody has touched it, and keeps what is in it when touched again.
#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "base/pages.h"

#define PAGE  4096u
#define PAGES 16u // too few for a huge one

static uint8_t *memory;

static void setup(void)
{
	memory = td_pages_take(PAGES * PAGE);
	ck_assert_ptr_nonnull(memory);
}

static void teardown(void)
{
	td_pages_give(memory, PAGES * PAGE);
}

static bool is_there(uint32_t page)
{
	unsigned char there = 0;

	ck_assert_int_eq(mincore(memory + page * PAGE, PAGE, &there), 0);
	return there & 1;
}

START_TEST(nothing_is_there_untouched)
{
	for (uint32_t i = 0; i < PAGES; i++)
		ck_assert(!is_there(i));
}
END_TEST

// All pages that the bytes lie on, and no other one.
START_TEST(touches_what_it_is_told)
{
	td_pages_touch(memory + 2 * PAGE + 100, 1);
	td_pages_touch(memory + 5 * PAGE - 1, 2 * PAGE + 2);
	for (uint32_t i = 0; i < PAGES; i++)
		ck_assert_int_eq(is_there(i), i == 2 || (i >= 4 && i <= 7));
}
END_TEST

START_TEST(leaves_bytes_as_they_are)
{
	memset(memory, 0xa5, PAGES * PAGE);
	td_pages_touch(memory + 10, 3 * PAGE);
	for (uint32_t i = 0; i < PAGES * PAGE; i++)
		ck_assert_uint_eq(memory[i], 0xa5);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pages");
	TCase *tcase = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, nothing_is_there_untouched);
	tcase_add_test(tcase, touches_what_it_is_told);
	tcase_add_test(tcase, leaves_bytes_as_they_are);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
