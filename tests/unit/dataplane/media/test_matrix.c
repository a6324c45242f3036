// The gain matrix by itself: bounds, holes, and the rule, against a dense one.
#include "oracle.h"

#include <stdlib.h>
#include <string.h>

#include <check.h>

#include "media/matrix.h"

static struct td_matrix matrix;

static void setup(void)
{
	memset(&matrix, 0, sizeof matrix);
}

static void teardown(void)
{
	td_matrix_fini(&matrix);
}

static uint32_t add(uint32_t feed)
{
	uint32_t slot;

	ck_assert_int_eq(td_matrix_add(&matrix, TD_MEMBER_STREAM, feed, &slot), 0);
	return slot;
}

START_TEST(members_are_bounded)
{
	uint32_t slot = 77;

	for (uint32_t i = 0; i < TD_MEMBER_MAX; i++)
		ck_assert_msg(add(i) == i, "member %u", i);
	ck_assert_int_eq(td_matrix_add(&matrix, TD_MEMBER_STREAM, 1, &slot), -TD_EFULL);
	ck_assert_uint_eq(slot, 77);
	ck_assert_uint_eq(matrix.slots, TD_MEMBER_MAX);
	ck_assert_uint_eq(matrix.member_count, TD_MEMBER_MAX);
	td_matrix_remove(&matrix, 5000);
	ck_assert_uint_eq(add(9), 5000); // the one hole there is
	ck_assert_int_eq(td_matrix_add(&matrix, TD_MEMBER_STREAM, 1, &slot), -TD_EFULL);
}
END_TEST

START_TEST(cells_are_bounded)
{
	const uint32_t side = 257; // more than the square root
	uint32_t count = 0, from = 0, to = 0;

	for (uint32_t i = 0; i < side; i++)
		add(i);
	for (; count < TD_MATRIX_CELL_MAX; count++) {
		from = count % side;
		to = count / side;
		ck_assert_int_eq(td_matrix_set(&matrix, from, to, 1000), 0);
	}
	ck_assert_uint_eq(matrix.cell_count, TD_MATRIX_CELL_MAX);
	ck_assert_int_eq(td_matrix_set(&matrix, 256, 256, 1), -TD_EFULL);
	ck_assert_int_eq(td_matrix_heard(&matrix, 256, 256), 0);
	// One that is there can still be changed, one that is not can still follow.
	ck_assert_int_eq(td_matrix_set(&matrix, from, to, 2000), 0);
	ck_assert_int_eq(td_matrix_heard(&matrix, from, to), 2000);
	ck_assert_int_eq(td_matrix_set(&matrix, 256, 256, TD_GAIN_FOLLOW), 0);
	ck_assert_int_eq(td_matrix_set(&matrix, 3, 3, TD_GAIN_FOLLOW), 0);
	ck_assert_int_eq(td_matrix_set(&matrix, 256, 256, 1), 0);
	ck_assert_uint_eq(matrix.cell_count, TD_MATRIX_CELL_MAX);
}
END_TEST

START_TEST(holes_are_used_again_and_begin_empty)
{
	for (uint32_t i = 0; i < 6; i++)
		add(i);
	for (uint32_t i = 0; i < 6; i++) {
		ck_assert_int_eq(td_matrix_set(&matrix, 2, i, 100), 0);
		ck_assert_int_eq(td_matrix_set(&matrix, i, 2, 200), 0);
		ck_assert_int_eq(td_matrix_set(&matrix, i, TD_SLOT_NONE, TD_GAIN_UNITY), 0);
		ck_assert_int_eq(td_matrix_set(&matrix, TD_SLOT_NONE, i, TD_GAIN_UNITY), 0);
	}
	ck_assert_uint_eq(matrix.cell_count, 11);
	td_matrix_remove(&matrix, 2);
	ck_assert_uint_eq(matrix.cell_count, 0);
	ck_assert_uint_eq(matrix.slots, 6);
	ck_assert_uint_eq(matrix.member_count, 5);
	ck_assert_uint_eq(add(77), 2);
	for (uint32_t i = 0; i < 6; i++) {
		ck_assert_int_eq(td_matrix_heard(&matrix, 2, i), 0);
		ck_assert_int_eq(td_matrix_heard(&matrix, i, 2), 0);
	}
	ck_assert_uint_eq(matrix.members[2].feed, 77);
	// The last ones give their slots back.
	td_matrix_remove(&matrix, 4);
	ck_assert_uint_eq(matrix.slots, 6);
	td_matrix_remove(&matrix, 5);
	ck_assert_uint_eq(matrix.slots, 4);
	for (uint32_t i = 0; i < 4; i++)
		td_matrix_remove(&matrix, i);
	ck_assert_uint_eq(matrix.slots, 0);
	ck_assert_uint_eq(matrix.member_count, 0);
	ck_assert_uint_eq(add(1), 0);
}
END_TEST

