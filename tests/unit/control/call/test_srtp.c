// SRTP on calls: what each policy makes of each phone, which keys the dataplane is told, how long a
// key of ours lives, that a refusal has a name, and that nothing of a key stays behind.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/cause.h"
#include "sdp/crypto.h"
#include "story.h"

#define CM80_KEY                "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
#define CM80_KEY2               "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
#define GCM_KEY                 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw=="
#define CRYPTO(tag, suite, key) "a=crypto:" tag " " suite " inline:" key "\r\n"
#define CM80                    CRYPTO("1", "AES_CM_128_HMAC_SHA1_80", CM80_KEY)
#define CM80_NEW                CRYPTO("1", "AES_CM_128_HMAC_SHA1_80", CM80_KEY2)
#define GCM                     CRYPTO("2", "AEAD_AES_128_GCM", GCM_KEY)
#define ANSWER_GCM              CRYPTO("1", "AEAD_AES_128_GCM", GCM_KEY)
#define ANSWER_CM80             CRYPTO("2", "AES_CM_128_HMAC_SHA1_80", CM80_KEY)
#define F8                      CRYPTO("1", "F8_128_HMAC_SHA1_80", CM80_KEY)

static struct world w;

static void setup(void)
{
	world_open(&w);
	world_register(&w);
	w.agent2.mode = PHONE_DEAF;
}

static void teardown(void)
{
	world_assert_empty(&w);
	world_close(&w);
}

static struct dp_object *stream_of(const struct td_call_leg_info *leg)
{
	struct dp_object *stream = dp_find(w.dp.streams, leg->stream.v);

	ck_assert_ptr_nonnull(stream);
	return stream;
}

// The n-th a=crypto of a description.
static struct td_sdp_crypto crypto_in(const char *body, unsigned n)
{
	struct td_sdp_crypto crypto = { 0 };
	const char *at = body;

	for (at = strstr(at, "a=crypto:"); at && n > 0; n--)
		at = strstr(at + 1, "a=crypto:");
	ck_assert_msg(at != NULL, "no key in %s", body);
	at += strlen("a=crypto:");
	ck_assert_int_eq(td_sdp_crypto_parse(td_str_make(at, strcspn(at, "\r")), &crypto),
			 TD_SDP_CRYPTO_TAKEN);
	return crypto;
}

static void assert_key(const struct td_srtp_master *master, const struct td_sdp_crypto *crypto)
{
	ck_assert(td_srtp_same_master(master, &crypto->master));
}

// The caller dials and is answered, or not.
static uint16_t call_in(const char *transport, const char *attributes)
{
	w.caller.transport = transport;
	w.caller.attributes = attributes;
	phone_call(&w.caller, "100");
	world_settle(&w);
	return w.caller.state == PHONE_UP ? 200 : w.caller.status;
}

#define AVP  "RTP/AVP"
#define SAVP "RTP/SAVP"

static const struct {
	enum td_srtp_policy policy;
	const char *transport, *attributes;
	enum td_srtp_suite suite; // agreed
	enum td_cause cause;      // or refused, with 488
} inbound[] = {
	{ TD_SRTP_POLICY_FORBID, AVP, "", TD_SRTP_NONE, TD_CAUSE_NONE },
	{ TD_SRTP_POLICY_FORBID, AVP, CM80, TD_SRTP_NONE, TD_CAUSE_NONE },
	{ TD_SRTP_POLICY_FORBID, SAVP, CM80, TD_SRTP_NONE, TD_CAUSE_SRTP_FORBIDDEN },
	{ TD_SRTP_POLICY_PREFER, AVP, "", TD_SRTP_NONE, TD_CAUSE_NONE },
	{ TD_SRTP_POLICY_PREFER, AVP, CM80, TD_SRTP_AES_CM_128_HMAC_SHA1_80, TD_CAUSE_NONE },
	{ TD_SRTP_POLICY_PREFER, AVP, F8, TD_SRTP_NONE, TD_CAUSE_NONE },
	{ TD_SRTP_POLICY_PREFER, SAVP, CM80, TD_SRTP_AES_CM_128_HMAC_SHA1_80, TD_CAUSE_NONE },
	{ TD_SRTP_POLICY_PREFER, SAVP, GCM CM80, TD_SRTP_AEAD_AES_128_GCM, TD_CAUSE_NONE },
	{ TD_SRTP_POLICY_PREFER, SAVP, F8, TD_SRTP_NONE, TD_CAUSE_SRTP_NO_SUITE },
	{ TD_SRTP_POLICY_REQUIRE, AVP, "", TD_SRTP_NONE, TD_CAUSE_SRTP_REQUIRED },
	{ TD_SRTP_POLICY_REQUIRE, AVP, F8, TD_SRTP_NONE, TD_CAUSE_SRTP_NO_SUITE },
	{ TD_SRTP_POLICY_REQUIRE, AVP, CM80, TD_SRTP_AES_CM_128_HMAC_SHA1_80, TD_CAUSE_NONE },
	{ TD_SRTP_POLICY_REQUIRE, SAVP, "", TD_SRTP_NONE, TD_CAUSE_SRTP_NO_SUITE },
	{ TD_SRTP_POLICY_REQUIRE, SAVP, CM80 GCM, TD_SRTP_AES_CM_128_HMAC_SHA1_80, TD_CAUSE_NONE },
};

