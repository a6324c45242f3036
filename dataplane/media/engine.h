// The media engine: every context, stream, player and tap of the process, seen from the main
// thread. What workers call is in media/worker.h.
//
//   command ring -> td_engine_command -> checks, pools, plan compiler
//                        |                                  | error: DONE on main's event ring
//                        v change (td_ring, one a worker)
//                     worker: td_media_changes -> applied -> DONE on the worker's event ring
//                        |
//                        v note (td_ring back)
//                     td_engine_housekeep -> next hops, moves, old plans, freed handles after a
//                                            QSBR grace period
//
// The engine owns its pools, rings, inlets, outlets and the hot arrays, all taken at creation. What
// grows is the main thread's: each context's matrix and plan, and the resamplers that plans need. A
// full pool answers -TD_EFULL, want of memory -TD_EMEMORY, a full change ring or a move under way
// -TD_EBUSY, and nothing has changed. A context and its members live on one worker: the one with
// the fewest streams at its creation, until it is moved.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "td_command.h"
#include "td_error.h"
#include "td_event.h"
#include "td_region.h"
#include "td_role.h"
#include "td_srtp.h"

struct rte_mempool;
struct td_demux;
struct td_engine;
struct td_live;
struct td_locals;
struct td_media_worker;
struct td_neighbours;
struct td_prompts;
struct td_tap_ring;

// What the recorder does for the engine. Called on the main thread, must not block for long.
struct td_engine_recorder {
	// A recording begins: records with this tap index will follow on the worker's tap ring.
	// 0 or -TD_E*; the error answers the RECORD_START and nothing else happens.
	int (*open)(void *user, struct td_tap_id tap, const struct td_command_record_start *start);
	// No record of this tap follows any more: finish it, then report it closed.
	void (*close)(void *user, struct td_tap_id tap);
	// Pause, mask, resume, mark: about what came at or after now_ns. May be NULL. Workers see to it
	// that nothing comes in a pause, and that what comes while masked has TD_TAP_MASKED and no
	// payload; so it has in a context that is private, of which nothing is told here.
	void (*control)(void *user, const struct td_command_record_control *control,
			uint64_t now_ns);
	// For the sidecar. 0, or -TD_EFULL when too many wait already. NULL: -TD_EUNSUPPORTED.
	int (*note)(void *user, const struct td_command_record_note *note);
	void *user;
};

// What the forker does for the engine; likewise.
struct td_engine_forker {
	// A fork begins: records with its index will follow on the workers' fork rings. *live, if it
	// is set, feeds a player, and stays until close. An error answers the FORK_START.
	int (*open)(void *user, struct td_fork_id fork, const struct td_command_fork_start *start,
		    struct td_live **live);
	// No record of it follows any more and no worker holds its *live: finish it, then report it
	// closed.
	void (*close)(void *user, struct td_fork_id fork);
	void *user;
};

struct td_engine_options {
	uint32_t worker_count; // 1 to TD_WORKER_MAX
	uint32_t stream_count; // handles at once, 1 to TD_STREAM_MAX
	uint32_t mixed_count;  // streams decoded or encoded for at once; 0: up to 4,096
	const struct td_region
		*region; // formatted; all of these are borrowed and outlive the engine
	struct td_demux *demux;
	const struct td_locals *locals;
	struct td_neighbours *neighbours;
	struct rte_mempool *pool;           // for packets of our own
	const struct td_prompts *prompts;   // may be NULL: no prompts
	struct td_engine_recorder recorder; // open NULL: RECORD_START answers -TD_EUNSUPPORTED
	struct td_engine_forker forker;     // open NULL: FORK_START answers -TD_EUNSUPPORTED
	uint32_t fork_count;                // at once, up to TD_FORK_MAX; 0: none
	uint64_t
		realtime_offset_ns; // CLOCK_REALTIME - CLOCK_MONOTONIC at start, for RTCP's NTP time
	uint64_t seed;              // SSRCs, first sequence numbers and timestamps, CNAME
	uint32_t tap_lines;         // per worker, a power of two from 64; 0: TD_TAP_LINES
	enum td_srtp_engine_kind srtp;
};

// -TD_EINVALID, -TD_EMEMORY; -TD_EUNSUPPORTED: `srtp` cannot be had here.
TD_MUST_CHECK int td_engine_create(const struct td_engine_options *options, struct td_engine **out);
// After the workers have stopped.
void td_engine_destroy(struct td_engine *engine);

struct td_media_worker *td_engine_worker(struct td_engine *engine, uint32_t worker);
struct td_tap_ring *td_engine_tap_ring(struct td_engine *engine, uint32_t worker);
// NULL when there are no forks.
struct td_tap_ring *td_engine_fork_ring(struct td_engine *engine, uint32_t worker);

// What its SRTP is done by; never AUTO.
enum td_srtp_engine_kind td_engine_srtp(const struct td_engine *engine);

// Executes one command popped from the command ring. Its one DONE event follows, from main's ring
// (errors and what concerns no worker) or from the owning worker's. Never fails itself.
void td_engine_command(struct td_engine *engine, const struct td_command *command, uint64_t now_ns)
	TD_MAIN;

// True while something moves from one worker to another: commands answer -TD_EBUSY until the
// housekeeping has seen it arrive, so they are better left on their ring.
bool td_engine_in_transit(const struct td_engine *engine) TD_MAIN;

// About once a millisecond: takes what workers and the recorder reported, resolves learned
// addresses, recycles what a grace period has passed for. Returns how many things it did.
uint32_t td_engine_housekeep(struct td_engine *engine, uint64_t now_ns) TD_MAIN;

// Pushes an event on main's ring, numbered and stamped by the engine. -TD_EFULL: counted, lost.
TD_MUST_CHECK int td_engine_post(struct td_engine *engine, struct td_event *event, uint64_t now_ns)
	TD_MAIN;

// The recorder thread hands over a RECORD_FAILED or RECORD_CLOSED event (kind, result and
// u.recording filled); the housekeeping posts it and, for CLOSED, frees the tap. -TD_EFULL: try
// again later.
TD_MUST_CHECK int td_engine_record_event(struct td_engine *engine, const struct td_event *event)
	TD_RECORDER;

// The forker thread hands over a FORK_* event; likewise.
TD_MUST_CHECK int td_engine_fork_event(struct td_engine *engine,
				       const struct td_event *event) TD_FORKER;

// Live contexts, streams, players, taps and forks.
struct td_engine_counts {
	uint32_t contexts, streams, players, taps, forks;
	uint32_t waiting; // freed, not yet reusable
};
void td_engine_count(const struct td_engine *engine, struct td_engine_counts *counts) TD_MAIN;
