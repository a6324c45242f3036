// Statistics blocks and the mirror: what control and operators see of the dataplane, live.
//
// Each block has exactly one writer (a thread of the dataplane) and any number of readers.
// Worker counters are plain 64-bit words, each monotonic and valid alone. A stream's mirror is
// several words that belong together, so it is written and read under a sequence lock:
//
//   writer: lock odd -> words -> lock even        reader: copy until lock is even and unchanged
#pragma once

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "td_endpoint.h"
#include "td_error.h"
#include "td_handle.h"
#include "td_limits.h"
#include "td_quality.h"

// Every packet a worker discards increments exactly one of these.
// X(symbol, "name an operator sees")
#define TD_DROPS(X)                                                                                \
	X(FRAME_SHORT, "frame_short")                                                              \
	X(FRAME_MULTISEGMENT, "frame_multisegment")                                                \
	X(ETHERTYPE, "ethertype_unknown")                                                          \
	X(MAC_NOT_OURS, "mac_not_ours")                                                            \
	X(MAC_SOURCE, "mac_source_invalid")                                                        \
	X(VLAN_UNKNOWN, "vlan_unknown")                                                            \
	X(ARP_MALFORMED, "arp_malformed")                                                          \
	X(ARP_NOT_OURS, "arp_not_ours")                                                            \
	X(ICMP_IGNORED, "icmp_ignored")                                                            \
	X(ICMP_MALFORMED, "icmp_malformed")                                                        \
	X(IPV4_HEADER, "ipv4_header")                                                              \
	X(IPV4_LENGTH, "ipv4_length")                                                              \
	X(IPV4_CHECKSUM, "ipv4_checksum")                                                          \
	X(IPV6_HEADER, "ipv6_header")                                                              \
	X(IPV6_EXTENSION, "ipv6_extension")                                                        \
	X(IP_FRAGMENT, "ip_fragment")                                                              \
	X(IP_NOT_OURS, "ip_not_ours")                                                              \
	X(IP_SOURCE, "ip_source_invalid")                                                          \
	X(IP_PROTOCOL, "ip_protocol")                                                              \
	X(UDP_LENGTH, "udp_length")                                                                \
	X(UDP_CHECKSUM, "udp_checksum")                                                            \
	X(PORT_CLOSED, "port_closed")                                                              \
	X(NOT_RTP, "not_rtp")                                                                      \
	X(RTP_SHORT, "rtp_short")                                                                  \
	X(RTP_VERSION, "rtp_version")                                                              \
	X(RTP_HEADER, "rtp_header")                                                                \
	X(RTP_PADDING, "rtp_padding")                                                              \
	X(RTP_TOO_LONG, "rtp_too_long")                                                            \
	X(RTP_PAYLOAD_TYPE, "rtp_payload_type")                                                    \
	X(RTP_SEQUENCE, "rtp_sequence_probation")                                                  \
	X(RTP_DUPLICATE, "rtp_duplicate")                                                          \
	X(SRTP_MALFORMED, "srtp_malformed")                                                        \
	X(SRTP_NO_KEY, "srtp_no_key")                                                              \
	X(SRTP_BAD_TAG, "srtp_bad_tag")                                                            \
	X(SRTP_REPLAYED, "srtp_replayed")                                                          \
	X(SRTP_LATE, "srtp_late")                                                                  \
	X(SRTP_CROWDED, "srtp_sources_full")                                                       \
	X(SOURCE_UNSET, "source_unset")                                                            \
	X(SOURCE_MISMATCH, "source_mismatch")                                                      \
	X(RTCP_SHORT, "rtcp_short")                                                                \
	X(RTCP_MALFORMED, "rtcp_malformed")                                                        \
	X(RTCP_SOURCE, "rtcp_source_mismatch")                                                     \
	X(NO_LISTENER, "no_listener")                                                              \
	X(SINK_NO_REMOTE, "sink_no_remote")                                                        \
	X(SINK_NO_KEY, "sink_no_srtp_key")                                                         \
	X(SINK_NO_EVENT_PT, "sink_no_event_payload_type")                                          \
	X(SINK_HELD, "sink_sends_digits")                                                          \
	X(SINK_NO_CN_PT, "sink_no_cn_payload_type")                                                \
	X(NEIGHBOUR_UNRESOLVED, "neighbour_unresolved")                                            \
	X(PARK_FULL, "park_full")                                                                  \
	X(STEER_FULL, "steer_full")                                                                \
	X(SEAL_REFUSED, "srtp_seal_refused")                                                       \
	X(TX_FULL, "tx_full")                                                                      \
	X(POOL_EMPTY, "pool_empty")

