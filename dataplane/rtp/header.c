// RTP headers of any shape: the slow half of td_rtp_parse.
#include "rtp/header.h"

#define BIT_PADDING   0x20u
#define BIT_EXTENSION 0x10u
#define CSRC_COUNT    0x0fu

// Where the payload begins, or 0 when CSRCs or the extension reach beyond the end.
static size_t payload_offset(const uint8_t *bytes, size_t len)
{
	size_t offset = TD_RTP_HEADER_BYTES + 4u * (bytes[0] & CSRC_COUNT);

	if (bytes[0] & BIT_EXTENSION) {
		if (offset + 4 > len)
			return 0;
		offset += 4 + 4u * td_rtp_load16(bytes + offset + 2);
	}
	return offset > len ? 0 : offset;
}

int td_rtp_parse_full(const uint8_t *bytes, size_t len, struct td_rtp_header *out)
{
	size_t offset, padding = 0;

	if (len < TD_RTP_HEADER_BYTES)
		return -TD_ETRUNCATED;
	if (bytes[0] >> 6 != 2)
		return -TD_EVERSION;
	offset = payload_offset(bytes, len);
	if (offset == 0)
		return -TD_EMALFORMED;
	if (bytes[0] & BIT_PADDING) {
		padding = len > offset ? bytes[len - 1] : 0;
		if (padding == 0 || padding > len - offset)
			return -TD_ECORRUPT;
	}
	out->timestamp = td_rtp_load32(bytes + 4);
	out->ssrc = td_rtp_load32(bytes + 8);
	out->sequence = td_rtp_load16(bytes + 2);
	out->payload_offset = (uint16_t)offset;
	out->payload_len = (uint16_t)(len - offset - padding);
	out->payload_type = bytes[1] & 0x7fu;
	out->marker = bytes[1] >> 7;
	return 0;
}
