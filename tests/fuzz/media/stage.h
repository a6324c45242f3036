// One real engine that lives from input to input, and beside it what it has to come to: an oracle a
// context, and a record of each player.
//
//   stage_* command --> engine, main and worker in one thread --> its answer
//          \--> oracle --> the answer it has to be, and who hears whom from then on
//
// Beside that each party has its peer's keys (secret.h), and each recording and fork its handle.
// stage_check compares the two after every step; stage_clear takes everything down at the end of an
// input and finds what was left behind. A difference aborts.
#pragma once

#include <stdint.h>

#include "../../unit/dataplane/media/oracle.h"
#include "../../unit/dataplane/media/world.h"
#include "secret.h"

#define STAGE_WORKERS  2
#define STAGE_STREAMS  16 // and as many contexts and players
#define STAGE_CONTEXTS 4  // at once
#define STAGE_MIXED    6  // so that inlets and outlets run out
#define STAGE_PLAYERS  8
#define STAGE_TAPS     6 // recordings, and as many forks
#define STAGE_GHOSTS   32

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
	bool protected;        // TD_STREAM_PROTECTED
	uint32_t ssrc;         // ours
	struct td_command set; // the last SET_REMOTE that was taken; .kind 0: none
	struct secret secret;
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
	bool private;
	uint32_t party_count, parties[TD_PRIVACY_PARTY_MAX]; // stream handles
};

// A recording or a fork.
struct stage_tap {
	uint32_t handle, context, tracks; // handle 0: none
};

struct stage {
	struct world world;
	struct stage_context contexts[STAGE_CONTEXTS];
	struct stage_party parties[STAGE_STREAMS];
	struct stage_player players[STAGE_PLAYERS];
	struct stage_tap taps[STAGE_TAPS], forks[STAGE_TAPS];
	// Stopped, and to be reported closed once all of them are.
	uint32_t closing_taps[32], closing_tap_count, closed_taps;
	uint32_t closing_forks[32], closing_fork_count, closed_forks;
	// Streams that are no more, whose last reports may still be on their way.
	struct stage_ghost {
		uint32_t ssrc;
		uint8_t key;
		bool protected;
	} ghosts[STAGE_GHOSTS];
	uint32_t ghost_count;
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
// Takes what is on the rings of recordings and forks; nothing private is ever there. How many records
// are of what was said.
uint32_t stage_listen(void);
// What the recorder and the forker were told is over is reported closed.
void stage_close_taps(void);
// Recordings and forks end with their context.
void stage_taps_of_gone(uint32_t context);
// Who is a party of a private context.
bool stage_is_party(const struct stage_context *context, const struct oracle_member *member);
// Sweeps, `ms` apart.
void stage_sweeps(uint32_t count, uint32_t ms);
// RTP of a party as it is before it is sealed; any bytes from a party's address.
uint16_t stage_rtp(const struct stage_party *party, uint8_t payload_type, uint32_t bytes,
		   uint8_t *out);
void stage_send(const struct stage_party *party, const uint8_t *bytes, uint32_t len, bool is_rtcp);
// Dropped for SRTP's sake, so far.
uint64_t stage_refused(void);
// What recordings were told of a packet that this party has just sent.
void stage_listen_to(const struct stage_party *party);
// All that was sent is what it has to be.
void stage_hear(void);
void stage_bury(enum stage_grave_kind kind, uint32_t handle);
// A handle that is dead: of something that was, or of nothing.
uint32_t stage_dead(enum stage_grave_kind kind, uint8_t byte);
