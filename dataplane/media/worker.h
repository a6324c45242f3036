// What the loop of a worker calls in the media room, once a turn, in this order:
//
//   td_media_sift       RTP ports: what no stream would take whatever it holds is dropped
//   td_media_rtp        RTP ports: source lock, statistics, then rewritten and pushed to tx for
//                       those who hear it alone, and into the inlet for those who hear it mixed
//   td_media_rtcp       RTCP ports
//   td_media_tick       for every 1 ms slot that has become due: contexts of that slot are mixed,
//                       digits are sent, players play
//   td_media_sweep      reports, mirrors, counters, a few streams a call
//   td_media_changes    what main wants changed
//   td_media_unpark     what came while its stream was between two workers, to be looked up again;
//                       then the loop reports quiescent
//
// Every packet handed in is sent, consumed, or freed under exactly one drop counter; or parked, and
// then handed in again. Nothing here blocks, allocates (but mbufs from the pool), logs or makes a
// system call. `stats` is the worker's block in the region: forwarded, originated, consumed,
// tap_lost, fork_lost, events_lost, live counts and the drops of these stages are counted here, everything else
// by the loop.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_prefetch.h>

#include "media/stream.h"
#include "net/packet.h"
#include "net/tx.h"
#include "td_role.h"

#define TD_MEDIA_SLOTS   20 // 1 ms each, of the 20 ms media tick
#define TD_MEDIA_SLOT_NS 1000000ull
#define TD_MEDIA_VECTOR  64 // packets worked on at once inside; n may be larger

struct td_media_worker;
struct td_stage_clock;

// Times the turns: its owner brackets them, all stages say when they begin.
struct td_stage_clock *td_media_stages(struct td_media_worker *worker);

// The array of hot streams, to prefetch what td_media_rtp will read of each.
struct td_stream *td_media_streams(struct td_media_worker *worker);
// It will look into the payload of some packets: not in a build that measures nothing.
bool td_media_looks(void);

// Drops what comes from where nobody would be believed, before any of it is opened, if a stream of this
// worker is protected; as many as a burst. What is left is closed up for td_media_rtp, and its number
// returned.
uint32_t td_media_sift(struct td_media_worker *worker, struct td_packet *packets, uint32_t n,
		       uint64_t now_ns) TD_WORKER;

// Takes the packets' mbufs. All have kind TD_PACKET_UDP and a stream index of this worker's.
void td_media_rtp(struct td_media_worker *worker, struct td_packet *packets, uint32_t n,
		  uint64_t now_ns, struct td_tx *tx) TD_WORKER;
void td_media_rtcp(struct td_media_worker *worker, struct td_packet *packets, uint32_t n,
		   uint64_t now_ns, struct td_tx *tx) TD_WORKER;

// Slot 0 to TD_MEDIA_SLOTS - 1; each is due every 20 ms. Returns packets sent.
uint32_t td_media_tick(struct td_media_worker *worker, uint32_t slot, uint64_t now_ns,
		       struct td_tx *tx) TD_WORKER;

// Visits the streams that have become due since the last call: each about once a second, up to
// 50,000 a second in all. Returns how many.
uint32_t td_media_sweep(struct td_media_worker *worker, uint64_t now_ns, struct td_tx *tx)
	TD_WORKER;

// At most `max` packets that were parked while their stream moved between workers and are to be
// looked up again now; gives their mbufs to the caller.
uint32_t td_media_unpark(struct td_media_worker *worker, struct td_packet *packets, uint32_t max)
	TD_WORKER;

// Applies what the main thread has sent, at most a bounded number a call. Returns how many.
uint32_t td_media_changes(struct td_media_worker *worker, uint64_t now_ns) TD_WORKER;
