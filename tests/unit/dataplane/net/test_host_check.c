// What a host says about its ports, addresses and sockets, and whether an interface can be shared.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/host_check.h"

static const struct {
	const char *range, *reserved;
	uint16_t first, last;
	uint16_t expected;
} ports[] = {
	{ "32768\t60999\n", "\n", 20000, 29999, 0 },
	{ "32768\t60999\n", "\n", 20000, 32767, 0 },
	{ "32768\t60999\n", "\n", 20000, 32768, 32768 },
	{ "32768\t60999\n", "\n", 60999, 61001, 60999 },
	{ "32768\t60999\n", "\n", 61000, 65535, 0 },
	{ "32768\t60999\n", "\n", 40000, 40001, 40000 },
	{ "1024\t65535\n", "\n", 20000, 29999, 20000 },
	{ "1024\t65535\n", "20000-29999\n", 20000, 29999, 0 },
	{ "1024\t65535\n", "20001-29999\n", 20000, 29999, 20000 },
	{ "1024\t65535\n", "20000-29998\n", 20000, 29999, 29999 },
	{ "1024\t65535\n", "80,8080,20000-24999,25000-29999,30000\n", 20000, 29999, 0 },
	{ "1024\t65535\n", "20000,20001,20003\n", 20000, 20003, 20002 },
	{ "1024\t65535\n", "nonsense", 65534, 65535, 65534 },
	// A kernel that says nothing has nothing against it.
	{ "", "", 20000, 29999, 0 },
	{ "32768", "", 40000, 40001, 0 },
};

START_TEST(test_kernel_ports)
{
	ck_assert_uint_eq(td_host_port_in_use_by_kernel(ports[_i].range, ports[_i].reserved,
							ports[_i].first, ports[_i].last),
			  ports[_i].expected);
}
END_TEST

// As a little-endian machine's kernel prints them, which is what this test runs on.
static const char udp4[] =
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
	"inode ref pointer drops\n"
	" 1043: 050200C0:5014 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1\n"
	" 1044: 00000000:4E20 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 2\n"
	" 1045: 060200C0:5015 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 3\n"
	" 1046: 0100007F:5016 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4\n"
	" 1047: 050200C0:13C4 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 5\n";
static const char udp6[] =
	"  sl  local_address                         remote_address                        st\n"
	"    7: B80D0120000000000000000005000000:5208 00000000000000000000000000000000:0000 07\n"
	"    8: 00000000000000000000000000000000:5209 00000000000000000000000000000000:0000 07\n"
	"    9: 0000000000000000FFFF00000100007F:520A 00000000000000000000000000000000:0000 07\n"
	"   10: garbage\n";

static unsigned among(const char *text, uint16_t first, uint16_t last, uint16_t *example)
{
	char path[] = "/tmp/td-host-XXXXXX";
	struct td_endpoint addresses[2];
	int fd = mkstemp(path);
	unsigned found;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	ck_assert_int_eq(td_endpoint_parse_addr("192.0.2.5", &addresses[0]), 0);
	ck_assert_int_eq(td_endpoint_parse_addr("2001:db8::5", &addresses[1]), 0);
	found = td_host_sockets_among(path, addresses, 2, first, last, example);
	unlink(path);
	return found;
}

START_TEST(test_sockets)
{
	uint16_t example = 0;

	// Ours and every address; not another address, loopback, or a port below.
	ck_assert_uint_eq(among(udp4, 20000, 29999, &example), 2);
	ck_assert_uint_eq(example, 20000);
	ck_assert_uint_eq(among(udp4, 20001, 29999, &example), 1);
	ck_assert_uint_eq(example, 0x5014);
	ck_assert_uint_eq(among(udp4, 0x5015, 29999, &example), 0);
	ck_assert_uint_eq(among(udp6, 20000, 29999, &example), 2);
	ck_assert_uint_eq(among("", 20000, 29999, &example), 0);
	ck_assert_uint_eq(td_host_sockets_among("/nowhere", NULL, 0, 1, 2, &example), 0);
}
END_TEST

START_TEST(test_addresses)
{
	struct td_endpoint addresses[2];
	char reason[320] = "";

	ck_assert_int_eq(td_endpoint_parse_addr("127.0.0.1", &addresses[0]), 0);
	ck_assert_int_eq(td_endpoint_parse_addr("192.0.2.5", &addresses[1]), 0);
	ck_assert_int_eq(td_host_check_addresses("lan", "lo", addresses, 1, reason, sizeof reason),
			 0);
	ck_assert_int_eq(td_host_check_addresses("lan", "lo", addresses, 2, reason, sizeof reason),
			 -TD_ENOT_FOUND);
	ck_assert_ptr_nonnull(strstr(reason, "port lan"));
	ck_assert_ptr_nonnull(strstr(reason, "192.0.2.5 is no address of interface lo"));
	ck_assert_ptr_nonnull(strstr(reason, "it has 127.0.0.1"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("host_check");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tests, test_kernel_ports, 0, (int)(sizeof ports / sizeof ports[0]));
	tcase_add_test(tests, test_sockets);
	tcase_add_test(tests, test_addresses);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
