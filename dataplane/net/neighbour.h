// Next hops: where, on which port, a packet to some address has to go at layer 2.
//
//   main                       housekeeping worker (0)          any worker
//     get/put: references        asks (ARP, ND), refreshes,       reads word by index (hot),
//     a next hop                 gives up                         learns from replies
//
//   word, 64 bits:  | 63 usable | 62 confirmed since asked | 47..0 MAC as it lies in memory |
//
// A destination off the link of the local address resolves to that address's gateway, so streams
// share few next hops and the table stays small and hot: 16 bytes each. A next hop that is being
// refreshed keeps its MAC until TD_NEIGHBOUR_TRIES questions stayed unanswered. One that nobody
// references stays known, unrefreshed, until its place is needed. Full: -TD_EFULL.
//
// On a port that the host shares with us the host's kernel routes and resolves: there a next hop
// stands for one destination, nobody asks or learns here, and the main thread (net/host_hops.h)
// writes into it what the kernel knows.
#pragma once

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "net/local.h"
#include "td_endpoint.h"
#include "td_error.h"
#include "td_limits.h"
#include "td_role.h"

#define TD_NEIGHBOUR_MAX        4096 // next hops, over all ports
#define TD_NEIGHBOUR_NONE       UINT32_MAX
#define TD_NEIGHBOUR_TRIES      3
#define TD_NEIGHBOUR_RETRY_NS   1000000000ull  // between two questions
#define TD_NEIGHBOUR_REFRESH_NS 30000000000ull // a confirmed MAC is asked for again after this
#define TD_NEIGHBOUR_HOST_NS    10000000000ull // the host's kernel is told that we use it, this often

#define TD_NEIGHBOUR_USABLE     (1ull << 63)
#define TD_NEIGHBOUR_CONFIRMED  (1ull << 62)
#define TD_NEIGHBOUR_MAC_MASK   ((1ull << 48) - 1ull)

#define TD_L2_MAX               18

// What a worker reads per packet sent.
struct td_next_hop {
	_Atomic uint64_t word; // workers: rw (compare and exchange), main: clears on reuse
	uint8_t port;          // the rest is written by main before the index is handed out
	uint8_t l2_len;        // 14, or 18 with a VLAN tag
	uint16_t vlan_be;      // tag control information
	uint16_t ethertype_be;
	uint8_t reserved[2];
};

_Static_assert(sizeof(struct td_next_hop) == 16, "four next hops a cache line");

// What every frame from a port begins with; filled when the port is opened.
struct td_link_source {
	uint8_t mac[6];
	uint16_t vlan; // 0: untagged
};

_Static_assert(sizeof(struct td_link_source) == 8, "read as one word");

struct td_neighbour_cold; // address, references, timers

#define TD_NEIGHBOUR_BUCKETS (2 * TD_NEIGHBOUR_MAX)

struct td_neighbours {
	struct td_next_hop *hot;        // [TD_NEIGHBOUR_MAX]
	struct td_neighbour_cold *cold; // [TD_NEIGHBOUR_MAX]
	const struct td_locals *locals; // borrowed
	struct td_link_source sources[TD_PORT_MAX];
	bool hosts[TD_PORT_MAX];   // the host's kernel routes here; constant once the workers run
	_Atomic uint32_t *buckets; // [TD_NEIGHBOUR_BUCKETS] index + 1 of a chain's first next hop
	_Atomic uint32_t top;      // indexes below this were ever used; main: rw, worker: ro
	uint32_t free_first;       // main: chain of reclaimed indexes, + 1
	uint32_t cursor;           // housekeeping worker: where the next scan begins
};

TD_MUST_CHECK int td_neighbours_create(const struct td_locals *locals, struct td_neighbours **out);
void td_neighbours_destroy(struct td_neighbours *table);

// Before the workers run: the MAC and VLAN of a port.
void td_neighbours_set_source(struct td_neighbours *table, uint32_t port,
			      const struct td_link_source *source);

// Before the workers run: on this port the host's kernel routes.
void td_neighbours_leave_to_host(struct td_neighbours *table, uint32_t port);

// References the next hop from local address `local` to `dst`, creating it (unresolved) if need be;
// the housekeeping worker asks for it at once. -TD_EFULL; -TD_EINVALID for a destination that can
// have no next hop: other family, multicast, unspecified, off-link without a gateway.
TD_MUST_CHECK int td_neighbour_get(struct td_neighbours *table, uint32_t local,
				   const struct td_endpoint *dst, uint32_t *index) TD_MAIN;
// Call when no worker sends by this index any more: it may then name another next hop.
void td_neighbour_put(struct td_neighbours *table, uint32_t index) TD_MAIN;

