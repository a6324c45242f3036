// What a worker copies for live forks and captures, onto its fork ring.
//
//   payload of an accepted packet --> a record for each fork of its stream
//   a packet as it comes or goes  --> a record for each capture of its stream, and of its context
//   a frame of a context's mix    --> a record for the fork whose ear hears it
//
// One copy a fork and packet; a full ring is counted (fork_lost) and nothing waits for it. Captured
// packets are in the clear where SRTP is spoken: taken after it is opened and before it is sealed.
// Worker.
#pragma once

#include "media/send.h"
#include "media/worker_state.h"

void td_fork_payload(struct td_media_worker *worker, const struct td_forward *fw,
		     const uint8_t *payload, uint64_t now_ns);
void td_fork_packet_in(struct td_media_worker *worker, const struct td_packet *packet,
		       uint64_t now_ns);
// A frame that this stream sends, whole.
void td_fork_packet_out(struct td_media_worker *worker, uint32_t stream,
			const struct rte_mbuf *mbuf, uint64_t now_ns);

// A frame that an ear hears, numbered by its tx.
void td_fork_heard(struct td_media_worker *worker, uint32_t ear, const struct td_frame *frame,
		   bool marker, uint64_t now_ns);

// A fork's part in its context begins, and the answer says what it is; and it ends.
void td_fork_start(struct td_media_worker *worker, const struct td_change *change,
		   struct td_event *event);
void td_fork_stop(struct td_media_worker *worker, const struct td_change *change);
// A stream is in a context that is captured, or no more.
void td_fork_follow(struct td_media_worker *worker, uint32_t stream, bool on);
// A fork begins or ends to take what a stream says, or a capture its packets.
void td_fork_attach(struct td_media_worker *worker, uint32_t stream,
		    const struct td_change_fork *fork);
void td_fork_detach(struct td_media_worker *worker, uint32_t stream,
		    const struct td_change_fork *fork);
