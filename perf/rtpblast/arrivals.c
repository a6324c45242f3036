#include "arrivals.h"

#define WINDOW 64

static enum td_arrival note_older(struct td_arrivals *arrivals, uint32_t age)
{
	uint64_t bit = age < WINDOW ? 1ull << age : 0;

	if (arrivals->window & bit) {
		arrivals->duplicates++;
		return TD_ARRIVAL_DUPLICATE;
	}
	arrivals->window |= bit;
	arrivals->unique++;
	arrivals->late++;
	return TD_ARRIVAL_LATE;
}

enum td_arrival td_arrivals_note(struct td_arrivals *arrivals, uint32_t number)
{
	uint32_t ahead = number - arrivals->highest;

	if (arrivals->unique == 0) {
		arrivals->first = arrivals->highest = number;
		arrivals->window = 0;
		ahead = 1;
	} else if ((int32_t)ahead <= 0) {
		if ((int32_t)(number - arrivals->first) < 0)
			arrivals->first = number;
		return note_older(arrivals, 0u - ahead);
	}
	arrivals->window = ahead < WINDOW ? arrivals->window << ahead : 0;
	arrivals->window |= 1;
	arrivals->highest = number;
	arrivals->unique++;
	return TD_ARRIVAL_NEW;
}

uint32_t td_arrivals_extend(const struct td_arrivals *arrivals, uint16_t sequence)
{
	// From the middle of the range, so that an older packet does not fall below zero.
	uint32_t highest = arrivals->unique ? arrivals->highest : 0x10000u + sequence;

	return highest + (uint32_t)(int16_t)(sequence - (uint16_t)highest);
}

uint32_t td_arrivals_gaps(const struct td_arrivals *arrivals)
{
	return arrivals->unique ? arrivals->highest - arrivals->first + 1 - arrivals->unique : 0;
}
