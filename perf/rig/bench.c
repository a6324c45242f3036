#include "rig/bench.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_eal.h>
#include <rte_ip.h>
#include <rte_ring.h>
#include <rte_udp.h>

#include "base/clock.h"
#include "worker/steer.h"

#define LOCAL_BASE      "10.200.0."
#define GATEWAY         "10.200.0.254"
#define PORT_FIRST      1024
#define PORT_LAST       65535
#define PAIRS_PER_LOCAL ((PORT_LAST - PORT_FIRST + 1) / 2)
#define PORTS_A_PARTY   32768u // parties of one address

static const uint8_t gateway_mac[6] = { 0x02, 0, 0, 0, 0, 0xfe };

static void must(bool ok, const char *what, const char *why)
{
	if (ok)
		return;
	fprintf(stderr, "perf: %s: %s\n", what, why);
	exit(2);
}

struct rte_mempool *td_bench_eal(const char *name, const char *cores, uint32_t mbufs)
{
	char program[32], list[32];
	char *huge[] = { program,       "--in-memory", "--no-pci", "--no-telemetry",
			 "--log-level", "3",           "-l",       list };
	char *small[] = { program,          "--no-huge",   "-m", "1024", "--no-pci",
			  "--no-telemetry", "--log-level", "3",  "-l",   list };
	struct rte_mempool *pool;
	int error;

