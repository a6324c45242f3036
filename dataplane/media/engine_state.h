// What the main thread knows of contexts, streams, players and taps; private to the media room.
//
//   FREE --create--> LIVE --destroy--> DYING --worker's note--> GONE --grace period--> FREE
//
// Only LIVE objects answer to their handles. One entry an index, parallel to the handle pools; the
// main thread alone reads and writes here.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/id_pool.h"
#include "media/change.h"
#include "media/engine.h"
#include "media/lets.h"
#include "media/matrix.h"
#include "media/plan.h"
#include "media/protection.h"
#include "media/worker_state.h"
#include "net/demux.h"
#include "net/local.h"
#include "net/neighbour.h"
#include "td_ring.h"

#define TD_TAPS_PER_CONTEXT  8
#define TD_TAP_STREAM_MAX    16 // of one tap at a time, those that are leaving as well
#define TD_FORKS_PER_CONTEXT 8
#define TD_INDEX_NONE        UINT32_MAX

enum td_object_state { TD_OBJECT_FREE, TD_OBJECT_LIVE, TD_OBJECT_DYING, TD_OBJECT_GONE };

struct td_engine_context {
	uint32_t handle;
	uint8_t state; // enum td_object_state
	uint8_t worker;
	uint8_t tap_count;
	uint32_t taps[TD_TAPS_PER_CONTEXT]; // handles
	uint8_t fork_count;
	bool captured;                        // all of it, by one of them
	uint32_t forks[TD_FORKS_PER_CONTEXT]; // handles
	struct td_matrix matrix;
	struct td_plan *plan; // the last one sent to the worker, NULL: none yet
	uint32_t plans_out;   // that came before it, and the worker has not noted yet
	bool editing;         // between begin and adopt or abort
};

// What had to be allocated for a stream before a plan could name it, owned by the stream and lent to
// plans: a resampler between a codec's own rate and a plan's, or the state of a codec that takes
// memory of its own (td_codec.encoder_fini).
struct td_engine_made {
	struct td_resampler *resampler; // NULL: a state
	uint32_t from_hz, to_hz;
	const struct td_codec *codec;
	void *state;
	void (*fini)(void *state);
	struct td_engine_made *next;  // in the garbage of a plan
	struct td_engine_made **home; // whose it was, then
};

// A tap on a stream, from the attachment until the worker has said that it is over; the links of a
// tap's list of them.
struct td_engine_tapping {
	uint32_t tap; // handle; 0: free
	uint32_t next_stream;
	uint8_t track;
	bool leaving; // the worker has been told
};

struct td_engine_tappings {
	struct td_engine_tapping of[TD_STREAM_TAP_MAX];
};

// What was made for one stream; NULL: never needed.
struct td_engine_kit {
	struct td_engine_made *in, *out;          // resamplers
	struct td_engine_made *decoder, *encoder; // states
};

struct td_engine_stream {
	uint32_t handle;
	uint32_t context;                                   // index
	uint32_t next_hop, rtcp_next_hop, learned_next_hop; // references; TD_NEIGHBOUR_NONE
	uint16_t port;
	uint32_t slot;          // in the context's matrix
	uint32_t inlet, outlet; // TD_LET_NONE: never needed; kept until the stream is gone
	uint8_t local;          // index of the local address
	uint8_t state;
	uint8_t fork_count;
	bool ear; // a fork's: it has no port, and no command finds it
};

struct td_engine_player {
	uint32_t handle;
	uint32_t context;
	uint32_t slot;
	uint8_t state;
	bool live; // a fork's: it comes and goes with it
};

// A fork hears streams wherever they are; its player is in the context it was made in, with which it
// ends at the latest.
//
//   LIVE --stop--> DYING, every stream and the context is told --all have let go--> the forker is told, which
//   gives the handle back (td_engine_retire) once it is done with what it got
struct td_engine_fork {
	uint32_t handle;
	uint32_t context;
	uint32_t player; // index, TD_INDEX_NONE: it does not speak
	uint32_t ear;    // stream that hears the floor for it; TD_INDEX_NONE
	uint32_t stream_count;
	uint32_t streams
		[TD_FORK_STREAM_MAX]; // indexes; TD_INDEX_NONE once a worker has let go of it
	uint32_t held;                // what workers have of it: streams, and one in its context
	uint8_t state;
	bool capture; // without streams: of the whole context
};

