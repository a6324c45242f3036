// A dataplane for the call tests: the real socket, descriptors, region, rings and structs, and a
// small model of contexts, streams, players and taps behind them, driven step by step.
//
// Commands are popped by dp_poll and wait in line until dp_answer takes the oldest one, so a test
// decides what happens between a command and its answer. Handles are generational, dead ones are
// refused, and what is still alive at the end can be counted.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <check.h>

#include "td_command.h"
#include "td_event.h"
#include "td_region.h"

// A test's own assertion for what happens thousands of times: Check's writes to a file each time.
#define must(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			ck_abort_msg("%s", #condition);                                            \
	} while (0)

#define DP_OBJECTS     512
#define DP_PENDING_MAX 4096
#define DP_HELD_MAX    16
#define DP_GREETING_MS 2000
#define DP_PROMPTS     5 // "greeting", "music", "one", "two", "etsi.beep"

struct dp_object {
	uint32_t handle, context;
	uint32_t generation;
	bool live, loops;
	struct td_command_stream_set_remote remote; // of a stream
	uint32_t remote_count;
	uint64_t owner;
	uint32_t flags;                // of a stream: TD_STREAM_*
	uint32_t tracks[TD_TRACK_MAX]; // of a tap: streams, 0: none now
	uint32_t track_count;          // likewise
	bool stereo;                   // likewise
	uint32_t actions[TD_RECORD_ACTION_COUNT];
	char mark[TD_MARK_MAX];
	struct td_command_context_privacy privacy; // of a context
	// Of a player.
	struct td_play_item items[TD_PLAY_ITEM_MAX], spliced[TD_PLAY_ITEM_MAX];
	uint32_t item_count, spliced_count;
	bool paused;
	uint32_t position_ms;
	uint32_t moves;  // of a stream
	uint32_t player; // of a fork; its streams are in `tracks`
	uint32_t what, codec;
	char label[TD_FORK_LABEL_MAX];
	struct td_command_stream_tune tune;
	struct td_command_stream_digits digits;
};

// A gain that was set: of two members, or of one and the floor. What is heard follows from them
// by the rule of td_command.h, which dp_gain states once more.
struct dp_cell {
	uint32_t context;
	struct td_member from, to;
	int32_t gain;
};

struct dp {
	char dir[64], path[96];
	int listener, connection, memory_fd, command_bell, event_bell;
	void *memory;
	size_t bytes;
	struct td_region region;
	struct td_ring_view commands, events;
	uint64_t sequence;
	struct dp_object contexts[DP_OBJECTS], streams[DP_OBJECTS], players[DP_OBJECTS],
		taps[DP_OBJECTS], forks[DP_OBJECTS];
	struct dp_cell cells[8 * DP_OBJECTS];
	uint32_t cell_count;
	struct td_command pending[DP_PENDING_MAX];
	uint32_t pending_head, pending_count;
	uint32_t seen[TD_COMMAND_KIND_COUNT];
	int fail[TD_COMMAND_KIND_COUNT];   // answer the next one with this error, once
	bool mute;                         // answer nothing any more
	bool lags;                         // its worker: what is done is answered by dp_catch_up
	struct td_event held[DP_HELD_MAX]; // ... these, while what main refuses is answered at once
	uint32_t held_count;
	bool keep_open;                         // a stopped recording is not reported closed
	uint32_t latest_context, latest_stream; // TD_HANDLE_LATEST
	uint32_t swept;                         // streams that went only because their context did
	struct td_event_recording recorded;     // what RECORD_CLOSED reports
	int recorded_result;                    // and how it went
};

void dp_open(struct dp *dp);
void dp_close(struct dp *dp);
// Dies: the socket closes, everything is forgotten; it listens again.
void dp_die(struct dp *dp);
// Accepts, and takes commands from the ring. True when something happened.
bool dp_poll(struct dp *dp);
// Answers the oldest command. False: there is none.
bool dp_answer(struct dp *dp);
// The answers that its worker has held back.
void dp_catch_up(struct dp *dp);
// Reports the end of one player that does not loop. False: there is none.
bool dp_player_end(struct dp *dp);
// Reports every stopped recording closed.
void dp_record_closed(struct dp *dp);

uint32_t dp_live(const struct dp_object *objects);
// How loud `to` hears `from`, Q12; both are streams, or `from` is a player.
int32_t dp_gain(const struct dp *dp, struct td_member from, uint32_t to);
// Does `to` hear `from` (streams)?
bool dp_hears(const struct dp *dp, uint32_t to, uint32_t from);
// The player, or else a stream, that this stream hears, 0: nothing.
uint32_t dp_heard_by(const struct dp *dp, uint32_t to, enum td_member_kind *kind);
struct dp_object *dp_find(struct dp_object *objects, uint32_t handle);
// How many streams and players it hears.
uint32_t dp_sources(const struct dp *dp, uint32_t to);
// Reports that the far end of a fork is gone, or that it is over.
void dp_fork_event(struct dp *dp, enum td_event_kind kind, uint32_t fork, int result);
// Reports a digit of this stream, or a tone in it.
void dp_digit(struct dp *dp, uint32_t stream, char digit);
void dp_tone(struct dp *dp, uint32_t stream, enum td_tone tone);
// Reports what is wrong with the recordings' disk, or is no more.
void dp_record_alarm(struct dp *dp, enum td_record_alarm alarm, uint32_t active, uint64_t value);

// objects.c: what a command does, as dp_answer has it done. 0 with what is answered in `event`, or
// -TD_E*.
int dp_execute(struct dp *dp, const struct td_command *command, struct td_event *event);
// Reports the end of this player, once.
void dp_report_end(struct dp *dp, struct dp_object *player, enum td_player_end reason);

// region.c: what is shared with control.
void dp_region_make(struct dp *dp);
void dp_region_drop(struct dp *dp);

// matrix.c: commands on cells.
int dp_edit(struct dp *dp, const struct td_command_matrix_edit *edit);
int dp_move(struct dp *dp, const struct td_command_stream_move *move);
void dp_drop_cells(struct dp *dp, uint32_t kind, uint32_t handle);
