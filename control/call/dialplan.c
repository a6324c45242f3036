// Exact before prefix, long before short.
#include "call/dialplan.h"

#include <stdbool.h>
#include <string.h>

// How well a row matches: 0 not at all, 1 + prefix length, or everything for an exact one.
static size_t row_score(const char *row, const char *number)
{
	size_t len = strlen(row);

	if (len > 0 && row[len - 1] == '*')
		return strncmp(row, number, len - 1) == 0 ? len : 0;
	return strcmp(row, number) == 0 ? SIZE_MAX : 0;
}

int td_dialplan_queue(const struct td_config *config, const char *name)
{
	for (unsigned i = 0; i < config->queues_count; i++) {
		if (strcmp(config->queues[i].name, name) == 0)
			return (int)i;
	}
	return -TD_ENOT_FOUND;
}

const struct td_config_number *td_dialplan_row(const struct td_config *config, const char *number)
{
	const struct td_config_number *row = NULL;
	size_t best = 0;

	for (unsigned i = 0; i < config->dialplan_count; i++) {
		size_t score = row_score(config->dialplan[i].number, number);

		if (score <= best)
			continue;
		best = score;
		row = &config->dialplan[i];
	}
	return row;
}

int td_dialplan_find(const struct td_config *config, const char *number)
{
	const struct td_config_number *row = td_dialplan_row(config, number);

	return row && row->queue ? td_dialplan_queue(config, row->queue) : -TD_ENOT_FOUND;
}
