// SRTP against libsrtp2, packet by packet and to the byte, in both directions: every suite, with and
// without MKI, by both engines, over three wraps of the sequence number, in disorder, with replays,
// damage and truncation in between.
#include <stdlib.h>
#include <string.h>

#include <check.h>
#include <srtp2/srtp.h>

#include "rtp/header.h"
#include "srtp_line.h"

#define SSRC         0x5a17ed01u
#define PACKETS      12000
#define SHUFFLE_SPAN 30u // so a packet comes at most twice so many later than sent

struct setting {
	enum td_srtp_suite suite;
	enum td_srtp_engine_kind kind;
	bool mki;
};

static struct setting setting_of(int number)
{
	return (struct setting){ .suite = (enum td_srtp_suite)(1 + number % 6),
				 .kind = number / 6 % 2 ? TD_SRTP_ENGINE_IPSEC_MB
							: TD_SRTP_ENGINE_OPENSSL,
				 .mki = number / 12 % 2 };
}

#define SETTINGS 24

static void set_policies(srtp_policy_t *policy, enum td_srtp_suite suite)
{
	typedef void (*setter)(srtp_crypto_policy_t *);
	static const setter rtp[TD_SRTP_SUITE_COUNT] = {
		[TD_SRTP_AES_CM_128_HMAC_SHA1_80] = srtp_crypto_policy_set_rtp_default,
		[TD_SRTP_AES_CM_128_HMAC_SHA1_32] = srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32,
		[TD_SRTP_AES_256_CM_HMAC_SHA1_80] = srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80,
		[TD_SRTP_AES_256_CM_HMAC_SHA1_32] = srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32,
		[TD_SRTP_AEAD_AES_128_GCM] = srtp_crypto_policy_set_aes_gcm_128_16_auth,
		[TD_SRTP_AEAD_AES_256_GCM] = srtp_crypto_policy_set_aes_gcm_256_16_auth,
	};

	rtp[suite](&policy->rtp);
	rtp[suite](&policy->rtcp);
	if (suite == TD_SRTP_AES_CM_128_HMAC_SHA1_32)
		srtp_crypto_policy_set_rtp_default(&policy->rtcp);
	if (suite == TD_SRTP_AES_256_CM_HMAC_SHA1_32)
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy->rtcp);
}

static srtp_t their_session(const struct td_srtp_master *master, uint32_t ssrc)
{
	const struct td_srtp_suite_shape *shape = td_srtp_suite_shape(master->suite);
	uint8_t key[TD_SRTP_KEY_MAX + TD_SRTP_SALT_MAX];
	uint8_t mki[TD_SRTP_MKI_MAX];
	srtp_master_key_t with_mki = { .key = key, .mki_id = mki, .mki_size = master->mki_bytes };
	srtp_master_key_t *keys[] = { &with_mki };
	srtp_policy_t policy = { .window_size = TD_SRTP_WINDOW };
	srtp_t session;

	memcpy(key, master->key, shape->key_bytes);
	memcpy(key + shape->key_bytes, master->salt, shape->salt_bytes);
	memcpy(mki, master->mki, sizeof mki);
	set_policies(&policy, (enum td_srtp_suite)master->suite);
	policy.ssrc.type = ssrc_specific;
	policy.ssrc.value = ssrc;
	if (master->mki_bytes > 0) {
		policy.keys = keys;
		policy.num_master_keys = 1;
	} else {
		policy.key = key;
	}
	ck_assert_int_eq(srtp_create(&session, &policy), srtp_err_status_ok);
	return session;
}

static struct td_srtp_master master_of(const struct setting *setting)
{
	struct td_srtp_master master = line_master(setting->suite, 42);

	if (setting->mki) {
		master.mki_bytes = 4;
		td_rtp_store32(master.mki, 0x01020304);
	}
	return master;
}

// A packet of any shape: CSRCs, an extension, any payload length down to none.
static uint16_t make_packet(uint8_t *bytes, uint16_t sequence, uint32_t *seed)
{
	unsigned payload = line_random(seed) % 4 ? 160 : line_random(seed) % 1200;
	uint16_t len = line_rtp(bytes, SSRC, sequence, payload);
	uint32_t dice = line_random(seed) % 8;

	if (dice == 0 && payload >= 16) { // two CSRCs and one word of extension
		bytes[0] |= 0x12;
		td_rtp_store32(bytes + 20, 0xbede0001);
	} else if (dice == 1 && payload >= 4) {
		bytes[0] |= 0x20; // padding
		bytes[len - 1] = 4;
	}
	return len;
}

