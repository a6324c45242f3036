// What others may see of contexts: who is in them, and what we have set in their gain matrix.
//
// These are the contexts of calls and of conferences. How a member really gets what it hears is in
// the dataplane's mirror (td_stats.h). Everything is copied out. Thread: the control loop's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "call/inspect.h"
#include "td_command.h"

struct td_context_player_info {
	struct td_player_id id; // v == 0: none
	const char *use;        // "music", "announcement"
	uint32_t prompt;        // of the music, an index in the region; UINT32_MAX: a sequence
};

#define TD_CONTEXT_PLAYER_MAX 3

struct td_context_info {
	struct td_context_id id;
	char call[TD_CALL_ID_MAX], conference[TD_CALL_NAME_MAX]; // whose it is, the other is empty
	uint32_t members;
	bool recording;
	uint32_t player_count;
	struct td_context_player_info players[TD_CONTEXT_PLAYER_MAX];
};

unsigned td_contexts_foreach(struct td_calls *calls,
			     bool (*fn)(void *user, const struct td_context_info *info), void *user)
	TD_CONTROL;
// -TD_ENOT_FOUND.
TD_MUST_CHECK int td_contexts_get(struct td_calls *calls, struct td_context_id id,
				  struct td_context_info *out) TD_CONTROL;

// The music or an announcement of a call or conference, which those end themselves.
bool td_contexts_own_player(struct td_calls *calls, struct td_player_id id) TD_CONTROL;

// Members whose stream is there, as conference members are described: of one of a call `seat` is
// empty.
void td_contexts_members(struct td_calls *calls, struct td_context_id id,
			 bool (*fn)(void *user, const struct td_member_info *info), void *user)
	TD_CONTROL;
// Every cell that control has set and that is not 0.
void td_contexts_cells(struct td_calls *calls, struct td_context_id id,
		       bool (*fn)(void *user, const struct td_cell *cell), void *user) TD_CONTROL;
