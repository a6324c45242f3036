#include <stdlib.h>

#include <urcu-qsbr.h>

#include "net/neighbour.h"
#include "td_assert.h"

#define SCAN_MAX 64u // next hops looked at by one call of td_neighbours_due

struct td_neighbour_cold {
	struct td_endpoint addr; // main writes before publication, then constant until reclaimed
	uint32_t local;
	_Atomic uint32_t next;       // index + 1 in the bucket's chain; main: rw, worker: ro
	_Atomic uint32_t references; // main: rw, worker: ro
	// Of the housekeeping worker; on a port left to the host, of main.
	uint32_t tries;
	uint64_t due_ns;
};

int td_neighbours_create(const struct td_locals *locals, struct td_neighbours **out)
{
	struct td_neighbours *table = calloc(1, sizeof *table);

	if (!table)
		return -TD_EMEMORY;
	table->locals = locals;
	table->hot = aligned_alloc(TD_CACHE_LINE, TD_NEIGHBOUR_MAX * sizeof *table->hot);
	table->cold = calloc(TD_NEIGHBOUR_MAX, sizeof *table->cold);
	table->buckets = calloc(TD_NEIGHBOUR_BUCKETS, sizeof *table->buckets);
	if (!table->hot || !table->cold || !table->buckets) {
		td_neighbours_destroy(table);
		return -TD_EMEMORY;
	}
	memset((void *)table->hot, 0, TD_NEIGHBOUR_MAX * sizeof *table->hot);
	*out = table;
	return 0;
}

void td_neighbours_destroy(struct td_neighbours *table)
{
	if (!table)
		return;
	free((void *)table->hot);
	free(table->cold);
	free((void *)table->buckets);
	free(table);
}

void td_neighbours_set_source(struct td_neighbours *table, uint32_t port,
			      const struct td_link_source *source)
{
	TD_ASSERT(port < TD_PORT_MAX);
	table->sources[port] = *source;
}

void td_neighbours_leave_to_host(struct td_neighbours *table, uint32_t port)
{
	TD_ASSERT(port < TD_PORT_MAX);
	table->hosts[port] = true;
}

static uint32_t bucket_of(uint32_t port, const struct td_endpoint *addr)
{
	uint64_t w[2];
	uint64_t hash;

	memcpy(w, addr->addr, sizeof w);
	hash = (w[0] ^ (w[1] * 0x9e3779b97f4a7c15ull) ^ port) * 0xd6e8feb86659fd93ull;
	return (uint32_t)(hash >> 32) % TD_NEIGHBOUR_BUCKETS;
}

// Any thread: a worker may call this while main inserts; an entry is complete before it is linked.
static uint32_t find(const struct td_neighbours *table, uint32_t port,
		     const struct td_endpoint *addr)
{
	uint32_t bucket = bucket_of(port, addr);
	// Pairs with the release store in link_entry, like the load of `next` below.
	uint32_t link = atomic_load_explicit(&table->buckets[bucket], memory_order_acquire);

	for (uint32_t steps = 0; link != 0 && steps < TD_NEIGHBOUR_MAX; steps++) {
		const struct td_neighbour_cold *cold = &table->cold[link - 1];

		if (table->hot[link - 1].port == port && td_endpoint_same_addr(&cold->addr, addr))
			return link - 1;
		link = atomic_load_explicit(&cold->next, memory_order_acquire);
	}
	return TD_NEIGHBOUR_NONE;
}

static void link_entry(struct td_neighbours *table, uint32_t index)
{
	struct td_neighbour_cold *cold = &table->cold[index];
	uint32_t bucket = bucket_of(table->hot[index].port, &cold->addr);
	uint32_t first = atomic_load_explicit(&table->buckets[bucket], memory_order_relaxed);

	atomic_store_explicit(&cold->next, first, memory_order_relaxed);
	// Publishes address, port and next; pairs with the acquire loads in find.
	atomic_store_explicit(&table->buckets[bucket], index + 1, memory_order_release);
}

