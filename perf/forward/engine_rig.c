#include "engine_rig.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ip.h>
#include <rte_ring.h>
#include <rte_udp.h>

#include "base/clock.h"
#include "cpu_clock.h"
#include "media/tap.h"
#include "parties.h"
#include "rig/bench.h"
#include "sprayer.h"

#define PAYLOAD_BYTES 160
#define WITHHELD_MAX  4096
#define SPRAY_SEED    20264
#define FRAME_BYTES   (TD_BENCH_HEADERS + PAYLOAD_BYTES)

static const uint8_t gateway_mac[6] = { 0x02, 0, 0, 0, 0, 0xfe };
static const uint8_t ssrc[4] = { 0, 0, 0, 1 };

// How the next packet to one stream looks; kept in the order in which they are sent.
struct feed {
	uint32_t source_be, destination_be;
	uint16_t source_port_be, destination_port_be;
	uint16_t sequence;
	uint32_t timestamp;
	uint32_t party;
};

struct td_rig {
	struct td_bench bench;
	uint32_t stream_count, calls;
	struct td_context_id *contexts;  // of the calls
	struct td_bench_stream *streams; // 2i and 2i + 1 are call i
	struct feed *feeds;
	uint32_t feed_next;
	uint16_t payload_sum;
	struct td_parties *parties; // NULL: nobody has keys
	uint16_t sent_bytes;        // of a frame of the switch
	struct td_sprayer *sprayer; // NULL: nobody does
	uint32_t spray_each;
	bool spray_withheld;
	struct rte_mbuf *withheld[WITHHELD_MAX];
	uint32_t withheld_count;
	struct td_rig_sprayed sprayed;
	uint32_t unspoken; // frames that have not been through it yet
	// The bench's clock stands still while the feeder works.
	uint64_t stopped_ns;
	uint64_t left_ns;           // when the last run ended
	struct td_tap_ring *tapped; // NULL: nothing is recorded
};

static int record_nothing(void *user, struct td_tap_id tap,
			  const struct td_command_record_start *start)
{
	(void)user, (void)tap, (void)start;
	return 0;
}

static void must(int ok, const char *what, const char *why)
{
	if (ok)
		return;
	fprintf(stderr, "forward: %s: %s\n", what, why);
	exit(2);
}

static void bridge(struct td_rig *rig, struct td_context_id context, uint32_t call_idx)
{
	struct td_member a = { TD_MEMBER_STREAM, rig->streams[2 * call_idx].id.v };
	struct td_member b = { TD_MEMBER_STREAM, rig->streams[2 * call_idx + 1].id.v };
	struct td_cell cells[2] = { { a, b, TD_GAIN_UNITY }, { b, a, TD_GAIN_UNITY } };

	td_bench_edit(&rig->bench, context, cells, 2);
}

