// One control process and one client that is logged in, for every test of a program.
#pragma once

#include "live.h"

extern struct live live;
extern struct live_client client;
extern char session_out[1 << 20]; // of the last SESSION_CTL

// For tcase_add_checked_fixture.
void session_open(void);
void session_close(void);

// The client's request and its reply, the caller's.
json_t *session_ask(const char *method, const char *params);

// tandemctl with these arguments; its exit status.
#define SESSION_CTL(...)                                                                           \
	live_ctl(&live, session_out, sizeof session_out, (char *[]){ __VA_ARGS__, NULL })
#define SESSION_TOKEN "--token", LIVE_TOKEN
