// FORWARD: packets of one party, rewritten into the stream of another: any packet, and any listener.
//
//   admit --> rewrite --> push, one packet after the other
//
// Nearly every packet is the next one of a steady stream, and takes the short way (steady.c). What
// comes through here settles what that way relies on: td_stream_tx.checksum_step, TD_TX_STEADY.
#include <rte_mbuf.h>

#include "media/fork_taps.h"
#include "media/sender.h"
#include "media/worker_state.h"
#include "rtp/header.h"

#define SENT        (-1) // beside enum td_drop

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

// A packet that comes late belongs to the feeder's run only if it lies behind where the run began.
static bool before_run(const struct td_stream_cold *listener, uint16_t sequence)
{
	return (int16_t)(sequence - listener->floor_sequence) <= 0;
}

// Sum of what the UDP checksum covers and we change: addresses, ports, the RTP header.
static uint64_t sum_before(const struct td_packet *packet, const uint8_t *l3, uint64_t sum)
{
	if (LIKELY(packet->family == TD_FAMILY_IPV4))
		return td_checksum_add(sum, l3 + TD_IPV4_SOURCE_OFFSET, 8);
	return td_checksum_add(sum, l3 + TD_IPV6_SOURCE_OFFSET, 32);
}

// `sum` holds addresses, ports and the RTP header's first twelve bytes: what has just been written is
// not to be read back, as a load wider than its stores waits until they have reached the cache.
static uint16_t whole_checksum(const uint8_t *udp, uint16_t udp_len, uint64_t sum)
{
	uint16_t checksum;

	sum += __builtin_bswap16(udp_len) + (uint32_t)__builtin_bswap16(17);
	sum = td_checksum_add(sum, udp + 4, 2); // the length; the checksum itself counts as 0
	sum = td_checksum_add(sum, udp + 8 + TD_RTP_HEADER_BYTES,
			      udp_len - 8u - TD_RTP_HEADER_BYTES);
	checksum = (uint16_t)~td_checksum_fold(sum);
	return checksum == 0 ? 0xffffu : checksum;
}

// IPv6 has no datagrams without checksum (RFC 8200 section 8.1): one that came without gets one, and
// so does one that was opened. What will be sealed gets its own then.
static uint16_t checksum_from_nothing(const struct td_packet *packet, const struct td_stream_tx *tx,
				      const uint8_t *udp, uint16_t udp_len, uint64_t sum)
{
	if (tx->flags & TD_TX_SEALED)
		return 0;
	if (!(tx->flags & TD_TX_IPV6) && !(packet->flags & TD_PACKET_OPENED))
		return 0;
	return whole_checksum(udp, udp_len, sum);
}

// The numbers this packet goes out with.
struct numbers {
	uint32_t timestamp;
	uint16_t sequence;
	uint8_t payload_type;
	uint8_t marker; // TD_RTP_MARKER or 0
};

static uint8_t payload_type_of(const struct td_media_worker *worker, const struct td_forward *fw,
			       const struct td_stream_tx *tx)
{
	if (LIKELY(fw->kind == TD_PAYLOAD_AUDIO))
		return tx->payload_type;
	return fw->kind == TD_PAYLOAD_EVENT ? tx->event_payload_type
					    : worker->cold[tx->stream].cn_payload_type;
}

static int why_not(const struct td_stream_tx *tx)
{
	if (!(tx->flags & TD_TX_READY))
		return TD_DROP_SINK_NO_REMOTE;
	return tx->flags & TD_TX_BARRED ? TD_DROP_SINK_NO_KEY : TD_DROP_SINK_HELD;
}

// SENT: *numbers is set and the packet may go. Else why not.
static int number(struct td_media_worker *worker, const struct td_forward *fw,
		  struct td_stream_tx *tx, uint64_t now_ns, struct numbers *numbers)
{
	bool fresh = td_sender_must_resync(tx, fw->packet->stream, fw->ssrc) |
		     (fw->verdict == TD_RTP_FRESH);

