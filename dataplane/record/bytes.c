#include "record/bytes.h"

#include <stdlib.h>

#define ROOM_FIRST 4096

uint8_t *td_bytes_grow(struct td_bytes *bytes, size_t size)
{
	if (bytes->room - bytes->used < size) {
		size_t room = bytes->room ? 2 * bytes->room : ROOM_FIRST;
		uint8_t *data;

		while (room - bytes->used < size)
			room *= 2;
		data = realloc(bytes->data, room);
		if (!data) {
			bytes->broken = true;
			return NULL;
		}
		bytes->data = data;
		bytes->room = room;
	}
	return bytes->data + bytes->used;
}

void td_bytes_free(struct td_bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct td_bytes){ .data = NULL };
}
