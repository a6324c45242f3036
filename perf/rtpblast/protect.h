// SRTP of a flow (RFC 3711): what its party says is sealed, what it hears is opened.
//
// The keys are those its SDP would have (RFC 4568): each party seals with its own. One thread;
// exits with a sentence on errors, as all of the generator does.
#pragma once

#include "rtp/srtp.h"

struct td_protect {
	struct td_srtp send, receive;
	struct td_srtp_master send_key, receive_key;
};

// The suite of this name, of any case, or `none`; `length` bytes of `name` count.
enum td_srtp_suite td_protect_suite(const char *name, size_t length);

// A new key of this suite.
struct td_srtp_master td_protect_new_key(enum td_srtp_suite suite);

// A key from SDP: base64 of the master key and the salt after it (RFC 4568 section 6.1).
struct td_srtp_master td_protect_read_key(enum td_srtp_suite suite, const char *base64);

// Both directions of a party, to be given back with td_protect_destroy.
struct td_protect *td_protect_create(struct td_srtp_engine *engine,
				     const struct td_srtp_master *send,
				     const struct td_srtp_master *receive);
void td_protect_destroy(struct td_protect *protect);

// By how much sealing makes a packet longer. 0 of NULL.
uint32_t td_protect_trailer(const struct td_protect *protect);
