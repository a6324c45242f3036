// Random orders: operators ask for every feature at any moment, phones answer, refuse and hang up, the
// dataplane answers late, refuses now and then, or dies. Whatever the order, everything is gone in the
// end, no machine was given an event its table calls impossible, and while it lasts nobody hears what
// the roles do not say: at every rest the matrix is what td_party_gain and the floor's rule make it.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/call_verbs.h"
#include "call/conferences.h"
#include "story.h"
#include "td_log.h"

#define SEEDS 400
#define STEPS 200

static struct world w;
static uint32_t state;
static unsigned done[16]; // verbs that were accepted, by kind
static unsigned heard;    // pairs of which one was found to hear the other, at rests
static char why[TD_FEATURE_WHY_MAX];

static uint32_t below(uint32_t bound)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % bound;
}

static void setup(void)
{
	td_log_set_level(TD_LOG_ERROR);
	world_open_with(&w, world_with_supervisor);
	world_register(&w);
}

static void teardown(void)
{
	world_close(&w);
}

static struct phone *const phones[] = { &w.caller, &w.agent, &w.agent2, &w.supervisor, &w.caller2 };
#define PHONES (sizeof phones / sizeof phones[0])

static bool keep_one(void *user, const struct td_call_info *info)
{
	struct td_call_info *out = user;

	// Any of them, by lot.
	if (out->id[0] == '\0' || below(2))
		*out = *info;
	return true;
}

static const char *some_call(void)
{
	static struct td_call_info info;

	memset(&info, 0, sizeof info);
	td_calls_foreach(w.calls, keep_one, &info);
	return info.id;
}

static const char *some_agent(void)
{
	static const char *const ids[] = { "1001", "1002", "1003" };

	return ids[below(3)];
}

static const char *some_party(void)
{
	static const char *const names[] = { "caller", "agent", "all", "1001", "1002", "1003" };

	return names[below(6)];
}

static struct td_party_change some_change(void)
{
	return (struct td_party_change){
		.set_muted = below(2),
		.set_deaf = below(2),
		.set_talk = below(2),
		.set_hear = below(2),
		.muted = below(2),
		.deaf = below(2),
		.talk_q12 = (int16_t)(1024 + below(8000)),
		.hear_q12 = (int16_t)(1024 + below(8000)),
	};
}

static void ask_of_call(void)
{
	static const char *const prompts[] = { "one", "two" };
	struct td_party_change change = some_change();
	const char *id = some_call();
	uint32_t what = below(7);
	int error = 0;

	switch (what) {
	case 0:
		error = td_calls_call_in(w.calls, id, some_agent(),
					 (enum td_party_role)(TD_PARTY_CONSULT + below(5)), why);
		break;
	case 1: error = td_calls_let_go(w.calls, id, some_agent(), why); break;
	case 2: error = td_calls_hold(w.calls, id, some_party(), below(2), why); break;
	case 3: error = td_calls_three_way(w.calls, id, why); break;
	case 4:
		error = td_calls_replace_agent(w.calls, id, below(2) ? some_agent() : NULL, why);
		break;
	case 5: error = td_calls_change_party(w.calls, id, some_party(), &change, why); break;
	default: error = td_calls_announce(w.calls, id, some_party(), prompts, 2, why); break;
	}
	must(error == 0 || why[0] != '\0');
	done[what] += error == 0;
}

static const char *some_member(void)
{
	static char id[32];

	snprintf(id, sizeof id, "%s%s", some_call(), below(4) ? "" : "-agent");
	return id;
}

static void ask_of_conference(void)
{
	static const char *const prompts[] = { "one" };
	enum td_seat seat = (enum td_seat)below(3);
	struct td_party_change change = some_change();
	uint32_t what = below(8);
	int error = 0;

	switch (what) {
	case 0: error = td_conferences_invite(w.calls, "room", some_agent(), seat, why); break;
	case 1:
		error = td_conferences_join(w.calls, "room", some_call(), below(2), seat, why);
		break;
	case 2: error = td_conferences_leave(w.calls, "room", some_call(), why); break;
	case 3: error = td_conferences_kick(w.calls, "room", some_member(), why); break;
	case 4:
		error = td_conferences_change(w.calls, "room", below(3) ? some_member() : NULL,
					      &change, why);
		break;
	case 5: error = td_conferences_seat(w.calls, "room", some_member(), seat, why); break;
	case 6: error = td_conferences_lecture(w.calls, "room", below(2), why); break;
	default:
		error = td_conferences_play(w.calls, "room", below(2) ? some_member() : NULL,
					    prompts, 1, why);
		break;
	}
	must(error == 0 || why[0] != '\0');
	done[8 + what] += error == 0;
}

