// Which queue or conference a dialled number reaches.
//
//   rows of the config: exactly this user part, or a prefix ending in "*"
//   an exact row beats every prefix; of the prefixes that match, the longest wins
//
// Pure: reads the config, remembers nothing. Cost: one comparison a row.
#pragma once

#include <stdint.h>

#include "config/config.h"
#include "td_error.h"

// The row that `number` (a user part, unescaped) matches best; NULL: none.
const struct td_config_number *td_dialplan_row(const struct td_config *config, const char *number);
// The index of the queue that `number` (a user part, unescaped) reaches, or -TD_ENOT_FOUND.
TD_MUST_CHECK int td_dialplan_find(const struct td_config *config, const char *number);
// The index of a queue by its name, or -TD_ENOT_FOUND.
TD_MUST_CHECK int td_dialplan_queue(const struct td_config *config, const char *name);
