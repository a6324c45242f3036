// The API server from the inside: what server.c, client.c and the verbs share.
//
// Nothing outside control/api includes this. Everything belongs to the libuv loop's thread. The
// server dies when its last handle has closed: `handles` counts the listener, the timer and every
// client, and every answer that is still to come.
#pragma once

#include <stdbool.h>

#include "api/client.h"
#include "api/events.h"
#include "api/gate.h"
#include "api/rates.h"
#include "api/server.h"

#define TD_API_CLIENT_MAX  64
#define TD_API_SLOTS       (TD_API_CLIENT_MAX + 1) // the last one is told that it is one too many
#define TD_API_TICK_MS     500                     // deadlines of clients are this exact
#define TD_API_AUTH_MS     5000                    // to send the token
#define TD_API_FAREWELL_MS 2000 // for a closing client to read what we still have for it

struct td_api {
	uv_loop_t *loop;
	uv_tcp_t listener;
	uv_timer_t timer;
	struct td_api_deps deps;
	struct td_gate gate;
	struct td_events events;
	struct td_rates rates;
	struct td_api_client *clients[TD_API_SLOTS];
	unsigned client_count;
	unsigned handles;
	uint64_t next_serial; // of clients
	unsigned ticks;
	bool closing;
	uint64_t started_ms;     // of the loop
	uint64_t started_utc_ms; // also tells one run's event numbers from another's
	uint64_t requests;       // lines handled
	uint64_t refused;        // clients beyond TD_API_CLIENT_MAX
};

// One handle less; frees the server with the last one.
void td_api_release(struct td_api *api) TD_CONTROL;

uint64_t td_api_utc_ms(void);
// CLOCK_MONOTONIC as the ACD is given it: never behind what it has seen, as the loop's own would be.
uint64_t td_api_now_ms(void);
