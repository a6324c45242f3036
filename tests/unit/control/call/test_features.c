// Features of calls, each asserted as what every party hears: before, during, and after whoever
// hangs up first.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/call_verbs.h"
#include "story.h"

static struct world w;
static char why[TD_FEATURE_WHY_MAX];

static void setup(void)
{
	world_open_with(&w, world_with_supervisor);
	world_register(&w);
	story_talk(&w);
}

static void teardown(void)
{
	if (w.caller.state == PHONE_UP)
		phone_hangup(&w.caller);
	world_assert_empty(&w);
	world_close(&w);
}

static const char *id(void)
{
	static struct td_call_info info;

	info = world_call(&w);
	return info.id;
}

// The agent who has no call, and his phone.
static struct phone *helper(void)
{
	return story_agent(&w) == &w.agent ? &w.agent2 : &w.agent;
}

static const char *helper_id(void)
{
	return helper()->user;
}

struct party {
	char letter;
	const struct td_call_leg_info *leg;
};

// C the caller, A the agent, else the first letter of the role, but k a consulted agent.
static unsigned parties(const struct td_call_info *info, struct party out[10])
{
	unsigned count = 0;

	if (info->caller_leg.present)
		out[count++] = (struct party){ 'C', &info->caller_leg };
	if (info->agent_leg.present)
		out[count++] = (struct party){ 'A', &info->agent_leg };
	for (uint32_t i = 0; i < info->other_count; i++) {
		const struct td_call_leg_info *leg = &info->others[i];
		char letter = strcmp(leg->role, "consult") == 0 ? 'k' : leg->role[0];

		out[count++] =
			(struct party){ strcmp(leg->role, "coach") == 0 ? 'o' : letter, leg };
	}
	return count;
}

static void add(char *text, char letter)
{
	size_t length = strlen(text);

	text[length] = letter;
	text[length + 1] = '\0';
}

static void add_sources(const struct party *list, unsigned count, uint32_t to, char *text)
{
	for (unsigned i = 0; i < count; i++) {
		if (dp_hears(&w.dp, to, list[i].leg->stream.v))
			add(text, list[i].letter);
	}
	for (int i = 0; i < DP_OBJECTS; i++) {
		const struct td_member player = { TD_MEMBER_PLAYER, w.dp.players[i].handle };

		if (w.dp.players[i].live && dp_gain(&w.dp, player, to) > 0)
			add(text, w.dp.players[i].loops ? '*' : '!');
	}
}

// "C:A A:C m:CA": the caller hears the agent and so on; * is music, ! an announcement.
static void assert_heard(const char *expected)
{
	struct td_call_info info = world_call(&w);
	struct party list[10];
	unsigned count = parties(&info, list);
	char text[256] = "";

	for (unsigned i = 0; i < count; i++) {
		if (i)
			add(text, ' ');
		add(text, list[i].letter);
		add(text, ':');
		add_sources(list, count, list[i].leg->stream.v, text);
	}
	ck_assert_str_eq(text, expected);
}

static void call_in(const char *agent, enum td_party_role role)
{
	ck_assert_int_eq(td_calls_call_in(w.calls, id(), agent, role, why), 0);
	world_settle(&w);
}

static const struct {
	enum td_party_role role;
	const char *heard;
} supervision[] = {
	{ TD_PARTY_MONITOR, "C:A A:C m:CA" },
	{ TD_PARTY_WHISPER, "C:A A:Cw w:" },
	{ TD_PARTY_COACH, "C:A A:Co o:CA" },
	{ TD_PARTY_BARGE, "C:Ab A:Cb b:CA" },
};
#define SUPERVISION (sizeof supervision / sizeof supervision[0])

START_TEST(a_supervisor_comes_and_goes)
{
	assert_heard("C:A A:C");
	call_in("1003", supervision[_i].role);
	assert_heard(supervision[_i].heard);
	ck_assert_int_eq(w.supervisor.state, PHONE_UP);
	phone_hangup(&w.supervisor);
	world_settle(&w);
	assert_heard("C:A A:C");
	ck_assert_uint_eq(dp_live(w.dp.streams), 2);
	phone_hangup(&w.caller);
	world_settle(&w);
	ck_assert_str_eq(w.last_cause, "caller-hangup");
}
END_TEST

