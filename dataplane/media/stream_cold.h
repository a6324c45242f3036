// The cold half of a stream: what a packet that simply comes next never touches.
//
// The source lock, IPv6 addresses, report and learning state, the list of several listeners, and
// what the 64-bit totals need besides the wrapping words that packets count in:
//
//   total = halves / 2 * 2^32 + word      halves: how often the word has passed 2^31 and 2^32
//
// One array for all streams, by handle index; owned by the stream's worker like the hot half. There
// are as many of these as streams, used or not, so every byte counts: what only some streams need has
// memory of its own (media/stream_taps.h, struct td_lock_candidates).
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/change.h"
#include "media/quality.h"
#include "media/source_lock.h"
#include "net/local.h"
#include "rtp/rtcp.h"
#include "rtp/source.h"
#include "rtp/telephone_event.h"
#include "td_endpoint.h"
#include "td_handle.h"
#include "td_limits.h"

// A total over a wrapping 32-bit word, which is looked at before it has grown by 2^31: 47 bits of it.
struct td_carry {
	uint16_t halves; // even: the word was in its lower half when it was last looked at
};

static inline uint64_t td_carry_update(struct td_carry *carry, uint32_t word)
{
	carry->halves = (uint16_t)(carry->halves + ((carry->halves & 1u) != word >> 31));
	return (uint64_t)(carry->halves >> 1) << 32 | word;
}

// Packets that were not let in, besides those of a wrong source: see struct td_stream_stats.
struct td_refused {
	uint32_t unexpected, probation, payload_type, malformed, rtcp_wrong_source, rtcp_malformed;
};

// What a sweep visits comes first.
struct td_stream_cold {
	alignas(TD_CACHE_LINE) struct td_stream_id id;
	struct td_context_id context;
	uint64_t first_rx_ns;
	uint64_t rtcp_due_ns;
	uint64_t owner;
	uint32_t tx_slot;  // where this stream's tx line is
	uint32_t mirrored; // sum of what the mirror shows, when it was last written
	uint32_t refusals; // sum of `refused`, so that a sweep sees whether one has moved
	uint32_t rtcp_rx, rtcp_tx;
	uint32_t rtt_us, remote_jitter_us;
	int32_t remote_lost;

	struct td_rtp_source_cold source;
	struct td_measure measure;

	struct td_carry rx_octets, tx_octets, strangers;
	uint16_t local_port_be; // at the address `local`
	uint8_t local;          // index for net/local.h
	uint8_t remote_fraction_lost;
	bool remote_bye;
	bool learned_pending; // main has not answered yet with the next hop of a learned source
	uint8_t dscp;
	uint8_t clock_khz; // of the RTP timestamps
	uint8_t ptime_ms;
	uint8_t hears; // enum td_hears

	// Of SRTP, dropped: see struct td_stream_stats.
	uint32_t srtp_bad_tag, srtp_replayed, srtp_no_key, srtp_refused;
	struct td_refused refused;
	struct td_event_rx digits;
	struct td_source_lock lock;

	uint64_t sender_ns;        // when the last SR was received
	uint32_t sender_middle;    // and its middle: LSR
	uint32_t rtcp_tx_reported; // tx.packets at the last report: has it sent since?
	uint64_t cname;            // what its CNAME is made of
	uint32_t rtcp_next_hop;    // where its address is not the one RTP goes to
	uint32_t sdp_next_hop;     // of the address in the SDP
	const uint32_t *sinks;     // in the context's plan
	uint32_t sink_count;
	uint32_t inlet;             // with TD_RX_INLET
	uint32_t position;          // in the worker's list of streams
	uint32_t fed_by;            // TD_FEED_*
	uint32_t next, previous;    // in the context's list of streams, TD_INDEX_END
	uint32_t digit_sender;      // index, TD_INDEX_END: none
	uint16_t floor_sequence;    // the last one sent for the feeder before this one
	uint8_t event_payload_type; // what the peer takes; tx has it only while it is to hear digits
	uint8_t cn_payload_type, cn_payload_type_rx;
	uint8_t tune;          // TD_TUNE_*
	bool protected;        // TD_STREAM_PROTECTED
	bool has_keys;         // or had: there is something to erase
	bool rtcp_reduced;     // RFC 5506
	bool in_transit;       // between two workers: its packets are parked
	bool hush : 1;         // its context is private: see struct td_command_context_privacy
	bool digit_hushed : 1; // so was the beginning of the digit that is being said
	bool ear : 1; // a fork's: it has no wire, is never READY; what it hears is the fork's
};

// Where packets go: whoever is accepted, else the address in the SDP. Borrowed.
static inline const struct td_endpoint *td_stream_remote(const struct td_stream_cold *cold)
{
	return cold->lock.rank != TD_LOCK_NOBODY ? &cold->lock.accepted : &cold->lock.expected;
}

// Where packets come from.
static inline struct td_endpoint td_stream_local(const struct td_stream_cold *cold,
						 const struct td_locals *locals)
{
	struct td_endpoint local = locals->entries[cold->local].addr;

	local.port_be = cold->local_port_be;
	return local;
}

#define TD_INDEX_END         0xffffffffu // of a list

#define TD_STREAM_COLD_SWEPT 7 // cache lines

_Static_assert(offsetof(struct td_stream_cold, sender_ns) <= TD_STREAM_COLD_SWEPT * TD_CACHE_LINE,
	       "the swept part fits its lines");
_Static_assert(sizeof(struct td_stream_cold) <= 8 * TD_CACHE_LINE, "eight lines for every stream");
