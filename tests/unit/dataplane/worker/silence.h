// Watches a thread between two moments: what it takes from the heap and what it asks of the kernel.
//
// The program that links this has its own malloc and friends, which count and pass on to the C
// library's. System calls are caught by the kernel's syscall user dispatch (Linux 5.11): while the
// selector says so, each raises SIGSYS instead of being made. One thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct silence {
	uint64_t allocations; // and what was given back
	uint64_t calls;
	int last_call; // its number
};

// False: this kernel cannot.
bool silence_open(void);
void silence_begin(void);
// After the first system call of a stretch the rest of it is not watched: it could not go on.
void silence_end(void);
struct silence silence_get(void);
