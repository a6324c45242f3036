#include "blast.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_byteorder.h>
#include <rte_pause.h>

#include "base/clock.h"

#define WARM_UP_NS TD_NS_PER_S
#define LINGER_NS  (300 * TD_NS_PER_MS) // after the last packet, for those under way
#define CEILING_NS (200 * TD_NS_PER_MS)
#define REST_NS    (50 * TD_NS_PER_US)
#define UNDER_WAY  5u // packets of a transcoded flow that may be under way at either end
#define NOBODY     UINT32_MAX
#define PORTS      65536u
#define FLOW_PPS   (1000u / TD_PAYLOAD_PTIME_MS)

struct run {
	const struct td_blast *blast;
	struct td_link *link;
	struct td_blast_result *result;
	uint32_t *party_of; // by address and port
	uint32_t next_flow;
	uint32_t random;
	int counting;
};

static double process_cpu_s(int pid)
{
	unsigned long user, system;
	char path[64], line[1024];
	const char *fields;
	FILE *file;

	if (!pid)
		return 0;
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (!file || !fgets(line, sizeof line, file)) {
		fprintf(stderr, "rtpblast: process %d is gone\n", pid);
		exit(2);
	}
	fclose(file);
	fields = strrchr(line, ')');
	if (!fields || sscanf(fields + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			      &user, &system) != 2)
		return 0;
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static int happens(struct run *run, double probability)
{
	if (probability <= 0)
		return 0;
	run->random = run->random * 1664525u + 1013904223u;
	return (double)(run->random >> 8) < probability * (double)(1u << 24);
}

// The number of the flow's next packet: the one after the last, unless two change places.
static uint32_t take_number(struct run *run, struct td_flow *flow)
{
	if (flow->swapped) {
		flow->swapped = 0;
		return flow->next++ - 1u;
	}
	if (happens(run, run->blast->swap)) {
		flow->swapped = 1;
		return ++flow->next;
	}
	return flow->next++;
}

static struct rte_mbuf *make_packet(struct run *run, uint32_t index, uint32_t number,
				    uint64_t now_ns)
{
	struct td_flow_probe probe = { .flow = index,
				       .number = number,
				       .counted = (uint32_t)run->counting,
				       .sent_ns = now_ns };
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(run->link->pool);
	uint32_t bytes;

	if (!mbuf)
		return NULL;
	bytes = td_flow_make(&run->blast->flows[index], number, run->blast->peer_mac,
			     run->link->port.mac, &probe, rte_pktmbuf_mtod(mbuf, uint8_t *));
	rte_pktmbuf_append(mbuf, (uint16_t)bytes);
	return mbuf;
}

static void account_sent(struct run *run, struct td_flow *flow, uint32_t number)
{
	if (!run->counting)
		return;
	run->result->sent++;
	flow->sent++;
	if (td_flow_is_event(flow, number)) {
		run->result->events_sent++;
		flow->events_sent++;
	}
}

// Sends one packet of each of the next `count` flows, TD_LINK_BURST at most.
static void send_some(struct run *run, unsigned count)
{
	struct rte_mbuf *mbufs[2 * TD_LINK_BURST];
	uint64_t now_ns = td_clock_now_ns();
	unsigned made = 0, taken;

	for (unsigned i = 0; i < count; i++) {
		struct td_flow *flow = &run->blast->flows[run->next_flow];
		uint32_t number = take_number(run, flow);
		int copies = 1 + happens(run, run->blast->duplicate);

		if (happens(run, run->blast->loss)) {
			run->result->withheld += (uint64_t)run->counting;
			copies = 0;
		}
		for (int copy = 0; copy < copies; copy++) {
			mbufs[made] = make_packet(run, run->next_flow, number, now_ns);
			if (!mbufs[made])
				continue;
			made++;
			if (copy == 0)
				account_sent(run, flow, number);
			else
				run->result->doubled += (uint64_t)run->counting;
		}
		run->next_flow = (run->next_flow + 1) % run->blast->flow_count;
	}
	taken = td_link_send(run->link, mbufs, made);
	if (run->counting)
		run->result->refused += made - taken;
}

static uint32_t party_at(const struct run *run, const struct td_flow_packet *packet)
{
	uint32_t addr = packet->to_addr - run->link->first_addr;

	return addr < run->link->addr_count ? run->party_of[addr * PORTS + packet->to_port]
					    : NOBODY;
}

static void account_arrival(struct run *run, struct td_flow *flow, uint32_t number)
{
	switch (td_arrivals_note(&flow->arrivals, number)) {
	case TD_ARRIVAL_DUPLICATE: run->result->duplicates++; return;
	case TD_ARRIVAL_LATE: run->result->late++; break;
	case TD_ARRIVAL_NEW: break;
	}
	run->result->received++;
}

// A packet without a probe at `party`, who is spoken to by the other of the pair.
static void account_bare(struct run *run, const struct td_flow_packet *packet, uint32_t party)
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

static void account(struct run *run, const struct rte_mbuf *mbuf, uint64_t now_ns)
{
	const struct td_blast *blast = run->blast;
	struct td_flow_packet packet;
	struct td_flow_probe probe;
	uint32_t party;

	if (!td_flow_parse(rte_pktmbuf_mtod(mbuf, const uint8_t *), rte_pktmbuf_data_len(mbuf),
			   &packet))
		return; // not RTP: somebody's ICMP, RTCP
	party = blast->calls ? party_at(run, &packet) : 0;
	if (!blast->transcoded && td_flow_find_probe(&packet, &probe)) {
		if (probe.flow >= blast->flow_count ||
		    (blast->calls && party != (probe.flow ^ 1u))) {
			run->result->foreign++;
		} else if (probe.counted) {
			account_arrival(run, &blast->flows[probe.flow], probe.number);
			td_histogram_add(&run->result->latency, now_ns - probe.sent_ns);
		}
	} else if (party == NOBODY) {
		run->result->foreign++;
	} else {
		account_bare(run, &packet, party);
	}
}

static unsigned receive_some(struct run *run)
{
	struct rte_mbuf *mbufs[TD_LINK_BURST];
	unsigned count = td_link_receive(run->link, mbufs);
	uint64_t now_ns = count ? td_clock_now_ns() : 0;

	for (unsigned i = 0; i < count; i++) {
		account(run, mbufs[i], now_ns);
		rte_pktmbuf_free(mbufs[i]);
	}
	return count;
}

static void rest(const struct run *run)
{
	const struct timespec moment = { .tv_nsec = REST_NS };

	if (run->blast->busy_poll)
		rte_pause();
	else
		nanosleep(&moment, NULL);
}

// Sends at the pace and takes what arrives, for `length_ns`.
static void pace(struct run *run, uint64_t length_ns)
{
	const uint64_t pps = (uint64_t)run->blast->flow_count * FLOW_PPS;
	uint64_t start_ns = td_clock_now_ns(), now_ns = start_ns, done = 0, busy_ns = 0;

	while (now_ns - start_ns < length_ns) {
		uint64_t due = (now_ns - start_ns) * pps / TD_NS_PER_S - done, after_ns;
		double behind_ms = (double)due * 1000.0 / (double)pps;
		unsigned worked = due < TD_LINK_BURST ? (unsigned)due : TD_LINK_BURST;

		if (run->counting && behind_ms > run->result->behind_ms)
			run->result->behind_ms = behind_ms;
		if (worked)
			send_some(run, worked);
		done += worked;
		worked += receive_some(run);
		after_ns = td_clock_now_ns();
		if (worked)
			busy_ns += after_ns - now_ns;
		else
			rest(run);
		now_ns = worked ? after_ns : td_clock_now_ns();
	}
	run->result->busy = (double)busy_ns / (double)length_ns;
}

static uint32_t *index_parties(const struct td_blast *blast)
{
	size_t size = (size_t)blast->link->addr_count * PORTS;
	uint32_t *party_of = malloc(size * sizeof *party_of);

	if (!party_of) {
		fprintf(stderr, "rtpblast: no memory\n");
		exit(2);
	}
	for (size_t i = 0; i < size; i++)
		party_of[i] = NOBODY;
	for (uint32_t i = 0; i < blast->flow_count; i++) {
		uint32_t addr_be, addr;

		memcpy(&addr_be, blast->flows[i].from.addr, 4);
		addr = rte_be_to_cpu_32(addr_be) - blast->link->first_addr;
		party_of[addr * PORTS + rte_be_to_cpu_16(blast->flows[i].from.port_be)] = i;
	}
	return party_of;
}

static void sum_up(const struct td_blast *blast, struct td_blast_result *result)
{
	for (uint32_t i = 0; i < blast->flow_count; i++) {
		const struct td_flow *flow = &blast->flows[i];
		uint32_t came = flow->arrivals.unique, lost;

		if (!blast->transcoded)
			came += flow->events_received;
		lost = flow->sent > came ? flow->sent - came : 0;
		if (blast->transcoded) {
			uint32_t gaps = td_arrivals_gaps(&flow->arrivals);

			lost = gaps + (lost > gaps + UNDER_WAY ? lost - gaps - UNDER_WAY : 0);
		}
		result->lost += lost;
		result->flows_hurt += lost > 0;
		result->worst = lost > result->worst ? lost : result->worst;
	}
}

void td_blast_run(const struct td_blast *blast, struct td_blast_result *result)
{
	struct run run = { .blast = blast, .link = blast->link, .result = result, .random = 1 };
	uint64_t end_ns;
	double cpu_s;

	memset(result, 0, sizeof *result);
	run.party_of = index_parties(blast);
	pace(&run, WARM_UP_NS);
	run.counting = 1;
	cpu_s = process_cpu_s(blast->pid);
	pace(&run, (uint64_t)(blast->seconds * (double)TD_NS_PER_S));
	result->cpu_s = process_cpu_s(blast->pid) - cpu_s;
	// A transcoder's packets are counted by the clock, those of a relay by what was sent.
	run.counting = !blast->transcoded;
	end_ns = td_clock_now_ns() + LINGER_NS;
	while (td_clock_now_ns() < end_ns)
		if (receive_some(&run) == 0)
			rest(&run);
	sum_up(blast, result);
	free(run.party_of);
}

double td_blast_ceiling_pps(const struct td_blast *blast, uint16_t ring_port)
{
	static struct td_blast_result result;
	struct td_link link;
	struct run run = { .blast = blast, .link = &link, .result = &result, .random = 1 };
	uint64_t start_ns, packets = 0;

	td_link_open(&link, ring_port, blast->link->pool, blast->link->first_addr,
		     blast->link->addr_count);
	run.party_of = index_parties(blast);
	start_ns = td_clock_now_ns();
	while (td_clock_now_ns() - start_ns < CEILING_NS) {
		send_some(&run, TD_LINK_BURST);
		packets += receive_some(&run);
	}
	packets = packets * TD_NS_PER_S / (td_clock_now_ns() - start_ns);
	free(run.party_of);
	td_link_close(&link);
	return (double)packets;
}
