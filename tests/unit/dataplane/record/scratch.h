// A folder of a test's own, and its removal with everything in it.
#pragma once

#define SCRATCH_MAX 64

// Makes a fresh folder and writes its path.
void scratch_make(char path[SCRATCH_MAX]);
void scratch_remove(const char *path);
