#include <stdint.h>
#include <sys/mman.h>

#include "base/pages.h"

#define SMALL_PAGE ((size_t)4096)
#define HUGE_PAGE  ((size_t)2 << 20)

// Less than an eighth of a huge page is not worth one.
static size_t granule(size_t bytes)
{
	return bytes < HUGE_PAGE / 8 ? SMALL_PAGE : HUGE_PAGE;
}

static size_t round_up(size_t bytes, size_t to)
{
	return (bytes + to - 1) & ~(to - 1);
}

static void *take(size_t bytes, int flags)
{
	size_t align = granule(bytes), length = round_up(bytes ? bytes : 1, align);
	size_t room = length + align - SMALL_PAGE, before, after;
	uint8_t *memory;

	if (length < bytes || room < length)
		return NULL;
	memory = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1,
		      0);
	if (memory == MAP_FAILED)
		return NULL;
	// Of a mapping that is surely large enough, the aligned part is kept.
	before = round_up((uintptr_t)memory, align) - (uintptr_t)memory;
	after = room - before - length;
	if (before > 0)
		munmap(memory, before);
	if (after > 0)
		munmap(memory + before + length, after);
	memory += before;
	// It is an advice: without it everything works, slower.
	if (align == HUGE_PAGE)
		(void)madvise(memory, length, MADV_HUGEPAGE);
	return memory;
}

void *td_pages_take(size_t bytes)
{
	return take(bytes, 0);
}

void *td_pages_take_secret(size_t bytes)
{
	void *memory = take(bytes, MAP_NORESERVE);

	if (memory &&
	    madvise(memory, round_up(bytes ? bytes : 1, granule(bytes)), MADV_DONTDUMP) != 0) {
		td_pages_give(memory, bytes);
		return NULL;
	}
	return memory;
}

void td_pages_touch(void *memory, size_t bytes)
{
	uint8_t *at = memory;

	for (size_t i = 0; i < bytes; i += SMALL_PAGE)
		__atomic_fetch_or(at + i, 0, __ATOMIC_RELAXED);
	__atomic_fetch_or(at + bytes - 1u, 0, __ATOMIC_RELAXED);
}

void td_pages_give(void *memory, size_t bytes)
{
	if (memory)
		munmap(memory, round_up(bytes ? bytes : 1, granule(bytes)));
}
