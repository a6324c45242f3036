// An engine, its rings, and what it sends; see the header.
#include "world.h"

#include <stdlib.h>
#include <string.h>

#include <rte_ring.h>
#include <urcu/urcu-qsbr.h>

const struct world_options world_default = { .workers = 1, .streams = 16 };

static int on_open(void *user, struct td_tap_id tap, const struct td_command_record_start *start)
{
	struct world *world = user;

	if (world->open_result != 0)
		return world->open_result;
	world->opened++;
	world->last_opened = tap;
	memcpy(world->last_name, start->name, sizeof world->last_name);
	return 0;
}

static void on_close(void *user, struct td_tap_id tap)
{
	struct world *world = user;

	world->closed++;
	world->last_closed = tap;
}

static int on_note(void *user, const struct td_command_record_note *note)
{
	struct world *world = user;

	world->last_note = *note;
	return world->open_result;
}

static int on_fork_open(void *user, struct td_fork_id fork,
			const struct td_command_fork_start *start, struct td_live **live)
{
	struct world *world = user;

	(void)start;
	if (world->open_result != 0)
		return world->open_result;
	world->forks_opened++;
	world->last_fork = fork;
	*live = world->live;
	return 0;
}

static void on_fork_close(void *user, struct td_fork_id fork)
{
	struct world *world = user;

	world->forks_closed++;
	world->last_fork = fork;
}

// Two prompts of different length and content: "short" 5 frames, "long" 50.
static void make_prompts(struct world *world, bool tones)
{
	static int16_t pcm[50 * 160];
	char reason[TD_PROMPT_REASON_MAX];

	for (size_t i = 0; i < sizeof pcm / sizeof pcm[0]; i++)
		pcm[i] = (int16_t)(i * 37 % 20011 - 10000);
	ck_assert_int_eq(td_prompts_create(UINT32_MAX, NULL, &world->prompts), 0);
	ck_assert_int_eq(td_prompts_add(world->prompts, "short", pcm, 5 * 160 - 10, 8000, reason),
			 0);
	ck_assert_int_eq(td_prompts_add(world->prompts, "long", pcm, 50 * 160, 8000, reason), 0);
	if (tones)
		ck_assert_int_eq(td_prompts_add_tones(world->prompts, reason), 0);
}

static void know(struct world *world, const char *addr, uint8_t last)
{
	struct td_endpoint ep = frame_endpoint(addr, 0);
	uint8_t mac[6] = { 2, 0, 0, 0, 1, last };
	uint32_t index;

	td_role_enter_main();
	ck_assert_int_eq(td_neighbour_get(world->net.neighbours,
					  ep.family == TD_FAMILY_IPV6 ? 1 : 0, &ep, &index),
			 0);
	td_role_enter_worker(0);
	td_neighbour_learn(world->net.neighbours, 0, &ep, mac, true);
}

static void open_region(struct world *world, const struct world_options *options)
{
	struct td_region_sizes sizes = { .worker_count = options->workers,
					 .stream_count = options->streams,
					 .prompt_count = 2 };
	size_t bytes = td_region_bytes(&sizes);

	ck_assert_int_eq(posix_memalign(&world->region_memory, 4096, bytes), 0);
	memset(world->region_memory, 0, bytes);
	td_region_format(world->region_memory, &sizes, 1, 1, &world->region);
	for (uint32_t i = 0; i <= options->workers; i++)
		ck_assert_int_eq(td_region_attach_events(&world->region, i, 0, &world->events[i]),
				 0);
}

static void open_engine(struct world *world, const struct world_options *options)
{
	struct td_engine_options engine = {
		.worker_count = options->workers,
		.stream_count = options->streams,
		.mixed_count = options->mixed,
		.srtp = options->srtp,
		.region = &world->region,
		.demux = world->demux,
		.locals = &world->net.locals,
		.neighbours = world->net.neighbours,
		.pool = world->net.pool,
		.prompts = world->prompts,
		.realtime_offset_ns = 1700000000ull * 1000000000ull,
		.seed = 42,
		.tap_lines = options->tap_lines != 0 ? options->tap_lines : 64,
	};

	if (!options->no_recorder)
		engine.recorder = (struct td_engine_recorder){
			.open = on_open, .close = on_close, .note = on_note, .user = world
		};
	if (options->forks > 0)
		engine.forker = (struct td_engine_forker){ on_fork_open, on_fork_close, world };
	engine.fork_count = options->forks;
	ck_assert_int_eq(td_engine_create(&engine, &world->engine), 0);
}