// A tap hears streams wherever they are, and ends with the context it was made in at the latest.
//
//   LIVE --stop--> DYING, every stream is told to leave --the last has left--> the recorder is told, which
//   gives the handle back (td_engine_retire) once it is done with what it got
struct td_engine_tap {
	uint32_t handle;
	uint32_t context;      // index
	uint32_t first_stream; // that has a tapping of it, TD_INDEX_NONE
	uint32_t stream_count;
	uint64_t stop_request; // to be answered when the last has left; 0: nobody waits
	uint32_t stop_command;
	uint8_t track_count; // streams are attached as tracks below this
	uint8_t state;
};

// The RESET under way.
struct td_engine_reset {
	uint64_t request_id; // 0: none
	uint32_t doomed;     // contexts not gone yet
	uint32_t cursor;     // contexts below this have been told
	uint64_t count;      // contexts destroyed
	bool *marked;        // [context capacity]
};

// What is on its way from one worker to another. Commands wait meanwhile: a few turns.
//
//   LEAVE -> old worker lets go, parks what comes -> LEFT -> ports are published for the new worker
//   -> ARRIVE there, UNPARK at the old one: what it has parked is looked up anew and crosses over
struct td_engine_transit {
	enum td_change_kind kind; // CONTEXT_LEAVE or STREAM_LEAVE
	bool active, left;        // left: the old worker has said so
	uint8_t from, to;         // workers
	struct td_change arrive;
};

enum td_pool_kind {
	TD_POOL_CONTEXT,
	TD_POOL_STREAM,
	TD_POOL_PLAYER,
	TD_POOL_TAP,
	TD_POOL_FORK,
	TD_POOL_COUNT
};

// Handles that wait for a grace period.
struct td_gone {
	uint8_t pool; // enum td_pool_kind
	uint32_t handle;
};

struct td_engine_worker_link {
	struct td_ring_view changes, notes;
	void *change_memory, *note_memory;
	uint32_t load; // streams and contexts
};

struct td_engine {
	struct td_engine_options options;
	struct td_id_pool pools[TD_POOL_COUNT];
	struct td_engine_context *contexts;
	struct td_engine_stream *streams;
	struct td_engine_tappings
		*tappings;          // by stream: all zero, and no memory, where there are none
	struct td_engine_kit *kits; // likewise
	struct td_engine_player *players;
	struct td_engine_tap *taps;
	struct td_engine_fork *forks;
	uint32_t ear_count;
	_Atomic uint8_t *tap_flags; // by tap; read by workers
	uint32_t capacity[TD_POOL_COUNT];
	uint32_t live[TD_POOL_COUNT];

	struct td_plan_scratch *scratch;
	uint32_t playable; // codecs players have frames in, as bits
	uint32_t *free_inlets, *free_outlets;
	uint32_t free_inlet_count, free_outlet_count;

	struct td_gone *gone;
	uint32_t gone_count;
	uint64_t reclaimed_ns;

	struct td_engine_transit transit;
	struct td_engine_reset reset;
	uint32_t latest_context, latest_stream; // TD_HANDLE_LATEST; 0: none
	struct td_ring_view events;             // main's ring to control
	uint64_t event_sequence;
	uint64_t random;

	struct td_ring_view record_events_in, record_events_out; // recorder -> main
	struct td_ring_view fork_events_in, fork_events_out;     // forker -> main
	void *record_memory, *fork_memory;

	struct td_stream *hot;
	struct td_stream_cold *cold;
	struct td_stream_taps *stream_taps;    // touched by main before a worker needs a line
	struct td_lock_candidates *candidates; // likewise
	uint32_t *strangers;                   // lent to the workers, as the two above
	struct td_worker_context *worker_contexts;
	struct td_player *worker_players;
	struct td_lets lets;
	struct td_protection *protections; // by stream
	struct td_media_worker *workers;
	struct td_engine_worker_link links[TD_WORKER_MAX];
};

// A command's handler: 0 when the worker will answer, TD_ANSWERED when it has been answered, or
// -TD_E*, which main answers.
#define TD_ANSWERED 1

// lookup.c: the live object of a handle, or NULL.
struct td_engine_context *td_engine_find_context(struct td_engine *engine, uint32_t handle);
struct td_engine_stream *td_engine_find_stream(struct td_engine *engine, uint32_t handle);
struct td_engine_player *td_engine_find_player(struct td_engine *engine, uint32_t handle);
struct td_engine_tap *td_engine_find_tap(struct td_engine *engine, uint32_t handle);
struct td_engine_fork *td_engine_find_fork(struct td_engine *engine, uint32_t handle);
// A fresh handle. -TD_EFULL. Reclaims first what has waited, if that helps.
TD_MUST_CHECK int td_engine_take(struct td_engine *engine, enum td_pool_kind pool, uint32_t *handle)
	TD_MAIN;
