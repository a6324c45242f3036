// RTCP: any bytes parse or are refused; what parses can be built again and says the same.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rtp/header.h"
#include "rtp/rtcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Once as a compound, once as what may be of reduced size: the second takes all that the first does.
static void parse(const uint8_t *data, size_t size, bool reduced)
{
	struct td_rtcp_summary first, again;
	struct td_rtcp_compound compound = { .cname = "fuzz" };
	uint8_t bytes[TD_RTCP_BUILD_MAX];
	uint32_t about = size >= 12 ? td_rtp_load32(data + 8) : 0;

	if (td_rtcp_parse(data, size, about, reduced, &first) != 0) {
		if (reduced && td_rtcp_parse(data, size, about, false, &again) == 0)
			abort();
		return;
	}
	compound.ssrc = first.ssrc;
	compound.sender = first.has_sender ? &first.sender : NULL;
	compound.report = first.has_report ? &first.report : NULL;
	compound.voip = first.has_voip ? &first.voip : NULL;
	compound.bye = first.has_bye;
	if (td_rtcp_parse(bytes, td_rtcp_build(bytes, &compound), about, false, &again) != 0)
		abort();
	if (again.ssrc != first.ssrc || again.has_sender != first.has_sender ||
	    again.has_report != first.has_report || again.has_bye != first.has_bye ||
	    again.sender.ntp != first.sender.ntp || again.report.lost != first.report.lost ||
	    again.report.lsr != first.report.lsr || again.has_voip != first.has_voip ||
	    memcmp(&again.voip, &first.voip, sizeof first.voip) != 0)
		abort();
	if (td_rtcp_rtt_us(about, &first.report) > 60u * 1000000u)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	parse(data, size, false);
	parse(data, size, true);
	return 0;
}