void world_open(struct world *world, const struct world_options *options)
{
	uint32_t ports = options->port_count != 0 ? options->port_count : 2000;

	memset(world, 0, sizeof *world);
	world->now_ns = 1000000 * WORLD_MS;
	world->workers = options->workers;
	frame_world_open(&world->net);
	if (options->second_address) {
		struct td_local local = { .addr = frame_endpoint("10.88.0.2", 0),
					  .prefix_bits = 24 };

		ck_assert_int_eq(td_locals_add(&world->net.locals, &local), 0);
	}
	open_region(world, options);
	make_prompts(world, options->tones);
	ck_assert_int_eq(td_demux_create(world->net.locals.count, WORLD_PORT,
					 (uint16_t)(WORLD_PORT + ports - 1), 7, &world->demux),
			 0);
	open_engine(world, options);
	world->wire = rte_ring_create("wire", options->wire != 0 ? options->wire : 1024,
				      SOCKET_ID_ANY, 0);
	ck_assert_ptr_nonnull(world->wire);
	for (uint32_t i = 0; i < options->workers; i++) {
		world->tx[i].port_count = 1;
		world->tx[i].ports[0].handover = world->wire;
		world->tx[i].stats = &world->region.workers[i];
	}
	know(world, "10.77.0.1", 1);
	know(world, "10.77.0.10", 10);
	know(world, "10.77.0.20", 20);
	know(world, "10.77.0.30", 30);
	know(world, "fd77::10", 110);
	know(world, "fd77::20", 120);
}

// rx_packets + steered_in = consumed + forwarded + steered_out + drops, the transmit side aside.
static void check_accounts(const struct world *world)
{
	for (uint32_t i = 0; i < world->workers; i++) {
		const struct td_worker_stats *stats = &world->region.workers[i];
		uint64_t drops = 0;

		for (unsigned drop = 0; drop < TD_DROP_COUNT; drop++)
			drops += stats->drops[drop];
		drops -= stats->drops[TD_DROP_SEAL_REFUSED] + stats->drops[TD_DROP_TX_FULL] +
			 stats->drops[TD_DROP_POOL_EMPTY];
		ck_assert_msg(world->handed[i] == stats->consumed + stats->forwarded + drops,
			      "worker %u: %lu in, %lu consumed, %lu forwarded, %lu dropped", i,
			      (unsigned long)world->handed[i], (unsigned long)stats->consumed,
			      (unsigned long)stats->forwarded, (unsigned long)drops);
	}
}

void world_close(struct world *world)
{
	check_accounts(world);
	world_clear(world);
	td_engine_destroy(world->engine);
	td_prompts_destroy(world->prompts);
	td_demux_destroy(world->demux);
	rte_ring_free(world->wire);
	free(world->region_memory);
	frame_world_close(&world->net);
}

static void catch_one(struct world *world, struct rte_mbuf *mbuf)
{
	struct world_sent *sent = &world->out[world->out_count++];
	uint8_t *frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	uint32_t l2_len = frame[12] == 0x81 ? 18 : 14; // with a VLAN tag or without
	bool v6 = frame[l2_len - 2] == 0x86;
	uint8_t *ip = frame + l2_len, *udp = ip + (v6 ? 40 : 20);

	memset(sent, 0, sizeof *sent);
	sent->mbuf = mbuf;
	// An IPv4 datagram may go without checksum; which ones may is the tests' business.
	if (l2_len == 14 && (v6 || udp[6] != 0 || udp[7] != 0))
		ck_assert(frame_checksums_right(mbuf));
	ck_assert_uint_eq(mbuf->nb_segs, 1);
	ck_assert_uint_eq(mbuf->pkt_len, mbuf->data_len);
	sent->source.family = v6 ? TD_FAMILY_IPV6 : TD_FAMILY_IPV4;
	sent->destination.family = sent->source.family;
	memcpy(sent->source.addr, ip + (v6 ? 8 : 12), v6 ? 16 : 4);
	memcpy(sent->destination.addr, ip + (v6 ? 24 : 16), v6 ? 16 : 4);
	memcpy(&sent->source.port_be, udp, 2);
	memcpy(&sent->destination.port_be, udp + 2, 2);
	sent->udp_payload = udp + 8;
	sent->udp_payload_len = (uint16_t)((udp[4] << 8 | udp[5]) - 8);
	ck_assert_uint_eq((size_t)(udp + 8 - frame) + sent->udp_payload_len, mbuf->data_len);
	sent->is_rtcp = td_rtp_is_rtcp(sent->udp_payload[1]) != 0;
	if (!sent->is_rtcp)
		ck_assert_int_eq(td_rtp_parse(sent->udp_payload, sent->udp_payload_len, &sent->rtp),
				 0);
}

static void catch_all(struct world *world)
{
	void *mbuf;

	for (uint32_t i = 0; i < world->workers; i++)
		td_tx_flush(&world->tx[i]);
	while (rte_ring_dequeue(world->wire, &mbuf) == 0) {
		ck_assert_uint_lt(world->out_count, WORLD_OUT_MAX);
		catch_one(world, mbuf);
	}
}

void world_clear(struct world *world)
{
	catch_all(world);
	for (uint32_t i = 0; i < world->out_count; i++)
		rte_pktmbuf_free(world->out[i].mbuf);
	world->out_count = 0;
}