// libsrtp 2.5 looks for the MKI of an RTCP packet where RTP's tag would put it, and does not find
// even its own when that is shorter.
static bool their_mki_is_lost(const struct setting *setting)
{
	return setting->mki && (setting->suite == TD_SRTP_AES_CM_128_HMAC_SHA1_32 ||
				setting->suite == TD_SRTP_AES_256_CM_HMAC_SHA1_32);
}

START_TEST(what_we_seal_is_what_they_would)
{
	struct setting setting = setting_of(_i);
	struct td_srtp_engine *engine = line_engine(setting.kind);
	struct td_srtp_master master = master_of(&setting);
	static struct td_srtp srtp;
	srtp_t sender = their_session(&master, SSRC), receiver = their_session(&master, SSRC);
	_Alignas(4) uint8_t ours[LINE_ROOM], theirs[LINE_ROOM], plain[LINE_ROOM];
	uint32_t seed = 1 + (uint32_t)_i;
	uint64_t index = 65000;

	if (!engine)
		return;
	td_srtp_init(&srtp);
	ck_assert_int_eq(td_srtp_rekey_seal(engine, &srtp, &master), 0);
	for (int i = 0; i < PACKETS; i++, index += 1 + line_random(&seed) % 32) {
		uint16_t len = make_packet(plain, (uint16_t)index, &seed), our_len = len;
		int their_len = len;

		memcpy(ours, plain, len);
		memcpy(theirs, plain, len);
		ck_assert_int_eq(line_seal(engine, &srtp, ours, &our_len, false), TD_SRTP_OK);
		ck_assert_int_eq(srtp_protect_mki(sender, theirs, &their_len, setting.mki, 0),
				 srtp_err_status_ok);
		ck_assert_int_eq(our_len, their_len);
		ck_assert_mem_eq(ours, theirs, our_len);
		ck_assert_int_eq(srtp_unprotect_mki(receiver, ours, &their_len, setting.mki),
				 srtp_err_status_ok);
		ck_assert_int_eq(their_len, len);
		ck_assert_mem_eq(ours, plain, len);
		if (i % 10)
			continue;
		our_len = len = line_rtcp(plain, SSRC, 2 + line_random(&seed) % 40);
		their_len = len;
		memcpy(ours, plain, len);
		memcpy(theirs, plain, len);
		ck_assert_int_eq(line_seal(engine, &srtp, ours, &our_len, true), TD_SRTP_OK);
		// Theirs begins with index 1 where RFC 3711 section 3.4 says 0: one more to begin with.
		if (i == 0) {
			our_len = len;
			memcpy(ours, plain, len);
			ck_assert_int_eq(line_seal(engine, &srtp, ours, &our_len, true),
					 TD_SRTP_OK);
		}
		ck_assert_int_eq(srtp_protect_rtcp_mki(sender, theirs, &their_len, setting.mki, 0),
				 srtp_err_status_ok);
		ck_assert_int_eq(our_len, their_len);
		ck_assert_mem_eq(ours, theirs, our_len);
		if (their_mki_is_lost(&setting))
			continue;
		ck_assert_int_eq(srtp_unprotect_rtcp_mki(receiver, ours, &their_len, setting.mki),
				 srtp_err_status_ok);
		ck_assert_int_eq(their_len, len);
		ck_assert_mem_eq(ours, plain, len);
	}
	ck_assert_uint_gt(index, 65536u * 3); // three wraps
	ck_assert_int_eq(srtp_dealloc(sender), srtp_err_status_ok);
	ck_assert_int_eq(srtp_dealloc(receiver), srtp_err_status_ok);
}
END_TEST

// What is in flight from them to us.
struct flight {
	_Alignas(4) uint8_t bytes[LINE_ROOM];
	uint8_t plain[LINE_ROOM];
	uint16_t len, plain_len;
	bool is_rtcp, is_whole;
	bool may_be_accepted; // the first copy of it
	uint32_t order;
};

