// The source lock by table: who is accepted, adopted, on probation or refused, and when.
#include <string.h>

#include <check.h>

#include "media/source_lock.h"

#define MS 1000000ull

static const struct td_endpoint none;

static struct td_endpoint at(const char *addr, uint16_t port)
{
	struct td_endpoint ep;

	ck_assert_int_eq(td_endpoint_parse_addr(addr, &ep), 0);
	ep.port_be = __builtin_bswap16(port);
	return ep;
}

#define SDP  "10.0.0.1", 4000
#define SAME "10.0.0.1", 5000
#define NAT  "192.0.2.9", 4000
#define EVIL "198.51.100.66", 4000

static struct td_source_lock lock;
static struct td_lock_candidates candidates;
static uint64_t now_ns, accepted_last_ns;

static void setup(void)
{
	memset(&lock, 0, sizeof lock);
	// As another stream has left them: what is in them counts from the first one on.
	memset(&candidates, 0xff, sizeof candidates);
	now_ns = 1000 * MS;
	accepted_last_ns = 0;
}

static void set_terms(const struct td_endpoint *remote, const struct td_endpoint *rtcp, bool learn)
{
	const struct td_source_lock_terms terms = {
		.remote = *remote,
		.remote_rtcp = *rtcp,
		.learn = learn,
	};

	td_source_lock_set(&lock, &terms, now_ns);
}

static void set_remote(bool learn)
{
	struct td_endpoint remote = at(SDP), rtcp = at("10.0.0.1", 4001);

	set_terms(&remote, &rtcp, learn);
}

// With learning, and the head start of the better ranks over.
static void learn_from_all(void)
{
	set_remote(true);
	now_ns += TD_LEARN_OTHER_NS;
}

// One packet; time passes before it.
static enum td_lock_verdict packet(const char *addr, uint16_t port, uint16_t sequence,
				   uint32_t after_ms)
{
	struct td_endpoint from = at(addr, port);
	enum td_lock_verdict verdict;

	now_ns += after_ms * MS;
	verdict = td_source_lock_check(&lock, &candidates, &from, 0x1234, sequence,
				       accepted_last_ns, now_ns);
	if (verdict == TD_LOCK_ACCEPT || verdict == TD_LOCK_ADOPT)
		accepted_last_ns = now_ns;
	return verdict;
}

// `count` packets 20 ms apart; the last one's verdict, all before it must be `before`.
static enum td_lock_verdict run(const char *addr, uint16_t port, uint16_t first, unsigned count,
				enum td_lock_verdict before)
{
	for (unsigned i = 0; i + 1 < count; i++)
		ck_assert_int_eq(packet(addr, port, (uint16_t)(first + i), 20), before);
	return packet(addr, port, (uint16_t)(first + count - 1), 20);
}

START_TEST(nobody_is_expected)
{
	ck_assert_int_eq(packet(SDP, 1, 0), TD_LOCK_NO_REMOTE);
	set_terms(&none, &none, true);
	ck_assert_int_eq(packet(SDP, 1, 0), TD_LOCK_NO_REMOTE);
}
END_TEST

// Row 1: a third party sprays the port in strict mode.
START_TEST(strict_accepts_the_sdp_address_only)
{
	set_remote(false);
	ck_assert_int_eq(lock.rank, TD_LOCK_EXACT_MATCH);
	ck_assert_int_eq(run(EVIL, 1, 200, TD_LOCK_MISMATCH), TD_LOCK_MISMATCH);
	ck_assert_int_eq(run(SAME, 1, 200, TD_LOCK_MISMATCH), TD_LOCK_MISMATCH);
	ck_assert_int_eq(packet(SDP, 1, 0), TD_LOCK_ACCEPT);
	ck_assert_int_eq(run(EVIL, 1, 200, TD_LOCK_MISMATCH), TD_LOCK_MISMATCH);
}
END_TEST

