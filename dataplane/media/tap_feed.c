// What a tapped stream says, copied into the rings of those who listen: nothing is decoded here.
//
// In private (struct td_command_context_privacy) the copy says that a packet came and when, and not
// what it was: digits are not to be told from speech by it.
#include "media/fork_taps.h"
#include "media/worker_state.h"
#include "td_assert.h"

static void feed(struct td_media_worker *worker, const struct td_forward *fw,
		 struct td_stream_tap *entry, const uint8_t *payload, uint64_t now_ns)
{
	struct td_tap_ring *ring = worker->tap_ring;
	struct td_tap_record *record = td_tap_reserve(ring, payload != NULL ? fw->payload_len : 0);

	entry->offered++;
	if (record == NULL) {
		worker->stats->tap_lost++;
		return;
	}
	record->arrival_ns = now_ns;
	record->tap = entry->tap;
	record->ssrc = fw->ssrc;
	record->timestamp = fw->timestamp;
	record->sequence = fw->sequence;
	record->offered = entry->offered;
	record->side = entry->track;
	record->kind = TD_TAP_AUDIO;
	record->codec = worker->streams[fw->packet->stream].rx.codec;
	if (payload == NULL) {
		record->payload_len = 0;
		record->marker = 0;
		record->flags = TD_TAP_MASKED;
	} else {
		record->payload_len = fw->payload_len;
		if (fw->kind != TD_PAYLOAD_AUDIO)
			record->codec = TD_CODEC_NONE;
		if (fw->kind == TD_PAYLOAD_EVENT)
			record->kind = TD_TAP_EVENT;
		record->marker = fw->marker;
		record->flags = 0;
		memcpy(record->payload, payload, fw->payload_len);
	}
	td_tap_keep(ring);
}

void td_media_tap(struct td_media_worker *worker, const struct td_forward *fw,
		  const uint8_t *payload, uint64_t now_ns)
{
	struct td_stream_taps *taps = td_stream_taps_of(worker, fw->packet->stream);

	for (uint32_t i = 0; i < taps->count; i++) {
		struct td_stream_tap *entry = &taps->entries[i];
		// Relaxed: nothing but the byte itself is read by it.
		uint8_t flags =
			atomic_load_explicit(&worker->tap_flags[entry->tap], memory_order_relaxed);

		if (!(flags & TD_TAP_PAUSED))
			feed(worker, fw, entry,
			     taps->hush || (flags & TD_TAP_MASKED) ? NULL : payload, now_ns);
	}
	if (taps->fork_count > taps->capture_count && !taps->hush)
		td_fork_payload(worker, fw, payload, now_ns);
}

struct td_stream_taps *td_stream_taps_begin(struct td_media_worker *worker, uint32_t stream)
{
	struct td_stream_taps *taps = td_stream_taps_of(worker, stream);

	// Whoever had this index before may have left something.
	if (!(worker->streams[stream].rx.flags & TD_RX_TAPPED))
		*taps = (struct td_stream_taps){ .hush = worker->cold[stream].hush };
	return taps;
}

void td_media_tap_attach(struct td_media_worker *worker, uint32_t stream,
			 const struct td_change_tap *tap)
{
	struct td_stream_taps *taps = td_stream_taps_begin(worker, stream);

	TD_ASSERT(taps->count < TD_STREAM_TAP_MAX);
	taps->entries[taps->count++] =
		(struct td_stream_tap){ td_handle_index(tap->id.v), tap->track, 0, 0 };
	worker->streams[stream].rx.flags |= TD_RX_TAPPED;
	worker->stats->taps++;
}

void td_media_tap_detach(struct td_media_worker *worker, uint32_t stream,
			 const struct td_change_tap *tap)
{
	struct td_stream_taps *taps = td_stream_taps_of(worker, stream);
	uint32_t at = 0;

	while (at < taps->count && taps->entries[at].tap != td_handle_index(tap->id.v))
		at++;
	TD_ASSERT(at < taps->count);
	taps->entries[at] = taps->entries[--taps->count];
	if (taps->count == 0 && taps->fork_count == 0 && !taps->captured)
		worker->streams[stream].rx.flags &= (uint8_t)~TD_RX_TAPPED;
	worker->stats->taps--;
}

void td_media_hush_stream(struct td_media_worker *worker, uint32_t stream, bool on)
{
	worker->cold[stream].hush = on;
	if (worker->streams[stream].rx.flags & TD_RX_TAPPED)
		td_stream_taps_of(worker, stream)->hush = on;
}

void td_media_hush(struct td_media_worker *worker, struct td_worker_context *context, bool on)
{
	uint32_t index = context->first_stream;

	context->hush = on;
	for (; index != TD_INDEX_END; index = worker->cold[index].next)
		td_media_hush_stream(worker, index, on);
}