START_TEST(to_follow_is_not_to_be_silent)
{
	add(0);
	add(1);
	ck_assert_int_eq(td_matrix_set(&matrix, 0, TD_SLOT_NONE, TD_GAIN_UNITY / 2), 0);
	ck_assert_int_eq(td_matrix_set(&matrix, TD_SLOT_NONE, 1, TD_GAIN_UNITY / 2), 0);
	ck_assert_int_eq(td_matrix_heard(&matrix, 0, 1), TD_GAIN_UNITY / 4);
	ck_assert_int_eq(td_matrix_heard(&matrix, 1, 0), 0);
	ck_assert_int_eq(td_matrix_set(&matrix, 0, 1, 0), 0);
	ck_assert_int_eq(td_matrix_heard(&matrix, 0, 1), 0);
	ck_assert_int_eq(td_matrix_set(&matrix, 0, 1, TD_GAIN_MAX), 0);
	ck_assert_int_eq(td_matrix_heard(&matrix, 0, 1), TD_GAIN_MAX);
	ck_assert_int_eq(td_matrix_set(&matrix, 0, 1, TD_GAIN_FOLLOW), 0);
	ck_assert_int_eq(td_matrix_heard(&matrix, 0, 1), TD_GAIN_UNITY / 4);
	// The floor never gives anybody itself, a cell may.
	ck_assert_int_eq(td_matrix_set(&matrix, TD_SLOT_NONE, 0, TD_GAIN_UNITY), 0);
	ck_assert_int_eq(td_matrix_heard(&matrix, 0, 0), 0);
	ck_assert_int_eq(td_matrix_set(&matrix, 0, 0, 5), 0);
	ck_assert_int_eq(td_matrix_heard(&matrix, 0, 0), 5);
	// Off the floor again: a level has nothing to follow.
	ck_assert_int_eq(td_matrix_set(&matrix, 0, TD_SLOT_NONE, TD_GAIN_FOLLOW), 0);
	ck_assert_int_eq(td_matrix_heard(&matrix, 0, 1), 0);
}
END_TEST

START_TEST(loudest_and_faintest)
{
	add(0);
	add(1);
	ck_assert_int_eq(td_matrix_set(&matrix, 0, TD_SLOT_NONE, TD_GAIN_MAX), 0);
	ck_assert_int_eq(td_matrix_set(&matrix, TD_SLOT_NONE, 1, TD_GAIN_MAX), 0);
	ck_assert_int_eq(td_matrix_heard(&matrix, 0, 1), 262128); // 32767 * 32767 / 4096
	ck_assert_int_eq(td_matrix_set(&matrix, 0, TD_SLOT_NONE, 1), 0);
	ck_assert_int_eq(td_matrix_set(&matrix, TD_SLOT_NONE, 1, 4095), 0);
	ck_assert_int_eq(td_matrix_heard(&matrix, 0, 1), 0);
}
END_TEST

START_TEST(copies_share_nothing)
{
	struct td_matrix copy;

	ck_assert_int_eq(td_matrix_copy(&matrix, &copy), 0); // an empty one
	td_matrix_fini(&copy);
	add(0);
	add(1);
	ck_assert_int_eq(td_matrix_set(&matrix, 0, 1, 7), 0);
	ck_assert_int_eq(td_matrix_copy(&matrix, &copy), 0);
	ck_assert_int_eq(td_matrix_set(&copy, 0, 1, 8), 0);
	ck_assert_int_eq(td_matrix_set(&copy, 1, 0, 9), 0);
	td_matrix_remove(&copy, 0);
	ck_assert_int_eq(td_matrix_heard(&matrix, 0, 1), 7);
	ck_assert_int_eq(td_matrix_heard(&matrix, 1, 0), 0);
	ck_assert_uint_eq(matrix.member_count, 2);
	td_matrix_fini(&copy);
}
END_TEST

