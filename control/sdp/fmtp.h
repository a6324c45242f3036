// Format parameters, a=fmtp: what a peer says about one codec, read with suspicion.
//
//   a=fmtp:111 maxplaybackrate=16000; useinbandfec=1        a=fmtp:101 0-15,66
//
// Parameters are hints about what the peer can take: an unknown one, one out of its range, or one
// that is no number counts as not said, and never spoils the format. Of a parameter said twice the
// first counts. Internal to the room; pure; any thread; the text is bounded by
// TD_SDP_FMTP_BYTES_MAX where it was parsed.
#pragma once

#include "base/str.h"
#include "sdp/text.h"
#include "td_codec_id.h"

#define TD_SDP_EVENTS_DTMF          0xffffu // events 0 to 15, RFC 4733 section 3.2: digits, * # A B C D
#define TD_SDP_EVENTS_KEYS          0x0fffu // those of them that a telephone has

#define TD_SDP_OPUS_BITRATE_MIN_BPS 6000 // RFC 7587 section 6.1
#define TD_SDP_OPUS_BITRATE_MAX_BPS 510000

// The value of "key=value", the whole of it trimmed; empty if it is not there. Keys in any case.
struct td_str td_sdp_fmtp_value(struct td_str fmtp, struct td_str key);

// The events of a telephone-event format, bit i for event i, those below 32. Nothing said means
// 0 to 15 (RFC 4733 section 2.4.1), and so does what cannot be read.
uint32_t td_sdp_fmtp_events(struct td_str fmtp);

// RFC 4856 section 2.1.9: false only for annexb=no.
bool td_sdp_fmtp_annexb(struct td_str fmtp);

// RFC 7587's draft years left "minptime" in many phones: the shortest packet it wants, 0: any.
uint32_t td_sdp_fmtp_minptime_ms(struct td_str fmtp);

// How our encoder is to code for a peer with these parameters: `ours` within what the peer wants
// (RFC 7587 section 6.1, RFC 4856). FEC and DTX need both sides. Zeros for a codec without settings.
struct td_codec_settings td_sdp_fmtp_settings(enum td_codec_id codec, struct td_str fmtp,
					      const struct td_codec_settings *ours);

// Writes our own a=fmtp line of an Opus format: what the peer's encoder is to keep to. Nothing when
// there is nothing to say.
void td_sdp_fmtp_write_opus(struct td_sdp_text *out, uint8_t payload_type,
			    const struct td_codec_settings *ours);
