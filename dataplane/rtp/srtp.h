// SRTP and SRTCP: one direction of one stream, opened or sealed a vector of packets at a time
// (RFC 3711, 6188, 7714).
//
//   |V P X CC|M PT| seq | timestamp | SSRC | CSRC, extension | payload ~encrypted~ | MKI | tag |
//   |V P RC|PT| length | SSRC | the rest ~encrypted~ | E, index | MKI | tag |         CM suites
//   |V P RC|PT| length | SSRC | the rest ~encrypted~ | tag | E, index | MKI |         AEAD
//
// A direction knows up to TD_SRTP_SOURCE_MAX sources (SSRCs), each with its rollover counter and
// replay windows, and two epochs of keys: the present one, always in the same place, and after a
// re-key the one before, until TD_SRTP_PROOFS packets have come under the present one.
//
// Invariants. Nothing is learned from a packet before its tag has proved right: opening changes the
// state with the packets it accepts only, and no number of bad ones does anything but be counted by
// the caller. Of a sealing direction, no (SSRC, index) is ever used twice, whatever keys it is given
// and given again: the rollover counters outlive the keys (RFC 3711 section 3.3.1), sources are
// never forgotten, and RTCP has one index for all of them. So no (key, SSRC, index) is.
//
// Pure; state in the caller's memory (64-byte aligned), scratch in the engine's; one thread. Opening
// and sealing neither allocate nor block. Secrets stay in struct td_srtp: td_srtp_fini erases them.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rtp/srtp_engine.h"
#include "rtp/srtp_window.h"
#include "td_error.h"
#include "td_srtp.h"

#define TD_SRTP_SOURCE_MAX  8
#define TD_SRTP_PROOFS      128
#define TD_SRTP_TRAILER_MAX (TD_SRTP_TAG_MAX + 4 + TD_SRTP_MKI_MAX) // what sealing may add

// What became of a packet; everything but TD_SRTP_OK is to be dropped and counted.
enum td_srtp_verdict {
	TD_SRTP_OK,
	TD_SRTP_MALFORMED, // too short for what it says it holds, or too long for us
	TD_SRTP_NO_KEY,    // no keys, or none with this MKI
	TD_SRTP_BAD_TAG,   // not from who has the key
	TD_SRTP_REPLAYED,  // this index has been accepted (opening) or used (sealing)
	TD_SRTP_LATE,      // so far back that nobody knows
	TD_SRTP_CROWDED,   // of a source more than there is room for
	TD_SRTP_EXHAUSTED, // sealing: the key has been used as often as it may be
	TD_SRTP_VERDICT_COUNT
};

struct td_srtp_source {
	uint32_t ssrc;
	struct td_srtp_window rtp, rtcp;
};

struct td_srtp_epoch {
	struct td_srtp_keys rtp, rtcp;
	struct td_srtp_master master; // .suite TD_SRTP_NONE: no keys
};

struct td_srtp {
	// What every packet of a call's usual kind looks at is the first line: this, and of the
	// first source all but RTCP's window. The keys it is opened or sealed with lie behind.
	_Alignas(64) uint8_t source_count;
	uint8_t recent;      // the source of the last packet
	uint8_t proofs;      // packets opened under the present keys, up to TD_SRTP_PROOFS
	uint8_t may_restart; // a new key, unproven: the peer may count from 0 again; bits 1 << protocol
	uint32_t rtcp_next; // sealing: the next SRTCP index
	struct td_srtp_source first;
	struct td_srtp_epoch epochs[2]; // the present one, and the one before
	struct td_srtp_source others[TD_SRTP_SOURCE_MAX - 1];
	_Alignas(64) uint8_t odd[64]; // see below
};

// Of an array of them the same lines of a vector's streams are needed at once. Where these lie an even
// number of lines apart they share a few of a cache's sets and drive each other out.
_Static_assert(sizeof(struct td_srtp) / 64 % 2 == 1, "an odd number of lines");

static inline struct td_srtp_source *td_srtp_source_at(struct td_srtp *srtp, unsigned place)
{
	return place == 0 ? &srtp->first : &srtp->others[place - 1u];
}

// The suite in force, of enum td_srtp_suite.
static inline unsigned td_srtp_suite_of(const struct td_srtp *srtp)
{
	return srtp->epochs[0].master.suite;
}

// The rollover counter of the source that was heard, or sent, last.
static inline uint32_t td_srtp_rollover(const struct td_srtp *srtp)
{
	const struct td_srtp_source *source =
		srtp->recent == 0 ? &srtp->first : &srtp->others[srtp->recent - 1u];

	return (uint32_t)(source->rtp.highest >> 16);
}

// One packet of a vector. Sealing needs TD_SRTP_TRAILER_MAX bytes of room behind `len`.
struct td_srtp_packet {
	struct td_srtp *srtp;
	uint8_t *bytes;               // from the RTP or RTCP header on
	uint16_t len;                 // changed by what is stripped or added
	bool is_rtcp;                 // td_rtp_is_rtcp of its second byte
	enum td_srtp_verdict verdict; // answered
};

// No keys, no sources: everything is TD_SRTP_NO_KEY until td_srtp_rekey.
void td_srtp_init(struct td_srtp *srtp);
// Erases the keys; the memory is the caller's again.
void td_srtp_fini(struct td_srtp *srtp);

// The first key of a direction, and every later one (RFC 4568 section 7.1.4). The same key again
// changes nothing but its MKI, so that an offer repeated does not disturb a call. Rollover counters
// go on. An opening direction goes on accepting the former key for a while and takes a peer that
// starts its counter afresh with the new one; it forgets all sources but the last.
// -TD_EINVALID: no such suite, or too long an MKI. Derivation takes a few microseconds.
TD_MUST_CHECK int td_srtp_rekey_open(struct td_srtp_engine *engine, struct td_srtp *srtp,
				     const struct td_srtp_master *master);
TD_MUST_CHECK int td_srtp_rekey_seal(struct td_srtp_engine *engine, struct td_srtp *srtp,
				     const struct td_srtp_master *master);

// The last packet of a source where a stream is taken over in its middle; it counts as accepted.
// -TD_EINVALID when packets of this source have come already, -TD_EFULL: no room for another source.
TD_MUST_CHECK int td_srtp_resume(struct td_srtp *srtp, uint32_t ssrc, uint32_t rollover,
				 uint16_t sequence);

// Checks and decrypts in place. What is accepted is shorter by its trailer; what is refused is not to
// be read. Packets of one stream may be in any order and number in a vector.
void td_srtp_open(struct td_srtp_engine *engine, struct td_srtp_packet *packets, unsigned count);

// Encrypts in place and appends the trailer. What is refused is as it came and must not be sent.
void td_srtp_seal(struct td_srtp_engine *engine, struct td_srtp_packet *packets, unsigned count);