// A handle that no worker has seen goes straight back.
void td_engine_untake(struct td_engine *engine, enum td_pool_kind pool, uint32_t handle) TD_MAIN;
// A destroyed object's handle waits for a grace period.
void td_engine_retire(struct td_engine *engine, enum td_pool_kind pool, uint32_t handle) TD_MAIN;
// Gives the waiting handles back after a grace period. Returns how many.
uint32_t td_engine_reclaim(struct td_engine *engine, uint64_t now_ns) TD_MAIN;
uint64_t td_engine_random(struct td_engine *engine);

// convey.c: a change to the worker of a context. True when `count` more have room.
bool td_engine_change_room(struct td_engine *engine, uint32_t worker, uint32_t count);
// Begins a change that answers `command` (or nobody) about `context`.
void td_engine_change_begin(struct td_change *change, enum td_change_kind kind,
			    const struct td_command *command,
			    const struct td_engine_context *context);
// Room has been checked before.
void td_engine_change_push(struct td_engine *engine, uint32_t worker,
			   const struct td_change *change) TD_MAIN;

// Command handlers, by file.
int td_engine_context_create(struct td_engine *engine, const struct td_command *command) TD_MAIN;
int td_engine_context_destroy(struct td_engine *engine, const struct td_command *command,
			      uint64_t now_ns) TD_MAIN;
int td_engine_matrix_edit(struct td_engine *engine, const struct td_command *command) TD_MAIN;
int td_engine_stream_create(struct td_engine *engine, const struct td_command *command,
			    uint64_t now_ns) TD_MAIN;
int td_engine_stream_set_remote(struct td_engine *engine, const struct td_command *command) TD_MAIN;
int td_engine_stream_tune(struct td_engine *engine, const struct td_command *command) TD_MAIN;
// command_move.c: the old worker has let go; goes on as soon as there is room. True: it did.
void td_engine_transit_left(struct td_engine *engine) TD_MAIN;
bool td_engine_transit_continue(struct td_engine *engine) TD_MAIN;
int td_engine_stream_move(struct td_engine *engine, const struct td_command *command) TD_MAIN;
int td_engine_context_move(struct td_engine *engine, const struct td_command *command) TD_MAIN;
int td_engine_stream_digits(struct td_engine *engine, const struct td_command *command) TD_MAIN;
int td_engine_stream_destroy(struct td_engine *engine, const struct td_command *command,
			     uint64_t now_ns) TD_MAIN;
int td_engine_player_create(struct td_engine *engine, const struct td_command *command) TD_MAIN;
int td_engine_player_control(struct td_engine *engine, const struct td_command *command) TD_MAIN;
int td_engine_player_destroy(struct td_engine *engine, const struct td_command *command) TD_MAIN;
int td_engine_record_start(struct td_engine *engine, const struct td_command *command,
			   uint64_t now_ns) TD_MAIN;
int td_engine_record_stop(struct td_engine *engine, const struct td_command *command,
			  uint64_t now_ns) TD_MAIN;
int td_engine_record_note(struct td_engine *engine, const struct td_command *command) TD_MAIN;
int td_engine_record_attach(struct td_engine *engine, const struct td_command *command) TD_MAIN;
int td_engine_record_detach(struct td_engine *engine, const struct td_command *command) TD_MAIN;
int td_engine_record_control(struct td_engine *engine, const struct td_command *command,
			     uint64_t now_ns) TD_MAIN;
int td_engine_context_privacy(struct td_engine *engine, const struct td_command *command) TD_MAIN;
int td_engine_reset_start(struct td_engine *engine, const struct td_command *command,
			  uint64_t now_ns) TD_MAIN;

// edit.c: a change of a context's matrix as a transaction: begin, any td_matrix_* on edit.matrix,
// prepare, which compiles and provides what the plan needs, and adopt, which cannot fail and gives
// the plan to go into a change. Until then nothing has happened: abort takes it back, prepared or
// not. -TD_EMEMORY, -TD_EFULL: no inlets or outlets left, or more members or cells than fit.
struct td_provision {
	uint32_t inlets, outlets; // that were free before a plan was provided for
};
struct td_edit {
	struct td_engine_context *context;
	struct td_matrix matrix;
	struct td_plan *plan; // NULL: not prepared
	struct td_provision before;
};
TD_MUST_CHECK int td_engine_edit_begin(struct td_engine_context *context, struct td_edit *edit);
TD_MUST_CHECK int td_engine_edit_prepare(struct td_engine *engine, struct td_edit *edit) TD_MAIN;
struct td_plan *td_engine_edit_adopt(struct td_edit *edit) TD_MAIN;
void td_engine_edit_abort(struct td_engine *engine, struct td_edit *edit) TD_MAIN;
// Prepares and adopts into the change. After an error there is nothing left to abort.
TD_MUST_CHECK int td_engine_edit_commit(struct td_engine *engine, struct td_edit *edit,
					struct td_change *change) TD_MAIN;