static struct flight flights[2 * TD_SRTP_BURST + 64];
static unsigned flight_count;

static int by_order(const void *a, const void *b)
{
	const struct flight *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

static void send_one(srtp_t sender, bool mki, bool is_rtcp, uint64_t index, uint32_t *seed)
{
	struct flight *f = &flights[flight_count++];
	int len;

	f->is_rtcp = is_rtcp;
	if (is_rtcp)
		f->plain_len = line_rtcp(f->plain, SSRC, 2 + line_random(seed) % 40);
	else
		f->plain_len = make_packet(f->plain, (uint16_t)index, seed);
	len = f->plain_len;
	memcpy(f->bytes, f->plain, f->plain_len);
	if (is_rtcp)
		ck_assert_int_eq(srtp_protect_rtcp_mki(sender, f->bytes, &len, mki, 0),
				 srtp_err_status_ok);
	else
		ck_assert_int_eq(srtp_protect_mki(sender, f->bytes, &len, mki, 0),
				 srtp_err_status_ok);
	f->len = (uint16_t)len;
	f->is_whole = f->may_be_accepted = true;
	f->order = flight_count + line_random(seed) % SHUFFLE_SPAN;
}

// Beside a packet: a copy of it, a damaged one, a cut one, of any order.
static void add_trouble(uint32_t *seed)
{
	const struct flight *sent = &flights[flight_count - 1];
	struct flight *f = &flights[flight_count];
	uint32_t dice = line_random(seed) % 8;

	if (dice > 3)
		return;
	*f = *sent;
	f->order = sent->order + line_random(seed) % 20;
	if (dice == 1)
		f->bytes[line_random(seed) % f->len] ^= (uint8_t)(1u << line_random(seed) % 8);
	else if (dice == 2)
		f->len = (uint16_t)(line_random(seed) % f->len);
	if (dice == 1 || dice == 2)
		f->is_whole = false;
	flight_count++;
}

static void open_flights(struct td_srtp_engine *engine, struct td_srtp *srtp, unsigned *accepted)
{
	static struct td_srtp_packet packets[sizeof flights / sizeof flights[0]];

	qsort(flights, flight_count, sizeof flights[0], by_order);
	for (unsigned i = 0; i < flight_count; i++)
		packets[i] = (struct td_srtp_packet){ .srtp = srtp,
						      .bytes = flights[i].bytes,
						      .len = flights[i].len,
						      .is_rtcp = flights[i].is_rtcp };
	td_srtp_open(engine, packets, flight_count);
	for (unsigned i = 0; i < flight_count; i++) {
		const struct flight *f = &flights[i];

		if (!f->is_whole) {
			ck_assert_int_ne(packets[i].verdict, TD_SRTP_OK);
			continue;
		}
		if (packets[i].verdict == TD_SRTP_OK) {
			(*accepted)++;
			ck_assert_uint_eq(packets[i].len, f->plain_len);
			ck_assert_mem_eq(f->bytes, f->plain, f->plain_len);
		} else {
			ck_assert_int_eq(packets[i].verdict, TD_SRTP_REPLAYED);
		}
	}
	flight_count = 0;
}

START_TEST(what_they_seal_we_open)
{
	struct setting setting = setting_of(_i);
	struct td_srtp_engine *engine = line_engine(setting.kind);
	struct td_srtp_master master = master_of(&setting);
	static struct td_srtp srtp;
	srtp_t sender = their_session(&master, SSRC);
	uint32_t seed = 99 + (uint32_t)_i;
	uint64_t index = 32000;
	unsigned sent = 0, accepted = 0;

	if (!engine)
		return;
	flight_count = 0;
	td_srtp_init(&srtp);
	ck_assert_int_eq(td_srtp_rekey_open(engine, &srtp, &master), 0);
	// One packet to begin with: at rollover 0 nothing lies before the first.
	send_one(sender, setting.mki, false, index, &seed);
	sent++;
	open_flights(engine, &srtp, &accepted);
	for (int i = 0; i < PACKETS; i++) {
		index++;
		if (line_random(&seed) % 100 == 0) { // a gap, with nothing in flight over it
			open_flights(engine, &srtp, &accepted);
			index += 2000;
		}
		send_one(sender, setting.mki, false, index, &seed);
		add_trouble(&seed);
		sent++;
		if (i % 16 == 0) {
			send_one(sender, setting.mki, true, 0, &seed);
			add_trouble(&seed);
			sent++;
		}
		if (line_random(&seed) % 40 == 0 || flight_count > 2 * TD_SRTP_BURST)
			open_flights(engine, &srtp, &accepted);
	}
	open_flights(engine, &srtp, &accepted);
	ck_assert_uint_gt(index, 65536u * 3);
	ck_assert_uint_eq(accepted, sent);
	ck_assert_int_eq(srtp_dealloc(sender), srtp_err_status_ok);
}
END_TEST

// Both ends are told a rollover counter that they have not counted to themselves.
static void resume_both(srtp_t session, struct td_srtp *srtp, uint32_t roc, uint16_t sequence)
{
	// Theirs makes a stream of the session's template with the first packet, and only a stream
	// can be told: hence a session with one SSRC.
	ck_assert_int_eq(srtp_set_stream_roc(session, SSRC, roc), srtp_err_status_ok);
	ck_assert_int_eq(td_srtp_resume(srtp, SSRC, roc, sequence), 0);
}

START_TEST(taken_over_at_any_rollover)
{
	static const struct {
		uint32_t roc;
		uint16_t sequence;
	} rows[] = { { 1, 0 }, { 7, 40000 }, { 0x7fffffff, 5 }, { 0xffffffff, 100 } };
	struct setting setting = setting_of(_i);
	struct td_srtp_engine *engine = line_engine(setting.kind);
	struct td_srtp_master master = master_of(&setting);
	static struct td_srtp opens, seals;
	_Alignas(4) uint8_t bytes[LINE_ROOM], plain[LINE_ROOM];

	if (!engine)
		return;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		srtp_t sender = their_session(&master, SSRC),
		       receiver = their_session(&master, SSRC);
		uint16_t sequence = rows[i].sequence;

		td_srtp_init(&opens);
		td_srtp_init(&seals);
		ck_assert_int_eq(td_srtp_rekey_open(engine, &opens, &master), 0);
		ck_assert_int_eq(td_srtp_rekey_seal(engine, &seals, &master), 0);
		resume_both(sender, &opens, rows[i].roc, sequence);
		resume_both(receiver, &seals, rows[i].roc, sequence);
		for (int k = 0; k < 50; k++) {
			uint16_t len = line_rtp(plain, SSRC, ++sequence, 160), sealed_len = len;
			int their_len = len;

			memcpy(bytes, plain, len);
			ck_assert_int_eq(line_seal(engine, &seals, bytes, &sealed_len, false),
					 TD_SRTP_OK);
			their_len = sealed_len;
			ck_assert_int_eq(
				srtp_unprotect_mki(receiver, bytes, &their_len, setting.mki),
				srtp_err_status_ok);
			ck_assert_int_eq(their_len, len);
			ck_assert_mem_eq(bytes, plain, len);
			ck_assert_int_eq(
				srtp_protect_mki(sender, bytes, &their_len, setting.mki, 0),
				srtp_err_status_ok);
			sealed_len = (uint16_t)their_len;
			ck_assert_int_eq(line_open(engine, &opens, bytes, &sealed_len, false),
					 TD_SRTP_OK);
			ck_assert_int_eq(sealed_len, len);
			ck_assert_mem_eq(bytes, plain, len);
		}
		ck_assert_int_eq(srtp_dealloc(sender), srtp_err_status_ok);
		ck_assert_int_eq(srtp_dealloc(receiver), srtp_err_status_ok);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("srtp oracle");
	TCase *tcase = tcase_create("libsrtp2");
	SRunner *runner;
	int failed;

	if (srtp_init() != srtp_err_status_ok)
		return 1;
	tcase_set_timeout(tcase, 200);
	tcase_add_loop_test(tcase, what_we_seal_is_what_they_would, 0, SETTINGS);
	tcase_add_loop_test(tcase, what_they_seal_we_open, 0, SETTINGS);
	tcase_add_loop_test(tcase, taken_over_at_any_rollover, 0, SETTINGS);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
