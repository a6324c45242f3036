// SIGTERM and SIGINT: the first lets the calls say goodbye, the second stops at once.
//
// SIGPIPE is ignored: a peer that went away is an error of the write, not a signal. Thread: the
// loop's.
#pragma once

#include "app/control.h"

TD_MUST_CHECK int td_signals_start(struct td_control *control, char reason[TD_CONTROL_REASON_MAX])
	TD_CONTROL;
void td_signals_stop(struct td_control *control) TD_CONTROL;