// Row 2: nothing gets in once the exact sender has sent one packet; before it at most four.
START_TEST(exact_sender_locks_with_one_packet)
{
	learn_from_all();
	ck_assert_int_eq(run(EVIL, 1, 3, TD_LOCK_PROBATION), TD_LOCK_PROBATION);
	ck_assert_int_eq(packet(SDP, 9000, 0), TD_LOCK_ADOPT);
	ck_assert_int_eq(run(EVIL, 4, 300, TD_LOCK_MISMATCH), TD_LOCK_MISMATCH);
	ck_assert_int_eq(run(SAME, 4, 300, TD_LOCK_MISMATCH), TD_LOCK_MISMATCH);
	ck_assert_int_eq(packet(SDP, 9001, 0), TD_LOCK_ACCEPT);
}
END_TEST

START_TEST(better_rank_displaces_inside_the_window)
{
	learn_from_all();
	ck_assert_int_eq(run(EVIL, 1, 4, TD_LOCK_PROBATION), TD_LOCK_ADOPT);
	ck_assert_int_eq(lock.rank, TD_LOCK_OTHER);
	ck_assert_int_eq(packet(EVIL, 5, 20), TD_LOCK_ACCEPT);
	ck_assert_int_eq(run(SAME, 7, 4, TD_LOCK_PROBATION), TD_LOCK_ADOPT);
	ck_assert_int_eq(packet(EVIL, 6, 1), TD_LOCK_MISMATCH);
	ck_assert_int_eq(packet(SDP, 70, 1), TD_LOCK_ADOPT);
	ck_assert_int_eq(lock.rank, TD_LOCK_EXACT_MATCH);
	ck_assert_uint_eq(lock.window_end_ns, 0);
	ck_assert_int_eq(run(SAME, 11, 10, TD_LOCK_MISMATCH), TD_LOCK_MISMATCH);
}
END_TEST

START_TEST(equal_rank_never_displaces_a_sender)
{
	learn_from_all();
	ck_assert_int_eq(run(NAT, 1, 4, TD_LOCK_PROBATION), TD_LOCK_ADOPT);
	for (unsigned i = 0; i < 100; i++) {
		ck_assert_int_eq(packet(EVIL, (uint16_t)i, 10), TD_LOCK_MISMATCH);
		ck_assert_int_eq(packet(NAT, (uint16_t)(5 + i), 10), TD_LOCK_ACCEPT);
	}
}
END_TEST

// Row 4: any number of packets in one instant does not switch the target.
START_TEST(burst_in_an_instant_teaches_nothing)
{
	learn_from_all();
	for (unsigned i = 0; i < 1000; i++)
		ck_assert_int_eq(packet(EVIL, (uint16_t)i, 0), TD_LOCK_PROBATION);
	ck_assert_int_eq(lock.rank, TD_LOCK_NOBODY);
}
END_TEST

START_TEST(spread_bound)
{
	static const struct {
		uint32_t gap_ms[3];
		enum td_lock_verdict last;
	} rows[] = {
		{ { 7, 7, 7 }, TD_LOCK_PROBATION }, // 21 ms
		{ { 7, 7, 8 }, TD_LOCK_ADOPT },     // 22 ms
		{ { 20, 20, 20 }, TD_LOCK_ADOPT },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		setup();
		learn_from_all();
		ck_assert_int_eq(packet(NAT, 1, 0), TD_LOCK_PROBATION);
		ck_assert_int_eq(packet(NAT, 2, rows[i].gap_ms[0]), TD_LOCK_PROBATION);
		ck_assert_int_eq(packet(NAT, 3, rows[i].gap_ms[1]), TD_LOCK_PROBATION);
		ck_assert_int_eq(packet(NAT, 4, rows[i].gap_ms[2]), rows[i].last);
	}
}
END_TEST

