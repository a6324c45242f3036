// What an operator may do with the recording and the privacy of a call or of a conference.
//
//   start, stop      at any time while it is there, whatever the config's rule says
//   pause            the time until resume is not in the file
//   mask             the time until resume is silence in the file
//   mark             a named moment in the sidecar
//   privacy          nobody but the parties hears anything: recordings, forks, captures and
//                    supervisors get silence, digits are reported to nobody; the parties go on
//
// With `seconds` (0: none) pause, mask and privacy end by themselves. Each returns 0, or -TD_E* with
// one sentence in `why`, and has changed nothing then: -TD_ENOT_FOUND, -TD_ESTATE (not now), -TD_EFULL
// (the disk is, or too many marks wait). What comes of it is told by notices.
// Thread: the control loop's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "call/call_verbs.h"
#include "td_command.h"

// Exactly one is set.
struct td_recording_of {
	const char *call, *conference;
};

TD_MUST_CHECK int td_recordings_start(struct td_calls *calls, const struct td_recording_of *of,
				      char why[TD_FEATURE_WHY_MAX]) TD_CONTROL;
TD_MUST_CHECK int td_recordings_stop(struct td_calls *calls, const struct td_recording_of *of,
				     char why[TD_FEATURE_WHY_MAX]) TD_CONTROL;
// `mark` only with TD_RECORD_MARK.
TD_MUST_CHECK int td_recordings_control(struct td_calls *calls, const struct td_recording_of *of,
					enum td_record_action action, uint32_t seconds,
					const char *mark, char why[TD_FEATURE_WHY_MAX]) TD_CONTROL;
TD_MUST_CHECK int td_recordings_privacy(struct td_calls *calls, const struct td_recording_of *of,
					bool on, uint32_t seconds, char why[TD_FEATURE_WHY_MAX])
	TD_CONTROL;