START_TEST(every_role_turns_into_every_other_by_an_edit)
{
	unsigned from = (unsigned)_i / SUPERVISION, to = (unsigned)_i % SUPERVISION;
	uint32_t invites, streams;

	call_in("1003", supervision[from].role);
	invites = w.supervisor.invites;
	streams = w.dp.seen[TD_COMMAND_STREAM_CREATE];
	call_in("1003", supervision[to].role);
	assert_heard(supervision[to].heard);
	// No re-INVITE, no new stream: an edit and nothing else.
	ck_assert_uint_eq(w.supervisor.invites, invites);
	ck_assert_uint_eq(w.dp.seen[TD_COMMAND_STREAM_CREATE], streams);
}
END_TEST

// Whoever goes first takes along who must go, and nobody else.
START_TEST(hangups_in_every_order)
{
	struct phone *all[] = { &w.caller, story_agent(&w), &w.supervisor, helper() };
	unsigned first = (unsigned)_i % 4;

	call_in("1003", supervision[_i / 4].role);
	call_in(helper_id(), TD_PARTY_MONITOR);
	ck_assert_int_eq(helper()->state, PHONE_UP);
	phone_hangup(all[first]);
	world_settle(&w);
	ck_assert_uint_eq(world_call_count(&w), first < 2 ? 0 : 1);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(all[i]->state, first < 2 || i == first ? PHONE_OVER : PHONE_UP);
	if (first >= 2)
		phone_hangup(&w.caller);
	world_settle(&w);
	ck_assert_uint_eq(world_call_count(&w), 0);
}
END_TEST

START_TEST(an_end_while_the_supervisor_rings)
{
	w.supervisor.mode = PHONE_RINGS;
	call_in("1003", TD_PARTY_MONITOR);
	ck_assert_int_eq(w.supervisor.state, PHONE_ALERTING);
	assert_heard("C:A A:C m:");
	if (_i == 0)
		phone_hangup(&w.caller);
	else if (_i == 1)
		phone_hangup(story_agent(&w));
	else if (_i == 2)
		phone_hangup(&w.supervisor);
	else
		ck_assert_int_eq(td_calls_let_go(w.calls, id(), "1003", why), 0);
	world_settle(&w);
	ck_assert_int_eq(w.supervisor.state, PHONE_OVER);
	ck_assert_uint_eq(world_call_count(&w), _i < 2 ? 0 : 1);
	if (_i >= 2)
		assert_heard("C:A A:C");
}
END_TEST

START_TEST(the_dataplane_refuses_the_supervisor)
{
	static const enum td_command_kind kinds[] = { TD_COMMAND_STREAM_CREATE,
						      TD_COMMAND_STREAM_SET_REMOTE,
						      TD_COMMAND_MATRIX_EDIT };

	w.dp.fail[kinds[_i]] = -TD_EFULL;
	call_in("1003", TD_PARTY_MONITOR);
	// The supervisor's trouble is not the caller's.
	ck_assert(w.supervisor.state != PHONE_UP);
	assert_heard("C:A A:C");
}
END_TEST

START_TEST(hold_and_back)
{
	ck_assert_int_eq(td_calls_hold(w.calls, id(), "caller", true, why), 0);
	world_settle(&w);
	assert_heard("C:* A:");
	call_in("1003", TD_PARTY_MONITOR);
	assert_heard("C:* A: m:A");
	ck_assert_int_eq(td_calls_hold(w.calls, id(), "agent", true, why), 0);
	world_settle(&w);
	assert_heard("C:* A:* m:");
	ck_assert_int_eq(td_calls_hold(w.calls, id(), "caller", false, why), 0);
	world_settle(&w);
	assert_heard("C: A:* m:C");
	ck_assert_int_eq(td_calls_hold(w.calls, id(), "agent", false, why), 0);
	world_settle(&w);
	assert_heard("C:A A:C m:CA");
	ck_assert_uint_eq(w.caller.invites + story_agent(&w)->invites, 1);
	ck_assert_int_eq(td_calls_hold(w.calls, id(), "agent", false, why), -TD_ESTATE);
	ck_assert_str_eq(why, "agent is not on hold");
}
END_TEST

