// Formats of an m= line as codecs: who is who, and what a packet of each may hold.
//
// Static types hold without an rtpmap (RFC 3551 table 4); with one, the name and the clock rate
// decide, whatever the number. Internal to the room; pure; any thread.
#pragma once

#include "sdp/sdp.h"
#include "td_codec_id.h"

#define TD_SDP_NOISE_TYPE 13    // RFC 3389, at 8 kHz
#define TD_SDP_EVENT_HZ   8000u // the clock of telephone-event that every phone knows

// The static payload type of a codec, or TD_PAYLOAD_TYPE_NONE.
uint8_t td_sdp_static_type(enum td_codec_id codec);
// What its rtpmap says after the clock rate: 2 for Opus (RFC 7587 section 7), else 1.
unsigned td_sdp_channels(enum td_codec_id codec);
// Comfort noise makes sense beside it: it has no silence of its own (RFC 3389 section 4).
bool td_sdp_wants_noise(enum td_codec_id codec);

bool td_sdp_format_is(const struct td_sdp_format *format, enum td_codec_id codec);
// The first format of the line that is this codec, telephone-event at this clock rate with at
// least the twelve keys of a telephone, or comfort noise at it. NULL: there is none.
const struct td_sdp_format *td_sdp_find_codec(const struct td_sdp *sdp,
					      const struct td_sdp_media *media,
					      enum td_codec_id codec);
const struct td_sdp_format *td_sdp_find_event(const struct td_sdp *sdp,
					      const struct td_sdp_media *media, uint32_t clock_hz);
const struct td_sdp_format *td_sdp_find_noise(const struct td_sdp *sdp,
					      const struct td_sdp_media *media, uint32_t clock_hz);

// The longest packet of the codec that lasts no longer than `ptime_ms`, else the shortest there is:
// whole frames, and a payload of at most TD_RTP_PAYLOAD_MAX.
uint8_t td_sdp_fit_ptime(enum td_codec_id codec, uint32_t ptime_ms);
