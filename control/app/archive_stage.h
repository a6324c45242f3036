// The recordings that are there: who may ask for them, and a job that deletes what is too old.
//
// Two stages: the archive itself, which outlives the loop since a thread of it may still be busy with
// a question, and the job, first a few seconds after the start and then every ten minutes.
#pragma once

#include "app/control.h"

TD_MUST_CHECK int td_archive_stage_start(struct td_control *control,
					 char reason[TD_CONTROL_REASON_MAX]) TD_CONTROL;
void td_archive_stage_stop(struct td_control *control) TD_CONTROL;
struct td_archive *td_archive_stage_archive(const struct td_control *control);
TD_MUST_CHECK int td_sweep_stage_start(struct td_control *control,
				       char reason[TD_CONTROL_REASON_MAX]) TD_CONTROL;
void td_sweep_stage_stop(struct td_control *control) TD_CONTROL;
