// Refusals to take a kernel interface: each names what is wrong and what to do.
#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
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

static int share(const char *device, unsigned queues)
{
	return td_interface_prepare("lan", device, TD_INTERFACE_SHARED, queues, reason,
				    sizeof reason);
}

static void sh(const char *command)
{
	// A test's own fixed text, in a network namespace of its own.
	ck_assert_msg(system(command) == 0, "%s", command); // NOLINT(cert-env33-c)
}

// Who shares an interface changes nothing about it, so it has to be right already.
START_TEST(test_shared)
{
	// The fork of this test alone; without the right to it there is nothing to see.
	if (unshare(CLONE_NEWNET) != 0)
		return;
	sh("ip link add v0 numrxqueues 4 numtxqueues 4 type veth peer name v1 && ethtool -L v0 rx 1 tx 1");
	ck_assert_int_eq(share("lo", 1), -TD_EUNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(reason, "lo is not an Ethernet interface"));
	ck_assert_int_eq(share("v0", 1), -TD_EINVALID);
	ck_assert_ptr_nonnull(strstr(reason, "ip link set v0 up"));
	sh("ip link show v0 | grep -q 'state DOWN'");
	sh("ip link set v0 up && ip link set v1 up");
	ck_assert_uint_eq(td_interface_receive_queues("v0"), 1);
	ck_assert_int_eq(share("v0", 1), 0);
	sh("ip link show v0 | grep -v ALLMULTI | grep -q UP");
	ck_assert_int_eq(share("v0", 2), -TD_EINVALID);
	ck_assert_ptr_nonnull(strstr(reason, "v0 spreads what it receives over 1 queue"));
	sh("ethtool -L v0 rx 3");
	ck_assert_uint_eq(td_interface_receive_queues("v0"), 3);
	ck_assert_int_eq(share("v0", 3), -TD_EUNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(reason, "ethtool -L v0 rx 1 tx 1"));
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
	tcase_add_test(tests, test_shared);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
