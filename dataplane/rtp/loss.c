#include "rtp/loss.h"

static void close_cluster(struct td_loss *loss)
{
	if (loss->cluster == 1) {
		loss->gap_lost++;
	} else if (loss->cluster > 1) {
		loss->bursts++;
		loss->burst_lost += loss->cluster;
		loss->burst_packets += loss->last - loss->cluster_first + 1u;
	}
	loss->cluster = 0;
}

void td_loss_bad(struct td_loss *loss, uint32_t number, uint32_t count, bool discarded)
{
	uint32_t good = number - loss->last - 1u;

	loss->lost += discarded ? 0 : count;
	loss->discarded += discarded ? count : 0;
	loss->runs += loss->cluster == 0 || good > 0;
	if (loss->cluster > 0 && good >= TD_GMIN)
		close_cluster(loss);
	if (loss->cluster == 0)
		loss->cluster_first = number;
	loss->cluster += count;
	loss->last = number + count - 1u;
}

void td_loss_restart(struct td_loss *loss)
{
	close_cluster(loss);
}

void td_loss_summarize(const struct td_loss *loss, uint64_t packets, struct td_loss_summary *out)
{
	struct td_loss closed = *loss;

	close_cluster(&closed);
	out->bursts = closed.bursts;
	out->gaps = closed.bursts + 1u;
	out->burst_packets = closed.burst_packets;
	out->burst_lost = closed.burst_lost;
	out->gap_lost = closed.gap_lost;
	out->gap_packets =
		packets > closed.burst_packets ? (uint32_t)(packets - closed.burst_packets) : 0;
}

double td_loss_burst_ratio(const struct td_loss *loss, uint64_t packets)
{
	double bad = (double)loss->lost + loss->discarded, ratio;

	if (loss->runs == 0 || packets == 0 || bad >= (double)packets)
		return 1;
	ratio = bad / loss->runs * (1 - bad / (double)packets);
	return ratio > 1 ? ratio : 1;
}
