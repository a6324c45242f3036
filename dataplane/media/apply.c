// Changes applied: what the main thread decided becomes true between two turns of the worker.
#include "media/fork_taps.h"
#include "media/sender.h"
#include "media/worker_state.h"
#include "td_assert.h"

#define CHANGES_PER_CALL 64u

static void done(struct td_media_worker *worker, const struct td_change *change,
		 struct td_event *event, uint64_t now_ns)
{
	if (change->request_id == 0)
		return;
	event->kind = TD_EVENT_DONE;
	event->request_id = change->request_id;
	event->command = change->command;
	// A full ring is counted in events_lost; control sees the deadline pass.
	(void)!td_media_event(worker, event, now_ns, false);
}

static void create_context(struct td_media_worker *worker, const struct td_change *change)
{
	struct td_worker_context *context = &worker->contexts[td_handle_index(change->context.v)];

	*context = (struct td_worker_context){ .id = change->context,
					       .first_stream = TD_INDEX_END,
					       .first_player = TD_INDEX_END,
					       .capture = TD_CAPTURE_NONE };
	context->slot = td_media_emptiest_slot(worker);
	context->load = 1;
	worker->slot_load[context->slot] += context->load;
	worker->stats->contexts++;
}

static void destroy_context(struct td_media_worker *worker, const struct td_change *change)
{
	struct td_worker_context *context = &worker->contexts[td_handle_index(change->context.v)];

	td_media_plan_apply(worker, context, NULL);
	while (context->first_stream != TD_INDEX_END)
		td_media_stream_destroy(worker, context->first_stream);
	while (context->first_player != TD_INDEX_END)
		td_media_player_destroy(worker, context->first_player);
	worker->slot_load[context->slot] -= context->load;
	context->id.v = 0;
	worker->stats->contexts--;
}

static void apply_plan(struct td_media_worker *worker, const struct td_change *change)
{
	if (change->plan != NULL)
		td_media_plan_apply(worker, &worker->contexts[td_handle_index(change->context.v)],
				    change->plan);
}

static void note(struct td_media_worker *worker, enum td_note_kind kind, uint32_t handle)
{
	struct td_note note = { .kind = kind, .handle = handle };

	td_media_note(worker, &note);
}

static void apply_stream_create(struct td_media_worker *worker, const struct td_change *change,
				struct td_event *event)
{
	td_media_stream_create(worker, change->context, &change->u.stream);
	event->u.stream_created.stream = change->u.stream.id;
	event->u.stream_created.local = td_stream_local(
		&worker->cold[td_handle_index(change->u.stream.id.v)], worker->neighbours->locals);
	td_media_mirror(worker, td_handle_index(change->u.stream.id.v));
}

static void apply_stream_remote(struct td_media_worker *worker, const struct td_change *change,
				uint64_t now_ns)
{
	struct td_note released = { .kind = TD_NOTE_RELEASED };

	td_media_stream_remote(worker, change->object, &change->u.remote, now_ns);
	apply_plan(worker, change);
	memcpy(released.released, change->u.remote.released, sizeof released.released);
	td_media_note(worker, &released);
	td_media_mirror(worker, change->object);
}

static void apply_tune(struct td_media_worker *worker, const struct td_change *change)
{
	worker->cold[change->object].tune = (uint8_t)change->u.tune.flags;
	td_media_spare_digits(worker, change->object);
	apply_plan(worker, change);
}

// What its inlet has queued goes with it: the two plans are applied with nothing in between.
static void apply_move(struct td_media_worker *worker, const struct td_change *change)
{
	const struct td_change_move *move = &change->u.move;

	worker->moving = change->object;
	apply_plan(worker, change);
	td_media_stream_rehome(worker, change->object, move->to);
	td_media_plan_apply(worker, &worker->contexts[td_handle_index(move->to.v)], move->plan);
	worker->moving = TD_INDEX_END;
	td_media_mirror(worker, change->object);
}

static void apply_next_hop(struct td_media_worker *worker, const struct td_change *change)
{
	struct td_note released = { .kind = TD_NOTE_RELEASED };

	td_media_stream_next_hop(worker, change->object, &change->u.next_hop);
	released.released[0] = change->u.next_hop.released;
	released.released[1] = TD_NEIGHBOUR_NONE;
	released.released[2] = TD_NEIGHBOUR_NONE;
	td_media_note(worker, &released);
}

static void apply_stream_destroy(struct td_media_worker *worker, const struct td_change *change,
				 struct td_event *event)
{
	struct td_stream_cold *cold = &worker->cold[change->object];

	apply_plan(worker, change);
	event->u.stream_destroyed.stream = cold->id;
	td_media_fill_stats(worker, change->object, &event->u.stream_destroyed.stats);
	td_media_stream_destroy(worker, change->object);
	note(worker, TD_NOTE_STREAM_GONE, event->u.stream_destroyed.stream.v);
}

static void apply_player(struct td_media_worker *worker, const struct td_change *change,
			 struct td_event *event)
{
	struct td_player *player = &worker->players[change->object];

	if (change->kind == TD_CHANGE_PLAYER_CREATE) {
		td_media_player_create(worker, change->context, &change->u.player);
		event->u.player = change->u.player.id;
		return;
	}
	event->u.player = player->id;
	if (change->kind == TD_CHANGE_PLAYER_CONTROL) {
		td_player_control(player, &change->u.player);
		return;
	}
	apply_plan(worker, change);
	td_media_player_destroy(worker, change->object);
	note(worker, TD_NOTE_PLAYER_GONE, event->u.player.v);
}

