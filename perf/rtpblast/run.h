// A run under way: what its sending half (blast.c) and its receiving half (receive.c) share.
#pragma once

#include <stdint.h>

#include "blast.h"

#define TD_RUN_NOBODY UINT32_MAX
#define TD_RUN_PORTS  65536u

struct td_run {
	const struct td_blast *blast;
	struct td_link *link;
	struct td_blast_result *result;
	uint32_t *party_of; // by address and port
	uint32_t next_flow;
	uint32_t random;
	int counting;
};

// Takes what has come and accounts for it; returns how many packets that were.
unsigned td_run_receive(struct td_run *run);
