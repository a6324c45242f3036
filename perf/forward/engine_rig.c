#include "engine_rig.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_ip.h>
#include <rte_ring.h>
#include <rte_udp.h>

#include "../cpu_clock.h"
#include "base/clock.h"
#include "media/engine.h"
#include "net/demux.h"
#include "net/local.h"
#include "net/neighbour.h"
#include "net/port.h"
#include "td_region.h"
#include "worker/workers.h"

#define LOCAL_BASE      "10.200.0."
#define GATEWAY         "10.200.0.254"
#define REMOTE_BASE     0x0ac90000u // 10.201.0.0: the parties, a port each
#define PORT_FIRST      1024
#define PORT_LAST       65535
#define PAIRS_PER_LOCAL ((PORT_LAST - PORT_FIRST + 1) / 2)
#define PAYLOAD_BYTES   160
#define FRAME_BYTES     (14 + 20 + 8 + 12 + PAYLOAD_BYTES)

static const uint8_t gateway_mac[6] = { 0x02, 0, 0, 0, 0, 0xfe };
static const uint8_t ssrc[4] = { 0, 0, 0, 1 };

struct rig_stream {
	struct td_stream_id id;
	struct td_endpoint local, remote;
};

// How the next packet to one stream looks; kept in the order in which they are sent.
struct feed {
	uint32_t source_be, destination_be;
	uint16_t source_port_be, destination_port_be;
	uint16_t sequence;
	uint32_t timestamp;
};

struct td_rig {
	uint32_t stream_count, calls;
	struct rig_stream *streams; // 2i and 2i + 1 are call i
	struct feed *feeds;
	uint32_t feed_next;
	struct td_ring_port ring_port;
	uint16_t payload_sum;
	// The worker's clock stands still while the feeder works: what is done by the clock (reports,
	// mirrors) then has its true share of the measured time.
	uint64_t stopped_ns;
	uint64_t left_ns; // when the last run ended
	struct td_locals locals;
	struct td_demux *demux;
	struct td_neighbours *neighbours;
	struct td_region region;
	void *memory;
	size_t memory_bytes;
	struct td_port port;
	struct rte_mempool *pool;
	struct td_engine *engine;
	struct td_workers *workers;
	struct td_worker *worker;
	struct td_ring_view events[2];
	uint64_t request_id;
};

static void must(int ok, const char *what, const char *why)
{
	if (ok)
		return;
	fprintf(stderr, "forward: %s: %s\n", what, why);
	exit(2);
}

