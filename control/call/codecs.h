// What we say we can do to whom: the config's codec lists and packet lengths as SDP capabilities.
//
//   caller   the trunk's list: the first of it that is on offer is what we speak
//   agent    the agent's list, with the caller's codec first if it is in it, and in packets as long
//            as the caller's, so that media can be forwarded as it is; else it is transcoded
//
// and whether they have to, may or must not protect their media.
//
// Pure; any thread. `out` is complete but for the address, which only the dataplane knows, and for
// keys (srtp.h).
#pragma once

#include "config/config.h"
#include "sdp/negotiate.h"

void td_codecs_of_trunk(const struct td_config *config, const struct td_config_trunk *trunk,
			struct td_sdp_local *out);
// `caller` is what was agreed with the caller; NULL: nothing yet.
void td_codecs_of_agent(const struct td_config *config, const struct td_config_agent *agent,
			const struct td_sdp_agreed *caller, struct td_sdp_local *out);
