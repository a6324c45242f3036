// Codecs by name, as both planes and the wire between them know them.
//
// The payload type is negotiated per stream and is not here; what is here never varies by call.
#pragma once

#include <stdint.h>

enum td_codec_id {
	TD_CODEC_NONE,
	TD_CODEC_PCMU, // RFC 3551 section 4.5.14, G.711 mu-law
	TD_CODEC_PCMA, // RFC 3551 section 4.5.14, G.711 A-law
	TD_CODEC_COUNT
};

#define TD_PAYLOAD_TYPE_NONE 255 // "this stream has no such payload type"

// RTP encoding name ("PCMU") of a codec; "none" for anything else.
const char *td_codec_name(enum td_codec_id codec);
