// The bare forwarder the wire benchmark compares with: receive, swap the MAC addresses, send back.
//
//   td-bench-l2fwd INTERFACE [af_xdp|af_packet]
//
// It opens the device exactly as the dataplane does and rests by the same rule when nothing comes,
// so that the difference left is what the dataplane does to a packet.
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_pause.h>

#include "base/clock.h"
#include "net/port.h"
#include "worker/pace.h"

#define BURST      32
#define MBUFS      16384
#define SLOT_NS    TD_NS_PER_MS
#define MEMORY_MIB "256"

static volatile sig_atomic_t stop;

static void on_signal(int signal_number)
{
	(void)signal_number;
	stop = 1;
}

static unsigned forward(uint16_t port)
{
	struct rte_mbuf *mbufs[BURST];
	unsigned count = rte_eth_rx_burst(port, 0, mbufs, BURST), sent;

	for (unsigned i = 0; i < count; i++) {
		uint8_t *frame = rte_pktmbuf_mtod(mbufs[i], uint8_t *), mac[6];

		memcpy(mac, frame, 6);
		memcpy(frame, frame + 6, 6);
		memcpy(frame + 6, mac, 6);
	}
	sent = rte_eth_tx_burst(port, 0, mbufs, (uint16_t)count);
	for (unsigned i = sent; i < count; i++)
		rte_pktmbuf_free(mbufs[i]);
	return count;
}

static void run(uint16_t port)
{
	struct td_pace pace = { .busy_until_ns = td_clock_now_ns() };
	const struct sched_param lowest = { .sched_priority = sched_get_priority_min(SCHED_RR) };

	// As a worker that sleeps: woken late it would wake less often, and look cheaper than it is.
	(void)pthread_setschedparam(pthread_self(), SCHED_RR, &lowest);
	prctl(PR_SET_TIMERSLACK, 1);
	while (!stop) {
		uint64_t now_ns = td_clock_now_ns();
		uint64_t sleep_ns = td_pace_sleep_ns(&pace, forward(port) > 0, now_ns,
						     (now_ns / SLOT_NS + 1) * SLOT_NS);
		struct timespec rest = { .tv_nsec = (long)sleep_ns };

		if (sleep_ns)
			nanosleep(&rest, NULL);
		else
			rte_pause();
	}
}

int main(int argc, char **argv)
{
	char *eal[] = { "td-bench-l2fwd", "--no-huge",   "-m",         MEMORY_MIB, "--no-pci",
			"--no-telemetry", "--log-level", "3",          "-l",       "1",
			"--file-prefix",  "td-l2fwd",    "--no-shconf" };
	struct td_port_spec spec = { .name = "l2fwd", .rx_queues = 1, .workers = 1 };
	char reason[TD_PORT_REASON_MAX];
	struct rte_mempool *pool;
	struct td_port port;

	if (argc < 2) {
		fprintf(stderr, "usage: td-bench-l2fwd INTERFACE [af_xdp|af_packet]\n");
		return 2;
	}
	spec.device = argv[1];
	spec.kind = argc > 2 && strcmp(argv[2], "af_packet") == 0 ? TD_PORT_KIND_AF_PACKET
								  : TD_PORT_KIND_AF_XDP;
	if (rte_eal_init(sizeof eal / sizeof eal[0], eal) < 0)
		return 2;
	pool = rte_pktmbuf_pool_create("l2fwd", MBUFS, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	if (!pool || td_port_open(&spec, pool, &port, reason) != 0) {
		fprintf(stderr, "l2fwd: %s\n", pool ? reason : "no memory");
		return 2;
	}
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	puts("ready");
	fflush(stdout);
	run(port.dpdk_port);
	td_port_close(&port);
	return 0;
}
