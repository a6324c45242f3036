// Spans, hashes and the containers: lists, pools, tables.
#include <check.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/str.h"
#include "base/table.h"

START_TEST(spans)
{
	struct td_str s = TD_STR(" \t Abc;def\r\n ");
	char out[4];

	ck_assert(td_str_equal(td_str_trim(s), TD_STR("Abc;def")));
	ck_assert_uint_eq(td_str_trim(TD_STR(" \r\n\t")).len, 0);
	ck_assert_uint_eq(td_str_trim(TD_STR_NONE).len, 0);
	ck_assert_uint_eq(td_str_find(TD_STR("a;b"), ';'), 1);
	ck_assert_uint_eq(td_str_find(TD_STR("ab"), ';'), 2);
	ck_assert_uint_eq(td_str_find(TD_STR_NONE, ';'), 0);
	ck_assert(td_str_equal(td_str_after(TD_STR("abc"), 1), TD_STR("bc")));
	ck_assert_uint_eq(td_str_after(TD_STR("abc"), 3).len, 0);
	ck_assert_uint_eq(td_str_after(TD_STR("abc"), 4).len, 0);
	ck_assert(td_str_equal(td_str_before(TD_STR("abc"), 9), TD_STR("abc")));
	ck_assert(td_str_equal_nocase(TD_STR("CaLL-id"), TD_STR("Call-ID")));
	ck_assert(!td_str_equal_nocase(TD_STR("Call-ID"), TD_STR("Call-IE")));
	ck_assert(!td_str_equal_nocase(TD_STR("Call"), TD_STR("Call-ID")));
	ck_assert(!td_str_equal_nocase(TD_STR("@"), TD_STR("`"))); // differ in the case bit alone
	ck_assert(td_str_starts(TD_STR("z9hG4bKx"), TD_STR("z9hG4bK")));
	ck_assert(!td_str_starts(TD_STR("z9"), TD_STR("z9hG4bK")));
	ck_assert_int_eq(td_str_copy(TD_STR("abc"), out, sizeof out), 0);
	ck_assert_str_eq(out, "abc");
	ck_assert_int_eq(td_str_copy(TD_STR("abcd"), out, sizeof out), -TD_EFULL);
	ck_assert_str_eq(out, "");
	ck_assert_int_eq(td_str_copy(TD_STR("a\0b"), out, sizeof out), -TD_EMALFORMED);
	ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(numbers)
{
	static const struct {
		const char *text;
		int rc;
		uint32_t value;
	} rows[] = {
		{ "0", 0, 0 },
		{ "0068", 0, 68 },
		{ "4294967295", 0, UINT32_MAX },
		{ "4294967296", -TD_EFULL, UINT32_MAX },
		{ "36893488147419103232", -TD_EFULL, UINT32_MAX },
		{ "99999999999999999999999999999999999", -TD_EFULL, UINT32_MAX },
		{ "", -TD_EMALFORMED, 0 },
		{ "-1", -TD_EMALFORMED, 0 },
		{ "+1", -TD_EMALFORMED, 0 },
		{ " 1", -TD_EMALFORMED, 0 },
		{ "1x", -TD_EMALFORMED, 0 },
		{ "99999999999999x", -TD_EMALFORMED, 0 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint32_t value = 0;

		ck_assert_msg(td_str_to_u32(td_str_from(rows[i].text), &value) == rows[i].rc, "%s",
			      rows[i].text);
		if (rows[i].rc != -TD_EMALFORMED)
			ck_assert_uint_eq(value, rows[i].value);
	}
}
END_TEST

// The vectors of the reference implementation: key 00 01 .. 0f, input 00 01 .. (len - 1).
START_TEST(siphash_vectors)
{
	static const struct {
		size_t len;
		uint64_t hash;
	} rows[] = {
		{ 0, 0x726fdb47dd0e0e31u }, { 1, 0x74f839c593dc67fdu }, { 2, 0x0d6c8009d9a94f5au },
		{ 7, 0xab0200f58b01d137u }, { 8, 0x93f5f5799a932462u }, { 15, 0xa129ca6149be45e5u },
	};
	// SipHash-2-4-128, first vector of vectors_sip128: a3817f04ba25a8e66df67214c7550293
	static const struct td_hash128 empty128 = { 0xe6a825ba047f81a3u, 0x930255c71472f66du };
	uint8_t seed[16], input[16];
	struct td_hash_key key;

	for (uint8_t i = 0; i < 16; i++)
		seed[i] = input[i] = i;
	key = td_hash_key_from(seed);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		ck_assert_uint_eq(td_hash64(&key, input, rows[i].len), rows[i].hash);
	ck_assert_uint_eq(td_hash128(&key, input, 0).a, empty128.a);
	ck_assert_uint_eq(td_hash128(&key, input, 0).b, empty128.b);
}
END_TEST

START_TEST(tokens)
{
	struct td_token_source a, b;
	uint8_t seed[16] = "a seed of 16 byt";
	unsigned seen[8] = { 0 };
	char x[17], y[17];

	td_token_init(&a, seed);
	td_token_init(&b, seed);
	td_token_text(&a, x);
	td_token_text(&b, y);
	ck_assert_str_eq(x, y); // one seed, one stream
	td_token_text(&a, y);
	ck_assert_str_ne(x, y);
	ck_assert_uint_eq(strspn(x, "0123456789abcdef"), 16);
	for (int i = 0; i < 8000; i++)
		seen[td_token_below(&a, 8)]++;
	for (int i = 0; i < 8; i++)
		ck_assert_msg(seen[i] > 850 && seen[i] < 1150, "%d: %u", i, seen[i]);
	ck_assert_uint_eq(td_token_below(&a, 1), 0);
}
END_TEST

struct item {
	struct td_list link;
	int n;
};

START_TEST(lists)
{
	struct td_list head, other, *it, *after;
	struct item items[4];
	int sum = 0;

	td_list_init(&head);
	td_list_init(&other);
	ck_assert(td_list_empty(&head));
	for (int i = 0; i < 4; i++) {
		td_list_init(&items[i].link);
		items[i].n = i;
		td_list_push_back(&head, &items[i].link);
	}
	td_list_remove(&items[1].link);
	td_list_remove(&items[1].link); // twice is harmless
	td_list_push_front(&head, &items[1].link);
	TD_LIST_FOREACH (it, &head)
		sum = sum * 10 + TD_LIST_ENTRY(it, struct item, link)->n;
	ck_assert_int_eq(sum, 1023);
	td_list_splice(&other, &head);
	ck_assert(td_list_empty(&head));
	td_list_splice(&other, &head); // nothing
	TD_LIST_FOREACH_SAFE (it, after, &other)
		td_list_remove(it);
	ck_assert(td_list_empty(&other));
}
END_TEST

START_TEST(pools)
{
	struct td_pool pool;
	uint64_t handles[3], handle;
	void *objects[3];

	ck_assert_int_eq(td_pool_init(&pool, 0, 8), -TD_EINVALID);
	ck_assert_int_eq(td_pool_init(&pool, 8, 0), -TD_EINVALID);
	ck_assert_int_eq(td_pool_init(&pool, 3, 24), 0);
	for (int i = 0; i < 3; i++) {
		objects[i] = td_pool_get(&pool, &handles[i]);
		ck_assert_ptr_nonnull(objects[i]);
		ck_assert_uint_ne(handles[i], 0);
		memset(objects[i], 0xff, 24);
	}
	ck_assert_ptr_null(td_pool_get(&pool, &handle));
	ck_assert_ptr_null(td_pool_get_raw(&pool));
	td_pool_put(&pool, objects[1]);
	ck_assert_ptr_null(td_pool_find(&pool, handles[1]));
	ck_assert_ptr_eq(td_pool_find(&pool, handles[2]), objects[2]);
	ck_assert_ptr_eq(td_pool_get(&pool, &handle), objects[1]);
	ck_assert_uint_eq(((uint8_t *)objects[1])[0], 0);
	ck_assert_uint_ne(handle, handles[1]); // the same place, another generation
	ck_assert_ptr_null(td_pool_find(&pool, handles[1]));
	ck_assert_ptr_null(td_pool_find(&pool, 0));
	ck_assert_ptr_null(td_pool_find(&pool, UINT64_MAX));
	ck_assert_ptr_null(td_pool_find(&pool, (uint64_t)1 << 32 | 3));
	ck_assert_uint_eq(pool.used, 3);
	td_pool_fini(&pool);
}
END_TEST

START_TEST(tables)
{
	struct td_table table;
	struct td_table_node nodes[100] = { 0 };

	ck_assert_int_eq(td_table_init(&table, 10), 0);
	for (uint64_t i = 0; i < 100; i++) // more than buckets, many in one
		td_table_add(&table, &nodes[i], (struct td_hash128){ i / 10, i });
	ck_assert_uint_eq(table.count, 100);
	for (uint64_t i = 0; i < 100; i++)
		ck_assert_ptr_eq(td_table_find(&table, (struct td_hash128){ i / 10, i }),
				 &nodes[i]);
	ck_assert_ptr_null(td_table_find(&table, (struct td_hash128){ 0, 11 }));
	for (uint64_t i = 0; i < 100; i += 2)
		td_table_remove(&table, &nodes[i]);
	td_table_remove(&table, &nodes[0]);
	ck_assert_uint_eq(table.count, 50);
	for (uint64_t i = 0; i < 100; i++)
		ck_assert_ptr_eq(td_table_find(&table, (struct td_hash128){ i / 10, i }),
				 i % 2 ? &nodes[i] : NULL);
	td_table_fini(&table);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base/text");
	TCase *tc = tcase_create("text");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, spans);
	tcase_add_test(tc, numbers);
	tcase_add_test(tc, siphash_vectors);
	tcase_add_test(tc, tokens);
	tcase_add_test(tc, lists);
	tcase_add_test(tc, pools);
	tcase_add_test(tc, tables);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
