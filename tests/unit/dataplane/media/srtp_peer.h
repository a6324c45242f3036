// A party whose phone speaks SRTP, with libsrtp2's: what it says is sealed by libsrtp2, what it hears
// is opened by it, and neither knows anything of ours.
//
//   peer_say --> libsrtp2 --> world_send        world.out[i] --> libsrtp2 --> peer_hear
//
// Each direction may be plain. A peer keeps its sessions over a re-key that keeps the key.
#pragma once

#include <srtp2/srtp.h>

#include "rtp/srtp.h"
#include "world.h"

#define PEER_ROOM 2048

struct peer {
	struct world_party party;
	struct td_srtp_master says, hears; // what it seals and opens with
	srtp_t out, in;                    // NULL: plain
};

// A key that only `number` determines.
struct td_srtp_master peer_master(enum td_srtp_suite suite, uint32_t number);

// A stream of that party, PCMU, keyed by these; .suite TD_SRTP_NONE leaves a direction plain.
void peer_open(struct world *world, struct td_context_id context, const char *addr, uint16_t port,
	       uint32_t ssrc, const struct td_srtp_master *says, const struct td_srtp_master *hears,
	       struct peer *peer);
void peer_close(struct peer *peer);
// Its SET_REMOTE, to vary.
struct td_command peer_set_remote(const struct peer *peer, uint8_t codec);
// Other keys from now on, at the phone; a rollover counter to go on with.
void peer_rekey(struct peer *peer, const struct td_srtp_master *says,
		const struct td_srtp_master *hears);

// The phone's next packet, protected: bytes to vary, or to be sent.
void peer_frame(struct peer *peer, const uint8_t *payload, uint32_t len, struct frame *frame);
void peer_say(struct world *world, struct peer *peer, const uint8_t *payload, uint32_t len);
// A frame with `len` bytes of the peer's towards its stream; RTCP to the port above.
void peer_wrap(const struct peer *peer, const uint8_t *bytes, uint32_t len, bool is_rtcp,
	       struct frame *frame);
// What the phone makes of a packet it was sent: the plain packet's length in `plain`, or 0.
uint32_t peer_hear(const struct peer *peer, const struct world_sent *sent,
		   uint8_t plain[PEER_ROOM]);
// The next packet in world.out that was sent to this peer, from *place on; NULL: no more.
const struct world_sent *peer_next(const struct world *world, const struct peer *peer,
				   uint32_t *place);
// Asserts that exactly one packet went to it, with this payload.
void peer_expect(const struct world *world, const struct peer *peer, const uint8_t *payload,
		 uint32_t len);
// Payload that only `number` determines.
void peer_payload(uint32_t number, uint8_t *payload, uint32_t len);
