#include <rte_mbuf.h>

#include "net/arp.h"
#include "net/nd.h"
#include "worker/housekeeper.h"

static struct rte_mbuf *empty_mbuf(struct rte_mempool *pool, struct td_worker_stats *stats)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);

	if (!mbuf)
		stats->drops[TD_DROP_POOL_EMPTY]++;
	return mbuf;
}

static uint32_t announce(const struct td_answer_env *env, struct rte_mempool *pool,
			 struct td_tx *tx, struct td_worker_stats *stats)
{
	uint32_t sent = 0;

	for (uint32_t i = 0; i < env->locals->count; i++) {
		const struct td_local *local = &env->locals->entries[i];
		struct rte_mbuf *mbuf;

		// The host has announced what is the host's.
		if (env->neighbours->hosts[local->port])
			continue;
		mbuf = empty_mbuf(pool, stats);
		if (!mbuf)
			return sent;
		if (local->addr.family == TD_FAMILY_IPV6)
			td_nd_announce(env, local, mbuf);
		else
			td_arp_announce(env, local, mbuf);
		td_tx_push(tx, local->port, mbuf);
		sent++;
	}
	return sent;
}

static TD_WORKER uint32_t ask(const struct td_answer_env *env, struct rte_mempool *pool,
			      uint64_t now_ns, struct td_tx *tx, struct td_worker_stats *stats)
{
	struct td_neighbour_question questions[TD_QUESTIONS_PER_CALL];
	uint32_t count =
		td_neighbours_due(env->neighbours, now_ns, questions, TD_QUESTIONS_PER_CALL);
	uint32_t sent = 0;

	for (uint32_t i = 0; i < count; i++) {
		struct rte_mbuf *mbuf = empty_mbuf(pool, stats);

		if (!mbuf)
			return sent;
		if (questions[i].target.family == TD_FAMILY_IPV6)
			td_nd_solicit(env, &questions[i], mbuf);
		else
			td_arp_request(env, &questions[i], mbuf);
		td_tx_push(tx, questions[i].port, mbuf);
		sent++;
	}
	return sent;
}

uint32_t td_housekeeper_run(struct td_housekeeper *housekeeper, const struct td_answer_env *env,
			    struct rte_mempool *pool, uint64_t now_ns, struct td_tx *tx,
			    struct td_worker_stats *stats)
{
	uint32_t sent = ask(env, pool, now_ns, tx, stats);

	if (housekeeper->announcements < TD_ANNOUNCE_COUNT && now_ns >= housekeeper->announce_ns) {
		sent += announce(env, pool, tx, stats);
		housekeeper->announcements++;
		housekeeper->announce_ns = now_ns + TD_ANNOUNCE_INTERVAL_NS;
	}
	stats->originated += sent;
	return sent;
}
