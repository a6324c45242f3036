// A context of the dataplane as control sees it: what should be in it, what is, and the commands
// under way. A call has one, a conference has one.
//
//   wanted (call.c, leg.c, conference.c) --+
//                            +--> td_media_step --> next command --> td_link_submit
//   have (answers) ----------+         ^---------------- done ------------'
//
// There is no script of commands. Each step compares `wanted` with `have` and sends the one command
// that comes next; whatever happens meanwhile (a hangup, an answer, a failure) only changes
// `wanted`, so every interleaving ends the same way and nothing is left behind.
//
// A leg's stream belongs to the context it is `at`; its `room` is the one where it should be. Where
// they differ the stream is moved, with its first cells there. In the room of a call every pair of
// parties has a cell of its own (party.h says which gain); in that of a conference a member has two
// cells toward the floor, so that ten thousand of them are ten thousand rows and not a square.
//
// Commands whose answers nobody has to wait for go out together: the dataplane executes a context's
// commands in order. One that makes something, or that others must not overtake, is waited for; only
// the first streams of a context and their remotes go out with it, by TD_HANDLE_LATEST, since a
// caller waits for all three. Where one of them is refused, those behind it are too, and what was
// made is ended as ever: it is there and not wanted.
//
//   invariant: at most TD_MEDIA_REQUEST_MAX commands of a context are under way, one edit
//   invariant: members = legs whose room it is; guests = those whose stream is in it besides
//   invariant: a context goes only when it has neither
//
// Order: privacy, recording stops, streams go, the context goes; else context, streams, moves,
// remotes, players, matrix (old player off and new one on in one edit), ended players, recording.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "call/alarm.h"
#include "call/recording.h"
#include "td_command.h"
#include "td_event.h"
#include "td_handle.h"
#include "td_limits.h"

struct td_call;
struct td_calls;
struct td_conference;
struct td_leg;
struct td_media;

#define TD_MEDIA_NO_PROMPT   UINT32_MAX
#define TD_MEDIA_SLOT_MAX    8 // parties of a call
#define TD_MEDIA_SLOT_NONE   UINT8_MAX
#define TD_MEDIA_REQUEST_MAX 4
#define TD_MEDIA_RETRY_MS    20 // after a table or ring on the way was full

enum td_media_player_use {
	TD_MEDIA_MUSIC,    // greeting, music
	TD_MEDIA_OLD,      // the music that is being replaced
	TD_MEDIA_ANNOUNCE, // a sequence of prompts for some or all
	TD_MEDIA_PLAYERS
};

// A leg's part: one stream, where it is, and what it hears there.
struct td_leg_media {
	bool wanted;
	bool failed;                // it could not be made: not tried again
	bool ending;                // its end is under way
	bool remote_known;          // agreed by SDP
	bool learn;                 // the peer may be behind NAT
	uint8_t family;             // enum td_family
	uint8_t slot;               // its row and column in its call's cells
	uint8_t request_count;      // commands about its stream under way
	uint8_t waits;              // ... of those that have to be answered first
	uint32_t remote_serial;     // counts what SDP has agreed...
	uint32_t remote_applied;    // ...and what the dataplane has been told
	struct td_stream_id stream; // v == 0: none
	struct td_endpoint local;
	uint32_t end_tries;
	struct td_media *room, *at; // where it should be, where its stream is
	struct td_list member;      // in room->members
	struct td_list work;        // in room->work, while something may be due
	// Gains toward the floor, of a conference's member, and of each player toward it.
	int16_t talk_wanted, hear_wanted, talk, hear;
	int16_t player_wanted[TD_MEDIA_PLAYERS], player[TD_MEDIA_PLAYERS];
	bool has_stats;
	struct td_stream_stats stats; // final, from the stream's end
};

struct td_media_player {
	struct td_player_id id; // v == 0: none, or it could not be made
	uint32_t prompt;        // of MUSIC and OLD; TD_MEDIA_NO_PROMPT: no player
	bool loops;
	bool ending;          // its end is under way
	int16_t floor_wanted; // toward everybody on the floor of a conference
	int16_t floor;
};

enum td_announcement_state {
	TD_ANNOUNCEMENT_NONE,
	TD_ANNOUNCEMENT_WANTED,
	TD_ANNOUNCEMENT_STARTING, // the command is under way
	TD_ANNOUNCEMENT_PLAYING,
	TD_ANNOUNCEMENT_OVER // the player has ended, or is to end
};