static void dial(void)
{
	static const char *const numbers[] = { "100", "100", "800" };
	struct phone *phone = below(2) ? &w.caller : &w.caller2;

	if (phone->state != PHONE_IDLE && phone->state != PHONE_OVER)
		return;
	phone_reset(phone);
	phone_call(phone, numbers[below(3)]);
}

static void somebody_hangs_up(void)
{
	struct phone *phone = phones[below(PHONES)];

	phone_hangup(phone);
}

static void somebody_holds(void)
{
	struct phone *phone = phones[below(PHONES)];

	if (phone->state == PHONE_UP)
		phone_reinvite(phone, below(2) ? "sendonly" : "sendrecv");
}

static void refuse_one(void)
{
	static const enum td_command_kind kinds[] = {
		TD_COMMAND_MATRIX_EDIT,   TD_COMMAND_STREAM_CREATE,  TD_COMMAND_STREAM_MOVE,
		TD_COMMAND_PLAYER_CREATE, TD_COMMAND_PLAYER_CONTROL, TD_COMMAND_CONTEXT_CREATE
	};

	w.dp.fail[kinds[below(6)]] = -TD_EFULL;
}

static void die(void)
{
	dp_die(&w.dp);
	for (int i = 0; i < 3; i++)
		uv_run(&w.loop, UV_RUN_NOWAIT);
	world_wait_for_link(&w);
}

static void answer_phones(void)
{
	for (size_t i = 0; i < PHONES; i++) {
		if (below(2))
			phone_step(phones[i]);
		if (phones[i]->state == PHONE_ALERTING && below(2))
			phone_answer(phones[i]);
		if (phones[i]->state == PHONE_OVER && i > 0 && i < 4 && below(3) == 0) {
			phone_reset(phones[i]);
			phones[i]->mode = below(4) ? PHONE_ANSWERS : PHONE_RINGS;
		}
	}
}

// One who had refused is available again; one who is already refuses that.
static void agents_are_back(void)
{
	(void)!td_calls_agent_set_state(w.calls, below(2) ? "1001" : "1002",
					TD_AGENT_WISH_AVAILABLE, NULL);
}

static void settle(void)
{
	w.dp_manual = false;
	world_settle(&w);
	w.dp_manual = true;
}

static void one_step(bool deadly)
{
	uint32_t lot = below(deadly ? 101 : 100);

	if (lot < 22)
		answer_phones();
	else if (lot < 44)
		dp_answer(&w.dp);
	else if (lot < 64)
		ask_of_call();
	else if (lot < 70)
		ask_of_conference();
	else if (lot < 75)
		dial();
	else if (lot < 81)
		dp_player_end(&w.dp);
	else if (lot < 83)
		somebody_hangs_up();
	else if (lot < 85)
		somebody_holds();
	else if (lot < 86)
		refuse_one();
	else if (lot < 92)
		agents_are_back();
	else if (lot < 100)
		settle();
	else
		die();
	world_turn(&w);
}

// What the dataplane has, against the pure rules applied to what control says about its legs.
static void assert_matrix(const struct td_call *call)
{
	const struct td_media *media = &call->media;

	for (int i = 0; i < TD_MEDIA_SLOT_MAX; i++) {
		for (int k = 0; k < TD_MEDIA_SLOT_MAX; k++) {
			const struct td_leg *a = media->slots[i], *b = media->slots[k];
			struct td_party from, to;
			int32_t gain;

			if (i == k || !a || !b || !a->media.stream.v || !b->media.stream.v ||
			    a->media.at != media || b->media.at != media)
				continue;
			from = a->party;
			to = b->party;
			from.away = a->state != TD_LEG_UP || td_sdp_held(&a->agreed);
			to.away = b->state != TD_LEG_UP || td_sdp_held(&b->agreed);
			gain = dp_gain(&w.dp,
				       (struct td_member){ TD_MEMBER_STREAM, a->media.stream.v },
				       b->media.stream.v);
			heard += gain > 0;
			must(call->state == TD_CALL_TALKING ? gain == td_party_gain(&from, &to)
							    : gain == 0);
		}
	}
}

