// Memory that runs out: the n-th allocation of our own code from now on fails, once. For programs
// linked with --wrap=malloc, calloc and realloc; libraries that are linked dynamically are spared.
#pragma once

#include <stdbool.h>

// 1: the next one. 0: none.
void scarcity_after(unsigned count);
// Ends it. True when one has failed.
bool scarcity_end(void);
