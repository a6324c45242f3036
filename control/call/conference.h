// Conferences: rooms with a name, in which calls put their parties' streams.
//
//   conference --media--> context: members' {stream, FLOOR} and {FLOOR, stream}, music, announcements
//        ^
//        '-- legs of calls whose room it is: the call keeps the signalling and the record
//
// A member is talked to and heard by two cells toward the floor; what they are is a pure function
// of the conference's rules and of the member's seat. Everything an operator does here (mute,
// lecture, volume, moderators) changes these gains and nothing else.
//
//   invariant: seated = members whose leg is up, each counted once; members <= members_max
//
// The context exists while somebody is in the room or on the way. In a pool of the call manager;
// those of the config are there from the start and stay, those made by the API go when destroyed.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "call/inspect.h"
#include "call/media.h"
#include "call/party.h"

struct td_call;
struct td_calls;
struct td_config_conference;
struct td_leg;

#define TD_CONFERENCE_POOL     64 // rooms made by the API, at a time
#define TD_CONFERENCE_NAME_MAX 64

struct td_conference {
	struct td_media media;
	struct td_calls *calls;
	uint32_t idx;
	char name[TD_CONFERENCE_NAME_MAX];
	char music[TD_PROMPT_NAME_MAX], entry[TD_PROMPT_NAME_MAX], leave[TD_PROMPT_NAME_MAX];
	// Their indices in the region, asked for whenever the link comes up.
	uint32_t music_prompt, entry_prompt, leave_prompt;
	const struct td_config_conference *config; // NULL: made by the API
	bool permanent;                            // of the config
	bool lecture, locked;
	bool muted;  // everybody but moderators comes muted
	bool ending; // destroyed: goes with its last member
	uint32_t members_max, seated;
	uint64_t created_utc_ms;
};

// Gains toward the floor, Q12.
struct td_floor_gains {
	int32_t talk, hear;
};
struct td_floor_gains td_conference_gains(bool lecture, enum td_seat seat,
					  const struct td_party *party);

const char *td_conference_name(const struct td_conference *conference);
struct td_conference *td_conference_find(struct td_calls *calls, const char *name);
// A new one, with nobody in it. NULL: there are as many as there can be.
struct td_conference *td_conference_make(struct td_calls *calls, const char *name);
// The rooms of the config. -TD_EMEMORY.
TD_MUST_CHECK int td_conference_fill(struct td_calls *calls);

// Finds its prompts in the region.
void td_conference_load_prompts(struct td_conference *conference);
// Sets what its context should be from who is there, and goes there.
void td_conference_want(struct td_conference *conference);
void td_conference_want_leg(struct td_conference *conference, struct td_leg *leg);
void td_conference_want_all(struct td_conference *conference);
// The config says that this agent is a moderator here.
bool td_conference_moderated_by(const struct td_conference *conference, const char *agent);
// So many more may come. -TD_EFULL, -TD_EDENIED (locked), -TD_ESTATE (being destroyed).
TD_MUST_CHECK int td_conference_admits(const struct td_conference *conference, uint32_t more);
// The parties of this call become members; those of its legs that are not go.
void td_conference_take(struct td_conference *conference, struct td_call *call);
struct td_conference_info;
struct td_member_info;
void td_conference_describe(const struct td_conference *conference, struct td_conference_info *out);
// Its call's id, and more where the call has two members.
const char *td_member_id(const struct td_leg *leg, char out[TD_CALL_ID_MAX + 8]);
void td_member_describe(const struct td_leg *leg, struct td_member_info *out);
// A member's leg leaves the room, or has ended.
void td_conference_unseat(struct td_leg *leg);