static void assert_floor(const struct td_conference *room)
{
	struct td_list *it, *other;

	TD_LIST_FOREACH (it, &room->media.members) {
		const struct td_leg *from = TD_LIST_ENTRY(it, struct td_leg, media.member);

		TD_LIST_FOREACH (other, &room->media.members) {
			const struct td_leg *to = TD_LIST_ENTRY(other, struct td_leg, media.member);
			struct td_party a = from->party, b = to->party;
			struct td_floor_gains talk, hear;

			if (from == to || !from->media.stream.v || !to->media.stream.v)
				continue;
			a.away = !from->seated || td_sdp_held(&from->agreed);
			b.away = !to->seated || td_sdp_held(&to->agreed);
			talk = td_conference_gains(room->lecture, (enum td_seat)from->seat, &a);
			hear = td_conference_gains(room->lecture, (enum td_seat)to->seat, &b);
			heard += talk.talk > 0 && hear.hear > 0;
			must(dp_gain(&w.dp,
				     (struct td_member){ TD_MEMBER_STREAM, from->media.stream.v },
				     to->media.stream.v) ==
			     (int64_t)talk.talk * hear.hear / TD_GAIN_UNITY);
		}
	}
}

static void assert_rest(void)
{
	settle();
	for (uint32_t i = 0; i < w.calls->call_slots.count; i++) {
		if (td_slots_live(&w.calls->call_slots, i))
			assert_matrix(&w.calls->calls[i]);
	}
	assert_floor(td_conference_find(w.calls, "room"));
}

static void finish(unsigned seed)
{
	struct td_call_info info;

	w.dp_manual = false;
	memset(w.dp.fail, 0, sizeof w.dp.fail);
	world_wait_for_link(&w);
	world_settle(&w);
	for (int i = 0; i < 20 && world_call_count(&w) > 0; i++) {
		memset(&info, 0, sizeof info);
		td_calls_foreach(w.calls, keep_one, &info);
		(void)!td_calls_hangup(w.calls, info.id, TD_CAUSE_OPERATOR);
		world_settle(&w);
	}
	for (size_t i = 0; i < PHONES; i++) {
		phone_hangup(phones[i]);
		world_settle(&w);
	}
	world_advance(&w, 200000);
	if (world_call_count(&w) != 0 || w.calls->steps_rejected != 0)
		ck_abort_msg("seed %u: %u calls, %llu steps rejected", seed, world_call_count(&w),
			     (unsigned long long)w.calls->steps_rejected);
	world_assert_empty(&w);
	must(td_conference_find(w.calls, "room")->seated == 0);
	(void)!td_conferences_lecture(w.calls, "room", false, why);
	world_refresh(&w);
	world_register(&w); // its time passes, too
	w.dp_manual = true;
}

START_TEST(everything_ends_and_nobody_hears_too_much)
{
	w.dp_manual = true;
	for (unsigned seed = 0; seed < SEEDS; seed++) {
		state = seed * 2654435761u + (unsigned)_i;
		for (unsigned step = 0; step < STEPS; step++) {
			one_step(_i == 1);
			if (step % 40 == 39)
				assert_rest();
		}
		finish(seed);
	}
	// The lots have reached everything.
	for (unsigned i = 0; i < 16; i++)
		ck_assert_msg(i == 7 || done[i] > 0, "verb %u was never accepted", i);
	ck_assert_uint_gt(heard, 100);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("feature races");
	Suite *suite = suite_create("call feature races");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 280);
	tcase_add_loop_test(tc, everything_ends_and_nobody_hears_too_much, 0, 2);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
