// Everything one worker's media stages own; private to the media room.
//
// The arrays are the engine's and shared by index, but each entry belongs to the one worker its
// context lives on, from the change that creates it to the one that destroys it. Nothing here is
// read or written by another thread.
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_mbuf.h>

#include "base/stage_clock.h"
#include "media/change.h"
#include "media/digits.h"
#include "media/lets.h"
#include "media/level.h"
#include "media/plan.h"
#include "media/player.h"
#include "media/protection.h"
#include "media/stream.h"
#include "media/stream_cold.h"
#include "media/stream_taps.h"
#include "media/tap.h"
#include "media/worker.h"
#include "net/neighbour.h"
#include "rtp/header.h"
#include "td_event.h"
#include "td_ring.h"
#include "td_stats.h"

// Who was found talking, and how long that counts.
#define TD_TALKER_MAX 2u
struct td_talkers {
	uint64_t until_ns[TD_TALKER_MAX];
	uint32_t streams[TD_TALKER_MAX];
};

#define TD_CAPTURE_NONE UINT16_MAX

struct td_worker_context {
	// main's, lent: read only; NULL: nobody hears anybody yet
	alignas(TD_CACHE_LINE) struct td_plan *plan;
	struct td_talkers talkers;
	struct td_context_id id;
	uint32_t first_stream, first_player; // TD_INDEX_END
	uint32_t next, previous;             // in the slot's list, while the plan has a rate
	uint32_t digit_count;                // sources of its plan in which a digit is being said
	uint32_t load;                       // of its slot: one, and one a stream
	uint16_t capture; // index of the fork that takes all its packets, TD_CAPTURE_NONE
	uint8_t slot;
	bool ticking : 1;
	bool hush : 1; // private: its streams' taps are told nothing, their digits nobody
};

_Static_assert(sizeof(struct td_worker_context) == TD_CACHE_LINE,
	       "a talker touches one line of it");

#define TD_STASH_MBUFS 32u   // taken from the pool at once
#define TD_STASH_LOW   8u    // when so many are left
#define TD_BYE_MAX     64u   // RTCP BYEs of streams that have ended since the last sweep
#define TD_PARK_MAX    2048u // packets of streams that are between two workers

struct td_media_worker {
	alignas(TD_CACHE_LINE) struct td_stream *streams;
	struct td_stream_cold *cold;
	struct td_stream_taps *taps; // by stream: see td_stream_taps_of
	// By stream: touched by main where something is to be learned, by nobody elsewhere.
	struct td_lock_candidates *candidates;
	// By stream: packets of a wrong source, wraps; without the cold half, of which a spray would pull
	// all through the cache.
	uint32_t *strangers;
	struct td_worker_context *contexts;
	struct td_player *players;
	const struct td_neighbours *neighbours;
	struct td_worker_stats *stats;
	struct td_stage_clock stages;
	struct td_tap_ring *tap_ring, *fork_ring; // fork_ring NULL: no forks
	const _Atomic uint8_t *tap_flags; // by tap: TD_TAP_MASKED, TD_TAP_PAUSED; main writes them
	struct rte_mempool *pool;
	const struct td_prompts *prompts;
	uint32_t index;

	struct td_ring_view changes, notes, events;
	uint64_t event_sequence;
	uint64_t realtime_offset_ns;
	uint64_t random;

	struct td_stream_mirror *mirrors; // the region's
	uint32_t *owned;                  // [stream_count] indexes of live streams, dense
	uint32_t owned_count;
	uint32_t cursor; // the sweep's, in `owned`
	uint64_t sweep_ns;
	uint64_t sweep_credit_ns;

	uint32_t slot_first[TD_MEDIA_SLOTS];    // players
	uint32_t slot_contexts[TD_MEDIA_SLOTS]; // the first context that mixes in this slot
	uint32_t slot_load[TD_MEDIA_SLOTS];     // of the contexts that have it

	struct td_packet *parked; // [TD_PARK_MAX]
	uint32_t parked_count;
	bool unpark; // they can be looked up again

