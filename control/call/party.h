// Who hears whom in a call: every feature of the telephone as a pure function from roles to gains.
//
//   parties of a call (role, held, muted, volumes) --> gain[from][to], and who hears the music
//
//   hears          caller  agent  consult  barge   monitor  whisper  coach     <- from
//   caller            -      x       x       x        .        .       .
//   agent             x      -       x       x        .        x       x
//   consult           x      x       -       x        .        .       .
//   barge             x      x       x       x        .        .       .
//   monitor, coach    x      x       x       x        .        .       .
//   whisper           .      .       .       .        .        .       .
//
// Hold, consultation and three-way are this table with one party on hold or not; take over and
// transfer are a change of roles; mute, deaf and volume are factors. Nothing here knows of legs,
// streams or commands. Pure.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum td_party_role {
	TD_PARTY_NONE, // nobody: hears nothing, is not heard
	TD_PARTY_CALLER,
	TD_PARTY_AGENT,
	TD_PARTY_CONSULT, // a second agent, asked by the first one
	TD_PARTY_BARGE,   // a supervisor, as a party like any other
	TD_PARTY_MONITOR, // hears, is not heard
	TD_PARTY_WHISPER, // is heard by the agent only, hears nobody
	TD_PARTY_COACH,   // is heard by the agent only, hears the conversation
	TD_PARTY_ROLE_COUNT
};

// Where one sits in a conference.
enum td_seat {
	TD_SEAT_MEMBER,
	TD_SEAT_MODERATOR, // talks in a lecture, too, and is not muted with the others
	TD_SEAT_LISTENER,  // never talks
	TD_SEAT_COUNT
};

const char *td_seat_name(enum td_seat seat); // "member"

struct td_party {
	uint8_t role;               // enum td_party_role
	bool away;                  // not up, or has put us on hold: no sound either way
	bool on_hold;               // somebody of ours has put it on hold: hears music
	bool muted, deaf;           // is not heard; hears nothing
	int16_t talk_q12, hear_q12; // volumes of what it says and of what it hears
};

// A party of this role with nothing special about it.
struct td_party td_party_make(enum td_party_role role);

const char *td_party_role_name(enum td_party_role role); // "caller"

// One of those whose conversation it is: they hear each other.
bool td_party_converses(enum td_party_role role);

// How loud `to` hears `from`, Q12 (TD_GAIN_UNITY), 0: not at all.
int32_t td_party_gain(const struct td_party *from, const struct td_party *to);

// Whether parties[who] hears the music of the call: it is on hold, or nobody it talks with is
// there, because all the others have put us on hold themselves.
bool td_party_hears_music(const struct td_party *parties, unsigned count, unsigned who);

// How loud it hears what is played to it.
int32_t td_party_play_gain(const struct td_party *to);
