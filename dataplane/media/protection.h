// SRTP around the media stages: what comes in is opened before anybody looks at it, what goes out
// is sealed after everybody has.
//
//   demux --> td_protect_open, a vector --> source lock, statistics, taps, listeners --+
//                                                                                      |
//   wire <-- td_protect_flush, a vector <-- td_protect_push, packet by packet <--------+
//
// Invariants. A packet of a guarded stream reaches the stages behind only when its tag has proved
// right, so nothing else is ever learned from; refused ones are counted for the stream and end
// nothing. A packet of a sealed stream reaches the wire through here alone. A stream's td_srtp pair
// lives as long as the stream, through every change of keys, so that no index is used twice.
//
// One pair for every stream handle, found by arithmetic, in memory that is touched only where there
// are keys (by the main thread first: a worker takes no page faults). It belongs to the stream's
// worker, like the hot half, and is erased when the stream is destroyed. A vector that is full
// is sealed at once; nothing waits in it between two stages.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "net/packet.h"
#include "net/tx.h"
#include "rtp/srtp.h"
#include "td_command.h"
#include "td_error.h"
#include "td_role.h"
#include "td_stats.h"

struct td_media_worker;

struct td_protection {
	struct td_srtp rx, tx;
	_Alignas(64) uint8_t odd[64]; // as in struct td_srtp
};

// What is to be sealed, beside its struct td_srtp_packet.
struct td_sealing {
	struct rte_mbuf *mbuf;
	uint32_t stream;
	uint16_t port; // dataplane port it goes out on
	bool ipv6;
};

// A worker's own.
struct td_protector {
	struct td_srtp_engine srtp;
	uint32_t guarded;    // streams of this worker whose packets are opened, or dropped
	uint32_t push_count; // waiting to be sealed
	struct td_srtp_packet packets[TD_SRTP_BURST];
	struct td_sealing sealings[TD_SRTP_BURST];
};

// -TD_EMEMORY, -TD_EUNSUPPORTED: see td_srtp_engine_init.
TD_MUST_CHECK int td_protector_create(enum td_srtp_engine_kind kind, struct td_protector **out);
void td_protector_destroy(struct td_protector *protector);

// Main: whether the keys of a SET_REMOTE are such. -TD_EINVALID.
TD_MUST_CHECK int td_protection_check(const struct td_command_stream_set_remote *set);

// What a SET_REMOTE says of keys; between two turns.
void td_protection_set(struct td_media_worker *worker, uint32_t stream,
		       const struct td_command_stream_set_remote *set);
// A stream that begins: barred both ways if it is to be protected.
void td_protection_begin(struct td_media_worker *worker, uint32_t stream, bool is_protected);
// A stream that is no more: its secrets are erased.
void td_protection_end(struct td_media_worker *worker, uint32_t stream);
// The mirror's words about it.
void td_protection_show(const struct td_media_worker *worker, uint32_t stream,
			struct td_stream_mirror *mirror);

// Opens what needs it and drops what does not deserve it; of one port kind, at most TD_MEDIA_VECTOR.
// What remains is closed up; its number is returned.
uint32_t td_protect_open(struct td_media_worker *worker, struct td_packet *packets, uint32_t n,
			 bool rtcp_ports, uint64_t now_ns);

// Takes a finished RTP frame of a stream with TD_TX_SEALED, whose UDP datagram begins at `udp`.
void td_protect_push(struct td_media_worker *worker, uint32_t stream, struct rte_mbuf *mbuf,
		     uint8_t *udp, bool ipv6, uint32_t port, struct td_tx *wire);
// Seals and sends what has been pushed.
void td_protect_flush(struct td_media_worker *worker, struct td_tx *wire);
// Seals an RTCP compound that fills the mbuf, before it is given headers. False: it must not go.
bool td_protect_seal_rtcp(struct td_media_worker *worker, uint32_t stream, struct rte_mbuf *mbuf);
