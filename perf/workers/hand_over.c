#include "workers/hand_over.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_launch.h>
#include <rte_lcore.h>

#include "base/clock.h"
#include "td_limits.h"

#define ROUNDS 20000u

// Alone on its line, and on the one that is fetched with it. Odd: the other core's turn.
static struct {
	alignas(2 * TD_CACHE_LINE) atomic_uint turn;
} ball;

static int give_back(void *unused)
{
	(void)unused;
	for (uint32_t i = 0; i < ROUNDS; i++) {
		while (atomic_load(&ball.turn) != 2 * i + 1)
			;
		atomic_store(&ball.turn, 2 * i + 2);
	}
	return 0;
}

double td_hand_over_ns(void)
{
	unsigned lcore = rte_get_next_lcore(rte_get_main_lcore(), 1, 0);
	uint64_t begun;

	atomic_store(&ball.turn, 0);
	if (rte_eal_remote_launch(give_back, NULL, lcore) != 0) {
		fprintf(stderr, "workers: core %u is busy\n", lcore);
		exit(1);
	}
	begun = td_clock_now_ns();
	for (uint32_t i = 0; i < ROUNDS; i++) {
		atomic_store(&ball.turn, 2 * i + 1);
		while (atomic_load(&ball.turn) != 2 * i + 2)
			;
	}
	begun = td_clock_now_ns() - begun;
	rte_eal_wait_lcore(lcore);
	return (double)begun / (2.0 * ROUNDS);
}
