// Quality of what a stream receives, as the two planes and operators speak of it.
//
//   td_quality         what this end measured: part of a stream's statistics (td_stats.h)
//   td_voip_metrics    RFC 3611 section 4.7: what is said in an XR block, by us and to us
//   td_quality_remote  what is kept of the one that was said to us last
//
// Bursts and gaps by RFC 3611 section 4.7.2 with Gmin 16: losses less than 16 received packets
// apart belong together; two and more of them are a burst, and everything outside bursts is gap.
// Plain data.
#pragma once

#include <stdint.h>

#define TD_GMIN           16u
#define TD_LEVEL_UNKNOWN  127 // where a level in dBm0 is not known, as in RFC 3611
#define TD_RATING_UNKNOWN 127 // where an R factor or a MOS is not known, likewise

struct td_voip_metrics {
	uint32_t ssrc; // whose packets these are about
	uint8_t loss_rate, discard_rate, burst_density, gap_density; // of 256
	uint16_t burst_ms, gap_ms;                                   // on average
	uint16_t round_trip_ms, end_system_ms;                       // 0: not known
	int8_t signal_dbm0, noise_dbm0;                              // TD_LEVEL_UNKNOWN
	uint8_t rerl_db, gmin;                                       // 127: not known
	uint8_t r_factor, external_r_factor;                         // TD_RATING_UNKNOWN
	uint8_t mos_lq_x10, mos_cq_x10;                              // TD_RATING_UNKNOWN
	uint8_t receiver_config;
	uint8_t reserved;
	uint16_t jitter_nominal_ms, jitter_max_ms, jitter_absolute_ms; // of the jitter buffer
};

// Of it what is kept of the far end's, with the same names.
struct td_quality_remote {
	uint16_t burst_ms, gap_ms;
	uint16_t round_trip_ms, end_system_ms;
	uint8_t loss_rate, discard_rate, burst_density, gap_density;
	int8_t signal_dbm0, noise_dbm0;
	uint8_t r_factor;
	uint8_t mos_lq_x10, mos_cq_x10;
};

struct td_quality {
	uint32_t bursts, burst_lost, gap_lost; // how many bursts, bad packets in and between them
	uint32_t gap_ms;                       // on average
	// From sampled frames, where the audio is G.711 or is decoded here.
	uint32_t measured_ms, talk_ms, double_talk_ms, clipped_ms;
	uint32_t one_way_ms;     // it was sent media and sent none
	uint32_t one_way_now_ms; // the same, since its last packet
	uint32_t rtt_max_us;
	uint16_t burst_ms;               // on average
	uint16_t delay_ms, delay_max_ms; // mouth to ear, estimated: half the round trip and playout
	// ITU-T G.107 of the last five seconds: now, at its worst, and on average; 0: not known.
	uint16_t mos_x100, mos_min_x100, mos_avg_x100;
	uint8_t burst_density, gap_density; // of 256
	int8_t level_dbm0, noise_dbm0;      // while talking, and while not; TD_LEVEL_UNKNOWN
	uint8_t r_factor;                   // now; 0 with mos_x100 0
	uint8_t xr_received : 1;            // `remote` is there
	uint8_t remote_bye : 1;             // the far end has sent an RTCP BYE
	struct td_quality_remote remote;    // what the far end said last about what we send
};
