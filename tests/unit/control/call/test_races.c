// Interleavings: at every step of a call, in many orders of everybody else's steps, something
// ends it. Whatever the order, nothing may be left: no call, leg, dialog, transaction, stream,
// context, player, tap or ACD entry; and no machine may be given an event its table calls impossible.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "td_log.h"
#include "world.h"

enum actor {
	ACT_DATAPLANE,  // answers its oldest command
	ACT_CALLER,     // the caller's phone reads its oldest message
	ACT_AGENT,      // the agent's phone does
	ACT_PICK_UP,    // the agent picks up
	ACT_PLAYER_END, // the greeting is over
	ACT_COUNT
};

enum blow {
	BLOW_CALLER,     // the caller hangs up
	BLOW_AGENT,      // the agent hangs up or refuses
	BLOW_OPERATOR,   // somebody uses the API
	BLOW_DIE,        // the dataplane dies
	BLOW_TIME,       // the offer's time is over
	BLOW_UNREGISTER, // the agent's phone goes away
	BLOW_LOGOUT,     // the agent logs out
	BLOW_HOLD,       // the caller holds (not an end: a further interleaving)
	BLOW_COUNT
};

static const char *const blow_names[BLOW_COUNT] = {
	"caller", "agent", "operator", "die", "time", "unregister", "logout", "hold",
};

static struct world w;

static void setup(void)
{
	world_open(&w);
	world_register(&w);
	w.dp_manual = true;
}

static void teardown(void)
{
	w.dp_manual = false;
	world_close(&w);
}

static bool enabled(enum actor actor)
{
	switch (actor) {
	case ACT_DATAPLANE: return w.dp.pending_count > 0;
	case ACT_CALLER: return w.caller.inbox_count > 0;
	case ACT_AGENT: return w.agent.inbox_count > 0;
	case ACT_PICK_UP: return w.agent.state == PHONE_ALERTING;
	case ACT_PLAYER_END:
		for (int i = 0; i < DP_OBJECTS; i++) {
			if (w.dp.players[i].live && !w.dp.players[i].loops)
				return true;
		}
		return false;
	case ACT_COUNT: break;
	}
	return false;
}

static void act(enum actor actor)
{
	switch (actor) {
	case ACT_DATAPLANE: dp_answer(&w.dp); break;
	case ACT_CALLER: phone_step(&w.caller); break;
	case ACT_AGENT: phone_step(&w.agent); break;
	case ACT_PICK_UP: phone_answer(&w.agent); break;
	case ACT_PLAYER_END: dp_player_end(&w.dp); break;
	case ACT_COUNT: break;
	}
	world_turn(&w);
}

static void hang_up_by_api(void)
{
	struct td_call_info info;

	if (world_call_count(&w) == 0)
		return;
	info = world_call(&w);
	(void)!td_calls_hangup(w.calls, info.id, TD_CAUSE_OPERATOR);
}

static void strike(enum blow blow)
{
	switch (blow) {
	case BLOW_CALLER: phone_hangup(&w.caller); break;
	case BLOW_AGENT: phone_hangup(&w.agent); break;
	case BLOW_OPERATOR: hang_up_by_api(); break;
	case BLOW_DIE:
		dp_die(&w.dp);
		// The link notices, but is not let up again before the end.
		for (int i = 0; i < 3; i++)
			uv_run(&w.loop, UV_RUN_NOWAIT);
		return;
	case BLOW_TIME:
		w.now_ms += 15000;
		td_calls_advance(w.calls);
		break;
	case BLOW_UNREGISTER:
		phone_register(&w.shadow, 0);
		while (phone_step(&w.shadow))
			;
		break;
	case BLOW_LOGOUT:
		(void)!td_calls_agent_set_state(w.calls, "1001", TD_AGENT_WISH_LOGOUT, NULL);
		break;
	case BLOW_HOLD:
		if (w.caller.state == PHONE_UP)
			phone_reinvite(&w.caller, "inactive");
		break;
	case BLOW_COUNT: break;
	}
	world_turn(&w);
}

// Whoever is still up hangs up; then, after no more than the grace, everything must be gone.
static void finish(const char *what, uint64_t grace_ms)
{
	w.dp_manual = false;
	world_wait_for_link(&w);
	world_settle(&w);
	phone_hangup(&w.caller);
	world_settle(&w);
	if (w.caller.state == PHONE_UP)
		phone_hangup(&w.caller);
	world_settle(&w);
	if (grace_ms > 0)
		world_advance(&w, grace_ms);
	// The call is over as soon as nobody wants it any more: without a grace no timer has to help.
	if (world_call_count(&w) != 0 || w.calls->steps_rejected != 0)
		ck_abort_msg("%s: call %s, %llu steps rejected", what,
			     world_call_count(&w) ? td_call_state_name(world_call(&w).state)
						  : "none",
			     (unsigned long long)w.calls->steps_rejected);
	world_assert_empty(&w);
	must(w.caller.state != PHONE_UP);
	must(w.agent.state != PHONE_UP);
	must(w.agent.state != PHONE_ALERTING);
	w.dp_manual = true;
	(void)!td_calls_agent_set_state(w.calls, "1001", TD_AGENT_WISH_LOGIN, NULL);
	world_refresh(&w);
	world_register(&w);
}

