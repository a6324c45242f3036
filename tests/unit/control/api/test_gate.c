// The token and the door: what opens, what closes, for how long, for whom.
#include <check.h>
#include <string.h>

#include "api/gate.h"

#define TOKEN "0123456789abcdef"

static struct td_gate gate;

static struct td_endpoint address(uint8_t last)
{
	return (struct td_endpoint){ .addr = { 127, 0, 0, last }, .family = TD_FAMILY_IPV4 };
}

static enum td_gate_answer try(uint8_t from, const char *token, uint64_t now_ms)
{
	struct td_endpoint source = address(from);
	uint64_t wait_ms;

	return td_gate_try(&gate, &source, token, now_ms, &wait_ms);
}

static void setup(void)
{
	td_gate_init(&gate, TOKEN);
}

START_TEST(test_only_the_token_opens)
{
	static const char *const wrong[] = {
		"",
		"0",
		"0123456789abcde",
		"0123456789abcdef0",
		"0123456789abcdeg",
		"1123456789abcdef",
	};
	char longer[TD_GATE_TOKEN_MAX * 2 + 1];

	ck_assert_int_eq(try(1, TOKEN, 0), TD_GATE_OPEN);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		ck_assert_int_eq(try((uint8_t)(10 + i), wrong[i], 0), TD_GATE_WRONG);
	memset(longer, '0', sizeof longer - 1);
	longer[sizeof longer - 1] = '\0';
	memcpy(longer, TOKEN, strlen(TOKEN));
	ck_assert_int_eq(try(2, longer, 0), TD_GATE_WRONG);
	ck_assert_uint_eq(gate.failures, 7);
}
END_TEST

START_TEST(test_every_byte_of_a_full_length_token_counts)
{
	char token[TD_GATE_TOKEN_MAX + 1];

	memset(token, 'x', TD_GATE_TOKEN_MAX);
	token[TD_GATE_TOKEN_MAX] = '\0';
	td_gate_init(&gate, token);
	for (size_t i = 0; i < TD_GATE_TOKEN_MAX; i++) {
		token[i] = 'y';
		ck_assert_int_eq(try((uint8_t)(i % 60), token, i * TD_GATE_BLOCK_MS * 2),
				 TD_GATE_WRONG);
		token[i] = 'x';
	}
	ck_assert_int_eq(try(200, token, 0), TD_GATE_OPEN);
}
END_TEST

START_TEST(test_a_token_beyond_the_bound_never_opens)
{
	char token[TD_GATE_TOKEN_MAX + 2];

	memset(token, 'x', sizeof token - 1);
	token[sizeof token - 1] = '\0';
	td_gate_init(&gate, token);
	ck_assert_int_eq(try(1, token, 0), TD_GATE_WRONG);
	token[TD_GATE_TOKEN_MAX] = '\0';
	ck_assert_int_eq(try(1, token, 0), TD_GATE_WRONG);
}
END_TEST

START_TEST(test_five_failures_close_the_door)
{
	struct td_endpoint source = address(1);
	uint64_t wait_ms;

	for (uint64_t i = 0; i < TD_GATE_FAILURE_MAX; i++)
		ck_assert_int_eq(try(1, "wrong", 1000 + i), TD_GATE_WRONG);
	ck_assert_int_eq(td_gate_try(&gate, &source, TOKEN, 1005, &wait_ms), TD_GATE_BLOCKED);
	ck_assert_uint_eq(wait_ms, TD_GATE_BLOCK_MS - 1);
	// Only for that address, and not for ever.
	ck_assert_int_eq(try(2, TOKEN, 1005), TD_GATE_OPEN);
	ck_assert_int_eq(try(1, TOKEN, 1004 + TD_GATE_BLOCK_MS - 1), TD_GATE_BLOCKED);
	ck_assert_int_eq(try(1, TOKEN, 1004 + TD_GATE_BLOCK_MS), TD_GATE_OPEN);
	ck_assert_uint_eq(gate.blocked, 2);
}
END_TEST

START_TEST(test_success_forgives)
{
	for (uint64_t i = 0; i < 20; i++) {
		for (int k = 0; k < TD_GATE_FAILURE_MAX - 1; k++)
			ck_assert_int_eq(try(1, "wrong", i), TD_GATE_WRONG);
		ck_assert_int_eq(try(1, TOKEN, i), TD_GATE_OPEN);
	}
}
END_TEST

START_TEST(test_old_failures_are_forgotten)
{
	for (uint64_t i = 0; i < 50; i++)
		ck_assert_int_eq(try(1, "wrong", 1 + i * (TD_GATE_WINDOW_MS / 4 + 1)),
				 TD_GATE_WRONG);
}
END_TEST

// More sources than places: the one whose last failure is oldest is forgotten, nobody else.
START_TEST(test_full_table)
{
	for (int k = 0; k < TD_GATE_FAILURE_MAX; k++)
		for (int i = 0; i < TD_GATE_SOURCE_MAX; i++)
			ck_assert_int_eq(try((uint8_t)(i + 1), "wrong", (uint64_t)(k * 100 + i)),
					 TD_GATE_WRONG);
	ck_assert_int_eq(try(1, TOKEN, 600), TD_GATE_BLOCKED);
	ck_assert_int_eq(try(200, "wrong", 601), TD_GATE_WRONG);
	ck_assert_int_eq(try(1, TOKEN, 602), TD_GATE_OPEN);
	for (int i = 1; i < TD_GATE_SOURCE_MAX; i++)
		ck_assert_int_eq(try((uint8_t)(i + 1), TOKEN, 603), TD_GATE_BLOCKED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gate");
	TCase *tcase = tcase_create("gate");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, test_only_the_token_opens);
	tcase_add_test(tcase, test_every_byte_of_a_full_length_token_counts);
	tcase_add_test(tcase, test_a_token_beyond_the_bound_never_opens);
	tcase_add_test(tcase, test_five_failures_close_the_door);
	tcase_add_test(tcase, test_success_forgives);
	tcase_add_test(tcase, test_old_failures_are_forgotten);
	tcase_add_test(tcase, test_full_table);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
