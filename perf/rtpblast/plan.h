// Who sends to where: from a file that whoever set up the calls has written, from Tandem, or plain.
//
//   a line of a file:   FROM_ADDRESS:PORT TO_ADDRESS:PORT [CODEC [SUITE KEY PEERS_KEY]]      IPv4
//
// CODEC: pcmu, pcma, opus. With a suite the flow is SRTP: sealed with KEY, and what comes back opened
// with PEERS_KEY, both as in a=crypto, without "inline:".
// Two lines after each other are the parties of a call. The first party speaks the first codec of
// the options and the second the second where a line does not say. Exits with a sentence on errors.
#pragma once

#include <stdint.h>

#include "attach.h"
#include "flow.h"
#include "link.h"
#include "payload.h"

#define TD_PLAN_FLOW_MAX   200000u
#define TD_PLAN_OPUS_TYPE  96
#define TD_PLAN_PORT_FIRST 10000u
#define TD_PLAN_PORT_LAST  59998u // in steps of two; what is more goes to the next address

struct td_plan {
	struct td_flow *flows;
	uint32_t flow_count;
	struct td_payload payloads[TD_CODEC_COUNT]; // those that are spoken
	enum td_codec_id codecs[2];                 // of first and second parties
	enum td_srtp_suite suites[2];               // likewise, of calls made by td_plan_call
	struct td_srtp_engine *srtp;
	const char *wav;
	uint32_t event_every; // packets from digit to digit; 0: none
};

// The codec of this name, of any case; `length` bytes of `name` count. Those that flows can speak.
enum td_codec_id td_plan_codec(const char *name, size_t length);

// `flow_count` flows from `from` and up to `to`, port by port: for forwarders and loops, and what
// td_plan_call starts from.
void td_plan_spread(struct td_plan *plan, uint32_t from, uint32_t to, uint32_t flow_count);

// The flows of a file.
void td_plan_read(struct td_plan *plan, const char *path);

// Makes each pair of flows a call on the dataplane behind `attach`, and sends where it says.
void td_plan_call(struct td_plan *plan, struct td_attach *attach, uint8_t opus_complexity);

// Who sends to whom, a line FROM:PORT TO:PORT a flow: what td_plan_read reads, without keys.
void td_plan_write(const struct td_plan *plan, const char *path);

void td_plan_free(struct td_plan *plan);

// The addresses the flows come from: the lowest, and how many up to the highest.
void td_plan_addresses(const struct td_plan *plan, uint32_t *first_addr, uint32_t *addr_count);
