// RTP: any bytes parse or are refused, and what parses lies within the datagram and reads back.
#include <stdint.h>
#include <stdlib.h>

#include "rtp/header.h"
#include "rtp/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct td_rtp_source hot;
	static struct td_rtp_source_cold cold;
	struct td_rtp_header header, again;
	uint8_t plain[TD_RTP_HEADER_BYTES];

	if (size > UINT16_MAX || td_rtp_parse(data, size, &header) != 0)
		return 0;
	if ((size_t)header.payload_offset + header.payload_len > size ||
	    header.payload_offset < TD_RTP_HEADER_BYTES || header.payload_type > 127)
		abort();
	td_rtp_write(plain, header.payload_type, header.marker, header.sequence, header.timestamp,
		     header.ssrc);
	if (td_rtp_parse(plain, sizeof plain, &again) != 0 || again.sequence != header.sequence ||
	    again.timestamp != header.timestamp || again.ssrc != header.ssrc ||
	    again.marker != header.marker || again.payload_type != header.payload_type)
		abort();
	// Two SSRCs at most, so that the numbers of one run meet each other.
	if (td_rtp_source_update(&hot, &cold, header.ssrc & 1u, header.sequence) <= TD_RTP_LATE)
		td_rtp_source_time(&hot, header.timestamp, header.ssrc);
	if (td_rtp_source_received(&hot, &cold) == 0)
		abort();
	return 0;
}
