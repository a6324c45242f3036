#include "media/send.h"

#include <rte_prefetch.h>

#include "media/fork_taps.h"
#include "media/sender.h"
#include "rtp/header.h"

#define FRAME_ROOM  (TD_L2_MAX + 40u)
#define FRAME_LINES 4u // of 20 ms of G.711 and its headers
#define MBUFS_AHEAD 4u

_Static_assert(TD_STASH_LOW >= 2u * MBUFS_AHEAD, "what is ahead is there");

// What will be written of an mbuf that is used soon: its first line, or those of its frame.
static void expect_mbuf(const struct rte_mbuf *mbuf)
{
	__builtin_prefetch(mbuf, 1);
}

static void expect_frame(const struct rte_mbuf *mbuf)
{
	const uint8_t *frame = mbuf->buf_addr;

	for (unsigned line = 0; line < FRAME_LINES; line++)
		__builtin_prefetch(frame + line * TD_CACHE_LINE, 1);
}

// An mbuf as it lies in the pool has one segment, one owner and nothing behind it (rte_mbuf_raw_alloc
// says so), so its second line need not be touched: nothing in it counts without a flag.
static void be_plain(struct rte_mbuf *mbuf)
{
	mbuf->ol_flags = 0;
	mbuf->packet_type = 0;
	mbuf->vlan_tci = 0;
	mbuf->port = RTE_MBUF_PORT_INVALID;
}

// The pool is asked once for many, before the last ones are gone, so that there are always some whose
// lines are on their way. True: there are some.
static bool refill(struct td_media_worker *worker)
{
	struct rte_mbuf *more[TD_STASH_MBUFS];
	uint32_t count = worker->stash_count;

	if (rte_mempool_get_bulk(worker->pool, (void **)more, TD_STASH_MBUFS) != 0)
		return count > 0;
	// Those that are left are to be used first: they go on top.
	for (uint32_t i = count; i > 0; i--)
		worker->stash[TD_STASH_MBUFS + i - 1u] = worker->stash[i - 1u];
	memcpy(worker->stash, more, sizeof more);
	worker->stash_count = count + TD_STASH_MBUFS;
	return true;
}

static struct rte_mbuf *take_mbuf(struct td_media_worker *worker)
{
	struct rte_mbuf **stash = worker->stash;
	uint32_t count;

	if (worker->stash_count <= TD_STASH_LOW && !refill(worker))
		return rte_pktmbuf_alloc(worker->pool);
	count = --worker->stash_count;
	if (count >= 2u * MBUFS_AHEAD)
		expect_mbuf(stash[count - 2u * MBUFS_AHEAD]);
	if (count >= MBUFS_AHEAD)
		expect_frame(stash[count - MBUFS_AHEAD]);
	be_plain(stash[count]);
	return stash[count];
}

void td_media_send_expect(const struct td_media_worker *worker, uint32_t stream)
{
	rte_prefetch0(&worker->cold[stream].tx_slot);
}

void td_media_send_soon(const struct td_media_worker *worker, uint32_t stream)
{
	rte_prefetch0(td_media_tx(worker, stream));
}

// Numbers for a frame of audio.
static void number(struct td_stream_tx *tx, struct td_stream_cold *cold, uint32_t feed,
		   const struct td_frame *frame, bool fresh, uint64_t now_ns)
{
	if (fresh) {
		td_sender_resync(tx, cold, feed, 0, 0, 0, now_ns);
		tx->last_timestamp = tx->timestamp_offset;
	} else {
		tx->last_timestamp += frame->step;
	}
	tx->last_ns = now_ns;
}

// The headers of a packet of this stream in an mbuf; NULL when there is none or nowhere to go.
static struct rte_mbuf *begin(struct td_media_worker *worker, const struct td_stream_tx *tx,
			      const struct td_stream_cold *cold, uint32_t payload_bytes,
			      uint8_t **udp, uint64_t *sum)
{
	uint16_t udp_len = (uint16_t)(8u + TD_RTP_HEADER_BYTES + payload_bytes);
	struct rte_mbuf *mbuf;
	uint8_t *start;

	if (!td_media_reachable(worker, tx->next_hop))
		return NULL; // nothing was made, so nothing is dropped
	mbuf = take_mbuf(worker);
	if (mbuf == NULL) {
		worker->stats->drops[TD_DROP_POOL_EMPTY]++;
		return NULL;
	}
	*udp = (uint8_t *)mbuf->buf_addr + FRAME_ROOM;
	start = td_sender_headers(worker->neighbours, tx, cold, *udp, udp_len, sum);
	if (start == NULL) {
		td_media_drop(worker, mbuf, TD_DROP_NEIGHBOUR_UNRESOLVED);
		return NULL;
	}
	mbuf->data_off = (uint16_t)(start - (uint8_t *)mbuf->buf_addr);
	mbuf->data_len = (uint16_t)(*udp + udp_len - start);
	mbuf->pkt_len = mbuf->data_len;
	return mbuf;
}

