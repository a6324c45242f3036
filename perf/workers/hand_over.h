// How far two cores are from each other: what one waits for a cache line that the other has written.
//
// Everything that goes from one core to another follows it. On a virtual machine it was 55 ns or 205,
// and changed from one to the other within a minute, nothing here having changed: the host decides where
// its processors are, and whether they share a cache.
#pragma once

// Nanoseconds for one way, between the calling main core and the first worker core. Ends the process
// with a sentence when that core is busy.
double td_hand_over_ns(void);
