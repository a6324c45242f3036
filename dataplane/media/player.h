// A player on its worker: a sequence of prompts, a position, and who listens.
//
//   tick slot s:  [ player ] -> [ player ] -> ...   doubly linked by index, one list a slot
//
//   main  item 0 | item 1 | ... (over and over if it loops)
//   splice                 | item 0 | item 1 |      played in between, then main goes on
//
// Every 20 ms it sends one frame to each listener, each in the listener's codec and numbering, all
// from the same position; mixes of its context, which run in the same slot just before, take the
// samples of that same frame. Its last frame is followed by one TD_EVENT_PLAYER_END, tried again
// each tick while control's ring is full; the player then rests until it is destroyed. One array
// for all players, by handle index; owned by the worker.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "media/change.h"
#include "media/live.h"
#include "media/prompts.h"
#include "td_event.h"
#include "td_handle.h"
#include "td_limits.h"

#define TD_PLAYER_NONE UINT32_MAX

struct td_sequence {
	uint16_t count; // 0: nothing to play
	uint16_t at;    // item
	uint32_t frame; // of that item, the next one to play
	struct td_sequence_item items[TD_PLAY_ITEM_MAX];
};

struct td_player {
	uint32_t next, previous; // in the slot's list
	uint32_t next_in_context, previous_in_context;
	const uint32_t *sinks; // in the context's plan
	uint32_t sink_count;
	uint8_t slot;
	bool loop, paused;
	bool rested;    // has been paused since its last frame
	bool ended;     // the last frame is out
	bool told;      // and control knows
	char digit;     // that ended it
	uint8_t reason; // enum td_player_end
	uint16_t stop_digits;
	uint32_t stop_stream; // TD_INDEX_END: none
	uint64_t frames;      // sent in all
	struct td_player_id id;
	struct td_context_id context;
	struct td_live *live; // fed by a fork: no sequence, no end of its own; NULL: prompts
	struct td_sequence main, splice;
};

// The item of a sequence that plays now, and the frame of its prompt; NULL when nothing does.
static inline const struct td_prompt *
td_player_now(const struct td_player *player, const struct td_prompts *prompts, uint32_t *frame)
{
	const struct td_sequence *sequence =
		player->splice.count != 0 ? &player->splice : &player->main;
	const struct td_sequence_item *item = &sequence->items[sequence->at];

	if (player->ended || player->paused)
		return NULL;
	*frame = item->first + sequence->frame;
	return &prompts->entries[item->prompt];
}

struct td_media_worker;

// A digit of one of its context's streams has ended, or control wants its end.
void td_player_end(struct td_player *player, enum td_player_end reason, char digit);
// PLAYER_CONTROL, as main has checked it.
void td_player_control(struct td_player *player, const struct td_change_player *change);
