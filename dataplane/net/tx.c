#include <rte_ethdev.h>
#include <rte_ring.h>

#include "base/stage_clock.h"
#include "net/tx.h"
#include "td_assert.h"

static uint64_t bytes_of(struct rte_mbuf **mbufs, uint32_t count)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < count; i++)
		bytes += mbufs[i]->pkt_len;
	return bytes;
}

static uint32_t send_burst(struct td_tx *tx, struct td_tx_port *out)
{
	// Before sending: a driver frees what it has sent.
	uint64_t bytes = bytes_of(out->mbufs, out->count);
	uint32_t sent =
		rte_eth_tx_burst(out->dpdk_port, out->queue, out->mbufs, (uint16_t)out->count);

	tx->stats->tx_packets += sent;
	tx->stats->tx_bytes += bytes - bytes_of(out->mbufs + sent, out->count - sent);
	return sent;
}

void td_tx_flush_port(struct td_tx *tx, uint32_t port)
{
	struct td_tx_port *out = &tx->ports[port];
	enum td_stage before = TD_STAGE_TX;
	uint32_t taken;

	TD_ASSERT(port < tx->port_count);
	if (out->count == 0)
		return;
	if (tx->stages != NULL) {
		before = td_stage_enter(tx->stages, TD_STAGE_TX);
		td_stage_count(tx->stages, TD_STAGE_TX, out->count);
	}
	if (out->handover)
		taken = rte_ring_enqueue_burst(out->handover, (void **)out->mbufs, out->count,
					       NULL);
	else
		taken = send_burst(tx, out);
	tx->stats->drops[TD_DROP_TX_FULL] += out->count - taken;
	for (uint32_t i = taken; i < out->count; i++)
		rte_pktmbuf_free(out->mbufs[i]);
	out->count = 0;
	if (tx->stages != NULL)
		td_stage_enter(tx->stages, before);
}

uint32_t td_tx_flush(struct td_tx *tx)
{
	uint32_t count = 0;

	for (uint32_t port = 0; port < tx->port_count; port++) {
		count += tx->ports[port].count;
		td_tx_flush_port(tx, port);
	}
	return count;
}