enum td_drop {
#define TD_DROP_MEMBER(symbol, name) TD_DROP_##symbol,
	TD_DROPS(TD_DROP_MEMBER)
#undef TD_DROP_MEMBER
		TD_DROP_COUNT
};

const char *td_drop_name(enum td_drop drop);

// What a worker's time goes to. Of one busy turn in so many every stage is timed, by the processor's
// time stamp counter; the others are not touched.
// X(symbol, "name an operator sees", "what is counted")
#define TD_STAGES(X)                                                                               \
	X(RX, "rx", "packet")             /* taken from the driver */                              \
	X(PARSE, "parse", "packet")       /* Ethernet to UDP, checksums, whether it is ours */     \
	X(DEMUX, "demux", "packet")       /* who listens at its port, RTP from RTCP */             \
	X(STEER, "steer", "packet")       /* to and from other workers */                          \
	X(OPEN, "open", "packet")         /* SRTP of what came in */                               \
	X(FORWARD, "forward", "packet")   /* source, statistics, taps, rewriting */                \
	X(JITTER, "jitter", "frame")      /* into the jitter buffer and, 20 ms each, out of it */  \
	X(DECODE, "decode", "frame")      /* the codec's part alone */                             \
	X(RESAMPLE, "resample", "frame")  /* from one rate to another */                           \
	X(MIX, "mix", "mix")              /* 20 ms of what one listener, or many, hear */          \
	X(ENCODE, "encode", "frame")      /* the codec's part alone */                             \
	X(SEND, "send", "packet")         /* headers, payload, checksum of packets of our own */   \
	X(SEAL, "seal", "packet")         /* SRTP of what goes out */                              \
	X(TX, "tx", "packet")             /* given to the driver */                                \
	X(REPORTS, "reports", "stream")   /* RTCP, mirrors and quality, a stream's second each */  \
	X(COMMANDS, "commands", "change") /* what main wants changed */                            \
	X(OTHER, "other", "turn")         /* ARP, ICMP, the loop itself */

enum td_stage {
#define TD_STAGE_MEMBER(symbol, name, unit) TD_STAGE_##symbol,
	TD_STAGES(TD_STAGE_MEMBER)
#undef TD_STAGE_MEMBER
		TD_STAGE_COUNT
};

const char *td_stage_name(enum td_stage stage);
const char *td_stage_unit(enum td_stage stage);

// Sums over the timed turns: their ratio is the cost of one, and a stage's share of the ticks of all
// stages is its share of the worker's busy time.
struct td_stage_stats {
	uint64_t ticks, units;
};

