// How far two cores are from each other: what one waits for a cache line that the other has written.
//
// Cores that share their last cache hand it over in some 50 ns, others in some 200; of a virtual
// machine's the host decides, and may decide otherwise a minute later. Everything that goes from one
// core to another follows it.
#pragma once

// Nanoseconds for one way, between the calling main core and the first worker core. Ends the process
// with a sentence when that core is busy.
double td_hand_over_ns(void);
