// One engine with real mbufs, a port table and next hops, driven by one thread as main and worker.
//
//   world_send: frame -> parse -> demux -> media stage -> what came out is in world.out
//
// Frames sent are caught on a ring instead of a device. Every test ends in world_close, which fails
// when an mbuf is missing or when the packets of a worker do not add up.
#pragma once

#include <stdint.h>

#include <check.h>

#include "../net/frame.h"
#include "media/engine.h"
#include "media/live.h"
#include "media/prompts.h"
#include "media/tap.h"
#include "media/worker.h"
#include "media/worker_state.h"
#include "net/demux.h"
#include "net/tx.h"
#include "rtp/header.h"
#include "td_region.h"

#define WORLD_OUT_MAX 512
#define WORLD_MS      1000000ull
#define WORLD_PORT    20000

struct world_options {
	uint32_t workers, streams, tap_lines, port_count;
	uint32_t wire;  // packets that may be sent in one go, a power of two; 0: 1,024
	uint32_t mixed; // inlets and outlets; 0: as the engine has it
	enum td_srtp_engine_kind srtp;
	bool no_recorder;
	bool tones;          // "dtmf.5" and the like are there as prompts
	uint32_t forks;      // at once
	bool second_address; // 10.88.0.2/24, without a gateway, as local address 2
};

// A frame that was sent, taken apart.
struct world_sent {
	struct rte_mbuf *mbuf;
	struct td_endpoint source, destination;
	struct td_rtp_header rtp; // when it parses as RTP
	const uint8_t *udp_payload;
	uint16_t udp_payload_len;
	bool is_rtcp;
};

struct world {
	struct frame_world net;
	void *region_memory;
	struct td_region region;
	struct td_demux *demux;
	struct td_prompts *prompts;
	struct td_engine *engine;
	struct td_tx tx[TD_WORKER_MAX];
	struct rte_ring *wire;
	struct td_ring_view events[1 + TD_WORKER_MAX];
	struct world_sent out[WORLD_OUT_MAX];
	uint32_t out_count;
	uint64_t now_ns;
	uint64_t request;
	uint32_t workers;
	// What the recorder was told.
	int open_result;
	uint32_t opened, closed;
	struct td_tap_id last_opened, last_closed;
	char last_name[TD_FILE_NAME_MAX];
	struct td_command_record_note last_note;
	// What the forker was told, and what it answers.
	struct td_live *live;
	uint32_t forks_opened, forks_closed;
	struct td_fork_id last_fork;
	// Packets handed to each worker, for the accounting identity.
	uint64_t handed[TD_WORKER_MAX];
};

// A party: one stream and the endpoint that plays its peer.
struct world_party {
	struct td_stream_id id;
	struct td_endpoint local;
	const char *addr;
	uint16_t port;
	uint32_t ssrc, timestamp;
	uint16_t sequence;
	uint8_t payload_type;
};

extern const struct world_options world_default;

void world_open(struct world *world, const struct world_options *options);
void world_close(struct world *world);

// Executes a command: main, then all workers, then main again. The DONE event, its result inside.
struct td_event world_command(struct world *world, struct td_command *command);
// A command that has but the handle of what it is about: its result.
int world_simple(struct world *world, uint32_t kind, uint32_t handle);
// The same with result 0 asserted.
struct td_event world_do(struct world *world, struct td_command *command);
// Commands pushed, not answered yet: changes stay in the ring.
void world_command_only(struct world *world, struct td_command *command);
// Changes of all workers, and nothing of the main thread.
void world_workers(struct world *world);
// One turn of all workers and of the main thread's housekeeping.
void world_turn(struct world *world);
// The next event of any thread that is `kind`; false when there is none (others are skipped).
bool world_event(struct world *world, uint32_t kind, struct td_event *event);

struct td_context_id world_context(struct world *world);
struct td_stream_id world_stream(struct world *world, struct td_context_id context,
				 struct td_endpoint *local);
// A stream with its remote set: PCMU, events on 101 both ways.
void world_party(struct world *world, struct td_context_id context, const char *addr, uint16_t port,
		 uint32_t ssrc, struct world_party *party);
// The SET_REMOTE that world_party sends, to vary.
struct td_command world_set_remote(const struct world_party *party, uint8_t codec);
struct td_player_id world_player(struct world *world, struct td_context_id context, uint32_t prompt,
				 bool loop);
// gain[from][to] = gain for streams; `player` variants for players.
int world_gain(struct world *world, struct td_context_id context, struct td_stream_id from,
	       struct td_stream_id to, int32_t gain);
int world_player_gain(struct world *world, struct td_context_id context, struct td_player_id from,
		      struct td_stream_id to, int32_t gain);
// Both hear each other.
void world_connect(struct world *world, struct td_context_id context, const struct world_party *a,
		   const struct world_party *b);

// A new world with two in one context, at 10.77.0.10:4000 and 10.77.0.20:6000, who do not hear each other.
void world_open_apart(struct world *world, const struct world_options *options,
		      struct td_context_id *context, struct world_party *a, struct world_party *b);
// The same, and they do.
void world_open_two(struct world *world, const struct world_options *options,
		    struct td_context_id *context, struct world_party *a, struct world_party *b);

// Puts an RTP packet of `party` into the world; sequence and timestamp move on.
void world_say(struct world *world, struct world_party *party);
// The same, bytes to vary first: builds without sending.
void world_frame(const struct world_party *party, uint32_t payload_len, struct frame *frame);
// Any frame: parsed, looked up, handed to its worker. False when nobody listens at the port.
bool world_send(struct world *world, const struct frame *frame);
// Runs slot after slot for `ms` milliseconds of the world's clock.
void world_ticks(struct world *world, uint32_t ms);
// Forgets what was sent.
void world_clear(struct world *world);

uint64_t world_drop(const struct world *world, enum td_drop drop);
struct td_stream_stats world_stats(struct world *world, struct td_stream_id stream);
