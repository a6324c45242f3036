// Who hears whom, kept a second time and in the simplest way: a dense matrix per context, by the
// rule in td_command.h and nothing else. What the engine makes of its own sparse matrix, its plans
// and its routes has to come to the same.
//
//   own[from][to]      a gain of its own, or ORACLE_UNSET
//   talk[from], hear[to]
//   heard(from, to) = own if set, else talk * hear, and 0 when from = to
//
// At most ORACLE_MAX members; the caller keeps below it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "media/plan.h"
#include "td_command.h"

#define ORACLE_MAX   24
#define ORACLE_UNSET INT32_MIN
#define ORACLE_NONE  UINT32_MAX

struct oracle_member {
	uint32_t kind; // enum td_member_kind; NONE: nobody
	uint32_t handle;
	int32_t talk_q12, hear_q12;
	uint8_t codec; // of a stream, TD_CODEC_NONE until it has one
};

struct oracle {
	struct oracle_member members[ORACLE_MAX];
	int32_t own[ORACLE_MAX][ORACLE_MAX];
};

void oracle_init(struct oracle *oracle);
uint32_t oracle_count(const struct oracle *oracle, uint32_t kind);
// The place of a member, or ORACLE_NONE.
uint32_t oracle_find(const struct oracle *oracle, uint32_t kind, uint32_t handle);
// A new member, heard by nobody; ORACLE_NONE when there are too many.
uint32_t oracle_add(struct oracle *oracle, uint32_t kind, uint32_t handle);
void oracle_remove(struct oracle *oracle, uint32_t kind, uint32_t handle);
// All cells or none: 0, or the error the command has to be answered with.
int oracle_edit(struct oracle *oracle, const struct td_cell *cells, uint32_t count);

// What the matrix says, Q12.
int32_t oracle_says(const struct oracle *oracle, uint32_t from, uint32_t to);
// What can be heard of it: a stream without a codec neither speaks nor hears in a mix, but whoever
// hears one member alone and unchanged can be sent its packets, whatever they are.
int32_t oracle_heard(const struct oracle *oracle, uint32_t from, uint32_t to);

// What a plan makes `to` hear of `from` (both feeds), Q12: routes and mixes said the long way round.
int32_t oracle_plan_heard(const struct td_plan *plan, uint32_t from, uint32_t to);
// The feed of a member, as plans name it.
uint32_t oracle_feed(const struct oracle_member *member);
