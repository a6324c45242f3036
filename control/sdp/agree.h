// What two descriptions come to: codec settings, packet length, direction, addresses.
//
// Internal to the room; pure; any thread.
#pragma once

#include "sdp/negotiate.h"

// Fills everything but our own payload types, which it leaves TD_PAYLOAD_TYPE_NONE: the caller
// knows how they are numbered. `format` is the peer's, of this codec, in `media`.
void td_sdp_agree(const struct td_sdp_local *local, const struct td_sdp *sdp,
		  const struct td_sdp_media *media, enum td_codec_id codec,
		  const struct td_sdp_format *format, struct td_sdp_agreed *agreed);

// What an answer or an offer of ours asks for, with a codec agreed on or as the first choice.
uint8_t td_sdp_ask_ptime(const struct td_sdp_local *local, enum td_codec_id codec,
			 uint32_t otherwise_ms);
