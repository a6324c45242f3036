#include "mix/slot_log.h"

#include <stdlib.h>

#include "worker/slots.h"

static uint32_t sorted[TD_SLOT_LOG_MAX];

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint32_t shorten(uint64_t ns)
{
	return ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
}

void td_slot_log_add(struct td_slot_log *log, uint64_t due_ns, uint64_t late_ns, uint64_t cost_ns)
{
	if (log->count < TD_SLOT_LOG_MAX)
		log->slots[log->count++] = (struct td_slot_entry){
			.due_ns = due_ns,
			.late_ns = shorten(late_ns),
			.cost_ns = shorten(cost_ns),
			.place = (uint32_t)((due_ns - log->begin_ns) / TD_SLOT_NS % TD_SLOT_PERIOD)
		};
}

void td_slot_log_append(struct td_slot_log *log, const struct td_slot_log *more)
{
	for (uint32_t i = 0; i < more->count && log->count < TD_SLOT_LOG_MAX; i++)
		log->slots[log->count++] = more->slots[i];
}

// What a slot at each place mostly costs.
static void find_usual(const struct td_slot_log *log, uint32_t usual_ns[TD_SLOT_PERIOD])
{
	for (uint32_t place = 0; place < TD_SLOT_PERIOD; place++) {
		uint32_t count = 0;

		for (uint32_t i = 0; i < log->count; i++)
			if (log->slots[i].place == place)
				sorted[count++] = log->slots[i].cost_ns;
		qsort(sorted, count, sizeof *sorted, compare);
		usual_ns[place] = count > 0 ? sorted[count / 2u] : 0;
	}
}

void td_slot_log_replay(struct td_slot_log *log, struct td_slot_excess *excess)
{
	uint32_t usual_ns[TD_SLOT_PERIOD] = { 0 };
	uint64_t busy_until_ns = 0;

	find_usual(log, usual_ns);
	*excess = (struct td_slot_excess){ 0 };
	for (uint32_t i = 0; i < log->count; i++) {
		struct td_slot_entry *entry = &log->slots[i];
		uint32_t usual = usual_ns[entry->place];
		uint32_t over_ns = entry->cost_ns > usual ? entry->cost_ns - usual : 0;

		excess->used_ns += entry->cost_ns;
		excess->over_ns += over_ns;
		if (over_ns > excess->longest_ns)
			excess->longest_ns = over_ns;
		if (busy_until_ns < entry->due_ns)
			busy_until_ns = entry->due_ns;
		entry->late_ns = shorten(busy_until_ns - entry->due_ns);
		entry->cost_ns = usual;
		busy_until_ns += usual;
	}
}

double td_slot_log_us(const struct td_slot_log *log, double part)
{
	uint32_t rank = (uint32_t)(part * log->count);

	if (log->count == 0)
		return 0;
	for (uint32_t i = 0; i < log->count; i++)
		sorted[i] = log->slots[i].late_ns;
	qsort(sorted, log->count, sizeof *sorted, compare);
	return sorted[rank < log->count ? rank : log->count - 1u] / 1000.0;
}
