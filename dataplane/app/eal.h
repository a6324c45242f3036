// DPDK's environment, started from our config: memory, CPUs, no leftovers.
//
//   hugepages: auto -> as many MB free as dataplane.memory_mb: --in-memory; else --no-huge, said once
//              yes  -> --in-memory, or a refusal that says how to get hugepages
//              no   -> --no-huge
//
// Never both (EAL refuses that). The main thread keeps every CPU it had; worker w is lcore w + 1,
// bound to CPU first_core + w, or to the last CPUs there are. One EAL a process, main thread.
#pragma once

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "td_error.h"

#define TD_EAL_REASON_MAX   320
#define TD_EAL_ARGUMENT_MAX 40

// What the machine has; separate from the decision so that it can be tested.
struct td_eal_machine {
	cpu_set_t cpus; // this process may use
	uint64_t hugepages_free_mb;
	uint64_t memory_available_mb;
	unsigned pid;
};

struct td_eal_plan {
	char text[8192]; // the arguments' bytes
	char *arguments[TD_EAL_ARGUMENT_MAX];
	int argument_count;
	bool hugepages;
};

void td_eal_look(struct td_eal_machine *machine);

// Pure. 0, or -TD_EMEMORY, -TD_EINVALID with a sentence and its remedy.
TD_MUST_CHECK int td_eal_plan(const struct td_config *config, const struct td_eal_machine *machine,
			      struct td_eal_plan *plan, char reason[TD_EAL_REASON_MAX]);

// Plans and starts. Once a process.
TD_MUST_CHECK int td_eal_start(const struct td_config *config, char reason[TD_EAL_REASON_MAX]);
void td_eal_stop(void);
