// Lines, words and addresses.
#include <check.h>
#include <stdlib.h>

#include "sdp/line.h"

START_TEST(lines_end_in_crlf_lf_or_nothing)
{
	struct td_str rest = TD_STR("a\r\nb\n\nc"), line;

	ck_assert(td_sdp_line_next(&rest, &line) && td_str_equal(line, TD_STR("a")));
	ck_assert(td_sdp_line_next(&rest, &line) && td_str_equal(line, TD_STR("b")));
	ck_assert(td_sdp_line_next(&rest, &line) && td_str_empty(line));
	ck_assert(td_sdp_line_next(&rest, &line) && td_str_equal(line, TD_STR("c")));
	ck_assert(!td_sdp_line_next(&rest, &line));
}
END_TEST

START_TEST(words_swallow_spaces_around)
{
	struct td_str rest = TD_STR("  one  two ");

	ck_assert(td_str_equal(td_sdp_word_next(&rest), TD_STR("one")));
	ck_assert(td_str_equal(td_sdp_word_next(&rest), TD_STR("two")));
	ck_assert(td_str_empty(rest));
	ck_assert(td_str_empty(td_sdp_word_next(&rest)));
}
END_TEST

static const struct {
	const char *text;
	int error;
	bool numeric, null_address;
	uint8_t family;
} connections[] = {
	{ "IN IP4 192.0.2.1", 0, true, false, TD_FAMILY_IPV4 },
	{ "in ip4 192.0.2.1", 0, true, false, TD_FAMILY_IPV4 },
	{ "IN IP6 2001:db8::1", 0, true, false, TD_FAMILY_IPV6 },
	{ "IN IP4 0.0.0.0", 0, true, true, TD_FAMILY_IPV4 },
	{ "IN IP6 ::", 0, true, true, TD_FAMILY_IPV6 },
	{ "IN IP6 hold.invalid", 0, false, true, TD_FAMILY_IPV6 },
	{ "IN IP4 HOLD.INVALID", 0, false, true, TD_FAMILY_IPV4 },
	{ "IN IP4 pc33.example.com", 0, false, false, TD_FAMILY_IPV4 },
	{ "IN IP4 .invalid", 0, false, false, TD_FAMILY_IPV4 },
	{ "IN IP4 224.2.17.12/127", 0, false, false, TD_FAMILY_IPV4 },
	{ "IN IP4 224.2.1.1/127/3", 0, false, false, TD_FAMILY_IPV4 },
	{ "IN IP4 239.255.0.1", 0, false, false, TD_FAMILY_IPV4 },
	{ "IN IP4 223.255.255.255", 0, true, false, TD_FAMILY_IPV4 },
	{ "IN IP4 240.0.0.1", 0, true, false, TD_FAMILY_IPV4 },
	{ "IN IP4 255.255.255.255", 0, false, false, TD_FAMILY_IPV4 },
	{ "IN IP6 ff02::1", 0, false, false, TD_FAMILY_IPV6 },
	{ "IN IP4 256.1.1.1", 0, false, false, TD_FAMILY_IPV4 }, // a name made of digits
	{ "IN IP4 2001:db8::1", -TD_EMALFORMED, false, false, 0 },
	{ "IN IP6 192.0.2.1", -TD_EMALFORMED, false, false, 0 },
	{ "IN IP4", -TD_EMALFORMED, false, false, 0 },
	{ "IN", -TD_EMALFORMED, false, false, 0 },
	{ "", -TD_EMALFORMED, false, false, 0 },
	{ "IN IP4 192.0.2.1 x", -TD_EMALFORMED, false, false, 0 },
	{ "IN IP4 192.0.2.1/", -TD_EMALFORMED, false, false, 0 },
	{ "IN IP4 192.0.2.1/x", -TD_EMALFORMED, false, false, 0 },
	{ "IN IP4 a,b", -TD_EMALFORMED, false, false, 0 },
	{ "ATM NSAP 47.0091", -TD_EUNSUPPORTED, false, false, 0 },
	{ "IN IP5 192.0.2.1", -TD_EUNSUPPORTED, false, false, 0 },
};

START_TEST(connection_rows)
{
	struct td_sdp_connection c = { 0 };

	ck_assert_int_eq(td_sdp_connection_parse(td_str_from(connections[_i].text), &c),
			 connections[_i].error);
	if (connections[_i].error)
		return;
	ck_assert(c.present);
	ck_assert_int_eq(c.numeric, connections[_i].numeric);
	ck_assert_int_eq(c.null_address, connections[_i].null_address);
	ck_assert_int_eq(c.addr.family, connections[_i].family);
	ck_assert_int_eq(c.addr.port_be, 0);
}
END_TEST

START_TEST(long_names_are_bounded)
{
	char text[320] = "IN IP4 ";
	struct td_sdp_connection c;

	for (size_t i = 7; i < 7 + 256; i++)
		text[i] = 'a';
	ck_assert_int_eq(td_sdp_connection_parse(td_str_make(text, 7 + 255), &c), 0);
	ck_assert(!c.numeric);
	ck_assert_int_eq(td_sdp_connection_parse(td_str_make(text, 7 + 256), &c), -TD_EMALFORMED);
}
END_TEST

START_TEST(tokens)
{
	ck_assert(td_sdp_is_token(TD_STR("RTP/AVP")));
	ck_assert(!td_sdp_is_token(TD_STR("")));
	ck_assert(!td_sdp_is_token(TD_STR("a b")));
	ck_assert(!td_sdp_is_token(TD_STR("a\"b")));
	ck_assert(!td_sdp_is_token(TD_STR("a\x80")));
	ck_assert(!td_sdp_is_token(TD_STR("a\0b")));
	ck_assert(td_sdp_is_digits(TD_STR("00123456789012345678901234567890")));
	ck_assert(!td_sdp_is_digits(TD_STR("")));
	ck_assert(!td_sdp_is_digits(TD_STR("-1")));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sdp/line");
	TCase *tc = tcase_create("line");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, lines_end_in_crlf_lf_or_nothing);
	tcase_add_test(tc, words_swallow_spaces_around);
	tcase_add_loop_test(tc, connection_rows, 0, sizeof connections / sizeof connections[0]);
	tcase_add_test(tc, long_names_are_bounded);
	tcase_add_test(tc, tokens);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
