#include "silence.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON           1
#endif

// linux/prctl.h of before 5.11 has neither.
#define ALLOW 0
#define BLOCK 1

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *memory, size_t bytes);
extern void *__libc_memalign(size_t align, size_t bytes);
extern void __libc_free(void *memory);

static struct silence seen;
static volatile char selector;
static _Thread_local volatile bool watched;

static void count(void)
{
	seen.allocations += watched;
}

void *malloc(size_t bytes)
{
	count();
	return __libc_malloc(bytes);
}

void *calloc(size_t items, size_t bytes)
{
	count();
	return __libc_calloc(items, bytes);
}

void *realloc(void *memory, size_t bytes)
{
	count();
	return __libc_realloc(memory, bytes);
}

void free(void *memory)
{
	count();
	__libc_free(memory);
}

void *memalign(size_t align, size_t bytes);
void *memalign(size_t align, size_t bytes)
{
	count();
	return __libc_memalign(align, bytes);
}

void *aligned_alloc(size_t align, size_t bytes)
{
	return memalign(align, bytes);
}

int posix_memalign(void **memory, size_t align, size_t bytes)
{
	*memory = memalign(align, bytes);
	return *memory == NULL ? ENOMEM : 0;
}

static void on_call(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	// Or the return from here would be the next one.
	selector = ALLOW;
	seen.calls++;
	seen.last_call = info->si_syscall;
}

bool silence_open(void)
{
	struct sigaction action = { .sa_sigaction = on_call, .sa_flags = SA_SIGINFO };

	memset(&seen, 0, sizeof seen);
	sigaction(SIGSYS, &action, NULL);
	return prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &selector) == 0;
}

void silence_begin(void)
{
	watched = true;
	atomic_signal_fence(memory_order_seq_cst);
	selector = BLOCK;
	atomic_signal_fence(memory_order_seq_cst);
}

void silence_end(void)
{
	atomic_signal_fence(memory_order_seq_cst);
	selector = ALLOW;
	atomic_signal_fence(memory_order_seq_cst);
	watched = false;
}

struct silence silence_get(void)
{
	return seen;
}
