// SRTP of a leg: the keys we send with, and what a disagreement about keys is called.
//
//   a leg is made         nothing
//   before each exchange  td_leg_keys_renew: every suite but the one in use gets a new key, so that
//                         a key that was given up once never comes back, and one in use stays through
//                         hold, resume and a new key of the peer's
//   the leg ends          td_leg_keys_erase
//
// Random bytes are the kernel's. A key is in the leg, in the text that carries it until the SIP
// transaction is over, and in the command that tells the dataplane; each is erased where it ends.
// Control thread.
#pragma once

#include <stdint.h>

#include "call/inspect.h"
#include "sdp/negotiate.h"
#include "td_srtp.h"

struct td_leg_keys {
	uint8_t seeds[TD_SRTP_SUITE_COUNT][TD_SDP_CRYPTO_SEED]; // a secret
};

// `kept` is the suite we send with now, TD_SRTP_NONE: none.
void td_leg_keys_renew(struct td_leg_keys *keys, enum td_srtp_suite kept);
// Puts them where an exchange looks for them.
void td_leg_keys_lend(const struct td_leg_keys *keys, struct td_sdp_local *out);
void td_leg_keys_erase(struct td_leg_keys *keys);

bool td_srtp_same_master(const struct td_srtp_master *a, const struct td_srtp_master *b);

// The cause of an offer that came to nothing, by what the session descriptions' room says of it.
enum td_cause td_srtp_cause(enum td_sdp_srtp_trouble trouble);
