// The peer's end of a stream's keys: what it says is sealed here, what it is sent has to open.
//
//   invariant: under one key no (SSRC, index) is ever sealed twice, RTP's or RTCP's
//
// Beside that it keeps the last packet that was accepted, to be replayed. State in the caller's
// memory; what has been used is remembered for one input.
#pragma once

#include "../../unit/dataplane/media/world.h"
#include "rtp/srtp.h"

#define SECRET_KEYS    12   // 1 to this; 0 is none
#define SECRET_WRONG   100u // from here on nobody's
#define SECRET_ROOM    1536
#define SECRET_RTP_MAX 400 // plain

struct secret {
	uint8_t says_key, hears_key;
	uint16_t last_len; // 0: nothing to replay
	uint8_t last[SECRET_ROOM];
	struct td_srtp seals, opens;
};

void secret_open(void);   // once
void secret_forget(void); // a new input

// All suites take their turns; .suite TD_SRTP_NONE for 0.
struct td_srtp_master secret_master(uint32_t number);
// The peer's keys from now on.
void secret_set(struct secret *secret, uint8_t says, uint8_t hears);
// Protects in place, when there is a key; the length. SECRET_ROOM bytes.
uint16_t secret_seal(struct secret *secret, uint8_t *bytes, uint16_t len);
// The same under a key of nobody's, or with a copy of what the peer has: its own state stays.
uint16_t secret_seal_aside(const struct secret *secret, uint32_t number, uint8_t *bytes,
			   uint16_t len);
// A packet that the peer was sent under a key: it opens, and its index is new.
void secret_hear(struct secret *secret, const struct world_sent *sent);
// A report of a stream that is no more.
void secret_hear_last(uint8_t key, const struct world_sent *sent);
