// The real dataplane, all of it but the threads: engine, demux, neighbours and one worker whose
// turns the benchmark takes itself, on a port of rings.
//
//   the benchmark --> in ring --> turns of the worker --> out ring --> the benchmark
//
// Time is `now_ns`: nothing but the benchmark moves it, so what is done by the clock (ticks,
// reports, mirrors) has its true share of the measured turns however long the rest takes. Main and
// worker are one thread. Whatever fails ends the program with a sentence and status 2.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "media/engine.h"
#include "net/demux.h"
#include "net/local.h"
#include "net/neighbour.h"
#include "net/port.h"
#include "rig/ring_port.h"
#include "td_region.h"
#include "worker/workers.h"

#define TD_BENCH_HEADERS     54u         // Ethernet, IPv4, UDP, RTP
#define TD_BENCH_REMOTE_BASE 0x0ac90000u // 10.201.0.0: the parties, a port each

struct td_bench_options {
	const char *name;      // of the port, unique in the process
	uint32_t stream_count; // streams at once, and contexts, and players
	uint32_t mixed_count;  // of them mixed at once; 0: the engine's default
	const struct td_prompts *prompts;
	struct rte_mempool *pool;
	uint64_t seed;
	struct td_engine_recorder recorder; // none: nothing can be recorded
	uint32_t tap_lines;                 // 0: next to none
	uint32_t worker_count;              // 0: one; more have a queue of the port each
};

struct td_bench {
	struct td_ring_port ring_port;
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
	struct td_worker *worker; // the first
	uint32_t worker_count;
	struct td_ring_view events[TD_WORKER_MAX + 1];
	uint64_t request_id;
	uint64_t now_ns;
	uint32_t stream_count;
};

// A party outside and the stream that talks to it.
struct td_bench_stream {
	struct td_stream_id id;
	struct td_endpoint local, remote;
};

// Starts DPDK without devices on these cores ("0", "0,1"), on huge pages unless TANDEM_NO_HUGE is
// set, and makes a pool. The calling thread is pinned to the first of them.
struct rte_mempool *td_bench_eal(const char *name, const char *cores, uint32_t mbufs);

void td_bench_open(struct td_bench *bench, const struct td_bench_options *options);
void td_bench_close(struct td_bench *bench);

// Executes one command to its answer, taking the worker's turns meanwhile. It must succeed.
void td_bench_call(struct td_bench *bench, struct td_command *command, struct td_event *answer);
struct td_context_id td_bench_context(struct td_bench *bench);
// A stream whose party is the `index`-th.
struct td_bench_stream td_bench_stream(struct td_bench *bench, struct td_context_id context,
				       uint32_t index);
// Its party's address becomes known: 20 ms of `codec`, no events, no comfort noise.
void td_bench_connect(struct td_bench *bench, const struct td_bench_stream *stream,
		      enum td_codec_id codec, uint8_t payload_type,
		      const struct td_codec_settings *settings);
// The same with keys: what its party seals with, and opens with; NULL: plain.
void td_bench_protect(struct td_bench *bench, const struct td_bench_stream *stream,
		      enum td_codec_id codec, uint8_t payload_type,
		      const struct td_srtp_master *says, const struct td_srtp_master *hears);
void td_bench_edit(struct td_bench *bench, struct td_context_id context,
		   const struct td_cell *cells, uint32_t count);
// Turns without packets until the gateway's answer to our question has come and been taken.
void td_bench_resolve(struct td_bench *bench);

// One turn of the worker; of each, on the calling thread.
void td_bench_turn(struct td_bench *bench);
// Control takes its events.
void td_bench_drain(struct td_bench *bench);
// Housekeeping of main, and control takes its events. Then the thread is the worker again.
void td_bench_housekeep(struct td_bench *bench);

// Writes a party's packet, checksums and all, for `payload_sum` = rte_raw_cksum of its payload.
struct td_bench_packet {
	const struct td_bench_stream *stream;
	const uint8_t *payload;
	uint16_t payload_bytes, payload_sum;
	uint16_t sequence;
	uint32_t timestamp, ssrc;
	uint8_t payload_type;
};
void td_bench_write(const struct td_bench *bench, const struct td_bench_packet *packet,
		    struct rte_mbuf *mbuf);
// Takes a frame that the switch has sent. False: it was ARP, and is answered or gone.
bool td_bench_is_media(struct td_bench *bench, struct rte_mbuf *mbuf);

// Whose packet it is, by its destination; its stream is the `index`-th.
uint32_t td_bench_party(const uint8_t *frame);

uint64_t td_bench_drops(const struct td_bench *bench);
// The most frequent drop reason so far.
const char *td_bench_drop_reason(const struct td_bench *bench);
