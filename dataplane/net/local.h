// The addresses the dataplane owns, over all its ports, by a small index.
//
// Immutable once the workers run, so any thread reads it without care. The look-up from a packet's
// destination address is one multiplicative hash and one compare: IPv4 addresses lie in the slots
// themselves, IPv6 ones (of their words' exclusive or, the hash) in the entries.
//
//   slot of IPv4, 64 bits:  | 55..48 port | 39..32 index + 1, 0: empty | 31..0 address, as in memory |
//
// At most TD_LOCAL_ADDR_MAX addresses; one more is refused at start-up.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "td_endpoint.h"
#include "td_error.h"
#include "td_limits.h"

#define TD_LOCAL_NONE  0xffu
#define TD_LOCAL_SLOTS 256u

struct td_local {
	struct td_endpoint addr;    // port_be 0
	struct td_endpoint gateway; // family NONE: no off-link destinations from this address
	uint8_t prefix_bits;
	uint8_t port; // dataplane port index
};

struct td_locals {
	uint64_t slots4[TD_LOCAL_SLOTS]; // linear probing, as in slots6
	uint8_t slots6[TD_LOCAL_SLOTS];  // index + 1 into entries; 0 empty
	struct td_local entries[TD_LOCAL_ADDR_MAX];
	uint32_t count;
};

// Adds an address. -TD_EFULL, -TD_EEXISTS, or -TD_EINVALID (not a usable host address, or a
// prefix that is too long, or a gateway of another family). Before the workers run only.
TD_MUST_CHECK int td_locals_add(struct td_locals *locals, const struct td_local *local);

// True when dst is on the link of this address: resolved directly, not through the gateway.
bool td_local_on_link(const struct td_local *local, const struct td_endpoint *dst);

// The first address of a family, or TD_LOCAL_NONE.
uint8_t td_locals_first(const struct td_locals *locals, enum td_family family);

static inline uint32_t td_locals_slot(uint32_t key)
{
	return (key * 0x9e3779b1u) >> 24;
}

// The slot of the local address with these four bytes; 0 when there is none.
static inline uint64_t td_locals_slot4(const struct td_locals *locals, uint32_t addr_be)
{
	uint32_t slot = td_locals_slot(addr_be);
	uint64_t word = locals->slots4[slot];

	while (word != 0 && (uint32_t)word != addr_be)
		word = locals->slots4[++slot % TD_LOCAL_SLOTS];
	return word;
}

#define TD_LOCAL_SLOT_INDEX      32 // where the index + 1 lies
#define TD_LOCAL_SLOT_INDEX_MASK (0xffull << TD_LOCAL_SLOT_INDEX)

static inline uint8_t td_locals_slot_index(uint64_t slot)
{
	return (uint8_t)((uint8_t)(slot >> TD_LOCAL_SLOT_INDEX) - 1u);
}

static inline uint8_t td_locals_slot_port(uint64_t slot)
{
	return (uint8_t)(slot >> 48);
}

// Index of the local address with these four bytes, or TD_LOCAL_NONE.
static inline uint8_t td_locals_find4(const struct td_locals *locals, uint32_t addr_be)
{
	_Static_assert(TD_LOCAL_NONE == UINT8_MAX, "an empty slot's index is none");
	return td_locals_slot_index(td_locals_slot4(locals, addr_be));
}

// RFC 1122 3.2.1.3 and 3.3.6: what can be the sender of a unicast datagram, and is not ourselves.
static inline bool td_locals_source4_valid(const struct td_locals *locals, uint32_t source_be)
{
	uint8_t first = (uint8_t)(source_be & 0xffu);

	return first != 0 && first != 127 && first < 224 && td_locals_slot4(locals, source_be) == 0;
}

static inline uint8_t td_locals_find6(const struct td_locals *locals, const uint8_t addr[16])
{
	uint32_t w[4];

	memcpy(w, addr, sizeof w);
	for (uint32_t slot = td_locals_slot(w[0] ^ w[1] ^ w[2] ^ w[3]);
	     locals->slots6[slot % TD_LOCAL_SLOTS]; slot++) {
		uint8_t index = (uint8_t)(locals->slots6[slot % TD_LOCAL_SLOTS] - 1u);

		if (memcmp(locals->entries[index].addr.addr, addr, 16) == 0)
			return index;
	}
	return TD_LOCAL_NONE;
}
