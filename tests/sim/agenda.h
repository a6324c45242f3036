// What will happen when: a binary heap by (time, order of entry). Grows; tests only.
#pragma once

#include <stdint.h>

enum sim_kind {
	SIM_ARRIVAL,
	SIM_ANSWER,
	SIM_REFUSE,
	SIM_HANG_UP,
	SIM_PATIENCE,
	SIM_FAULT,
	SIM_RECOVER
};

struct sim_entry {
	uint64_t time_ms, order;
	enum sim_kind kind;
	uint32_t queue, agent;
	uint64_t call, epoch;
};

struct sim_agenda {
	struct sim_entry *entries;
	uint32_t count, room;
	uint64_t order;
};

void sim_agenda_add(struct sim_agenda *agenda, struct sim_entry entry);
// The agenda must not be empty.
struct sim_entry sim_agenda_take(struct sim_agenda *agenda);
