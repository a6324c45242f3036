// Totals over words that wrap: they go on, however often and wherever the words are looked at.
#include <check.h>

#include "media/stream_cold.h"

START_TEST(goes_on_where_the_word_wraps)
{
	struct td_carry carry = { 0 };

	ck_assert(td_carry_update(&carry, 0) == 0);
	ck_assert(td_carry_update(&carry, 0x7fffffffu) == 0x7fffffffu);
	ck_assert(td_carry_update(&carry, 0x7fffffffu) == 0x7fffffffu);
	ck_assert(td_carry_update(&carry, 0x80000000u) == 0x80000000u);
	ck_assert(td_carry_update(&carry, 0xffffffffu) == 0xffffffffu);
	ck_assert(td_carry_update(&carry, 0) == 0x100000000ull);
	ck_assert(td_carry_update(&carry, 5) == 0x100000005ull);
}
END_TEST

// In steps just below 2^31, up to 47 bits, where it begins anew.
START_TEST(counts_to_the_end)
{
	struct td_carry carry = { 0 };
	uint64_t total = 0;

	while (total + 0x7fffffffu < 1ull << 47) {
		total += 0x7fffffffu;
		ck_assert(td_carry_update(&carry, (uint32_t)total) == total);
	}
	total += 0x7fffffffu;
	ck_assert(td_carry_update(&carry, (uint32_t)total) == total - (1ull << 47));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("carry");
	TCase *tcase = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, goes_on_where_the_word_wraps);
	tcase_add_test(tcase, counts_to_the_end);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
