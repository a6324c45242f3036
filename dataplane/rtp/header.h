// The RTP fixed header (RFC 3550 section 5.1), read once and never trusted.
//
//   0                   1                   2                   3
//   |V=2|P|X|  CC   |M|     PT      |       sequence number       |
//   |                           timestamp                         |
//   |                             SSRC                            |
//   | CC x CSRC | X: profile, length, extension words | payload | padding |
//
// td_rtp_parse proves that header, CSRCs, extension and padding lie within the datagram and that
// payload_offset + payload_len + padding = len. Pure; borrows nothing after it returned.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "td_error.h"

#define TD_RTP_HEADER_BYTES 12
#define TD_RTP_MARKER       0x80u

struct td_rtp_header {
	uint32_t timestamp;
	uint32_t ssrc;
	uint16_t sequence;
	uint16_t payload_offset;
	uint16_t payload_len;
	uint8_t payload_type;
	uint8_t marker; // 0 or 1
};

static inline uint16_t td_rtp_load16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t td_rtp_load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return __builtin_bswap32(v);
}

static inline void td_rtp_store16(uint8_t *p, uint16_t v)
{
	v = __builtin_bswap16(v);
	memcpy(p, &v, sizeof v);
}

static inline void td_rtp_store32(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, sizeof v);
}

// Everything td_rtp_parse does, for headers of any shape.
TD_MUST_CHECK int td_rtp_parse_full(const uint8_t *bytes, size_t len, struct td_rtp_header *out);

// Reads and checks a header. 0, -TD_ETRUNCATED (not even 12 bytes), -TD_EVERSION (not 2),
// -TD_EMALFORMED (CSRCs or extension beyond the end), -TD_ECORRUPT (padding longer than there is
// room for, or of length 0). `len` is at most 65,535.
TD_MUST_CHECK static inline int td_rtp_parse(const uint8_t *bytes, size_t len,
					     struct td_rtp_header *out)
{
	// Nearly every packet of a call begins with 0x80: no padding, extension or CSRC.
	if (__builtin_expect(len < TD_RTP_HEADER_BYTES || bytes[0] != 0x80u, 0))
		return td_rtp_parse_full(bytes, len, out);
	out->timestamp = td_rtp_load32(bytes + 4);
	out->ssrc = td_rtp_load32(bytes + 8);
	out->sequence = td_rtp_load16(bytes + 2);
	out->payload_offset = TD_RTP_HEADER_BYTES;
	out->payload_len = (uint16_t)(len - TD_RTP_HEADER_BYTES);
	out->payload_type = bytes[1] & 0x7fu;
	out->marker = bytes[1] >> 7;
	return 0;
}

// Writes a plain 12-byte header.
static inline void td_rtp_write(uint8_t bytes[TD_RTP_HEADER_BYTES], uint8_t payload_type,
				uint8_t marker, uint16_t sequence, uint32_t timestamp,
				uint32_t ssrc)
{
	bytes[0] = 0x80;
	bytes[1] = (uint8_t)(payload_type | (marker ? TD_RTP_MARKER : 0u));
	td_rtp_store16(bytes + 2, sequence);
	td_rtp_store32(bytes + 4, timestamp);
	td_rtp_store32(bytes + 8, ssrc);
}

// True when the second byte of an RTP/RTCP datagram says RTCP (RFC 5761 section 4): 192 to 223.
static inline int td_rtp_is_rtcp(uint8_t second_byte)
{
	return (second_byte & 0xe0u) == 0xc0u;
}
