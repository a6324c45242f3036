// The irregular half of RFC 3550 A.1, and the reports of A.3.
#include "rtp/source.h"

#include <string.h>

#include "rtp/rtcp.h"

#define NO_CANDIDATE UINT32_MAX
#define WINDOW_BITS  64u
#define LOST_MAX     0x7fffff
#define LOST_MIN     (-0x800000)

static uint32_t expected_now(const struct td_rtp_source *hot, const struct td_rtp_source_cold *cold)
{
	return hot->received == 0 ? 0 : hot->highest - cold->base + 1u;
}

// The numbering begins anew with this packet; what was before it goes into the sums.
static void begin(struct td_rtp_source *hot, struct td_rtp_source_cold *cold, uint32_t ssrc,
		  uint16_t sequence)
{
	cold->expected_before += expected_now(hot, cold);
	cold->received_before += hot->received;
	cold->base = sequence;
	cold->expected_prior = 0;
	cold->received_prior = 0;
	cold->candidate_next = NO_CANDIDATE;
	hot->ssrc = ssrc;
	hot->highest = sequence;
	hot->window = 1;
	hot->received = 1;
}

// Another SSRC, or numbers far from where they should be: true once two follow each other.
static bool confirmed(struct td_rtp_source_cold *cold, uint32_t ssrc, uint16_t sequence)
{
	if (cold->candidate_ssrc == ssrc && cold->candidate_next == sequence)
		return true;
	cold->candidate_ssrc = ssrc;
	cold->candidate_next = (uint16_t)(sequence + 1u);
	return false;
}

static enum td_rtp_verdict behind_by(struct td_rtp_source *hot, struct td_rtp_source_cold *cold,
				     uint32_t behind)
{
	if (behind < WINDOW_BITS) {
		uint64_t bit = 1ull << behind;

		if (hot->window & bit) {
			cold->duplicates++;
			return TD_RTP_DUPLICATE;
		}
		hot->window |= bit;
	}
	hot->received++;
	cold->reordered++;
	return TD_RTP_LATE;
}

void td_rtp_source_init(struct td_rtp_source *hot, struct td_rtp_source_cold *cold)
{
	memset(hot, 0, sizeof *hot);
	memset(cold, 0, sizeof *cold);
	cold->candidate_next = NO_CANDIDATE;
}

void td_rtp_source_expect(struct td_rtp_source_cold *cold, uint32_t ssrc, uint16_t sequence)
{
	cold->candidate_ssrc = ssrc;
	cold->candidate_next = sequence;
}

enum td_rtp_verdict td_rtp_source_irregular(struct td_rtp_source *hot,
					    struct td_rtp_source_cold *cold, uint32_t ssrc,
					    uint16_t sequence)
{
	uint16_t behind = (uint16_t)(hot->highest - sequence);

	if (hot->received == 0) {
		begin(hot, cold, ssrc, sequence);
		return TD_RTP_FRESH;
	}
	if (ssrc == hot->ssrc && behind < TD_RTP_MAX_MISORDER)
		return behind_by(hot, cold, behind);
	if (!confirmed(cold, ssrc, sequence))
		return TD_RTP_PROBATION;
	cold->ssrc_changes += ssrc != hot->ssrc;
	begin(hot, cold, ssrc, sequence);
	return TD_RTP_FRESH;
}

uint64_t td_rtp_source_expected(const struct td_rtp_source *hot,
				const struct td_rtp_source_cold *cold)
{
	return cold->expected_before + expected_now(hot, cold);
}

uint64_t td_rtp_source_received(const struct td_rtp_source *hot,
				const struct td_rtp_source_cold *cold)
{
	return cold->received_before + hot->received;
}

void td_rtp_source_report(const struct td_rtp_source *hot, struct td_rtp_source_cold *cold,
			  struct td_rtcp_report *report)
{
	uint32_t expected = expected_now(hot, cold);
	int64_t lost = (int64_t)expected - hot->received;
	uint32_t expected_interval = expected - cold->expected_prior;
	int64_t lost_interval =
		(int64_t)expected_interval - (int32_t)(hot->received - cold->received_prior);

	memset(report, 0, sizeof *report);
	report->ssrc = hot->ssrc;
	report->highest = hot->highest;
	report->jitter = hot->jitter_q4 >> 4;
	report->lost = (int32_t)(lost > LOST_MAX ? LOST_MAX : lost < LOST_MIN ? LOST_MIN : lost);
	if (expected_interval != 0 && lost_interval > 0)
		report->fraction_lost =
			(uint8_t)((lost_interval << 8) / expected_interval > 255
					  ? 255
					  : (lost_interval << 8) / expected_interval);
	cold->expected_prior = expected;
	cold->received_prior = hot->received;
}
