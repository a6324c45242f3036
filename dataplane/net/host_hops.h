// Next hops on ports that the host shares: the kernel's routes and neighbours, kept current in our
// neighbour table.
//
//   neighbour table: a destination is due --> route? --> use its hop --> its MAC --> the next hop
//   kernel's news:   a neighbour came, changed, failed ------------------------------^
//                    routes changed: all are due again, at most once a second
//
// A neighbour that fails once is asked for again while media goes on to where it was: somebody may
// only have emptied the kernel's table. The second time in a row it is gone.
//
// Main thread; workers only ever see words of the table change. A destination whose route leaves by
// another interface has no next hop here, and is named once in the log.
#pragma once

#include <stdint.h>

#include "net/neighbour.h"
#include "net/rtnetlink.h"
#include "td_error.h"
#include "td_role.h"

#define TD_HOST_HOPS_PER_TURN  16
#define TD_HOST_HOPS_CHANGE_NS 1000000000ull
#define TD_HOST_HOPS_FAILURES  2

// What was last learned about a next hop, by its index.
struct td_host_hop {
	struct td_endpoint destination; // of the index then; it may stand for another one by now
	struct td_endpoint hop;         // whose MAC it has; family NONE: there is no way
	bool named;                     // which has been logged
	uint8_t failures;               // since it was last usable
};

struct td_host_hops {
	struct td_rtnetlink netlink;
	struct td_neighbours *table;      // borrowed; NULL: closed
	unsigned interfaces[TD_PORT_MAX]; // the kernel's index; 0: not a port of the host's
	struct td_host_hop *known;        // [TD_NEIGHBOUR_MAX]
	bool changed;
	uint64_t changed_ns;
};

// `interfaces` by port index. -TD_EIO (errno set), -TD_EMEMORY.
TD_MUST_CHECK int td_host_hops_open(struct td_host_hops *hops, struct td_neighbours *table,
				    const unsigned interfaces[TD_PORT_MAX]);
void td_host_hops_close(struct td_host_hops *hops);

// Readable when the kernel has news; -1 when closed.
int td_host_hops_fd(const struct td_host_hops *hops);
void td_host_hops_on_news(struct td_host_hops *hops) TD_MAIN;

// Call in every turn of the main loop. Returns how many next hops it has looked after.
uint32_t td_host_hops_turn(struct td_host_hops *hops, uint64_t now_ns) TD_MAIN;
