// The forker of this dataplane, with the far ends that the config names.
#pragma once

#include "app/dataplane.h"

// For the engine's options. The forker itself may come later, before the first command does.
struct td_engine_forker td_forks_for_engine(struct td_dataplane *dataplane);

// A stage of the dataplane: on the engine's rings.
TD_MUST_CHECK int td_forks_start(struct td_dataplane *dataplane,
				 char reason[TD_DATAPLANE_REASON_MAX]) TD_MAIN;
void td_forks_stop(struct td_dataplane *dataplane) TD_MAIN;
