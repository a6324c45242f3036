// Refusals to take a kernel interface: each names what is wrong and what to do.
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "net/interface.h"

static char reason[320];

START_TEST(test_no_such_interface)
{
	ck_assert_int_eq(td_interface_prepare("lan", "no-such-if0", TD_INTERFACE_AF_PACKET, 1,
					      reason, sizeof reason),
			 -TD_ENOT_FOUND);
	ck_assert_ptr_nonnull(strstr(reason, "port lan"));
	ck_assert_ptr_nonnull(strstr(reason, "\"no-such-if0\""));
	ck_assert_ptr_nonnull(strstr(reason, "ip link"));
}
END_TEST

// The loopback interface has one queue and is always there; whoever may not take it is told why.
START_TEST(test_more_queues_than_there_are)
{
	int error =
		td_interface_prepare("lan", "lo", TD_INTERFACE_AF_XDP, 2, reason, sizeof reason);

	if (error == -TD_EDENIED)
		ck_assert_ptr_nonnull(strstr(reason, "setcap"));
	else if (error == -TD_EUNSUPPORTED)
		ck_assert_ptr_nonnull(strstr(reason, "driver: af_packet"));
	else
		ck_assert_int_eq(error, -TD_EINVALID);
	if (error == -TD_EINVALID)
		ck_assert_ptr_nonnull(strstr(reason, "queues is 2, but interface lo has 1"));
}
END_TEST

START_TEST(test_reason_is_cut_to_its_room)
{
	char small[24];

	memset(small, 'x', sizeof small);
	ck_assert_int_lt(td_interface_prepare("lan", "no-such-if0", TD_INTERFACE_AF_PACKET, 1,
					      small, sizeof small),
			 0);
	ck_assert_uint_eq(strlen(small), sizeof small - 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("interface");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, test_no_such_interface);
	tcase_add_test(tests, test_more_queues_than_there_are);
	tcase_add_test(tests, test_reason_is_cut_to_its_room);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