	snprintf(program, sizeof program, "%s", name);
	snprintf(list, sizeof list, "%s", cores);
	error = getenv("TANDEM_NO_HUGE") != NULL ? rte_eal_init(sizeof small / sizeof *small, small)
						 : rte_eal_init(sizeof huge / sizeof *huge, huge);
	must(error >= 0, "DPDK", "does not start");
	pool = rte_pktmbuf_pool_create(name, mbufs, 512, TD_STEER_PRIVATE_BYTES,
				       RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	must(pool != NULL, "packets", "no memory");
	return pool;
}

static void open_region(struct td_bench *bench)
{
	struct td_region_sizes sizes = { .worker_count = bench->worker_count,
					 .stream_count = bench->stream_count };

	bench->memory_bytes = td_region_bytes(&sizes);
	bench->memory = mmap(NULL, bench->memory_bytes, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(bench->memory != MAP_FAILED, "region", "no memory");
	td_region_format(bench->memory, &sizes, 1, 1, &bench->region);
	for (uint32_t i = 0; i <= bench->worker_count; i++)
		must(td_region_attach_events(&bench->region, i, 0, &bench->events[i]) == 0,
		     "region", "event ring");
}

static void open_net(struct td_bench *bench, uint64_t seed)
{
	struct td_port_spec spec = { .name = "bench",
				     .kind = TD_PORT_KIND_NET_RING,
				     .rx_queues = bench->ring_port.queues,
				     .workers = bench->ring_port.queues };
	struct td_link_source source = { .vlan = 0 };
	char reason[TD_PORT_REASON_MAX];
	uint32_t locals = (bench->stream_count + PAIRS_PER_LOCAL - 1) / PAIRS_PER_LOCAL;

	must(td_port_adopt(&spec, bench->ring_port.dpdk_port, bench->pool, &bench->port, reason) ==
		     0,
	     "port", reason);
	for (uint32_t i = 0; i < locals; i++) {
		struct td_local local = { .prefix_bits = 24 };
		char text[24];

		snprintf(text, sizeof text, LOCAL_BASE "%u", i + 1);
		must(td_endpoint_parse_addr(text, &local.addr) == 0, text, "not an address");
		must(td_endpoint_parse_addr(GATEWAY, &local.gateway) == 0, GATEWAY,
		     "not an address");
		must(td_locals_add(&bench->locals, &local) == 0, text, "not taken");
	}
	must(td_demux_create(locals, PORT_FIRST, PORT_LAST, seed, &bench->demux) == 0, "demux",
	     "no memory");
	must(td_neighbours_create(&bench->locals, &bench->neighbours) == 0, "neighbours",
	     "no memory");
	memcpy(source.mac, bench->port.mac, 6);
	td_neighbours_set_source(bench->neighbours, 0, &source);
}

static void open_engine(struct td_bench *bench, const struct td_bench_options *options)
{
	struct td_engine_options engine = { .worker_count = bench->worker_count,
					    .stream_count = bench->stream_count,
					    .mixed_count = options->mixed_count,
					    .region = &bench->region,
					    .demux = bench->demux,
					    .locals = &bench->locals,
					    .neighbours = bench->neighbours,
					    .recorder = options->recorder,
					    .pool = bench->pool,
					    .prompts = options->prompts,
					    .seed = options->seed,
					    .tap_lines = options->tap_lines != 0
								 ? options->tap_lines
								 : 64 };
	struct td_workers_options workers = { .worker_count = bench->worker_count,
					      .busy_poll = true,
					      .ports = &bench->port,
					      .port_count = 1,
					      .locals = &bench->locals,
					      .demux = bench->demux,
					      .neighbours = bench->neighbours,
					      .pool = bench->pool,
					      .stats = bench->region.workers };

	must(td_engine_create(&engine, &bench->engine) == 0, "engine", "no memory");
	workers.engine = bench->engine;
	must(td_workers_create(&workers, &bench->workers) == 0, "workers", "no memory");
	bench->worker = bench->workers->workers[0];
	td_worker_attach(bench->worker, bench->now_ns);
	// One thread turns them all, so it is one RCU reader.
	for (uint32_t i = 1; i < bench->worker_count; i++) {
		td_slots_init(&bench->workers->workers[i]->slots, bench->now_ns);
		bench->workers->workers[i]->turn_ns = bench->now_ns;
	}
}

void td_bench_open(struct td_bench *bench, const struct td_bench_options *options)
{
	*bench = (struct td_bench){ .pool = options->pool,
				    .stream_count = options->stream_count,
				    .worker_count = 1,
				    .now_ns = td_clock_now_ns() };
	if (options->worker_count > 1) {
		bench->worker_count = options->worker_count;
		bench->ring_port =
			td_ring_port_create_queues(options->name, (uint16_t)options->worker_count);
	} else {
		bench->ring_port = td_ring_port_create(options->name, 0);
	}
	open_region(bench);
	open_net(bench, options->seed);
	open_engine(bench, options);
}

void td_bench_close(struct td_bench *bench)
{
	td_role_enter_worker(0);
	td_worker_detach(bench->worker);
	td_role_enter_main();
	td_workers_destroy(bench->workers);
	td_engine_destroy(bench->engine);
	td_neighbours_destroy(bench->neighbours);
	td_demux_destroy(bench->demux);
	td_ring_port_empty(&bench->ring_port);
	td_port_close(&bench->port);
	munmap(bench->memory, bench->memory_bytes);
}

// Turns an ARP request for the gateway into its answer; false for any other frame, the switch's
// announcements of its own addresses among them.
static bool turn_arp(uint8_t *frame)
{
	uint8_t asked[4], gateway[4];

	memcpy(asked, frame + 38, 4);
	if (inet_pton(AF_INET, GATEWAY, gateway) != 1 || memcmp(asked, gateway, 4) != 0)
		return false;
	memcpy(frame, frame + 6, 6);
	memcpy(frame + 6, gateway_mac, sizeof gateway_mac);
	frame[21] = 2;
	memcpy(frame + 32, frame + 22, 10);
	memcpy(frame + 22, frame + 6, 6);
	memcpy(frame + 28, asked, 4);
	return true;
}

bool td_bench_is_media(struct td_bench *bench, struct rte_mbuf *mbuf)
{
	uint8_t *frame = rte_pktmbuf_mtod(mbuf, uint8_t *);

	if (frame[12] != 0x08 || frame[13] != 0x06)
		return true;
	if (turn_arp(frame))
		must(rte_ring_enqueue(bench->ring_port.in, mbuf) == 0, "arp", "ring full");
	else
		rte_pktmbuf_free(mbuf);
	return false;
}

// While nothing but ARP and reports are on the rings.
static void answer_arp(struct td_bench *bench)
{
	void *mbuf;

	for (unsigned queue = 0; queue < bench->ring_port.queues; queue++)
		while (rte_ring_dequeue(bench->ring_port.outs[queue], &mbuf) == 0)
			if (td_bench_is_media(bench, mbuf))
				rte_pktmbuf_free(mbuf);
}

void td_bench_turn(struct td_bench *bench)
{
	td_worker_turn(bench->worker, bench->now_ns);
	if (bench->worker_count == 1)
		return;
	for (uint32_t i = 1; i < bench->worker_count; i++) {
		td_role_enter_worker(i);
		td_worker_turn(bench->workers->workers[i], bench->now_ns);
	}
	td_role_enter_worker(0);
}

void td_bench_drain(struct td_bench *bench)
{
	struct td_event event;

	for (uint32_t i = 0; i <= bench->worker_count; i++)
		while (td_ring_pop(&bench->events[i], &event) == 0)
			;
}

void td_bench_housekeep(struct td_bench *bench)
{
	td_role_enter_main();
	td_engine_housekeep(bench->engine, bench->now_ns);
	td_bench_drain(bench);
	td_role_enter_worker(0);
}

void td_bench_call(struct td_bench *bench, struct td_command *command, struct td_event *answer)
{
	command->request_id = ++bench->request_id;
	command->deadline_ns = UINT64_MAX;
	td_role_enter_main();
	td_engine_command(bench->engine, command, bench->now_ns);
	for (int turns = 0; turns < 1000000; turns++) {
		bench->now_ns += 10 * TD_NS_PER_US;
		td_role_enter_worker(0);
		td_bench_turn(bench);
		answer_arp(bench);
		for (uint32_t i = 0; i <= bench->worker_count; i++)
			while (td_ring_pop(&bench->events[i], answer) == 0)
				if (answer->request_id == command->request_id) {
					must(answer->result == 0, td_command_name(command->kind),
					     td_error_text(answer->result));
					return;
				}
		td_role_enter_main();
		td_engine_housekeep(bench->engine, bench->now_ns);
	}
	must(false, td_command_name(command->kind), "no answer");
}

struct td_context_id td_bench_context(struct td_bench *bench)
{
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_CREATE };
	struct td_event answer;

	td_bench_call(bench, &command, &answer);
	return answer.u.context;
}

static struct td_endpoint place_party(uint32_t index)
{
	uint32_t addr_be = htonl(TD_BENCH_REMOTE_BASE + index / PORTS_A_PARTY);
	// Port 0 cannot be a party's.
	uint16_t port = (uint16_t)(index % PORTS_A_PARTY * 2);
	struct td_endpoint remote = { .family = TD_FAMILY_IPV4,
				      .port_be = htons(port != 0 ? port : 1) };

