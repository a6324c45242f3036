// The whole process as one struct, and the stages that bring it up and take it down.
//
//   DPDK -> network -> prompts -> region -> engine -> recorder -> forker -> workers -> door -> start
//
// Each stage has a start and a stop; a start that fails leaves one sentence and everything before
// it is stopped in reverse. Stopping is the same unwinding, so there is one way down. Main thread.
#pragma once

#include <stdint.h>

#include "app/door.h"
#include "app/network.h"
#include "app/share.h"
#include "config/config.h"
#include "fork/forker.h"
#include "media/engine.h"
#include "media/prompts.h"
#include "record/recorder.h"
#include "td_role.h"
#include "worker/workers.h"

#define TD_DATAPLANE_REASON_MAX 512

struct td_dataplane {
	const struct td_config *config; // borrowed
	uint64_t seed, boot_id;
	uint32_t stages_up;
	struct td_network network;
	struct td_prompts *prompts;
	struct td_share share;
	struct td_engine *engine;
	struct td_recorder *recorder;
	struct td_forker *forker;
	struct td_forker_destination *fork_destinations;
	struct td_workers *workers;
	struct td_door door;
};

// 0, or -TD_E* with a sentence; then everything is down again.
TD_MUST_CHECK int td_dataplane_start(struct td_dataplane *dataplane, const struct td_config *config,
				     char reason[TD_DATAPLANE_REASON_MAX]) TD_MAIN;
void td_dataplane_stop(struct td_dataplane *dataplane) TD_MAIN;