// A worker's note: it reads the plan no more.
void td_engine_plan_gone(struct td_engine *engine, const struct td_note *note);
// The plan is not used by any worker.
void td_engine_plan_free(struct td_plan *plan);
// The slot of a member that is alive and in this context, or TD_SLOT_NONE.
uint32_t td_engine_member_slot(struct td_engine *engine, const struct td_engine_context *context,
			       const struct td_member *member);
// Sets cells of an edit. -TD_EINVALID, -TD_ESTALE, -TD_EFULL, -TD_EMEMORY.
TD_MUST_CHECK int td_engine_edit_cells(struct td_engine *engine, struct td_edit *edit,
				       const struct td_cell *cells, uint32_t count);

// Takes a member out of the matrix and compiles what is left. -TD_EMEMORY, nothing changed.
TD_MUST_CHECK int td_engine_member_remove(struct td_engine *engine,
					  struct td_engine_context *context, uint32_t slot,
					  struct td_change *change) TD_MAIN;

// The same of several at once, streams or not; at most one is a stream.
TD_MUST_CHECK int td_engine_members_remove(struct td_engine *engine,
					   struct td_engine_context *context, const uint32_t *slots,
					   uint32_t count, struct td_change *change) TD_MAIN;

// provision.c: fills in inlets, outlets, rates, resamplers and states of a plan. -TD_EFULL, -TD_EMEMORY:
// the plan is freed, and nothing has been taken for it.
TD_MUST_CHECK int td_engine_provision(struct td_engine *engine, struct td_plan *plan,
				      struct td_provision *before) TD_MAIN;
// It never came into force: it is freed with what was made for it, what was taken is given back.
void td_engine_provision_undo(struct td_engine *engine, struct td_plan *plan,
			      const struct td_provision *before) TD_MAIN;
// Who is to code in the place of a listener that codes for several and leaves, and has nothing to
// do it with; NULL: nobody. Exchanging the outlets of the two, the others hear no seam and nothing
// has to be free; exchanging them again takes it back.
struct td_engine_stream *td_engine_provision_heir(struct td_engine *engine,
						  const struct td_plan *plan, uint32_t stream)
	TD_MAIN;
void td_engine_provision_exchange(struct td_engine *engine, struct td_engine_stream *a,
				  struct td_engine_stream *b) TD_MAIN;
// Takes back what streams hold and no plan that may be in force names. Returns how much.
uint32_t td_engine_provision_reclaim(struct td_engine *engine) TD_MAIN;
void td_engine_made_free(struct td_engine_made *made);
// A stream is gone: so is what it was provided with.
void td_engine_provision_end(struct td_engine *engine, struct td_engine_stream *stream);

// As it is on the main thread before anything is known of its peer.
void td_engine_stream_init(struct td_engine_stream *stream, uint32_t handle,
			   const struct td_engine_context *context, uint32_t slot);
// The numbers it begins with, drawn.
void td_engine_stream_draw(struct td_engine *engine, struct td_change_stream *out);
// The port closes at once; the rest follows the worker's note.
void td_engine_stream_close(struct td_engine *engine, struct td_engine_stream *stream,
			    uint64_t now_ns) TD_MAIN;
// Its worker is done with it: its next hops are given back and its handle retires.
void td_engine_stream_gone(struct td_engine *engine, uint32_t handle, uint64_t now_ns) TD_MAIN;
void td_engine_player_gone(struct td_engine *engine, uint32_t handle) TD_MAIN;
void td_engine_context_gone(struct td_engine *engine, uint32_t handle, uint64_t now_ns) TD_MAIN;
void td_engine_stream_learned(struct td_engine *engine, const struct td_note *note) TD_MAIN;