static uint32_t recorded(uint32_t track)
{
	for (int i = 0; i < DP_OBJECTS; i++)
		if (w.dp.taps[i].live)
			return w.dp.taps[i].tracks[track];
	ck_abort_msg("nothing is recorded");
}

START_TEST(consult_three_way_transfer)
{
	struct phone *agent = story_agent(&w), *second = helper();
	uint32_t third;

	call_in(helper_id(), TD_PARTY_CONSULT);
	assert_heard("C:* A:k k:A");
	ck_assert_uint_eq(recorded(2), 0); // not while they are among themselves
	ck_assert_int_eq(td_calls_three_way(w.calls, id(), why), 0);
	world_settle(&w);
	assert_heard("C:Ak A:Ck k:CA");
	third = recorded(2);
	ck_assert_uint_ne(third, 0);
	ck_assert_uint_ne(third, recorded(0));
	ck_assert_uint_ne(third, recorded(1));
	ck_assert_int_eq(td_calls_replace_agent(w.calls, id(), NULL, why), 0);
	world_settle(&w);
	assert_heard("C:A A:C");
	ck_assert_uint_eq(world_call(&w).agent_leg.stream.v, third);
	ck_assert_uint_eq(recorded(2), third); // where it was
	ck_assert_uint_eq(recorded(1), 0);
	ck_assert_int_eq(agent->state, PHONE_OVER);
	ck_assert_int_eq(second->state, PHONE_UP);
	ck_assert_str_eq(world_call(&w).agent, second->user);
	phone_hangup(second);
	world_settle(&w);
	ck_assert_str_eq(w.last_cause, "agent-hangup");
	ck_assert_int_eq(w.caller.state, PHONE_OVER);
}
END_TEST

START_TEST(a_transfer_straight_out_of_the_consultation)
{
	struct phone *second = helper();

	call_in(helper_id(), TD_PARTY_CONSULT);
	ck_assert_int_eq(td_calls_replace_agent(w.calls, id(), NULL, why), 0);
	world_settle(&w);
	assert_heard("C:A A:C");
	ck_assert_int_eq(second->state, PHONE_UP);
	// The ACD has let the first one go, and offers the second nothing as long as this lasts.
	ck_assert_int_eq(world_agent_state(&w, second == &w.agent ? 0 : 1), TD_ACD_PAUSED);
	ck_assert_int_eq(world_agent_state(&w, second == &w.agent ? 1 : 0), TD_ACD_AVAILABLE);
	phone_hangup(&w.caller);
	world_settle(&w);
	ck_assert_int_eq(world_agent_state(&w, second == &w.agent ? 0 : 1), TD_ACD_AVAILABLE);
}
END_TEST

START_TEST(the_consulted_one_refuses_or_leaves)
{
	if (_i == 0)
		helper()->mode = PHONE_BUSY;
	call_in(helper_id(), TD_PARTY_CONSULT);
	if (_i == 1) {
		assert_heard("C:* A:k k:A");
		phone_hangup(helper());
		world_settle(&w);
	}
	assert_heard("C:A A:C");
	ck_assert_int_eq(td_calls_three_way(w.calls, id(), why), -TD_ESTATE);
	ck_assert_int_eq(td_calls_replace_agent(w.calls, id(), NULL, why), -TD_ESTATE);
}
END_TEST

