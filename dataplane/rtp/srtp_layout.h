// Where things lie in a protected packet, and the IV of each (private to SRTP's two halves).
#pragma once

#include <string.h>

#include "rtp/header.h"
#include "rtp/srtp.h"

#define TD_SRTCP_HEADER_BYTES 8
#define TD_SRTCP_ENCRYPTED    0x80000000u // E, in front of the index

// Bytes of an RTP header with CSRCs and extension, or 0 if they are not within `len`. The padding is
// not looked at: in a protected packet its length is encrypted.
static inline unsigned td_srtp_header_bytes(const uint8_t *bytes, unsigned len)
{
	unsigned header = TD_RTP_HEADER_BYTES;

	if (len < header || bytes[0] >> 6 != 2)
		return 0;
	header += 4u * (bytes[0] & 0x0fu);
	if (bytes[0] & 0x10u) {
		if (len < header + 4)
			return 0;
		header += 4 + 4u * td_rtp_load16(bytes + header + 2);
	}
	return header <= len ? header : 0;
}

// RFC 3711 section 4.1.1: salt * 2^16 XOR SSRC * 2^64 XOR index * 2^16. RFC 7714 section 8.1 and 9.1:
// the same bytes two places to the left, so that 12 remain; an SRTCP index has only four.
static inline void td_srtp_iv(struct td_srtp_job *job, uint32_t ssrc, uint64_t index)
{
	uint64_t halves[2], first = ssrc, second = index << 16;

	if (job->keys->aead) {
		first = first << 16 | second >> 48;
		second <<= 16;
	}
	// The salt, and the two bytes behind it, in whose place is the counter of blocks.
	memcpy(halves, job->keys->cipher + TD_SRTP_CIPHER_BYTES, sizeof halves);
	halves[1] &= ~0ull >> 16;
	halves[0] ^= __builtin_bswap64(first);
	halves[1] ^= __builtin_bswap64(second);
	memcpy(job->iv, halves, sizeof halves);
}

// The source with this SSRC, or NULL.
static inline struct td_srtp_source *td_srtp_source_of(struct td_srtp *srtp, uint32_t ssrc)
{
	if (__builtin_expect(srtp->first.ssrc == ssrc && srtp->source_count > 0, 1))
		return &srtp->first;
	for (unsigned i = 0; i + 1u < srtp->source_count; i++)
		if (srtp->others[i].ssrc == ssrc)
			return &srtp->others[i];
	return NULL;
}

// A source not known before, or NULL: no room.
static inline struct td_srtp_source *td_srtp_source_add(struct td_srtp *srtp, uint32_t ssrc)
{
	struct td_srtp_source *source;

	if (srtp->source_count == TD_SRTP_SOURCE_MAX)
		return NULL;
	source = td_srtp_source_at(srtp, srtp->source_count);
	*source = (struct td_srtp_source){ .ssrc = ssrc };
	srtp->source_count++;
	return source;
}

static inline uint8_t td_srtp_source_place(const struct td_srtp *srtp,
					   const struct td_srtp_source *source)
{
	return source == &srtp->first ? 0 : (uint8_t)(source - srtp->others + 1);
}

// Brings in the lines of a vector's streams that RTP under their present keys needs.
void td_srtp_prefetch(const struct td_srtp_engine *engine, const struct td_srtp_packet *packets,
		      unsigned count);
