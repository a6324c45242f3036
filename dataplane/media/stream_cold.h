// The cold half of a stream: what a packet that simply comes next never touches.
//
// The source lock, IPv6 addresses, report and learning state, the list of several listeners, and
// 64-bit totals that the sweep carries over from the hot half's wrapping words:
//
//   total = carried + (hot word - lower half of carried)   (32-bit, wrapping)
//
// One array for all streams, by handle index; owned by the stream's worker like the hot half.
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/change.h"
#include "media/quality.h"
#include "media/source_lock.h"
#include "rtp/rtcp.h"
#include "rtp/source.h"
#include "rtp/telephone_event.h"
#include "td_endpoint.h"
#include "td_handle.h"
#include "td_limits.h"

// A 64-bit total over a wrapping 32-bit word: its lower half is the word when it was last looked at.
struct td_carry {
	uint64_t total;
};

static inline uint64_t td_carry_update(struct td_carry *carry, uint32_t word)
{
	carry->total += (uint32_t)(word - (uint32_t)carry->total);
	return carry->total;
}

// Packets that were not let in, besides those of a wrong source: see struct td_stream_stats.
struct td_refused {
	uint32_t unexpected, probation, payload_type, malformed, rtcp_wrong_source, rtcp_malformed;
};

// What a sweep visits comes first, in nine cache lines.
struct td_stream_cold {
	alignas(TD_CACHE_LINE) struct td_stream_id id;
	struct td_context_id context;
	uint64_t owner;
	struct td_endpoint local, remote; // remote: where packets go now
	struct td_rtp_source_cold source;
	struct td_carry rx_packets, rx_octets, tx_packets, tx_octets;
	uint64_t first_rx_ns;
	uint64_t wrong_source;
	uint64_t mirrored; // sum of what the mirror shows, when it was last written
	uint64_t rtcp_due_ns;
	uint32_t rtcp_rx, rtcp_tx;
	uint32_t rtt_us, remote_jitter_us;
	int32_t remote_lost;
	uint8_t remote_fraction_lost;
	bool remote_bye;
	bool learned_pending; // main has not answered yet with the next hop of a learned source
	uint8_t dscp;
	uint8_t clock_khz; // of the RTP timestamps
	uint32_t tx_slot;  // where this stream's tx line is
	uint32_t refusals; // sum of `refused`, so that a sweep sees whether one has moved
	struct td_measure measure;

	uint32_t rtcp_tx_reported; // tx.packets at the last report: has it sent since?
	uint32_t sender_middle;    // of the last SR received: LSR
	uint64_t sender_ns;        // and when it came
	uint32_t rtcp_next_hop;    // where its address is not the one RTP goes to
	uint32_t sdp_next_hop;     // of the address in the SDP
	uint64_t cname;            // what its CNAME is made of

	struct td_refused refused;
	struct td_source_lock lock;
	const uint32_t *sinks; // in the context's plan
	uint32_t sink_count;
	uint8_t hears;              // enum td_hears
	uint16_t floor_sequence;    // the last one sent for the feeder before this one
	uint32_t position;          // in the worker's list of streams
	uint32_t inlet;             // with TD_RX_INLET
	uint32_t fed_by;            // TD_FEED_*
	uint32_t next, previous;    // in the context's list of streams, TD_INDEX_END
	uint8_t event_payload_type; // what the peer takes; tx has it only while it is to hear digits
	uint8_t cn_payload_type, cn_payload_type_rx;
	uint8_t ptime_ms;
	uint8_t tune;   // TD_TUNE_*
	bool protected; // TD_STREAM_PROTECTED
	bool has_keys;  // or had: there is something to erase
	// Of SRTP, dropped: see struct td_stream_stats.
	uint32_t srtp_bad_tag, srtp_replayed, srtp_no_key, srtp_refused;
	bool rtcp_reduced;     // RFC 5506
	bool in_transit;       // between two workers: its packets are parked
	uint32_t digit_sender; // index, TD_INDEX_END: none
	bool hush;             // its context is private: see struct td_command_context_privacy
	bool digit_hushed;     // so was the beginning of the digit that is being said
	struct td_event_rx digits;
};

#define TD_INDEX_END         0xffffffffu // of a list

#define TD_STREAM_COLD_SWEPT 9 // cache lines

_Static_assert(offsetof(struct td_stream_cold, rtcp_tx_reported) <=
		       TD_STREAM_COLD_SWEPT * TD_CACHE_LINE,
	       "the swept part fits its lines");
