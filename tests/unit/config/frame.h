// A whole config but for the section that a test is about.
#pragma once

#include "config/config.h"

// Loads seven lines with a port, a queue, an agent and the prompt `music`, and after them, from line
// 8 on, what is given as to printf. The sentence behind the file's name is in `error`, "" when it
// loads; caller frees what it gets.
__attribute__((format(printf, 2, 3))) struct td_config *frame_load(char error[TD_CONFIG_ERROR_MAX],
								   const char *rest, ...);