	struct rte_mbuf *byes[TD_BYE_MAX];
	uint32_t bye_count;

	uint32_t moving; // the stream that is between two contexts, TD_INDEX_END
	const struct td_lets *lets;
	struct td_mixer *mixer; // mix.c: what a tick needs to remember between its passes

	struct td_digit_sender *senders; // [TD_DIGIT_SENDER_MAX]
	uint32_t free_sender;
	uint32_t slot_senders[TD_MEDIA_SLOTS];
	struct td_digit_prompts digit_prompts;

	struct td_protection *protections; // the engine's, by stream
	struct td_protector *protector;

	struct td_level_looks looks[2]; // of the vector before, and of the one under way
	uint32_t looks_kept;            // index of the latter

	struct rte_mbuf *stash[TD_STASH_MBUFS + TD_STASH_LOW]; // send.c
	uint32_t stash_count;
};

enum td_payload_kind { TD_PAYLOAD_AUDIO, TD_PAYLOAD_EVENT, TD_PAYLOAD_NOISE };

// One packet accepted and on its way to its listeners.
struct td_forward {
	struct td_packet *packet;
	uint32_t sink; // stream index or TD_SINK_FANOUT
	uint32_t ssrc, timestamp;
	uint16_t sequence;
	uint16_t payload_len;
	uint8_t kind;    // enum td_payload_kind
	uint8_t verdict; // enum td_rtp_verdict: NEXT, FRESH or LATE
	uint8_t marker;
};

static inline void td_media_drop(struct td_media_worker *worker, struct rte_mbuf *mbuf,
				 enum td_drop reason)
{
	worker->stats->drops[reason]++;
	rte_pktmbuf_free(mbuf);
}

// RTP of somebody who cannot be accepted whatever else he sends, found out from the hot half alone: so
// that a spray of all ports does not push the cold halves through the cache. The caller counts it in
// worker->strangers and as TD_DROP_SOURCE_MISMATCH.
static inline bool td_media_is_stranger(const struct td_media_worker *worker,
					const struct td_packet *packet)
{
	const struct td_stream_rx *rx = &worker->streams[packet->stream].rx;

	return rx->strict && (rx->flags & (TD_RX_LIVE | TD_RX_MUX)) == TD_RX_LIVE &&
	       rx->key != packet->sender && packet->payload_len >= TD_RTP_HEADER_BYTES &&
	       packet->payload[0] >> 6 == 2;
}

// Drops a packet that its stream does not let in, and counts it there as well (refuse.c).
void td_media_refuse(struct td_media_worker *worker, const struct td_packet *packet,
		     enum td_drop reason);

// The sending half of a stream, wherever it has been put (placement.c).
static inline struct td_stream_tx *td_media_tx(const struct td_media_worker *worker,
					       uint32_t stream)
{
	return &worker->streams[worker->cold[stream].tx_slot].tx;
}

// Who listens to a stream with TD_RX_TAPPED; of any other it is nobody's memory, and not touched.
static inline struct td_stream_taps *td_stream_taps_of(const struct td_media_worker *worker,
						       uint32_t stream)
{
	return &worker->taps[stream];
}

// The packet is from the party whose media this stream accepts.
static inline bool td_media_is_accepted(const struct td_media_worker *worker,
					const struct td_packet *packet)
{
	const struct td_stream_rx *rx = &worker->streams[packet->stream].rx;

	if (rx->key != packet->sender)
		return false;
	return !(rx->flags & TD_RX_IPV6) ||
	       memcmp(packet->l3 + TD_IPV6_SOURCE_OFFSET,
		      worker->cold[packet->stream].lock.accepted.addr, 16) == 0;
}

// False: what goes there now is only going to be dropped. Packets of our own are then not made at
// all, so every drop is of a packet that came in.
static inline bool td_media_reachable(const struct td_media_worker *worker, uint32_t next_hop)
{
	// Relaxed: as in td_neighbour_write_l2, nothing but the word itself is read by it.
	return (atomic_load_explicit(&worker->neighbours->hot[next_hop].word,
				     memory_order_relaxed) &
		TD_NEIGHBOUR_USABLE) != 0;
}

