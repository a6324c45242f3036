// Counts what anything in the process allocates, libraries included: linking allocations.c in
// replaces malloc and its kin. Under a sanitizer, which replaces them itself, nothing is counted.
#pragma once

extern unsigned allocations_count;
