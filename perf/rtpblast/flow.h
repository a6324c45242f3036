// One RTP flow: packet n is made from n alone, so packets may go out of order, twice or not at all.
//
//   sequence = first + n    timestamp = first + n * ticks    payload = circle[start + n]
//
// Where the device keeps payloads as they are, the first bytes of each are a probe that says which
// packet it is and when it left; the rest is speech. Every `event_every` packets a digit of 100 ms
// is sent in place of speech (RFC 4733), five packets and the end three times.
#pragma once

#include <stdint.h>

#include "arrivals.h"
#include "payload.h"
#include "protect.h"
#include "td_endpoint.h"

#define TD_FLOW_RTP_AT     (14 + 20 + 8)
#define TD_FLOW_FRAME_MAX  (TD_FLOW_RTP_AT + 12 + TD_PAYLOAD_BYTES_MAX + TD_SRTP_TRAILER_MAX)
#define TD_FLOW_RTP_BYTES  12u // of the header
#define TD_FLOW_EVENT_TYPE 101

struct td_flow {
	struct td_endpoint from, to; // IPv4
	const struct td_payload *payload;
	struct td_protect *protect;        // NULL: plain RTP; owned by the plan
	uint32_t ssrc, start, event_every; // event_every 0: no digits
	uint8_t payload_type;
	uint8_t probes;  // payloads carry probes
	uint8_t swapped; // the number before the last one is still to be sent
	uint32_t next;   // the number of the next packet
	uint32_t sent;   // that were counted
	uint32_t events_sent, events_received;
	struct td_arrivals arrivals;
};

struct td_flow_probe {
	uint32_t mark, flow, number;
	uint32_t counted; // sent while it was measured
	uint64_t sent_ns; // CLOCK_MONOTONIC
} __attribute__((packed));

// What came, taken apart; it points into the frame.
struct td_flow_packet {
	uint32_t to_addr; // host order
	uint16_t to_port, sequence;
	uint32_t ssrc;
	uint8_t payload_type;
	uint8_t *payload;
	uint32_t payload_bytes;
};

// The SSRC of the flow at `index`, neighbours' far apart, and whose flow's an SSRC is: any number when
// it is none of ours.
uint32_t td_flow_ssrc(uint32_t index);
uint32_t td_flow_of_ssrc(uint32_t ssrc);

// True when packet `number` is part of a digit.
int td_flow_is_event(const struct td_flow *flow, uint32_t number);

// Writes packet `number` as a frame, with room at its end for the trailer where it is to be sealed;
// returns its bytes, that room included. `probe` is not used for digits.
uint32_t td_flow_make(const struct td_flow *flow, uint32_t number, const uint8_t to_mac[6],
		      const uint8_t from_mac[6], const struct td_flow_probe *probe,
		      uint8_t frame[TD_FLOW_FRAME_MAX]);

// Puts the UDP checksum into a frame of td_flow_make, when nothing in it changes any more: phones send
// one, and a relay that passes it on has to keep it right.
void td_flow_sum(uint8_t *frame);
// False when it is not right any more. One without has nothing to be wrong.
int td_flow_is_whole(const struct td_flow_packet *packet);

// False when the frame is not plain RTP over UDP over IPv4.
int td_flow_parse(uint8_t *frame, uint32_t bytes, struct td_flow_packet *packet);

// False when the payload has no probe of ours.
int td_flow_find_probe(const struct td_flow_packet *packet, struct td_flow_probe *probe);