static void make_region(struct td_rig *rig)
{
	struct td_region_sizes sizes = { .worker_count = 1, .stream_count = rig->stream_count };

	rig->memory_bytes = td_region_bytes(&sizes);
	rig->memory = mmap(NULL, rig->memory_bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(rig->memory != MAP_FAILED, "region", "no memory");
	td_region_format(rig->memory, &sizes, 1, 1, &rig->region);
	for (uint32_t i = 0; i < 2; i++)
		must(td_region_attach_events(&rig->region, i, 0, &rig->events[i]) == 0, "region",
		     "event ring");
}

static void make_net(struct td_rig *rig, uint64_t seed)
{
	struct td_port_spec spec = {
		.name = "bench", .kind = TD_PORT_KIND_NET_RING, .rx_queues = 1, .workers = 1
	};
	struct td_link_source source = { .vlan = 0 };
	char reason[TD_PORT_REASON_MAX];
	uint32_t locals = (rig->stream_count + PAIRS_PER_LOCAL - 1) / PAIRS_PER_LOCAL;

	must(td_port_adopt(&spec, rig->ring_port.dpdk_port, rig->pool, &rig->port, reason) == 0,
	     "port", reason);
	for (uint32_t i = 0; i < locals; i++) {
		struct td_local local = { .prefix_bits = 24 };
		char text[24];

		snprintf(text, sizeof text, LOCAL_BASE "%u", i + 1);
		must(td_endpoint_parse_addr(text, &local.addr) == 0, text, "not an address");
		must(td_endpoint_parse_addr(GATEWAY, &local.gateway) == 0, GATEWAY,
		     "not an address");
		must(td_locals_add(&rig->locals, &local) == 0, text, "not taken");
	}
	must(td_demux_create(locals, PORT_FIRST, PORT_LAST, seed, &rig->demux) == 0, "demux",
	     "no memory");
	must(td_neighbours_create(&rig->locals, &rig->neighbours) == 0, "neighbours", "no memory");
	memcpy(source.mac, rig->port.mac, 6);
	td_neighbours_set_source(rig->neighbours, 0, &source);
}

static void make_engine(struct td_rig *rig, uint64_t seed)
{
	struct td_engine_options options = { .worker_count = 1,
					     .stream_count = rig->stream_count,
					     .region = &rig->region,
					     .demux = rig->demux,
					     .locals = &rig->locals,
					     .neighbours = rig->neighbours,
					     .pool = rig->pool,
					     .seed = seed,
					     .tap_records = 64 };
	struct td_workers_options workers = { .worker_count = 1,
					      .busy_poll = true,
					      .ports = &rig->port,
					      .port_count = 1,
					      .locals = &rig->locals,
					      .demux = rig->demux,
					      .neighbours = rig->neighbours,
					      .pool = rig->pool,
					      .stats = rig->region.workers };

	must(td_engine_create(&options, &rig->engine) == 0, "engine", "no memory");
	workers.engine = rig->engine;
	must(td_workers_create(&workers, &rig->workers) == 0, "workers", "no memory");
	rig->worker = rig->workers->workers[0];
	td_worker_attach(rig->worker, td_clock_now_ns());
}

// Turns an ARP request for the gateway into its answer; false for any other frame, the switch's
// announcements of its own addresses among them.
static bool turn_arp(uint8_t *frame)
{
	uint8_t asked[4], gateway[4];

	if (frame[12] != 0x08 || frame[13] != 0x06)
		return false;
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

// While nothing but ARP is on the rings.
static void answer_arp(struct td_rig *rig)
{
	void *mbuf;

	while (rte_ring_dequeue(rig->ring_port.out, &mbuf) == 0) {
		if (turn_arp(rte_pktmbuf_mtod((struct rte_mbuf *)mbuf, uint8_t *)))
			must(rte_ring_enqueue(rig->ring_port.in, mbuf) == 0, "arp", "ring full");
		else
			rte_pktmbuf_free(mbuf);
	}
}

static uint64_t rig_now_ns(const struct td_rig *rig)
{
	return td_clock_now_ns() - rig->stopped_ns;
}

// Executes one command to its answer, taking the worker's turns meanwhile.
static void call(struct td_rig *rig, struct td_command *command, struct td_event *answer)
{
	command->request_id = ++rig->request_id;
	command->deadline_ns = UINT64_MAX;
	td_role_enter_main();
	td_engine_command(rig->engine, command, rig_now_ns(rig));
	for (int turns = 0; turns < 1000000; turns++) {
		uint64_t now_ns = rig_now_ns(rig);

		td_role_enter_worker(0);
		td_worker_turn(rig->worker, now_ns);
		answer_arp(rig);
		for (int i = 0; i < 2; i++)
			while (td_ring_pop(&rig->events[i], answer) == 0)
				if (answer->request_id == command->request_id) {
					must(answer->result == 0, td_command_name(command->kind),
					     td_error_text(answer->result));
					return;
				}
		td_role_enter_main();
		td_engine_housekeep(rig->engine, now_ns);
	}
	must(0, td_command_name(command->kind), "no answer");
}

static struct td_context_id make_context(struct td_rig *rig)
{
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_CREATE };
	struct td_event answer;

	call(rig, &command, &answer);
	return answer.u.context;
}

static void make_stream(struct td_rig *rig, struct td_context_id context, struct rig_stream *stream)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_CREATE };
	struct td_event answer;

	command.u.stream_create.context = context;
	command.u.stream_create.family = TD_FAMILY_IPV4;
	call(rig, &command, &answer);
	stream->id = answer.u.stream_created.stream;
	stream->local = answer.u.stream_created.local;
}

static void connect_stream(struct td_rig *rig, struct rig_stream *stream)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_SET_REMOTE };
	struct td_event answer;

	command.u.stream_set_remote = (struct td_command_stream_set_remote){
		.stream = stream->id,
		.remote = stream->remote,
		.codec = TD_CODEC_PCMU,
		.event_payload_type = TD_PAYLOAD_TYPE_NONE,
		.event_payload_type_rx = TD_PAYLOAD_TYPE_NONE,
		.cn_payload_type = TD_PAYLOAD_TYPE_NONE,
		.cn_payload_type_rx = TD_PAYLOAD_TYPE_NONE,
		.ptime_ms = 20,
	};
	call(rig, &command, &answer);
}

static void bridge(struct td_rig *rig, struct td_context_id context, uint32_t call_idx)
{
	struct td_member a = { TD_MEMBER_STREAM, rig->streams[2 * call_idx].id.v };
	struct td_member b = { TD_MEMBER_STREAM, rig->streams[2 * call_idx + 1].id.v };
	struct td_command command = { .kind = TD_COMMAND_MATRIX_EDIT };
	struct td_event answer;

	command.u.matrix_edit.context = context;
	command.u.matrix_edit.cell_count = 2;
	command.u.matrix_edit.cells[0] = (struct td_cell){ a, b, TD_GAIN_UNITY };
	command.u.matrix_edit.cells[1] = (struct td_cell){ b, a, TD_GAIN_UNITY };
	call(rig, &command, &answer);
}

