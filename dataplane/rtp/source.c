// The irregular half of RFC 3550 A.1, and the reports of A.3.
#include "rtp/source.h"

#include <string.h>

#include "rtp/rtcp.h"

#define WINDOW_BITS 64u
#define LOST_MAX    0x7fffff
#define LOST_MIN    (-0x800000)

static uint32_t expected_now(const struct td_rtp_source *hot, const struct td_rtp_source_cold *cold)
{
	return hot->received == 0 ? 0 : hot->highest - cold->base + 1u;
}

static bool is_discarded(const struct td_rtp_source_cold *cold, uint32_t number)
{
	return cold->discarded >> (number % WINDOW_BITS) & 1u;
}

// What is missing of the window's `count` oldest numbers, and is not going to be taken any more.
static void judge(struct td_loss *loss, const struct td_rtp_source *hot,
		  const struct td_rtp_source_cold *cold, uint32_t count)
{
	uint64_t missing = ~hot->window & ~0ull << (WINDOW_BITS - count);

	while (missing != 0) {
		uint32_t back = WINDOW_BITS - 1u - (uint32_t)__builtin_clzll(missing);
		uint32_t number = hot->highest - back;

		td_loss_bad(loss, number, 1, is_discarded(cold, number));
		missing &= ~(1ull << back);
	}
}

// The window moves on so that `ahead` more numbers are in it, all but the last missing.
static void advance(struct td_rtp_source *hot, struct td_rtp_source_cold *cold, uint32_t ahead)
{
	uint32_t leaving = ahead < WINDOW_BITS ? ahead : WINDOW_BITS;

	judge(&cold->loss, hot, cold, leaving);
	for (uint32_t i = 0; i < leaving; i++)
		cold->discarded &= ~(1ull << ((hot->highest + 1u + i) % WINDOW_BITS));
	if (ahead > WINDOW_BITS)
		td_loss_bad(&cold->loss, hot->highest + 1u, ahead - WINDOW_BITS, false);
	hot->highest += ahead;
	hot->window = (ahead < WINDOW_BITS ? hot->window << ahead : 0) | 1u;
}

// The numbering begins anew with this packet; what was before it goes into the sums.
static void begin(struct td_rtp_source *hot, struct td_rtp_source_cold *cold, uint32_t ssrc,
		  uint16_t sequence)
{
	if (hot->received > 0)
		judge(&cold->loss, hot, cold, WINDOW_BITS);
	td_loss_restart(&cold->loss);
	cold->before_base = 0;
	cold->discarded = 0;
	cold->expected_before += expected_now(hot, cold);
	cold->received_before += hot->received;
	cold->base = sequence;
	cold->expected_prior = 0;
	cold->received_prior = 0;
	cold->has_candidate = false;
	hot->ssrc = ssrc;
	hot->highest = sequence;
	hot->window = ~0ull;
	hot->received = 1;
}

// Another SSRC, or numbers far from where they should be: true once two follow each other.
static bool confirmed(struct td_rtp_source_cold *cold, uint32_t ssrc, uint16_t sequence)
{
	if (cold->has_candidate && cold->candidate_ssrc == ssrc && cold->candidate_next == sequence)
		return true;
	td_rtp_source_expect(cold, ssrc, (uint16_t)(sequence + 1u));
	return false;
}

// Late, of the numbers that are remembered: true when it was there already.
static bool seen(struct td_rtp_source *hot, struct td_rtp_source_cold *cold, uint32_t behind)
{
	uint32_t number = hot->highest - behind;
	uint32_t before = cold->base - 1u - number; // of a number before the first
	uint64_t *window = &hot->window, bit = 1ull << (behind % WINDOW_BITS);

	if (before < WINDOW_BITS) {
		window = &cold->before_base;
		bit = 1ull << before;
	} else if (behind >= WINDOW_BITS) {
		return false; // not remembered
	} else if (is_discarded(cold, number)) {
		return true;
	}
	if (*window & bit)
		return true;
	*window |= bit;
	return false;
}

static enum td_rtp_verdict behind_by(struct td_rtp_source *hot, struct td_rtp_source_cold *cold,
				     uint32_t behind)
{
	if (seen(hot, cold, behind)) {
		cold->duplicates++;
		return TD_RTP_DUPLICATE;
	}
	hot->received++;
	cold->reordered++;
	return TD_RTP_LATE;
}

void td_rtp_source_discard(struct td_rtp_source *hot, struct td_rtp_source_cold *cold,
			   uint16_t sequence)
{
	uint32_t behind = (uint16_t)(hot->highest - sequence);

	if (hot->received == 0 || behind >= WINDOW_BITS ||
	    cold->base - 1u - (hot->highest - behind) < WINDOW_BITS)
		return;
	hot->window &= ~(1ull << behind);
	cold->discarded |= 1ull << ((hot->highest - behind) % WINDOW_BITS);
}

void td_rtp_source_losses(const struct td_rtp_source *hot, const struct td_rtp_source_cold *cold,
			  struct td_loss *loss, uint32_t *packets)
{
	*loss = cold->loss;
	*packets = td_rtp_source_expected(hot, cold);
	if (hot->received > 0)
		judge(loss, hot, cold, WINDOW_BITS);
}

void td_rtp_source_init(struct td_rtp_source *hot, struct td_rtp_source_cold *cold)
{
	memset(hot, 0, sizeof *hot);
	memset(cold, 0, sizeof *cold);
}

void td_rtp_source_expect(struct td_rtp_source_cold *cold, uint32_t ssrc, uint16_t sequence)
{
	cold->candidate_ssrc = ssrc;
	cold->candidate_next = sequence;
	cold->has_candidate = true;
}

enum td_rtp_verdict td_rtp_source_irregular(struct td_rtp_source *hot,
					    struct td_rtp_source_cold *cold, uint32_t ssrc,
					    uint16_t sequence)
{
	uint16_t behind = (uint16_t)(hot->highest - sequence);
	uint16_t ahead = (uint16_t)(sequence - hot->highest);

	if (hot->received == 0) {
		begin(hot, cold, ssrc, sequence);
		return TD_RTP_FRESH;
	}
	if (ssrc == hot->ssrc && ahead > 0 && ahead < TD_RTP_MAX_DROPOUT) {
		advance(hot, cold, ahead);
		hot->received++;
		return TD_RTP_NEXT;
	}
	if (ssrc == hot->ssrc && behind < TD_RTP_MAX_MISORDER)
		return behind_by(hot, cold, behind);
	if (!confirmed(cold, ssrc, sequence))
		return TD_RTP_PROBATION;
	cold->ssrc_changes += ssrc != hot->ssrc;
	begin(hot, cold, ssrc, sequence);
	return TD_RTP_FRESH;
}

uint32_t td_rtp_source_expected(const struct td_rtp_source *hot,
				const struct td_rtp_source_cold *cold)
{
	return cold->expected_before + expected_now(hot, cold);
}

uint32_t td_rtp_source_received(const struct td_rtp_source *hot,
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
