// One connection to the API: bytes in, lines, answers and events out.
//
//   CONNECTED --auth--> TRUSTED --EOF, error, too long a line--> CLOSING --all written--> freed
//        '--5 s, wrong token, anything but auth-------------------^
//
//   invariant: buffered input <= one line of 64 KiB; unsent output <= TD_CLIENT_OUTPUT_MAX + one
//   answer
//
// When the peer does not read, we stop reading from it (so it gets no more answers) and stop
// writing events to it (so it falls behind in the ring of events.h). Memory: the server frees it
// after the close callback. Thread: the loop's.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <uv.h>

#include "td_endpoint.h"
#include "td_role.h"

#define TD_CLIENT_LINE_MAX   65536
#define TD_CLIENT_OUTPUT_MAX (1u << 20) // beyond this much unsent we neither read nor send events

struct td_api;

struct td_api_client {
	uv_tcp_t tcp;
	uv_shutdown_t shutdown;
	struct td_api *api;
	unsigned slot;   // in the server's table
	uint64_t serial; // tells it from others who had the slot
	struct td_endpoint from;
	uint64_t deadline_ms; // CONNECTED: to authenticate; CLOSING: to be gone
	bool trusted, closing, closed, reading, subscribed;
	uint64_t next_event;
	size_t pending_bytes; // given to libuv, not written yet
	size_t input_bytes;
	char input[TD_CLIENT_LINE_MAX + 1];
};

// Accepts a connection that libuv announces. NULL when it is gone already or there is no memory.
struct td_api_client *td_client_accept(struct td_api *api, unsigned slot) TD_CONTROL;
// Says why, and closes when that has been read.
void td_client_refuse(struct td_api_client *client, int code, const char *why) TD_CONTROL;
// Deadlines; call it now and then.
void td_client_tick(struct td_api_client *client, uint64_t now_ms) TD_CONTROL;
// Sends as many events as the peer takes.
void td_client_pump(struct td_api_client *client) TD_CONTROL;
// Sends an answer that comes later than its request. Takes reply.
void td_client_reply(struct td_api_client *client, json_t *reply) TD_CONTROL;
// Closes at once.
void td_client_close(struct td_api_client *client) TD_CONTROL;
