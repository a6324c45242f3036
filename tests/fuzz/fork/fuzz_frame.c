// What comes from the far end of a fork: any bytes, in any pieces, while a worker ticks.
//
// Whatever it is, nothing of it is read beyond what came, each mark that was taken is answered once and
// in its order, and what was said was played, was flushed, was too much, or waits.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fork/frame.h"
#include "fork/said.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct td_live live;
static struct td_said said;
static uint64_t taken[4096]; // names of marks, hashed, in their order
static uint32_t taken_count, answered_count;

static uint64_t hash(const uint8_t *bytes, size_t len)
{
	uint64_t value = len;

	for (size_t i = 0; i < len; i++)
		value = value * 1099511628211u + bytes[i];
	return value;
}

static void on_told(void *user, const struct td_fork_frame *frame)
{
	(void)user;
	if (frame->type != TD_FORK_MARK && frame->type != TD_FORK_UNMARK)
		return;
	if (answered_count == taken_count ||
	    taken[answered_count % 4096] != hash(frame->payload, frame->length))
		abort();
	answered_count++;
}

static void tick(uint64_t *now_ns)
{
	static const uint32_t rates[] = { 8000, 16000, 48000 };

	td_said_turn(&said, *now_ns);
	if (*now_ns / 20000000u % 5 != 0)
		(void)td_live_look(&live, rates[*now_ns / 1000000000u % 3]);
	td_live_step(&live);
	*now_ns += 20000000u;
	td_said_turn(&said, *now_ns);
}

static int take(const struct td_fork_frame *frame, uint64_t now_ns)
{
	int error;

	if (frame->type == TD_FORK_END)
		return -TD_EEMPTY;
	if (frame->type == TD_FORK_MARK)
		taken[taken_count % 4096] = hash(frame->payload, frame->length);
	taken_count += frame->type == TD_FORK_MARK;
	error = td_said_take(&said, frame, now_ns);
	if (error != 0)
		taken_count--; // refused, and the connection with it
	return error;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t now_ns = 1000000000u;
	uint8_t *piece;
	int error = 0;

	taken_count = answered_count = 0;
	td_live_init(&live);
	if (td_said_init(&said, &live, size % 2 ? 8000 : 16000, on_told, NULL) != 0)
		return 0;
	for (size_t at = 0, end = 0; error == 0 && end < size;) {
		struct td_fork_frame frame;

		end += 1u + data[end] % 64u;
		end = end < size ? end : size;
		piece = malloc(end - at + 1u); // so that a sanitizer sees what lies behind
		memcpy(piece, data + at, end - at);
		for (size_t used = 0; error == 0 && td_said_ready(&said);) {
			int len = td_fork_frame_parse(piece + used, end - at - used, &frame);

			if (len <= 0) {
				error = len;
				at += used;
				break;
			}
			used += (size_t)len;
			error = take(&frame, now_ns);
			if (!td_said_ready(&said))
				at += used;
		}
		free(piece);
		tick(&now_ns);
	}
	for (unsigned i = 0; i < 60 * 50 + 100; i++)
		tick(&now_ns);
	if (answered_count != taken_count || said.given != said.taken)
		abort();
	td_said_fini(&said);
	return 0;
}
