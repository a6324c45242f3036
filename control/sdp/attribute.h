// The a= lines that offer/answer needs; all others are passed over, RFC 8866 section 5.13.
//
// Internal to the room. The struct td_sdp is the caller's; texts are borrowed.
#pragma once

#include "base/str.h"
#include "sdp/sdp.h"

// Takes one attribute ("rtpmap:0 PCMU/8000") of the session (media NULL) or of a media section.
// 0, -TD_EMALFORMED, or -TD_EFULL for parameters beyond TD_SDP_FMTP_BYTES_MAX.
TD_MUST_CHECK int td_sdp_attribute_parse(struct td_sdp *sdp, struct td_sdp_media *media,
					 struct td_str attribute);
