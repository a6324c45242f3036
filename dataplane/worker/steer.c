#include <rte_ring.h>

#include "td_assert.h"
#include "worker/steer.h"

uint32_t td_steer_flush(struct td_steer *steer, struct td_worker_stats *stats)
{
	uint32_t total = 0;

	for (uint32_t worker = 0; worker < steer->worker_count; worker++) {
		uint32_t count = steer->counts[worker], taken;
		struct rte_mbuf **mbufs = steer->vectors[worker];

		if (count == 0)
			continue;
		taken = rte_ring_enqueue_burst(steer->out[worker], (void **)mbufs, count, NULL);
		stats->steered_out += taken;
		total += taken;
		stats->drops[TD_DROP_STEER_FULL] += count - taken;
		for (uint32_t i = taken; i < count; i++)
			rte_pktmbuf_free(mbufs[i]);
		steer->counts[worker] = 0;
	}
	return total;
}

uint32_t td_steer_take(struct td_steer *steer, struct td_packet *packets, uint32_t max,
		       struct td_worker_stats *stats)
{
	struct rte_mbuf *mbufs[TD_STEER_VECTOR];
	uint32_t count;

	TD_ASSERT(max <= TD_STEER_VECTOR);
	count = rte_ring_dequeue_burst(steer->in, (void **)mbufs, max, NULL);
	for (uint32_t i = 0; i < count; i++)
		memcpy(&packets[i], rte_mbuf_to_priv(mbufs[i]), sizeof packets[i]);
	stats->steered_in += count;
	return count;
}