// Worker: writes the Ethernet header (with tag) that ends at `l3`. Returns its length, or 0 when
// the next hop is not resolved: drop under TD_DROP_NEIGHBOUR_UNRESOLVED.
static inline uint32_t td_neighbour_write_l2(const struct td_neighbours *table, uint32_t index,
					     uint8_t *l3)
{
	const struct td_next_hop *hop = &table->hot[index];
	// Relaxed: the MAC is in the word itself, nothing else is published with it.
	uint64_t word = atomic_load_explicit(&hop->word, memory_order_relaxed);
	uint64_t source;

	if (!(word & TD_NEIGHBOUR_USABLE))
		return 0;
	// Both MACs with whole words; what spills over is overwritten by what follows.
	memcpy(&source, &table->sources[hop->port], sizeof source);
	source = (source & TD_NEIGHBOUR_MAC_MASK) | (uint64_t)hop->ethertype_be << 48;
	if (__builtin_expect(hop->l2_len == 14, 1)) {
		memcpy(l3 - 14, &word, sizeof word);
		memcpy(l3 - 8, &source, sizeof source);
		return 14;
	}
	memcpy(l3 - TD_L2_MAX, &word, sizeof word);
	memcpy(l3 - 12, &source, sizeof source);
	l3[-6] = 0x81;
	l3[-5] = 0x00;
	memcpy(l3 - 4, &hop->vlan_be, 2);
	memcpy(l3 - 2, &hop->ethertype_be, 2);
	return TD_L2_MAX;
}

// The same for an untagged IPv4 frame; false, and nothing written, for any other.
static inline bool td_neighbour_write_plain(const struct td_neighbours *table, uint32_t index,
					    uint8_t *l3)
{
	const struct td_next_hop *hop = &table->hot[index];
	uint64_t word = atomic_load_explicit(&hop->word, memory_order_relaxed), source;

	if (!(word & TD_NEIGHBOUR_USABLE) || hop->l2_len != 14)
		return false;
	memcpy(&source, &table->sources[hop->port], sizeof source);
	source = (source & TD_NEIGHBOUR_MAC_MASK) | 0x0008ull << 48; // 0x0800 as it lies in memory
	memcpy(l3 - 14, &word, sizeof word);
	memcpy(l3 - 8, &source, sizeof source);
	return true;
}

static inline uint32_t td_neighbour_port(const struct td_neighbours *table, uint32_t index)
{
	return table->hot[index].port;
}

#define TD_LEARN_SOLICITED 0x01u // it answers our question: ARP reply, NA with the S flag
#define TD_LEARN_OVERRIDE  0x02u // it may replace another MAC: ARP, NA with the O flag

// Worker: `mac` was announced or confirmed for `addr` on `port`. Updates the next hop if there is
// one; creates nothing, so a flood of announcements costs nothing but the look-up.
void td_neighbour_learn(struct td_neighbours *table, uint32_t port, const struct td_endpoint *addr,
			const uint8_t mac[6], uint32_t flags) TD_WORKER;

// A question the housekeeping worker should send now.
struct td_neighbour_question {
	struct td_endpoint target;
	uint32_t local; // ask from this address
	uint32_t port;
	bool unicast; // to `mac`: a refresh; else broadcast or solicited-node multicast
	uint8_t mac[6];
};

// Housekeeping worker, about once a millisecond: looks at the next few next hops and fills in at
// most `max` questions that are due. Returns how many.
uint32_t td_neighbours_due(struct td_neighbours *table, uint64_t now_ns,
			   struct td_neighbour_question *out, uint32_t max) TD_WORKER;

// What follows is for ports left to the host.

// Fills in the indexes of at most `max` referenced next hops about which the host's kernel should
// be asked now. Returns how many.
uint32_t td_neighbours_host_due(struct td_neighbours *table, uint64_t now_ns, uint32_t *out,
				uint32_t max) TD_MAIN;
// The kernel's routes have changed: all of them are due.
void td_neighbours_host_changed(struct td_neighbours *table) TD_MAIN;
// This one is due.
void td_neighbour_host_again(struct td_neighbours *table, uint32_t index) TD_MAIN;

// Whom this next hop leads to, and from which local address.
const struct td_endpoint *td_neighbour_destination(const struct td_neighbours *table,
						   uint32_t index) TD_MAIN;
uint32_t td_neighbour_local(const struct td_neighbours *table, uint32_t index) TD_MAIN;

// `mac` NULL: it cannot be reached.
void td_neighbour_set(struct td_neighbours *table, uint32_t index, const uint8_t mac[6]) TD_MAIN;
