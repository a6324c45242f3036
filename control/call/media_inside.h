// What the files of td_media share: which command comes next, by its subject.
//
// Each next_* fills in the one command that comes next of its kind and returns true, or returns
// false and has changed nothing in the dataplane's picture. Nobody outside media*.c includes this.
#pragma once

#include "call/leg.h"
#include "call/manager.h"
#include "call/media.h"
#include "call/recording_name.h"
#include "td_error.h"

// media_legs.c
bool td_media_next_leg(struct td_media *media, struct td_command *command, struct td_leg **leg);
// What SDP has agreed, for its stream or, right behind that one's STREAM_CREATE, for the one it makes.
bool td_media_next_remote(const struct td_leg *leg, struct td_command *command);
// Its stream is in this other context now; NULL: it has none any more.
void td_media_set_at(struct td_leg *leg, struct td_media *media);
// Nothing about the leg has to be done.
bool td_media_leg_settled(const struct td_media *media, const struct td_leg *leg);

// media_players.c
bool td_media_next_player(struct td_media *media, struct td_command *command, uint32_t *player);
bool td_media_next_player_end(struct td_media *media, struct td_command *command, uint32_t *player);
// The gain of a player toward a leg that is wanted now.
int16_t td_media_player_gain(const struct td_media *media, const struct td_leg *leg,
			     uint32_t player);
void td_media_player_created(struct td_media *media, uint32_t player, const struct td_event *event);
void td_media_player_gone(struct td_media *media, uint32_t player);
void td_media_player_ended(struct td_calls *calls, const struct td_event_player_end *ended);
void td_media_announcement_over(struct td_media *media);

// media_matrix.c
bool td_media_next_edit(struct td_media *media, struct td_command *command);
// The first cells of a stream that comes here by a move.
uint32_t td_media_first_cells(struct td_media *media, const struct td_leg *leg,
			      struct td_cell cells[TD_EDIT_CELL_MAX]);
// Takes these gains for what the dataplane has; of cells whose ends are there.
void td_media_take_cells(struct td_media *media, const struct td_cell *cells, uint32_t count);
// For each of them what is taken for true now.
void td_media_save_cells(struct td_media *media, const struct td_cell *cells, uint32_t count,
			 struct td_cell undo[TD_EDIT_CELL_MAX]);
void td_media_forget_cells(struct td_media *media, struct td_leg *leg);

// media_recording.c
bool td_media_next_recording(struct td_media *media, struct td_command *command, uint32_t *track);
bool td_media_next_recording_end(struct td_media *media, struct td_command *command);
// The command about a recording is out.
void td_media_recording_assume(struct td_media *media, const struct td_command *command,
			       uint32_t track);
// What it is called by, and its sidecar and index say. Borrowed.
void td_media_recording_words(const struct td_media *media, struct td_recording_words *words);
#define TD_CONFERENCE_OWNER (1ull << 63) // of the events of a conference's recording: | its index

// media_recorded.c
void td_media_recording_started(struct td_media *media, const struct td_event *event);
// `again`: the dataplane had no room for it.
void td_media_recording_stopped(struct td_media *media, bool again);
void td_media_recording_answered(struct td_media *media, uint32_t track,
				 const struct td_event *event);
void td_media_recording_event(struct td_calls *calls, const struct td_event *event);

// The disk of the recordings is in trouble, or is well again.
void td_recording_alarm(struct td_calls *calls, const struct td_event_record_alarm *alarm);

// media_privacy.c
bool td_media_next_privacy(struct td_media *media, struct td_command *command);
void td_media_privacy_assume(struct td_media *media, const struct td_command *command);
void td_media_privacy_answered(struct td_media *media, const struct td_event *event);

// media_answers.c: the answer to a command of struct td_media_request.
void td_media_answered(void *user, const struct td_event *event);
void td_media_fail_leg(struct td_leg *leg, enum td_command_kind command, int error);
