#include <stdlib.h>

#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include "base/clock.h"
#include "rig.h"
#include "td_role.h"

#define RING_SLOTS 8192

static void open_port(struct rig *rig, uint32_t worker_count)
{
	static unsigned number;
	struct td_port_spec spec = { .name = "ring",
				     .kind = TD_PORT_KIND_NET_RING,
				     .device = "ring",
				     .rx_queues = 1,
				     .workers = (uint16_t)worker_count };
	char name[32], reason[TD_PORT_REASON_MAX];
	int dpdk_port;

	snprintf(name, sizeof name, "to_us%u", number);
	rig->to_us =
		rte_ring_create(name, RING_SLOTS, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
	snprintf(name, sizeof name, "from_us%u", number);
	rig->from_us = rte_ring_create(name, RIG_SENT_MAX + 1, SOCKET_ID_ANY,
				       RING_F_SP_ENQ | RING_F_SC_DEQ);
	snprintf(name, sizeof name, "rig%u", number++);
	ck_assert(rig->to_us && rig->from_us);
	dpdk_port = rte_eth_from_rings(name, &rig->to_us, 1, &rig->from_us, 1, 0);
	ck_assert_int_ge(dpdk_port, 0);
	ck_assert_int_eq(td_port_adopt(&spec, (uint16_t)dpdk_port, rig->world.pool,
				       &rig->world.ports[0], reason),
			 0);
	memcpy(rig->world.ports[0].mac, frame_our_mac, 6);
}

static void open_region(struct rig *rig, uint32_t worker_count)
{
	struct td_region_sizes sizes = { .worker_count = worker_count,
					 .stream_count = RIG_STREAMS };
	size_t bytes = td_region_bytes(&sizes);

	rig->region_memory = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
	ck_assert_ptr_nonnull(rig->region_memory);
	memset(rig->region_memory, 0, bytes);
	td_region_format(rig->region_memory, &sizes, 1, 1, &rig->region);
	for (uint32_t i = 0; i <= worker_count; i++)
		ck_assert_int_eq(td_region_attach_events(&rig->region, i, 0, &rig->events[i]), 0);
}

static void open_engine(struct rig *rig, uint32_t worker_count)
{
	struct td_engine_options options = {
		.worker_count = worker_count,
		.stream_count = RIG_STREAMS,
		.region = &rig->region,
		.demux = rig->demux,
		.locals = &rig->world.locals,
		.neighbours = rig->world.neighbours,
		.pool = rig->world.pool,
		.prompts = rig->prompts,
		.seed = 1,
		.tap_lines = 64,
	};

	ck_assert_int_eq(td_engine_create(&options, &rig->engine), 0);
}

void rig_open(struct rig *rig, uint32_t worker_count)
{
	rig_open_with(rig, worker_count, NULL);
}

void rig_open_with(struct rig *rig, uint32_t worker_count, const struct td_prompts *prompts)
{
	struct td_workers_options options;

	*rig = (struct rig){ .now_ns = 1000000000000ull, .prompts = prompts };
	frame_world_open(&rig->world);
	// Answering and parsing look at this rig's copies, not at the world's first address.
	open_port(rig, worker_count);
	ck_assert_int_eq(td_demux_create(2, 20000, 21023, 1, &rig->demux), 0);
	open_region(rig, worker_count);
	td_role_enter_main();
	open_engine(rig, worker_count);
	options = (struct td_workers_options){
		.worker_count = worker_count,
		.ports = rig->world.ports,
		.port_count = 1,
		.locals = &rig->world.locals,
		.demux = rig->demux,
		.neighbours = rig->world.neighbours,
		.pool = rig->world.pool,
		.engine = rig->engine,
		.stats = rig->region.workers,
	};
	ck_assert_int_eq(td_workers_create(&options, &rig->workers), 0);
	// One thread turns them all, so it is one RCU reader.
	td_worker_attach(rig->workers->workers[0], rig->now_ns);
	for (uint32_t i = 1; i < worker_count; i++) {
		td_slots_init(&rig->workers->workers[i]->slots, rig->now_ns);
		rig->workers->workers[i]->turn_ns = rig->now_ns;
	}
}

void rig_close(struct rig *rig)
{
	struct rte_mbuf *mbuf;

	rig_flush(rig);
	while (rte_ring_dequeue(rig->to_us, (void **)&mbuf) == 0)
		rte_pktmbuf_free(mbuf);
	td_role_enter_worker(0);
	td_worker_detach(rig->workers->workers[0]);
	td_role_enter_main();
	td_workers_destroy(rig->workers);
	td_engine_destroy(rig->engine);
	td_demux_destroy(rig->demux);
	free(rig->region_memory);
	td_port_close(&rig->world.ports[0]);
	rte_eth_dev_close(rig->world.ports[0].dpdk_port);
	rte_ring_free(rig->to_us);
	rte_ring_free(rig->from_us);
	frame_world_close(&rig->world);
}

void rig_inject(struct rig *rig, const struct frame *frame)
{
	ck_assert_int_eq(rte_ring_enqueue(rig->to_us, frame_mbuf(rig->world.pool, frame)), 0);
}

struct rte_mbuf *rig_take(struct rig *rig)
{
	void *mbuf;

	return rte_ring_dequeue(rig->from_us, &mbuf) == 0 ? mbuf : NULL;
}

unsigned rig_flush(struct rig *rig)
{
	struct rte_mbuf *mbuf;
	unsigned count = 0;

	while ((mbuf = rig_take(rig))) {
		rte_pktmbuf_free(mbuf);
		count++;
	}
	return count;
}

void rig_turn(struct rig *rig)
{
	for (uint32_t i = 0; i < rig->workers->worker_count; i++) {
		td_role_enter_worker(i);
		if (rig->on_turn != NULL)
			rig->on_turn(true);
		td_worker_turn(rig->workers->workers[i], rig->now_ns);
		if (rig->on_turn != NULL)
			rig->on_turn(false);
	}
}

static void pass_ms(struct rig *rig)
{
	const struct timespec ms = { .tv_nsec = 1000000 };

	if (rig->threaded) {
		nanosleep(&ms, NULL);
		rig->now_ns = td_clock_now_ns();
	} else {
		rig->now_ns += 1000000;
		rig_turn(rig);
	}
}

void rig_run(struct rig *rig, unsigned ms)
{
	for (unsigned i = 0; i < ms; i++) {
		pass_ms(rig);
		td_role_enter_main();
		td_engine_housekeep(rig->engine, rig->now_ns);
	}
}

static bool find_done(struct rig *rig, uint64_t request_id, struct td_event *event)
{
	for (uint32_t i = 0; i <= rig->workers->worker_count; i++)
		while (td_ring_pop(&rig->events[i], event) == 0)
			if (event->kind == TD_EVENT_DONE && event->request_id == request_id)
				return true;
	return false;
}

struct td_event rig_command(struct rig *rig, struct td_command *command)
{
	struct td_event event;

	command->request_id = ++rig->request_id;
	if (rig->threaded)
		rig->now_ns = td_clock_now_ns();
	command->deadline_ns = rig->now_ns + 2000000000ull;
	td_role_enter_main();
	td_engine_command(rig->engine, command, rig->now_ns);
	for (int i = 0; i < (rig->threaded ? 2000 : 4); i++) {
		if (find_done(rig, command->request_id, &event))
			return event;
		rig_run(rig, 1);
	}
	ck_abort_msg("%s was not answered", td_command_name(command->kind));
	return event;
}

struct td_context_id rig_context(struct rig *rig)
{
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_CREATE };
	struct td_event event = rig_command(rig, &command);

	ck_assert_int_eq(event.result, 0);
	return event.u.context;
}