static void assert_refused(uint16_t status, enum td_cause cause)
{
	struct td_calls_stats stats;

	ck_assert_uint_eq(status, td_cause_status(cause));
	ck_assert_uint_eq(world_call_count(&w), 0);
	ck_assert_msg(strstr(w.caller.reason, td_cause_name(cause)) != NULL, "%s", w.caller.reason);
	td_calls_get_stats(w.calls, &stats);
	ck_assert_uint_eq(stats.rejected_srtp, 1);
	ck_assert_uint_eq(stats.rejected_codec, 0);
}

START_TEST(a_trunks_policy_and_what_it_is_offered)
{
	const struct td_command_stream_set_remote *remote;
	struct td_sdp_crypto theirs, ours;
	struct td_call_info info;
	uint16_t status;

	w.config.trunks[0].srtp = inbound[_i].policy;
	status = call_in(inbound[_i].transport, inbound[_i].attributes);
	if (inbound[_i].cause != TD_CAUSE_NONE) {
		assert_refused(status, inbound[_i].cause);
		return;
	}
	ck_assert_uint_eq(status, 200);
	info = world_call(&w);
	ck_assert_int_eq(info.caller_leg.srtp, inbound[_i].suite);
	ck_assert_uint_eq(stream_of(&info.caller_leg)->flags,
			  inbound[_i].policy == TD_SRTP_POLICY_REQUIRE ? TD_STREAM_PROTECTED : 0);
	remote = &stream_of(&info.caller_leg)->remote;
	ck_assert_uint_eq(remote->srtp_rx.suite, inbound[_i].suite);
	ck_assert_uint_eq(remote->srtp_tx.suite, inbound[_i].suite);
	ck_assert_ptr_nonnull(strstr(w.caller.last_body, inbound[_i].transport));
	if (inbound[_i].suite == TD_SRTP_NONE) {
		ck_assert_ptr_null(strstr(w.caller.last_body, "a=crypto"));
	} else {
		theirs = crypto_in(inbound[_i].attributes, 0);
		ours = crypto_in(w.caller.last_body, 0);
		assert_key(&remote->srtp_rx, &theirs);
		assert_key(&remote->srtp_tx, &ours);
		ck_assert_uint_eq(ours.tag, theirs.tag);
	}
	phone_hangup(&w.caller);
}
END_TEST

static const struct {
	enum td_srtp_policy policy;
	const char *offered;                // what the phone sees of the transport
	const char *transport, *attributes; // and answers
	enum td_srtp_suite suite;
	enum td_cause cause; // of its leg, when nothing comes of it
} outbound[] = {
	{ TD_SRTP_POLICY_FORBID, "RTP/AVP 0", AVP, "", TD_SRTP_NONE, TD_CAUSE_NONE },
	{ TD_SRTP_POLICY_PREFER, "RTP/AVP 0", AVP, "", TD_SRTP_NONE, TD_CAUSE_NONE },
	{ TD_SRTP_POLICY_PREFER, "RTP/AVP 0", AVP, ANSWER_GCM, TD_SRTP_AEAD_AES_128_GCM,
	  TD_CAUSE_NONE },
	{ TD_SRTP_POLICY_PREFER, "RTP/AVP 0", AVP, ANSWER_CM80, TD_SRTP_AES_CM_128_HMAC_SHA1_80,
	  TD_CAUSE_NONE },
	{ TD_SRTP_POLICY_REQUIRE, "RTP/SAVP 0", SAVP, ANSWER_CM80, TD_SRTP_AES_CM_128_HMAC_SHA1_80,
	  TD_CAUSE_NONE },
	{ TD_SRTP_POLICY_REQUIRE, "RTP/SAVP 0", AVP, "", TD_SRTP_NONE, TD_CAUSE_SRTP_REQUIRED },
	{ TD_SRTP_POLICY_REQUIRE, "RTP/SAVP 0", SAVP, "", TD_SRTP_NONE, TD_CAUSE_SRTP_NO_SUITE },
};

