// A moment as text, ISO 8601: "2026-01-02T03:04:05.678Z".
//
// Records and events say a dozen moments a call; this costs a twentieth of gmtime_r and strftime.
// Pure; Gregorian days without a table (H. Hinnant, "chrono-compatible low-level date algorithms").
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TD_UTC_TEXT_BYTES 25

// Milliseconds since 1970, of the years 1970 to 9999. Writes 24 characters and a NUL; returns `out`.
const char *td_utc_text(uint64_t utc_ms, char out[TD_UTC_TEXT_BYTES]);
