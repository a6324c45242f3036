// RTCP compounds written: SR or RR, SDES with CNAME, BYE (RFC 3550 sections 6.4 to 6.6).
#include <string.h>

#include "rtp/header.h"
#include "rtp/rtcp.h"
#include "td_assert.h"

#define SDES_CNAME 1u

_Static_assert(28 + 24 + 8 + 2 + TD_RTCP_CNAME_MAX + 4 + TD_RTCP_VOIP_BYTES + 8 <=
		       TD_RTCP_BUILD_MAX,
	       "SR with one block, SDES, XR and BYE fit");

// Fills in the first word of a packet that lies at `start` and ends at `end`.
static void write_head(uint8_t *start, const uint8_t *end, enum td_rtcp_type type, unsigned count)
{
	start[0] = (uint8_t)(0x80u | count);
	start[1] = (uint8_t)type;
	td_rtp_store16(start + 2, (uint16_t)((size_t)(end - start) / 4 - 1));
}

static uint8_t *write_sender(uint8_t *p, const struct td_rtcp_sender *sender)
{
	td_rtp_store32(p, (uint32_t)(sender->ntp >> 32));
	td_rtp_store32(p + 4, (uint32_t)sender->ntp);
	td_rtp_store32(p + 8, sender->rtp_timestamp);
	td_rtp_store32(p + 12, sender->packets);
	td_rtp_store32(p + 16, sender->octets);
	return p + 20;
}

static uint8_t *write_report(uint8_t *p, const struct td_rtcp_report *report)
{
	td_rtp_store32(p, report->ssrc);
	td_rtp_store32(p + 4, (uint32_t)report->fraction_lost << 24 |
				      ((uint32_t)report->lost & 0xffffffu));
	td_rtp_store32(p + 8, report->highest);
	td_rtp_store32(p + 12, report->jitter);
	td_rtp_store32(p + 16, report->lsr);
	td_rtp_store32(p + 20, report->dlsr);
	return p + 24;
}

static uint8_t *write_cname(uint8_t *p, uint32_t ssrc, const char *cname)
{
	uint8_t *start = p;
	size_t len = strnlen(cname, TD_RTCP_CNAME_MAX - 1);

	td_rtp_store32(p + 4, ssrc);
	p[8] = SDES_CNAME;
	p[9] = (uint8_t)len;
	memcpy(p + 10, cname, len);
	p += 10 + len;
	// The list ends with a null item, and the chunk on a 32-bit boundary (section 6.5).
	do
		*p++ = 0;
	while ((size_t)(p - start) % 4 != 0);
	write_head(start, p, TD_RTCP_SDES, 1);
	return p;
}

static uint8_t *write_reports(uint8_t *start, const struct td_rtcp_compound *compound)
{
	uint8_t *p = start + 8;

	td_rtp_store32(start + 4, compound->ssrc);
	if (compound->sender != NULL)
		p = write_sender(p, compound->sender);
	if (compound->report != NULL)
		p = write_report(p, compound->report);
	write_head(start, p, compound->sender != NULL ? TD_RTCP_SR : TD_RTCP_RR,
		   compound->report != NULL);
	return write_cname(p, compound->ssrc, compound->cname);
}

size_t td_rtcp_build(uint8_t bytes[TD_RTCP_BUILD_MAX], const struct td_rtcp_compound *compound)
{
	uint8_t *p = compound->reduced ? bytes : write_reports(bytes, compound);

	if (compound->voip != NULL)
		p = td_rtcp_voip_write(p, compound->ssrc, compound->voip);
	if (compound->bye) {
		td_rtp_store32(p + 4, compound->ssrc);
		write_head(p, p + 8, TD_RTCP_BYE, 1);
		p += 8;
	}
	TD_ASSERT((size_t)(p - bytes) <= TD_RTCP_BUILD_MAX);
	return (size_t)(p - bytes);
}
