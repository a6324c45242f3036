// Extended reports: the VoIP metrics block of RFC 3611 section 4.7, both ways.
#include <string.h>

#include "rtp/header.h"
#include "rtp/rtcp.h"

#define BLOCK_VOIP       7u
#define BLOCK_HEAD_BYTES 4u
#define VOIP_WORDS       8u // behind the block's head

//      0       1       2       3
//   | BT=7  | reserved      | length = 8    |
//   | SSRC of source                        |
//   | loss  | disc. | burst | gap density   |
//   | burst duration | gap duration         |
//   | round trip     | end system delay     |
//   | signal| noise | RERL  | Gmin          |
//   | R     | ext R | MOS-LQ| MOS-CQ        |
//   | RX cfg| reserv| JB nominal            |
//   | JB maximum     | JB abs max           |
uint8_t *td_rtcp_voip_write(uint8_t *p, uint32_t ssrc, const struct td_voip_metrics *voip)
{
	p[0] = 0x80;
	p[1] = TD_RTCP_XR;
	td_rtp_store16(p + 2, TD_RTCP_VOIP_BYTES / 4 - 1);
	td_rtp_store32(p + 4, ssrc);
	p += 8;
	p[0] = BLOCK_VOIP;
	p[1] = 0;
	td_rtp_store16(p + 2, VOIP_WORDS);
	td_rtp_store32(p + 4, voip->ssrc);
	p[8] = voip->loss_rate;
	p[9] = voip->discard_rate;
	p[10] = voip->burst_density;
	p[11] = voip->gap_density;
	td_rtp_store16(p + 12, voip->burst_ms);
	td_rtp_store16(p + 14, voip->gap_ms);
	td_rtp_store16(p + 16, voip->round_trip_ms);
	td_rtp_store16(p + 18, voip->end_system_ms);
	p[20] = (uint8_t)voip->signal_dbm0;
	p[21] = (uint8_t)voip->noise_dbm0;
	p[22] = voip->rerl_db;
	p[23] = voip->gmin;
	p[24] = voip->r_factor;
	p[25] = voip->external_r_factor;
	p[26] = voip->mos_lq_x10;
	p[27] = voip->mos_cq_x10;
	p[28] = voip->receiver_config;
	p[29] = 0;
	td_rtp_store16(p + 30, voip->jitter_nominal_ms);
	td_rtp_store16(p + 32, voip->jitter_max_ms);
	td_rtp_store16(p + 34, voip->jitter_absolute_ms);
	return p + BLOCK_HEAD_BYTES + 4 * VOIP_WORDS;
}

static void read_voip(const uint8_t *p, struct td_voip_metrics *voip)
{
	*voip = (struct td_voip_metrics){
		.ssrc = td_rtp_load32(p),
		.loss_rate = p[4],
		.discard_rate = p[5],
		.burst_density = p[6],
		.gap_density = p[7],
		.burst_ms = td_rtp_load16(p + 8),
		.gap_ms = td_rtp_load16(p + 10),
		.round_trip_ms = td_rtp_load16(p + 12),
		.end_system_ms = td_rtp_load16(p + 14),
		.signal_dbm0 = (int8_t)p[16],
		.noise_dbm0 = (int8_t)p[17],
		.rerl_db = p[18],
		.gmin = p[19],
		.r_factor = p[20],
		.external_r_factor = p[21],
		.mos_lq_x10 = p[22],
		.mos_cq_x10 = p[23],
		.receiver_config = p[24],
		.jitter_nominal_ms = td_rtp_load16(p + 26),
		.jitter_max_ms = td_rtp_load16(p + 28),
		.jitter_absolute_ms = td_rtp_load16(p + 30),
	};
}

int td_rtcp_xr_read(const uint8_t *body, size_t len, uint32_t about_ssrc,
		    struct td_rtcp_summary *out)
{
	if (len < 4)
		return -TD_EMALFORMED;
	for (body += 4, len -= 4; len > 0;) {
		size_t block;

		if (len < BLOCK_HEAD_BYTES)
			return -TD_EMALFORMED;
		block = BLOCK_HEAD_BYTES + 4u * td_rtp_load16(body + 2);
		if (block > len)
			return -TD_EMALFORMED;
		if (body[0] == BLOCK_VOIP) {
			if (block != BLOCK_HEAD_BYTES + 4 * VOIP_WORDS)
				return -TD_EMALFORMED;
			if (td_rtp_load32(body + BLOCK_HEAD_BYTES) == about_ssrc) {
				read_voip(body + BLOCK_HEAD_BYTES, &out->voip);
				out->has_voip = true;
			}
		}
		body += block;
		len -= block;
	}
	return 0;
}
