// Offers: a call and an agent brought together, and everything that can come of it.
//
// Each function leaves the invariant of acd.h true: whoever became free has been matched. An epoch
// names one offer for ever, so what is late or doubled is refused. Internal to the room.
#pragma once

#include "acd/state.h"

// Offers a call that waits to the longest idle agent, if there is one.
void td_acd_offer_call(struct td_acd *acd, uint32_t call);
// Offers the oldest call to an agent who is idle; does nothing for one who is not.
void td_acd_offer_agent(struct td_acd *acd, uint32_t agent);

// -TD_ESTALE if this is not the offer that is up.
TD_MUST_CHECK int td_acd_offer_check(const struct td_acd *acd, uint32_t call, uint32_t agent,
				     uint64_t epoch);
void td_acd_offer_answered(struct td_acd *acd, uint32_t call);
// The agent is paused with `reason`, the call keeps its place and goes to the next.
void td_acd_offer_failed(struct td_acd *acd, uint32_t call, enum td_acd_reason reason);
// Tells that the agent's phone need not ring any more.
void td_acd_offer_withdraw(struct td_acd *acd, uint32_t call);

// The call lost its agent: back into the line, or out of it if it has waited its maximum.
void td_acd_offer_return(struct td_acd *acd, uint32_t call);
// Takes a call out that waits or is being offered; its agent, if any, is matched again.
void td_acd_offer_drop(struct td_acd *acd, uint32_t call, bool abandoned);
// A conversation is over: what its agent does now depends on what was asked meanwhile.
void td_acd_offer_finish(struct td_acd *acd, uint32_t call);
// A wait reached its maximum.
void td_acd_offer_expire(struct td_acd *acd, uint32_t call);
