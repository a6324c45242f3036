// What is measured of a stream's media beside its sequence numbers, and what is made of it.
//
//   packets --- every 16th, 8 ms of it ---> level.c: talking, silent, clipped, how loud
//   sweep ----- once a second ------------> quality.c: loss, delay, R and MOS, one way
//   RTCP ------ received -----------------> round trip, the far end's own metrics
//
// Which packet is looked at is said by its sequence number, at another turn for each stream; a look
// stands for the 16 packets around it. What is decoded here in another codec than G.711 is looked at
// in the mix, every 16th tick; what is only forwarded in one has no level. A build of -DTD_WITHOUT_QUALITY
// measures nothing of this: perf/run stats compares it.
//
// Memory: a part of the stream's cold half. The stream's worker.
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/packet.h"
#include "td_limits.h"
#include "td_quality.h"

#define TD_LEVEL_EVERY     16u // packets, ticks
#define TD_LEVEL_SAMPLES   64u // of G.711, a cache line of them
#define TD_LEVEL_LOOKS_MAX 64u // of a vector
#define TD_QUALITY_SECONDS 5u  // what a rating is about

struct td_media_worker;
struct td_plan;

struct td_measure {
	// Sampled: sums over milliseconds of mean squares, and the milliseconds.
	alignas(TD_CACHE_LINE) uint64_t talk_energy, quiet_energy;
	uint32_t talk_ms, quiet_ms, double_talk_ms, clipped_ms;
	// Each second.
	uint64_t seen_ns;                // when it was looked at
	uint64_t expected, bad;          // as they were then
	uint32_t rx_packets, tx_packets; // likewise, wrapping
	uint32_t one_way_ms, one_way_now_ms;
	uint32_t rtt_max_us;
	uint32_t mos_sum, mos_count; // over the seconds that have a rating
	uint16_t window_expected[TD_QUALITY_SECONDS], window_bad[TD_QUALITY_SECONDS];
	uint16_t mos_x100, mos_min_x100;
	uint16_t delay_ms, delay_max_ms;
	uint8_t window_at, r_factor;
	bool xr_received;
	struct td_voip_metrics remote;
};

// level.c: keeps samples of those packets of a vector whose turn it is, before they are sent on; and
// looks at them after that, when what a look touches of a stream has come nearer.
struct td_level_looks {
	uint32_t count;
	struct td_level_look {
		uint32_t stream;
		uint8_t codec; // TD_CODEC_PCMU, TD_CODEC_PCMA
		uint8_t law[TD_LEVEL_SAMPLES];
	} looks[TD_LEVEL_LOOKS_MAX];
};
void td_level_sample(struct td_media_worker *worker, const struct td_packet *packets, uint32_t n,
		     struct td_level_looks *looks);
void td_level_look(struct td_media_worker *worker, const struct td_level_looks *looks,
		   uint64_t now_ns);
// Of the sources of a mix that came in another codec; `ready` as in make_mixes.
void td_level_mixed(struct td_media_worker *worker, const struct td_plan *plan,
		    const int16_t *const *ready, uint64_t now_ns);
// A mean square in dBm0, where 0 dBm0 is 3.17 dB below a full sine of mu-law.
int8_t td_level_dbm0(uint64_t energy, uint32_t ms);

// quality.c: once a second, by the sweep.
void td_quality_second(struct td_media_worker *worker, uint32_t stream, uint64_t now_ns);
void td_quality_fill(const struct td_media_worker *worker, uint32_t stream, struct td_quality *out);
// For an XR block about what this stream receives.
void td_quality_voip(const struct td_media_worker *worker, uint32_t stream,
		     struct td_voip_metrics *out);
