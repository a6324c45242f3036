#include "link/events.h"

int td_events_attach(struct td_events *events, const struct td_region *region)
{
	*events = (struct td_events){ .ring_count = region->worker_count + 1 };
	for (uint32_t i = 0; i < events->ring_count; i++) {
		int error = td_region_attach_events(region, i, 0, &events->rings[i]);

		if (error)
			return error;
	}
	return 0;
}

static bool is_possible(const struct td_event *event, uint32_t ring)
{
	if (event->kind <= TD_EVENT_NONE || event->kind >= TD_EVENT_KIND_COUNT)
		return false;
	return event->thread == ring && event->result <= 0 && event->result > -TD_ERROR_COUNT;
}

static void note_sequence(struct td_events *events, uint32_t ring, uint64_t sequence)
{
	if (events->seen[ring] && sequence > events->next_sequence[ring])
		events->lost += sequence - events->next_sequence[ring];
	events->seen[ring] = true;
	events->next_sequence[ring] = sequence + 1;
}

int td_events_pop(struct td_events *events, struct td_event *out)
{
	for (uint32_t i = 0; i < events->ring_count; i++) {
		uint32_t ring = (events->turn + i) % events->ring_count;
		int error = td_ring_pop(&events->rings[ring], out);

		if (error == -TD_EEMPTY)
			continue;
		if (error)
			return error;
		if (!is_possible(out, ring))
			return -TD_ECORRUPT;
		note_sequence(events, ring, out->sequence);
		events->turn = (ring + 1) % events->ring_count;
		return 0;
	}
	return -TD_EEMPTY;
}
