// Handles: index and generation never leak into each other, and no live handle is all-zero.
#include <check.h>
#include <stdlib.h>

#include "td_handle.h"

START_TEST(fields_round_trip)
{
	static const uint32_t indexes[] = {
		0, 1, 255, 65536, TD_HANDLE_INDEX_MASK - 1, TD_HANDLE_INDEX_MASK
	};
	static const uint32_t generations[] = { 1, 2, 0x7ff, TD_HANDLE_GENERATION_MAX - 1,
						TD_HANDLE_GENERATION_MAX };

	for (size_t i = 0; i < sizeof indexes / sizeof indexes[0]; i++)
		for (size_t g = 0; g < sizeof generations / sizeof generations[0]; g++) {
			uint32_t handle = td_handle_make(indexes[i], generations[g]);

			ck_assert_uint_eq(td_handle_index(handle), indexes[i]);
			ck_assert_uint_eq(td_handle_generation(handle), generations[g]);
			ck_assert_uint_ne(handle, 0);
		}
}
END_TEST

START_TEST(index_beyond_its_bits_does_not_touch_the_generation)
{
	uint32_t handle = td_handle_make(TD_HANDLE_INDEX_MASK + 1, 5);

	ck_assert_uint_eq(td_handle_generation(handle), 5);
	ck_assert_uint_eq(td_handle_index(handle), 0);
}
END_TEST

// Walks the whole cycle: every generation but 0 comes once, then it starts over.
START_TEST(generation_skips_zero)
{
	uint32_t generation = 1, steps = 0;

	do {
		generation = td_handle_next_generation(generation);
		ck_assert_uint_ne(generation, 0);
		ck_assert_uint_le(generation, TD_HANDLE_GENERATION_MAX);
		steps++;
	} while (generation != 1);
	ck_assert_uint_eq(steps, TD_HANDLE_GENERATION_MAX);
	ck_assert_uint_eq(td_handle_next_generation(0), 1);
	ck_assert_uint_eq(td_handle_next_generation(TD_HANDLE_GENERATION_MAX + 1), 1);
	ck_assert_uint_eq(td_handle_next_generation(UINT32_MAX), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("handle");
	TCase *tcase = tcase_create("handle");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, fields_round_trip);
	tcase_add_test(tcase, index_beyond_its_bits_does_not_touch_the_generation);
	tcase_add_test(tcase, generation_skips_zero);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
