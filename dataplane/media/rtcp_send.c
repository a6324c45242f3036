// RTCP sent: an SR or RR with CNAME and VoIP metrics about every five seconds, at random (RFC 3550
// section 6.2), and a BYE at the end. Whoever ends a stream has no way to the wire: its BYE waits for
// the next sweep, as long as there is room.
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

static bool target(const struct td_media_worker *worker, uint32_t stream, struct td_udp_flow *flow)
{
	const struct td_stream_tx *tx = td_media_tx(worker, stream);
	const struct td_stream_cold *cold = &worker->cold[stream];
	bool mux = (worker->streams[stream].rx.flags & TD_RX_MUX) != 0;

	if ((tx->flags & (TD_TX_READY | TD_TX_BARRED)) != TD_TX_READY)
		return false;
	flow->source = td_stream_local(cold, worker->neighbours->locals);
	flow->destination = *td_stream_remote(cold);
	flow->next_hop = tx->next_hop;
	flow->dscp = cold->dscp;
	if (mux)
		return true;
	flow->source.port_be =
		__builtin_bswap16((uint16_t)(__builtin_bswap16(cold->local_port_be) + 1u));
	if (!td_source_lock_rtcp_target(&cold->lock, &flow->destination) ||
	    flow->destination.port_be == 0)
		return false;
	if (!td_endpoint_same_addr(&flow->destination, td_stream_remote(cold)))
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

// What a compound points to.
struct parts {
	struct td_rtcp_compound compound;
	struct td_rtcp_sender sender;
	struct td_rtcp_report report;
	struct td_voip_metrics voip;
	char cname[CNAME_BYTES];
};

static void fill_sender(const struct td_media_worker *worker, const struct td_stream_tx *tx,
			struct td_stream_cold *cold, uint64_t now_ns, struct parts *parts)
{
	if (tx->packets == cold->rtcp_tx_reported)
		return;
	cold->rtcp_tx_reported = tx->packets;
	parts->sender.ntp = td_rtcp_ntp(now_ns + worker->realtime_offset_ns);
	parts->sender.rtp_timestamp = td_sender_timestamp(tx, cold, now_ns);
	parts->sender.packets = tx->packets;
	parts->sender.octets = tx->octets;
	parts->compound.sender = &parts->sender;
}

static void fill_report(struct td_media_worker *worker, uint32_t stream, uint64_t now_ns,
			struct parts *parts)
{
	const struct td_stream *hot = &worker->streams[stream];
	struct td_stream_cold *cold = &worker->cold[stream];

	if (hot->rx.source.received == 0)
		return;
	td_rtp_source_report(&hot->rx.source, &cold->source, &parts->report);
	if (cold->sender_ns != 0 && now_ns - cold->sender_ns < 65536ull * 1000000000ull) {
		parts->report.lsr = cold->sender_middle;
		parts->report.dlsr = since_units(cold->sender_ns, now_ns);
	}
	parts->compound.report = &parts->report;
	td_quality_voip(worker, stream, &parts->voip);
	parts->compound.voip = &parts->voip;
}

static size_t build(struct td_media_worker *worker, uint32_t stream, bool bye, uint64_t now_ns,
		    uint8_t *bytes)
{
	const struct td_stream_tx *tx = td_media_tx(worker, stream);
	struct td_stream_cold *cold = &worker->cold[stream];
	struct parts parts = { .compound = { .ssrc = tx->ssrc, .bye = bye } };

	parts.compound.cname = parts.cname;
	parts.compound.reduced = bye && cold->rtcp_reduced;
	if (!parts.compound.reduced) {
		write_cname(cold->cname, parts.cname);
		fill_sender(worker, tx, cold, now_ns, &parts);
		fill_report(worker, stream, now_ns, &parts);
	}
	return td_rtcp_build(bytes, &parts.compound);
}

// The frame of a report, and its port. NULL: there is nowhere to send it, or no mbuf.
static struct rte_mbuf *make(struct td_media_worker *worker, uint32_t stream, bool bye,
			     uint64_t now_ns, uint16_t *port)
{
	struct td_udp_flow flow;
	struct rte_mbuf *mbuf;
	size_t len;

	if (!target(worker, stream, &flow) || !td_media_reachable(worker, flow.next_hop))
		return NULL;
	mbuf = rte_pktmbuf_alloc(worker->pool);
	if (mbuf == NULL) {
		worker->stats->drops[TD_DROP_POOL_EMPTY]++;
		return NULL;
	}
	len = build(worker, stream, bye, now_ns, rte_pktmbuf_mtod(mbuf, uint8_t *));
	mbuf->data_len = (uint16_t)len;
	mbuf->pkt_len = (uint32_t)len;
	if ((td_media_tx(worker, stream)->flags & TD_TX_SEALED) &&
	    !td_protect_seal_rtcp(worker, stream, mbuf))
		return NULL;
	if (td_udp_encapsulate(worker->neighbours, &flow, mbuf) != 0) {
		td_media_drop(worker, mbuf, TD_DROP_NEIGHBOUR_UNRESOLVED);
		return NULL;
	}
	*port = (uint16_t)td_neighbour_port(worker->neighbours, flow.next_hop);
	return mbuf;
}

bool td_media_rtcp_send(struct td_media_worker *worker, uint32_t stream, uint64_t now_ns,
			struct td_tx *wire)
{
	struct td_stream_cold *cold = &worker->cold[stream];
	struct rte_mbuf *mbuf;
	uint16_t port;

	cold->rtcp_due_ns = now_ns + next_interval_ns(worker);
	mbuf = make(worker, stream, false, now_ns, &port);
	if (mbuf == NULL)
		return false;
	if (td_media_tx(worker, stream)->flags & TD_TX_CAPTURED)
		td_fork_packet_out(worker, stream, mbuf, now_ns);
	td_tx_push(wire, port, mbuf);
	worker->stats->originated++;
	cold->rtcp_tx++;
	return true;
}

void td_media_rtcp_bye(struct td_media_worker *worker, uint32_t stream, uint64_t now_ns)
{
	struct rte_mbuf *mbuf;
	uint16_t port;

	// Who has been told nothing need not be told that it is over.
	if (worker->bye_count == TD_BYE_MAX || worker->cold[stream].rtcp_tx == 0)
		return;
	mbuf = make(worker, stream, true, now_ns, &port);
	if (mbuf == NULL)
		return;
	mbuf->port = port;
	worker->byes[worker->bye_count++] = mbuf;
}

void td_media_rtcp_byes(struct td_media_worker *worker, struct td_tx *wire)
{
	for (uint32_t i = 0; i < worker->bye_count; i++)
		td_tx_push(wire, worker->byes[i]->port, worker->byes[i]);
	worker->stats->originated += worker->bye_count;
	worker->bye_count = 0;
}