static struct td_member member_at(uint32_t slot)
{
	if (slot == ORACLE_MAX)
		return (struct td_member){ TD_MEMBER_FLOOR, 0 };
	return (struct td_member){ matrix.members[slot].kind, matrix.members[slot].feed };
}

static bool lives(uint32_t slot)
{
	return slot < matrix.slots && matrix.members[slot].kind != TD_MEMBER_NONE;
}

// xorshift (Marsaglia 2003): the same numbers in every run.
static uint32_t next_random(void)
{
	static uint32_t state = 2463534242u;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

// Whatever is set and removed in whatever order, cells lie sorted and say what a dense matrix says.
START_TEST(as_a_dense_one_says)
{
	static const int32_t gains[] = { 0, 1, TD_GAIN_UNITY, TD_GAIN_MAX, TD_GAIN_FOLLOW, 77 };
	struct oracle oracle;
	uint32_t feed = 0;

	oracle_init(&oracle);
	for (unsigned step = 0; step < 20000; step++) {
		uint32_t from = next_random() % (ORACLE_MAX + 1u);
		uint32_t to = next_random() % (ORACLE_MAX + 1u);
		struct td_cell cell = { .gain_q12 = gains[next_random() % 6u] };

		if (next_random() % 10u == 0 && matrix.member_count < ORACLE_MAX) {
			(void)add(++feed);
			ck_assert_uint_ne(oracle_add(&oracle, TD_MEMBER_STREAM, feed), ORACLE_NONE);
		} else if (next_random() % 12u == 0 && lives(from)) {
			oracle_remove(&oracle, TD_MEMBER_STREAM, matrix.members[from].feed);
			td_matrix_remove(&matrix, from);
		} else if ((from == ORACLE_MAX || lives(from)) && (to == ORACLE_MAX || lives(to)) &&
			   from + to < 2 * ORACLE_MAX) {
			cell.from = member_at(from);
			cell.to = member_at(to);
			ck_assert_int_eq(oracle_edit(&oracle, &cell, 1), 0);
			ck_assert_int_eq(
				td_matrix_set(&matrix, from == ORACLE_MAX ? TD_SLOT_NONE : from,
					      to == ORACLE_MAX ? TD_SLOT_NONE : to, cell.gain_q12),
				0);
		}
		for (uint32_t i = 1; i < matrix.cell_count; i++)
			if (matrix.cells[i - 1].to > matrix.cells[i].to ||
			    (matrix.cells[i - 1].to == matrix.cells[i].to &&
			     matrix.cells[i - 1].from >= matrix.cells[i].from))
				ck_abort_msg("cells %u and %u are out of order", i - 1, i);
		for (from = 0; from < matrix.slots; from++)
			for (to = 0; to < matrix.slots; to++) {
				uint32_t a, b;

				if (!lives(from) || !lives(to))
					continue;
				a = oracle_find(&oracle, TD_MEMBER_STREAM,
						matrix.members[from].feed);
				b = oracle_find(&oracle, TD_MEMBER_STREAM, matrix.members[to].feed);
				if (td_matrix_heard(&matrix, from, to) !=
				    oracle_says(&oracle, a, b))
					ck_abort_msg("step %u: %u to %u", step, from, to);
			}
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("matrix");
	TCase *tcase = tcase_create("matrix");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, members_are_bounded);
	tcase_add_test(tcase, cells_are_bounded);
	tcase_add_test(tcase, holes_are_used_again_and_begin_empty);
	tcase_add_test(tcase, to_follow_is_not_to_be_silent);
	tcase_add_test(tcase, loudest_and_faintest);
	tcase_add_test(tcase, copies_share_nothing);
	tcase_add_test(tcase, as_a_dense_one_says);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
