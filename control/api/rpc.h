// JSON-RPC 2.0 as a pure function: a line in, an answer out.
//
//   line --parse--> request(s) --look up--> verb --check params--> run --> result or error --> reply
//
// Verbs are a const table of {method, parameters, function}; parameters are checked against their
// description before the verb runs, so a verb reads them without doubting. Parameters are by name.
// A batch (an array) of at most TD_RPC_BATCH_MAX requests is answered by an array. A request
// without an id is a notification and gets no answer.
//
// Memory: jansson values; td_rpc_handle gives its reply to the caller, who owes a json_decref.
// No I/O, no clock; any one thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define TD_RPC_BATCH_MAX   32
#define TD_RPC_MESSAGE_MAX 256

enum td_rpc_code {
	TD_RPC_PARSE = -32700, // the five of the specification, section 5.1
	TD_RPC_INVALID = -32600,
	TD_RPC_METHOD = -32601,
	TD_RPC_PARAMS = -32602,
	TD_RPC_INTERNAL = -32603,
	TD_RPC_UNAUTHORIZED = -32001, // ours
	TD_RPC_BLOCKED = -32002,      // too many wrong tokens from this address
	TD_RPC_NOT_FOUND = -32004,
	TD_RPC_STATE = -32005,       // not possible now
	TD_RPC_UNAVAILABLE = -32006, // the dataplane is not connected
	TD_RPC_LIMIT = -32007        // a bound of the API is reached
};

enum td_rpc_type {
	TD_RPC_STRING,
	TD_RPC_INTEGER,
	TD_RPC_NUMBER, // with or without a fraction
	TD_RPC_BOOLEAN,
	TD_RPC_STRINGS, // a list of texts, each of 1 to 63 characters
	TD_RPC_OBJECTS  // a list of objects; what is in them the verb checks
};

struct td_rpc_param {
	const char *name;
	enum td_rpc_type type;
	bool required;
	int64_t min, max;  // of a number; of a string's length; of how many
	const char *words; // a string must be one of these, separated by spaces; NULL: any
	const char *help;
};

struct td_rpc_call;

struct td_rpc_verb {
	const char *method;
	// The result, given to the caller; or NULL after td_rpc_fail (NULL alone: out of memory).
	json_t *(*run)(struct td_rpc_call *call);
	const struct td_rpc_param *params; // ends with name NULL; NULL: none
	const char *help;
};

struct td_rpc_table {
	const struct td_rpc_verb *verbs; // ends with method NULL
	enum td_rpc_code unknown;        // what a method that is not here gets
	const char *unknown_text;
};

// One request while its verb runs.
struct td_rpc_call {
	const struct td_rpc_table *table;
	void *context; // the API
	void *client;  // who asks
	const json_t *params;
	enum td_rpc_code code;
	const char
		*error; // its name in td_error.h, "STALE", when it has one: the reply's data.name
	char message[TD_RPC_MESSAGE_MAX];
	const json_t *id; // NULL: nothing is to be answered
	bool in_batch;
	bool deferred; // the verb will answer later: td_rpc_reply
};

// Handles one line. The reply, or NULL when nothing is to be answered. `call` carries table,
// context and client; the rest is scratch.
json_t *td_rpc_handle(struct td_rpc_call *call, const char *line, size_t bytes);

// A verb's way out: notes code and sentence and returns NULL.
json_t *td_rpc_fail(struct td_rpc_call *call, enum td_rpc_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

// The same for an error of td_error.h, with the code that fits it; `why` NULL: its own sentence.
json_t *td_rpc_fail_error(struct td_rpc_call *call, int error, const char *why);

// The answer to a request whose verb has said `deferred`: `result` (taken), or the error in `call`
// when that is NULL. Takes id.
json_t *td_rpc_reply(const struct td_rpc_call *call, json_t *id, json_t *result);

// An error object outside of any request, id null.
json_t *td_rpc_error(enum td_rpc_code code, const char *message);

// Parameters of the running verb, checked already. A missing one gives the fallback.
const char *td_rpc_string(const struct td_rpc_call *call, const char *name, const char *fallback);
int64_t td_rpc_integer(const struct td_rpc_call *call, const char *name, int64_t fallback);
double td_rpc_number(const struct td_rpc_call *call, const char *name, double fallback);
bool td_rpc_boolean(const struct td_rpc_call *call, const char *name, bool fallback);
bool td_rpc_has(const struct td_rpc_call *call, const char *name);
const json_t *td_rpc_value(const struct td_rpc_call *call, const char *name); // NULL: not given

// Checks params (NULL: none given) against the description; -32602 and a sentence in `call`.
bool td_rpc_check_params(struct td_rpc_call *call, const struct td_rpc_param *described,
			 const json_t *params);
