// RTCP received: checked, believed only from the right party, used up here.
#include "media/fork_taps.h"
#include "media/worker_state.h"
#include "net/udp.h"
#include "rtp/rtcp.h"

static bool from_right_party(struct td_stream_rx *rx, struct td_stream_cold *cold,
			     const struct td_packet *packet)
{
	struct td_endpoint from;

	td_packet_source(packet, &from);
	if ((rx->flags & TD_RX_MUX) && packet->local_port_be == cold->local_port_be)
		return cold->lock.rank != TD_LOCK_NOBODY &&
		       td_endpoint_equal(&cold->lock.accepted, &from);
	return td_source_lock_rtcp(&cold->lock, &from);
}

// Of the far end's metrics what anybody asks for.
static void keep(const struct td_voip_metrics *voip, struct td_quality_remote *out)
{
	*out = (struct td_quality_remote){
		.burst_ms = voip->burst_ms,
		.gap_ms = voip->gap_ms,
		.round_trip_ms = voip->round_trip_ms,
		.end_system_ms = voip->end_system_ms,
		.loss_rate = voip->loss_rate,
		.discard_rate = voip->discard_rate,
		.burst_density = voip->burst_density,
		.gap_density = voip->gap_density,
		.signal_dbm0 = voip->signal_dbm0,
		.noise_dbm0 = voip->noise_dbm0,
		.r_factor = voip->r_factor,
		.mos_lq_x10 = voip->mos_lq_x10,
		.mos_cq_x10 = voip->mos_cq_x10,
	};
}

static void on_summary(struct td_media_worker *worker, struct td_stream_cold *cold,
		       const struct td_rtcp_summary *summary, uint64_t now_ns)
{
	cold->rtcp_rx++;
	cold->remote_bye |= summary->has_bye;
	if (summary->has_sender) {
		cold->sender_middle = td_rtcp_ntp_middle(summary->sender.ntp);
		cold->sender_ns = now_ns;
	}
	if (summary->has_report) {
		uint64_t ntp = td_rtcp_ntp(now_ns + worker->realtime_offset_ns);
		uint32_t rtt_us = td_rtcp_rtt_us(td_rtcp_ntp_middle(ntp), &summary->report);

		cold->rtt_us = rtt_us != 0 ? rtt_us : cold->rtt_us;
		cold->remote_jitter_us =
			(uint32_t)((uint64_t)summary->report.jitter * 1000u / cold->clock_khz);
		cold->remote_lost = summary->report.lost;
		cold->remote_fraction_lost = summary->report.fraction_lost;
	}
	if (summary->has_voip) {
		keep(&summary->voip, &cold->measure.remote);
		cold->measure.xr_received = true;
	}
}

// RFC 3550 A.2 lengths first, then the source lock; nothing here changes what RTP is accepted.
void td_media_rtcp_one(struct td_media_worker *worker, struct td_packet *packet, uint64_t now_ns)
{
	struct td_stream *hot = &worker->streams[packet->stream];
	struct td_stream_cold *cold = &worker->cold[packet->stream];
	struct td_rtcp_summary summary;
	int error;

	if (!(hot->rx.flags & TD_RX_LIVE)) {
		td_media_drop(worker, packet->mbuf, TD_DROP_PORT_CLOSED);
		return;
	}
	if (!td_udp_checksum_ok(packet)) {
		td_media_drop(worker, packet->mbuf, TD_DROP_UDP_CHECKSUM);
		return;
	}
	error = td_rtcp_parse(packet->payload, packet->payload_len,
			      td_media_tx(worker, packet->stream)->ssrc, cold->rtcp_reduced,
			      &summary);
	if (error != 0) {
		td_media_refuse(worker, packet,
				error == -TD_ETRUNCATED ? TD_DROP_RTCP_SHORT
							: TD_DROP_RTCP_MALFORMED);
		return;
	}
	if (!from_right_party(&hot->rx, cold, packet)) {
		td_media_refuse(worker, packet, TD_DROP_RTCP_SOURCE);
		return;
	}
	on_summary(worker, cold, &summary, now_ns);
	worker->stats->consumed++;
	rte_pktmbuf_free(packet->mbuf);
}

void td_media_rtcp(struct td_media_worker *worker, struct td_packet *packets, uint32_t n,
		   uint64_t now_ns, struct td_tx *tx)
{
	enum td_stage before = td_stage_enter(&worker->stages, TD_STAGE_REPORTS);

	(void)tx;
	while (n > 0) {
		uint32_t step = n < TD_MEDIA_VECTOR ? n : TD_MEDIA_VECTOR, left = step;

		if (worker->protector->guarded > 0)
			left = td_protect_open(worker, packets, step, true, now_ns);
		for (uint32_t i = 0; i < left; i++) {
			const struct td_stream_rx *rx = &worker->streams[packets[i].stream].rx;

			if ((rx->flags & (TD_RX_LIVE | TD_RX_TAPPED)) ==
			    (TD_RX_LIVE | TD_RX_TAPPED))
				td_fork_packet_in(worker, &packets[i], now_ns);
			td_media_rtcp_one(worker, &packets[i], now_ns);
		}
		packets += step;
		n -= step;
	}
	td_stage_enter(&worker->stages, before);
}
