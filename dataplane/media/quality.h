// What is measured of a stream's media beside its sequence numbers, and what is made of it.
//
//   packets --- every 16th, 8 ms of it ---> level.h: talking, silent, clipped, how loud
//   sweep ----- once a second ------------> quality.c: loss, delay, R and MOS, one way
//   RTCP ------ received -----------------> round trip, the far end's own metrics
//
// What is decoded here in another codec than G.711 is looked at in the mix, every 16th tick; what is
// only forwarded in one has no level. A build of -DTD_WITHOUT_QUALITY measures nothing of this: perf/run
// stats compares it.
//
// Memory: a part of the stream's cold half. The stream's worker.
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "td_limits.h"
#include "td_quality.h"

#define TD_QUALITY_SECONDS 5u // what a rating is about

struct td_media_worker;

// Each second.
struct td_measure {
	uint64_t seen_ns;                // when it was looked at
	uint32_t expected, bad;          // as they were then
	uint32_t rx_packets, tx_packets; // likewise
	uint32_t one_way_ms, one_way_now_ms;
	uint32_t rtt_max_us;
	uint32_t mos_sum, mos_count; // over the seconds that have a rating
	uint16_t window_expected[TD_QUALITY_SECONDS], window_bad[TD_QUALITY_SECONDS];
	uint16_t mos_x100, mos_min_x100;
	uint16_t delay_ms, delay_max_ms;
	uint8_t window_at, r_factor;
	bool xr_received;
	struct td_quality_remote remote;
};

// quality.c: once a second, by the sweep.
void td_quality_second(struct td_media_worker *worker, uint32_t stream, uint64_t now_ns);
void td_quality_fill(const struct td_media_worker *worker, uint32_t stream, struct td_quality *out);
// For an XR block about what this stream receives.
void td_quality_voip(const struct td_media_worker *worker, uint32_t stream,
		     struct td_voip_metrics *out);
