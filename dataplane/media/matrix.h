// The gain matrix of a context: who is in it, and how loud everybody hears everybody.
//
//                 to:  s0    s1    s2   FLOOR            s0, s1, s2 streams, p a player
//   from: stream s0    .     .     .     1   <- talk     . no cell: the floor's rule holds
//         stream s1    .     .     .     1               0 a cell of its own, silent
//         stream s2    .     .     .     .
//         player p     .     0    1/2    .
//              FLOOR   1     1     1         <- hear
//
//   heard(from, to) = cell(from, to) if there is one, else from = to ? 0 : talk[from] * hear[to]
//
// Members have slots that they keep; a hole is used again by the next one. Cells are sorted by
// (to, from), so that a listener's are together. Two members take some 200 bytes, ten thousand
// that are all on the floor take as many member entries and no cell.
//
// Main thread only. The arrays grow on the heap up to TD_MEMBER_MAX and TD_MATRIX_CELL_MAX; a call
// that fails has changed nothing. The compiler (plan.h) reads it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "td_codec_id.h"
#include "td_command.h"
#include "td_error.h"
#include "td_limits.h"

#define TD_MATRIX_CELL_MAX 65536u
#define TD_SLOT_NONE       UINT32_MAX

#define TD_FEED_NONE       UINT32_MAX
#define TD_FEED_PLAYER     0x80000000u // | player index; else a stream's index
#define TD_FEED_MIX        0x40000000u // | context index: what is made here
#define TD_FEED_DIGITS     0x3fffffffu // the tones of digits

struct td_matrix_member {
	uint32_t feed; // stream index, or TD_FEED_PLAYER | player index
	int16_t talk_q12, hear_q12;
	uint8_t kind;                      // enum td_member_kind: STREAM, PLAYER; NONE: a hole
	uint8_t codec;                     // of a stream: enum td_codec_id, NONE while unknown
	uint8_t ptime_ms;                  // of a stream
	bool party;                        // of a private context: heard by parties alone
	bool events;                       // a stream's peer has negotiated telephone-event
	uint8_t event_khz;                 // ... with this clock
	uint8_t tune;                      // TD_TUNE_*
	uint8_t detect;                    // TD_DETECT_*
	bool live;                         // a player without frames in any codec
	bool ear;                          // a stream that is a fork's: sent nothing as it is
	uint16_t rate_khz;                 // of a player's prompts
	struct td_codec_settings settings; // of a stream's encoder
};

struct td_matrix_cell {
	uint32_t to, from; // slots
	int16_t gain_q12;
};

struct td_matrix {
	struct td_matrix_member *members;
	struct td_matrix_cell *cells;
	uint32_t slots; // members[0 .. slots - 1] are in use or holes
	uint32_t member_count;
	uint32_t cell_count;
	uint32_t member_room, cell_room;
	bool private; // what td_matrix_conceal is for
};

// All zero is an empty matrix. `copy` gets memory of its own. -TD_EMEMORY.
TD_MUST_CHECK int td_matrix_copy(const struct td_matrix *matrix, struct td_matrix *copy);
void td_matrix_fini(struct td_matrix *matrix);

// A new member, heard by nobody and hearing nobody. -TD_EFULL, -TD_EMEMORY.
TD_MUST_CHECK int td_matrix_add(struct td_matrix *matrix, enum td_member_kind kind, uint32_t feed,
				uint32_t *slot);
// Goes, and its cells with it.
void td_matrix_remove(struct td_matrix *matrix, uint32_t slot);

// Sets one cell, a talk gain (to = TD_SLOT_NONE) or a hear gain (from = TD_SLOT_NONE). A gain of
// TD_GAIN_FOLLOW removes the cell. -TD_EFULL, -TD_EMEMORY.
TD_MUST_CHECK int td_matrix_set(struct td_matrix *matrix, uint32_t from, uint32_t to,
				int32_t gain_q12);

// The rule above, for one pair, Q12: up to 64 where two gains of 8 meet on the floor.
int32_t td_matrix_heard(const struct td_matrix *matrix, uint32_t from, uint32_t to);
// What the matrix is while it is private: parties are silent for everybody else. -TD_EFULL,
// -TD_EMEMORY.
TD_MUST_CHECK int td_matrix_conceal(struct td_matrix *matrix);
// The first cell of a listener; its others follow while `to` is the same.
uint32_t td_matrix_first_cell(const struct td_matrix *matrix, uint32_t to);
// What talk and hear gain make together, Q12.
static inline int32_t td_matrix_floor_gain(int32_t talk_q12, int32_t hear_q12)
{
	return (talk_q12 * hear_q12) >> 12;
}
