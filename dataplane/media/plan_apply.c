// A plan comes into force between two turns of its worker: what differs from the one before.
//
// Seats that are the same in both plans are not looked at, so a newcomer among ten thousand costs
// one seat; routes and the list of mixes are the new plan's by pointer.
#include "media/worker_state.h"
#include "td_assert.h"

static const struct td_plan_seat no_seat = { .feed = TD_FEED_NONE, .fed_by = TD_FEED_NONE };

static const struct td_plan_seat *seat_at(const struct td_plan *plan, uint32_t slot)
{
	return plan != NULL && slot < plan->seat_count ? &plan->seats[slot] : &no_seat;
}

static void set_sinks(struct td_media_worker *worker, uint32_t feed, const uint32_t *sinks,
		      uint32_t count)
{
	struct td_stream_cold *cold;

	if (feed & TD_FEED_PLAYER) {
		struct td_player *player = &worker->players[feed & ~TD_FEED_PLAYER];

		player->sinks = sinks;
		player->sink_count = count;
		return;
	}
	cold = &worker->cold[feed];
	cold->sinks = sinks;
	cold->sink_count = count;
}

// What the packets' way begins with, from the listeners and the inlet.
static void set_way(struct td_media_worker *worker, uint32_t stream)
{
	struct td_stream_rx *rx = &worker->streams[stream].rx;
	const struct td_stream_cold *cold = &worker->cold[stream];
	bool inlet = (rx->flags & TD_RX_INLET) != 0;

	rx->flags &= (uint8_t)~TD_RX_STEADY;
	if (cold->sink_count == 0)
		rx->sink = inlet ? TD_SINK_INLET : TD_SINK_NONE;
	else if (cold->sink_count == 1 && !inlet)
		rx->sink = worker->cold[cold->sinks[0]].tx_slot;
	else
		rx->sink = TD_SINK_FANOUT;
}

// Listeners of the plan before that were beside whom they heard go home, those that leave too.
static void end_routes(struct td_media_worker *worker, const struct td_plan *plan)
{
	for (uint32_t i = 0; i < plan->route_count; i++) {
		const struct td_plan_route *route = &plan->routes[i];

		if (!(route->feed & TD_FEED_PLAYER)) {
			td_media_place_home(worker, route->feed);
			if (route->sink_count == 1)
				td_media_place_home(worker, plan->route_sinks[route->sink_first]);
		}
		set_sinks(worker, route->feed, NULL, 0);
	}
	for (uint32_t i = 0; i < plan->route_count; i++)
		if (!(plan->routes[i].feed & TD_FEED_PLAYER))
			set_way(worker, plan->routes[i].feed);
}

static void begin_routes(struct td_media_worker *worker, const struct td_plan *plan)
{
	for (uint32_t i = 0; i < plan->route_count; i++) {
		const struct td_plan_route *route = &plan->routes[i];
		const uint32_t *sinks = &plan->route_sinks[route->sink_first];

		set_sinks(worker, route->feed, sinks, route->sink_count);
		if (!(route->feed & TD_FEED_PLAYER) && route->sink_count == 1)
			td_media_place_beside(worker, route->feed, sinks[0]);
	}
	for (uint32_t i = 0; i < plan->route_count; i++)
		if (!(plan->routes[i].feed & TD_FEED_PLAYER))
			set_way(worker, plan->routes[i].feed);
}

static void end_inlet(struct td_media_worker *worker, uint32_t stream)
{
	struct td_stream_cold *cold = &worker->cold[stream];

	td_digits_forget(worker, stream);
	worker->streams[stream].rx.flags &= (uint8_t)~TD_RX_INLET;
	td_lets_inlet(worker->lets, cold->inlet)->active = false;
	set_way(worker, stream);
}

