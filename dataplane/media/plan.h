// The plan compiler: a gain matrix in, one plan per listener out.
//
//                 to: s0   s1   s2               listener   plan
//   from: stream s0    0    1    0               s0         FORWARD from s1
//         stream s1    1    0    0        -->    s1         FORWARD from s0
//         player p     0    0    1               s2         PLAY p
//
//   NONE      hears nothing
//   FORWARD   hears exactly one stream, at unity gain, of the same codec: packets are rewritten
//   PLAY      hears exactly one player, at unity gain
//
// Anything else would need mixing and is refused as a whole: -TD_ENEEDS_MIX, `plan` untouched. A
// codec that is not yet known (TD_CODEC_NONE) is compatible with all; the matrix is compiled again
// when it becomes known. The packet time plays no part: a receiver takes any from 0 to 200 ms
// (RFC 3551 section 4.2). Pure; any thread.
#pragma once

#include <stdint.h>

#include "media/change.h"
#include "td_codec_id.h"
#include "td_command.h"
#include "td_error.h"
#include "td_limits.h"

enum td_plan_kind { TD_PLAN_NONE, TD_PLAN_FORWARD, TD_PLAN_PLAY };

struct td_plan_member {
	uint8_t kind;  // enum td_member_kind; TD_MEMBER_NONE: the slot is free
	uint8_t codec; // enum td_codec_id, of a stream
};

struct td_matrix {
	struct td_plan_member members[TD_PLAN_MEMBER_MAX];
	int16_t gain_q12[TD_PLAN_MEMBER_MAX][TD_PLAN_MEMBER_MAX]; // [from][to], 0 in free slots
};

struct td_plan {
	uint8_t kind[TD_PLAN_MEMBER_MAX]; // by listener: enum td_plan_kind
	uint8_t from
		[TD_PLAN_MEMBER_MAX]; // by listener: member heard; meaningless with TD_PLAN_NONE
	uint16_t heard_by[TD_PLAN_MEMBER_MAX]; // by source: bit i set when member i hears it
};

_Static_assert(TD_PLAN_MEMBER_MAX <= 16, "heard_by has a bit a member");

// 0, or -TD_ENEEDS_MIX.
TD_MUST_CHECK int td_plan_compile(const struct td_matrix *matrix, struct td_plan *plan);
