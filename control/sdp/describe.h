// Writing our own description, for offers and answers alike.
//
// Internal to the room. The session is only read; the caller stores the version and hash it gets
// back once everything else has succeeded.
#pragma once

#include "sdp/negotiate.h"

// Telephone-event or comfort noise at one clock rate.
struct td_sdp_our_format {
	uint8_t payload_type;
	uint32_t clock_hz;
};

// The one line of ours that is not refused.
struct td_sdp_our_line {
	struct {
		enum td_codec_id codec;
		uint8_t payload_type;
	} codecs[TD_SDP_LOCAL_CODEC_MAX + 1];
	struct td_sdp_our_format events[TD_SDP_CLOCK_COUNT], noises[TD_SDP_CLOCK_COUNT];
	uint8_t codec_count, event_count, noise_count;
	uint8_t ptime_ms;
	bool rtcp_mux, rtcp_reduced;
	bool annexb; // of G.729
	enum td_sdp_direction direction;
	struct td_codec_settings opus;
	bool savp;                                      // RTP/SAVP instead of RTP/AVP
	bool feedback;                                  // with an F behind it
	struct td_sdp_crypto cryptos[TD_SDP_SUITE_MAX]; // ours, with the keys we send with
	uint8_t crypto_count;
};

// Writes session->line_count m= lines: `line` at session->line_active, the others refused; `offer`
// (may be NULL) is what the refused ones are echoed from. Sets session->version and text_hash.
// The length, or -TD_EFULL with the session unchanged.
TD_MUST_CHECK int td_sdp_describe(struct td_sdp_session *session, const struct td_endpoint *rtp,
				  const struct td_sdp_our_line *line, const struct td_sdp *offer,
				  char *text, size_t text_bytes);
