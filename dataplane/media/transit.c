// Between two workers: what one lets go of, and what the other takes.
//
// Nobody's packets are dropped on the way. The old worker parks what still comes to it; once the
// ports are published for the new one, parked packets are looked up again (worker/worker.c) and
// cross over. What reaches the new worker before its stream does is parked there likewise.
#include "media/worker_state.h"

static void release(struct td_media_worker *worker, uint32_t stream)
{
	td_digits_stop(worker, stream);
	td_media_disown(worker, stream);
	worker->streams[stream].rx.flags &= (uint8_t) ~(TD_RX_LIVE | TD_RX_STEADY);
	worker->cold[stream].in_transit = true;
}

static void take(struct td_media_worker *worker, uint32_t stream)
{
	td_media_own(worker, stream);
	worker->cold[stream].in_transit = false;
	worker->streams[stream].rx.flags |= TD_RX_LIVE;
	td_media_mirror(worker, stream);
}

static void note_left(struct td_media_worker *worker, uint32_t handle)
{
	struct td_note note = { .kind = TD_NOTE_LEFT, .handle = handle };

	td_media_note(worker, &note);
}

void td_transit_stream_leave(struct td_media_worker *worker, const struct td_change *change)
{
	struct td_worker_context *context = &worker->contexts[td_handle_index(change->context.v)];

	worker->moving = change->object;
	td_media_plan_apply(worker, context, change->plan);
	worker->moving = TD_INDEX_END;
	td_media_leave_context(worker, change->object);
	release(worker, change->object);
	note_left(worker, worker->cold[change->object].id.v);
}

void td_transit_stream_arrive(struct td_media_worker *worker, const struct td_change *change)
{
	struct td_worker_context *context = &worker->contexts[td_handle_index(change->context.v)];

	td_media_enter_context(worker, change->context, change->object);
	take(worker, change->object);
	worker->moving = change->object;
	td_media_plan_apply(worker, context, change->plan);
	worker->moving = TD_INDEX_END;
	worker->unpark = true;
}

void td_transit_context_leave(struct td_media_worker *worker, const struct td_change *change)
{
	struct td_worker_context *context = &worker->contexts[td_handle_index(change->context.v)];
	uint32_t index;

	for (index = context->first_stream; index != TD_INDEX_END; index = worker->cold[index].next)
		release(worker, index);
	for (index = context->first_player; index != TD_INDEX_END;
	     index = worker->players[index].next_in_context)
		td_media_player_unlink(worker, index);
	td_media_context_rest(worker, context);
	worker->slot_load[context->slot] -= context->load;
	worker->stats->contexts--;
	note_left(worker, context->id.v);
}

void td_transit_context_arrive(struct td_media_worker *worker, const struct td_change *change)
{
	struct td_worker_context *context = &worker->contexts[td_handle_index(change->context.v)];
	uint32_t index;

	context->slot = td_media_emptiest_slot(worker);
	worker->slot_load[context->slot] += context->load;
	worker->stats->contexts++;
	for (index = context->first_stream; index != TD_INDEX_END; index = worker->cold[index].next)
		take(worker, index);
	for (index = context->first_player; index != TD_INDEX_END;
	     index = worker->players[index].next_in_context)
		td_media_player_link(worker, index, context->slot);
	td_media_context_resume(worker, context);
	worker->unpark = true;
}

void td_transit_park(struct td_media_worker *worker, const struct td_packet *packet)
{
	if (worker->parked_count == TD_PARK_MAX)
		td_media_drop(worker, packet->mbuf, TD_DROP_PARK_FULL);
	else
		worker->parked[worker->parked_count++] = *packet;
}

uint32_t td_media_unpark(struct td_media_worker *worker, struct td_packet *packets, uint32_t max)
{
	uint32_t count = worker->parked_count < max ? worker->parked_count : max;

	if (!worker->unpark)
		return 0;
	memcpy(packets, worker->parked, count * sizeof *packets);
	worker->parked_count -= count;
	memmove(worker->parked, worker->parked + count, worker->parked_count * sizeof *packets);
	worker->unpark = worker->parked_count > 0;
	return count;
}
