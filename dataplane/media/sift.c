// What cannot be let in whatever it holds goes first, before anything is worked on as a vector: opening
// and sealing are dear, and cheap only of many packets at once. So whoever receives learns how many of
// a burst are worth it, and may gather those of a few.
//
// Only where a stream of this worker is protected. Plain packets cost less than looking at them twice:
// their strangers are met on the way (steady.c).
#include <rte_mbuf.h>

#include "media/worker_state.h"
#include "rtp/header.h"

// From where nobody would be believed whatever the packet says: not worth the arithmetic, and an
// attacker's copy of a packet that is still on its way does not take its place in the window.
static bool is_hopeless(const struct td_media_worker *worker, const struct td_packet *packet,
			uint64_t now_ns)
{
	struct td_endpoint from;

	if (td_media_is_accepted(worker, packet))
		return false;
	td_packet_source(packet, &from);
	return !td_source_lock_may_accept(&worker->cold[packet->stream].lock, &from, now_ns);
}

static void refuse_source(struct td_media_worker *worker, const struct td_packet *packet,
			  uint64_t now_ns)
{
	const struct td_source_lock *lock = &worker->cold[packet->stream].lock;
	enum td_drop reason =
		lock->mode == TD_LOCK_UNSET ? TD_DROP_SOURCE_UNSET : TD_DROP_SOURCE_MISMATCH;

	worker->streams[packet->stream].rx.strict = td_source_lock_is_final(lock, now_ns);
	td_media_refuse(worker, packet, reason);
}

// STUN, DTLS and nonsense are told apart, and dropped, behind.
static bool may_be_protected(const struct td_stream_rx *rx, const struct td_packet *packet)
{
	const uint8_t *bytes = packet->payload;

	if ((rx->flags & TD_RX_MUX) && packet->payload_len > 1 && td_rtp_is_rtcp(bytes[1]))
		return true;
	return packet->payload_len > 0 && bytes[0] >> 6 == 2;
}

// One that is not simply its sender's. False: it is gone.
static __attribute__((noinline)) bool is_worth_it(struct td_media_worker *worker,
						  const struct td_packet *packet, uint64_t now_ns)
{
	const struct td_stream_rx *rx = &worker->streams[packet->stream].rx;

	// What is between two workers is parked as it came, and opened where it arrives.
	if (rx->guard == TD_GUARD_NONE || !(rx->flags & TD_RX_LIVE) ||
	    !may_be_protected(rx, packet))
		return true;
	if (!is_hopeless(worker, packet, now_ns))
		return true;
	refuse_source(worker, packet, now_ns);
	return false;
}

static __attribute__((noinline)) void drop_strangers(struct td_media_worker *worker,
						     struct rte_mbuf **strangers, uint32_t count)
{
	worker->stats->drops[TD_DROP_SOURCE_MISMATCH] += count;
	rte_pktmbuf_free_bulk(strangers, count);
}

static uint32_t sift(struct td_media_worker *worker, struct td_packet *packets, uint32_t n,
		     uint64_t now_ns)
{
	struct rte_mbuf *strangers[TD_MEDIA_VECTOR];
	uint32_t kept = 0, stranger_count = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct td_packet *packet = &packets[i];
		const struct td_stream_rx *rx = &worker->streams[packet->stream].rx;

		if (rx->key != packet->sender || (rx->flags & TD_RX_IPV6)) {
			if (td_media_is_stranger(worker, packet)) {
				worker->strangers[packet->stream]++;
				strangers[stranger_count++] = packet->mbuf;
				continue;
			}
			if (!is_worth_it(worker, packet, now_ns))
				continue;
		}
		if (kept != i)
			packets[kept] = *packet;
		kept++;
	}
	if (stranger_count > 0)
		drop_strangers(worker, strangers, stranger_count);
	return kept;
}

uint32_t td_media_sift(struct td_media_worker *worker, struct td_packet *packets, uint32_t n,
		       uint64_t now_ns)
{
	enum td_stage before;

	if (worker->protector->guarded == 0)
		return n;
	before = td_stage_enter(&worker->stages, TD_STAGE_OPEN);
	n = sift(worker, packets, n, now_ns);
	td_stage_enter(&worker->stages, before);
	return n;
}
