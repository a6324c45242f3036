// What SRTP's tests have in common: engines of both kinds, keys and packets made from numbers.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtp/srtp.h"

#define LINE_ROOM (TD_SRTP_PACKET_MAX + 64)

// The engine of a kind, initialised once; NULL where this machine does not have it.
struct td_srtp_engine *line_engine(enum td_srtp_engine_kind kind);

// A key that only `number` determines.
struct td_srtp_master line_master(enum td_srtp_suite suite, uint32_t number);

// A plain RTP packet with `payload` bytes; answers its length.
uint16_t line_rtp(uint8_t *bytes, uint32_t ssrc, uint16_t sequence, unsigned payload);
// A receiver report without blocks and an SDES-like tail: `words` words in all, at least 2.
uint16_t line_rtcp(uint8_t *bytes, uint32_t ssrc, unsigned words);

// One packet through; the verdict.
enum td_srtp_verdict line_open(struct td_srtp_engine *engine, struct td_srtp *srtp, uint8_t *bytes,
			       uint16_t *len, bool is_rtcp);
enum td_srtp_verdict line_seal(struct td_srtp_engine *engine, struct td_srtp *srtp, uint8_t *bytes,
			       uint16_t *len, bool is_rtcp);

uint32_t line_random(uint32_t *seed);