// The parties' addresses, and a random order of all streams.
static void make_feeds(struct td_rig *rig, uint64_t seed)
{
	for (uint32_t i = 0; i < rig->stream_count; i++) {
		struct feed *feed = &rig->feeds[i];
		const struct rig_stream *stream = &rig->streams[i];

		memcpy(&feed->source_be, stream->remote.addr, 4);
		memcpy(&feed->destination_be, stream->local.addr, 4);
		feed->source_port_be = stream->remote.port_be;
		feed->destination_port_be = stream->local.port_be;
	}
	for (uint32_t i = rig->stream_count - 1; i > 0; i--) {
		struct feed swap = rig->feeds[i];
		uint32_t with;

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		with = (uint32_t)((seed >> 33) % (i + 1));
		rig->feeds[i] = rig->feeds[with];
		rig->feeds[with] = swap;
	}
}

static void place_party(struct rig_stream *stream, uint32_t index)
{
	uint32_t addr_be = htonl(REMOTE_BASE + index / 32768);

	stream->remote = (struct td_endpoint){ .family = TD_FAMILY_IPV4,
					       .port_be = htons((uint16_t)(index % 32768 * 2)) };
	// Port 0 cannot be a party's.
	if (stream->remote.port_be == 0)
		stream->remote.port_be = htons(1);
	memcpy(stream->remote.addr, &addr_be, 4);
}

// Turns without packets until the gateway's answer has come and been taken.
static void resolve_gateway(struct td_rig *rig)
{
	uint64_t until_ns = rig_now_ns(rig) + 20 * TD_NS_PER_MS;

	td_role_enter_worker(0);
	while (rig_now_ns(rig) < until_ns) {
		td_worker_turn(rig->worker, rig_now_ns(rig));
		answer_arp(rig);
	}
}

struct td_rig *td_rig_create(uint32_t streams, const struct td_ring_port *ring_port,
			     struct rte_mempool *pool, uint64_t seed)
{
	struct td_rig *rig = calloc(1, sizeof *rig);
	struct td_context_id *contexts;

	rig->calls = streams < 2 ? 1 : streams / 2;
	rig->stream_count = rig->calls * 2;
	rig->pool = pool;
	rig->ring_port = *ring_port;
	rig->streams = calloc(rig->stream_count, sizeof *rig->streams);
	rig->feeds = calloc(rig->stream_count, sizeof *rig->feeds);
	contexts = calloc(rig->calls, sizeof *contexts);
	make_region(rig);
	make_net(rig, seed);
	make_engine(rig, seed);
	for (uint32_t i = 0; i < rig->calls; i++) {
		contexts[i] = make_context(rig);
		make_stream(rig, contexts[i], &rig->streams[2 * i]);
		make_stream(rig, contexts[i], &rig->streams[2 * i + 1]);
	}
	for (uint32_t i = 0; i < rig->stream_count; i++) {
		place_party(&rig->streams[i], i);
		connect_stream(rig, &rig->streams[i]);
	}
	make_feeds(rig, seed);
	resolve_gateway(rig);
	for (uint32_t i = 0; i < rig->calls; i++)
		bridge(rig, contexts[i], i);
	free(contexts);
	return rig;
}

void td_rig_destroy(struct td_rig *rig)
{
	td_worker_detach(rig->worker);
	td_role_enter_main();
	td_workers_destroy(rig->workers);
	td_engine_destroy(rig->engine);
	td_neighbours_destroy(rig->neighbours);
	td_demux_destroy(rig->demux);
	td_port_close(&rig->port);
	munmap(rig->memory, rig->memory_bytes);
	free(rig->streams);
	free(rig->feeds);
	free(rig);
}

// Addresses a frame to the next stream, with checksums as that party would have made them.
static void address_frame(struct td_rig *rig, uint8_t *frame)
{
	struct feed *feed = &rig->feeds[rig->feed_next];
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + 14);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(frame + 34);
	uint16_t sequence_be = htons(feed->sequence++);
	uint32_t timestamp_be = htonl(feed->timestamp), sum;

	rig->feed_next = rig->feed_next + 1 == rig->stream_count ? 0 : rig->feed_next + 1;
	feed->timestamp += PAYLOAD_BYTES;
	memcpy(frame, rig->port.mac, 6);
	ip->time_to_live = 64;
	ip->src_addr = feed->source_be;
	ip->dst_addr = feed->destination_be;
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	udp->src_port = feed->source_port_be;
	udp->dst_port = feed->destination_port_be;
	udp->dgram_cksum = 0;
	frame[42] = 0x80;
	frame[43] = 0x00;
	memcpy(frame + 44, &sequence_be, 2);
	memcpy(frame + 46, &timestamp_be, 4);
	memcpy(frame + 50, ssrc, sizeof ssrc);
	sum = rte_ipv4_phdr_cksum(ip, 0) + rte_raw_cksum(udp, 8 + 12) + rig->payload_sum;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	udp->dgram_cksum = (uint16_t)~sum;
}

