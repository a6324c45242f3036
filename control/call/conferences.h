// What an operator may see of conferences and do with them. Errors as in call_verbs.h: a sentence in
// `why`, and nothing has changed.
//
// A member is named by its call, "c42"; the agent of a call that has a caller as well is
// "c42-agent". Thread: the control loop's.
#pragma once

#include "call/call_verbs.h"
#include "call/inspect.h"

struct td_conference_settings {
	const char *name;
	const char *music, *entry, *leave; // prompts; NULL: none
	uint32_t members_max;
	bool lecture;
};

// -TD_EEXISTS, -TD_EFULL, -TD_ENOT_FOUND (a prompt).
TD_MUST_CHECK int td_conferences_create(struct td_calls *calls,
					const struct td_conference_settings *settings,
					char why[TD_FEATURE_WHY_MAX]) TD_CONTROL;
// Hangs up on every member. One of the config stays, empty.
TD_MUST_CHECK int td_conferences_destroy(struct td_calls *calls, const char *name,
					 char why[TD_FEATURE_WHY_MAX]) TD_CONTROL;

unsigned td_conferences_foreach(struct td_calls *calls,
				bool (*fn)(void *user, const struct td_conference_info *info),
				void *user) TD_CONTROL;
TD_MUST_CHECK int td_conferences_get(struct td_calls *calls, const char *name,
				     struct td_conference_info *out) TD_CONTROL;
// Calls fn for every member, in the order in which they came.
void td_conferences_members(struct td_calls *calls, const char *name,
			    bool (*fn)(void *user, const struct td_member_info *info), void *user)
	TD_CONTROL;

// Calls an agent's phone; who answers is a member.
TD_MUST_CHECK int td_conferences_invite(struct td_calls *calls, const char *name, const char *agent,
					enum td_seat seat, char why[TD_FEATURE_WHY_MAX]) TD_CONTROL;
// Moves a call's streams here: of both parties, or of the caller alone: then the agent is let go.
TD_MUST_CHECK int td_conferences_join(struct td_calls *calls, const char *name, const char *call,
				      bool caller_only, enum td_seat seat,
				      char why[TD_FEATURE_WHY_MAX]) TD_CONTROL;
// The parties of a call go back to it when both are still here; else it is over.
TD_MUST_CHECK int td_conferences_leave(struct td_calls *calls, const char *name, const char *call,
				       char why[TD_FEATURE_WHY_MAX]) TD_CONTROL;
TD_MUST_CHECK int td_conferences_kick(struct td_calls *calls, const char *name, const char *member,
				      char why[TD_FEATURE_WHY_MAX]) TD_CONTROL;

// Of one member; `member` NULL with only muted set: of everybody but moderators, and of who comes.
TD_MUST_CHECK int td_conferences_change(struct td_calls *calls, const char *name,
					const char *member, const struct td_party_change *change,
					char why[TD_FEATURE_WHY_MAX]) TD_CONTROL;
TD_MUST_CHECK int td_conferences_seat(struct td_calls *calls, const char *name, const char *member,
				      enum td_seat seat, char why[TD_FEATURE_WHY_MAX]) TD_CONTROL;
TD_MUST_CHECK int td_conferences_lecture(struct td_calls *calls, const char *name, bool lecture,
					 char why[TD_FEATURE_WHY_MAX]) TD_CONTROL;
TD_MUST_CHECK int td_conferences_lock(struct td_calls *calls, const char *name, bool locked,
				      char why[TD_FEATURE_WHY_MAX]) TD_CONTROL;
// To one member, or to everybody (`member` NULL).
TD_MUST_CHECK int td_conferences_play(struct td_calls *calls, const char *name, const char *member,
				      const char *const *prompts, uint32_t count,
				      char why[TD_FEATURE_WHY_MAX]) TD_CONTROL;
