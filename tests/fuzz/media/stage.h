// One real engine that lives from input to input, and beside it what it has to come to: an oracle a
// context, and a record of each player.
//
//   stage_* command --> engine, main and worker in one thread --> its answer
//          \--> oracle --> the answer it has to be, and who hears whom from then on
//
// stage_check compares the two after every step; stage_clear takes everything down at the end of an
// input and finds what was left behind. A difference aborts.
#pragma once

#include <stdint.h>

#include "../../unit/dataplane/media/oracle.h"
#include "../../unit/dataplane/media/world.h"

#define STAGE_WORKERS  2
#define STAGE_STREAMS  16 // and as many contexts and players
#define STAGE_CONTEXTS 4  // at once
#define STAGE_MIXED    6  // so that inlets and outlets run out
#define STAGE_PLAYERS  8

#define must(condition)                                                                            \
	do {                                                                                       \
		if (!(condition))                                                                  \
			stage_fail(__FILE__, __LINE__, #condition);                                \
	} while (0)
_Noreturn void stage_fail(const char *file, int line, const char *what);

enum stage_grave_kind { STAGE_STREAM, STAGE_PLAYER, STAGE_CONTEXT, STAGE_GRAVES };

struct stage_party {
	struct world_party party;
	uint32_t context; // place in stage.contexts
	bool live;
	uint8_t codec, ptime_ms;
	bool heard_any; // since it was made
	uint16_t heard_sequence;
	uint32_t heard_timestamp;
};

// A player as it has to be: its frames are counted down here too.
struct stage_player {
	struct td_player_id id;
	uint32_t context;
	bool live, loop, paused, ended, stoppable;
	uint32_t item_count, at, frame, splice_count, splice_at, splice_frame;
	uint32_t lengths[TD_PLAY_ITEM_MAX], splice_lengths[TD_PLAY_ITEM_MAX]; // in frames
	uint64_t frames;
	uint32_t reason, ends; // enum td_player_end; how often it has been said
};

struct stage_context {
	struct td_context_id id; // 0: none
	struct oracle oracle;
};

struct stage {
	struct world world;
	struct stage_context contexts[STAGE_CONTEXTS];
	struct stage_party parties[STAGE_STREAMS];
	struct stage_player players[STAGE_PLAYERS];
	uint32_t pending; // commands the worker has not seen yet
	// Handles that were something once: of streams, players, contexts.
	struct stage_grave {
		uint32_t handles[8], count;
	} graves[STAGE_GRAVES];
};

extern struct stage stage;

void stage_open(void); // once
void stage_clear(void);
void stage_check(void);

// Executes at once; the DONE event.
struct td_event stage_command(struct td_command *command);
// Leaves the change in the worker's ring: the answer if main gave one, else 0.
int stage_post(struct td_command *command);
// The worker takes all that is pending.
void stage_flush(void);
// Whole ticks of 20 ms.
void stage_ticks(uint32_t count);
// A packet of a party, `skip` numbers after the one before.
void stage_packet(struct stage_party *party, uint8_t payload_type, uint32_t skip, uint32_t bytes);
void stage_bury(enum stage_grave_kind kind, uint32_t handle);
// A handle that is dead: of something that was, or of nothing.
uint32_t stage_dead(enum stage_grave_kind kind, uint8_t byte);