static struct rte_mbuf *make_frame(struct td_rig *rig)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(rig->pool);
	uint8_t *frame = mbuf ? (uint8_t *)rte_pktmbuf_append(mbuf, FRAME_BYTES) : NULL;
	struct rte_ipv4_hdr *ip;
	struct rte_udp_hdr *udp;

	must(frame != NULL, "packets", "the pool is empty");
	memset(frame, 0xd5, FRAME_BYTES);
	memcpy(frame + 6, gateway_mac, sizeof gateway_mac);
	frame[12] = 0x08;
	frame[13] = 0x00;
	ip = (struct rte_ipv4_hdr *)(frame + 14);
	udp = (struct rte_udp_hdr *)(frame + 34);
	memset(ip, 0, sizeof *ip);
	ip->version_ihl = 0x45;
	ip->total_length = htons(FRAME_BYTES - 14);
	ip->next_proto_id = IPPROTO_UDP;
	udp->dgram_len = htons(FRAME_BYTES - 34);
	rig->payload_sum = rte_raw_cksum(frame + 54, PAYLOAD_BYTES);
	return mbuf;
}

void td_rig_fill(struct td_rig *rig, uint32_t packets)
{
	for (uint32_t i = 0; i < packets; i++)
		must(rte_ring_enqueue(rig->ring_port.out, make_frame(rig)) == 0, "packets",
		     "the ring is full");
}

// Takes the events away, as control would.
static void drain_events(struct td_rig *rig)
{
	struct td_event event;

	for (int i = 0; i < 2; i++)
		while (td_ring_pop(&rig->events[i], &event) == 0)
			;
}

// Moves everything from the out ring to the in ring, readdressed; returns how many packets.
static uint64_t feed(struct td_rig *rig)
{
	struct rte_mbuf *mbufs[32];
	uint64_t fed = 0;
	unsigned count;

	while ((count = rte_ring_dequeue_burst(rig->ring_port.out, (void **)mbufs, 32, NULL)) > 0) {
		unsigned kept = 0;

		for (unsigned i = 0; i < count; i++) {
			uint8_t *frame = rte_pktmbuf_mtod(mbufs[i], uint8_t *);

			// RTCP of ours ends here: the parties do not answer it.
			if (!turn_arp(frame) && rte_pktmbuf_pkt_len(mbufs[i]) != FRAME_BYTES) {
				rte_pktmbuf_free(mbufs[i]);
				continue;
			}
			if (rte_pktmbuf_pkt_len(mbufs[i]) == FRAME_BYTES) {
				address_frame(rig, frame);
				fed++;
			}
			mbufs[kept++] = mbufs[i];
		}
		must(rte_ring_enqueue_bulk(rig->ring_port.in, (void **)mbufs, kept, NULL) == kept,
		     "packets", "the ring is full");
	}
	return fed;
}

static uint64_t drops(const struct td_rig *rig)
{
	uint64_t total = 0;

	for (int i = 0; i < TD_DROP_COUNT; i++)
		total += rig->region.workers[0].drops[i];
	return total;
}

const char *td_rig_drop_reason(const struct td_rig *rig)
{
	int most = 0;

	for (int i = 1; i < TD_DROP_COUNT; i++)
		if (rig->region.workers[0].drops[i] > rig->region.workers[0].drops[most])
			most = i;
	return td_drop_name((enum td_drop)most);
}

uint64_t td_rig_run(struct td_rig *rig, uint64_t packets, uint64_t *lost)
{
	const struct td_worker_stats *stats = rig->worker->stats;
	uint64_t goal = stats->forwarded + packets, dropped = drops(rig), cpu_ns = 0;

	td_role_enter_worker(0);
	if (rig->left_ns)
		rig->stopped_ns += td_clock_now_ns() - rig->left_ns;
	while (stats->forwarded < goal) {
		uint64_t start_ns, fed, stop_ns = td_clock_now_ns();

		fed = feed(rig);
		drain_events(rig);
		rig->stopped_ns += td_clock_now_ns() - stop_ns;
		if (fed == 0)
			break;
		start_ns = td_cpu_ns();
		while (!rte_ring_empty(rig->ring_port.in))
			td_worker_turn(rig->worker, rig_now_ns(rig));
		cpu_ns += td_cpu_ns() - start_ns;
	}
	*lost += drops(rig) - dropped;
	rig->left_ns = td_clock_now_ns();
	return cpu_ns;
}
