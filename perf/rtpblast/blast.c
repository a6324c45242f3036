#include "blast.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <rte_byteorder.h>
#include <rte_pause.h>

#include "base/clock.h"
#include "run.h"

#define WARM_UP_NS TD_NS_PER_S
#define LINGER_NS  (300 * TD_NS_PER_MS) // after the last packet, for those under way
#define CEILING_NS (200 * TD_NS_PER_MS)
#define REST_NS    (50 * TD_NS_PER_US)
#define UNDER_WAY  5u // packets of a transcoded flow that may be under way at either end
#define FLOW_PPS   (1000u / TD_PAYLOAD_PTIME_MS)

// User and system time of all its threads, to the nanosecond.
static double process_cpu_s(int pid)
{
	struct timespec used;
	clockid_t clock;

	if (!pid)
		return 0;
	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) {
		fprintf(stderr, "rtpblast: process %d is gone\n", pid);
		exit(2);
	}
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static int happens(struct td_run *run, double probability)
{
	if (probability <= 0)
		return 0;
	run->random = run->random * 1664525u + 1013904223u;
	return (double)(run->random >> 8) < probability * (double)(1u << 24);
}

// The number of the flow's next packet: the one after the last, unless two change places.
static uint32_t take_number(struct td_run *run, struct td_flow *flow)
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

// Seals those of `count` packets whose flows are SRTP.
static void seal(struct td_run *run, struct rte_mbuf **mbufs, const uint32_t *flows, unsigned count)
{
	struct td_srtp_packet packets[TD_LINK_BURST];
	unsigned sealed = 0;

	for (unsigned i = 0; i < count; i++) {
		struct td_protect *protect = run->blast->flows[flows[i]].protect;

		if (!protect)
			continue;
		packets[sealed++] = (struct td_srtp_packet){
			.srtp = &protect->send,
			.bytes = rte_pktmbuf_mtod_offset(mbufs[i], uint8_t *, TD_FLOW_RTP_AT),
			.len = (uint16_t)(rte_pktmbuf_data_len(mbufs[i]) - TD_FLOW_RTP_AT -
					  td_protect_trailer(protect)),
		};
	}
	td_srtp_seal(run->blast->srtp, packets, sealed);
	for (unsigned i = 0; i < sealed; i++)
		if (packets[i].verdict != TD_SRTP_OK) {
			fprintf(stderr, "rtpblast: a packet could not be sealed\n");
			exit(2);
		}
}

