// A fork's part in its context: the player its far end speaks by, the ear that hears the context's floor
// for it, or the capture of all streams of it.
#include "media/fork_taps.h"
#include "td_codec_id.h"

static void capture_all(struct td_media_worker *worker, struct td_context_id id, uint16_t fork)
{
	struct td_worker_context *context = &worker->contexts[td_handle_index(id.v)];
	uint32_t index = context->first_stream;

	context->capture = fork;
	for (; index != TD_INDEX_END; index = worker->cold[index].next)
		td_fork_follow(worker, index, fork != TD_CAPTURE_NONE);
}

// It is in no list: nothing comes to it, nothing is reported of it, and it is where its context is.
static void begin_ear(struct td_media_worker *worker, const struct td_change *change)
{
	const struct td_change_fork *fork = &change->u.fork;
	uint32_t ear = td_handle_index(fork->ear.id.v);

	td_media_stream_begin(worker, &fork->ear);
	worker->streams[ear].rx.flags = 0;
	worker->streams[ear].rx.codec = fork->codec & 0x1fu;
	worker->cold[ear].ear = true;
	worker->cold[ear].context = change->context;
	worker->cold[ear].clock_khz =
		(uint8_t)(td_codec_clock_hz((enum td_codec_id)fork->codec) / 1000u);
	td_stream_taps_begin(worker, ear)->forks[0].index = (uint16_t)td_handle_index(fork->id.v);
}

void td_fork_start(struct td_media_worker *worker, const struct td_change *change,
		   struct td_event *event)
{
	const struct td_change_fork *fork = &change->u.fork;
	const struct td_change_player speaker = { .id = fork->player,
						  .live = fork->live,
						  .stop_stream = TD_INDEX_END };

	if (fork->player.v != 0)
		td_media_player_create(worker, change->context, &speaker);
	if (fork->ear.id.v != 0)
		begin_ear(worker, change);
	if (fork->capture)
		capture_all(worker, change->context, (uint16_t)td_handle_index(fork->id.v));
	event->u.fork_started.fork = fork->id;
	event->u.fork_started.player = fork->player;
	worker->stats->forks++;
}

static void note(struct td_media_worker *worker, enum td_note_kind kind, uint32_t handle)
{
	struct td_note note = { .kind = kind, .handle = handle };

	td_media_note(worker, &note);
}

static void end_player(struct td_media_worker *worker, struct td_player_id id, bool keep)
{
	uint32_t player = td_handle_index(id.v);

	if (keep) {
		worker->players[player].live = NULL;
		td_player_end(&worker->players[player], TD_PLAYER_END_STOPPED, '\0');
		return;
	}
	td_media_player_destroy(worker, player);
	note(worker, TD_NOTE_PLAYER_GONE, id.v);
}

static void end_ear(struct td_media_worker *worker, struct td_stream_id id, bool keep)
{
	uint32_t ear = td_handle_index(id.v);

	worker->cold[ear].ear = false;
	worker->cold[ear].id.v = 0;
	if (!keep)
		note(worker, TD_NOTE_STREAM_GONE, id.v);
}

// The forker's memory is not touched after the last note.
void td_fork_stop(struct td_media_worker *worker, const struct td_change *change)
{
	const struct td_change_fork *fork = &change->u.fork;

	if (fork->player.v != 0)
		end_player(worker, fork->player, fork->keep_player);
	if (fork->ear.id.v != 0)
		end_ear(worker, fork->ear.id, fork->keep_player);
	if (fork->capture)
		capture_all(worker, change->context, TD_CAPTURE_NONE);
	worker->stats->forks--;
	note(worker, TD_NOTE_FORK_STOPPED, fork->id.v);
}

void td_fork_heard(struct td_media_worker *worker, uint32_t ear, const struct td_frame *frame,
		   bool marker, uint64_t now_ns)
{
	const struct td_stream_tx *tx = td_media_tx(worker, ear);
	struct td_tap_record *record = td_tap_reserve(worker->fork_ring, frame->bytes);

	if (record == NULL) {
		worker->stats->fork_lost++;
		return;
	}
	record->flags = 0;
	record->arrival_ns = now_ns;
	record->tap = td_stream_taps_of(worker, ear)->forks[0].index;
	record->ssrc = tx->ssrc;
	record->timestamp = tx->last_timestamp;
	record->sequence = tx->last_sequence;
	record->payload_len = (uint16_t)frame->bytes;
	record->side = 0;
	record->codec = worker->streams[ear].rx.codec;
	record->marker = marker;
	record->kind = TD_TAP_AUDIO;
	memcpy(record->payload, frame->payload, frame->bytes);
	td_tap_commit(worker->fork_ring);
}
