// Bytes on their way to the disk: a buffer that grows. The memory is whoever's holds it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct td_bytes {
	uint8_t *data;
	size_t used, room;
	bool broken; // there was no memory: something is missing
};

// Room for `size` more at the end, which the caller fills and counts in `used`; NULL: no memory.
uint8_t *td_bytes_grow(struct td_bytes *bytes, size_t size);
void td_bytes_free(struct td_bytes *bytes);