// command_fork.c
int td_engine_fork_start(struct td_engine *engine, const struct td_command *command) TD_MAIN;
int td_engine_fork_stop(struct td_engine *engine, const struct td_command *command) TD_MAIN;
// All of a context that ends; its players go with it.
void td_engine_fork_stop_all(struct td_engine *engine, struct td_engine_context *context) TD_MAIN;
// forks.c: it is a capture of all streams of its context.
bool td_engine_fork_takes_all(const struct td_engine_fork *fork);
// ATTACH or DETACH of one of its streams, to that one's worker; room has been checked before.
void td_engine_fork_tell(struct td_engine *engine, enum td_change_kind kind,
			 const struct td_engine_fork *fork, uint32_t track) TD_MAIN;
// What the context's worker is told of it at the start and at the end.
void td_engine_fork_part(const struct td_engine *engine, const struct td_engine_fork *fork,
			 struct td_change *change);
// Such a capture begins: all its streams may be listened to from now on.
void td_engine_fork_expect_all(struct td_engine *engine, struct td_engine_context *context) TD_MAIN;
// A stream comes to this context: what a capture of all of it needs.
void td_engine_fork_expect(struct td_engine *engine, const struct td_engine_context *context,
			   uint32_t stream);
// How many changes the end of one is.
uint32_t td_engine_fork_changes(const struct td_engine *engine, uint32_t handle);
// A worker's notes: it has let go of the fork's part in its context, or of one of its streams.
void td_engine_fork_stopped(struct td_engine *engine, uint32_t handle) TD_MAIN;
void td_engine_fork_detached(struct td_engine *engine, uint32_t handle, uint32_t stream) TD_MAIN;
// The stream is gone: its forks go on without it.
void td_engine_forks_of_gone(struct td_engine *engine, uint32_t stream) TD_MAIN;
// Takes what the forker reported. Returns how many events.
uint32_t td_engine_fork_events(struct td_engine *engine, uint64_t now_ns) TD_MAIN;
void td_engine_release_next_hop(struct td_engine *engine, uint32_t next_hop) TD_MAIN;

// taps.c: what recordings hear. A new tap in a context. -TD_EFULL.
TD_MUST_CHECK int td_engine_tap_take(struct td_engine *engine, struct td_engine_context *context,
				     struct td_tap_id *id) TD_MAIN;
// One that no stream has been attached to and the recorder does not know of.
void td_engine_tap_untake(struct td_engine *engine, struct td_tap_id id) TD_MAIN;
// Room on every worker for so many changes: an attachment is one, the end of a tap its streams.
bool td_engine_tap_room(struct td_engine *engine, uint32_t changes) TD_MAIN;
// Why this stream cannot be attached: -TD_EBUSY (it is already), -TD_EFULL (it has all the taps it
// can have, or the tap all the streams), -TD_EINVALID (no such track); 0: it can.
TD_MUST_CHECK int td_engine_tap_admits(const struct td_engine *engine,
				       const struct td_engine_tap *tap,
				       const struct td_engine_stream *stream, uint32_t track)
	TD_MAIN;
// Attaches; `command` may be NULL, then nobody waits. Room and admission have been checked.
void td_engine_tap_attach(struct td_engine *engine, struct td_engine_tap *tap,
			  struct td_engine_stream *stream, uint32_t track,
			  const struct td_command *command) TD_MAIN;
// -TD_ENOT_FOUND: it is not attached.
TD_MUST_CHECK int td_engine_tap_detach(struct td_engine *engine, struct td_engine_tap *tap,
				       struct td_engine_stream *stream,
				       const struct td_command *command) TD_MAIN;
// Ends it; needs room for its streams. `command`, if any, is answered when the last has left.
void td_engine_tap_stop(struct td_engine *engine, struct td_engine_tap *tap,
			const struct td_command *command, uint64_t now_ns) TD_MAIN;
// The stream ends: the worker lets go of its taps without being told.
void td_engine_taps_leave(struct td_engine *engine, const struct td_engine_stream *stream) TD_MAIN;
// A worker has nothing to do with the stream, or with the tap on it, any more.
void td_engine_tap_detached(struct td_engine *engine, uint32_t tap, uint32_t stream,
			    uint64_t now_ns) TD_MAIN;
void td_engine_taps_of_gone(struct td_engine *engine, uint32_t stream, uint64_t now_ns) TD_MAIN;

// Tells one context's worker to destroy it and all its members; needs room on every worker for
// td_engine_context_changes.
uint32_t td_engine_context_changes(struct td_engine *engine,
				   const struct td_engine_context *context) TD_MAIN;
void td_engine_context_end(struct td_engine *engine, struct td_engine_context *context,
			   const struct td_command *command, uint64_t now_ns) TD_MAIN;
// Goes on with a RESET; true when it did something.
bool td_engine_reset_continue(struct td_engine *engine, uint64_t now_ns) TD_MAIN;