START_TEST(take_over)
{
	struct phone *agent = story_agent(&w);

	call_in("1003", TD_PARTY_MONITOR);
	ck_assert_int_eq(td_calls_replace_agent(w.calls, id(), "1003", why), 0);
	world_settle(&w);
	assert_heard("C:A A:C");
	ck_assert_int_eq(agent->state, PHONE_OVER);
	ck_assert_ptr_nonnull(strstr(agent->reason, "transferred"));
	ck_assert_str_eq(world_call(&w).agent, "1003");
}
END_TEST

START_TEST(mute_deaf_and_volume)
{
	struct td_call_info info = world_call(&w);
	const struct td_member caller = { TD_MEMBER_STREAM, info.caller_leg.stream.v };
	struct td_party_change change = { .set_muted = true, .muted = true };

	ck_assert_int_eq(td_calls_change_party(w.calls, info.id, "caller", &change, why), 0);
	world_settle(&w);
	assert_heard("C:A A:");
	change = (struct td_party_change){ .set_muted = true, .set_deaf = true, .deaf = true };
	ck_assert_int_eq(td_calls_change_party(w.calls, info.id, "caller", &change, why), 0);
	world_settle(&w);
	assert_heard("C: A:C");
	change = (struct td_party_change){ .set_deaf = true, .set_talk = true, .talk_q12 = 2048 };
	ck_assert_int_eq(td_calls_change_party(w.calls, info.id, "caller", &change, why), 0);
	world_settle(&w);
	assert_heard("C:A A:C");
	ck_assert_int_eq(dp_gain(&w.dp, caller, info.agent_leg.stream.v), 2048);
	change = (struct td_party_change){ .set_hear = true, .hear_q12 = 8192 };
	ck_assert_int_eq(td_calls_change_party(w.calls, info.id, "agent", &change, why), 0);
	world_settle(&w);
	ck_assert_int_eq(dp_gain(&w.dp, caller, info.agent_leg.stream.v), 4096);
	ck_assert_int_eq(td_calls_change_party(w.calls, info.id, "1009", &change, why),
			 -TD_ENOT_FOUND);
}
END_TEST

START_TEST(an_announcement_to_one_side)
{
	static const char *const prompts[] = { "one", "two" };

	ck_assert_int_eq(td_calls_announce(w.calls, id(), "caller", prompts, 2, why), 0);
	world_settle(&w);
	assert_heard("C:A! A:C");
	ck_assert_int_eq(td_calls_announce(w.calls, id(), "agent", prompts, 1, why), -TD_EBUSY);
	ck_assert(dp_player_end(&w.dp));
	world_settle(&w);
	assert_heard("C:A A:C");
	ck_assert_uint_eq(dp_live(w.dp.players), 0);
	ck_assert_int_eq(td_calls_announce(w.calls, id(), "all", prompts, 1, why), 0);
	world_settle(&w);
	assert_heard("C:A! A:C!");
	if (_i == 1)
		phone_hangup(&w.caller);
	else
		ck_assert(dp_player_end(&w.dp));
	world_settle(&w);
	ck_assert_uint_eq(dp_live(w.dp.players), 0);
}
END_TEST

START_TEST(an_announcement_nobody_can_play)
{
	static const char *const unknown[] = { "nothing" }, *const one[] = { "one" };

	ck_assert_int_eq(td_calls_announce(w.calls, id(), "caller", unknown, 1, why),
			 -TD_ENOT_FOUND);
	ck_assert_str_eq(why, "there is no prompt nothing");
	w.dp.fail[_i ? TD_COMMAND_MATRIX_EDIT : TD_COMMAND_PLAYER_CREATE] = -TD_ENEEDS_MIX;
	ck_assert_int_eq(td_calls_announce(w.calls, id(), "caller", one, 1, why), 0);
	world_settle(&w);
	// The conversation is not harmed.
	assert_heard("C:A A:C");
	ck_assert_uint_eq(dp_live(w.dp.players), 0);
}
END_TEST