START_TEST(candidates_must_be_sequential)
{
	learn_from_all();
	ck_assert_int_eq(run(NAT, 1, 3, TD_LOCK_PROBATION), TD_LOCK_PROBATION);
	ck_assert_int_eq(packet(NAT, 9, 20), TD_LOCK_PROBATION); // begins again
	ck_assert_int_eq(packet(NAT, 10, 20), TD_LOCK_PROBATION);
	ck_assert_int_eq(packet(NAT, 11, 20), TD_LOCK_PROBATION);
	ck_assert_int_eq(packet(NAT, 12, 20), TD_LOCK_ADOPT);
}
END_TEST

START_TEST(sequence_may_wrap_on_probation)
{
	learn_from_all();
	ck_assert_int_eq(run(NAT, 65534, 4, TD_LOCK_PROBATION), TD_LOCK_ADOPT);
}
END_TEST

START_TEST(window_bounds)
{
	// The fourth packet comes exactly before, at and after the end of the window.
	static const struct {
		int64_t offset_ns;
		enum td_lock_verdict verdict;
	} rows[] = { { -1, TD_LOCK_ADOPT }, { 0, TD_LOCK_MISMATCH }, { 1, TD_LOCK_MISMATCH } };

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct td_endpoint from = at(NAT);

		setup();
		set_remote(true);
		now_ns = lock.window_end_ns - 70 * MS;
		ck_assert_int_eq(run(NAT, 1, 3, TD_LOCK_PROBATION), TD_LOCK_PROBATION);
		now_ns = lock.window_end_ns + (uint64_t)rows[i].offset_ns;
		ck_assert_int_eq(
			td_source_lock_check(&lock, &candidates, &from, 0x1234, 4, 0, now_ns),
			rows[i].verdict);
	}
}
END_TEST

// A third address has to wait for those who have a better right to speak, up to the nanosecond.
START_TEST(others_wait)
{
	set_remote(true);
	ck_assert_int_eq(run(EVIL, 1, 40, TD_LOCK_MISMATCH), TD_LOCK_MISMATCH); // 800 ms
	ck_assert_int_eq(run(SAME, 1, 4, TD_LOCK_PROBATION), TD_LOCK_ADOPT);
	setup();
	set_remote(true);
	now_ns += TD_LEARN_OTHER_NS - 1;
	ck_assert_int_eq(packet(EVIL, 1, 0), TD_LOCK_MISMATCH);
	now_ns++;
	ck_assert_int_eq(packet(EVIL, 2, 0), TD_LOCK_PROBATION);
}
END_TEST

// Who sends from where its signalling comes from is as good as one at the SDP's address.
START_TEST(the_signallings_address)
{
	const struct td_source_lock_terms terms = {
		.remote = at(SDP),
		.remote_rtcp = at("10.0.0.1", 4001),
		.signalling = at("192.0.2.9", 5060),
		.learn = true,
	};

	td_source_lock_set(&lock, &terms, now_ns);
	ck_assert_int_eq(run(EVIL, 1, 10, TD_LOCK_MISMATCH), TD_LOCK_MISMATCH);
	ck_assert_int_eq(run(NAT, 1, 4, TD_LOCK_PROBATION), TD_LOCK_ADOPT);
	ck_assert_int_eq(lock.rank, TD_LOCK_SAME_ADDRESS);
	now_ns += TD_LEARN_OTHER_NS;
	ck_assert_int_eq(run(EVIL, 1, 50, TD_LOCK_MISMATCH), TD_LOCK_MISMATCH);
}
END_TEST

// A matching sender on hold may be silent for minutes: the window of the resuming re-INVITE is no
// chance for anybody who does not match as well.
START_TEST(silence_is_no_chance_for_a_worse_rank)
{
	set_remote(true);
	ck_assert_int_eq(packet(SDP, 1, 0), TD_LOCK_ADOPT);
	now_ns += 60000 * MS;
	learn_from_all();
	ck_assert_int_eq(run(EVIL, 1, 50, TD_LOCK_MISMATCH), TD_LOCK_MISMATCH);
	ck_assert_int_eq(run(SAME, 1, 50, TD_LOCK_MISMATCH), TD_LOCK_MISMATCH);
	ck_assert_int_eq(packet(SDP, 2, 0), TD_LOCK_ACCEPT);
}
END_TEST