	if (UNLIKELY((tx->flags & (TD_TX_READY | TD_TX_HELD | TD_TX_BARRED)) != TD_TX_READY))
		return why_not(tx);
	if (UNLIKELY(fresh))
		td_sender_resync(tx, &worker->cold[tx->stream], fw->packet->stream, fw->ssrc,
				 fw->sequence, fw->timestamp, now_ns);
	numbers->payload_type = payload_type_of(worker, fw, tx);
	if (UNLIKELY(numbers->payload_type > 127)) {
		// It leaves no hole in the sink's numbers, and does not begin a run for another.
		tx->sequence_offset =
			(uint16_t)(tx->sequence_offset - (fw->verdict != TD_RTP_LATE));
		tx->flags |= fresh ? TD_TX_FORCED : 0;
		return fw->kind == TD_PAYLOAD_EVENT ? TD_DROP_SINK_NO_EVENT_PT
						    : TD_DROP_SINK_NO_CN_PT;
	}
	numbers->sequence = (uint16_t)(fw->sequence + tx->sequence_offset);
	numbers->timestamp = fw->timestamp + tx->timestamp_offset;
	numbers->marker = fw->marker | (fresh & (fw->kind != TD_PAYLOAD_EVENT)) ? TD_RTP_MARKER : 0;
	if (UNLIKELY(fw->verdict == TD_RTP_LATE &&
		     before_run(&worker->cold[tx->stream], numbers->sequence)))
		return TD_DROP_NO_LISTENER;
	return SENT;
}

// What the next packet continues from.
static void remember(struct td_stream_tx *tx, const struct td_forward *fw,
		     const struct numbers *numbers, uint64_t now_ns)
{
	tx->packets++;
	tx->octets += fw->payload_len;
	if (UNLIKELY(fw->verdict == TD_RTP_LATE))
		return;
	tx->last_sequence = numbers->sequence;
	if (UNLIKELY(fw->kind == TD_PAYLOAD_EVENT))
		return; // its timestamp is where it began: time goes on from the audio
	tx->last_timestamp = numbers->timestamp;
	tx->last_ns = now_ns;
}

// Where the frame is now. Mostly where it was: then its mbuf's line stays clean.
static void place(struct rte_mbuf *mbuf, const uint8_t *start, uint16_t len)
{
	if (UNLIKELY(start != rte_pktmbuf_mtod(mbuf, uint8_t *) || len != mbuf->data_len)) {
		mbuf->data_off = (uint16_t)(start - (uint8_t *)mbuf->buf_addr);
		mbuf->data_len = len;
		mbuf->pkt_len = len;
	}
	if (mbuf->ol_flags != 0)
		mbuf->ol_flags = 0;
}

// The short way may take the next packet from there. `removed` and `added` are sums of addresses and
// ports before and after.
static void settle(struct td_stream_tx *tx, const struct td_forward *fw, uint64_t removed,
		   uint64_t added)
{
	if (fw->packet->family != TD_FAMILY_IPV4 || (tx->flags & TD_TX_IPV6))
		return;
	tx->checksum_step = td_checksum_step(removed + __builtin_bswap32(fw->ssrc),
					     added + __builtin_bswap32(tx->ssrc));
	tx->flags |= TD_TX_STEADY;
}

// Turns the frame in `mbuf` into the sink's. SENT, or why not; then the frame is as it was.
static int rewrite(struct td_media_worker *worker, const struct td_forward *fw,
		   struct td_stream_tx *tx, struct rte_mbuf *mbuf, uint8_t *l3, uint8_t *udp,
		   uint64_t now_ns)
{
	uint16_t udp_len = (uint16_t)(fw->packet->payload_len + 8u), checksum;
	struct numbers numbers = { 0 };
	uint64_t removed, added;
	uint32_t first, timestamp, ssrc, ports;
	uint8_t *start;
	int outcome;

	tx->flags &= (uint8_t)~TD_TX_STEADY;
	outcome = number(worker, fw, tx, now_ns, &numbers);
	if (UNLIKELY(outcome != SENT))
		return outcome;
	// Whole words in registers: reading back what was just stored in pieces would stall.
	memcpy(&first, udp + 8, sizeof first);
	memcpy(&timestamp, udp + 12, sizeof timestamp);
	memcpy(&ssrc, udp + 16, sizeof ssrc);
	memcpy(&ports, udp, sizeof ports);
	memcpy(&checksum, udp + 6, sizeof checksum);
	removed = sum_before(fw->packet, l3, ports);
	start = td_sender_headers(worker->neighbours, tx, &worker->cold[tx->stream], udp, udp_len,
				  &added);
	if (UNLIKELY(start == NULL))
		return TD_DROP_NEIGHBOUR_UNRESOLVED;
	settle(tx, fw, removed, added);
	removed += (uint64_t)first + timestamp + ssrc;
	first = (first & 0xffu) | (uint32_t)(numbers.payload_type | numbers.marker) << 8 |
		(uint32_t)__builtin_bswap16(numbers.sequence) << 16;
	timestamp = __builtin_bswap32(numbers.timestamp);
	ssrc = __builtin_bswap32(tx->ssrc);
	memcpy(udp + 8, &first, sizeof first);
	memcpy(udp + 12, &timestamp, sizeof timestamp);
	memcpy(udp + 16, &ssrc, sizeof ssrc);
	if (UNLIKELY(checksum == 0))
		checksum = checksum_from_nothing(fw->packet, tx, udp, udp_len,
						 added + first + timestamp + ssrc);
	else
		checksum =
			td_checksum_adjust_udp(checksum, removed, added + first + timestamp + ssrc);
	memcpy(udp + 6, &checksum, sizeof checksum);
	place(mbuf, start, (uint16_t)(udp + udp_len - start));
	remember(tx, fw, &numbers, now_ns);
	return SENT;
}

