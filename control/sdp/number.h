// Payload types of a dialog: which number our descriptions give to which format.
//
//   codecs    static where there is one, else 96 and up (RFC 3551 section 3)
//   events    telephone-event at each clock rate: 101 first, it is what everybody expects
//   noises    comfort noise at each clock rate: only as the peer has numbered it
//
// Invariant: no number stands for two formats. A number given stays for the dialog (RFC 3264 section
// 8.3.2), until the peer's offer, whose numbers an answer keeps, needs it for something else; and
// none is taken that the peer has ever used. Plain data, copied with its session.
#pragma once

#include "sdp/sdp.h"
#include "td_codec_id.h"

#define TD_SDP_CLOCK_COUNT 4   // 8, 16, 32 and 48 kHz
#define TD_SDP_EVENT_TYPE  101 // telephone-event in our offers

struct td_sdp_numbers {
	uint8_t codecs[TD_CODEC_COUNT]; // TD_PAYLOAD_TYPE_NONE: none yet
	uint8_t events[TD_SDP_CLOCK_COUNT];
	uint8_t noises[TD_SDP_CLOCK_COUNT];
	uint8_t peer[16]; // bit i: the peer has used payload type i
};

void td_sdp_numbers_init(struct td_sdp_numbers *numbers);

// The place of a clock rate in the tables; it must be one of a codec's.
unsigned td_sdp_clock_idx(uint32_t clock_hz);

// The number of a codec, or of telephone-event, in our offers: given now if it has none.
// TD_PAYLOAD_TYPE_NONE when the peer has used up all of them.
uint8_t td_sdp_number_codec(struct td_sdp_numbers *numbers, enum td_codec_id codec);
uint8_t td_sdp_number_event(struct td_sdp_numbers *numbers, uint32_t clock_hz);

// Writes the peer's number into a slot of `numbers`; whatever had it before has none then.
void td_sdp_number_take(struct td_sdp_numbers *numbers, uint8_t *slot, uint8_t payload_type);

// Notes what the peer's description uses, and takes over its numbers of our codecs that have none.
void td_sdp_numbers_see(struct td_sdp_numbers *numbers, const struct td_sdp *sdp,
			const struct td_sdp_media *media);
