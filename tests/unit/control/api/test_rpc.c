// The JSON-RPC envelope and parameter checks, over a table of verbs made for the purpose.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/rpc.h"

static unsigned runs;

static json_t *echo(struct td_rpc_call *call)
{
	runs++;
	return json_pack("{s:s, s:I}", "text", td_rpc_string(call, "text", "none"), "number",
			 (json_int_t)td_rpc_integer(call, "number", -1));
}

static json_t *refuse(struct td_rpc_call *call)
{
	runs++;
	return td_rpc_fail(call, TD_RPC_STATE, "not %s", "now");
}

static json_t *vanish(struct td_rpc_call *call)
{
	(void)call;
	return NULL;
}

static const struct td_rpc_param echo_params[] = {
	{ "text", TD_RPC_STRING, true, 1, 4, NULL, "any text" },
	{ "number", TD_RPC_INTEGER, false, 0, 9, NULL, "a digit" },
	{ "colour", TD_RPC_STRING, false, 0, 0, "red green", "a colour" },
	{ .name = NULL },
};

static const struct td_rpc_verb verbs[] = {
	{ "echo", echo, echo_params, "" },
	{ "refuse", refuse, NULL, "" },
	{ "vanish", vanish, NULL, "" },
	{ .method = NULL },
};

static const struct td_rpc_table table = { verbs, TD_RPC_METHOD, "unknown" };

#define OK(result, id) "{\"jsonrpc\":\"2.0\",\"result\":" result ",\"id\":" id "}"
#define ERROR(code, message, id)                                                                   \
	"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":" code ",\"message\":\"" message                 \
	"\"},\"id\":" id "}"
#define CALL(rest)   "{\"jsonrpc\":\"2.0\",\"method\":" rest "}"
#define ECHO(params) CALL("\"echo\",\"id\":1,\"params\":" params)

static const struct {
	const char *line, *reply; // NULL: nothing is answered
	unsigned runs;
} rows[] = {
	// Requests.
	{ ECHO("{\"text\":\"hi\"}"), OK("{\"text\":\"hi\",\"number\":-1}", "1"), 1 },
	{ CALL("\"echo\",\"id\":\"x\",\"params\":{\"text\":\"hi\",\"number\":9}"),
	  OK("{\"text\":\"hi\",\"number\":9}", "\"x\""), 1 },
	{ CALL("\"refuse\",\"id\":null"), ERROR("-32005", "not now", "null"), 1 },
	{ CALL("\"vanish\",\"id\":7"), ERROR("-32603", "not enough memory for the answer", "7"),
	  0 },
	{ CALL("\"sing\",\"id\":2"), ERROR("-32601", "sing: unknown", "2"), 0 },
	// Notifications.
	{ CALL("\"echo\",\"params\":{\"text\":\"hi\"}"), NULL, 1 },
	{ CALL("\"refuse\""), NULL, 1 },
	{ CALL("\"sing\""), NULL, 0 },
	// What is no request.
	{ "{",
	  ERROR("-32700", "not JSON: string or '}' expected near end of file at byte 1", "null"),
	  0 },
	{ "", ERROR("-32700", "not JSON: '[' or '{' expected near end of file at byte 0", "null"),
	  0 },
	{ "{\"a\":1,\"a\":2}",
	  ERROR("-32700", "not JSON: duplicate object key near '\\\"a\\\"' at byte 10", "null"),
	  0 },
	{ "GET / HTTP/1.1",
	  ERROR("-32700", "not JSON: '[' or '{' expected near 'GET' at byte 3", "null"), 0 },
	{ "{\"method\":\"echo\",\"id\":1}", ERROR("-32600", "jsonrpc: expected \\\"2.0\\\"", "1"),
	  0 },
	{ "{\"jsonrpc\":\"1.0\",\"method\":\"echo\",\"id\":1}",
	  ERROR("-32600", "jsonrpc: expected \\\"2.0\\\"", "1"), 0 },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1}", ERROR("-32600", "method: expected a string", "1"), 0 },
	{ CALL("5,\"id\":1"), ERROR("-32600", "method: expected a string", "1"), 0 },
	{ CALL("\"echo\",\"id\":[1]"),
	  ERROR("-32600", "id: expected a string, a number or null", "null"), 0 },
	// Parameters.
	{ ECHO("{}"), ERROR("-32602", "text: missing; any text", "1"), 0 },
	{ CALL("\"echo\",\"id\":1"), ERROR("-32602", "text: missing; any text", "1"), 0 },
	{ ECHO("[\"hi\"]"), ERROR("-32602", "params: expected an object of named parameters", "1"),
	  0 },
	{ ECHO("null"), ERROR("-32602", "params: expected an object of named parameters", "1"), 0 },
	{ ECHO("{\"text\":5}"), ERROR("-32602", "text: expected a string", "1"), 0 },
	{ ECHO("{\"text\":\"\"}"),
	  ERROR("-32602", "text: found 0 characters, expected 1 to 4", "1"), 0 },
	{ ECHO("{\"text\":\"abcd\"}"), OK("{\"text\":\"abcd\",\"number\":-1}", "1"), 1 },
	{ ECHO("{\"text\":\"abcde\"}"),
	  ERROR("-32602", "text: found 5 characters, expected 1 to 4", "1"), 0 },
	{ ECHO("{\"text\":\"a\",\"number\":-1}"),
	  ERROR("-32602", "number: found -1, expected 0 to 9", "1"), 0 },
	{ ECHO("{\"text\":\"a\",\"number\":10}"),
	  ERROR("-32602", "number: found 10, expected 0 to 9", "1"), 0 },
	{ ECHO("{\"text\":\"a\",\"number\":1.5}"),
	  ERROR("-32602", "number: expected a whole number", "1"), 0 },
	{ ECHO("{\"text\":\"a\",\"colour\":\"green\"}"), OK("{\"text\":\"a\",\"number\":-1}", "1"),
	  1 },
	{ ECHO("{\"text\":\"a\",\"colour\":\"gree\"}"),
	  ERROR("-32602", "colour: found \\\"gree\\\", expected one of: red green", "1"), 0 },
	{ ECHO("{\"text\":\"a\",\"size\":1}"),
	  ERROR("-32602", "size: this method has no such parameter", "1"), 0 },
	{ CALL("\"refuse\",\"id\":1,\"params\":{\"a\":1}"),
	  ERROR("-32602", "a: this method has no such parameter", "1"), 0 },
	// Batches (section 6 of the specification).
	{ "[]", ERROR("-32600", "a batch holds at least one request", "null"), 0 },
	{ "[1,2]",
	  "[" ERROR("-32600", "a request is an object",
		    "null") "," ERROR("-32600", "a request is an object", "null") "]",
	  0 },
	{ "[" ECHO("{\"text\":\"a\"}") "," CALL("\"refuse\"") "," CALL("\"refuse\",\"id\":2") "]",
	  "[" OK("{\"text\":\"a\",\"number\":-1}", "1") "," ERROR("-32005", "not now", "2") "]",
	  3 },
	{ "[" CALL("\"refuse\"") "]", NULL, 1 },
};

