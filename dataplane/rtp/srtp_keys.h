// Session keys from a master key: RFC 3711 section 4.3 with a key derivation rate of 0, RFC 6188
// section 3 for 256 bits, RFC 7714 section 11 for the AEAD suites' shorter salt.
//
//   x = label at its place XOR master salt          label: RTP 0 1 2, RTCP 3 4 5
//   session key = AES-CM keystream of the master key from x * 2^16
//
// Pure but for the engine's scratch; caller's memory.
#pragma once

#include "rtp/srtp_engine.h"

enum td_srtp_protocol { TD_SRTP_RTP, TD_SRTP_RTCP };

// `bytes` of the keystream that `label` names, at most 32.
void td_srtp_derive(struct td_srtp_engine *engine, const struct td_srtp_master *master,
		    uint8_t label, uint8_t *out, size_t bytes);

// All keys of one protocol. The suite is one of enum td_srtp_suite and not NONE.
void td_srtp_keys_make(struct td_srtp_engine *engine, const struct td_srtp_master *master,
		       enum td_srtp_protocol protocol, struct td_srtp_keys *keys);
