// What a worker copies for live forks and captures, onto its fork ring.
//
//   payload of an accepted packet --> a record for each fork of its stream
//   a packet as it comes or goes  --> a record for each capture of its stream
//
// One copy a fork and packet; a full ring is counted (fork_lost) and nothing waits for it. Captured
// packets are in the clear where SRTP is spoken: taken after it is opened and before it is sealed.
// Worker.
#pragma once

#include "media/worker_state.h"

void td_fork_payload(struct td_media_worker *worker, const struct td_forward *fw,
		     const uint8_t *payload, uint64_t now_ns);
void td_fork_packet_in(struct td_media_worker *worker, const struct td_packet *packet,
		       uint64_t now_ns);
// A frame that this stream sends, whole.
void td_fork_packet_out(struct td_media_worker *worker, uint32_t stream,
			const struct rte_mbuf *mbuf, uint64_t now_ns);

// A fork begins or ends to take what a stream says, or a capture its packets.
void td_fork_attach(struct td_media_worker *worker, uint32_t stream,
		    const struct td_change_fork *fork);
void td_fork_detach(struct td_media_worker *worker, uint32_t stream,
		    const struct td_change_fork *fork);