// The caller is through to the queue, the agent's phone has been offered the call.
static void offer_to_agent(enum td_srtp_policy policy)
{
	w.config.agents[0].srtp = policy;
	phone_call(&w.caller, "100");
	world_settle(&w);
	ck_assert(dp_player_end(&w.dp));
	world_settle(&w);
}

START_TEST(an_agents_policy_and_what_the_phone_answers)
{
	const struct td_command_stream_set_remote *remote;
	struct td_sdp_crypto theirs, ours;
	struct td_call_info info;

	w.agent.transport = outbound[_i].transport;
	w.agent.attributes = outbound[_i].attributes;
	offer_to_agent(outbound[_i].policy);
	ck_assert_ptr_nonnull(strstr(w.agent.last_body, outbound[_i].offered));
	ck_assert_int_eq(strstr(w.agent.last_body, "a=crypto:2 AES_CM_128_HMAC_SHA1_80 ") != NULL,
			 outbound[_i].policy != TD_SRTP_POLICY_FORBID);
	info = world_call(&w);
	if (outbound[_i].cause != TD_CAUSE_NONE) {
		ck_assert_uint_eq(w.agent.byes, 1);
		ck_assert_ptr_nonnull(strstr(w.agent.reason, td_cause_name(outbound[_i].cause)));
		ck_assert_int_ne(info.state, TD_CALL_TALKING);
		phone_hangup(&w.caller);
		return;
	}
	story_assert_bridged(&w);
	ck_assert_int_eq(info.caller_leg.srtp, TD_SRTP_NONE);
	ck_assert_int_eq(info.agent_leg.srtp, outbound[_i].suite);
	remote = &stream_of(&info.agent_leg)->remote;
	if (outbound[_i].suite != TD_SRTP_NONE) {
		theirs = crypto_in(outbound[_i].attributes, 0);
		ours = crypto_in(w.agent.last_body, theirs.tag - 1);
		assert_key(&remote->srtp_rx, &theirs);
		assert_key(&remote->srtp_tx, &ours);
	}
	phone_hangup(&w.caller);
}
END_TEST

static uint64_t retries(void)
{
	struct td_calls_stats stats;

	td_calls_get_stats(w.calls, &stats);
	return stats.srtp_retries;
}

// A phone that wants keys in RTP/SAVP alone gets its offer so, within the one offer of the call.
START_TEST(a_phone_that_insists_on_savp)
{
	struct td_call_info info;
	struct td_sdp_crypto ours;

	w.agent.avp_status = _i == 0 ? 488 : 606;
	w.agent.transport = SAVP;
	w.agent.attributes = ANSWER_CM80;
	offer_to_agent(TD_SRTP_POLICY_PREFER);
	story_assert_bridged(&w);
	info = world_call(&w);
	ck_assert_uint_eq(w.agent.invites, 2);
	ck_assert_uint_eq(retries(), 1);
	ck_assert_uint_eq(info.offer_count, 1);
	ck_assert_int_eq(info.agent_leg.srtp, TD_SRTP_AES_CM_128_HMAC_SHA1_80);
	ours = crypto_in(w.agent.last_body, 1);
	assert_key(&stream_of(&info.agent_leg)->remote.srtp_tx, &ours);
	// It is not held to it: what it offers later is judged by the policy.
	w.agent.avp_status = 0;
	w.agent.transport = AVP;
	w.agent.attributes = "";
	phone_reinvite(&w.agent, "sendrecv");
	world_settle(&w);
	ck_assert_uint_eq(w.agent.status, 200);
	ck_assert_int_eq(world_call(&w).agent_leg.srtp, TD_SRTP_NONE);
	phone_hangup(&w.caller);
}
END_TEST