// Ready for what its plan says: empty, unless its stream has just come with what it has queued.
static void begin_inlet(struct td_media_worker *worker, const struct td_plan_source *source,
			uint32_t key)
{
	struct td_inlet *inlet = td_lets_inlet(worker->lets, source->inlet);

	if (inlet->active && inlet->key == key)
		return;
	if (inlet->key != key || worker->moving != source->feed)
		td_inlet_begin(worker->lets, source->inlet, key, source->decoder);
	inlet->active = true;
	worker->cold[source->feed].inlet = source->inlet;
	worker->streams[source->feed].rx.flags |= TD_RX_INLET;
	set_way(worker, source->feed);
}

static void begin_inlets(struct td_media_worker *worker, const struct td_plan *plan)
{
	for (uint32_t i = 0; i < plan->source_count; i++) {
		const struct td_plan_source *source = &plan->sources[i];

		if (!(source->feed & TD_FEED_PLAYER))
			begin_inlet(worker, source, plan->seats[source->slot].inlet_key);
	}
}

// A listener whose feeder changes begins a new run of numbers.
static void feed_from(struct td_media_worker *worker, const struct td_plan_seat *seat,
		      uint32_t fed_by)
{
	struct td_stream_cold *cold = &worker->cold[seat->feed];

	cold->hears = seat->hears;
	cold->fed_by = fed_by;
	td_media_tx(worker, seat->feed)->flags |= TD_TX_FORCED;
}

static void change_seats(struct td_media_worker *worker, const struct td_plan *old,
			 const struct td_plan *plan)
{
	uint32_t old_count = old != NULL ? old->seat_count : 0;
	uint32_t count = plan->seat_count > old_count ? plan->seat_count : old_count;

	for (uint32_t slot = 0; slot < count; slot++) {
		const struct td_plan_seat *was = seat_at(old, slot), *is = seat_at(plan, slot);
		bool same = was->feed == is->feed;

		if (was->inlet_key != 0 && (!same || was->inlet_key != is->inlet_key))
			end_inlet(worker, was->feed);
		if (is->feed == TD_FEED_NONE || (is->feed & TD_FEED_PLAYER))
			continue;
		if (!same || was->fed_by != is->fed_by)
			feed_from(worker, is, is->fed_by);
		else if (was->hears != is->hears)
			worker->cold[is->feed].hears = is->hears;
	}
}

static void set_ticking(struct td_media_worker *worker, struct td_worker_context *context, bool on)
{
	uint32_t index = td_handle_index(context->id.v), *first;

	if (context->ticking == on)
		return;
	context->ticking = on;
	first = &worker->slot_contexts[context->slot];
	if (on) {
		context->previous = TD_INDEX_END;
		context->next = *first;
		if (*first != TD_INDEX_END)
			worker->contexts[*first].previous = index;
		*first = index;
		return;
	}
	if (context->next != TD_INDEX_END)
		worker->contexts[context->next].previous = context->previous;
	if (context->previous != TD_INDEX_END)
		worker->contexts[context->previous].next = context->next;
	else
		*first = context->next;
}

void td_media_context_rest(struct td_media_worker *worker, struct td_worker_context *context)
{
	set_ticking(worker, context, false);
}

void td_media_context_resume(struct td_media_worker *worker, struct td_worker_context *context)
{
	set_ticking(worker, context, context->plan != NULL && context->plan->rate_hz != 0);
}

void td_media_plan_apply(struct td_media_worker *worker, struct td_worker_context *context,
			 struct td_plan *plan)
{
	static const struct td_plan nothing = { .rate_hz = 0 };
	struct td_plan *before = context->plan;
	const struct td_plan *old = before, *now = plan != NULL ? plan : &nothing;
	struct td_note note = { .kind = TD_NOTE_PLAN, .handle = context->id.v };

	if (old != NULL)
		end_routes(worker, old);
	change_seats(worker, old, now);
	begin_inlets(worker, now);
	begin_routes(worker, now);
	context->plan = plan;
	set_ticking(worker, context, now->rate_hz != 0);
	if (old == NULL)
		return;
	note.plan = before; // main made it and may write it again
	td_media_note(worker, &note);
}
