// A player on its worker: a prompt, a position, and who listens.
//
//   tick slot s:  [ player ] -> [ player ] -> ...   doubly linked by index, one list a slot
//
// Every 20 ms it sends one frame to each listener, each in the listener's codec and numbering, all
// from the same position. The last frame of a prompt that does not loop is followed by one
// TD_EVENT_PLAYER_END, tried again each tick while control's ring is full; the player then rests
// until it is destroyed. One array for all players, by handle index; owned by the worker.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "media/prompts.h"
#include "td_handle.h"
#include "td_limits.h"

#define TD_PLAYER_NONE UINT32_MAX

struct td_player {
	const struct td_prompt *prompt;
	uint32_t frame;          // the next one to send
	uint32_t next, previous; // in the slot's list
	uint8_t slot;
	uint8_t sink_count;
	bool loop;
	bool ended; // the last frame is out
	bool told;  // and control knows
	struct td_player_id id;
	struct td_context_id context;
	uint32_t sinks[TD_PLAN_MEMBER_MAX];
};