static void unlink_entry(struct td_neighbours *table, uint32_t index)
{
	struct td_neighbour_cold *cold = &table->cold[index];
	_Atomic uint32_t *link = &table->buckets[bucket_of(table->hot[index].port, &cold->addr)];
	uint32_t next = atomic_load_explicit(&cold->next, memory_order_relaxed);

	while (atomic_load_explicit(link, memory_order_relaxed) != index + 1)
		link = &table->cold[atomic_load_explicit(link, memory_order_relaxed) - 1].next;
	// A worker on the removed entry still finds the rest of the chain through it.
	atomic_store_explicit(link, next, memory_order_release);
}

// Every next hop that nobody references goes back to the free chain, after all workers have
// passed a quiescent state. Rare: only when the table is full.
static void reclaim_unreferenced(struct td_neighbours *table)
{
	static uint32_t victims[TD_NEIGHBOUR_MAX];
	uint32_t count = 0;

	for (uint32_t i = 0; i < TD_NEIGHBOUR_MAX; i++) {
		if (atomic_load_explicit(&table->cold[i].references, memory_order_relaxed) != 0)
			continue;
		unlink_entry(table, i);
		victims[count++] = i;
	}
	if (count > 0)
		synchronize_rcu();
	for (uint32_t i = 0; i < count; i++) {
		atomic_store_explicit(&table->cold[victims[i]].next, table->free_first,
				      memory_order_relaxed);
		table->free_first = victims[i] + 1;
	}
}

static uint32_t take_index(struct td_neighbours *table)
{
	uint32_t top = atomic_load_explicit(&table->top, memory_order_relaxed);
	uint32_t index;

	if (top < TD_NEIGHBOUR_MAX && table->free_first == 0)
		return top;
	if (table->free_first == 0)
		reclaim_unreferenced(table);
	if (table->free_first == 0)
		return TD_NEIGHBOUR_NONE;
	index = table->free_first - 1;
	table->free_first = atomic_load_explicit(&table->cold[index].next, memory_order_relaxed);
	return index;
}

static void fill_entry(struct td_neighbours *table, uint32_t index, uint32_t local,
		       const struct td_endpoint *hop)
{
	struct td_next_hop *hot = &table->hot[index];
	struct td_neighbour_cold *cold = &table->cold[index];
	uint8_t port = table->locals->entries[local].port;
	uint16_t vlan = table->sources[port].vlan;

	atomic_store_explicit(&hot->word, 0, memory_order_relaxed);
	hot->port = port;
	hot->l2_len = vlan ? 18 : 14;
	hot->vlan_be = __builtin_bswap16(vlan);
	hot->ethertype_be = __builtin_bswap16(hop->family == TD_FAMILY_IPV6 ? 0x86dd : 0x0800);
	cold->addr = *hop;
	cold->addr.port_be = 0;
	cold->local = local;
	cold->tries = 0;
	cold->due_ns = 0;
}

// Which address to ask for on the link; false when dst can have no next hop. Where the host routes,
// that is its kernel's business.
static bool choose_hop(const struct td_local *local, bool host_routes,
		       const struct td_endpoint *dst, struct td_endpoint *hop)
{
	static const uint8_t zero[16];
	bool multicast = dst->family == TD_FAMILY_IPV6 ? dst->addr[0] == 0xff : dst->addr[0] >= 224;

	if (dst->family != local->addr.family || multicast || memcmp(dst->addr, zero, 16) == 0)
		return false;
	if (td_endpoint_same_addr(dst, &local->addr))
		return false;
	*hop = *dst;
	if (host_routes || td_local_on_link(local, dst))
		return true;
	*hop = local->gateway;
	return local->gateway.family != TD_FAMILY_NONE;
}

