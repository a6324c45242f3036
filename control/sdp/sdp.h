// A session description, RFC 8866 (and 4566), parsed into spans over the caller's text.
//
// Only what offer/answer needs is kept: origin, connection, and for every m= line its transport,
// formats with their rtpmap and fmtp, direction, ptime and RTCP address. Everything else is
// checked for form and passed over, as section 5 asks for unknown attributes.
//
// Invariant: after td_sdp_parse returned 0, media_count >= 1, and the formats of media i are
// formats[media[i].format_first .. + format_count). The text is *borrowed*: a struct td_sdp is
// valid as long as the body it was parsed from. No allocation; any thread.
// Bounds are below; a description beyond one of them is refused with -TD_EFULL, never cut.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "td_endpoint.h"
#include "td_error.h"

#define TD_SDP_BYTES_MAX      16384
#define TD_SDP_LINE_MAX       512 // lines of a description
#define TD_SDP_ATTRIBUTE_MAX  400 // a= lines of a description
#define TD_SDP_MEDIA_MAX      16  // m= lines of a description
#define TD_SDP_FORMAT_MAX     96  // formats of all RTP m= lines together
#define TD_SDP_FMTP_BYTES_MAX 256 // parameters of one format
#define TD_SDP_CRYPTO_MAX     8   // a=crypto attributes of a line; more are passed over

// What one side does with a stream; as bits: 1 it sends, 2 it receives.
enum td_sdp_direction {
	TD_SDP_INACTIVE = 0,
	TD_SDP_SENDONLY = 1,
	TD_SDP_RECVONLY = 2,
	TD_SDP_SENDRECV = 3
};

// The kinds whose name we write again in a later offer; anything else is TD_SDP_OTHER.
enum td_sdp_kind {
	TD_SDP_AUDIO,
	TD_SDP_VIDEO,
	TD_SDP_TEXT,
	TD_SDP_IMAGE,
	TD_SDP_APPLICATION,
	TD_SDP_MESSAGE,
	TD_SDP_OTHER,
	TD_SDP_KIND_COUNT
};

struct td_sdp_format {
	uint8_t payload_type; // 0 .. 127
	bool mapped;          // there was an rtpmap; without one the static types of RFC 3551 hold
	struct td_str encoding; // "PCMU", of the rtpmap
	uint32_t clock_rate_hz;
	uint32_t channels;  // 1 unless the rtpmap says otherwise
	struct td_str fmtp; // parameters, empty if there are none
};

struct td_sdp_connection {
	bool present;
	bool numeric;            // `addr` holds; else it is a name, which is never resolved here
	bool null_address;       // 0.0.0.0, :: or a .invalid name: the old way to say hold
	struct td_endpoint addr; // port_be 0
};

struct td_sdp_media {
	enum td_sdp_kind kind;
	struct td_str kind_text, protocol_text, formats_text; // as written, to echo a refusal
	uint32_t port;                                        // 0: refused or disabled
	bool rtp_avp;                                         // protocol is RTP/AVP, RTP/AVPF
	bool rtp_savp;                                        // RTP/SAVP, RTP/SAVPF
	bool feedback;                                        // the one with F: RFC 4585, RFC 5124
	struct td_sdp_connection connection;                  // the session's unless it has its own
	enum td_sdp_direction direction;                      // the session's unless it has its own
	uint32_t ptime_ms, maxptime_ms;                       // 0: not said
	bool rtcp_mux;                                        // RFC 5761
	bool rtcp_reduced;                                    // RFC 5506: a=rtcp-rsize
	bool rtcp_present;                                    // a=rtcp, RFC 3605
	uint32_t rtcp_port;
	struct td_sdp_connection rtcp_connection; // present: a=rtcp named an address of its own
	uint32_t format_first, format_count;      // 0 formats unless the transport is RTP
	struct td_str cryptos[TD_SDP_CRYPTO_MAX]; // values of a=crypto, RFC 4568: secrets
	uint32_t crypto_count;
};

struct td_sdp {
	struct td_str origin_user, session_id, session_version;
	struct td_sdp_connection connection;
	enum td_sdp_direction direction;
	uint32_t media_count;
	uint32_t format_count;
	struct td_sdp_media media[TD_SDP_MEDIA_MAX];
	struct td_sdp_format formats[TD_SDP_FORMAT_MAX];
};

// Parses a whole body. Lines may end in CRLF or LF (section 9). 0; -TD_EMALFORMED (form),
// -TD_ETRUNCATED (a mandatory line is missing), -TD_EVERSION (v= is not 0), -TD_EFULL (a bound
// above), -TD_EUNSUPPORTED (a connection that is not IN IP4 or IN IP6). On error `out` holds
// nothing to rely on. The answer to all of them is 488 (or 400 for -TD_EMALFORMED).
TD_MUST_CHECK int td_sdp_parse(const char *text, size_t len, struct td_sdp *out);

const char *td_sdp_direction_name(enum td_sdp_direction direction); // "sendrecv"
const char *td_sdp_kind_name(enum td_sdp_kind kind);                // "audio"; other: "audio"