static void push(struct td_media_worker *worker, const struct td_stream_tx *tx,
		 struct rte_mbuf *mbuf, uint8_t *udp, uint64_t now_ns, struct td_tx *wire)
{
	uint32_t port = td_neighbour_port(worker->neighbours, tx->next_hop);

	if (UNLIKELY(tx->flags & TD_TX_CAPTURED))
		td_fork_packet_out(worker, tx->stream, mbuf, now_ns);
	if (UNLIKELY(tx->flags & TD_TX_SEALED))
		td_protect_push(worker, tx->stream, mbuf, udp, (tx->flags & TD_TX_IPV6) != 0, port,
				wire);
	else
		td_tx_push(wire, port, mbuf);
}

// A copy for one of several listeners. SENT, or why not.
static int send_copy(struct td_media_worker *worker, const struct td_forward *fw,
		     struct td_stream_tx *listener, uint64_t now_ns, struct td_tx *tx)
{
	struct rte_mbuf *mbuf = fw->packet->mbuf, *copy;
	uint8_t *frame;
	size_t l3 = (size_t)(fw->packet->l3 - rte_pktmbuf_mtod(mbuf, uint8_t *));
	size_t udp = l3 + fw->packet->l3_len;
	int outcome;

	copy = rte_pktmbuf_copy(mbuf, worker->pool, 0, UINT32_MAX);
	if (copy == NULL) {
		worker->stats->drops[TD_DROP_POOL_EMPTY]++;
		return TD_DROP_POOL_EMPTY;
	}
	frame = rte_pktmbuf_mtod(copy, uint8_t *);
	outcome = rewrite(worker, fw, listener, copy, frame + l3, frame + udp, now_ns);
	if (outcome == SENT) {
		worker->stats->originated++;
		push(worker, listener, copy, frame + udp, now_ns, tx);
	} else {
		rte_pktmbuf_free(copy);
	}
	return outcome;
}

// All listeners but the last get copies, the last the packet itself. It counts as forwarded once
// when anybody got it, else as one drop.
static void fan_out(struct td_media_worker *worker, const struct td_forward *fw, uint64_t now_ns,
		    struct td_tx *tx)
{
	const struct td_stream_cold *cold = &worker->cold[fw->packet->stream];
	struct td_stream_tx *last = td_media_tx(worker, cold->sinks[cold->sink_count - 1u]);
	bool any = false;
	int outcome;

	for (uint32_t i = 0; i + 1u < cold->sink_count; i++)
		any |= send_copy(worker, fw, td_media_tx(worker, cold->sinks[i]), now_ns, tx) ==
		       SENT;
	outcome = rewrite(worker, fw, last, fw->packet->mbuf, fw->packet->l3,
			  td_packet_udp(fw->packet), now_ns);
	if (outcome == SENT)
		push(worker, last, fw->packet->mbuf, td_packet_udp(fw->packet), now_ns, tx);
	else if (any)
		rte_pktmbuf_free(fw->packet->mbuf);
	else
		td_media_drop(worker, fw->packet->mbuf, (enum td_drop)outcome);
	worker->stats->forwarded += any || outcome == SENT;
}

void td_forward_admitted(struct td_media_worker *worker, const struct td_forward *fw,
			 uint64_t now_ns, struct td_tx *tx)
{
	struct td_packet *packet = fw->packet;
	struct td_stream_tx *listener = &worker->streams[fw->sink].tx;
	int outcome = rewrite(worker, fw, listener, packet->mbuf, packet->l3, td_packet_udp(packet),
			      now_ns);

	if (UNLIKELY(outcome != SENT)) {
		td_media_drop(worker, packet->mbuf, (enum td_drop)outcome);
		return;
	}
	worker->stats->forwarded++;
	push(worker, listener, packet->mbuf, td_packet_udp(packet), now_ns, tx);
}

void td_forward_any(struct td_media_worker *worker, struct td_packet *packet, uint64_t now_ns,
		    struct td_tx *tx)
{
	struct td_forward fw;

	if (!td_media_admit(worker, packet, now_ns, &fw))
		return;
	if (fw.sink == TD_SINK_FANOUT)
		fan_out(worker, &fw, now_ns, tx);
	else
		td_forward_admitted(worker, &fw, now_ns, tx);
}
