// The table, and the factors on it.
#include "call/party.h"

#include "td_command.h"

#define CONVERSATION                                                                               \
	(1u << TD_PARTY_CALLER | 1u << TD_PARTY_AGENT | 1u << TD_PARTY_CONSULT |                   \
	 1u << TD_PARTY_BARGE)

// By listener: whom it hears, as bits of roles.
static const uint16_t hears[TD_PARTY_ROLE_COUNT] = {
	[TD_PARTY_CALLER] = CONVERSATION,
	[TD_PARTY_AGENT] = CONVERSATION | 1u << TD_PARTY_WHISPER | 1u << TD_PARTY_COACH,
	[TD_PARTY_CONSULT] = CONVERSATION,
	[TD_PARTY_BARGE] = CONVERSATION,
	[TD_PARTY_MONITOR] = CONVERSATION,
	[TD_PARTY_COACH] = CONVERSATION,
};

struct td_party td_party_make(enum td_party_role role)
{
	return (struct td_party){ .role = (uint8_t)role,
				  .talk_q12 = TD_GAIN_UNITY,
				  .hear_q12 = TD_GAIN_UNITY };
}

const char *td_party_role_name(enum td_party_role role)
{
	static const char *const names[TD_PARTY_ROLE_COUNT] = {
		"none", "caller", "agent", "consult", "barge", "monitor", "whisper", "coach",
	};

	return (unsigned)role < TD_PARTY_ROLE_COUNT ? names[role] : "unknown";
}

const char *td_seat_name(enum td_seat seat)
{
	static const char *const names[TD_SEAT_COUNT] = { "member", "moderator", "listener" };

	return (unsigned)seat < TD_SEAT_COUNT ? names[seat] : "unknown";
}

bool td_party_converses(enum td_party_role role)
{
	return (unsigned)role < TD_PARTY_ROLE_COUNT && (CONVERSATION & 1u << role);
}

int32_t td_party_gain(const struct td_party *from, const struct td_party *to)
{
	int32_t gain;

	if (from == to || !(hears[to->role] & 1u << from->role))
		return 0;
	if (from->away || to->away || from->on_hold || to->on_hold || from->muted || to->deaf)
		return 0;
	gain = (int32_t)from->talk_q12 * to->hear_q12 / TD_GAIN_UNITY;
	return gain > TD_GAIN_MAX ? TD_GAIN_MAX : gain;
}

bool td_party_hears_music(const struct td_party *parties, unsigned count, unsigned who)
{
	unsigned others = 0;

	if (parties[who].away || !td_party_converses((enum td_party_role)parties[who].role))
		return false;
	if (parties[who].on_hold)
		return true;
	for (unsigned i = 0; i < count; i++) {
		if (i == who || !td_party_converses((enum td_party_role)parties[i].role))
			continue;
		if (!parties[i].away)
			return false;
		others++;
	}
	return others > 0;
}

int32_t td_party_play_gain(const struct td_party *to)
{
	return to->away || to->deaf ? 0 : to->hear_q12;
}
