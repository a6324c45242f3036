#include "flows.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAYLOAD_BYTES 160
#define FRAME_BYTES   (14 + 20 + 8 + 12 + PAYLOAD_BYTES)
#define MARK          0x54644253u // says a payload is ours
#define SLOT_NS       1000000ull
#define WARM_UP_NS    1000000000ull
#define LINGER_NS     300000000ull // after the last packet, for those under way

struct headers {
	uint8_t to[6], from[6];
	uint16_t ethertype_be;
	uint8_t version_ihl, tos;
	uint16_t length_be, id_be, fragment_be;
	uint8_t ttl, protocol;
	uint16_t ip_checksum;
	uint32_t source_be, destination_be;
	uint16_t source_port_be, destination_port_be, udp_length_be, udp_checksum;
	uint8_t vpxcc, mpt;
	uint16_t sequence_be;
	uint32_t timestamp_be, ssrc_be;
} __attribute__((packed));

struct probe {
	uint32_t mark, flow;
	uint64_t sent_ns; // CLOCK_REALTIME, to compare with the kernel's receive times
	uint32_t counted; // not in the warm-up
};

struct run {
	struct td_wire_port *port;
	struct td_flow *flows;
	uint32_t flow_count, next_flow;
	const uint8_t *peer_mac;
	struct td_flows_result *result;
	int counting;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static double process_cpu_s(int pid)
{
	unsigned long user, system;
	char path[64], line[1024];
	const char *fields;
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (!file || !fgets(line, sizeof line, file)) {
		fprintf(stderr, "wire: process %d is gone\n", pid);
		exit(2);
	}
	fclose(file);
	fields = strrchr(line, ')');
	if (!fields || sscanf(fields + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			      &user, &system) != 2)
		return 0;
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static uint16_t ip_checksum(const struct headers *h)
{
	const uint8_t *words = &h->version_ihl;
	uint32_t sum = 0;

	for (int i = 0; i < 20; i += 2) {
		uint16_t word;

		memcpy(&word, words + i, 2);
		sum += word;
	}
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~((sum & 0xffff) + (sum >> 16));
}

static void make_frame(struct run *run, uint32_t index, struct td_wire_frame *frame)
{
	struct td_flow *flow = &run->flows[index];
	struct probe probe = { MARK, index, clock_ns(CLOCK_REALTIME), (uint32_t)run->counting };
	struct headers h = { .ethertype_be = htons(0x0800),
			     .version_ihl = 0x45,
			     .length_be = htons(FRAME_BYTES - 14),
			     .ttl = 64,
			     .protocol = 17,
			     .source_port_be = flow->from.port_be,
			     .destination_port_be = flow->to.port_be,
			     .udp_length_be = htons(FRAME_BYTES - 34),
			     .vpxcc = 0x80,
			     .sequence_be = htons(flow->sequence++),
			     .timestamp_be = htonl(flow->timestamp),
			     .ssrc_be = htonl(flow->ssrc) };

	flow->timestamp += PAYLOAD_BYTES;
	memcpy(h.to, run->peer_mac, 6);
	memcpy(h.from, run->port->mac, 6);
	memcpy(&h.source_be, flow->from.addr, 4);
	memcpy(&h.destination_be, flow->to.addr, 4);
	h.ip_checksum = ip_checksum(&h);
	frame->length = FRAME_BYTES;
	memcpy(frame->bytes, &h, sizeof h);
	memset(frame->bytes + sizeof h, 0xd5, PAYLOAD_BYTES);
	memcpy(frame->bytes + sizeof h, &probe, sizeof probe);
}

static void send_some(struct run *run, unsigned count)
{
	while (count > 0) {
		static struct td_wire_frame frames[TD_WIRE_BATCH];
		unsigned batch = count < TD_WIRE_BATCH ? count : TD_WIRE_BATCH, taken;

		for (unsigned i = 0; i < batch; i++) {
			make_frame(run, run->next_flow, &frames[i]);
			run->next_flow = (run->next_flow + 1) % run->flow_count;
		}
		taken = td_wire_port_send(run->port, frames, batch);
		if (run->counting) {
			run->result->sent += taken;
			run->result->lost += batch - taken;
		}
		count -= batch;
	}
}

static unsigned receive_some(struct run *run)
{
	static struct td_wire_frame frames[TD_WIRE_BATCH];
	unsigned got = td_wire_port_receive(run->port, frames, TD_WIRE_BATCH);

	for (unsigned i = 0; i < got; i++) {
		struct probe probe;

		if (frames[i].length < sizeof(struct headers) + sizeof probe) {
			run->result->foreign++;
			continue;
		}
		memcpy(&probe, frames[i].bytes + sizeof(struct headers), sizeof probe);
		if (probe.mark != MARK || !probe.counted) {
			run->result->foreign += probe.mark != MARK;
			continue;
		}
		run->result->received++;
		td_histogram_add(&run->result->latency, frames[i].time_ns > probe.sent_ns
								? frames[i].time_ns - probe.sent_ns
								: 0);
	}
	return got;
}

// Sends at the pace and takes what arrives, until `end_ns`.
static void pace(struct run *run, uint32_t pps, uint64_t start_ns, uint64_t end_ns)
{
	uint64_t done = 0, now_ns;

	while ((now_ns = clock_ns(CLOCK_MONOTONIC)) < end_ns) {
		uint64_t slot = (now_ns - start_ns) / SLOT_NS + 1;
		uint64_t due = slot * pps / 1000;
		double late_ms = (double)(now_ns - start_ns) / 1e6 -
				 (double)done * 1000.0 / (double)pps - 1.0;

		if (run->counting && done > 0 && late_ms > run->result->late_ms)
			run->result->late_ms = late_ms;
		if (due > done) {
			send_some(run, (unsigned)(due - done));
			done = due;
		}
		if (receive_some(run) == 0) {
			struct pollfd readable = { run->port->fd, POLLIN, 0 };
			struct timespec rest = {
				0,
				(long)(SLOT_NS - (clock_ns(CLOCK_MONOTONIC) - start_ns) % SLOT_NS)
			};

			ppoll(&readable, 1, &rest, NULL);
		}
	}
}

void td_flows_run(struct td_wire_port *port, struct td_flow *flows, uint32_t flow_count,
		  const uint8_t peer_mac[6], uint32_t pps, double seconds, int pid,
		  struct td_flows_result *result)
{
	struct run run = { port, flows, flow_count, 0, peer_mac, result, 0 };
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
	double cpu_s;

	memset(result, 0, sizeof *result);
	pace(&run, pps, now_ns, now_ns + WARM_UP_NS);
	run.counting = 1;
	cpu_s = process_cpu_s(pid);
	now_ns = clock_ns(CLOCK_MONOTONIC);
	pace(&run, pps, now_ns, now_ns + (uint64_t)(seconds * 1e9));
	result->cpu_s = process_cpu_s(pid) - cpu_s;
	run.counting = 0;
	now_ns = clock_ns(CLOCK_MONOTONIC);
	while (clock_ns(CLOCK_MONOTONIC) < now_ns + LINGER_NS && result->received < result->sent)
		receive_some(&run);
	result->lost += result->sent - result->received;
}