	memcpy(remote.addr, &addr_be, 4);
	return remote;
}

uint32_t td_bench_party(const uint8_t *frame)
{
	uint32_t addr_be;
	uint16_t port_be;

	memcpy(&addr_be, frame + 30, 4);
	memcpy(&port_be, frame + 36, 2);
	return (ntohl(addr_be) - TD_BENCH_REMOTE_BASE) * PORTS_A_PARTY + ntohs(port_be) / 2u;
}

struct td_bench_stream td_bench_stream(struct td_bench *bench, struct td_context_id context,
				       uint32_t index)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_CREATE };
	struct td_event answer;

	command.u.stream_create.context = context;
	command.u.stream_create.family = TD_FAMILY_IPV4;
	td_bench_call(bench, &command, &answer);
	return (struct td_bench_stream){ .id = answer.u.stream_created.stream,
					 .local = answer.u.stream_created.local,
					 .remote = place_party(index) };
}

static struct td_command set_remote(const struct td_bench_stream *stream, enum td_codec_id codec,
				    uint8_t payload_type)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_SET_REMOTE };

	command.u.stream_set_remote = (struct td_command_stream_set_remote){
		.stream = stream->id,
		.remote = stream->remote,
		.codec = (uint8_t)codec,
		.payload_type = payload_type,
		.payload_type_rx = payload_type,
		.event_payload_type = TD_PAYLOAD_TYPE_NONE,
		.event_payload_type_rx = TD_PAYLOAD_TYPE_NONE,
		.cn_payload_type = TD_PAYLOAD_TYPE_NONE,
		.cn_payload_type_rx = TD_PAYLOAD_TYPE_NONE,
		.ptime_ms = 20,
	};
	return command;
}

void td_bench_connect(struct td_bench *bench, const struct td_bench_stream *stream,
		      enum td_codec_id codec, uint8_t payload_type,
		      const struct td_codec_settings *settings)
{
	struct td_command command = set_remote(stream, codec, payload_type);
	struct td_event answer;

	if (settings != NULL)
		command.u.stream_set_remote.settings = *settings;
	td_bench_call(bench, &command, &answer);
}

