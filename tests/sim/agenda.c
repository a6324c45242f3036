// A binary heap.
#include <stdlib.h>

#include "agenda.h"
#include "td_assert.h"

static int is_before(const struct sim_entry *a, const struct sim_entry *b)
{
	return a->time_ms != b->time_ms ? a->time_ms < b->time_ms : a->order < b->order;
}

void sim_agenda_add(struct sim_agenda *agenda, struct sim_entry entry)
{
	uint32_t at = agenda->count++;

	if (agenda->count > agenda->room) {
		agenda->room = agenda->room ? 2 * agenda->room : 1024;
		agenda->entries = realloc(agenda->entries, agenda->room * sizeof entry);
		TD_ASSERT(agenda->entries);
	}
	entry.order = agenda->order++;
	for (; at > 0 && is_before(&entry, &agenda->entries[(at - 1) / 2]); at = (at - 1) / 2)
		agenda->entries[at] = agenda->entries[(at - 1) / 2];
	agenda->entries[at] = entry;
}

struct sim_entry sim_agenda_take(struct sim_agenda *agenda)
{
	struct sim_entry first = agenda->entries[0], last;
	uint32_t at = 0, child;

	TD_ASSERT(agenda->count > 0);
	last = agenda->entries[--agenda->count];
	for (; (child = 2 * at + 1) < agenda->count; at = child) {
		if (child + 1 < agenda->count &&
		    is_before(&agenda->entries[child + 1], &agenda->entries[child]))
			child++;
		if (!is_before(&agenda->entries[child], &last))
			break;
		agenda->entries[at] = agenda->entries[child];
	}
	agenda->entries[at] = last;
	return first;
}