// Who refuses both has refused, and where there is nothing else to offer nothing else is.
START_TEST(a_phone_that_refuses_every_offer)
{
	static const struct {
		enum td_srtp_policy policy;
		unsigned invites;
	} rows[] = {
		{ TD_SRTP_POLICY_FORBID, 1 },
		{ TD_SRTP_POLICY_PREFER, 2 },
		{ TD_SRTP_POLICY_REQUIRE, 1 },
	};

	w.agent.mode = PHONE_CANNOT;
	offer_to_agent(rows[_i].policy);
	ck_assert_uint_eq(w.agent.invites, rows[_i].invites);
	ck_assert_uint_eq(retries(), rows[_i].invites - 1);
	ck_assert_uint_eq(w.agent.acks, rows[_i].invites);
	ck_assert_int_ne(world_call(&w).state, TD_CALL_TALKING);
	phone_hangup(&w.caller);
}
END_TEST

// The caller gives up while the second offer rings: it is that one that is taken back.
START_TEST(given_up_while_it_insists)
{
	w.agent.avp_status = 488;
	w.agent.mode = PHONE_RINGS;
	w.agent.transport = SAVP;
	w.agent.attributes = ANSWER_CM80;
	offer_to_agent(TD_SRTP_POLICY_PREFER);
	ck_assert_uint_eq(w.agent.invites, 2);
	ck_assert_int_eq(w.agent.state, PHONE_ALERTING);
	phone_hangup(&w.caller);
	world_settle(&w);
	ck_assert_uint_eq(w.agent.cancels, 1);
	ck_assert_int_eq(w.agent.state, PHONE_OVER);
	ck_assert_str_eq(w.last_cause, "caller-abandoned");
}
END_TEST

// Hold, resume, a new key of theirs: ours stays. A suite that was left has a new key later.
START_TEST(our_key_stays_until_the_suite_changes)
{
	struct td_sdp_crypto first, again;
	struct dp_object *stream;
	struct td_call_info info;

	w.config.trunks[0].srtp = TD_SRTP_POLICY_PREFER;
	ck_assert_uint_eq(call_in(SAVP, CM80), 200);
	info = world_call(&w);
	stream = stream_of(&info.caller_leg);
	first = crypto_in(w.caller.last_body, 0);
	ck_assert_uint_eq(stream->remote_count, 1);
	for (int i = 0; i < 2; i++) {
		phone_reinvite(&w.caller, i == 0 ? "sendonly" : "sendrecv");
		world_settle(&w);
		ck_assert_uint_eq(w.caller.status, 200);
		again = crypto_in(w.caller.last_body, 0);
		assert_key(&first.master, &again);
		ck_assert_uint_eq(stream->remote_count, 1);
	}
	w.caller.attributes = CM80_NEW;
	phone_reinvite(&w.caller, "sendrecv");
	world_settle(&w);
	ck_assert_uint_eq(stream->remote_count, 2);
	again = crypto_in(w.caller.attributes, 0);
	assert_key(&stream->remote.srtp_rx, &again);
	assert_key(&stream->remote.srtp_tx, &first);
	w.caller.attributes = GCM;
	phone_reinvite(&w.caller, "sendrecv");
	world_settle(&w);
	ck_assert_int_eq(world_call(&w).caller_leg.srtp, TD_SRTP_AEAD_AES_128_GCM);
	again = crypto_in(w.caller.last_body, 0);
	assert_key(&stream->remote.srtp_tx, &again);
	w.caller.attributes = CM80;
	phone_reinvite(&w.caller, "sendrecv");
	world_settle(&w);
	again = crypto_in(w.caller.last_body, 0);
	assert_key(&stream->remote.srtp_tx, &again);
	ck_assert(!td_srtp_same_master(&again.master, &first.master));
	phone_hangup(&w.caller);
}
END_TEST

