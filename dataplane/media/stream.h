// The hot half of a stream: three cache lines, of which two are touched to forward a packet.
//
//   FORWARD A -> B:    packet --> slot A: | A.rx | B.tx | A.level | --> wire
//                                          line 0  line 1  line 2
//
// The first two of different streams are side by side: media/placement.c. The third is touched by one
// packet in sixteen, and on the same page as the others: with many streams finding out where a page is
// takes as long as the line itself.
//
// rx: whose packets are accepted (source key, payload types), RFC 3550 statistics, and who listens.
// tx: where packets go, and the numbers that make what this stream sends one unbroken RTP stream
// whoever feeds it:  out = in + offset  for sequence number and timestamp; when the feeder changes
// the offsets are chosen anew so that the sequence number goes on by one and the timestamp by the
// time that has passed.
//
// One array for all streams, by handle index; owned by the stream's worker from the change that
// creates it, or brings it from another worker, to the one that takes it away. Cold things (IPv6 addresses, learning, RTCP, totals) are
// in struct td_stream_cold (media/stream_cold.h).
#pragma once

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#include "media/level.h"
#include "media/matrix.h"
#include "rtp/source.h"
#include "td_limits.h"

#define TD_SINK_NONE   UINT32_MAX       // nobody is sent its packets
#define TD_SINK_FANOUT (UINT32_MAX - 1) // several, or one and the inlet too: see the cold half
#define TD_SINK_INLET  (UINT32_MAX - 2) // nobody, but the inlet takes them

// rx flags
#define TD_RX_LIVE   0x01u // between creation and destruction
#define TD_RX_STEADY 0x02u // nothing below needs a look, one listener: the short path
#define TD_RX_IPV6   0x04u // the key is a hash: compare the address in the cold half too
#define TD_RX_TAPPED 0x08u // copied for recordings, forks, or both: see the cold half
#define TD_RX_ACTIVE 0x10u // the first valid packet has been seen and announced
#define TD_RX_MUX    0x20u // RTCP on the RTP port, RFC 5761
#define TD_RX_INLET  0x40u // its samples are wanted: the inlet takes every packet
#define TD_RX_48K    0x80u // its RTP clock is 48 kHz, not 8

// What becomes of a received packet before anybody else sees it (media/protection.h).
enum td_guard {
	TD_GUARD_NONE,   // it is plain
	TD_GUARD_OPEN,   // opened, or dropped
	TD_GUARD_BARRED, // dropped: there is to be a key, and there is none
};

// tx flags
#define TD_TX_CAPTURED 0x10u // what goes out is copied for the engineer
#define TD_TX_READY    0x01u // address, next hop and codec are known: may send
#define TD_TX_IPV6     0x02u // addresses are in the cold half
#define TD_TX_HELD     0x08u // digits are being sent: everything else waits
#define TD_TX_FORCED   0x04u // the next packet begins a new run, whoever feeds it
#define TD_TX_SEALED   0x20u // SRTP
#define TD_TX_BARRED   0x40u // there is to be a key, and there is none: sends nothing
#define TD_TX_STEADY   0x80u // the last packet went from `feed` to where the next one will go

struct td_stream_rx {
	uint64_t key; // the accepted sender, as in td_packet.sender; 0 until something is accepted
	struct td_rtp_source source;
	uint64_t last_ns;
	uint32_t octets; // payload, since creation, wraps; totals are in the cold half
	uint32_t sink;   // the slot of the only listener's tx, or TD_SINK_*
	uint8_t payload_type;
	uint8_t event_payload_type; // TD_PAYLOAD_TYPE_NONE matches nothing: types have 7 bits
	uint8_t flags;              // TD_RX_*
	uint8_t codec : 5;          // enum td_codec_id
	uint8_t strict : 1;         // nobody but `key` can be accepted before the next SET_REMOTE
	uint8_t guard : 2;          // enum td_guard
	uint32_t packets;           // accepted, since creation, wraps
};

_Static_assert(TD_CODEC_COUNT <= 32, "a codec has five bits");

struct td_stream_tx {
	uint32_t feed;      // who fed the last packet: TD_FEED_* (media/matrix.h)
	uint32_t feed_ssrc; // and with which SSRC
	uint32_t ssrc;      // ours, for ever
	uint32_t timestamp_offset;
	uint16_t sequence_offset;
	uint16_t last_sequence;
	uint32_t last_timestamp;
	uint64_t last_ns;
	uint32_t source_be, destination_be; // IPv4
	uint16_t source_port_be, destination_port_be;
	// What the words that are the same in all packets of a run, addresses, ports and SSRC, add to
	// the UDP checksum on their way from `feed`: with TD_TX_STEADY.
	uint16_t checksum_step;
	uint8_t payload_type, event_payload_type;
	uint32_t packets, octets; // payload, since creation, wrap; totals are in the cold half
	uint8_t flags;            // TD_TX_*
	uint8_t tos;              // DSCP << 2
	uint16_t ip_sum;          // folded sum of the IPv4 header's words that never change
	uint32_t stream : 20;     // whose tx this is
	uint32_t next_hop : 12;   // index for net/neighbour.h
};

struct td_stream {
	alignas(TD_CACHE_LINE) struct td_stream_rx rx;
	alignas(TD_CACHE_LINE) struct td_stream_tx tx;
	struct td_level level;
};

_Static_assert(sizeof(struct td_stream_rx) == 64, "rx is one cache line");
_Static_assert(sizeof(struct td_stream_tx) == 64, "tx is one cache line");
_Static_assert(sizeof(struct td_stream) == 192, "a stream is three cache lines");
_Static_assert(offsetof(struct td_stream, tx) == 64, "rx and tx do not share a line");
