// What the host's kernel knows of the way to a peer, asked and followed over rtnetlink.
//
//   ask:  route to a destination, MAC of a neighbour, "we use this neighbour"   -> answer at once
//   news: neighbours as they come, change and fail; routes, addresses and links that changed
//
// Two sockets, so that an answer is never lost among news. The kernel answers within the call that
// asks; nothing here waits for the network. Main thread. News that were lost because nobody read
// them are news too: everything may have changed.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "td_endpoint.h"
#include "td_error.h"

struct mnl_socket;

struct td_rtnetlink {
	struct mnl_socket *ask, *news; // NULL: closed
	uint32_t sequence;
};

struct td_host_route {
	unsigned interface;
	struct td_endpoint hop; // whose MAC a packet gets: the destination or a gateway
};

struct td_host_neighbour {
	unsigned interface;
	struct td_endpoint addr;
	uint8_t mac[6];
	bool usable; // `mac` is what the kernel itself would send to
	bool fixed;  // by hand: the kernel neither verifies nor replaces it
	bool failed; // asked for in vain
	bool forgotten;
};

struct td_rtnetlink_handler {
	void (*on_neighbour)(void *user, const struct td_host_neighbour *neighbour);
	void (*on_change)(void *user); // of routes, addresses, links, or of we do not know what
	void *user;
};

// -TD_EIO with errno set.
TD_MUST_CHECK int td_rtnetlink_open(struct td_rtnetlink *netlink);
void td_rtnetlink_close(struct td_rtnetlink *netlink);

// Readable when there are news.
int td_rtnetlink_news_fd(const struct td_rtnetlink *netlink);
// Handles what has come, without waiting.
void td_rtnetlink_read_news(struct td_rtnetlink *netlink,
			    const struct td_rtnetlink_handler *handler);

// Which way the kernel would send from `source` to `destination`; a link-local destination is on
// the link `interface`. -TD_ENOT_FOUND: nowhere. -TD_EINVALID: to this host itself, or to many.
TD_MUST_CHECK int td_rtnetlink_route(struct td_rtnetlink *netlink, unsigned interface,
				     const struct td_endpoint *source,
				     const struct td_endpoint *destination,
				     struct td_host_route *route);

// Tells the kernel that the neighbour is in use: it resolves, verifies and keeps it as if it sent
// packets there itself. Not for one that is fixed: the kernel would take that as a wish to forget
// what was set by hand.
TD_MUST_CHECK int td_rtnetlink_use(struct td_rtnetlink *netlink, unsigned interface,
				   const struct td_endpoint *addr);

// -TD_ENOT_FOUND when the kernel has no entry.
TD_MUST_CHECK int td_rtnetlink_neighbour(struct td_rtnetlink *netlink, unsigned interface,
					 const struct td_endpoint *addr,
					 struct td_host_neighbour *neighbour);