void td_bench_protect(struct td_bench *bench, const struct td_bench_stream *stream,
		      enum td_codec_id codec, uint8_t payload_type,
		      const struct td_srtp_master *says, const struct td_srtp_master *hears)
{
	struct td_command command = set_remote(stream, codec, payload_type);
	struct td_event answer;

	if (says != NULL)
		command.u.stream_set_remote.srtp_rx = *says;
	if (hears != NULL)
		command.u.stream_set_remote.srtp_tx = *hears;
	td_bench_call(bench, &command, &answer);
}

void td_bench_edit(struct td_bench *bench, struct td_context_id context,
		   const struct td_cell *cells, uint32_t count)
{
	struct td_command command = { .kind = TD_COMMAND_MATRIX_EDIT };
	struct td_event answer;

	command.u.matrix_edit.context = context;
	command.u.matrix_edit.cell_count = count;
	memcpy(command.u.matrix_edit.cells, cells, count * sizeof *cells);
	td_bench_call(bench, &command, &answer);
}

void td_bench_resolve(struct td_bench *bench)
{
	td_role_enter_worker(0);
	for (int i = 0; i < 40; i++) {
		bench->now_ns += TD_NS_PER_MS / 2;
		td_bench_turn(bench);
		answer_arp(bench);
	}
}

void td_bench_write(const struct td_bench *bench, const struct td_bench_packet *packet,
		    struct rte_mbuf *mbuf)
{
	uint8_t *frame;
	struct rte_ipv4_hdr *ip;
	struct rte_udp_hdr *udp;
	uint16_t sequence_be = htons(packet->sequence);
	uint32_t timestamp_be = htonl(packet->timestamp), ssrc_be = htonl(packet->ssrc), sum;

	rte_pktmbuf_reset(mbuf);
	frame = (uint8_t *)rte_pktmbuf_append(mbuf,
					      (uint16_t)(TD_BENCH_HEADERS + packet->payload_bytes));
	if (frame == NULL) {
		fprintf(stderr, "bench: a packet of %u bytes does not fit its buffer\n",
			(unsigned)packet->payload_bytes);
		exit(2);
	}
	ip = (struct rte_ipv4_hdr *)(frame + 14);
	udp = (struct rte_udp_hdr *)(frame + 34);
	memcpy(frame, bench->port.mac, 6);
	memcpy(frame + 6, gateway_mac, sizeof gateway_mac);
	frame[12] = 0x08;
	frame[13] = 0x00;
	*ip = (struct rte_ipv4_hdr){ .version_ihl = 0x45,
				     .time_to_live = 64,
				     .next_proto_id = IPPROTO_UDP };
	ip->total_length = htons((uint16_t)(40u + packet->payload_bytes));
	memcpy(&ip->src_addr, packet->stream->remote.addr, 4);
	memcpy(&ip->dst_addr, packet->stream->local.addr, 4);
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	udp->src_port = packet->stream->remote.port_be;
	udp->dst_port = packet->stream->local.port_be;
	udp->dgram_len = htons((uint16_t)(20u + packet->payload_bytes));
	udp->dgram_cksum = 0;
	frame[42] = 0x80;
	frame[43] = packet->payload_type;
	memcpy(frame + 44, &sequence_be, 2);
	memcpy(frame + 46, &timestamp_be, 4);
	memcpy(frame + 50, &ssrc_be, 4);
	memcpy(frame + TD_BENCH_HEADERS, packet->payload, packet->payload_bytes);
	sum = rte_ipv4_phdr_cksum(ip, 0) + (uint32_t)rte_raw_cksum(udp, 8 + 12) +
	      packet->payload_sum;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	udp->dgram_cksum = (uint16_t)~sum;
}

static uint64_t dropped(const struct td_bench *bench, int drop)
{
	uint64_t total = 0;

	for (uint32_t w = 0; w < bench->worker_count; w++)
		total += bench->region.workers[w].drops[drop];
	return total;
}

uint64_t td_bench_drops(const struct td_bench *bench)
{
	uint64_t total = 0;

	for (int i = 0; i < TD_DROP_COUNT; i++)
		total += dropped(bench, i);
	return total;
}

const char *td_bench_drop_reason(const struct td_bench *bench)
{
	int most = 0;

	for (int i = 1; i < TD_DROP_COUNT; i++)
		if (dropped(bench, i) > dropped(bench, most))
			most = i;
	return td_drop_name((enum td_drop)most);
}