// When nobody else has a chance any more, which the hot path then need not ask again.
START_TEST(final)
{
	ck_assert(!td_source_lock_is_final(&lock, now_ns));
	set_remote(false);
	ck_assert(td_source_lock_is_final(&lock, now_ns));
	setup();
	set_remote(true);
	ck_assert(!td_source_lock_is_final(&lock, now_ns));
	ck_assert_int_eq(packet(SDP, 1, 0), TD_LOCK_ADOPT);
	ck_assert(td_source_lock_is_final(&lock, now_ns)); // it closes the window
	setup();
	learn_from_all();
	ck_assert_int_eq(run(NAT, 1, 4, TD_LOCK_PROBATION), TD_LOCK_ADOPT);
	ck_assert(!td_source_lock_is_final(&lock, now_ns));
	ck_assert(!td_source_lock_is_final(&lock, lock.window_end_ns - 1));
	ck_assert(td_source_lock_is_final(&lock, lock.window_end_ns));
	setup();
	set_remote(true);
	now_ns += TD_LEARN_WINDOW_NS; // nobody came: the exact sender still may
	ck_assert(!td_source_lock_is_final(&lock, now_ns));
}
END_TEST

START_TEST(after_the_window_only_an_exact_first_sender)
{
	set_remote(true);
	now_ns += TD_LEARN_WINDOW_NS;
	ck_assert_int_eq(run(NAT, 1, 50, TD_LOCK_MISMATCH), TD_LOCK_MISMATCH);
	ck_assert_int_eq(run(SAME, 1, 50, TD_LOCK_MISMATCH), TD_LOCK_MISMATCH);
	ck_assert_int_eq(packet(SDP, 1, 0), TD_LOCK_ADOPT);
}
END_TEST

START_TEST(after_the_window_nobody_is_displaced)
{
	learn_from_all();
	ck_assert_int_eq(run(NAT, 1, 4, TD_LOCK_PROBATION), TD_LOCK_ADOPT);
	now_ns += TD_LEARN_WINDOW_NS;
	ck_assert_int_eq(run(SAME, 1, 50, TD_LOCK_MISMATCH), TD_LOCK_MISMATCH);
	ck_assert_int_eq(packet(SDP, 1, 0), TD_LOCK_MISMATCH);
	ck_assert_int_eq(packet(NAT, 5, 0), TD_LOCK_ACCEPT);
}
END_TEST

START_TEST(new_window_keeps_a_sender_that_sends)
{
	learn_from_all();
	ck_assert_int_eq(run(NAT, 1, 4, TD_LOCK_PROBATION), TD_LOCK_ADOPT);
	now_ns += 60000 * MS;
	ck_assert_int_eq(packet(NAT, 5, 0), TD_LOCK_ACCEPT);
	set_remote(true); // a re-INVITE
	ck_assert_int_eq(lock.rank, TD_LOCK_OTHER);
	ck_assert_int_eq(packet(NAT, 6, 20), TD_LOCK_ACCEPT);
	ck_assert_int_eq(run(EVIL, 1, 40, TD_LOCK_MISMATCH), TD_LOCK_MISMATCH);
}
END_TEST

START_TEST(new_window_lets_a_rebound_sender_in)
{
	learn_from_all();
	ck_assert_int_eq(run(NAT, 1, 4, TD_LOCK_PROBATION), TD_LOCK_ADOPT);
	now_ns += 60000 * MS;
	learn_from_all(); // the old one has been silent for a minute
	ck_assert_int_eq(run("192.0.2.9", 6000, 1, 4, TD_LOCK_PROBATION), TD_LOCK_ADOPT);
}
END_TEST

