// Endpoints: what parses, what is refused, how they read, when they are the same.
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "td_endpoint.h"
#include "td_error.h"

static const struct {
	const char *text;
	int result;
	enum td_family family;
	const char *shown; // with port 5060
} rows[] = {
	{ "10.77.0.1", 0, TD_FAMILY_IPV4, "10.77.0.1:5060" },
	{ "0.0.0.0", 0, TD_FAMILY_IPV4, "0.0.0.0:5060" },
	{ "255.255.255.255", 0, TD_FAMILY_IPV4, "255.255.255.255:5060" },
	{ "::", 0, TD_FAMILY_IPV6, "[::]:5060" },
	{ "fd77::2", 0, TD_FAMILY_IPV6, "[fd77::2]:5060" },
	{ "FD77:0:0::2", 0, TD_FAMILY_IPV6, "[fd77::2]:5060" },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", 0, TD_FAMILY_IPV6,
	  "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:5060" },
	{ "::ffff:192.0.2.1", 0, TD_FAMILY_IPV6, "[::ffff:192.0.2.1]:5060" },
	{ "", -TD_EMALFORMED, TD_FAMILY_NONE, NULL },
	{ "10.77.0", -TD_EMALFORMED, TD_FAMILY_NONE, NULL },
	{ "10.77.0.256", -TD_EMALFORMED, TD_FAMILY_NONE, NULL },
	{ "10.77.0.1:5060", -TD_EMALFORMED, TD_FAMILY_NONE, NULL },
	{ "10.77.0.1 ", -TD_EMALFORMED, TD_FAMILY_NONE, NULL },
	{ " 10.77.0.1", -TD_EMALFORMED, TD_FAMILY_NONE, NULL },
	{ "010.077.0.1", -TD_EMALFORMED, TD_FAMILY_NONE, NULL },
	{ "0x0a.1.1.1", -TD_EMALFORMED, TD_FAMILY_NONE, NULL },
	{ "[::1]", -TD_EMALFORMED, TD_FAMILY_NONE, NULL },
	{ "fe80::1%eth0", -TD_EMALFORMED, TD_FAMILY_NONE, NULL },
	{ "1::2::3", -TD_EMALFORMED, TD_FAMILY_NONE, NULL },
	{ "localhost", -TD_EMALFORMED, TD_FAMILY_NONE, NULL },
};

START_TEST(parse)
{
	struct td_endpoint ep;
	char text[TD_ENDPOINT_TEXT_MAX];

	memset(&ep, 0xa5, sizeof ep);
	ck_assert_msg(td_endpoint_parse_addr(rows[_i].text, &ep) == rows[_i].result, "%s",
		      rows[_i].text);
	ck_assert_int_eq(ep.family, rows[_i].family);
	ck_assert_uint_eq(ep.port_be, 0);
	ck_assert_uint_eq(ep.reserved, 0);
	if (rows[_i].result == 0) {
		ep.port_be = htons(5060);
		ck_assert_str_eq(td_endpoint_text(&ep, text), rows[_i].shown);
	}
	if (ep.family == TD_FAMILY_IPV4)
		for (size_t i = 4; i < sizeof ep.addr; i++)
			ck_assert_uint_eq(ep.addr[i], 0);
}
END_TEST

START_TEST(text_of_nothing)
{
	struct td_endpoint ep = { 0 };
	char text[TD_ENDPOINT_TEXT_MAX];

	ck_assert_str_eq(td_endpoint_text(&ep, text), "none");
	ep.family = 77;
	ck_assert_str_eq(td_endpoint_text(&ep, text), "none");
}
END_TEST

// The longest text there is fits, with its NUL as the last byte used.
START_TEST(longest_text_fits)
{
	struct td_endpoint ep;
	char text[TD_ENDPOINT_TEXT_MAX];

	ck_assert_int_eq(
		td_endpoint_parse_addr("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", &ep), 0);
	memset(ep.addr, 0xff, sizeof ep.addr);
	ep.port_be = htons(65535);
	td_endpoint_text(&ep, text);
	ck_assert_str_eq(text, "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}
END_TEST

START_TEST(same_and_equal)
{
	struct td_endpoint a, b, six;

	ck_assert_int_eq(td_endpoint_parse_addr("10.0.0.1", &a), 0);
	b = a;
	ck_assert(td_endpoint_equal(&a, &b));
	b.port_be = htons(1);
	ck_assert(td_endpoint_same_addr(&a, &b));
	ck_assert(!td_endpoint_equal(&a, &b));
	for (size_t i = 0; i < sizeof b.addr; i++) {
		b = a;
		b.addr[i] ^= 1;
		ck_assert(!td_endpoint_same_addr(&a, &b));
	}
	// The same sixteen bytes in another family are another address.
	six = a;
	six.family = TD_FAMILY_IPV6;
	ck_assert(!td_endpoint_same_addr(&a, &six));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("endpoint");
	TCase *tcase = tcase_create("endpoint");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, parse, 0, sizeof rows / sizeof rows[0]);
	tcase_add_test(tcase, text_of_nothing);
	tcase_add_test(tcase, longest_text_fits);
	tcase_add_test(tcase, same_and_equal);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
