// The shared region against a hostile creator: td_region_check and the rings behind it.
//
//   input: mode byte 0: the rest is the region, whole
//          otherwise:   a real region, patched by the rest: {section u8, offset u16, length u8, bytes}
//                       section 0 is the header, 1 the command ring, 2.. the event rings
//
// Whatever is accepted is then used the way control uses it: every event popped, every mirror and
// prompt read, commands pushed until the ring is full.
#include <stdlib.h>
#include <string.h>

#include "td_region.h"

static const struct td_region_sizes sizes = { .worker_count = 1,
					      .stream_count = 4,
					      .prompt_count = 2 };

static uint8_t *pristine, *scratch;
static size_t region_bytes;
static struct td_region made;

static void prepare(void)
{
	if (pristine)
		return;
	region_bytes = td_region_bytes(&sizes);
	pristine = aligned_alloc(64, region_bytes);
	scratch = aligned_alloc(64, region_bytes);
	if (!pristine || !scratch)
		abort();
	memset(pristine, 0, region_bytes);
	td_region_format(pristine, &sizes, 1, 1, &made);
	memcpy(scratch, pristine, region_bytes);
}

static void use_events(const struct td_region *region)
{
	struct td_ring_view view;
	struct td_event event;

	for (uint32_t i = 0; i <= region->worker_count; i++) {
		if (td_region_attach_events(region, i, 0, &view) != 0)
			abort(); // the check has just accepted it
		for (uint32_t n = 0; n <= TD_EVENT_SLOTS; n++) {
			if (td_ring_pop(&view, &event) != 0)
				break;
			if (n == TD_EVENT_SLOTS)
				abort(); // more than ever fit
			(void)td_event_name(event.kind);
			(void)td_error_text(event.result);
		}
	}
}

static void use_commands(const struct td_region *region)
{
	struct td_command command = { .request_id = 1, .kind = TD_COMMAND_PING };
	struct td_ring_view view;

	if (td_region_attach_commands(region, 1, &view) != 0)
		abort();
	for (uint32_t n = 0; td_ring_push(&view, &command) == 0; n++)
		if (n >= TD_COMMAND_SLOTS)
			abort();
}

static void use(const struct td_region *region)
{
	struct td_stream_mirror mirror;

	use_events(region);
	use_commands(region);
	for (uint32_t i = 0; i < region->stream_count; i++)
		(void)!td_mirror_read(&region->streams[i], &mirror);
	for (uint32_t i = 0; i < region->prompt_count; i++)
		(void)strnlen(region->prompts[i].name, TD_PROMPT_NAME_MAX);
}

static void check_and_use(void *memory, size_t len)
{
	char reason[TD_REGION_REASON_MAX];
	struct td_region region;
	int error = td_region_check(memory, len, &region, reason);

	if (error == 0)
		use(&region);
	else if (!*reason || !memchr(reason, '\0', sizeof reason))
		abort(); // a refusal is a sentence
}

static void whole(const uint8_t *data, size_t size)
{
	uint8_t *copy = aligned_alloc(64, (size + 63) / 64 * 64 + 64);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	check_and_use(copy, size);
	free(copy);
}

// Where patches of this section go; they are kept inside a ring's control words and first slots.
static uint8_t *section_at(uint8_t which, size_t *room)
{
	*room = sizeof(struct td_ring) + 8 * sizeof(struct td_event);
	if (which % 4 == 1)
		return scratch + (made.commands - pristine);
	if (which % 4 >= 2)
		return scratch + (made.events - pristine) + (which % 4 - 2u) * made.events_stride;
	*room = sizeof(struct td_region_header);
	return scratch;
}

static void restore(void)
{
	size_t room;

	for (uint8_t which = 0; which < 4; which++) {
		uint8_t *at = section_at(which, &room);

		memcpy(at, pristine + (at - scratch), room);
	}
}

static void patched(const uint8_t *data, size_t size)
{
	while (size >= 5) {
		size_t room, offset = (size_t)data[1] | (size_t)data[2] << 8;
		uint8_t *at = section_at(data[0], &room);
		size_t len = data[3] < size - 4 ? data[3] : size - 4;

		offset %= room;
		memcpy(at + offset, data + 4, len < room - offset ? len : room - offset);
		data += 4 + len;
		size -= 4 + len;
	}
	check_and_use(scratch, region_bytes);
	restore();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	prepare();
	if (size == 0)
		return 0;
	if (data[0] == 0)
		whole(data + 1, size - 1);
	else
		patched(data + 1, size - 1);
	return 0;
}
