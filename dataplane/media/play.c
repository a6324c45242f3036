// PLAY: the players of one slot, one frame each to every listener.
#include <rte_prefetch.h>

#include "media/send.h"
#include "td_event.h"

#define AHEAD 4u // listeners

// The prompt's frame in one codec. False: it is not in that codec, or silent for it. After a pause
// it goes by the clock, as the frame before it is long past.
static bool frame_for(const struct td_prompt *prompt, uint32_t at, uint8_t codec, bool rested,
		      struct td_frame *frame)
{
	const struct td_prompt_coding *coding = &prompt->coding[codec];

	if (coding->bytes == NULL)
		return false;
	frame->payload = coding->bytes + coding->offsets[at];
	frame->bytes = coding->offsets[at + 1u] - coding->offsets[at];
	frame->step =
		rested ? 0
		       : td_codec_clock_hz((enum td_codec_id)codec) / 1000u * TD_PROMPT_FRAME_MS;
	frame->sum = coding->sums[at];
	frame->marker = false;
	return frame->bytes > 0;
}

static uint32_t play_to_all(struct td_media_worker *worker, const struct td_player *player,
			    const struct td_prompt *prompt, uint32_t at, uint32_t feed,
			    uint64_t now_ns, struct td_tx *tx)
{
	struct td_frame frame;
	uint32_t sent = 0;

	for (uint32_t i = 0; i < player->sink_count; i++) {
		uint32_t sink = player->sinks[i];

		if (i + 2u * AHEAD < player->sink_count)
			td_media_send_expect(worker, player->sinks[i + 2u * AHEAD]);
		if (i + AHEAD < player->sink_count)
			td_media_send_soon(worker, player->sinks[i + AHEAD]);
		if (frame_for(prompt, at, worker->streams[sink].rx.codec, player->rested, &frame))
			sent += td_media_send(worker, sink, feed, &frame, now_ns, tx);
	}
	return sent;
}

// The item is over: the next one, or the first one again. False: that was all.
static bool next_item(struct td_sequence *sequence, bool loop)
{
	sequence->frame = 0;
	sequence->at++;
	if (sequence->at < sequence->count)
		return true;
	sequence->at = 0;
	return loop;
}

static void advance(struct td_player *player)
{
	bool spliced = player->splice.count != 0;
	struct td_sequence *sequence = spliced ? &player->splice : &player->main;

	player->frames++;
	if (++sequence->frame < sequence->items[sequence->at].count)
		return;
	if (next_item(sequence, !spliced && player->loop))
		return;
	if (spliced)
		player->splice.count = 0; // and the main sequence goes on where it was
	else
		td_player_end(player, TD_PLAYER_END_PLAYED, '\0');
}

void td_player_end(struct td_player *player, enum td_player_end reason, char digit)
{
	if (player->ended)
		return;
	player->ended = true;
	player->reason = (uint8_t)reason;
	player->digit = digit;
}

void td_player_control(struct td_player *player, const struct td_change_player *change)
{
	struct td_sequence *sequence = player->splice.count != 0 ? &player->splice : &player->main;

	switch ((enum td_player_action)change->action) {
	case TD_PLAYER_PAUSE: player->paused = player->rested = true; break;
	case TD_PLAYER_RESUME: player->paused = false; break;
	case TD_PLAYER_SEEK:
		// Main has looked at another moment: what lies beyond the item is its last frame.
		sequence->frame = change->frame < sequence->items[sequence->at].count
					  ? change->frame
					  : sequence->items[sequence->at].count - 1u;
		break;
	case TD_PLAYER_SPLICE:
		player->splice.count = change->item_count;
		player->splice.at = 0;
		player->splice.frame = 0;
		memcpy(player->splice.items, change->items, sizeof player->splice.items);
		break;
	case TD_PLAYER_STOP: td_player_end(player, TD_PLAYER_END_STOPPED, '\0'); break;
	case TD_PLAYER_ACTION_COUNT: break;
	}
}

// Says once that a prompt is over; again at the next tick while control's ring is full.
static void tell_end(struct td_media_worker *worker, struct td_player *player, uint64_t now_ns)
{
	struct td_event event = { .kind = TD_EVENT_PLAYER_END };

	event.u.player_end.player = player->id;
	event.u.player_end.context = player->context;
	event.u.player_end.frames = player->frames;
	event.u.player_end.reason = player->reason;
	event.u.player_end.digit = player->digit;
	player->told = td_media_event(worker, &event, now_ns, true) == 0;
}

static uint32_t play(struct td_media_worker *worker, uint32_t index, uint64_t now_ns,
		     struct td_tx *tx)
{
	struct td_player *player = &worker->players[index];
	const struct td_prompt *prompt;
	uint32_t sent = 0, frame;

	if (player->live != NULL) {
		// Who hears it hears it in a mix, which has looked at the frame already.
		player->frames += td_live_step(player->live);
		return 0;
	}
	prompt = td_player_now(player, worker->prompts, &frame);
	if (prompt != NULL) {
		sent = play_to_all(worker, player, prompt, frame, TD_FEED_PLAYER | index, now_ns,
				   tx);
		player->rested = false;
		advance(player);
	}
	if (player->ended && !player->told)
		tell_end(worker, player, now_ns);
	return sent;
}

static void prefetch_next(const struct td_media_worker *worker, const struct td_player *player)
{
	const struct td_player *next;

	if (player->next == TD_PLAYER_NONE)
		return;
	next = &worker->players[player->next];
	rte_prefetch0(next);
	rte_prefetch0(&next->main);
}

uint32_t td_media_tick(struct td_media_worker *worker, uint32_t slot, uint64_t now_ns,
		       struct td_tx *tx)
{
	enum td_stage before = td_stage_enter(&worker->stages, TD_STAGE_SEND);
	uint32_t sent = td_digits_tick(worker, slot, now_ns, tx), index, played;

	td_stage_count(&worker->stages, TD_STAGE_SEND, sent);
	sent += td_media_mix(worker, slot, now_ns, tx);
	td_stage_enter(&worker->stages, TD_STAGE_SEND);
	index = worker->slot_first[slot];

	while (index != TD_PLAYER_NONE) {
		prefetch_next(worker, &worker->players[index]);
		played = play(worker, index, now_ns, tx);
		td_stage_count(&worker->stages, TD_STAGE_SEND, played);
		sent += played;
		index = worker->players[index].next;
	}
	td_protect_flush(worker, tx);
	td_stage_enter(&worker->stages, before);
	return sent;
}