static void hand_over(struct world *world, struct td_packet *packet, uint32_t entry)
{
	uint32_t owner = td_demux_worker(entry);
	struct td_media_worker *media = td_engine_worker(world->engine, owner);

	packet->stream = td_demux_stream(entry);
	packet->flags |= td_packet_is_looked_into(packet) ? TD_PACKET_LOOK : 0;
	world->handed[owner]++;
	td_role_enter_worker(owner);
	if (entry & TD_DEMUX_RTCP)
		td_media_rtcp(media, packet, 1, world->now_ns, &world->tx[owner]);
	else if (td_media_sift(media, packet, 1, world->now_ns) > 0)
		td_media_rtp(media, packet, 1, world->now_ns, &world->tx[owner]);
	catch_all(world);
}

// What was parked is looked up again, as a worker's loop does.
static void unpark(struct world *world, uint32_t worker)
{
	struct td_packet packets[16];
	uint32_t count;

	td_role_enter_worker(worker);
	count = td_media_unpark(td_engine_worker(world->engine, worker), packets, 16);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t entry = td_demux_lookup(world->demux, packets[i].local,
						 __builtin_bswap16(packets[i].local_port_be));

		ck_assert(entry & TD_DEMUX_OPEN);
		world->handed[worker]--;
		hand_over(world, &packets[i], entry);
	}
}

void world_workers(struct world *world)
{
	for (uint32_t i = 0; i < world->workers; i++) {
		td_role_enter_worker(i);
		while (td_media_changes(td_engine_worker(world->engine, i), world->now_ns) > 0)
			continue;
		unpark(world, i);
	}
	td_role_enter_worker(0);
}

void world_turn(struct world *world)
{
	world_workers(world);
	td_role_enter_main();
	td_engine_housekeep(world->engine, world->now_ns);
	world_workers(world);
	td_role_enter_worker(0);
}

void world_command_only(struct world *world, struct td_command *command)
{
	command->request_id = ++world->request;
	if (command->deadline_ns == 0)
		command->deadline_ns = world->now_ns + 2000 * WORLD_MS;
	td_role_enter_main();
	td_engine_command(world->engine, command, world->now_ns);
	td_role_enter_worker(0);
}

bool world_event(struct world *world, uint32_t kind, struct td_event *event)
{
	for (uint32_t i = 0; i <= world->workers; i++) {
		while (td_ring_pop(&world->events[i], event) == 0) {
			ck_assert_uint_eq(event->thread, i);
			if (event->kind == kind)
				return true;
		}
	}
	return false;
}

struct td_event world_command(struct world *world, struct td_command *command)
{
	struct td_event event;

	world_command_only(world, command);
	world_turn(world);
	ck_assert_msg(world_event(world, TD_EVENT_DONE, &event), "no answer to %s",
		      td_command_name(command->kind));
	ck_assert_uint_eq(event.request_id, command->request_id);
	ck_assert_uint_eq(event.command, command->kind);
	return event;
}

int world_simple(struct world *world, uint32_t kind, uint32_t handle)
{
	struct td_command command = { .kind = kind };

	command.u.context_destroy.v = handle; // all handles lie at the same place
	return world_command(world, &command).result;
}

struct td_event world_do(struct world *world, struct td_command *command)
{
	struct td_event event = world_command(world, command);

	ck_assert_msg(event.result == 0, "%s: %s", td_command_name(command->kind),
		      td_error_name(event.result));
	return event;
}

bool world_send(struct world *world, const struct frame *frame)
{
	struct rte_mbuf *mbuf = frame_mbuf(world->net.pool, frame);
	struct td_packet packet;
	uint32_t entry;

	ck_assert_int_eq(frame_parse(&world->net, mbuf, &packet), 0);
	entry = td_demux_lookup(world->demux, packet.local,
				__builtin_bswap16(packet.local_port_be));
	if (!(entry & TD_DEMUX_OPEN)) {
		rte_pktmbuf_free(mbuf);
		return false;
	}
	hand_over(world, &packet, entry);
	return true;
}

void world_ticks(struct world *world, uint32_t ms)
{
	for (uint32_t i = 0; i < ms; i++) {
		world->now_ns += WORLD_MS;
		for (uint32_t w = 0; w < world->workers; w++) {
			td_role_enter_worker(w);
			td_media_tick(td_engine_worker(world->engine, w),
				      (uint32_t)(world->now_ns / WORLD_MS % TD_MEDIA_SLOTS),
				      world->now_ns, &world->tx[w]);
		}
	}
	catch_all(world);
}

uint64_t world_drop(const struct world *world, enum td_drop drop)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < world->workers; i++)
		sum += world->region.workers[i].drops[drop];
	return sum;
}

struct td_stream_stats world_stats(struct world *world, struct td_stream_id stream)
{
	struct td_stream_stats stats;
	uint32_t index = td_handle_index(stream.v);
	struct td_media_worker *worker = td_engine_worker(world->engine, 0);

	td_media_fill_stats(worker, index, &stats);
	return stats;
}
