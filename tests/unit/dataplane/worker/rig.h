// A whole dataplane on the test's own thread: a port made of two rte_rings, the real engine, real
// workers whose turns the test calls one by one, under a clock the test moves.
//
//   rig_inject -> [ to_us ] -> port -> worker turns -> port -> [ from_us ] -> rig_take
#pragma once

#include <rte_ring.h>

#include "../net/frame.h"
#include "media/engine.h"
#include "net/demux.h"
#include "td_region.h"
#include "worker/workers.h"

#define RIG_STREAMS  64
#define RIG_SENT_MAX 1023 // frames sent and not yet taken; more are refused by the port

struct rig {
	struct frame_world world; // addresses, neighbours, pool
	struct rte_ring *to_us, *from_us;
	struct td_demux *demux;
	void *region_memory;
	struct td_region region;
	struct td_ring_view events[TD_WORKER_MAX + 1];
	struct td_engine *engine;
	struct td_workers *workers;
	uint64_t now_ns;
	uint64_t request_id;
	bool threaded;                    // the workers turn by themselves, by the real clock
	const struct td_prompts *prompts; // for rig_open, or NULL
	void (*on_turn)(bool begins);     // around each turn of a worker, or NULL
};

void rig_open(struct rig *rig, uint32_t worker_count);
// The same with prompts (borrowed) for players.
void rig_open_with(struct rig *rig, uint32_t worker_count, const struct td_prompts *prompts);
// Fails the test when an mbuf is missing.
void rig_close(struct rig *rig);

void rig_inject(struct rig *rig, const struct frame *frame);
// The next frame sent, or NULL. The caller frees it.
struct rte_mbuf *rig_take(struct rig *rig);
// Throws away what was sent; returns how many frames.
unsigned rig_flush(struct rig *rig);

// One turn of each worker, the clock not moved.
void rig_turn(struct rig *rig);
// `ms` milliseconds, each with a turn of each worker and the main thread's housekeeping.
void rig_run(struct rig *rig, unsigned ms);

// Submits a command, lets everybody turn until its DONE comes; fails the test if none does.
struct td_event rig_command(struct rig *rig, struct td_command *command);
struct td_context_id rig_context(struct rig *rig);
struct td_event_stream_created rig_stream(struct rig *rig, struct td_context_id context);
// PCMU from and to `addr`:`port`, not learned.
void rig_remote(struct rig *rig, struct td_stream_id stream, const char *addr, uint16_t port);
// `from` is heard by `to`.
void rig_hear(struct rig *rig, struct td_context_id context, struct td_stream_id from,
	      struct td_stream_id to);

// A PCMU packet from `addr`:`port` to our `local_port`.
void rig_rtp(struct frame *frame, const char *addr, uint16_t port, uint16_t local_port,
	     uint16_t sequence);

// rx + steered in = consumed + forwarded + steered out + drops of the receiving side, over all workers.
void rig_check_identity(const struct rig *rig);
uint64_t rig_drops(const struct rig *rig, enum td_drop drop);