static struct rte_mbuf *make_packet(struct td_run *run, uint32_t index, uint32_t number,
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

static void account_sent(struct td_run *run, struct td_flow *flow, uint32_t number)
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

// Behind the `count` packets, copies of those that are to go out twice; returns how many.
static unsigned double_some(struct td_run *run, struct rte_mbuf **mbufs, unsigned count)
{
	unsigned doubled = 0;

	for (unsigned i = 0; i < count; i++) {
		struct rte_mbuf *copy;

		if (!happens(run, run->blast->duplicate))
			continue;
		copy = rte_pktmbuf_copy(mbufs[i], run->link->pool, 0, UINT32_MAX);
		if (!copy)
			continue;
		mbufs[count + doubled++] = copy;
		run->result->doubled += (uint64_t)run->counting;
	}
	return doubled;
}

// Sends one packet of each of the next `count` flows, TD_LINK_BURST at most.
static void send_some(struct td_run *run, unsigned count)
{
	struct rte_mbuf *mbufs[2 * TD_LINK_BURST];
	uint32_t flows[TD_LINK_BURST];
	uint64_t now_ns = td_clock_now_ns();
	unsigned made = 0, taken;

	for (unsigned i = 0; i < count; i++) {
		struct td_flow *flow = &run->blast->flows[run->next_flow];
		uint32_t number = take_number(run, flow);

		if (happens(run, run->blast->loss)) {
			run->result->withheld += (uint64_t)run->counting;
		} else {
			mbufs[made] = make_packet(run, run->next_flow, number, now_ns);
			if (mbufs[made]) {
				flows[made++] = run->next_flow;
				account_sent(run, flow, number);
			}
		}
		run->next_flow = (run->next_flow + 1) % run->blast->flow_count;
	}
	if (made)
		seal(run, mbufs, flows, made);
	for (unsigned i = 0; i < made; i++)
		td_flow_sum(rte_pktmbuf_mtod(mbufs[i], uint8_t *));
	made += double_some(run, mbufs, made);
	taken = td_link_send(run->link, mbufs, made);
	if (run->counting)
		run->result->refused += made - taken;
}

static void rest(const struct td_run *run)
{
	const struct timespec moment = { .tv_nsec = REST_NS };

	if (run->blast->between)
		run->blast->between(run->blast->attach);
	if (run->blast->busy_poll)
		rte_pause();
	else
		nanosleep(&moment, NULL);
}

static void note_behind(struct td_run *run, uint64_t due, uint64_t pps)
{
	double behind_ms = (double)due * 1000.0 / (double)pps;

	if (run->counting && behind_ms > run->result->behind_ms)
		run->result->behind_ms = behind_ms;
}

// Sends at the pace and takes what arrives, for `length_ns`.
static void pace(struct td_run *run, uint64_t length_ns)
{
	const uint64_t pps = (uint64_t)run->blast->flow_count * FLOW_PPS * run->blast->times;
	uint64_t start_ns = td_clock_now_ns(), now_ns = start_ns, done = 0, busy_ns = 0;

	while (now_ns - start_ns < length_ns) {
		uint64_t due = (now_ns - start_ns) * pps / TD_NS_PER_S - done, after_ns;
		unsigned worked = due < TD_LINK_BURST ? (unsigned)due : TD_LINK_BURST;

		note_behind(run, due, pps);
		if (worked)
			send_some(run, worked);
		done += worked;
		worked += td_run_receive(run);
		after_ns = td_clock_now_ns();
		if (worked)
			busy_ns += after_ns - now_ns;
		else
			rest(run);
		now_ns = worked ? after_ns : td_clock_now_ns();
	}
	// Held up over the end it has not kept its pace either.
	note_behind(run, length_ns * pps / TD_NS_PER_S - done, pps);
	run->result->busy = (double)busy_ns / (double)length_ns;
}

static uint32_t *index_parties(const struct td_blast *blast)
{
	size_t size = (size_t)blast->link->addr_count * TD_RUN_PORTS;
	uint32_t *party_of = malloc(size * sizeof *party_of);

	if (!party_of) {
		fprintf(stderr, "rtpblast: no memory\n");
		exit(2);
	}
	for (size_t i = 0; i < size; i++)
		party_of[i] = TD_RUN_NOBODY;
	for (uint32_t i = 0; i < blast->flow_count; i++) {
		uint32_t addr_be, addr;

		memcpy(&addr_be, blast->flows[i].from.addr, 4);
		addr = rte_be_to_cpu_32(addr_be) - blast->link->first_addr;
		party_of[addr * TD_RUN_PORTS + rte_be_to_cpu_16(blast->flows[i].from.port_be)] = i;
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
	struct td_run run = { .blast = blast, .link = blast->link, .result = result, .random = 1 };
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
		if (td_run_receive(&run) == 0)
			rest(&run);
	sum_up(blast, result);
	free(run.party_of);
}

double td_blast_ceiling_pps(const struct td_blast *blast, uint16_t ring_port)
{
	static struct td_blast_result result;
	struct td_link link;
	struct td_run run = { .blast = blast, .link = &link, .result = &result, .random = 1 };
	uint64_t start_ns, packets = 0;

	td_link_open(&link, ring_port, blast->link->pool, blast->link->first_addr,
		     blast->link->addr_count);
	run.party_of = index_parties(blast);
	start_ns = td_clock_now_ns();
	while (td_clock_now_ns() - start_ns < CEILING_NS) {
		send_some(&run, TD_LINK_BURST);
		packets += td_run_receive(&run);
	}
	packets = packets * TD_NS_PER_S / (td_clock_now_ns() - start_ns);
	free(run.party_of);
	td_link_close(&link);
	return (double)packets;
}