int td_neighbour_get(struct td_neighbours *table, uint32_t local, const struct td_endpoint *dst,
		     uint32_t *index)
{
	struct td_endpoint hop;
	uint32_t found, top, port;

	TD_ASSERT(local < table->locals->count);
	port = table->locals->entries[local].port;
	if (!choose_hop(&table->locals->entries[local], table->hosts[port], dst, &hop))
		return -TD_EINVALID;
	found = find(table, port, &hop);
	if (found == TD_NEIGHBOUR_NONE) {
		found = take_index(table);
		if (found == TD_NEIGHBOUR_NONE)
			return -TD_EFULL;
		fill_entry(table, found, local, &hop);
		link_entry(table, found);
		top = atomic_load_explicit(&table->top, memory_order_relaxed);
		if (found == top)
			// Pairs with the acquire load in td_neighbours_due.
			atomic_store_explicit(&table->top, top + 1, memory_order_release);
	}
	// Pairs with the acquire load in td_neighbours_due: a referenced entry is complete.
	atomic_fetch_add_explicit(&table->cold[found].references, 1, memory_order_release);
	*index = found;
	return 0;
}

void td_neighbour_put(struct td_neighbours *table, uint32_t index)
{
	uint32_t before;

	TD_ASSERT(index < TD_NEIGHBOUR_MAX);
	// Pairs with the acquire load in td_neighbours_due.
	before = atomic_fetch_sub_explicit(&table->cold[index].references, 1, memory_order_release);
	TD_ASSERT(before > 0);
}

void td_neighbour_learn(struct td_neighbours *table, uint32_t port, const struct td_endpoint *addr,
			const uint8_t mac[6], uint32_t flags)
{
	uint32_t index = find(table, port, addr);
	uint64_t word, want, mac_word = 0;

	if (index == TD_NEIGHBOUR_NONE)
		return;
	memcpy(&mac_word, mac, 6);
	// Any worker may learn at the same moment; the last one wins, each word is whole.
	word = atomic_load_explicit(&table->hot[index].word, memory_order_relaxed);
	do {
		bool differs = (word & TD_NEIGHBOUR_MAC_MASK) != mac_word;

		if ((word & TD_NEIGHBOUR_USABLE) && differs && !(flags & TD_LEARN_OVERRIDE))
			return;
		want = mac_word | TD_NEIGHBOUR_USABLE | (word & TD_NEIGHBOUR_CONFIRMED);
		if (flags & TD_LEARN_SOLICITED)
			want |= TD_NEIGHBOUR_CONFIRMED;
	} while (!atomic_compare_exchange_weak_explicit(
		&table->hot[index].word, &word, want, memory_order_relaxed, memory_order_relaxed));
}

static void fill_question(const struct td_neighbours *table, uint32_t index, uint64_t word,
			  struct td_neighbour_question *out)
{
	*out = (struct td_neighbour_question){
		.target = table->cold[index].addr,
		.local = table->cold[index].local,
		.port = table->hot[index].port,
		.unicast = (word & TD_NEIGHBOUR_USABLE) != 0,
	};
	memcpy(out->mac, &word, 6);
}

// True when a question about this next hop is due; moves its timers.
static bool next_hop_due(struct td_neighbours *table, uint32_t index, uint64_t now_ns,
			 struct td_neighbour_question *out)
{
	struct td_next_hop *hot = &table->hot[index];
	struct td_neighbour_cold *cold = &table->cold[index];
	uint64_t word;