START_TEST(test_line_and_reply)
{
	struct td_rpc_call call = { .table = &table };
	json_t *reply;
	char *text;

	runs = 0;
	reply = td_rpc_handle(&call, rows[_i].line, strlen(rows[_i].line));
	ck_assert_uint_eq(runs, rows[_i].runs);
	if (!rows[_i].reply) {
		ck_assert_ptr_null(reply);
		return;
	}
	text = json_dumps(reply, JSON_COMPACT);
	ck_assert_str_eq(text, rows[_i].reply);
	free(text);
	json_decref(reply);
}
END_TEST

START_TEST(test_batch_bound)
{
	struct td_rpc_call call = { .table = &table };

	for (int size = TD_RPC_BATCH_MAX - 1; size <= TD_RPC_BATCH_MAX + 1; size++) {
		json_t *batch = json_array(), *reply;
		char *text;

		for (int i = 0; i < size; i++)
			json_array_append_new(batch, json_pack("{s:s, s:s, s:i}", "jsonrpc", "2.0",
							       "method", "refuse", "id", i));
		text = json_dumps(batch, 0);
		runs = 0;
		reply = td_rpc_handle(&call, text, strlen(text));
		if (size <= TD_RPC_BATCH_MAX) {
			ck_assert_uint_eq(json_array_size(reply), (size_t)size);
			ck_assert_uint_eq(runs, (unsigned)size);
		} else {
			ck_assert_int_eq(json_integer_value(json_object_get(
						 json_object_get(reply, "error"), "code")),
					 TD_RPC_LIMIT);
			ck_assert_uint_eq(runs, 0);
		}
		json_decref(reply);
		json_decref(batch);
		free(text);
	}
}
END_TEST

// A method name is cut to 64 bytes in the sentence; the cut may fall into a character.
START_TEST(test_error_text_stays_utf8)
{
	struct td_rpc_call call = { .table = &table };
	char line[512];
	json_t *reply;
	int at = snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x");

	for (int i = 0; i < 60; i++)
		at += snprintf(line + at, sizeof line - (size_t)at, "\u00e9");
	snprintf(line + at, sizeof line - (size_t)at, "\"}");
	reply = td_rpc_handle(&call, line, strlen(line));
	ck_assert_int_eq(
		json_integer_value(json_object_get(json_object_get(reply, "error"), "code")),
		TD_RPC_METHOD);
	ck_assert(json_is_string(json_object_get(json_object_get(reply, "error"), "message")));
	json_decref(reply);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rpc");
	TCase *tcase = tcase_create("rpc");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, test_line_and_reply, 0, (int)(sizeof rows / sizeof rows[0]));
	tcase_add_test(tcase, test_batch_bound);
	tcase_add_test(tcase, test_error_text_stays_utf8);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
