// Changes applied: what the main thread decided becomes true between two turns of the worker.
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

static void set_listeners(struct td_media_worker *worker, const struct td_change_plan *plan,
			  unsigned member)
{
	uint32_t feed = plan->members[member], sinks[TD_PLAN_MEMBER_MAX];
	uint8_t count = 0;

	for (unsigned to = 0; to < TD_PLAN_MEMBER_MAX; to++)
		if (plan->heard_by[member] & 1u << to)
			sinks[count++] = plan->members[to];
	if (feed & TD_FEED_PLAYER) {
		struct td_player *player = &worker->players[feed & ~TD_FEED_PLAYER];

		player->sink_count = count;
		memcpy(player->sinks, sinks, count * sizeof sinks[0]);
		return;
	}
	worker->cold[feed].sink_count = count;
	memcpy(worker->cold[feed].sinks, sinks, count * sizeof sinks[0]);
	worker->streams[feed].rx.sink = count == 0   ? TD_SINK_NONE
					: count == 1 ? worker->cold[sinks[0]].tx_slot
						     : TD_SINK_FANOUT;
	worker->streams[feed].rx.flags &= (uint8_t)~TD_RX_STEADY;
}

// Where one stream is heard by one listener, the lines a packet needs lie side by side.
static void place(struct td_media_worker *worker, const struct td_worker_context *context,
		  const struct td_change_plan *plan)
{
	td_media_place_home(worker, context->members); // those that leave with this plan, too
	for (unsigned from = 0; from < TD_PLAN_MEMBER_MAX; from++) {
		uint32_t heard_by = plan->heard_by[from];

		if (heard_by != 0 && (heard_by & (heard_by - 1u)) == 0 &&
		    !(plan->members[from] & TD_FEED_PLAYER))
			td_media_place_beside(worker, plan->members[from],
					      plan->members[__builtin_ctz(heard_by)]);
	}
}

// Who hears whom. A listener whose feeder changes begins a new run of numbers.
static void apply_plan(struct td_media_worker *worker, const struct td_change *change)
{
	struct td_worker_context *context = &worker->contexts[td_handle_index(change->context.v)];
	const struct td_change_plan *plan = &change->plan;
	uint32_t fed_by[TD_PLAN_MEMBER_MAX];

	for (unsigned i = 0; i < TD_PLAN_MEMBER_MAX; i++)
		fed_by[i] = TD_FEED_NONE;
	for (unsigned from = 0; from < TD_PLAN_MEMBER_MAX; from++)
		for (unsigned to = 0; to < TD_PLAN_MEMBER_MAX; to++)
			if (plan->heard_by[from] & 1u << to)
				fed_by[to] = plan->members[from];
	place(worker, context, plan);
	for (unsigned i = 0; i < TD_PLAN_MEMBER_MAX; i++) {
		uint32_t member = plan->members[i];

		if (member == TD_FEED_NONE)
			continue;
		if (!(member & TD_FEED_PLAYER) && fed_by[i] != context->fed_by[i])
			td_media_tx(worker, member)->flags |= TD_TX_FORCED;
		set_listeners(worker, plan, i);
	}
	memcpy(context->members, plan->members, sizeof context->members);
	memcpy(context->fed_by, fed_by, sizeof context->fed_by);
}

static void create_context(struct td_media_worker *worker, const struct td_change *change)
{
	struct td_worker_context *context = &worker->contexts[td_handle_index(change->context.v)];

	context->id = change->context;
	for (unsigned i = 0; i < TD_PLAN_MEMBER_MAX; i++) {
		context->members[i] = TD_FEED_NONE;
		context->fed_by[i] = TD_FEED_NONE;
	}
	worker->stats->contexts++;
}

static void destroy_member(struct td_media_worker *worker, uint32_t member)
{
	if (member == TD_FEED_NONE)
		return;
	if (member & TD_FEED_PLAYER)
		td_media_player_destroy(worker, member & ~TD_FEED_PLAYER);
	else
		td_media_stream_destroy(worker, member);
}

static void destroy_context(struct td_media_worker *worker, const struct td_change *change)
{
	struct td_worker_context *context = &worker->contexts[td_handle_index(change->context.v)];

	td_media_place_home(worker, context->members);
	for (unsigned i = 0; i < TD_PLAN_MEMBER_MAX; i++)
		destroy_member(worker, context->members[i]);
	context->id.v = 0;
	worker->stats->contexts--;
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
	apply_plan(worker, change);
	event->u.stream_created.stream = change->u.stream.id;
	event->u.stream_created.local = change->u.stream.local;
	td_media_mirror(worker, td_handle_index(change->u.stream.id.v));
}

static void apply_stream_remote(struct td_media_worker *worker, const struct td_change *change,
				uint64_t now_ns)
{
	struct td_note released = { .kind = TD_NOTE_RELEASED };

	td_media_stream_remote(worker, change->object, &change->u.remote, now_ns);
	memcpy(released.released, change->u.remote.released, sizeof released.released);
	td_media_note(worker, &released);
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
	if (change->kind == TD_CHANGE_PLAYER_CREATE) {
		td_media_player_create(worker, change->context, &change->u.player);
		apply_plan(worker, change);
		event->u.player = change->u.player.id;
		return;
	}
	event->u.player = worker->players[change->object].id;
	apply_plan(worker, change);
	td_media_player_destroy(worker, change->object);
	note(worker, TD_NOTE_PLAYER_GONE, event->u.player.v);
}

static void apply_record(struct td_media_worker *worker, const struct td_change *change,
			 struct td_event *event)
{
	bool start = change->kind == TD_CHANGE_RECORD_START;

	td_media_tap_set(worker, &change->u.record, start);
	event->u.tap = change->u.record.id;
	worker->stats->taps += start ? 1u : (uint64_t)-1;
	if (!start)
		note(worker, TD_NOTE_RECORD_STOPPED, change->u.record.id.v);
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
	case TD_CHANGE_STREAM_DESTROY: apply_stream_destroy(worker, change, &event); break;
	case TD_CHANGE_PLAYER_CREATE:
	case TD_CHANGE_PLAYER_DESTROY: apply_player(worker, change, &event); break;
	case TD_CHANGE_PLAN: apply_plan(worker, change); break;
	case TD_CHANGE_RECORD_START:
	case TD_CHANGE_RECORD_STOP: apply_record(worker, change, &event); break;
	case TD_CHANGE_KIND_COUNT: TD_ASSERT(false);
	}
	done(worker, change, &event, now_ns);
}

uint32_t td_media_changes(struct td_media_worker *worker, uint64_t now_ns)
{
	struct td_change change;
	uint32_t count = 0;

	while (count < CHANGES_PER_CALL && td_media_note_room(worker) &&
	       td_ring_pop(&worker->changes, &change) == 0) {
		apply(worker, &change, now_ns);
		count++;
	}
	return count;
}
