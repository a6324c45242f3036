// Handles: every index once, generations that move on, stale ones refused, the pool never grows.
#include <check.h>

#include "base/id_pool.h"

static struct td_id_pool pool;

START_TEST(test_bounds)
{
	ck_assert_int_eq(td_id_pool_init(&pool, 0), -TD_EINVALID);
	ck_assert_int_eq(td_id_pool_init(&pool, TD_HANDLE_INDEX_MASK + 2u), -TD_EINVALID);
	ck_assert_int_eq(td_id_pool_init(&pool, TD_HANDLE_INDEX_MASK + 1u), 0);
	ck_assert_uint_eq(td_id_pool_live_count(&pool), 0);
	td_id_pool_fini(&pool);
}
END_TEST

START_TEST(test_full_and_back)
{
	uint32_t handles[3], extra;

	ck_assert_int_eq(td_id_pool_init(&pool, 3), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(td_id_pool_take(&pool, &handles[i]), 0);
		ck_assert(td_id_pool_holds(&pool, handles[i]));
		ck_assert_uint_ne(handles[i], 0);
		for (int j = 0; j < i; j++)
			ck_assert_uint_ne(td_handle_index(handles[i]), td_handle_index(handles[j]));
	}
	ck_assert_int_eq(td_id_pool_take(&pool, &extra), -TD_EFULL);
	ck_assert_uint_eq(td_id_pool_live_count(&pool), 3);
	ck_assert_int_eq(td_id_pool_give(&pool, handles[1]), 0);
	ck_assert(!td_id_pool_holds(&pool, handles[1]));
	ck_assert_int_eq(td_id_pool_give(&pool, handles[1]), -TD_ESTALE);
	ck_assert_int_eq(td_id_pool_take(&pool, &extra), 0);
	ck_assert_uint_eq(td_handle_index(extra), td_handle_index(handles[1]));
	ck_assert_uint_ne(extra, handles[1]);
	td_id_pool_fini(&pool);
}
END_TEST

START_TEST(test_foreign_handles)
{
	uint32_t handle;

	ck_assert_int_eq(td_id_pool_init(&pool, 4), 0);
	ck_assert_int_eq(td_id_pool_take(&pool, &handle), 0);
	ck_assert(!td_id_pool_holds(&pool, 0));
	ck_assert(!td_id_pool_holds(&pool, td_handle_make(4, 1)));
	ck_assert(!td_id_pool_holds(&pool, td_handle_make(3, 1)));
	ck_assert(!td_id_pool_holds(&pool, handle + (1u << TD_HANDLE_INDEX_BITS)));
	td_id_pool_fini(&pool);
}
END_TEST

// An index rests as long as possible: all others come first.
START_TEST(test_oldest_first)
{
	uint32_t first, handle;

	ck_assert_int_eq(td_id_pool_init(&pool, 5), 0);
	ck_assert_int_eq(td_id_pool_take(&pool, &first), 0);
	ck_assert_int_eq(td_id_pool_give(&pool, first), 0);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(td_id_pool_take(&pool, &handle), 0);
		ck_assert_uint_ne(td_handle_index(handle), td_handle_index(first));
	}
	ck_assert_int_eq(td_id_pool_take(&pool, &handle), 0);
	ck_assert_uint_eq(td_handle_index(handle), td_handle_index(first));
	td_id_pool_fini(&pool);
}
END_TEST

START_TEST(test_generation_wraps_without_zero)
{
	uint32_t handle;

	ck_assert_int_eq(td_id_pool_init(&pool, 1), 0);
	for (uint32_t i = 0; i < 2 * TD_HANDLE_GENERATION_MAX + 3; i++) {
		ck_assert_int_eq(td_id_pool_take(&pool, &handle), 0);
		ck_assert_uint_eq(td_handle_generation(handle), i % TD_HANDLE_GENERATION_MAX + 1);
		ck_assert_int_eq(td_id_pool_give(&pool, handle), 0);
	}
	td_id_pool_fini(&pool);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("id_pool");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, test_bounds);
	tcase_add_test(tests, test_full_and_back);
	tcase_add_test(tests, test_foreign_handles);
	tcase_add_test(tests, test_oldest_first);
	tcase_add_test(tests, test_generation_wraps_without_zero);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
