// What a worker says: events to control, notes to the main thread.
#include "media/worker_state.h"
#include "td_assert.h"

bool td_media_note_room(struct td_media_worker *worker)
{
	struct td_ring_view *notes = &worker->notes;

	if (notes->own - notes->peer + TD_NOTES_A_CHANGE <= notes->mask + 1u)
		return true;
	// Pairs with the release store of tail in td_ring_take.
	notes->peer = atomic_load_explicit(&notes->shared->tail, memory_order_acquire);
	return notes->own - notes->peer + TD_NOTES_A_CHANGE <= notes->mask + 1u;
}

void td_media_note(struct td_media_worker *worker, const struct td_note *note)
{
	int error = td_ring_push(&worker->notes, note);

	TD_ASSERT(error == 0); // td_media_changes has looked before it took the change
}

int td_media_event(struct td_media_worker *worker, struct td_event *event, uint64_t now_ns,
		   bool state)
{
	int error;

	event->time_ns = now_ns;
	event->thread = worker->index + 1u;
	event->sequence = worker->event_sequence + 1u;
	error = td_ring_push(&worker->events, event);
	if (error == 0 || !state)
		worker->event_sequence++;
	if (error != 0 && !state)
		worker->stats->events_lost++;
	return error;
}

void td_media_note_learned(struct td_media_worker *worker, uint32_t stream)
{
	struct td_stream_cold *cold = &worker->cold[stream];
	struct td_note note = { .kind = TD_NOTE_LEARNED, .handle = cold->id.v };

	note.remote = *td_stream_remote(cold);
	cold->learned_pending = true;
	// A full ring is no loss: the sweep asks again until the answer comes.
	(void)!td_ring_push(&worker->notes, &note);
}