// The rest of it: payload and UDP checksum behind an RTP header that is written.
static void finish(struct td_media_worker *worker, struct td_stream_tx *tx, struct rte_mbuf *mbuf,
		   uint8_t *udp, uint64_t sum, const struct td_frame *frame, uint64_t now_ns,
		   struct td_tx *wire)
{
	uint16_t len_be = __builtin_bswap16((uint16_t)(8u + TD_RTP_HEADER_BYTES + frame->bytes));
	uint16_t checksum;
	uint32_t port;

	memcpy(udp + 8 + TD_RTP_HEADER_BYTES, frame->payload, frame->bytes);
	memcpy(udp + 4, &len_be, 2);
	sum += (uint64_t)len_be + len_be + (uint32_t)__builtin_bswap16(17) + frame->sum;
	sum = td_checksum_add(sum, udp + 8, TD_RTP_HEADER_BYTES);
	checksum = (uint16_t)~td_checksum_fold(sum);
	checksum = checksum == 0 ? 0xffffu : checksum;
	memcpy(udp + 6, &checksum, 2);
	tx->packets++;
	tx->octets += frame->bytes;
	worker->stats->originated++;
	if (tx->flags & TD_TX_CAPTURED)
		td_fork_packet_out(worker, tx->stream, mbuf, now_ns);
	port = td_neighbour_port(worker->neighbours, tx->next_hop);
	if (tx->flags & TD_TX_SEALED)
		td_protect_push(worker, tx->stream, mbuf, udp, (tx->flags & TD_TX_IPV6) != 0, port,
				wire);
	else
		td_tx_push(wire, port, mbuf);
}

// To one that has no wire. Nothing of it is a packet of ours.
static void overhear(struct td_media_worker *worker, uint32_t stream, uint32_t feed,
		     const struct td_frame *frame, bool fresh, uint64_t now_ns)
{
	struct td_stream_cold *cold = &worker->cold[stream];
	struct td_stream_tx *tx = td_media_tx(worker, stream);

	if (worker->contexts[td_handle_index(cold->context.v)].hush) {
		tx->flags |= TD_TX_FORCED;
		return;
	}
	number(tx, cold, feed, frame, fresh, now_ns);
	tx->last_sequence++;
	td_fork_heard(worker, stream, frame, fresh || frame->marker, now_ns);
}

// What is held back by digits, or has nowhere to go, is made up for by the clock afterwards.
bool td_media_send(struct td_media_worker *worker, uint32_t stream, uint32_t feed,
		   const struct td_frame *frame, uint64_t now_ns, struct td_tx *wire)
{
	struct td_stream_cold *cold = &worker->cold[stream];
	struct td_stream_tx *tx = td_media_tx(worker, stream);
	bool fresh = td_sender_must_resync(tx, feed, 0) || frame->step == 0;
	uint8_t through = feed == TD_FEED_DIGITS ? TD_TX_HELD : 0;
	struct rte_mbuf *mbuf = NULL;
	uint8_t *udp;
	uint64_t sum;

	if ((tx->flags & (TD_TX_READY | TD_TX_HELD | TD_TX_BARRED)) == (TD_TX_READY | through))
		mbuf = begin(worker, tx, cold, frame->bytes, &udp, &sum);
	if (mbuf == NULL) {
		if (cold->ear)
			overhear(worker, stream, feed, frame, fresh, now_ns);
		else
			tx->flags |= TD_TX_FORCED;
		return false;
	}
	number(tx, cold, feed, frame, fresh, now_ns);
	tx->last_sequence++;
	td_rtp_write(udp + 8, tx->payload_type, fresh | frame->marker, tx->last_sequence,
		     tx->last_timestamp, tx->ssrc);
	finish(worker, tx, mbuf, udp, sum, frame, now_ns, wire);
	return true;
}

bool td_media_send_event(struct td_media_worker *worker, uint32_t stream, uint32_t timestamp,
			 const struct td_frame *frame, uint64_t now_ns, struct td_tx *wire)
{
	const struct td_stream_cold *cold = &worker->cold[stream];
	struct td_stream_tx *tx = td_media_tx(worker, stream);
	struct rte_mbuf *mbuf = NULL;
	uint8_t *udp;
	uint64_t sum;

	if ((tx->flags & (TD_TX_READY | TD_TX_BARRED)) == TD_TX_READY &&
	    cold->event_payload_type <= 127)
		mbuf = begin(worker, tx, cold, frame->bytes, &udp, &sum);
	if (mbuf == NULL)
		return false;
	tx->last_sequence++;
	td_rtp_write(udp + 8, cold->event_payload_type, frame->marker, tx->last_sequence, timestamp,
		     tx->ssrc);
	// Who has sent nothing yet has a clock from here on: the next digit must not look like this one.
	if (tx->last_ns == 0)
		tx->last_ns = now_ns;
	finish(worker, tx, mbuf, udp, sum, frame, now_ns, wire);
	return true;
}
