// Conferences, each change asserted as what every member hears, and nothing left whoever goes first.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assembly.h"
#include "call/contexts.h"

START_TEST(alone_with_music_then_together)
{
	dial(&w.caller);
	ck_assert_int_eq(w.caller.state, PHONE_UP);
	assert_heard("1:*");
	dial(&w.caller2);
	assert_heard("1:2 2:1");
	ck_assert_uint_eq(dp_live(w.dp.players), 0);
	ck_assert_uint_eq(dp_live(w.dp.contexts), 1);
	phone_hangup(&w.caller);
	world_settle(&w);
	assert_heard("1:*");
	phone_hangup(&w.caller2);
	world_settle(&w);
	ck_assert_uint_eq(dp_live(w.dp.contexts), 0);
	ck_assert_uint_eq(w.notices[TD_NOTICE_CONFERENCE_JOIN], 2);
	ck_assert_uint_eq(w.notices[TD_NOTICE_CONFERENCE_LEAVE], 2);
	ck_assert_str_eq(w.last_cause, "caller-hangup");
}
END_TEST

START_TEST(whoever_goes_first_the_others_stay)
{
	struct phone *all[] = { &w.caller, &w.caller2, &w.supervisor };
	unsigned first = (unsigned)_i % 3, second = ((unsigned)_i / 3 + first + 1) % 3;

	three();
	phone_hangup(all[first]);
	world_settle(&w);
	assert_heard("1:2 2:1");
	phone_hangup(all[second]);
	world_settle(&w);
	assert_heard("1:*");
}
END_TEST

START_TEST(lecture_and_moderators)
{
	three();
	ck_assert_int_eq(td_conferences_lecture(w.calls, "room", true, why), 0);
	world_settle(&w);
	assert_heard("1:3 2:3 3:");
	ck_assert_int_eq(td_conferences_seat(w.calls, "room", member(0), TD_SEAT_MODERATOR, why),
			 0);
	world_settle(&w);
	assert_heard("1:3 2:13 3:1");
	ck_assert_int_eq(td_conferences_lecture(w.calls, "room", false, why), 0);
	ck_assert_int_eq(td_conferences_seat(w.calls, "room", member(1), TD_SEAT_LISTENER, why), 0);
	world_settle(&w);
	assert_heard("1:3 2:13 3:1");
}
END_TEST

START_TEST(mute_deaf_volume)
{
	struct td_party_change mute = { .set_muted = true, .muted = true };
	struct td_party_change unmute = { .set_muted = true };
	struct td_party_change quiet = { .set_talk = true, .talk_q12 = 1024 };
	struct td_party_change deaf = { .set_deaf = true, .deaf = true };
	struct list list;

	three();
	ck_assert_int_eq(td_conferences_change(w.calls, "room", member(0), &mute, why), 0);
	world_settle(&w);
	assert_heard("1:23 2:3 3:2");
	// All but moderators, and who comes later as well.
	ck_assert_int_eq(td_conferences_change(w.calls, "room", NULL, &mute, why), 0);
	ck_assert_int_eq(td_conferences_invite(w.calls, "room", "1001", TD_SEAT_MEMBER, why), 0);
	world_settle(&w);
	assert_heard("1:3 2:3 3: 4:3");
	ck_assert_int_eq(td_conferences_change(w.calls, "room", NULL, &unmute, why), 0);
	world_settle(&w);
	assert_heard("1:234 2:134 3:124 4:123");
	ck_assert_int_eq(td_conferences_change(w.calls, "room", member(3), &deaf, why), 0);
	ck_assert_int_eq(td_conferences_change(w.calls, "room", member(1), &quiet, why), 0);
	world_settle(&w);
	assert_heard("1:234 2:134 3:124 4:");
	list = members("room");
	ck_assert_int_eq(
		dp_gain(&w.dp, (struct td_member){ TD_MEMBER_STREAM, list.members[1].leg.stream.v },
			list.members[0].leg.stream.v),
		1024);
	ck_assert_int_eq(td_conferences_change(w.calls, "room", NULL, &deaf, why), -TD_EINVALID);
	ck_assert_int_eq(td_conferences_change(w.calls, "room", "c99", &deaf, why), -TD_ENOT_FOUND);
}
END_TEST

