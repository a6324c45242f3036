// One sender's packets in the order they were sent, as far as they come within a little while.
//
//   records as they came --put--> [ up to 8, waiting for the one before them ] --deliver-->
//   invariant: whatever is held is later than `next`
//
// What is in order passes without a copy. One that overtook others waits until they are there, until
// there are too many, or for TD_REORDER_WAIT_MS; then the missing ones count as lost. One that comes
// after that is delivered late. Not thread-safe; memory for what waits is taken when it is needed.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "media/tap.h"

#define TD_REORDER_HELD    8
#define TD_REORDER_WAIT_MS 100

// `late`: its successors have been delivered already.
typedef void td_reorder_deliver_fn(void *user, const struct td_tap_record *record, bool late);

struct td_reorder {
	bool started;
	uint32_t ssrc;
	uint16_t next;                                // the sequence number that is waited for
	unsigned held;                                // how many wait
	uint64_t since_ns;                            // when the first of them came
	int64_t lost;                                 // that never came
	bool full[TD_REORDER_HELD];                   // by sequence number
	struct td_tap_record *slots[TD_REORDER_HELD]; // free ones stay here
};

void td_reorder_put(struct td_reorder *reorder, const struct td_tap_record *record,
		    td_reorder_deliver_fn *deliver, void *user);
// Gives up waiting for what should have come by now. `now_ns` UINT64_MAX: for everything.
void td_reorder_expire(struct td_reorder *reorder, uint64_t now_ns, td_reorder_deliver_fn *deliver,
		       void *user);
void td_reorder_fini(struct td_reorder *reorder);