// A cheap random number: report intervals only.
static inline uint64_t td_media_random(struct td_media_worker *worker)
{
	worker->random ^= worker->random << 13;
	worker->random ^= worker->random >> 7;
	worker->random ^= worker->random << 17;
	return worker->random;
}

// admit.c: the packet passes everything td_media_rtp asks for, or is gone. True: `forward` is set.
bool td_media_admit(struct td_media_worker *worker, struct td_packet *packet, uint64_t now_ns,
		    struct td_forward *forward);

// forward.c: any packet, admitted first; and one that has been, whose sink is a slot.
void td_forward_any(struct td_media_worker *worker, struct td_packet *packet, uint64_t now_ns,
		    struct td_tx *tx);
void td_forward_admitted(struct td_media_worker *worker, const struct td_forward *forward,
			 uint64_t now_ns, struct td_tx *tx);

// guarded.c: the next packet of a steady stream, admitted, that was opened or will be sealed. False: it is
// still as it was, for td_forward_admitted.
bool td_forward_guarded(struct td_media_worker *worker, const struct td_packet *packet,
			uint32_t sink, uint64_t now_ns, struct td_tx *tx);

// The arrival of a packet in units of its RTP clock, which RFC 3550 A.8 compares with its timestamp.
static inline uint32_t td_media_arrival(uint8_t clock_khz, uint64_t now_ns)
{
	return (uint32_t)(now_ns / 1000u * clock_khz / 1000u);
}

// inlet_put.c: a packet's payload goes into the inlet of its stream.
void td_media_inlet_put(struct td_media_worker *worker, const struct td_forward *forward,
			const uint8_t *payload, uint64_t now_ns);

// rtcp_stage.c: one RTCP packet, on whichever port; disposes of it.
void td_media_rtcp_one(struct td_media_worker *worker, struct td_packet *packet, uint64_t now_ns);
// rtcp_send.c: a report from this stream if it has somewhere to go. True when sent.
bool td_media_rtcp_send(struct td_media_worker *worker, uint32_t stream, uint64_t now_ns,
			struct td_tx *tx);
// The stream is about to end: a BYE is made, and td_media_rtcp_byes sends those that are.
void td_media_rtcp_bye(struct td_media_worker *worker, uint32_t stream, uint64_t now_ns);
void td_media_rtcp_byes(struct td_media_worker *worker, struct td_tx *tx);

// lifecycle.c: a stream or player of this worker begins, changes and ends.
void td_media_stream_create(struct td_media_worker *worker, struct td_context_id context,
			    const struct td_change_stream *create);
void td_media_stream_remote(struct td_media_worker *worker, uint32_t stream,
			    const struct td_change_remote *remote, uint64_t now_ns);
void td_media_stream_next_hop(struct td_media_worker *worker, uint32_t stream,
			      const struct td_change_next_hop *change);
void td_media_stream_destroy(struct td_media_worker *worker, uint32_t stream);
// Into and out of a context's list, and of the worker's.
// What a stream that is created begins with, for itself; its context and worker know nothing of it.
void td_media_stream_begin(struct td_media_worker *worker, const struct td_change_stream *create);
void td_media_enter_context(struct td_media_worker *worker, struct td_context_id id,
			    uint32_t stream);
void td_media_leave_context(struct td_media_worker *worker, uint32_t stream);
void td_media_own(struct td_media_worker *worker, uint32_t stream);
void td_media_disown(struct td_media_worker *worker, uint32_t stream);
// Into and out of a slot's list.
void td_media_player_link(struct td_media_worker *worker, uint32_t index, uint8_t slot);
void td_media_player_unlink(struct td_media_worker *worker, uint32_t index);

// transit.c: changes between workers, and packets of streams that are between them.
void td_transit_stream_leave(struct td_media_worker *worker, const struct td_change *change);
void td_transit_stream_arrive(struct td_media_worker *worker, const struct td_change *change);
void td_transit_context_leave(struct td_media_worker *worker, const struct td_change *change);
void td_transit_context_arrive(struct td_media_worker *worker, const struct td_change *change);
void td_transit_park(struct td_media_worker *worker, const struct td_packet *packet);

