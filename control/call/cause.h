// Causes between worlds: SIP statuses, Q.850 numbers, ACD reasons. The names are in inspect.h.
//
// Pure tables; any thread.
#pragma once

#include <stdint.h>

#include "acd/acd.h"
#include "call/inspect.h"

// The final status with which we refuse an INVITE for this cause (RFC 3261 section 21).
uint16_t td_cause_status(enum td_cause cause);
// Why an agent's phone said no, from its final status; 408 stands for "no response at all".
enum td_cause td_cause_of_refusal(uint16_t status);
// What to tell the ACD of an offer that failed so.
enum td_acd_reason td_cause_acd_reason(enum td_cause cause);
// Who ended it, for the call detail record: "caller", "agent", "api", "system".
const char *td_cause_party(enum td_cause cause);