// Prompts one after the other, once.
struct td_announcement {
	uint8_t state;     // enum td_announcement_state
	bool splice;       // into the music instead of by a player of its own
	uint32_t slots;    // to whom, as bits, in a call
	struct td_leg *to; // to whom, in a conference; NULL: everybody
	uint32_t item_count;
	struct td_play_item items[TD_PLAY_ITEM_MAX];
};

// A command under way; the link hands it back with the answer.
struct td_media_request {
	struct td_media *media;
	struct td_leg *leg; // whose stream it is about, or NULL
	uint32_t kind;      // enum td_command_kind, 0: free
	uint32_t number;    // PLAYER_*: enum td_media_player_use; RECORD_*: the track
	uint32_t undo_count;
	struct td_cell undo[TD_EDIT_CELL_MAX]; // MATRIX_EDIT, STREAM_MOVE: as it was, as it will be
};

struct td_media {
	struct td_alarm retry;
	struct td_calls *calls;
	// Whose it is: exactly one is set.
	struct td_call *call;
	struct td_conference *conference;
	struct td_list members, work; // of legs, by media.member and media.work
	uint32_t member_count, guest_count;
	// Wanted.
	bool context_wanted;
	uint32_t prompt_wanted; // TD_MEDIA_NO_PROMPT: silence
	bool prompt_loops;
	int16_t cells_wanted[TD_MEDIA_SLOT_MAX][TD_MEDIA_SLOT_MAX]; // [from][to] of a call
	struct td_announcement announcement;
	// Have.
	struct td_context_id context;
	struct td_media_player players[TD_MEDIA_PLAYERS];
	int16_t cells[TD_MEDIA_SLOT_MAX][TD_MEDIA_SLOT_MAX];
	struct td_leg *slots[TD_MEDIA_SLOT_MAX];
	// Wanted and have, each.
	struct td_recording recording;
	struct td_privacy privacy;
	// Under way.
	struct td_media_request requests[TD_MEDIA_REQUEST_MAX];
	uint32_t request_count;
	uint32_t end_tries;            // of the context, the recording
	struct td_media *context_next; // others with the same hash of their context
};

void td_media_init(struct td_media *media, struct td_calls *calls, struct td_call *call,
		   struct td_conference *conference);

// The leg belongs in this context from now on, wherever its stream is. NULL: in none.
void td_media_enter(struct td_media *room, struct td_leg *leg);
// Something about the leg may differ from what the dataplane has.
void td_media_touch(struct td_leg *leg);
// Its slot in its call's cells; false: all are taken. Given back when the leg leaves the call.
bool td_media_take_slot(struct td_media *media, struct td_leg *leg);
void td_media_give_slot(struct td_media *media, struct td_leg *leg);

// Sends the commands that come next; posts CLEARED to an ending call that is idle.
void td_media_step(struct td_media *media);
// Its timers, before its memory is somebody else's.
void td_media_cancel(struct td_media *media);
bool td_media_idle(const struct td_media *media);
// A command about this leg's stream is under way.
bool td_media_leg_busy(const struct td_leg *leg);
// The dataplane has gone, and everything in it: forgets what was there.
void td_media_lost(struct td_media *media);
void td_media_leg_lost(struct td_leg *leg);
// What is said here is private from now on, for so many seconds (0: until it is ended), or is not.
void td_media_set_privacy(struct td_media *media, bool on, uint32_t seconds);
// Its recording is over, however: closed, or nobody knows any more.
void td_media_recording_over(struct td_media *media, bool partial);
// The next tone that says that this is recorded, at once or after the config's interval.
void td_recording_beep_arm(struct td_media *media, bool at_once);
void td_recording_beep(struct td_media *media);
// A pause or a mask is over.
void td_recording_resume(struct td_media *media);
// An unsolicited event (player end, recording, digit, tone).
void td_media_event(struct td_calls *calls, const struct td_event *event);
// The member with this stream, NULL: none. Looks at every member.
struct td_leg *td_media_find_leg(const struct td_media *media, uint32_t stream);
// The context of this handle, NULL: none of ours.
struct td_media *td_media_find(struct td_calls *calls, struct td_context_id context);

// An announcement to some parties of a call (as bits of their slots) or to one member of a
// conference, or everybody (`to` NULL). -TD_EBUSY while another one plays.
TD_MUST_CHECK int td_media_announce(struct td_media *media, const struct td_play_item *items,
				    uint32_t count, uint32_t slots, struct td_leg *to);
