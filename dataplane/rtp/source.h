// One received synchronization source: sequence numbers, loss and jitter (RFC 3550 A.1, A.3, A.8).
//
//   expected = highest - base + 1        lost = expected - received   (negative with duplicates)
//   window bit i  <=>  sequence number highest - i has been received, or is before base (64 back)
//
// A number that leaves the window without its bit is lost for good, and judged so (rtp/loss.h).
// Split in two: what every packet touches (32 bytes, lives in a stream's hot line) and what only
// reports and irregular packets touch. Where A.1 says nothing: a source is followed from its first
// packet (its address is checked elsewhere), another SSRC or a jump in the numbers takes over only
// with TD_RTP_MIN_SEQUENTIAL packets in sequence, and a number seen already is a duplicate, dropped.
// Packets are counted in 32 bits, as the reports have them: they wrap after 994 days of 50 a second.
// Pure; caller's memory; one thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rtp/loss.h"

#define TD_RTP_MAX_DROPOUT    3000u // RFC 3550 A.1: a jump ahead that is still loss
#define TD_RTP_MAX_MISORDER   100u  // RFC 3550 A.1: so far back is still reordering
#define TD_RTP_MIN_SEQUENTIAL 2u    // RFC 3550 A.1

// What the packet is, in the order of trouble; up to TD_RTP_LATE it is accepted.
enum td_rtp_verdict {
	TD_RTP_NEXT,      // beyond all before it, though some may be missing
	TD_RTP_FRESH,     // the first of a source, or of a new numbering: nothing continues
	TD_RTP_LATE,      // accepted out of order
	TD_RTP_DUPLICATE, // drop
	TD_RTP_PROBATION  // drop: another SSRC or a jump, not yet confirmed
};

struct td_rtp_source {
	uint64_t window;
	uint32_t ssrc;
	uint32_t highest;  // extended: cycles << 16 | sequence number
	uint32_t received; // accepted since base; 0: no source yet
	uint32_t transit;  // arrival - timestamp of the last packet, RTP units
	uint32_t jitter_q4;
	uint32_t jitter_max_q4;
};

struct td_rtp_source_cold {
	uint32_t base; // extended number of the first packet of this numbering
	uint32_t candidate_ssrc;
	uint16_t candidate_next; // sequence number that would confirm it
	bool has_candidate;
	bool timed;                                // transit is valid
	uint32_t expected_prior, received_prior;   // at the last report
	uint32_t expected_before, received_before; // sums over former SSRCs and numberings
	uint32_t reordered, duplicates, ssrc_changes;
	uint64_t before_base; // bit i: number base - 1 - i has come late
	uint64_t discarded;   // bit (number mod 64): not in the window because it was of no use
	struct td_loss loss;
};

struct td_rtcp_report; // rtp/rtcp.h

// A packet that was accepted came too late to be played: for the ear it is lost.
void td_rtp_source_discard(struct td_rtp_source *hot, struct td_rtp_source_cold *cold,
			   uint16_t sequence);
// Losses as they would be if nothing missing came any more; *packets of them all.
void td_rtp_source_losses(const struct td_rtp_source *hot, const struct td_rtp_source_cold *cold,
			  struct td_loss *loss, uint32_t *packets);

// Forgets everything.
void td_rtp_source_init(struct td_rtp_source *hot, struct td_rtp_source_cold *cold);

// The next packet, if it is this one, needs no confirmation: the caller has watched its sender.
void td_rtp_source_expect(struct td_rtp_source_cold *cold, uint32_t ssrc, uint16_t sequence);

// Any packet that does not simply come next.
enum td_rtp_verdict td_rtp_source_irregular(struct td_rtp_source *hot,
					    struct td_rtp_source_cold *cold, uint32_t ssrc,
					    uint16_t sequence);

// True when the packet simply comes next and none is given up with that; it has been counted then.
static inline bool td_rtp_source_next(struct td_rtp_source *hot, uint32_t ssrc, uint16_t sequence)
{
	// Before the first packet the window is empty.
	if (__builtin_expect(ssrc != hot->ssrc, 0) ||
	    __builtin_expect(sequence != (uint16_t)(hot->highest + 1u), 0) ||
	    __builtin_expect(!(hot->window >> 63), 0))
		return false;
	hot->highest++;
	hot->window = hot->window << 1 | 1u;
	hot->received++;
	return true;
}

// Counts one packet (RFC 3550 A.1) and says what it is.
static inline enum td_rtp_verdict td_rtp_source_update(struct td_rtp_source *hot,
						       struct td_rtp_source_cold *cold,
						       uint32_t ssrc, uint16_t sequence)
{
	if (__builtin_expect(td_rtp_source_next(hot, ssrc, sequence), 1))
		return TD_RTP_NEXT;
	return td_rtp_source_irregular(hot, cold, ssrc, sequence);
}

// RFC 3550 A.8 for an accepted packet; `arrival` in the units of the timestamp. The first packet
// of a source sets the transit time: call td_rtp_source_time_first for it.
static inline void td_rtp_source_time(struct td_rtp_source *hot, uint32_t timestamp,
				      uint32_t arrival)
{
#ifdef TD_WITHOUT_QUALITY // perf/run stats compares
	(void)hot, (void)timestamp, (void)arrival;
	return;
#endif
	uint32_t transit = arrival - timestamp;
	int32_t d = (int32_t)(transit - hot->transit);
	uint32_t distance = d < 0 ? 0u - (uint32_t)d : (uint32_t)d;

	hot->transit = transit;
	hot->jitter_q4 += distance - ((hot->jitter_q4 + 8u) >> 4);
	if (hot->jitter_q4 > hot->jitter_max_q4)
		hot->jitter_max_q4 = hot->jitter_q4;
}

static inline void td_rtp_source_time_first(struct td_rtp_source *hot, uint32_t timestamp,
					    uint32_t arrival)
{
	hot->transit = arrival - timestamp;
	hot->jitter_q4 = 0;
}

// Totals over all SSRCs and numberings so far (RFC 3550 A.3).
uint32_t td_rtp_source_expected(const struct td_rtp_source *hot,
				const struct td_rtp_source_cold *cold);
uint32_t td_rtp_source_received(const struct td_rtp_source *hot,
				const struct td_rtp_source_cold *cold);

// Fills the reception report (RFC 3550 section 6.4.1; A.3 for the fraction since the last call)
// about the current source, all but lsr and dlsr.
void td_rtp_source_report(const struct td_rtp_source *hot, struct td_rtp_source_cold *cold,
			  struct td_rtcp_report *report);
