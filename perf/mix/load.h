// How busy a thread is, asked every round of 20 ms. Its load is that of the median round: a stall of
// the machine is lateness, not load.
#pragma once

#include <stdint.h>

#include "base/clock.h"
#include "report.h"

#define TD_LOAD_ROUNDS_MAX 3000u

struct td_load {
	double rounds[TD_LOAD_ROUNDS_MAX];
	uint32_t count;
	uint64_t ns, busy_ns; // at the last sample; 0: none yet
};

static inline void td_load_begin(struct td_load *load)
{
	load->count = 0;
	load->ns = 0;
}

// `busy_ns`: how long the thread has been busy so far.
static inline void td_load_sample(struct td_load *load, uint64_t busy_ns)
{
	uint64_t now_ns = td_clock_now_ns();

	if (load->ns != 0 && load->count < TD_LOAD_ROUNDS_MAX)
		load->rounds[load->count++] =
			(double)(busy_ns - load->busy_ns) / (double)(now_ns - load->ns);
	load->ns = now_ns;
	load->busy_ns = busy_ns;
}

static inline double td_load_of(struct td_load *load)
{
	return td_report_median(load->rounds, load->count);
}
