// The source lock: whose RTP a stream accepts, and how that is learned behind NAT.
//
//             SET_REMOTE without LEARN                  SET_REMOTE with LEARN
//   UNSET ------------------------------> EXACT   UNSET ----------------------> LEARN (window open)
//
//   EXACT   the SDP address and port, nothing else, from the start.
//   LEARN   nobody, until somebody is adopted inside the window:
//             exact   the SDP address and port: its first valid packet; closes the window
//             same    the SDP's address or that of its signalling, another port:
//                     after TD_LEARN_PACKETS in sequence over at least TD_LEARN_SPREAD_NS
//             other   anybody else: likewise, and not in the window's first TD_LEARN_OTHER_NS, in
//                     which whoever has been called or has answered begins to speak
//           Until the window ends a better rank displaces a worse one; an equal one only a sender
//           who has fallen silent; a worse one nobody, ever. Afterwards nobody is displaced. With
//           nobody adopted when the window ends, only the exact sender is still adopted.
//
// The burst rule defeats one instant's worth of packets from an attacker; the ranks bound what an
// attacker who is first can do to the time until the real party sends. A re-INVITE opens a new
// window. Candidates are memory of their own, which means something while `has_candidates` and is
// not touched where nothing is learned. RTCP obeys the same lock. Only packets that are valid RTP of an expected payload type may
// be shown to td_source_lock_check. Pure; caller's memory; the stream's worker.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "td_endpoint.h"

#define TD_LEARN_WINDOW_NS     5000000000ull
#define TD_LEARN_PACKETS       4u
#define TD_LEARN_SPREAD_NS     22000000ull   // (4 - 1) packets of 9 ms less 5 ms of jitter
#define TD_LEARN_OTHER_NS      1000000000ull // a head start for the ranks above
#define TD_LEARN_SILENCE_NS    1000000000ull // in a new window, silent so long: may be displaced
#define TD_LEARN_CANDIDATES    4
#define TD_LEARN_CANDIDATE_AGE 200000000ull // a candidate silent so long gives up its place

enum td_lock_mode { TD_LOCK_UNSET, TD_LOCK_EXACT, TD_LOCK_LEARN };
enum td_lock_rank { TD_LOCK_NOBODY, TD_LOCK_OTHER, TD_LOCK_SAME_ADDRESS, TD_LOCK_EXACT_MATCH };

enum td_lock_verdict {
	TD_LOCK_ACCEPT,    // the accepted sender
	TD_LOCK_ADOPT,     // is the accepted sender from now on
	TD_LOCK_PROBATION, // a candidate: drop
	TD_LOCK_MISMATCH,  // drop
	TD_LOCK_NO_REMOTE  // nobody is expected: drop
};

struct td_lock_candidate {
	struct td_endpoint from;
	uint32_t ssrc;
	uint16_t next_sequence;
	uint8_t rank; // enum td_lock_rank; NOBODY: free
	uint8_t count;
	uint64_t first_ns, last_ns;
};

// Who may become the accepted sender of one stream.
struct td_lock_candidates {
	struct td_lock_candidate places[TD_LEARN_CANDIDATES];
};

struct td_source_lock {
	uint64_t window_end_ns;      // 0: closed
	struct td_endpoint expected; // by SDP
	struct td_endpoint accepted; // valid when rank is not NOBODY
	struct td_endpoint rtcp;     // by SDP, or learned; family NONE: not known
	uint8_t signalling[16];      // its address, of the family of `expected`
	bool has_signalling : 1;
	bool rtcp_learned : 1; // a valid RTCP packet has fixed the port
	bool has_candidates : 1;
	uint8_t mode; // enum td_lock_mode
	uint8_t rank; // enum td_lock_rank of `accepted`
};

// What an answer or a re-INVITE says of a peer.
struct td_source_lock_terms {
	struct td_endpoint remote, remote_rtcp; // of RTP; port 0 or no family: nobody is expected
	struct td_endpoint signalling;          // family NONE: not known
	bool learn;
};

// A new answer or re-INVITE. An accepted sender stays when it is still possible: the same `remote`
// as before, or exactly the new one.
void td_source_lock_set(struct td_source_lock *lock, const struct td_source_lock_terms *terms,
			uint64_t now_ns);

// False: a packet from there will be a mismatch whatever is in it. Changes nothing.
bool td_source_lock_may_accept(const struct td_source_lock *lock, const struct td_endpoint *from,
			       uint64_t now_ns);

// One valid RTP packet that is not known to be from the accepted sender. `accepted_last_ns`: when
// that one was last heard.
enum td_lock_verdict td_source_lock_check(struct td_source_lock *lock,
					  struct td_lock_candidates *candidates,
					  const struct td_endpoint *from, uint32_t ssrc,
					  uint16_t sequence, uint64_t accepted_last_ns,
					  uint64_t now_ns);

// Whether nobody but the accepted sender can be accepted before the next td_source_lock_set.
bool td_source_lock_is_final(const struct td_source_lock *lock, uint64_t now_ns);

// False: td_source_lock_rtcp would say no to it, too. Changes nothing.
bool td_source_lock_may_rtcp(const struct td_source_lock *lock, const struct td_endpoint *from);

// One valid RTCP packet on the RTCP port: true when it is from the right party. Where the RTP
// source was learned, the address must be the same and the first such packet fixes the port.
bool td_source_lock_rtcp(struct td_source_lock *lock, const struct td_endpoint *from);

// Where RTCP may be sent: false while nobody valid is known there.
bool td_source_lock_rtcp_target(const struct td_source_lock *lock, struct td_endpoint *out);
