// RTCP compounds read: RFC 3550 A.2 first, then what the packets say.
#include "rtp/rtcp.h"

#include <string.h>

#include "rtp/header.h"

#define HEADER_BYTES      4u
#define SENDER_BYTES      20u
#define REPORT_BYTES      24u
#define NTP_UNIX_OFFSET_S 2208988800ull // 1900 to 1970
#define RTT_ABSURD        (60u << 16)

// One packet of a compound, its body proved to be there.
struct piece {
	uint8_t type, count;
	const uint8_t *body;
	size_t len; // of the body, padding taken off
};

static int32_t sign_extend24(uint32_t v)
{
	return (int32_t)(v << 8) >> 8;
}

static void read_report(const uint8_t *p, struct td_rtcp_report *out)
{
	out->ssrc = td_rtp_load32(p);
	out->fraction_lost = p[4];
	out->lost = sign_extend24(td_rtp_load32(p + 4) & 0xffffffu);
	out->highest = td_rtp_load32(p + 8);
	out->jitter = td_rtp_load32(p + 12);
	out->lsr = td_rtp_load32(p + 16);
	out->dlsr = td_rtp_load32(p + 20);
}

static int read_reports(const struct piece *piece, size_t offset, uint32_t about_ssrc,
			struct td_rtcp_summary *out)
{
	if (piece->len < offset + (size_t)piece->count * REPORT_BYTES)
		return -TD_EMALFORMED;
	for (size_t i = 0; i < piece->count; i++) {
		const uint8_t *block = piece->body + offset + i * REPORT_BYTES;

		if (td_rtp_load32(block) == about_ssrc) {
			read_report(block, &out->report);
			out->has_report = true;
		}
	}
	return 0;
}

static int read_sender(const struct piece *piece, struct td_rtcp_summary *out)
{
	const uint8_t *p = piece->body;

	if (piece->len < 4 + SENDER_BYTES)
		return -TD_EMALFORMED;
	out->sender.ntp = (uint64_t)td_rtp_load32(p + 4) << 32 | td_rtp_load32(p + 8);
	out->sender.rtp_timestamp = td_rtp_load32(p + 12);
	out->sender.packets = td_rtp_load32(p + 16);
	out->sender.octets = td_rtp_load32(p + 20);
	out->has_sender = true;
	return 0;
}

static int read_piece(const struct piece *piece, uint32_t about_ssrc, struct td_rtcp_summary *out)
{
	switch (piece->type) {
	case TD_RTCP_SR:
		if (read_sender(piece, out) != 0)
			return -TD_EMALFORMED;
		return read_reports(piece, 4 + SENDER_BYTES, about_ssrc, out);
	case TD_RTCP_RR: return read_reports(piece, 4, about_ssrc, out);
	case TD_RTCP_BYE:
		if (piece->len < 4u * piece->count)
			return -TD_EMALFORMED;
		out->has_bye = true;
		return 0;
	case TD_RTCP_XR: return td_rtcp_xr_read(piece->body, piece->len, about_ssrc, out);
	default: return 0; // SDES, APP, feedback: nothing in them that we use
	}
}

// Takes the next packet off the front of the compound.
static int next_piece(const uint8_t **bytes, size_t *len, struct piece *piece)
{
	const uint8_t *p = *bytes;
	size_t total, padding = 0;

	if (*len < HEADER_BYTES || p[0] >> 6 != 2)
		return -TD_EMALFORMED;
	total = 4u * (td_rtp_load16(p + 2) + 1u);
	if (total > *len)
		return -TD_EMALFORMED;
	if (p[0] & 0x20u) {
		// Only the last packet of a compound may be padded (section 6.4.1).
		padding = p[total - 1];
		if (total != *len || padding == 0 || padding % 4 != 0 ||
		    padding > total - HEADER_BYTES)
			return -TD_EMALFORMED;
	}
	piece->count = p[0] & 0x1fu;
	piece->type = p[1];
	piece->body = p + HEADER_BYTES;
	piece->len = total - HEADER_BYTES - padding;
	*bytes += total;
	*len -= total;
	return 0;
}

// A.2: the first packet is an SR or RR and is not padded. RFC 5506: it may be any other, and then
// padded, if it is the last as well.
static bool begins_well(const uint8_t *bytes, size_t len, bool reduced)
{
	if (len < HEADER_BYTES + 4)
		return false;
	if (reduced)
		return bytes[0] >> 6 == 2 && td_rtp_is_rtcp(bytes[1]);
	return (bytes[0] & 0xe0u) == 0x80u && (bytes[1] == TD_RTCP_SR || bytes[1] == TD_RTCP_RR);
}

int td_rtcp_parse(const uint8_t *bytes, size_t len, uint32_t about_ssrc, bool reduced,
		  struct td_rtcp_summary *out)
{
	memset(out, 0, sizeof *out);
	if (len < HEADER_BYTES)
		return -TD_ETRUNCATED;
	if (!begins_well(bytes, len, reduced))
		return -TD_EMALFORMED;
	out->ssrc = td_rtp_load32(bytes + HEADER_BYTES);
	while (len > 0) {
		struct piece piece;

		if (next_piece(&bytes, &len, &piece) != 0 ||
		    read_piece(&piece, about_ssrc, out) != 0)
			return -TD_EMALFORMED;
		if (out->packet_count < UINT8_MAX)
			out->packet_count++;
	}
	return 0;
}

uint64_t td_rtcp_ntp(uint64_t realtime_ns)
{
	uint64_t seconds = realtime_ns / 1000000000u, rest_ns = realtime_ns % 1000000000u;

	return (seconds + NTP_UNIX_OFFSET_S) << 32 | (rest_ns << 32) / 1000000000u;
}

uint32_t td_rtcp_rtt_us(uint32_t now_middle, const struct td_rtcp_report *report)
{
	uint32_t rtt = now_middle - report->lsr - report->dlsr;
	uint32_t us;

	if (report->lsr == 0 || rtt > RTT_ABSURD)
		return 0;
	us = (uint32_t)((uint64_t)rtt * 1000000u >> 16);
	return us == 0 ? 1 : us; // faster than the clock's grain is still known
}
