// A contact centre in virtual time around the real ACD: callers who come, wait, lose patience and
// talk; agents who answer, do not answer, refuse, pause, log out and lose their phones.
//
//   agenda (what will happen when) --> td_acd_apply --> actions --> agenda
//   td_acd_next_ms() -----------------> TIMER
//
// One run ends when every caller has gone. The same config gives the same run, event for event;
// `hash` is over all decisions with their times. A return value or state that the ACD's contract
// does not allow here ends the process with a sentence and the seed.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "acd/acd.h"
#include "acd/inspect.h"

#define SIM_BATCHES 40

struct sim_config {
	uint64_t seed;
	uint32_t queues, agents;               // at most 64 queues
	uint32_t calls_max;                    // of the ACD's pool
	uint64_t (*serves)(uint32_t agent);    // a bit a queue
	uint64_t calls;                        // how many callers come, over all queues
	double arrivals_per_s;                 // of each queue
	double talk_s;                         // mean, exponential
	double patience_s;                     // mean, exponential; 0: infinite
	double ring_s;                         // mean, exponential; 0: answered at once
	double no_answer, refuse;              // probability of each offer
	double fault_s;                        // mean time between an agent's absences; 0: none
	double absence_s;                      // mean length of one
	struct td_acd_queue_settings settings; // of every queue
	bool check;                            // td_acd_check() after every event
};

struct sim_batch {
	uint64_t calls, waited, abandoned, answered;
	double wait_s; // sum, of all calls, answered or not
};

struct sim_result {
	uint64_t hash, events, offers;
	uint64_t answered, abandoned, timed_out, refused;
	uint64_t withdrawn, stale;
	struct sim_batch batches[SIM_BATCHES]; // by order of arrival
};

// True if both runs went the same way, decision by decision.
bool sim_result_equal(const struct sim_result *a, const struct sim_result *b);

void sim_run(const struct sim_config *config, struct sim_result *result);
