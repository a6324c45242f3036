// RTCP sent: an SR or RR with CNAME about every five seconds, at random (RFC 3550 section 6.2).
#include "media/fork_taps.h"
#include "media/sender.h"
#include "media/worker_state.h"
#include "net/udp.h"
#include "rtp/rtcp.h"

#define INTERVAL_NS 5000000000ull // RFC 3550 section 6.2: the fixed minimum

// Between half and one and a half times the interval, so that reports do not fall into step.
static uint64_t next_interval_ns(struct td_media_worker *worker)
{
	return INTERVAL_NS / 2 + td_media_random(worker) % INTERVAL_NS;
}

static bool target(const struct td_stream *hot, const struct td_stream_tx *tx,
		   const struct td_stream_cold *cold, struct td_udp_flow *flow)
{
	bool mux = (hot->rx.flags & TD_RX_MUX) != 0;

	if ((tx->flags & (TD_TX_READY | TD_TX_BARRED)) != TD_TX_READY)
		return false;
	flow->source = cold->local;
	flow->destination = cold->remote;
	flow->next_hop = tx->next_hop;
	flow->dscp = cold->dscp;
	if (mux)
		return true;
	flow->source.port_be =
		__builtin_bswap16((uint16_t)(__builtin_bswap16(cold->local.port_be) + 1u));
	if (!td_source_lock_rtcp_target(&cold->lock, &flow->destination) ||
	    flow->destination.port_be == 0)
		return false;
	if (!td_endpoint_same_addr(&flow->destination, &cold->remote))
		flow->next_hop = cold->rtcp_next_hop;
	return flow->next_hop != TD_NEIGHBOUR_NONE;
}

static uint32_t since_units(uint64_t then_ns, uint64_t now_ns)
{
	return (uint32_t)(((now_ns - then_ns) << 16) / 1000000000ull); // 1/65,536 s
}

#define CNAME_BYTES 20

// RFC 7022: "td-" and a random number of this stream's alone, so that calls cannot be linked by it.
static void write_cname(uint64_t number, char out[CNAME_BYTES])
{
	static const char hex[] = "0123456789abcdef";

	memcpy(out, "td-", 3);
	for (unsigned i = 0; i < 16; i++)
		out[3u + i] = hex[number >> (60u - 4u * i) & 15u];
	out[19] = '\0';
}

static size_t build(struct td_media_worker *worker, const struct td_stream *hot,
		    const struct td_stream_tx *tx, struct td_stream_cold *cold, uint64_t now_ns,
		    uint8_t *bytes)
{
	struct td_rtcp_sender sender;
	struct td_rtcp_report report;
	char cname[CNAME_BYTES];
	struct td_rtcp_compound compound = { .ssrc = tx->ssrc, .cname = cname };

	write_cname(cold->cname, cname);
	if (tx->packets != cold->rtcp_tx_reported) {
		sender.ntp = td_rtcp_ntp(now_ns + worker->realtime_offset_ns);
		sender.rtp_timestamp = td_sender_timestamp(tx, cold, now_ns);
		sender.packets = tx->packets;
		sender.octets = tx->octets;
		compound.sender = &sender;
	}
	if (hot->rx.source.received != 0) {
		td_rtp_source_report(&hot->rx.source, &cold->source, &report);
		if (cold->sender_ns != 0 && now_ns - cold->sender_ns < 65536ull * 1000000000ull) {
			report.lsr = cold->sender_middle;
			report.dlsr = since_units(cold->sender_ns, now_ns);
		}
		compound.report = &report;
	}
	cold->rtcp_tx_reported = tx->packets;
	return td_rtcp_build(bytes, &compound);
}

bool td_media_rtcp_send(struct td_media_worker *worker, uint32_t stream, uint64_t now_ns,
			struct td_tx *wire)
{
	struct td_stream *hot = &worker->streams[stream];
	struct td_stream_cold *cold = &worker->cold[stream];
	const struct td_stream_tx *tx = td_media_tx(worker, stream);
	struct td_udp_flow flow;
	struct rte_mbuf *mbuf;
	size_t len;

	cold->rtcp_due_ns = now_ns + next_interval_ns(worker);
	if (!target(hot, tx, cold, &flow) || !td_media_reachable(worker, flow.next_hop))
		return false;
	mbuf = rte_pktmbuf_alloc(worker->pool);
	if (mbuf == NULL) {
		worker->stats->drops[TD_DROP_POOL_EMPTY]++;
		return false;
	}
	len = build(worker, hot, tx, cold, now_ns, rte_pktmbuf_mtod(mbuf, uint8_t *));
	mbuf->data_len = (uint16_t)len;
	mbuf->pkt_len = (uint32_t)len;
	if ((tx->flags & TD_TX_SEALED) && !td_protect_seal_rtcp(worker, stream, mbuf))
		return false;
	if (td_udp_encapsulate(worker->neighbours, &flow, mbuf) != 0) {
		td_media_drop(worker, mbuf, TD_DROP_NEIGHBOUR_UNRESOLVED);
		return false;
	}
	if (tx->flags & TD_TX_CAPTURED)
		td_fork_packet_out(worker, stream, mbuf, now_ns);
	td_tx_push(wire, td_neighbour_port(worker->neighbours, flow.next_hop), mbuf);
	worker->stats->originated++;
	cold->rtcp_tx++;
	return true;
}
