// One endpoint under a virtual clock, with everything it sends and says recorded.
//
// The test is the network and the peer: it injects text with rig_in, reads what went out, and moves
// the clock with rig_run_to, which stops at every time the endpoint asked for. Bounded recorders;
// overflowing one fails the test.
#pragma once

#include <stdarg.h>

#include "sip/endpoint.h"

#define RIG_OUT_MAX   512
#define RIG_EVENT_MAX 512

struct rig_out {
	struct td_endpoint to;
	uint64_t at_ms;
	size_t len;
	char bytes[8200];
};

struct rig_event {
	enum td_sip_event_kind kind;
	uint64_t owner, at_ms;
	struct td_sip_txn_id txn;
	struct td_sip_dialog_id dialog;
	enum td_sip_method method;
	unsigned status;
	size_t body_len;
};

struct rig {
	struct td_sip_endpoint *ep;
	uint64_t now_ms;
	unsigned out_count, event_count;
	void (*hook)(struct rig *rig, const struct td_sip_event *event); // may be NULL
	void *hook_user;
	struct rig_out out[RIG_OUT_MAX];
	struct rig_event events[RIG_EVENT_MAX];
};

#define RIG_START_MS 1000000

extern const struct td_endpoint rig_local; // 10.77.0.1:5060
extern const struct td_endpoint rig_peer;  // 10.77.0.10:5060
struct rig *rig_make(uint32_t transactions_max, uint32_t dialogs_max);
void rig_free(struct rig *rig);
void rig_clear(struct rig *rig); // forgets what was recorded
void rig_in(struct rig *rig, const char *text, size_t len);
void rig_in_from(struct rig *rig, const char *text, size_t len, const struct td_endpoint *from);
// printf, with every "\n" sent as CRLF.
__attribute__((format(printf, 2, 3))) void rig_inf(struct rig *rig, const char *format, ...);
void rig_run_to(struct rig *rig, uint64_t now_ms);
void rig_run(struct rig *rig, uint64_t ms);
// The i-th datagram, parsed; fails the test when there is none or it does not parse.
const struct td_sip_message *rig_parse(const struct rig *rig, unsigned i,
				       struct td_sip_message *msg);
const struct td_sip_message *rig_last(const struct rig *rig, struct td_sip_message *msg);
// Status code of the i-th datagram, 0 for a request.
unsigned rig_status(const struct rig *rig, unsigned i);
uint64_t rig_counter(const struct rig *rig, enum td_sip_counter counter);
uint32_t rig_transactions(const struct rig *rig);
uint32_t rig_dialogs(const struct rig *rig);
// Copies a span into a NUL-terminated buffer that the next eight calls leave alone.
const char *rig_text(struct td_str span);
