// The ordered set against a sorted array, for every operation.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "acd/order.h"

#define MEMBERS 200

static struct td_acd_node nodes[MEMBERS];
static struct td_acd_order order;

static uint32_t random_state = 1;

static uint32_t next_random(void)
{
	random_state = random_state * 1664525u + 1013904223u;
	return random_state >> 8;
}

static void setup(void)
{
	memset(nodes, 0, sizeof nodes);
	td_acd_order_init(&order);
}

// Every member's rank is the number of members before it, and walking visits them in that order.
static void check_against_brute_force(void)
{
	uint32_t count = 0, walked = 0;

	for (uint32_t i = 0; i < MEMBERS; i++) {
		uint32_t before = 0;

		if (!td_acd_order_has(nodes, i))
			continue;
		count++;
		for (uint32_t j = 0; j < MEMBERS; j++)
			before += td_acd_order_has(nodes, j) &&
				  td_acd_node_before(&nodes[j], &nodes[i]);
		ck_assert_uint_eq(td_acd_order_rank(nodes, i), before);
		if (before == 0)
			ck_assert_uint_eq(order.first, i);
	}
	ck_assert_uint_eq(td_acd_order_count(&order, nodes), count);
	for (uint32_t i = order.first; i != TD_ACD_NIL; i = td_acd_order_next(nodes, i))
		ck_assert_uint_eq(td_acd_order_rank(nodes, i), walked++);
	ck_assert_uint_eq(walked, count);
}

START_TEST(empty)
{
	ck_assert_uint_eq(order.first, TD_ACD_NIL);
	ck_assert_uint_eq(td_acd_order_count(&order, nodes), 0);
}
END_TEST

START_TEST(equal_keys_go_by_tie)
{
	td_acd_order_insert(&order, nodes, 5, 100, 7);
	td_acd_order_insert(&order, nodes, 3, 100, 9);
	td_acd_order_insert(&order, nodes, 9, 100, 8);
	ck_assert_uint_eq(order.first, 5);
	ck_assert_uint_eq(td_acd_order_next(nodes, 5), 9);
	ck_assert_uint_eq(td_acd_order_next(nodes, 9), 3);
	ck_assert_uint_eq(td_acd_order_next(nodes, 3), TD_ACD_NIL);
	ck_assert_uint_eq(td_acd_order_rank(nodes, 3), 2);
}
END_TEST

START_TEST(random_inserts_and_removals)
{
	for (int round = 0; round < 4000; round++) {
		uint32_t i = next_random() % MEMBERS;

		if (td_acd_order_has(nodes, i))
			td_acd_order_remove(&order, nodes, i);
		else
			td_acd_order_insert(&order, nodes, i, next_random() % 50, i);
		if (round % 16 == 0)
			check_against_brute_force();
	}
	check_against_brute_force();
}
END_TEST

static uint32_t depth_of(uint32_t index)
{
	uint32_t left, right;

	if (index == TD_ACD_NIL)
		return 0;
	left = depth_of(nodes[index].left);
	right = depth_of(nodes[index].right);
	return 1 + (left > right ? left : right);
}

// Ascending keys are what a queue sees: the tree has to stay flat all the same.
START_TEST(ascending_keys_stay_flat)
{
	for (uint32_t i = 0; i < MEMBERS; i++)
		td_acd_order_insert(&order, nodes, i, i, i);
	ck_assert_uint_lt(depth_of(order.root), 30);
	while (order.first != TD_ACD_NIL)
		td_acd_order_remove(&order, nodes, order.first);
	ck_assert_uint_eq(order.root, TD_ACD_NIL);
}
END_TEST

// The shape is a function of the members, not of the order in which they came.
START_TEST(shape_depends_on_members_only)
{
	static struct td_acd_node first[MEMBERS];
	uint32_t root;

	for (uint32_t i = 0; i < MEMBERS; i++)
		td_acd_order_insert(&order, nodes, i, i * 37 % 101, i);
	memcpy(first, nodes, sizeof nodes);
	root = order.root;
	setup();
	for (uint32_t i = MEMBERS; i-- > 0;)
		td_acd_order_insert(&order, nodes, i, i * 37 % 101, i);
	ck_assert_uint_eq(order.root, root);
	for (uint32_t i = 0; i < MEMBERS; i++)
		ck_assert_uint_eq(nodes[i].parent, first[i].parent);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("acd/order");
	TCase *tc = tcase_create("order");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, empty);
	tcase_add_test(tc, equal_keys_go_by_tie);
	tcase_add_test(tc, random_inserts_and_removals);
	tcase_add_test(tc, ascending_keys_stay_flat);
	tcase_add_test(tc, shape_depends_on_members_only);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