START_TEST(an_announcement_into_the_music)
{
	static const char *const prompts[] = { "one", "two" };
	enum td_member_kind kind;
	uint32_t player;

	ck_assert_int_eq(td_calls_hold(w.calls, id(), "caller", true, why), 0);
	world_settle(&w);
	player = dp_heard_by(&w.dp, world_call(&w).caller_leg.stream.v, &kind);
	ck_assert_int_eq(td_calls_announce(w.calls, id(), "caller", prompts, 2, why), 0);
	world_settle(&w);
	// The same player, which will go on where it was.
	assert_heard("C:* A:");
	ck_assert_uint_eq(dp_find(w.dp.players, player)->spliced_count, 2);
	ck_assert_uint_eq(dp_find(w.dp.players, player)->spliced[1].prompt, 3);
	ck_assert_uint_eq(dp_live(w.dp.players), 1);
}
END_TEST

START_TEST(refusals_say_why)
{
	static const struct {
		const char *call, *agent, *why;
		int error;
	} rows[] = {
		{ "c99", "1003", "there is no call c99", -TD_ENOT_FOUND },
		{ NULL, "1009", "there is no agent 1009", -TD_ENOT_FOUND },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		ck_assert_int_eq(td_calls_call_in(w.calls, rows[i].call ? rows[i].call : id(),
						  rows[i].agent, TD_PARTY_BARGE, why),
				 rows[i].error);
		ck_assert_str_eq(why, rows[i].why);
	}
	ck_assert_int_eq(
		td_calls_call_in(w.calls, id(), story_agent(&w)->user, TD_PARTY_BARGE, why),
		-TD_EBUSY);
	ck_assert_int_eq(td_calls_let_go(w.calls, id(), "1003", why), -TD_ENOT_FOUND);
	ck_assert_int_eq(td_calls_replace_agent(w.calls, id(), "1003", why), -TD_ENOT_FOUND);
	phone_register(&w.supervisor, 0);
	world_settle(&w);
	ck_assert_int_eq(td_calls_call_in(w.calls, id(), "1003", TD_PARTY_BARGE, why), -TD_ESTATE);
	ck_assert_str_eq(why, "agent 1003 has no registered phone");
	assert_heard("C:A A:C");
}
END_TEST

START_TEST(the_dataplane_dies_under_all_of_them)
{
	call_in("1003", TD_PARTY_COACH);
	call_in(helper_id(), TD_PARTY_CONSULT);
	dp_die(&w.dp);
	world_wait_for_link(&w);
	world_settle(&w);
	ck_assert_uint_eq(world_call_count(&w), 0);
	ck_assert_int_eq(w.supervisor.state, PHONE_OVER);
	ck_assert_int_eq(helper()->state, PHONE_OVER);
	ck_assert_str_eq(w.last_cause, "dataplane-down");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("features");
	Suite *suite = suite_create("call features");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_supervisor_comes_and_goes, 0, SUPERVISION);
	tcase_add_loop_test(tc, every_role_turns_into_every_other_by_an_edit, 0,
			    SUPERVISION * SUPERVISION);
	tcase_add_loop_test(tc, hangups_in_every_order, 0, 4 * SUPERVISION);
	tcase_add_loop_test(tc, an_end_while_the_supervisor_rings, 0, 4);
	tcase_add_loop_test(tc, the_dataplane_refuses_the_supervisor, 0, 3);
	tcase_add_test(tc, hold_and_back);
	tcase_add_test(tc, consult_three_way_transfer);
	tcase_add_test(tc, a_transfer_straight_out_of_the_consultation);
	tcase_add_loop_test(tc, the_consulted_one_refuses_or_leaves, 0, 2);
	tcase_add_test(tc, take_over);
	tcase_add_test(tc, mute_deaf_and_volume);
	tcase_add_loop_test(tc, an_announcement_to_one_side, 0, 2);
	tcase_add_loop_test(tc, an_announcement_nobody_can_play, 0, 2);
	tcase_add_test(tc, an_announcement_into_the_music);
	tcase_add_test(tc, refusals_say_why);
	tcase_add_test(tc, the_dataplane_dies_under_all_of_them);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
