#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "net/host_hops.h"
#include "td_log.h"

int td_host_hops_open(struct td_host_hops *hops, struct td_neighbours *table,
		      const unsigned interfaces[TD_PORT_MAX])
{
	int error;

	*hops = (struct td_host_hops){ .table = table };
	memcpy(hops->interfaces, interfaces, sizeof hops->interfaces);
	hops->known = calloc(TD_NEIGHBOUR_MAX, sizeof *hops->known);
	error = hops->known ? td_rtnetlink_open(&hops->netlink) : -TD_EMEMORY;
	if (error)
		td_host_hops_close(hops);
	return error;
}

void td_host_hops_close(struct td_host_hops *hops)
{
	td_rtnetlink_close(&hops->netlink);
	free(hops->known);
	*hops = (struct td_host_hops){ 0 };
}

int td_host_hops_fd(const struct td_host_hops *hops)
{
	return hops->table ? td_rtnetlink_news_fd(&hops->netlink) : -1;
}

// Why there is no way to a peer; once for each time that it becomes so.
static void name_once(struct td_host_hop *known, unsigned interface, int error, unsigned leaves_by)
{
	char peer[TD_ENDPOINT_TEXT_MAX], ours[IF_NAMESIZE] = "?", other[IF_NAMESIZE] = "?";

	if (known->named)
		return;
	known->named = true;
	td_endpoint_addr_text(&known->destination, peer);
	if (error == -TD_EINVALID) {
		td_warn(NULL, "no media to %s: the address is this host's own, or no host's", peer);
	} else if (error) {
		td_warn(NULL, "no media to %s: the kernel has no route there; see \"ip route get\"",
			peer);
	} else {
		if_indextoname(interface, ours);
		if_indextoname(leaves_by, other);
		td_warn(NULL,
			"no media to %s: its route leaves by %s and not by %s; give the dataplane a port "
			"there too, or correct the route",
			peer, other, ours);
	}
}

// What the kernel has of a neighbour, after it has been told that we use it. False while it has
// nothing to send to.
static bool look_up(struct td_rtnetlink *netlink, unsigned interface,
		    const struct td_endpoint *addr, struct td_host_neighbour *neighbour)
{
	if (td_rtnetlink_neighbour(netlink, interface, addr, neighbour) == 0 && neighbour->fixed)
		return true;
	return td_rtnetlink_use(netlink, interface, addr) == 0 &&
	       td_rtnetlink_neighbour(netlink, interface, addr, neighbour) == 0 &&
	       neighbour->usable;
}

// Asks the kernel about one next hop and writes down what it says.
static TD_MAIN void refresh(struct td_host_hops *hops, uint32_t index)
{
	uint32_t local = td_neighbour_local(hops->table, index);
	unsigned interface = hops->interfaces[td_neighbour_port(hops->table, index)];
	const struct td_endpoint *source = &hops->table->locals->entries[local].addr;
	struct td_host_neighbour neighbour;
	struct td_host_route route = { 0 };
	const struct td_endpoint *destination = td_neighbour_destination(hops->table, index);
	struct td_host_hop *known = &hops->known[index];
	int error = td_rtnetlink_route(&hops->netlink, interface, source, destination, &route);

	if (!td_endpoint_same_addr(&known->destination, destination))
		*known = (struct td_host_hop){ .destination = *destination };
	if (error || route.interface != interface) {
		name_once(known, interface, error, route.interface);
		known->hop = (struct td_endpoint){ 0 };
		td_neighbour_set(hops->table, index, NULL);
		return;
	}
	known->named = false;
	// The MAC of another hop is not this one's.
	if (!td_endpoint_same_addr(&known->hop, &route.hop))
		td_neighbour_set(hops->table, index, NULL);
	known->hop = route.hop;
	if (!look_up(&hops->netlink, interface, &route.hop, &neighbour))
		return;
	known->failures = 0;
	td_neighbour_set(hops->table, index, neighbour.mac);
}

static TD_MAIN bool goes_by(const struct td_host_hops *hops, uint32_t index,
			    const struct td_host_neighbour *neighbour)
{
	const struct td_host_hop *known = &hops->known[index];

	return known->hop.family != TD_FAMILY_NONE &&
	       td_endpoint_same_addr(&known->hop, &neighbour->addr) &&
	       td_endpoint_same_addr(&known->destination,
				     td_neighbour_destination(hops->table, index)) &&
	       hops->interfaces[td_neighbour_port(hops->table, index)] == neighbour->interface;
}

static TD_MAIN void on_neighbour(void *user, const struct td_host_neighbour *neighbour)
{
	struct td_host_hops *hops = user;

	for (uint32_t i = 0; i < TD_NEIGHBOUR_MAX; i++) {
		struct td_host_hop *known = &hops->known[i];

		if (!goes_by(hops, i, neighbour))
			continue;
		if (neighbour->usable) {
			known->failures = 0;
			td_neighbour_set(hops->table, i, neighbour->mac);
		} else if (neighbour->failed && ++known->failures >= TD_HOST_HOPS_FAILURES) {
			known->failures = TD_HOST_HOPS_FAILURES;
			td_neighbour_set(hops->table, i, NULL);
		} else if (neighbour->failed || neighbour->forgotten) {
			td_neighbour_host_again(hops->table, i);
		}
	}
}

static void on_change(void *user)
{
	struct td_host_hops *hops = user;

	hops->changed = true;
}

void td_host_hops_on_news(struct td_host_hops *hops)
{
	const struct td_rtnetlink_handler handler = { on_neighbour, on_change, hops };

	td_rtnetlink_read_news(&hops->netlink, &handler);
}

uint32_t td_host_hops_turn(struct td_host_hops *hops, uint64_t now_ns)
{
	uint32_t due[TD_HOST_HOPS_PER_TURN], count;

	if (!hops->table)
		return 0;
	if (hops->changed && now_ns - hops->changed_ns >= TD_HOST_HOPS_CHANGE_NS) {
		hops->changed = false;
		hops->changed_ns = now_ns;
		td_neighbours_host_changed(hops->table);
	}
	count = td_neighbours_host_due(hops->table, now_ns, due, TD_HOST_HOPS_PER_TURN);
	for (uint32_t i = 0; i < count; i++)
		refresh(hops, due[i]);
	return count;
}
