// The data folder: made when it is missing, so that a fresh machine needs no step by hand.
#pragma once

#include "td_error.h"

#define TD_FOLDER_REASON_MAX 256

// Makes `path` and what is missing above it. -TD_EIO with a sentence that names the remedy.
TD_MUST_CHECK int td_control_folder_make(const char *path, char reason[TD_FOLDER_REASON_MAX]);