START_TEST(announcements_to_one_and_to_all)
{
	static const char *const prompts[] = { "one", "two" };

	three();
	ck_assert_int_eq(td_conferences_play(w.calls, "room", member(1), prompts, 2, why), 0);
	world_settle(&w);
	assert_heard("1:23 2:13! 3:12");
	ck_assert_int_eq(td_conferences_play(w.calls, "room", NULL, prompts, 1, why), -TD_EBUSY);
	if (_i == 1)
		phone_hangup(&w.caller2);
	else
		ck_assert(dp_player_end(&w.dp));
	world_settle(&w);
	assert_heard(_i == 1 ? "1:2 2:1" : "1:23 2:13 3:12");
	ck_assert_uint_eq(dp_live(w.dp.players), 0);
	ck_assert_int_eq(td_conferences_play(w.calls, "room", NULL, prompts, 1, why), 0);
	world_settle(&w);
	assert_heard(_i == 1 ? "1:2! 2:1!" : "1:23! 2:13! 3:12!");
	if (_i == 2)
		phone_hangup(&w.caller);
	else
		ck_assert(dp_player_end(&w.dp));
	world_settle(&w);
}
END_TEST

START_TEST(full_locked_kicked)
{
	struct td_conference_info info;

	three();
	ck_assert_int_eq(td_conferences_invite(w.calls, "room", "1001", TD_SEAT_MEMBER, why), 0);
	world_settle(&w);
	phone_call(&w.stranger, "800");
	world_settle(&w);
	ck_assert_uint_eq(w.stranger.status, 403); // on no trunk at all
	ck_assert_int_eq(td_conferences_invite(w.calls, "room", "1002", TD_SEAT_MEMBER, why),
			 -TD_EFULL);
	ck_assert_str_eq(why, "conference room: full");
	ck_assert_int_eq(td_conferences_kick(w.calls, "room", member(0), why), 0);
	world_settle(&w);
	ck_assert_int_eq(w.caller.state, PHONE_OVER);
	assert_heard("1:23 2:13 3:12");
	ck_assert_int_eq(td_conferences_lock(w.calls, "room", true, why), 0);
	phone_reset(&w.caller);
	dial(&w.caller);
	ck_assert_uint_eq(w.caller.status, 486);
	ck_assert_int_eq(td_conferences_invite(w.calls, "room", "1002", TD_SEAT_MEMBER, why),
			 -TD_EDENIED);
	ck_assert_int_eq(td_conferences_get(w.calls, "room", &info), 0);
	ck_assert(info.locked);
	ck_assert_int_eq(td_conferences_lock(w.calls, "room", false, why), 0);
	phone_reset(&w.caller);
	dial(&w.caller);
	ck_assert_int_eq(w.caller.state, PHONE_UP);
}
END_TEST

START_TEST(a_call_moves_in_and_back)
{
	struct td_call_info info;
	uint32_t caller, agent;

	story_talk(&w);
	info = world_call(&w);
	caller = info.caller_leg.stream.v;
	agent = info.agent_leg.stream.v;
	ck_assert_int_eq(td_conferences_join(w.calls, "room", info.id, false, TD_SEAT_MEMBER, why),
			 0);
	world_settle(&w);
	ck_assert_int_eq(world_call(&w).state, TD_CALL_CONFERENCE);
	assert_heard("1:2 2:1");
	// The same streams: no phone has noticed anything.
	ck_assert_uint_eq(dp_find(w.dp.streams, caller)->moves, 1);
	ck_assert_uint_eq(dp_find(w.dp.streams, agent)->moves, 1);
	// Its recording goes on from where it was begun, of both.
	ck_assert_uint_eq(dp_live(w.dp.contexts), 2);
	ck_assert_uint_eq(dp_live(w.dp.taps), 1);
	ck_assert_uint_eq(w.dp.seen[TD_COMMAND_RECORD_DETACH], 0);
	ck_assert_int_eq(td_conferences_leave(w.calls, "room", info.id, why), 0);
	world_settle(&w);
	ck_assert_int_eq(world_call(&w).state, TD_CALL_TALKING);
	ck_assert_uint_eq(w.dp.seen[TD_COMMAND_RECORD_START], 1);
	story_assert_bridged(&w);
	ck_assert_uint_eq(dp_find(w.dp.streams, caller)->moves, 2);
	ck_assert_uint_eq(dp_live(w.dp.contexts), 1);
	ck_assert_uint_eq(w.caller.invites + story_agent(&w)->invites, 1);
	phone_hangup(&w.caller);
	world_settle(&w);
	ck_assert_str_eq(w.last_cause, "caller-hangup");
}
END_TEST

START_TEST(in_a_conference_each_stays_for_itself)
{
	struct phone *agent;

	story_talk(&w);
	agent = story_agent(&w);
	ck_assert_int_eq(
		td_conferences_join(w.calls, "room", world_call(&w).id, false, TD_SEAT_MEMBER, why),
		0);
	world_settle(&w);
	dial(&w.caller2);
	assert_heard("1:23 2:13 3:12");
	phone_hangup(_i ? agent : &w.caller);
	world_settle(&w);
	assert_heard("1:2 2:1");
	ck_assert_int_eq((_i ? &w.caller : agent)->state, PHONE_UP);
	ck_assert_uint_eq(world_call_count(&w), 2);
	phone_hangup(_i ? &w.caller : agent);
	world_settle(&w);
	assert_heard("1:*");
	ck_assert_uint_eq(world_call_count(&w), 1);
}
END_TEST

