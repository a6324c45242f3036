// The control API: JSON-RPC 2.0 over TCP, one object a line, for operators and their programs.
//
//   tandemctl, CRM --TCP--> client (line in, line out) --> rpc (envelope) --> verbs (const table)
//                                 ^                                             |
//                                 '--- events <--- td_api_notice <--- calls ----'
//
// The first line must be {"method":"auth","params":{"token":...}}. No verb runs a command or names
// a path. The listener is on loopback (td_config_load sees to that): there is no TLS.
//
//   invariant: clients <= 64, a line <= 64 KiB, unsent output of a client <= 1 MiB + one answer
//
// Everything is bounded: one more client is told so and closed; a client that does not authenticate
// within 5 s is closed; five wrong tokens from an address close its door for 60 s; a client that
// does not read gets no more answers (we stop reading from it) and misses events, which an explicit
// "gap" event tells it. Memory: td_api_create allocates; clients and lines come from malloc inside
// these bounds. Thread: the libuv loop's.
#pragma once

#include <stdint.h>

#include <uv.h>

#include "config/config.h"
#include "td_endpoint.h"
#include "td_error.h"
#include "td_role.h"

struct td_acd;
struct td_archive;
struct td_call_notice;
struct td_calls;
struct td_link;
struct td_store;
struct td_api;

#define TD_API_ERROR_MAX 256

struct td_api_deps {
	const struct td_config *config; // all borrowed until td_api_close
	struct td_calls *calls;
	struct td_link *link;
	struct td_acd *acd;
	struct td_store *store;
	struct td_archive *archive; // NULL: recordings cannot be listed (tests)
};

// Listens on config->api.listen. 0 and *out, or -TD_EBUSY (port in use), -TD_EIO, -TD_EMEMORY with
// one sentence and its remedy in `error`.
TD_MUST_CHECK int td_api_create(uv_loop_t *loop, const struct td_api_deps *deps,
				struct td_api **out, char error[TD_API_ERROR_MAX]) TD_CONTROL;

// Where it listens, with the real port when the config said 0... which only tests can.
void td_api_endpoint(const struct td_api *api, struct td_endpoint *out) TD_CONTROL;

// Tells subscribers of a change: what td_calls_ops.on_change is for. Cheap while nobody listens.
void td_api_notice(struct td_api *api, const struct td_call_notice *notice) TD_CONTROL;

// Stops listening and hangs up on every client. Frees `api` once the loop has run its close
// callbacks; the caller must not touch it again. NULL is allowed.
void td_api_close(struct td_api *api) TD_CONTROL;