// The parties' addresses, and a random order of all streams.
static void make_feeds(struct td_rig *rig, uint64_t seed)
{
	for (uint32_t i = 0; i < rig->stream_count; i++) {
		struct feed *feed = &rig->feeds[i];
		const struct td_bench_stream *stream = &rig->streams[i];

		memcpy(&feed->source_be, stream->remote.addr, 4);
		memcpy(&feed->destination_be, stream->local.addr, 4);
		feed->source_port_be = stream->remote.port_be;
		feed->destination_port_be = stream->local.port_be;
		feed->party = i;
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

static void connect_party(struct td_rig *rig, uint32_t index)
{
	struct td_bench_stream *stream = &rig->streams[index];

	if (rig->parties != NULL)
		td_bench_protect(&rig->bench, stream, TD_CODEC_PCMU, 0,
				 td_parties_say(rig->parties, index),
				 td_parties_hear(rig->parties, index));
	else
		td_bench_connect(&rig->bench, stream, TD_CODEC_PCMU, 0, NULL);
}

struct td_rig *td_rig_create(uint32_t streams, const char *port_name, struct rte_mempool *pool,
			     uint64_t seed)
{
	return td_rig_create_protected(streams, port_name, pool, seed, NULL);
}

struct td_rig *td_rig_create_protected(uint32_t streams, const char *port_name,
				       struct rte_mempool *pool, uint64_t seed,
				       const struct td_rig_protection *protection)
{
	struct td_rig *rig = calloc(1, sizeof *rig);
	struct td_bench_options options = { .name = port_name,
					    .pool = pool,
					    .seed = seed,
					    .recorder.open = record_nothing,
					    .tap_lines = TD_TAP_LINES };
	struct td_context_id *contexts;

	must(rig != NULL, "rig", "no memory");
	rig->calls = streams < 2 ? 1 : streams / 2;
	rig->stream_count = options.stream_count = rig->calls * 2;
	rig->sent_bytes = FRAME_BYTES;
	if (protection != NULL) {
		rig->parties = td_parties_create(rig->stream_count, protection);
		must(rig->parties != NULL, "parties", "no memory");
		if (protection->hears)
			rig->sent_bytes =
				(uint16_t)(FRAME_BYTES + td_parties_trailer(rig->parties));
	}
	rig->streams = calloc(rig->stream_count, sizeof *rig->streams);
	rig->feeds = calloc(rig->stream_count, sizeof *rig->feeds);
	contexts = calloc(rig->calls, sizeof *contexts);
	must(rig->streams && rig->feeds && contexts, "rig", "no memory");
	td_bench_open(&rig->bench, &options);
	for (uint32_t i = 0; i < rig->calls; i++) {
		contexts[i] = td_bench_context(&rig->bench);
		for (uint32_t j = 2 * i; j < 2 * i + 2; j++)
			rig->streams[j] = td_bench_stream(&rig->bench, contexts[i], j);
	}
	for (uint32_t i = 0; i < rig->stream_count; i++)
		connect_party(rig, i);
	make_feeds(rig, seed);
	td_bench_resolve(&rig->bench);
	for (uint32_t i = 0; i < rig->calls; i++)
		bridge(rig, contexts[i], i);
	rig->contexts = contexts;
	// From here on real time, but for what the feeder takes of it.
	rig->left_ns = td_clock_now_ns();
	rig->stopped_ns = rig->left_ns - rig->bench.now_ns;
	return rig;
}

static uint64_t rig_now_ns(const struct td_rig *rig)
{
	return td_clock_now_ns() - rig->stopped_ns;
}

struct td_tap_ring *td_rig_tap(struct td_rig *rig)
{
	struct td_command command = { .kind = TD_COMMAND_RECORD_START };
	struct td_command_record_start *start = &command.u.record_start;
	struct td_event answer;

	rig->bench.now_ns = rig_now_ns(rig);
	for (uint32_t i = 0; i < rig->calls; i++) {
		start->context = rig->contexts[i];
		start->left = rig->streams[2 * i].id;
		start->right = rig->streams[2 * i + 1].id;
		snprintf(start->name, sizeof start->name, "%u.wav", i);
		td_bench_call(&rig->bench, &command, &answer);
	}
	rig->stopped_ns = td_clock_now_ns() - rig->bench.now_ns;
	rig->left_ns = td_clock_now_ns();
	rig->tapped = td_engine_tap_ring(rig->bench.engine, 0);
	return rig->tapped;
}

void td_rig_destroy(struct td_rig *rig)
{
	rte_pktmbuf_free_bulk(rig->withheld, rig->withheld_count);
	free(rig->contexts);
	td_bench_close(&rig->bench);
	td_parties_destroy(rig->parties);
	td_sprayer_destroy(rig->sprayer);
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
	memcpy(frame, rig->bench.port.mac, 6);
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
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(rig->bench.pool);
	uint8_t *frame = mbuf ? (uint8_t *)rte_pktmbuf_append(mbuf, rig->sent_bytes) : NULL;
	struct rte_ipv4_hdr *ip;
	struct rte_udp_hdr *udp;

	must(frame != NULL, "packets", "the pool is empty");
	memset(frame, TD_PARTIES_FILLER, rig->sent_bytes);
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
		must(rte_ring_enqueue(rig->bench.ring_port.out, make_frame(rig)) == 0, "packets",
		     "the ring is full");
	rig->unspoken = packets;
}

// A frame of ours becomes one that its next party may send.
static void restore_frame(struct rte_mbuf *mbuf)
{
	uint8_t *frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + 14);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(frame + 34);

	mbuf->data_len = FRAME_BYTES;
	mbuf->pkt_len = FRAME_BYTES;
	ip->total_length = htons(FRAME_BYTES - 14);
	udp->dgram_len = htons(FRAME_BYTES - 34);
	memset(frame + TD_BENCH_HEADERS, TD_PARTIES_FILLER, PAYLOAD_BYTES);
}

// The next frame of the order, made of one that went out.
static void say(struct td_rig *rig, struct rte_mbuf *mbuf)
{
	uint32_t party = rig->feeds[rig->feed_next].party;

	if (rig->parties == NULL) {
		address_frame(rig, rte_pktmbuf_mtod(mbuf, uint8_t *));
		return;
	}
	if (rig->unspoken > 0)
		rig->unspoken--;
	else
		must(td_parties_accept(rig->parties, mbuf), "packets", "one is not what it was");
	restore_frame(mbuf);
	address_frame(rig, rte_pktmbuf_mtod(mbuf, uint8_t *));
	must(td_parties_seal(rig->parties, party, mbuf), "packets", "one could not be sealed");
}

static void put_sprayed(struct td_rig *rig)
{
	struct rte_mbuf *mbuf = td_sprayer_make(rig->sprayer, rig->bench.pool);

	must(mbuf != NULL, "spray", "the pool is empty");
	if (rig->spray_withheld) {
		must(rig->withheld_count < WITHHELD_MAX, "spray", "too much at once");
		rig->withheld[rig->withheld_count++] = mbuf;
		return;
	}
	must(rte_ring_enqueue(rig->bench.ring_port.in, mbuf) == 0, "spray", "the ring is full");
	rig->sprayed.packets++;
}

// Into the in ring, with what is sprayed between.
static void put_all(struct td_rig *rig, struct rte_mbuf **mbufs, unsigned count)
{
	struct rte_ring *in = rig->bench.ring_port.in;

	if (rig->spray_each == 0) {
		must(rte_ring_enqueue_bulk(in, (void **)mbufs, count, NULL) == count, "packets",
		     "the ring is full");
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		must(rte_ring_enqueue(in, mbufs[i]) == 0, "packets", "the ring is full");
		for (uint32_t k = 0; k < rig->spray_each; k++)
			put_sprayed(rig);
	}
}

// Moves everything from the out ring to the in ring, readdressed; returns how many packets.
static uint64_t feed(struct td_rig *rig)
{
	struct rte_mbuf *mbufs[32];
	uint64_t fed = 0;
	unsigned count;

	rte_pktmbuf_free_bulk(rig->withheld, rig->withheld_count);
	rig->withheld_count = 0;
	while ((count = rte_ring_dequeue_burst(rig->bench.ring_port.out, (void **)mbufs, 32,
					       NULL)) > 0) {
		unsigned kept = 0;

		for (unsigned i = 0; i < count; i++) {
			if (rig->sprayer != NULL && td_sprayer_knows(mbufs[i]))
				rig->sprayed.injected++;
			// RTCP of ours ends here: the parties do not answer it.
			if (rte_pktmbuf_pkt_len(mbufs[i]) == rig->sent_bytes) {
				say(rig, mbufs[i]);
				fed++;
				mbufs[kept++] = mbufs[i];
			} else if (td_bench_is_media(&rig->bench, mbufs[i])) {
				rte_pktmbuf_free(mbufs[i]);
			}
		}
		put_all(rig, mbufs, kept);
	}
	return fed;
}

void td_rig_rest(struct td_rig *rig)
{
	td_role_enter_worker(0);
	td_worker_detach(rig->bench.worker);
}

void td_rig_wake(struct td_rig *rig)
{
	td_worker_attach(rig->bench.worker, rig_now_ns(rig));
}

struct td_worker *td_rig_worker(struct td_rig *rig)
{
	return rig->bench.worker;
}

const char *td_rig_drop_reason(const struct td_rig *rig)
{
	return td_bench_drop_reason(&rig->bench);
}

uint64_t td_rig_run(struct td_rig *rig, uint64_t packets, uint64_t *lost)
{
	struct td_worker *worker = rig->bench.worker;
	const struct td_worker_stats *stats = worker->stats;
	uint64_t goal = stats->forwarded + packets, dropped = td_bench_drops(&rig->bench),
		 tap_lost = stats->tap_lost, cpu_ns = 0;

	td_role_enter_worker(0);
	rig->stopped_ns += td_clock_now_ns() - rig->left_ns;
	while (stats->forwarded < goal) {
		uint64_t start_ns, fed, stop_ns = td_clock_now_ns();

		fed = feed(rig);
		td_bench_drain(&rig->bench);
		rig->stopped_ns += td_clock_now_ns() - stop_ns;
		if (fed == 0)
			break;
		start_ns = td_cpu_ns();
		while (!rte_ring_empty(rig->bench.ring_port.in))
			td_worker_turn(worker, rig_now_ns(rig));
		cpu_ns += td_cpu_ns() - start_ns;
		// The recorder's time is not the worker's.
		while (rig->tapped != NULL && td_tap_peek(rig->tapped) != NULL)
			;
	}
	*lost += td_bench_drops(&rig->bench) - dropped + stats->tap_lost - tap_lost;
	rig->left_ns = td_clock_now_ns();
	return cpu_ns;
}

void td_rig_spray(struct td_rig *rig, uint32_t each, bool withheld)
{
	if (rig->sprayer == NULL)
		rig->sprayer = td_sprayer_create(rig->streams, rig->stream_count,
						 rig->bench.port.mac, rig->sent_bytes, SPRAY_SEED);
	must(rig->sprayer != NULL, "spray", "no memory");
	rig->spray_each = each;
	rig->spray_withheld = withheld;
}

uint64_t td_rig_refuse(struct td_rig *rig, uint64_t packets)
{
	uint64_t cpu_ns = 0, goal = rig->sprayed.packets + packets;

	rig->spray_withheld = false;
	td_role_enter_worker(0);
	rig->stopped_ns += td_clock_now_ns() - rig->left_ns;
	while (rig->sprayed.packets < goal) {
		uint64_t start_ns, stop_ns = td_clock_now_ns();

		for (unsigned i = 0; i < 1024; i++)
			put_sprayed(rig);
		td_bench_drain(&rig->bench);
		rig->stopped_ns += td_clock_now_ns() - stop_ns;
		start_ns = td_cpu_ns();
		while (!rte_ring_empty(rig->bench.ring_port.in))
			td_worker_turn(rig->bench.worker, rig_now_ns(rig));
		cpu_ns += td_cpu_ns() - start_ns;
	}
	rig->left_ns = td_clock_now_ns();
	return cpu_ns;
}

struct td_rig_sprayed td_rig_sprayed(const struct td_rig *rig)
{
	return rig->sprayed;
}