// Who prefers it lets a peer go back to plain RTP; who requires it refuses, and the call goes on.
START_TEST(back_to_plain)
{
	bool require = _i == 1;
	struct dp_object *stream;
	struct td_call_info info;

	w.config.trunks[0].srtp = require ? TD_SRTP_POLICY_REQUIRE : TD_SRTP_POLICY_PREFER;
	ck_assert_uint_eq(call_in(AVP, CM80), 200);
	info = world_call(&w);
	stream = stream_of(&info.caller_leg);
	w.caller.attributes = "";
	phone_reinvite(&w.caller, "sendrecv");
	world_settle(&w);
	ck_assert_uint_eq(w.caller.status, require ? 488 : 200);
	ck_assert_int_eq(world_call(&w).caller_leg.srtp,
			 require ? TD_SRTP_AES_CM_128_HMAC_SHA1_80 : TD_SRTP_NONE);
	ck_assert_uint_eq(stream->remote_count, require ? 1 : 2);
	ck_assert_int_eq(stream->remote.srtp_tx.suite == TD_SRTP_NONE, !require);
	phone_hangup(&w.caller);
}
END_TEST

// An INVITE without an offer gets ours, with keys; the ACK brings theirs.
START_TEST(late_offer)
{
	struct td_sdp_crypto ours;
	struct td_call_info info;

	w.config.trunks[0].srtp = TD_SRTP_POLICY_REQUIRE;
	w.caller.no_offer = true;
	ck_assert_uint_eq(call_in(SAVP, ANSWER_GCM), 200);
	ck_assert_ptr_nonnull(strstr(w.caller.last_body, "RTP/SAVP 0 8"));
	ours = crypto_in(w.caller.last_body, 0);
	info = world_call(&w);
	ck_assert_int_eq(info.caller_leg.srtp, TD_SRTP_AEAD_AES_128_GCM);
	assert_key(&stream_of(&info.caller_leg)->remote.srtp_tx, &ours);
	w.caller.no_offer = false;
	phone_hangup(&w.caller);
}
END_TEST

START_TEST(a_plain_answer_to_a_late_offer)
{
	w.config.trunks[0].srtp = TD_SRTP_POLICY_REQUIRE;
	w.caller.no_offer = true;
	call_in(AVP, "");
	ck_assert_uint_eq(w.caller.byes, 1);
	ck_assert_str_eq(w.last_cause, "srtp-required");
	w.caller.no_offer = false;
}
END_TEST

// No two calls share a key, and of what a call had nothing is left in the pools.
START_TEST(keys_are_fresh_and_forgotten)
{
	struct td_sdp_crypto seen[4];
	const uint8_t *legs = (const uint8_t *)w.calls->legs;
	const uint8_t *calls = (const uint8_t *)w.calls->calls;
	size_t legs_bytes = w.calls->leg_slots.count * sizeof *w.calls->legs;
	size_t calls_bytes = w.calls->call_slots.count * sizeof *w.calls->calls;

	w.config.trunks[0].srtp = TD_SRTP_POLICY_REQUIRE;
	for (int i = 0; i < 4; i++) {
		ck_assert_uint_eq(call_in(SAVP, CM80), 200);
		seen[i] = crypto_in(w.caller.last_body, 0);
		ck_assert_ptr_nonnull(memmem(legs, legs_bytes, seen[i].master.key, 16));
		for (int k = 0; k < i; k++)
			ck_assert_mem_ne(seen[i].master.key, seen[k].master.key, 16);
		phone_hangup(&w.caller);
		world_assert_empty(&w);
		ck_assert_ptr_null(memmem(legs, legs_bytes, seen[i].master.key, 16));
		ck_assert_ptr_null(memmem(calls, calls_bytes, CM80_KEY, strlen(CM80_KEY)));
		phone_reset(&w.caller);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("srtp");
	Suite *suite = suite_create("call srtp");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_trunks_policy_and_what_it_is_offered, 0,
			    sizeof inbound / sizeof inbound[0]);
	tcase_add_loop_test(tc, an_agents_policy_and_what_the_phone_answers, 0,
			    sizeof outbound / sizeof outbound[0]);
	tcase_add_loop_test(tc, a_phone_that_insists_on_savp, 0, 2);
	tcase_add_loop_test(tc, a_phone_that_refuses_every_offer, 0, 3);
	tcase_add_test(tc, given_up_while_it_insists);
	tcase_add_test(tc, our_key_stays_until_the_suite_changes);
	tcase_add_loop_test(tc, back_to_plain, 0, 2);
	tcase_add_test(tc, late_offer);
	tcase_add_test(tc, a_plain_answer_to_a_late_offer);
	tcase_add_test(tc, keys_are_fresh_and_forgotten);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