// The stream leaves its context for another one of this worker; plans are applied around it.
void td_media_stream_rehome(struct td_media_worker *worker, uint32_t stream,
			    struct td_context_id to);
// Its listener's event payload type, unless it is to be spared digits.
void td_media_spare_digits(struct td_media_worker *worker, uint32_t stream);
// The slot of the tick with the fewest contexts.
uint8_t td_media_emptiest_slot(const struct td_media_worker *worker);
void td_media_player_create(struct td_media_worker *worker, struct td_context_id context,
			    const struct td_change_player *create);
void td_media_player_destroy(struct td_media_worker *worker, uint32_t index);

// tap_feed.c: what a tapped stream has said goes to whoever listens.
void td_media_tap(struct td_media_worker *worker, const struct td_forward *forward,
		  const uint8_t *payload, uint64_t now_ns);
// A tap begins to listen to a stream, or ends; it is known to listen then.
void td_media_tap_attach(struct td_media_worker *worker, uint32_t stream,
			 const struct td_change_tap *tap);
void td_media_tap_detach(struct td_media_worker *worker, uint32_t stream,
			 const struct td_change_tap *tap);
// A stream is in a context that is private, or is so no more.
void td_media_hush_stream(struct td_media_worker *worker, uint32_t stream, bool on);
// All streams of a context, those that will come as well.
void td_media_hush(struct td_media_worker *worker, struct td_worker_context *context, bool on);

// placement.c: the stream's tx line is in its own slot again.
void td_media_place_home(struct td_media_worker *worker, uint32_t stream);
// The tx line of `listener` moves beside the rx line of the one it hears.
void td_media_place_beside(struct td_media_worker *worker, uint32_t speaker, uint32_t listener);

// plan_apply.c: who hears whom from now on. The plan before is noted to main.
void td_media_plan_apply(struct td_media_worker *worker, struct td_worker_context *context,
			 struct td_plan *plan);
// Its plan is not run, and then is again, in the slot it has by then.
void td_media_context_rest(struct td_media_worker *worker, struct td_worker_context *context);
void td_media_context_resume(struct td_media_worker *worker, struct td_worker_context *context);

// mix.c: all contexts of a slot. Returns packets sent.
uint32_t td_media_mix(struct td_media_worker *worker, uint32_t slot, uint64_t now_ns,
		      struct td_tx *tx);
// Room for `inlet_count` inlets and `player_count` players in one tick. NULL: no memory.
struct td_mixer *td_mixer_create(uint32_t inlet_count, uint32_t player_count,
				 struct td_stage_clock *stages);
void td_mixer_destroy(struct td_mixer *mixer);

// mirror.c
void td_media_fill_stats(const struct td_media_worker *worker, uint32_t stream,
			 struct td_stream_stats *stats);
void td_media_mirror(struct td_media_worker *worker, uint32_t stream);
// True when nothing was counted since the mirror was written.
bool td_media_mirror_is_current(const struct td_media_worker *worker, uint32_t stream);
void td_media_mirror_clear(struct td_media_worker *worker, uint32_t stream);

// notices.c: stamps, numbers and pushes. -TD_EFULL when control's ring is full; a `state` event is
// then kept and tried again by its owner, anything else is counted lost.
TD_MUST_CHECK int td_media_event(struct td_media_worker *worker, struct td_event *event,
				 uint64_t now_ns, bool state);
// True when the notes of one more change have room; no change is taken without.
#define TD_NOTES_A_CHANGE 4u
bool td_media_note_room(struct td_media_worker *worker);
void td_media_note(struct td_media_worker *worker, const struct td_note *note);
// The address a stream accepts was learned: main is asked for a next hop. The sweep repeats it
// until the answer comes.
void td_media_note_learned(struct td_media_worker *worker, uint32_t stream);
