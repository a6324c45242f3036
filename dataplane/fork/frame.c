#include "fork/frame.h"

#include <stdbool.h>

static bool may_come(const struct td_fork_frame *frame)
{
	if (frame->track != 0 || frame->position != 0)
		return false;
	switch (frame->type) {
	case TD_FORK_AUDIO: return frame->length % 2 == 0;
	case TD_FORK_MARK: return frame->length > 0 && frame->length <= TD_FORK_MARK_MAX;
	case TD_FORK_FLUSH:
	case TD_FORK_END: return frame->length == 0;
	default: return false;
	}
}

static bool is_name(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] < '!' || bytes[i] > '~')
			return false;
	return true;
}

int td_fork_frame_parse(const uint8_t *bytes, size_t len, struct td_fork_frame *out)
{
	if (len < TD_FORK_HEADER_BYTES)
		return 0;
	out->type = bytes[0];
	out->track = bytes[1];
	out->length = (uint16_t)(bytes[2] | bytes[3] << 8);
	out->position = bytes[4] | (uint32_t)bytes[5] << 8 | (uint32_t)bytes[6] << 16 |
			(uint32_t)bytes[7] << 24;
	out->payload = bytes + TD_FORK_HEADER_BYTES;
	// As soon as it can be said: nobody waits for a payload that will not be taken.
	if (!may_come(out))
		return -TD_EMALFORMED;
	if (len - TD_FORK_HEADER_BYTES < out->length)
		return 0;
	if (out->type == TD_FORK_MARK && !is_name(out->payload, out->length))
		return -TD_EMALFORMED;
	return (int)(TD_FORK_HEADER_BYTES + out->length);
}

void td_fork_frame_write_header(uint8_t bytes[TD_FORK_HEADER_BYTES],
				const struct td_fork_frame *frame)
{
	bytes[0] = frame->type;
	bytes[1] = frame->track;
	bytes[2] = (uint8_t)frame->length;
	bytes[3] = (uint8_t)(frame->length >> 8);
	for (unsigned i = 0; i < 4; i++)
		bytes[4 + i] = (uint8_t)(frame->position >> 8 * i);
}
