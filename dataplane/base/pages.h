// Big arrays that are read at random, on huge pages where the kernel has them.
//
// A look-up at random in an array of many megabytes misses the TLB each time when its pages are of
// 4 KiB, and under a hypervisor such a miss can cost more than the cache miss behind it. DPDK's
// heap has pages reserved for the hot streams; this is for what lies beside them and should work
// without any reservation: anonymous memory, aligned to 2 MiB, with transparent huge pages asked
// for. Where those are off it is ordinary memory. Main thread.
#pragma once

#include <stddef.h>

// `bytes` of zeroes, aligned to a page at least; NULL when there is no memory.
void *td_pages_take(size_t bytes);
// The same for secrets, of which only a part will ever be touched: no memory is set aside for the
// rest, and none of it goes into a core dump.
void *td_pages_take_secret(size_t bytes);
// Has these bytes' pages there before a worker needs them: workers take no page faults. Whoever owns
// them by now may go on reading and writing: each byte stays what it is.
void td_pages_touch(void *memory, size_t bytes);
// What td_pages_take(bytes) returned; NULL is fine.
void td_pages_give(void *memory, size_t bytes);
