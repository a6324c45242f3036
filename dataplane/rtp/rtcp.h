// RTCP compound packets: checked (RFC 3550 A.2), read and built (section 6.4 to 6.6), with the VoIP
// metrics of an extended report (RFC 3611 section 4.7).
//
//   | SR or RR + report blocks | SDES: CNAME | XR: VoIP metrics | BYE, APP, feedback ... |
//
// One datagram. Where both sides have agreed on reduced size (RFC 5506) it may hold any of these
// packets alone.
//
// td_rtcp_parse answers what a party of a two-way call wants to know: the sender's clock, the
// report about *us*, and that it said BYE. (A BYE is noted, never acted upon: nothing
// unauthenticated tears a call down.) Lengths are checked before anything is read; unknown packet
// types are skipped by their length. Pure; borrows nothing after it returned.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "td_error.h"
#include "td_quality.h"

#define TD_RTCP_CNAME_MAX 64
#define TD_RTCP_BUILD_MAX 256 // the longest compound td_rtcp_build makes

enum td_rtcp_type {
	TD_RTCP_SR = 200,
	TD_RTCP_RR = 201,
	TD_RTCP_SDES = 202,
	TD_RTCP_BYE = 203,
	TD_RTCP_APP = 204,
	TD_RTCP_XR = 207
};

// RFC 3550 section 6.4.1, a report block.
struct td_rtcp_report {
	uint32_t ssrc; // whom it is about
	int32_t lost;  // cumulative, 24 bits signed
	uint32_t highest;
	uint32_t jitter;
	uint32_t lsr, dlsr; // units of 1/65,536 s
	uint8_t fraction_lost;
};

// RFC 3550 section 6.4.1, the sender's part of an SR.
struct td_rtcp_sender {
	uint64_t ntp; // 32.32 seconds since 1900
	uint32_t rtp_timestamp;
	uint32_t packets, octets;
};

struct td_rtcp_summary {
	uint32_t ssrc; // of the first packet
	struct td_rtcp_sender sender;
	struct td_rtcp_report report; // the last block about `about_ssrc`
	struct td_voip_metrics voip;  // the last block about `about_ssrc`
	bool has_sender, has_report, has_voip, has_bye;
	uint8_t packet_count;
};

// Checks a whole compound and fills `out`; with `reduced` any RTCP packet may come first (RFC 5506
// section 3.4.2). 0, -TD_ETRUNCATED (shorter than one header), -TD_EMALFORMED (fails A.2, or a
// packet is too short for what it says it holds).
TD_MUST_CHECK int td_rtcp_parse(const uint8_t *bytes, size_t len, uint32_t about_ssrc, bool reduced,
				struct td_rtcp_summary *out);

struct td_rtcp_compound {
	uint32_t ssrc;                       // ours
	const struct td_rtcp_sender *sender; // NULL: RR instead of SR
	const struct td_rtcp_report *report; // NULL: nothing received to report on
	const char *cname;                   // at most TD_RTCP_CNAME_MAX - 1 bytes
	const struct td_voip_metrics *voip;  // NULL: no XR
	bool bye;
	bool reduced; // leaves out SR or RR and SDES
};

// Writes SR or RR, SDES with CNAME, XR and BYE as asked for; answers the length, always a multiple of
// four and at most TD_RTCP_BUILD_MAX.
size_t td_rtcp_build(uint8_t bytes[TD_RTCP_BUILD_MAX], const struct td_rtcp_compound *compound);

// The middle 32 bits of an NTP time: what LSR holds.
static inline uint32_t td_rtcp_ntp_middle(uint64_t ntp)
{
	return (uint32_t)(ntp >> 16);
}

// NTP time of `realtime_ns` nanoseconds since 1970.
uint64_t td_rtcp_ntp(uint64_t realtime_ns);

// Round trip by RFC 3550 section 6.4.1: now - lsr - dlsr, in microseconds; 0 when the report holds
// no lsr or the difference is negative or absurd (over a minute).
uint32_t td_rtcp_rtt_us(uint32_t now_middle, const struct td_rtcp_report *report);

// rtcp_xr.c: an XR packet with one VoIP metrics block, and what one holds.
#define TD_RTCP_VOIP_BYTES 44
uint8_t *td_rtcp_voip_write(uint8_t *p, uint32_t ssrc, const struct td_voip_metrics *voip);
// The blocks behind an XR packet's header. -TD_EMALFORMED: a block is longer than the packet, or
// is not as long as its type must be.
TD_MUST_CHECK int td_rtcp_xr_read(const uint8_t *body, size_t len, uint32_t about_ssrc,
				  struct td_rtcp_summary *out);
