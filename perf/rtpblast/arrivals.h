// What has come of one flow, by packet numbers: what is new, late, or there twice.
//
//   window bit n: packet `highest - n` has come      expected - unique = lost
//
// Pure; the last 64 numbers are told apart, what is older than that counts as late and new.
#pragma once

#include <stdint.h>

enum td_arrival { TD_ARRIVAL_NEW, TD_ARRIVAL_LATE, TD_ARRIVAL_DUPLICATE };

struct td_arrivals {
	uint32_t first, highest; // valid once unique > 0
	uint32_t unique, late, duplicates;
	uint64_t window;
};

enum td_arrival td_arrivals_note(struct td_arrivals *arrivals, uint32_t number);

// The number nearest to the highest whose low 16 bits are an RTP sequence number (RFC 3711
// section 3.3.1 guesses likewise).
uint32_t td_arrivals_extend(const struct td_arrivals *arrivals, uint16_t sequence);

// How many numbers between the first and the highest have not come.
uint32_t td_arrivals_gaps(const struct td_arrivals *arrivals);