static void apply_tap(struct td_media_worker *worker, const struct td_change *change,
		      struct td_event *event)
{
	struct td_note gone = { .kind = TD_NOTE_TAP_DETACHED, .object = change->object };

	event->u.tap = change->u.tap.id;
	if (change->kind == TD_CHANGE_TAP_ATTACH) {
		td_media_tap_attach(worker, change->object, &change->u.tap);
		return;
	}
	td_media_tap_detach(worker, change->object, &change->u.tap);
	gone.handle = change->u.tap.id.v;
	td_media_note(worker, &gone);
}

// The taps first: what comes between the two is nothing.
static void apply_privacy(struct td_media_worker *worker, const struct td_change *change)
{
	td_media_hush(worker, &worker->contexts[td_handle_index(change->context.v)],
		      change->u.privacy.on != 0);
	apply_plan(worker, change);
}

// Its ear is there before the plan that names it, and goes after the one that does not.
static void apply_fork_part(struct td_media_worker *worker, const struct td_change *change,
			    struct td_event *event)
{
	if (change->kind == TD_CHANGE_FORK_START) {
		td_fork_start(worker, change, event);
		apply_plan(worker, change);
		return;
	}
	apply_plan(worker, change);
	td_fork_stop(worker, change);
}

static void apply_fork(struct td_media_worker *worker, const struct td_change *change)
{
	struct td_note gone = { .kind = TD_NOTE_FORK_DETACHED, .object = change->object };

	if (change->kind == TD_CHANGE_FORK_ATTACH) {
		td_fork_attach(worker, change->object, &change->u.fork);
		return;
	}
	td_fork_detach(worker, change->object, &change->u.fork);
	gone.handle = change->u.fork.id.v;
	td_media_note(worker, &gone);
}

static void apply(struct td_media_worker *worker, const struct td_change *change, uint64_t now_ns)
{
	struct td_event event = { .result = 0 };

	switch ((enum td_change_kind)change->kind) {
	case TD_CHANGE_CONTEXT_CREATE:
		create_context(worker, change);
		event.u.context = change->context;
		break;
	case TD_CHANGE_CONTEXT_DESTROY:
		destroy_context(worker, change);
		event.u.context = change->context;
		note(worker, TD_NOTE_CONTEXT_GONE, change->context.v);
		break;
	case TD_CHANGE_STREAM_CREATE: apply_stream_create(worker, change, &event); break;
	case TD_CHANGE_STREAM_REMOTE: apply_stream_remote(worker, change, now_ns); break;
	case TD_CHANGE_STREAM_NEXT_HOP: apply_next_hop(worker, change); break;
	case TD_CHANGE_CONTEXT_LEAVE: td_transit_context_leave(worker, change); break;
	case TD_CHANGE_CONTEXT_ARRIVE:
		td_transit_context_arrive(worker, change);
		event.u.context = change->context;
		break;
	case TD_CHANGE_STREAM_LEAVE: td_transit_stream_leave(worker, change); break;
	case TD_CHANGE_STREAM_ARRIVE:
		td_transit_stream_arrive(worker, change);
		event.u.context = change->context;
		break;
	case TD_CHANGE_UNPARK: worker->unpark = true; break;
	case TD_CHANGE_STREAM_MOVE:
		apply_move(worker, change);
		event.u.context = change->u.move.to;
		break;
	case TD_CHANGE_STREAM_TUNE: apply_tune(worker, change); break;
	case TD_CHANGE_STREAM_DIGITS:
		event.result = td_digits_send(worker, change->object, &change->u.digits);
		break;
	case TD_CHANGE_STREAM_DESTROY: apply_stream_destroy(worker, change, &event); break;
	case TD_CHANGE_PLAYER_CREATE:
	case TD_CHANGE_PLAYER_CONTROL:
	case TD_CHANGE_PLAYER_DESTROY: apply_player(worker, change, &event); break;
	case TD_CHANGE_PLAN: apply_plan(worker, change); break;
	case TD_CHANGE_TAP_ATTACH:
	case TD_CHANGE_TAP_DETACH: apply_tap(worker, change, &event); break;
	case TD_CHANGE_FORK_START:
	case TD_CHANGE_FORK_STOP: apply_fork_part(worker, change, &event); break;
	case TD_CHANGE_FORK_ATTACH:
	case TD_CHANGE_FORK_DETACH: apply_fork(worker, change); break;
	case TD_CHANGE_CONTEXT_PRIVACY:
		apply_privacy(worker, change);
		event.u.context = change->context;
		break;
	case TD_CHANGE_KIND_COUNT: TD_ASSERT(false);
	}
	done(worker, change, &event, now_ns);
}

uint32_t td_media_changes(struct td_media_worker *worker, uint64_t now_ns)
{
	enum td_stage before = td_stage_enter(&worker->stages, TD_STAGE_COMMANDS);
	struct td_change change;
	uint32_t count = 0;

	while (count < CHANGES_PER_CALL && td_media_note_room(worker) &&
	       td_ring_take(&worker->changes, &change, 1) == 0) {
		if (count == 0)
			td_level_finish(worker, now_ns);
		apply(worker, &change, now_ns);
		count++;
	}
	if (count > 0) // there may have been keys in them
		explicit_bzero(&change.u, sizeof change.u);
	td_stage_count(&worker->stages, TD_STAGE_COMMANDS, count);
	td_stage_enter(&worker->stages, before);
	return count;
}
