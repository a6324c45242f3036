#include "allocations.h"

#include <stddef.h>

unsigned allocations_count;

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *old, size_t size);

void *malloc(size_t size)
{
	allocations_count++;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	allocations_count++;
	return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	allocations_count++;
	return __libc_realloc(old, size);
}
#endif