static void begin(void)
{
	world_refresh(&w);
	// Only the first agent takes part.
	(void)!td_calls_agent_set_state(w.calls, "1002", TD_AGENT_WISH_PAUSE, "test");
	w.agent.mode = PHONE_RINGS;
	phone_call(&w.caller, "100");
	world_turn(&w);
}

// Runs one call with `order` deciding who goes first, strikes before step `when`. Returns the
// number of steps it took.
static int run(const uint8_t order[ACT_COUNT], enum blow blow, int when)
{
	char what[96];
	int step = 0;

	snprintf(what, sizeof what, "%s before step %d, order %d%d%d%d%d", blow_names[blow], when,
		 order[0], order[1], order[2], order[3], order[4]);
	begin();
	for (;;) {
		int i = 0;

		if (step == when)
			strike(blow);
		while (i < ACT_COUNT && !enabled((enum actor)order[i]))
			i++;
		if (i == ACT_COUNT || step > 200)
			break;
		act((enum actor)order[i]);
		step++;
	}
	must(step <= 200);
	if (step < when)
		strike(blow);
	finish(what, 0);
	return step;
}

// All orders of five actors, by Heap's algorithm without recursion.
static bool next_order(uint8_t order[ACT_COUNT])
{
	int i = ACT_COUNT - 2, k = ACT_COUNT - 1;
	uint8_t swap;

	while (i >= 0 && order[i] > order[i + 1])
		i--;
	if (i < 0)
		return false;
	while (order[k] < order[i])
		k--;
	swap = order[i];
	order[i] = order[k];
	order[k] = swap;
	for (int a = i + 1, b = ACT_COUNT - 1; a < b; a++, b--) {
		swap = order[a];
		order[a] = order[b];
		order[b] = swap;
	}
	return true;
}

// Every order for the one blow that comes from outside at any moment; for the others, and where
// sanitizers make all of it slow, a spread of them.
static int order_stride(enum blow blow)
{
#if defined(__SANITIZE_ADDRESS__)
	return blow == BLOW_CALLER ? 7 : 29;
#else
	return blow == BLOW_CALLER ? 1 : 5;
#endif
}

START_TEST(every_step_every_order)
{
	enum blow blow = (enum blow)_i;
	uint8_t order[ACT_COUNT] = { 0, 1, 2, 3, 4 };
	int runs = 0, number = 0, steps;

	do {
		if (number++ % order_stride(blow) != 0)
			continue;
		// Struck only when all is said and done, it shows how many steps there are.
		steps = run(order, blow, 1000);
		must(steps >= 17); // it got as far as both talking
		for (int when = 0; when <= steps; when++, runs++)
			run(order, blow, when);
	} while (next_order(order));
	printf("%s: %d interleavings\n", blow_names[blow], runs);
}
END_TEST

#if defined(__SANITIZE_ADDRESS__)
#define RANDOM_CALLS 500
#else
#define RANDOM_CALLS 3000
#endif

static uint64_t random_state;

static uint32_t pick(uint32_t bound)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((random_state >> 33) % bound);
}

static void maybe_break_a_command(void)
{
	static const enum td_command_kind kinds[] = {
		TD_COMMAND_CONTEXT_CREATE, TD_COMMAND_STREAM_CREATE, TD_COMMAND_STREAM_SET_REMOTE,
		TD_COMMAND_PLAYER_CREATE,  TD_COMMAND_MATRIX_EDIT,   TD_COMMAND_RECORD_START,
	};
	static const enum td_command_kind ends[] = {
		TD_COMMAND_CONTEXT_DESTROY,
		TD_COMMAND_STREAM_DESTROY,
		TD_COMMAND_PLAYER_DESTROY,
		TD_COMMAND_RECORD_STOP,
	};
	static const int errors[] = { -TD_EFULL, -TD_ENO_PORT, -TD_EINVALID, -TD_EBUSY };

	if (pick(12) == 0)
		w.dp.fail[kinds[pick(6)]] = errors[pick(4)];
	// What is to go has to go, but there may be no room for the request now.
	if (pick(6) == 0)
		w.dp.fail[ends[pick(4)]] = -TD_EBUSY;
}

START_TEST(random_orders_blows_and_failures)
{
	for (uint64_t seed = 1; seed <= RANDOM_CALLS; seed++) {
		char what[64];
		int step;

		random_state = seed * 7919;
		snprintf(what, sizeof what, "seed %llu", (unsigned long long)seed);
		begin();
		for (step = 0; step < 400; step++) {
			enum actor actor = (enum actor)pick(ACT_COUNT);
			int tries = 0;

			if (pick(12) == 0)
				strike((enum blow)pick(BLOW_COUNT));
			maybe_break_a_command();
			while (tries++ < ACT_COUNT && !enabled(actor))
				actor = (enum actor)((actor + 1) % ACT_COUNT);
			if (!enabled(actor))
				break;
			act(actor);
		}
		memset(w.dp.fail, 0, sizeof w.dp.fail);
		finish(what, 10 * TD_MEDIA_RETRY_MS);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("races");
	Suite *suite = suite_create("call races");
	SRunner *runner = srunner_create(suite);
	int failed;

	td_log_set_level(TD_LOG_ERROR);
	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 300);
	tcase_add_loop_test(tc, every_step_every_order, 0, BLOW_COUNT);
	tcase_add_test(tc, random_orders_blows_and_failures);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
