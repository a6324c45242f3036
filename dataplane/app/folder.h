// Makes a folder and the folders above it, as far as they are missing.
#pragma once

#include "td_error.h"

// 0, or -TD_EIO with errno set.
TD_MUST_CHECK int td_folder_make(const char *path);