START_TEST(another_remote_forgets_the_sender)
{
	struct td_endpoint remote = at("10.0.0.7", 4000), rtcp = at("10.0.0.7", 4001);

	learn_from_all();
	ck_assert_int_eq(run(NAT, 1, 4, TD_LOCK_PROBATION), TD_LOCK_ADOPT);
	set_terms(&remote, &rtcp, true);
	ck_assert_int_eq(lock.rank, TD_LOCK_NOBODY);
	ck_assert_int_eq(packet(NAT, 5, 20), TD_LOCK_MISMATCH);
	now_ns += TD_LEARN_OTHER_NS;
	ck_assert_int_eq(packet(NAT, 6, 20), TD_LOCK_PROBATION);
	remote = at(NAT); // the new SDP names whom we had learned: it stays, as the exact one
	setup();
	learn_from_all();
	ck_assert_int_eq(run(NAT, 1, 4, TD_LOCK_PROBATION), TD_LOCK_ADOPT);
	set_terms(&remote, &rtcp, true);
	ck_assert_int_eq(lock.rank, TD_LOCK_EXACT_MATCH);
	ck_assert_int_eq(packet(NAT, 5, 20), TD_LOCK_ACCEPT);
}
END_TEST

START_TEST(learning_after_strict_begins_with_nobody)
{
	set_remote(false);
	set_remote(true);
	ck_assert_int_eq(lock.rank, TD_LOCK_NOBODY);
	ck_assert_int_eq(packet(SDP, 1, 0), TD_LOCK_ADOPT);
	set_remote(false);
	ck_assert_int_eq(lock.rank, TD_LOCK_EXACT_MATCH);
	ck_assert_int_eq(packet(SDP, 2, 0), TD_LOCK_ACCEPT);
}
END_TEST

START_TEST(candidates_are_bounded_and_better_ones_find_room)
{
	learn_from_all();
	for (unsigned i = 0; i < 200; i++)
		ck_assert_int_eq(packet("198.51.100.66", (uint16_t)(1000 + i), (uint16_t)i, 1),
				 TD_LOCK_PROBATION);
	// All places are taken by strangers; the SDP's own address still gets one.
	ck_assert_int_eq(run(SAME, 1, 4, TD_LOCK_PROBATION), TD_LOCK_ADOPT);
}
END_TEST

START_TEST(stale_candidates_give_up_their_place)
{
	learn_from_all();
	for (unsigned i = 0; i < TD_LEARN_CANDIDATES; i++)
		ck_assert_int_eq(packet("198.51.100.66", (uint16_t)(1000 + i), 1, 0),
				 TD_LOCK_PROBATION);
	ck_assert_int_eq(run(NAT, 1, 8, TD_LOCK_PROBATION), TD_LOCK_PROBATION); // 160 ms: full
	now_ns += 60 * MS;
	ck_assert_int_eq(run(NAT, 20, 4, TD_LOCK_PROBATION), TD_LOCK_ADOPT);
}
END_TEST

static bool rtcp_from(const char *addr, uint16_t port)
{
	struct td_endpoint from = at(addr, port);

	return td_source_lock_rtcp(&lock, &from);
}

