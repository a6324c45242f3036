// Codecs by name, as both planes and the wire between them know them.
//
// The payload type is negotiated per stream and is not here; what is here never varies by call.
// Comfort noise and telephone-event are payload types beside a stream's codec, not codecs.
#pragma once

#include <stdint.h>

enum td_codec_id {
	TD_CODEC_NONE,
	TD_CODEC_PCMU,   // RFC 3551 section 4.5.14, G.711 mu-law
	TD_CODEC_PCMA,   // RFC 3551 section 4.5.14, G.711 A-law
	TD_CODEC_G722,   // RFC 3551 section 4.5.2: 16 kHz audio, but an RTP clock of 8 kHz
	TD_CODEC_GSM,    // RFC 3551 section 4.5.8, GSM 06.10 full rate
	TD_CODEC_L16_8,  // RFC 3551 section 4.5.11 with a clock of 8 kHz, mono
	TD_CODEC_L16_16, // 16 kHz
	TD_CODEC_L16_32, // 32 kHz
	TD_CODEC_L16_48, // 48 kHz
	TD_CODEC_OPUS,   // RFC 7587: an RTP clock of 48 kHz whatever is coded
	TD_CODEC_G729,   // RFC 3551 section 4.5.6; only where the build has it
	TD_CODEC_COUNT
};

#define TD_PAYLOAD_TYPE_NONE 255 // "this stream has no such payload type"

// How an encoder is to code; of the negotiated parameters and the configuration. What a codec has
// no use for is ignored.
#define TD_CODEC_FEC    0x01u // Opus: in-band FEC (RFC 7587 useinbandfec)
#define TD_CODEC_DTX    0x02u // Opus: discontinuous transmission (usedtx)
#define TD_CODEC_CBR    0x04u // Opus: constant bitrate (cbr)
#define TD_CODEC_ANNEXB 0x08u // G.729: the peer understands annex B comfort noise

struct td_codec_settings {
	uint32_t bitrate_bps; // 0: the codec's default
	uint32_t max_hz;      // highest PCM rate worth coding (maxplaybackrate); 0: no bound
	uint8_t complexity;   // Opus 0 to 10
	uint8_t flags;        // TD_CODEC_*
	uint8_t loss_percent; // expected loss, for FEC
	uint8_t reserved;
};

// What people call a codec, and configuration files do: "PCMU", "L16/16000"; "none" for anything else.
const char *td_codec_name(enum td_codec_id codec);
// Its RTP encoding name ("PCMU", "L16"), as in rtpmap.
const char *td_codec_encoding(enum td_codec_id codec);
// Its RTP clock in Hz (RFC 3551 table 4, RFC 7587); 0 for anything else.
uint32_t td_codec_clock_hz(enum td_codec_id codec);