struct td_event_stream_created rig_stream(struct rig *rig, struct td_context_id context)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_CREATE };
	struct td_event event;

	command.u.stream_create.context = context;
	command.u.stream_create.family = TD_FAMILY_IPV4;
	event = rig_command(rig, &command);
	ck_assert_int_eq(event.result, 0);
	return event.u.stream_created;
}

void rig_remote(struct rig *rig, struct td_stream_id stream, const char *addr, uint16_t port)
{
	struct td_command command = { .kind = TD_COMMAND_STREAM_SET_REMOTE };
	struct td_command_stream_set_remote *remote = &command.u.stream_set_remote;

	*remote = (struct td_command_stream_set_remote){
		.stream = stream,
		.remote = frame_endpoint(addr, port),
		.codec = TD_CODEC_PCMU,
		.event_payload_type = TD_PAYLOAD_TYPE_NONE,
		.event_payload_type_rx = TD_PAYLOAD_TYPE_NONE,
		.cn_payload_type = TD_PAYLOAD_TYPE_NONE,
		.cn_payload_type_rx = TD_PAYLOAD_TYPE_NONE,
		.ptime_ms = 20,
	};
	ck_assert_int_eq(rig_command(rig, &command).result, 0);
}

void rig_hear(struct rig *rig, struct td_context_id context, struct td_stream_id from,
	      struct td_stream_id to)
{
	struct td_command command = { .kind = TD_COMMAND_MATRIX_EDIT };

	command.u.matrix_edit.context = context;
	command.u.matrix_edit.cell_count = 1;
	command.u.matrix_edit.cells[0] = (struct td_cell){
		.from = { TD_MEMBER_STREAM, from.v },
		.to = { TD_MEMBER_STREAM, to.v },
		.gain_q12 = TD_GAIN_UNITY,
	};
	ck_assert_int_eq(rig_command(rig, &command).result, 0);
}

void rig_rtp(struct frame *frame, const char *addr, uint16_t port, uint16_t local_port,
	     uint16_t sequence)
{
	uint32_t timestamp = __builtin_bswap32(sequence * 160u);
	uint8_t *rtp;

	frame_udp(frame, addr, port, "10.77.0.2", local_port, 172);
	rtp = frame->bytes + frame->l4 + 8;
	rtp[0] = 0x80;
	rtp[1] = 0;
	rtp[2] = (uint8_t)(sequence >> 8);
	rtp[3] = (uint8_t)sequence;
	memcpy(rtp + 4, &timestamp, 4);
	memcpy(rtp + 8, "\x11\x22\x33\x44", 4);
	frame_checksums(frame);
}

uint64_t rig_drops(const struct rig *rig, enum td_drop drop)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < rig->workers->worker_count; i++)
		sum += rig->region.workers[i].drops[drop];
	return sum;
}

static bool is_sending_side(enum td_drop drop)
{
	return drop == TD_DROP_SEAL_REFUSED || drop == TD_DROP_TX_FULL ||
	       drop == TD_DROP_POOL_EMPTY;
}

void rig_check_identity(const struct rig *rig)
{
	for (uint32_t i = 0; i < rig->workers->worker_count; i++) {
		const struct td_worker_stats *stats = &rig->region.workers[i];
		uint64_t out = stats->consumed + stats->forwarded + stats->steered_out;

		for (int drop = 0; drop < TD_DROP_COUNT; drop++)
			if (!is_sending_side((enum td_drop)drop))
				out += stats->drops[drop];
		ck_assert_uint_eq(stats->rx_packets + stats->steered_in, out);
	}
}
