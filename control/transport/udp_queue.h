// Datagrams that wait to be sent, first in first out, in memory allocated once.
//
//   invariant: 0 <= count <= TD_UDP_QUEUE_MAX, each at most TD_UDP_SEND_MAX bytes
//
// Full: push answers -TD_EFULL. Pure; the caller's thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "td_endpoint.h"
#include "td_error.h"

#define TD_UDP_QUEUE_MAX 1024 // datagrams waiting to be sent; a power of two
#define TD_UDP_SEND_MAX  8192 // bytes of one datagram we send; RFC 3261 18.1.1 wants far less

struct td_udp_queued {
	struct td_endpoint to;
	uint32_t len;
	uint8_t bytes[TD_UDP_SEND_MAX];
};

struct td_udp_queue {
	struct td_udp_queued *slots; // touched only as far as it was ever full
	uint32_t first, count;
};

TD_MUST_CHECK int td_udp_queue_init(struct td_udp_queue *queue);
void td_udp_queue_fini(struct td_udp_queue *queue);
// -TD_EFULL, -TD_EINVALID (longer than TD_UDP_SEND_MAX).
TD_MUST_CHECK int td_udp_queue_push(struct td_udp_queue *queue, const struct td_endpoint *to,
				    const void *bytes, size_t len);
// The i-th from the front, i < count.
struct td_udp_queued *td_udp_queue_at(struct td_udp_queue *queue, uint32_t i);
// Forgets the first n.
void td_udp_queue_drop(struct td_udp_queue *queue, uint32_t n);