START_TEST(the_caller_alone_is_transferred)
{
	struct phone *agent;

	story_talk(&w);
	agent = story_agent(&w);
	ck_assert_int_eq(
		td_conferences_join(w.calls, "room", world_call(&w).id, true, TD_SEAT_MEMBER, why),
		0);
	world_settle(&w);
	assert_heard("1:*");
	ck_assert_int_eq(agent->state, PHONE_OVER);
	ck_assert_int_eq(world_agent_state(&w, agent == &w.agent ? 0 : 1), TD_ACD_AVAILABLE);
	ck_assert_int_eq(td_conferences_leave(w.calls, "room", world_call(&w).id, why), 0);
	world_settle(&w);
	ck_assert_uint_eq(world_call_count(&w), 0);
}
END_TEST

START_TEST(an_invitation_that_comes_to_nothing)
{
	static const enum phone_mode modes[] = { PHONE_BUSY, PHONE_DECLINES, PHONE_RINGS,
						 PHONE_BAD_SDP };

	dial(&w.caller);
	w.supervisor.mode = modes[_i];
	ck_assert_int_eq(td_conferences_invite(w.calls, "room", "1003", TD_SEAT_MEMBER, why), 0);
	world_settle(&w);
	if (modes[_i] == PHONE_RINGS)
		ck_assert_int_eq(w.supervisor.state, PHONE_ALERTING);
	// Whoever is alone hears the music until somebody is really there.
	ck_assert_uint_eq(world_call_count(&w), modes[_i] == PHONE_RINGS ? 2 : 1);
}
END_TEST

START_TEST(hold_inside_a_conference)
{
	three();
	phone_reinvite(&w.caller, "sendonly");
	world_settle(&w);
	assert_heard("1: 2:3 3:2");
	phone_reinvite(&w.caller, "sendrecv");
	world_settle(&w);
	assert_heard("1:23 2:13 3:12");
}
END_TEST

START_TEST(made_and_destroyed_by_the_api)
{
	struct td_conference_settings settings = { .name = "mine", .members_max = 3 };
	struct td_conference_info info;

	ck_assert_int_eq(td_conferences_create(w.calls, &settings, why), 0);
	ck_assert_int_eq(td_conferences_create(w.calls, &settings, why), -TD_EEXISTS);
	ck_assert_int_eq(td_conferences_invite(w.calls, "mine", "1003", TD_SEAT_MEMBER, why), 0);
	world_settle(&w);
	ck_assert_int_eq(td_conferences_invite(w.calls, "mine", "1003", TD_SEAT_MEMBER, why),
			 -TD_EBUSY);
	ck_assert_int_eq(td_conferences_invite(w.calls, "mine", "1001", TD_SEAT_MEMBER, why), 0);
	world_settle(&w);
	assert_heard_in("mine", "1:2 2:1");
	ck_assert_int_eq(td_conferences_destroy(w.calls, "mine", why), 0);
	ck_assert_int_eq(td_conferences_invite(w.calls, "mine", "1002", TD_SEAT_MEMBER, why),
			 -TD_ESTATE);
	world_settle(&w);
	ck_assert_int_eq(td_conferences_get(w.calls, "mine", &info), -TD_ENOT_FOUND);
	ck_assert_int_eq(w.supervisor.state, PHONE_OVER);
	ck_assert_uint_eq(w.notices[TD_NOTICE_CONFERENCE_ENDED], 1);
	settings.music = "nothing";
	ck_assert_int_eq(td_conferences_create(w.calls, &settings, why), -TD_ENOT_FOUND);
}
END_TEST

START_TEST(tones_for_who_comes_and_goes)
{
	struct td_conference_settings settings = {
		.name = "mine", .members_max = 3, .entry = "one", .leave = "two"
	};

	ck_assert_int_eq(td_conferences_create(w.calls, &settings, why), 0);
	ck_assert_int_eq(td_conferences_invite(w.calls, "mine", "1003", TD_SEAT_MEMBER, why), 0);
	world_settle(&w);
	assert_heard_in("mine", "1:");
	ck_assert_int_eq(td_conferences_invite(w.calls, "mine", "1001", TD_SEAT_MEMBER, why), 0);
	world_settle(&w);
	assert_heard_in("mine", "1:2! 2:1!");
	ck_assert(dp_player_end(&w.dp));
	world_settle(&w);
	assert_heard_in("mine", "1:2 2:1");
	ck_assert_int_eq(td_conferences_destroy(w.calls, "mine", why), 0);
}
END_TEST

