// A thread and the core it runs on.
#pragma once

#include <stdint.h>

// The core is the calling thread's, as far as we may say so, and its sleeps end when they should.
void td_core_take(void);
// On CLOCK_MONOTONIC.
void td_core_sleep_until(uint64_t ns);
// What the hypervisor has taken of a core so far, in ms; 0 where the kernel does not know.
uint64_t td_core_stolen_ms(unsigned core);
// How often the calling thread was put off its core.
uint64_t td_core_preemptions(void);
