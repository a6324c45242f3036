// The far end of forks as tests play it: what it is given, and what it says.
#pragma once

#include "world.h"

// The next record of the forker's rings, worker by worker; false: there is none.
bool far_end_record(struct world *world, struct td_tap_record *out);
// It says 20 ms of this value at 8,000 Hz.
void far_end_says(struct td_live *live, int16_t value);