	// Pairs with the release in td_neighbour_get and _put.
	if (atomic_load_explicit(&cold->references, memory_order_acquire) == 0 ||
	    table->hosts[hot->port])
		return false;
	word = atomic_load_explicit(&hot->word, memory_order_relaxed);
	if (word & TD_NEIGHBOUR_CONFIRMED) {
		atomic_fetch_and_explicit(&hot->word, ~TD_NEIGHBOUR_CONFIRMED,
					  memory_order_relaxed);
		cold->tries = 0;
		cold->due_ns = now_ns + TD_NEIGHBOUR_REFRESH_NS;
		return false;
	}
	if (now_ns < cold->due_ns)
		return false;
	if (cold->tries >= TD_NEIGHBOUR_TRIES && (word & TD_NEIGHBOUR_USABLE)) {
		// Asked by unicast and not answered: whoever had this MAC has gone.
		word = atomic_fetch_and_explicit(&hot->word, ~TD_NEIGHBOUR_USABLE,
						 memory_order_relaxed) &
		       ~TD_NEIGHBOUR_USABLE;
	}
	cold->tries++;
	cold->due_ns = now_ns + TD_NEIGHBOUR_RETRY_NS;
	fill_question(table, index, word, out);
	return true;
}

uint32_t td_neighbours_due(struct td_neighbours *table, uint64_t now_ns,
			   struct td_neighbour_question *out, uint32_t max)
{
	// Pairs with the release store in td_neighbour_get.
	uint32_t top = atomic_load_explicit(&table->top, memory_order_acquire);
	uint32_t looks = top < SCAN_MAX ? top : SCAN_MAX;
	uint32_t count = 0;

	for (uint32_t i = 0; i < looks && count < max; i++) {
		if (table->cursor >= top)
			table->cursor = 0;
		if (next_hop_due(table, table->cursor, now_ns, &out[count]))
			count++;
		table->cursor++;
	}
	return count;
}

static bool host_entry(const struct td_neighbours *table, uint32_t index)
{
	return table->hosts[table->hot[index].port] &&
	       atomic_load_explicit(&table->cold[index].references, memory_order_relaxed) != 0;
}

uint32_t td_neighbours_host_due(struct td_neighbours *table, uint64_t now_ns, uint32_t *out,
				uint32_t max)
{
	uint32_t top = atomic_load_explicit(&table->top, memory_order_relaxed);
	uint32_t count = 0;

	for (uint32_t i = 0; i < top && count < max; i++) {
		uint64_t word;

		if (!host_entry(table, i) || now_ns < table->cold[i].due_ns)
			continue;
		word = atomic_load_explicit(&table->hot[i].word, memory_order_relaxed);
		table->cold[i].due_ns =
			now_ns +
			(word & TD_NEIGHBOUR_USABLE ? TD_NEIGHBOUR_HOST_NS : TD_NEIGHBOUR_RETRY_NS);
		out[count++] = i;
	}
	return count;
}

void td_neighbours_host_changed(struct td_neighbours *table)
{
	uint32_t top = atomic_load_explicit(&table->top, memory_order_relaxed);

	for (uint32_t i = 0; i < top; i++)
		if (host_entry(table, i))
			table->cold[i].due_ns = 0;
}

void td_neighbour_host_again(struct td_neighbours *table, uint32_t index)
{
	TD_ASSERT(index < TD_NEIGHBOUR_MAX && table->hosts[table->hot[index].port]);
	table->cold[index].due_ns = 0;
}

const struct td_endpoint *td_neighbour_destination(const struct td_neighbours *table,
						   uint32_t index)
{
	TD_ASSERT(index < TD_NEIGHBOUR_MAX);
	return &table->cold[index].addr;
}

uint32_t td_neighbour_local(const struct td_neighbours *table, uint32_t index)
{
	TD_ASSERT(index < TD_NEIGHBOUR_MAX);
	return table->cold[index].local;
}

void td_neighbour_set(struct td_neighbours *table, uint32_t index, const uint8_t mac[6])
{
	uint64_t word = 0;

	TD_ASSERT(index < TD_NEIGHBOUR_MAX && table->hosts[table->hot[index].port]);
	if (mac) {
		memcpy(&word, mac, 6);
		word |= TD_NEIGHBOUR_USABLE;
	}
	// Relaxed: the word is whole, and workers only read it on such a port.
	atomic_store_explicit(&table->hot[index].word, word, memory_order_relaxed);
}