// Row 5 and rule 7: RTCP is held to the lock and never moves it.
START_TEST(rtcp_obeys_the_lock)
{
	struct td_endpoint target;

	ck_assert(!rtcp_from("10.0.0.1", 4001));
	set_remote(false);
	ck_assert(rtcp_from("10.0.0.1", 4001));
	ck_assert(!rtcp_from("10.0.0.1", 4003));
	ck_assert(!rtcp_from("198.51.100.66", 4001));
	ck_assert(td_source_lock_rtcp_target(&lock, &target));
	ck_assert_uint_eq(target.port_be, __builtin_bswap16(4001));
	setup();
	set_remote(true);
	ck_assert(!rtcp_from("10.0.0.1", 4001)); // nobody adopted yet
	ck_assert(!td_source_lock_rtcp_target(&lock, &target));
	now_ns += TD_LEARN_OTHER_NS;
	ck_assert_int_eq(run(NAT, 1, 4, TD_LOCK_PROBATION), TD_LOCK_ADOPT);
	ck_assert(!td_source_lock_rtcp_target(&lock, &target)); // its RTCP port is not known
	ck_assert(!rtcp_from("198.51.100.66", 1234));
	ck_assert(rtcp_from("192.0.2.9", 33333)); // the first one fixes the port
	ck_assert(!rtcp_from("192.0.2.9", 33334));
	ck_assert(td_source_lock_rtcp_target(&lock, &target));
	ck_assert_uint_eq(target.port_be, __builtin_bswap16(33333));
	ck_assert_int_eq(lock.rank, TD_LOCK_OTHER);
	ck_assert_int_eq(packet(NAT, 5, 20), TD_LOCK_ACCEPT);
}
END_TEST

START_TEST(rtcp_of_a_third_address_waits_for_it_to_speak)
{
	struct td_endpoint remote = at(SDP), rtcp = at("10.0.0.99", 4001), target;

	set_terms(&remote, &rtcp, true);
	ck_assert_int_eq(packet(SDP, 1, 0), TD_LOCK_ADOPT);
	ck_assert(!td_source_lock_rtcp_target(&lock, &target));
	set_terms(&remote, &rtcp, false);
	ck_assert(td_source_lock_rtcp_target(&lock, &target)); // strict: as the SDP says
}
END_TEST

START_TEST(ipv6)
{
	struct td_endpoint remote = at("2001:db8::1", 4000), rtcp = at("2001:db8::1", 4001);

	set_terms(&remote, &rtcp, true);
	ck_assert_int_eq(packet("2001:db8::2", 4000, 1, 0), TD_LOCK_MISMATCH);
	ck_assert_int_eq(packet("2001:db8::1", 4000, 1, 0), TD_LOCK_ADOPT);
	ck_assert_int_eq(packet("2001:db8::2", 4000, 2, 0), TD_LOCK_MISMATCH);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("source lock");
	TCase *tcase = tcase_create("lock");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, nobody_is_expected);
	tcase_add_test(tcase, strict_accepts_the_sdp_address_only);
	tcase_add_test(tcase, exact_sender_locks_with_one_packet);
	tcase_add_test(tcase, better_rank_displaces_inside_the_window);
	tcase_add_test(tcase, equal_rank_never_displaces_a_sender);
	tcase_add_test(tcase, burst_in_an_instant_teaches_nothing);
	tcase_add_test(tcase, spread_bound);
	tcase_add_test(tcase, candidates_must_be_sequential);
	tcase_add_test(tcase, sequence_may_wrap_on_probation);
	tcase_add_test(tcase, window_bounds);
	tcase_add_test(tcase, final);
	tcase_add_test(tcase, others_wait);
	tcase_add_test(tcase, the_signallings_address);
	tcase_add_test(tcase, silence_is_no_chance_for_a_worse_rank);
	tcase_add_test(tcase, after_the_window_only_an_exact_first_sender);
	tcase_add_test(tcase, after_the_window_nobody_is_displaced);
	tcase_add_test(tcase, new_window_keeps_a_sender_that_sends);
	tcase_add_test(tcase, new_window_lets_a_rebound_sender_in);
	tcase_add_test(tcase, another_remote_forgets_the_sender);
	tcase_add_test(tcase, learning_after_strict_begins_with_nobody);
	tcase_add_test(tcase, candidates_are_bounded_and_better_ones_find_room);
	tcase_add_test(tcase, stale_candidates_give_up_their_place);
	tcase_add_test(tcase, rtcp_obeys_the_lock);
	tcase_add_test(tcase, rtcp_of_a_third_address_waits_for_it_to_speak);
	tcase_add_test(tcase, ipv6);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
