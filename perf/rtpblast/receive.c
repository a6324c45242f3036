#include "base/clock.h"
#include "run.h"

static uint32_t party_at(const struct td_run *run, const struct td_flow_packet *packet)
{
	uint32_t addr = packet->to_addr - run->link->first_addr;

	return addr < run->link->addr_count ? run->party_of[addr * TD_RUN_PORTS + packet->to_port]
					    : TD_RUN_NOBODY;
}

// Without calls what comes is what was sent, and its sender's SSRC is in it.
static uint32_t sender_of(const struct td_run *run, const struct td_flow_packet *packet)
{
	uint32_t flow = td_flow_of_ssrc(packet->ssrc);

	return flow < run->blast->flow_count ? flow : TD_RUN_NOBODY;
}

static void account_arrival(struct td_run *run, struct td_flow *flow, uint32_t number)
{
	switch (td_arrivals_note(&flow->arrivals, number)) {
	case TD_ARRIVAL_DUPLICATE: run->result->duplicates++; return;
	case TD_ARRIVAL_LATE: run->result->late++; break;
	case TD_ARRIVAL_NEW: break;
	}
	run->result->received++;
}

// A packet without a probe at `party`, who is spoken to by the other of the pair.
static void account_bare(struct td_run *run, const struct td_flow_packet *packet, uint32_t party)
{
	const struct td_blast *blast = run->blast;
	struct td_flow *flow = &blast->flows[blast->calls ? party ^ 1u : party];

	if (packet->payload_type == TD_FLOW_EVENT_TYPE && flow->event_every) {
		if (run->counting) {
			run->result->events_received++;
			flow->events_received++;
			run->result->received += !blast->transcoded;
		}
		if (!blast->transcoded)
			return;
	} else if (!blast->transcoded || packet->payload_type != blast->flows[party].payload_type) {
		run->result->foreign++;
		return;
	}
	if (run->counting)
		account_arrival(run, flow, td_arrivals_extend(&flow->arrivals, packet->sequence));
}

static void account(struct td_run *run, const struct td_flow_packet *packet, uint32_t party,
		    uint64_t now_ns)
{
	const struct td_blast *blast = run->blast;
	struct td_flow_probe probe;

	if (!blast->transcoded && td_flow_find_probe(packet, &probe)) {
		if (probe.flow >= blast->flow_count ||
		    (blast->calls && party != (probe.flow ^ 1u))) {
			run->result->foreign++;
		} else if (probe.counted) {
			account_arrival(run, &blast->flows[probe.flow], probe.number);
			td_histogram_add(&run->result->latency, now_ns - probe.sent_ns);
		}
	} else if (party == TD_RUN_NOBODY) {
		run->result->foreign++;
	} else {
		account_bare(run, packet, party);
	}
}

struct arrived {
	struct td_flow_packet packet;
	uint32_t party;
	int sealed; // its place among those to be opened, + 1
};

// What has come that is RTP, and whose it is; returns how many.
static unsigned parse_some(struct td_run *run, struct rte_mbuf **mbufs, unsigned count,
			   struct arrived *arrived)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < count; i++) {
		struct arrived *one = &arrived[kept];

		if (!td_flow_parse(rte_pktmbuf_mtod(mbufs[i], uint8_t *),
				   rte_pktmbuf_data_len(mbufs[i]), &one->packet))
			continue; // somebody's ICMP, RTCP
		if (!td_flow_is_whole(&one->packet)) {
			run->result->damaged++;
			continue;
		}
		one->party = run->blast->calls ? party_at(run, &one->packet)
					       : sender_of(run, &one->packet);
		one->sealed = 0;
		kept++;
	}
	return kept;
}

// Opens what SRTP parties have been sent; what is not for them does not get past here.
static unsigned open_some(struct td_run *run, struct arrived *arrived, unsigned count)
{
	struct td_srtp_packet packets[TD_LINK_BURST];
	unsigned sealed = 0, kept = 0;

	for (unsigned i = 0; i < count; i++) {
		struct td_flow_packet *packet = &arrived[i].packet;
		uint32_t party = arrived[i].party;

		if (party == TD_RUN_NOBODY || !run->blast->flows[party].protect)
			continue;
		packets[sealed++] = (struct td_srtp_packet){
			.srtp = &run->blast->flows[party].protect->receive,
			.bytes = packet->payload - TD_FLOW_RTP_BYTES,
			.len = (uint16_t)(packet->payload_bytes + TD_FLOW_RTP_BYTES),
		};
		arrived[i].sealed = (int)sealed;
	}
	if (!sealed)
		return count;
	td_srtp_open(run->blast->srtp, packets, sealed);
	for (unsigned i = 0; i < count; i++) {
		const struct td_srtp_packet *opened = NULL;

		if (arrived[i].sealed)
			opened = &packets[arrived[i].sealed - 1];
		if (opened && opened->verdict != TD_SRTP_OK) {
			run->result->duplicates +=
				run->counting && opened->verdict == TD_SRTP_REPLAYED;
			run->result->unopened += opened->verdict != TD_SRTP_REPLAYED;
			continue;
		}
		if (opened)
			arrived[i].packet.payload_bytes = opened->len - TD_FLOW_RTP_BYTES;
		arrived[kept++] = arrived[i];
	}
	return kept;
}

unsigned td_run_receive(struct td_run *run)
{
	struct rte_mbuf *mbufs[TD_LINK_BURST];
	unsigned count = td_link_receive(run->link, mbufs);
	uint64_t now_ns = count ? td_clock_now_ns() : 0;
	struct arrived arrived[TD_LINK_BURST];
	unsigned kept = parse_some(run, mbufs, count, arrived);

	kept = open_some(run, arrived, kept);
	for (unsigned i = 0; i < kept; i++)
		account(run, &arrived[i].packet, arrived[i].party, now_ns);
	rte_pktmbuf_free_bulk(mbufs, count);
	return count;
}