// One per worker. Accounting identity, over any interval in which the worker is quiet at both ends:
//   rx_packets + steered_in = consumed + forwarded + steered_out + sum(drops except tx side)
struct td_worker_stats {
	alignas(TD_CACHE_LINE) uint64_t rx_packets; // frames taken from the ports
	uint64_t rx_bytes;
	uint64_t tx_packets; // frames given to the ports: forwarded + originated, less drops
	uint64_t tx_bytes;
	uint64_t forwarded;   // RTP packets received and sent on to one or more sinks
	uint64_t originated;  // packets of our own: players, RTCP, ARP, ND, ICMP
	uint64_t consumed;    // received and used up here: RTCP, ARP, ND, ICMP
	uint64_t steered_out; // handed to the worker that owns the stream
	uint64_t steered_in;
	uint64_t turns;      // loop turns
	uint64_t busy_turns; // turns that found something to do
	uint64_t busy_ns;    // time in busy turns
	uint64_t idle_ns;    // time in idle turns, sleeping included
	uint64_t tick_late_max_us;
	uint64_t ticks;
	uint64_t heartbeat_ns; // CLOCK_MONOTONIC of the last turn: a watchdog's input
	uint64_t tap_lost;     // tap records lost because the recorder's ring was full
	uint64_t events_lost;  // events lost because control's ring was full
	uint64_t digits_lost;  // digits not passed on because all senders were taken
	uint64_t fork_lost;    // records lost because the forker's ring was full
	uint64_t streams, contexts, players, taps, forks; // live now
	uint64_t drops[TD_DROP_COUNT];
	uint64_t ticks_per_s; // of the time stamp counter; 0: nothing is timed
	uint64_t turns_timed; // busy ones whose stages were
	struct td_stage_stats stages[TD_STAGE_COUNT];
};

// What one network port's device has done, by its driver's own counting, written by the main thread
// once a second. What a device loses no worker has ever seen: it is in none of their drops.
struct td_port_stats {
	alignas(TD_CACHE_LINE) char name[TD_PORT_NAME_MAX]; // of dataplane.ports
	uint64_t rx_packets, tx_packets;
	uint64_t rx_missed;    // came faster than the workers took them
	uint64_t rx_no_buffer; // there was no packet memory for them
	uint64_t rx_errors;    // broken on the way
	uint64_t tx_errors;    // refused by the device or its driver
	// Of a shared interface's XDP program; 0 where there is none.
	uint64_t gate_taken;    // datagrams of media given to us
	uint64_t gate_no_queue; // of media, on a receive queue that is not ours: left with the host
	uint64_t gate_fragments; // of UDP to our addresses: left with the host
	uint64_t shared;         // 1: there is such a program
};

// What is known of a stream's media, both directions, since its creation. Packets of the two parties
// are counted in 32 bits, as RTCP does: 994 days of 50 a second.
struct td_stream_stats {
	uint64_t rx_bytes, tx_bytes;      // of payload, accepted and sent
	uint64_t rx_wrong_source;         // dropped by the source lock
	uint64_t first_rx_ns, last_rx_ns; // CLOCK_MONOTONIC, 0 when nothing came
	uint32_t rx_packets, tx_packets;  // accepted, sent
	uint32_t rx_expected;   // RFC 3550 A.3: extended highest sequence - base + 1, over SSRCs
	int32_t rx_lost;        // RFC 3550 A.3: expected - received; negative with duplicates
	uint32_t rx_reordered;  // arrived after a later sequence number
	uint32_t rx_duplicates; // dropped: this sequence number was there already
	uint32_t rx_ssrc_changes;
	uint32_t rx_jitter_us; // RFC 3550 A.8, now
	uint32_t rx_jitter_max_us;
	uint32_t rx_ssrc, tx_ssrc;
	uint32_t rtt_us;           // RFC 3550 section 6.4.1, from the last RR; 0 unknown
	uint32_t remote_jitter_us; // what the far end reported of what we send
	int32_t remote_lost;
	uint32_t rtcp_rx, rtcp_tx;
	// Of the jitter buffer, where its audio is decoded here.
	uint32_t played_ms, concealed_ms; // played in all, and made up because nothing was there
	uint32_t rx_discarded;            // packets that came too late to be played
	uint16_t playout_delay_ms;        // now
	uint8_t remote_fraction_lost;     // 1/256
	uint8_t reserved;
	// Of SRTP and SRTCP, dropped: nothing was learned from them, and no number of them ends a call.
	uint32_t rx_srtp_bad_tag;  // not from who has the key
	uint32_t rx_srtp_replayed; // seen before, or too far back to know
	uint32_t rx_srtp_no_key;   // plain where keys are asked for, an unknown MKI, malformed
	uint32_t tx_srtp_refused;  // ours: no key yet, or it has been used as often as it may be
	// Dropped besides rx_wrong_source, rx_duplicates and SRTP's: each packet in one of these.
	uint32_t rx_unexpected;     // no remote is known yet
	uint32_t rx_probation;      // of a sender or a sequence that has yet to prove itself
	uint32_t rx_payload_type;   // the right sender's, of a type that was not agreed
	uint32_t rx_malformed;      // no RTP, or broken
	uint32_t rtcp_wrong_source; // RTCP of somebody else
	uint32_t rtcp_malformed;    // RTCP whose lengths do not add up
	struct td_quality quality;
};

