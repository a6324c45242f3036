// Two real worker threads, sleeping and waking by themselves, while the main thread makes calls, sends
// through them, tears them down under traffic and makes new ones: nothing is lost track of, and in
// quiet stretches every packet of an established call comes through.
#include <check.h>
#include <pthread.h>

#include "base/clock.h"
#include "rig.h"
#include "td_role.h"

#define CALLS        4
#define ROUNDS       30

#define FIRST_SAMPLE 54 // Ethernet, IPv4, UDP, RTP

static struct rig rig;
static struct frame frame;
static pthread_t threads[2];
static uint8_t tag; // in every packet of a round, so that a late one of another is not counted

struct call {
	struct td_context_id context;
	uint16_t port, sequence;
};

static void *run(void *worker)
{
	td_worker_run(worker);
	return NULL;
}

static void setup(void)
{
	rig_open(&rig, 2);
	td_role_enter_worker(0);
	td_worker_detach(rig.workers->workers[0]);
	td_role_enter_main();
	rig.threaded = true;
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, run, rig.workers->workers[i]),
				 0);
}

static void teardown(void)
{
	atomic_store(&rig.workers->stop, true);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	rig_check_identity(&rig);
	// The rig's own thread takes the turns over again, and finds nothing left behind.
	rig.threaded = false;
	rig.now_ns = td_clock_now_ns();
	td_worker_attach(rig.workers->workers[0], rig.now_ns);
	rig_run(&rig, 4);
	rig_close(&rig);
}

static struct call connect_call(void)
{
	struct td_event_stream_created a, b;
	struct call call = { .context = rig_context(&rig), .sequence = 1 };

	a = rig_stream(&rig, call.context);
	b = rig_stream(&rig, call.context);
	rig_remote(&rig, a.stream, "10.77.0.10", 4000);
	rig_remote(&rig, b.stream, "10.77.0.20", 5000);
	rig_hear(&rig, call.context, a.stream, b.stream);
	call.port = __builtin_bswap16(a.local.port_be);
	return call;
}

static void destroy_call(const struct call *call)
{
	struct td_command command = { .kind = TD_COMMAND_CONTEXT_DESTROY };

	command.u.context_destroy = call->context;
	ck_assert_int_eq(rig_command(&rig, &command).result, 0);
}

static void send(struct call *call, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		rig_rtp(&frame, "10.77.0.10", 4000, call->port, call->sequence++);
		frame.bytes[FIRST_SAMPLE] = tag;
		frame_checksums(&frame);
		rig_inject(&rig, &frame);
	}
}

// Waits until `wanted` RTP packets of this round came out, at most two seconds; returns how many.
static unsigned collect(unsigned wanted)
{
	unsigned got = 0;

	for (int wait = 0; wait < 2000 && got < wanted; wait++) {
		struct rte_mbuf *mbuf;

		while ((mbuf = rig_take(&rig))) {
			const uint8_t *bytes = rte_pktmbuf_mtod(mbuf, const uint8_t *);

			got += bytes[12] == 0x08 && bytes[13] == 0 && bytes[23] == 17 &&
			       bytes[42] == 0x80 && (bytes[43] & 0x7f) == 0 &&
			       bytes[FIRST_SAMPLE] == tag;
			rte_pktmbuf_free(mbuf);
		}
		if (got < wanted)
			rig_run(&rig, 1);
	}
	return got;
}

static void know(const char *addr)
{
	frame_arp(&frame, 2, frame_peer_mac, addr, "10.77.0.2");
	rig_inject(&rig, &frame);
	rig_run(&rig, 5);
}

START_TEST(test_calls_come_and_go)
{
	struct call calls[CALLS];

	for (int i = 0; i < CALLS; i++)
		calls[i] = connect_call();
	know("10.77.0.20");
	know("10.77.0.10");
	for (int i = 0; i < CALLS; i++)
		send(&calls[i], 4);
	collect(CALLS * 4);
	for (int round = 0; round < ROUNDS; round++) {
		struct call *victim = &calls[round % CALLS];

		tag++;
		for (int i = 0; i < CALLS; i++)
			send(&calls[i], 20);
		ck_assert_uint_eq(collect(CALLS * 20), CALLS * 20);
		tag++;
		// Under way while the call goes: forwarded or dropped, nothing else.
		send(victim, 50);
		destroy_call(victim);
		*victim = connect_call();
		send(victim, 4);
		collect(4);
		rig_run(&rig, 3);
	}
	ck_assert_uint_gt(rig.region.workers[1].steered_in, 0);
	ck_assert_uint_gt(rig.region.workers[0].forwarded, 0);
	ck_assert_uint_gt(rig.region.workers[1].forwarded, 0);
	ck_assert_uint_eq(rig_drops(&rig, TD_DROP_STEER_FULL), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("threads");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	frame_environment();
	srunner_set_fork_status(runner, CK_NOFORK);
	tcase_set_timeout(tests, 120);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_test(tests, test_calls_come_and_go);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
