// The port table: (local address, UDP port) -> which stream, on which worker.
//
//   entry, 32 bits:  | 31 open | 30 rtcp | 29..28 - | 27..24 worker | 23..20 - | 19..0 stream index |
//
// One table of 32,768 pairs per local address, so a look-up is one load that can be prefetched a
// vector ahead; no hash, no compare. Both ports of a pair are in one word: which of the two it was
// asked for is the bit for RTCP. The main thread publishes and unpublishes, workers read.
// After td_demux_unpublish a worker may still hold what it read in this loop turn: free the stream
// only after a QSBR grace period. A packet that crosses to another worker is looked up again there.
//
// Ports come in even/odd pairs from the configured range, in an order shuffled at start so that an
// outsider cannot guess the next one. A freed pair rests for TD_PORT_QUARANTINE_NS, so that late
// packets of an old call do not reach a new one. No pair left: -TD_ENO_PORT.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_prefetch.h>

#include "td_error.h"
#include "td_limits.h"
#include "td_role.h"

#define TD_DEMUX_OPEN         0x80000000u
#define TD_DEMUX_RTCP         0x40000000u
#define TD_DEMUX_WORKER_SHIFT 24
#define TD_DEMUX_WORKER_MASK  0xfu
#define TD_DEMUX_STREAM_MASK  0xfffffu

// Of an entry's owner byte.
#define TD_DEMUX_OWNER_OPEN (TD_DEMUX_OPEN >> TD_DEMUX_WORKER_SHIFT)
#define TD_DEMUX_OWNER_RTCP (TD_DEMUX_RTCP >> TD_DEMUX_WORKER_SHIFT)

_Static_assert(TD_WORKER_MAX <= TD_DEMUX_WORKER_MASK + 1, "a worker's index fits its four bits");
_Static_assert(TD_STREAM_MAX <= TD_DEMUX_STREAM_MASK + 1, "a stream's index fits its twenty bits");

#define TD_PORT_QUARANTINE_NS 5000000000ull

struct td_port_pairs; // the allocator of one local address

struct td_demux {
	_Atomic uint32_t *entries; // by td_demux_pair(); main: rw, worker: ro
	struct td_port_pairs *pairs[TD_LOCAL_ADDR_MAX];
	uint32_t local_count;
	uint16_t port_first, port_last;
};

static inline uint32_t td_demux_stream(uint32_t entry)
{
	return entry & TD_DEMUX_STREAM_MASK;
}

static inline uint32_t td_demux_worker(uint32_t entry)
{
	return (entry >> TD_DEMUX_WORKER_SHIFT) & TD_DEMUX_WORKER_MASK;
}

// All of an entry but the stream, in a byte: worker w's RTP has TD_DEMUX_OWNER_OPEN | w.
static inline uint8_t td_demux_owner(uint32_t entry)
{
	return (uint8_t)(entry >> TD_DEMUX_WORKER_SHIFT);
}

static inline uint32_t td_demux_pair(uint32_t local, uint16_t port)
{
	return (local << 16 | port) >> 1;
}

static inline void td_demux_prefetch(const struct td_demux *demux, uint32_t local, uint16_t port)
{
	rte_prefetch0((const void *)&demux->entries[td_demux_pair(local, port)]);
}

// Worker: the entry of this local port (host order); without TD_DEMUX_OPEN nobody listens there.
static inline uint32_t td_demux_lookup(const struct td_demux *demux, uint32_t local, uint16_t port)
{
	// Pairs with the release store in td_demux_publish: the stream is complete when seen here.
	uint32_t entry = atomic_load_explicit(&demux->entries[td_demux_pair(local, port)],
					      memory_order_acquire);

	return entry | (entry >> 31 & port) << 30; // open, and the odd one
}

// Port range [first, last], first even, an even number of ports. -TD_EINVALID, -TD_EMEMORY.
TD_MUST_CHECK int td_demux_create(uint32_t local_count, uint16_t port_first, uint16_t port_last,
				  uint64_t seed, struct td_demux **out);
void td_demux_destroy(struct td_demux *demux);

// Takes an even port (RTP) and its odd neighbour (RTCP) of this local address. -TD_ENO_PORT.
TD_MUST_CHECK int td_demux_port_take(struct td_demux *demux, uint32_t local, uint64_t now_ns,
				     uint16_t *port) TD_MAIN;
// Gives a pair back, into quarantine. Unpublish it first.
void td_demux_port_give(struct td_demux *demux, uint32_t local, uint16_t port, uint64_t now_ns)
	TD_MAIN;
uint32_t td_demux_port_free_count(const struct td_demux *demux, uint32_t local);

// Points the pair at a stream: RTP at `port`, RTCP at `port` + 1.
void td_demux_publish(struct td_demux *demux, uint32_t local, uint16_t port, uint32_t worker,
		      uint32_t stream) TD_MAIN;
void td_demux_unpublish(struct td_demux *demux, uint32_t local, uint16_t port) TD_MAIN;
