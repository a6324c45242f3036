// A whole control process for the API's tests: the real tandem-control and tandemctl, real sockets,
// a real database, a trunk that speaks SIP; the dataplane is the model the call tests use, behind
// the real shared region.
//
// Everything listens on a loopback address of this process's own (127.x.y.z), so that tests may run
// side by side. Nothing here waits without a bound, and while it waits it plays the dataplane.
#pragma once

#include <jansson.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../call/dataplane.h"

#define LIVE_TOKEN   "0123456789abcdef"
#define LIVE_WAIT_MS 10000

struct live {
	struct dp dp;
	pid_t control;
	char host[20], config[128], data[128];
	int sip; // the trunk's socket
};

struct live_client {
	int fd;
	char *buffer;
	size_t have, room;
};

void live_start(struct live *live);
// SIGTERM; the process must end by itself with status 0.
void live_stop(struct live *live);
// Plays the dataplane for a moment.
void live_pump(struct live *live);

int64_t live_now_ms(void);
// 127.x.y.`last`:`port`.
struct sockaddr_in live_address(const struct live *live, int last, int port);

// Connects from 127.x.y.`from`.
struct live_client live_connect(struct live *live, int from);
// Connects and authenticates.
struct live_client live_login(struct live *live);
void live_hang_up(struct live_client *client);
void live_send(struct live_client *client, const char *text, size_t bytes);
// The next line as JSON, the caller's; NULL: the other side has closed.
json_t *live_receive(struct live *live, struct live_client *client);
// A request and its reply (the whole envelope). `params` is JSON text or NULL.
json_t *live_ask(struct live *live, struct live_client *client, const char *method,
		 const char *params);

// Members by dotted path.
const json_t *live_at(const json_t *object, const char *path);
long live_int(const json_t *object, const char *path);
const char *live_text(const json_t *object, const char *path);
// The reply, which it takes, is this JSON-RPC error.
void live_expect_error(json_t *reply, long code, const char *message);

// Runs tandemctl with the right token unless told otherwise; its output is in `out`. Returns the
// exit status.
int live_ctl(struct live *live, char *out, size_t out_bytes, char *const *arguments);
// Starts tandemctl in the background: its output comes on *fd (a terminal if asked).
pid_t live_ctl_start(struct live *live, bool terminal, int *fd, char *const *arguments);
int live_wait(struct live *live, pid_t child);

// live_trunk.c. A caller on the trunk: calls 100, answers what must be answered, up to state "queued".
void live_call_in(struct live *live);
// Waits for a SIP request or response that begins with `start`, and answers a request with 200.
void live_expect_sip(struct live *live, const char *start);