// How a listener gets what it hears.
enum td_hears {
	TD_HEARS_NOTHING,
	TD_HEARS_FORWARD,
	TD_HEARS_PLAY,
	TD_HEARS_MIX,
	TD_HEARS_SHARED,
	TD_HEARS_COUNT
};

// Its name ("forward"); "unknown" for what is none.
const char *td_hears_name(uint32_t hears);

// The mirror of one stream: enough for `stream.get`, and for a fresh control process to know what
// is there. Written by the owning worker about once a second and at every change.
struct td_stream_mirror {
	alignas(TD_CACHE_LINE) _Atomic uint32_t lock; // odd while being written
	struct td_stream_id id;                       // v == 0: no stream here
	struct td_context_id context;
	uint8_t worker;
	uint8_t codec; // enum td_codec_id
	uint8_t payload_type, event_payload_type;
	uint64_t owner; // control's cookie, given at creation
	struct td_endpoint local, remote;
	uint8_t source_locked;
	uint8_t hears; // enum td_hears
	uint8_t ptime_ms;
	uint8_t protected;                    // 1: nothing plain, ever (TD_STREAM_PROTECTED)
	uint8_t srtp_rx_suite, srtp_tx_suite; // enum td_srtp_suite
	uint8_t reserved[2];
	uint32_t srtp_rx_rollover, srtp_tx_rollover; // RFC 3711's ROC, of the present SSRCs
	struct td_stream_stats stats;
};

_Static_assert(sizeof(struct td_stream_mirror) == 5 * TD_CACHE_LINE, "five lines for every stream");

// Writer: brackets a change of the words.
static inline void td_mirror_write_begin(_Atomic uint32_t *lock)
{
	uint32_t v = atomic_load_explicit(lock, memory_order_relaxed);

	atomic_store_explicit(lock, v + 1, memory_order_relaxed);
	// Keeps the words' stores after the odd store; pairs with the acquire load in td_mirror_read.
	atomic_thread_fence(memory_order_release);
}

static inline void td_mirror_write_end(_Atomic uint32_t *lock)
{
	uint32_t v = atomic_load_explicit(lock, memory_order_relaxed);

	// Publishes the words; pairs with the acquire load in td_mirror_read.
	atomic_store_explicit(lock, v + 1, memory_order_release);
}

// Reader: copies one mirror out. -TD_EBUSY after a bounded number of tries (a dead or torn writer).
TD_MUST_CHECK static inline int td_mirror_read(const struct td_stream_mirror *mirror,
					       struct td_stream_mirror *out)
{
	for (int tries = 0; tries < 1000; tries++) {
		// Pairs with td_mirror_write_end.
		uint32_t before = atomic_load_explicit(&mirror->lock, memory_order_acquire);

		if (before & 1u)
			continue;
		memcpy(out, (const void *)mirror, sizeof *out);
		// Keeps the copy before the second look; pairs with td_mirror_write_begin.
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(&mirror->lock, memory_order_relaxed) == before)
			return 0;
	}
	return -TD_EBUSY;
}
