// Who hears whom, exhaustively: every pair of roles against a statement of each feature in words.
#include <check.h>
#include <stdlib.h>

#include "call/conference.h"
#include "call/party.h"
#include "td_command.h"

static const enum td_party_role roles[] = {
	TD_PARTY_NONE,    TD_PARTY_CALLER,  TD_PARTY_AGENT, TD_PARTY_CONSULT,
	TD_PARTY_MONITOR, TD_PARTY_WHISPER, TD_PARTY_COACH, TD_PARTY_BARGE,
};
#define ROLES (sizeof roles / sizeof roles[0])

// "The caller, the agent, a consulted agent and whoever barges in talk with each other."
static bool talks(enum td_party_role role)
{
	return role == TD_PARTY_CALLER || role == TD_PARTY_AGENT || role == TD_PARTY_CONSULT ||
	       role == TD_PARTY_BARGE;
}

// "A monitor hears all and is heard by none. Who whispers is heard by the agent only, and hears
// nobody; a coach is heard by the agent only, and hears the conversation."
static bool should_hear(enum td_party_role to, enum td_party_role from)
{
	if (talks(from))
		return talks(to) || to == TD_PARTY_MONITOR || to == TD_PARTY_COACH;
	if (from == TD_PARTY_WHISPER || from == TD_PARTY_COACH)
		return to == TD_PARTY_AGENT;
	return false;
}

// Every bit: away, on hold, muted, deaf.
static struct td_party party(enum td_party_role role, unsigned bits)
{
	struct td_party out = td_party_make(role);

	out.away = bits & 1u;
	out.on_hold = bits & 2u;
	out.muted = bits & 4u;
	out.deaf = bits & 8u;
	return out;
}

START_TEST(every_pair_in_every_condition)
{
	for (size_t from = 0; from < ROLES; from++) {
		for (size_t to = 0; to < ROLES; to++) {
			for (unsigned bits = 0; bits < 256; bits++) {
				struct td_party a = party(roles[from], bits & 15u);
				struct td_party b = party(roles[to], bits >> 4);
				// "Nobody hears one who is held, muted or not there; nobody who is
				// held, deaf or not there hears anybody."
				bool heard = should_hear(roles[to], roles[from]) && !a.away &&
					     !a.on_hold && !a.muted && !b.away && !b.on_hold &&
					     !b.deaf;

				ck_assert_msg(td_party_gain(&a, &b) == (heard ? TD_GAIN_UNITY : 0),
					      "%s hears %s, %x", td_party_role_name(roles[to]),
					      td_party_role_name(roles[from]), bits);
				ck_assert_int_eq(td_party_gain(&a, &a), 0);
			}
		}
	}
}
END_TEST

START_TEST(volumes_multiply_and_end_at_the_most)
{
	static const struct {
		int16_t talk, hear;
		int32_t gain;
	} rows[] = {
		{ 4096, 4096, 4096 }, { 2048, 4096, 2048 },  { 4096, 1024, 1024 },
		{ 2048, 2048, 1024 }, { 8192, 8192, 16384 }, { 32767, 32767, TD_GAIN_MAX },
		{ 0, 4096, 0 },       { 4096, 0, 0 },        { 32767, 4096, 32767 },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct td_party a = td_party_make(TD_PARTY_CALLER);
		struct td_party b = td_party_make(TD_PARTY_AGENT);

		a.talk_q12 = rows[i].talk;
		b.hear_q12 = rows[i].hear;
		ck_assert_int_eq(td_party_gain(&a, &b), rows[i].gain);
		ck_assert_int_eq(td_party_gain(&b, &a), TD_GAIN_UNITY);
		ck_assert_int_eq(td_party_play_gain(&b), rows[i].hear);
	}
}
END_TEST

// "Whoever is on hold hears music. So does one whose partners have all gone away by themselves, but
// not one who is alone because we hold the other."
START_TEST(who_hears_the_music)
{
	for (unsigned bits = 0; bits < 4096; bits++) {
		struct td_party all[3] = {
			party(TD_PARTY_CALLER, bits & 15u),
			party(TD_PARTY_AGENT, bits >> 4 & 15u),
			party(bits >> 8 & 4u ? TD_PARTY_CONSULT : TD_PARTY_MONITOR, bits >> 8 & 3u),
		};

		for (unsigned who = 0; who < 3; who++) {
			bool alone = true, music;

			for (unsigned i = 0; i < 3; i++)
				alone &= i == who || !talks(all[i].role) || all[i].away;
			music = talks(all[who].role) && !all[who].away &&
				(all[who].on_hold || alone);
			ck_assert_msg(td_party_hears_music(all, 3, who) == music, "%u of %x", who,
				      bits);
		}
	}
}
END_TEST

START_TEST(nobody_else_in_the_call_means_no_music)
{
	struct td_party alone = td_party_make(TD_PARTY_CALLER);

	ck_assert(!td_party_hears_music(&alone, 1, 0));
	alone.on_hold = true;
	ck_assert(td_party_hears_music(&alone, 1, 0));
}
END_TEST

// "In a lecture only moderators talk; a listener never does; everybody hears who is not deaf."
START_TEST(the_floor_of_a_conference)
{
	for (int seat = 0; seat < TD_SEAT_COUNT; seat++) {
		for (unsigned bits = 0; bits < 32; bits++) {
			struct td_party member = party(TD_PARTY_CALLER, bits & 15u);
			bool lecture = bits & 16u;
			bool talk = !member.away && !member.muted && seat != TD_SEAT_LISTENER &&
				    (!lecture || seat == TD_SEAT_MODERATOR);
			bool hear = !member.away && !member.deaf;
			struct td_floor_gains gains;

			member.talk_q12 = 2048;
			member.hear_q12 = 1024;
			gains = td_conference_gains(lecture, (enum td_seat)seat, &member);
			ck_assert_int_eq(gains.talk, talk ? 2048 : 0);
			ck_assert_int_eq(gains.hear, hear ? 1024 : 0);
		}
	}
}
END_TEST

START_TEST(names)
{
	ck_assert_str_eq(td_party_role_name(TD_PARTY_COACH), "coach");
	ck_assert_str_eq(td_party_role_name(TD_PARTY_ROLE_COUNT), "unknown");
	ck_assert_str_eq(td_seat_name(TD_SEAT_LISTENER), "listener");
	ck_assert_str_eq(td_seat_name(TD_SEAT_COUNT), "unknown");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("party");
	Suite *suite = suite_create("call party");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_test(tc, every_pair_in_every_condition);
	tcase_add_test(tc, volumes_multiply_and_end_at_the_most);
	tcase_add_test(tc, who_hears_the_music);
	tcase_add_test(tc, nobody_else_in_the_call_means_no_music);
	tcase_add_test(tc, the_floor_of_a_conference);
	tcase_add_test(tc, names);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
