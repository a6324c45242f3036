// One UDP socket on the libuv loop: datagrams in and out, in batches.
//
//   kernel --recvmmsg, up to TD_UDP_BATCH--> on_datagram, one call each
//   td_udp_send --copy--> queue --sendmmsg at the end of the loop turn--> kernel
//
//   invariant: queued datagrams <= TD_UDP_QUEUE_MAX
//
// Addresses are struct td_endpoint; a socket bound to [::] also takes IPv4 peers, shown as IPv4.
// Memory: td_udp_open allocates all of it. Thread: the loop's. When the queue is full (the kernel's
// buffer is, too) td_udp_send answers -TD_EFULL and counts: SIP retransmits, so losing is safe.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "td_endpoint.h"
#include "td_error.h"
#include "td_role.h"
#include "transport/udp_queue.h"
#include "transport/udp_socket.h"

#define TD_UDP_BATCH        32    // datagrams a system call
#define TD_UDP_DATAGRAM_MAX 65507 // RFC 768 over IPv4: what can be received

struct td_udp_stats {
	uint64_t rx_datagrams, rx_bytes, rx_batches;
	uint64_t rx_truncated; // longer than TD_UDP_DATAGRAM_MAX: dropped
	uint64_t rx_errors;    // recvmmsg failed (ICMP errors show up here)
	uint64_t rx_overflows; // dropped by the kernel because our buffer was full (SO_RXQ_OVFL)
	uint64_t tx_datagrams, tx_bytes, tx_batches;
	uint64_t tx_full;     // refused: the queue was full
	uint64_t tx_too_long; // refused: longer than TD_UDP_SEND_MAX
	uint64_t tx_errors;   // the kernel refused this datagram (no route, ...)
	uint32_t queued_now, queued_peak;
};

struct td_udp;

// A datagram came. Both are borrowed for the call. td_udp_send and td_udp_close are allowed inside.
typedef void (*td_udp_datagram_fn)(void *user, const struct td_endpoint *from, const uint8_t *bytes,
				   size_t len);

// Binds to `listen` (port 0: the kernel chooses) and starts receiving. On failure `reason` is a
// sentence with the remedy: -TD_EBUSY (address in use), -TD_EDENIED, -TD_ENOT_FOUND (not an address
// of this host), -TD_EINVALID, -TD_EIO, -TD_EMEMORY.
TD_MUST_CHECK int td_udp_open(uv_loop_t *loop, const struct td_endpoint *listen,
			      td_udp_datagram_fn on_datagram, void *user, struct td_udp **out,
			      char reason[TD_UDP_REASON_MAX]) TD_CONTROL;

// Queues a copy for the end of this loop turn. -TD_EFULL, -TD_EINVALID (too long, no address, a
// family this socket cannot reach).
TD_MUST_CHECK int td_udp_send(struct td_udp *udp, const struct td_endpoint *to, const void *bytes,
			      size_t len) TD_CONTROL;

// Sends what is queued without waiting for the end of the turn; what the kernel's full buffer
// refuses stays queued and goes out as soon as there is room.
void td_udp_flush(struct td_udp *udp) TD_CONTROL;

// Where it is bound, with the port the kernel chose.
struct td_endpoint td_udp_local(const struct td_udp *udp) TD_CONTROL;

void td_udp_get_stats(const struct td_udp *udp, struct td_udp_stats *out) TD_CONTROL;

// Sends what is queued if the kernel takes it at once, then closes. Freed once the loop has run its
// close callbacks; the caller must not touch it again.
void td_udp_close(struct td_udp *udp) TD_CONTROL;
