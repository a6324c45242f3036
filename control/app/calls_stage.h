// The stage that holds the call manager: gives it clock, socket and route, and keeps its timer.
//
//   td_calls_next_ms --before every wait of the loop--> one uv timer --> td_calls_advance
//
// Thread: the loop's.
#pragma once

#include "app/control.h"

TD_MUST_CHECK int td_calls_stage_start(struct td_control *control,
				       char reason[TD_CONTROL_REASON_MAX]) TD_CONTROL;
// Ends the link first, because the calls still wait for answers from it.
void td_calls_stage_stop(struct td_control *control) TD_CONTROL;
