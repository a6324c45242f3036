// Bursts and gaps of one stream's losses: RFC 3611 section 4.7.2, from bad packets alone.
//
//   . . x . . . x x . . . . . . . . . . . . . . . . . x . . .      x: lost or discarded
//       '-- burst -'  '------ 16 or more ------'      '-- alone: part of the gap
//
// Told only of packets that are bad, each by its number, in order; what lies between two is good.
//   bad = closed bursts' + gaps' + the open cluster's
// Pure; caller's memory; one thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "td_quality.h"

struct td_loss {
	uint32_t lost, discarded;
	uint32_t runs;    // rows of bad packets with no good one between
	uint32_t last;    // number of the last bad one
	uint32_t cluster; // bad ones less than Gmin apart from each other, still open
	uint32_t cluster_first;
	uint32_t bursts, burst_packets, burst_lost; // closed
	uint32_t gap_lost;                          // closed
};

// `count` of them in a row from `number` on. All at zero is the beginning.
void td_loss_bad(struct td_loss *loss, uint32_t number, uint32_t count, bool discarded);
// The numbers begin anew: what comes does not belong together with what was.
void td_loss_restart(struct td_loss *loss);

struct td_loss_summary {
	uint32_t bursts, gaps;
	uint32_t burst_packets, gap_packets; // in all of them
	uint32_t burst_lost, gap_lost;
};

// As if the session ended after `packets` packets.
void td_loss_summarize(const struct td_loss *loss, uint64_t packets, struct td_loss_summary *out);

// G.107's BurstR: how long rows of bad packets are, over how long they would be by chance; >= 1.
double td_loss_burst_ratio(const struct td_loss *loss, uint64_t packets);