START_TEST(the_dataplane_refuses)
{
	static const enum td_command_kind kinds[] = { TD_COMMAND_CONTEXT_CREATE,
						      TD_COMMAND_STREAM_CREATE,
						      TD_COMMAND_MATRIX_EDIT };

	w.dp.fail[kinds[_i]] = -TD_EFULL;
	dial(&w.caller);
	ck_assert_int_eq(w.caller.state, PHONE_OVER);
	ck_assert_uint_eq(world_call_count(&w), 0);
	phone_reset(&w.caller);
	dial(&w.caller);
	assert_heard("1:*");
}
END_TEST

START_TEST(a_move_that_is_refused_ends_that_leg)
{
	story_talk(&w);
	w.dp.fail[TD_COMMAND_STREAM_MOVE] = -TD_EFULL;
	ck_assert_int_eq(
		td_conferences_join(w.calls, "room", world_call(&w).id, false, TD_SEAT_MEMBER, why),
		0);
	world_settle(&w);
	assert_heard("1:*");
	ck_assert_uint_eq(world_call_count(&w), 1);
}
END_TEST

START_TEST(the_dataplane_dies)
{
	three();
	dp_die(&w.dp);
	world_wait_for_link(&w);
	world_settle(&w);
	world_wait_for_link(&w);
	ck_assert_uint_eq(world_call_count(&w), 0);
	ck_assert_int_eq(w.supervisor.state, PHONE_OVER);
	phone_reset(&w.caller);
	dial(&w.caller);
	ck_assert_uint_eq(w.caller.answers_seen, 1);
	assert_heard("1:*");
}
END_TEST

static bool count_cells(void *user, const struct td_cell *cell)
{
	ck_assert(cell->gain_q12 != 0);
	++*(unsigned *)user;
	return true;
}

static bool last_context(void *user, const struct td_context_info *info)
{
	*(struct td_context_info *)user = *info;
	return true;
}

START_TEST(contexts_show_what_is_set)
{
	struct td_context_info info;
	struct list list = { .count = 0 };
	unsigned cells = 0;

	three();
	ck_assert_uint_eq(td_contexts_foreach(w.calls, last_context, &info), 1);
	ck_assert_str_eq(info.conference, "room");
	ck_assert_uint_eq(info.members, 3);
	td_contexts_members(w.calls, info.id, list_member, &list);
	ck_assert_uint_eq(list.count, 3);
	ck_assert_str_eq(list.members[2].seat, "moderator");
	td_contexts_cells(w.calls, info.id, count_cells, &cells);
	ck_assert_uint_eq(cells, 6); // talk and hear of each
	ck_assert_int_eq(td_contexts_get(w.calls, (struct td_context_id){ 77 }, &info),
			 -TD_ENOT_FOUND);
}
END_TEST

START_TEST(digits_and_tones_are_told)
{
	dial(&w.caller);
	dp_digit(&w.dp, members("room").members[0].leg.stream.v, '5');
	dp_tone(&w.dp, members("room").members[0].leg.stream.v, TD_TONE_BUSY);
	world_settle(&w);
	ck_assert_uint_eq(w.notices[TD_NOTICE_DIGIT], 1);
	ck_assert_uint_eq(w.notices[TD_NOTICE_TONE], 1);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("conference");
	Suite *suite = suite_create("conference");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, assembly_open, assembly_close);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, alone_with_music_then_together);
	tcase_add_loop_test(tc, whoever_goes_first_the_others_stay, 0, 6);
	tcase_add_test(tc, lecture_and_moderators);
	tcase_add_test(tc, mute_deaf_volume);
	tcase_add_loop_test(tc, announcements_to_one_and_to_all, 0, 3);
	tcase_add_test(tc, full_locked_kicked);
	tcase_add_test(tc, a_call_moves_in_and_back);
	tcase_add_loop_test(tc, in_a_conference_each_stays_for_itself, 0, 2);
	tcase_add_test(tc, the_caller_alone_is_transferred);
	tcase_add_loop_test(tc, an_invitation_that_comes_to_nothing, 0, 4);
	tcase_add_test(tc, hold_inside_a_conference);
	tcase_add_test(tc, made_and_destroyed_by_the_api);
	tcase_add_test(tc, tones_for_who_comes_and_goes);
	tcase_add_loop_test(tc, the_dataplane_refuses, 0, 3);
	tcase_add_test(tc, a_move_that_is_refused_ends_that_leg);
	tcase_add_test(tc, the_dataplane_dies);
	tcase_add_test(tc, contexts_show_what_is_set);
	tcase_add_test(tc, digits_and_tones_are_told);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
