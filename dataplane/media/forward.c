// FORWARD: packets of one party, rewritten into the stream of another, as vectors.
//
//   admit --> rewrite --> push, one packet after the other
//
// The rx line of the speaker and the tx line of its only listener lie side by side (placement.c)
// and both were asked for when the packet was looked up.
//
// Nearly every packet is the next one of a steady stream. For it admit_next, rewrite and push are
// one function to the compiler, so what they tell each other stays in registers and half of the
// questions are answered before the program runs; everything else goes through forward_any.
#include <rte_mbuf.h>
#include <rte_prefetch.h>

#include "media/fork_taps.h"
#include "media/sender.h"
#include "media/worker_state.h"
#include "rtp/header.h"

#define SENT        (-1) // beside enum td_drop

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define HOT         static inline __attribute__((always_inline))
#define RARE        static __attribute__((noinline, cold))

// Of a header's first word: version 2 without padding, extension or CSRCs; the payload type.
#define PLAIN_MASK 0xff7f0000u
#define PLAIN      0x80000000u

// The short way in: the accepted sender's next packet of the negotiated type, nothing special.
HOT bool admit_next(struct td_stream_rx *rx, struct td_packet *packet, const uint32_t arrival[2],
		    uint64_t now_ns, struct td_forward *out)
{
	const uint8_t *rtp = packet->payload;
	uint64_t key = td_stream_key(packet->source_key, packet->source_port_be, packet->family);
	uint32_t payload_len = packet->payload_len - (uint32_t)TD_RTP_HEADER_BYTES;
	uint32_t first = td_rtp_load32(rtp);

	if (UNLIKELY(payload_len > TD_RTP_PAYLOAD_MAX || !(rx->flags & TD_RX_STEADY) ||
		     key != rx->key ||
		     (first & PLAIN_MASK) != (PLAIN | (uint32_t)rx->payload_type << 16)))
		return false;
	out->ssrc = td_rtp_load32(rtp + 8);
	out->sequence = (uint16_t)first;
	if (UNLIKELY(!td_rtp_source_next(&rx->source, out->ssrc, out->sequence)))
		return false;
	out->timestamp = td_rtp_load32(rtp + 4);
	td_rtp_source_time(&rx->source, out->timestamp, arrival[(rx->flags & TD_RX_48K) != 0]);
	rx->last_ns = now_ns;
	rx->octets += payload_len;
	rx->packets++;
	out->packet = packet;
	out->sink = rx->sink;
	out->payload_len = (uint16_t)payload_len;
	out->kind = TD_PAYLOAD_AUDIO;
	out->verdict = TD_RTP_NEXT;
	out->marker = (first >> 23) & 1u;
	return true;
}

// A packet that comes late belongs to the feeder's run only if it lies behind where the run began.
RARE bool before_run(const struct td_stream_cold *listener, uint16_t sequence)
{
	return (int16_t)(sequence - listener->floor_sequence) <= 0;
}

// Sum of what the UDP checksum covers and we change: addresses, ports, the RTP header.
HOT uint64_t sum_before(const struct td_packet *packet, const uint8_t *l3, uint64_t sum)
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
static __attribute__((noinline)) uint16_t checksum_from_nothing(const struct td_packet *packet,
								const struct td_stream_tx *tx,
								const uint8_t *udp,
								uint16_t udp_len, uint64_t sum)
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

HOT uint8_t payload_type_of(const struct td_media_worker *worker, const struct td_forward *fw,
			    const struct td_stream_tx *tx)
{
	if (LIKELY(fw->kind == TD_PAYLOAD_AUDIO))
		return tx->payload_type;
	return fw->kind == TD_PAYLOAD_EVENT ? tx->event_payload_type
					    : worker->cold[tx->stream].cn_payload_type;
}

HOT int why_not(const struct td_stream_tx *tx)
{
	if (!(tx->flags & TD_TX_READY))
		return TD_DROP_SINK_NO_REMOTE;
	return tx->flags & TD_TX_BARRED ? TD_DROP_SINK_NO_KEY : TD_DROP_SINK_HELD;
}

// SENT: *numbers is set and the packet may go. Else why not.
HOT int number(struct td_media_worker *worker, const struct td_forward *fw, struct td_stream_tx *tx,
	       uint64_t now_ns, struct numbers *numbers)
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
HOT void remember(struct td_stream_tx *tx, const struct td_forward *fw,
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
HOT void place(struct rte_mbuf *mbuf, const uint8_t *start, uint16_t len)
{
	if (UNLIKELY(start != rte_pktmbuf_mtod(mbuf, uint8_t *) || len != mbuf->data_len)) {
		mbuf->data_off = (uint16_t)(start - (uint8_t *)mbuf->buf_addr);
		mbuf->data_len = len;
		mbuf->pkt_len = len;
	}
	if (mbuf->ol_flags != 0)
		mbuf->ol_flags = 0;
}

// Turns the frame in `mbuf` into the sink's. SENT, or why not; then the frame is as it was.
HOT int rewrite(struct td_media_worker *worker, const struct td_forward *fw,
		struct td_stream_tx *tx, struct rte_mbuf *mbuf, uint8_t *l3, uint8_t *udp,
		uint64_t now_ns)
{
	uint16_t udp_len = (uint16_t)(fw->packet->payload_len + 8u), checksum;
	struct numbers numbers = { 0 };
	uint64_t removed, added;
	uint32_t first, timestamp, ssrc, ports;
	uint8_t *start;
	int outcome = number(worker, fw, tx, now_ns, &numbers);

	if (UNLIKELY(outcome != SENT))
		return outcome;
	// Whole words in registers: reading back what was just stored in pieces would stall.
	memcpy(&first, udp + 8, sizeof first);
	memcpy(&timestamp, udp + 12, sizeof timestamp);
	memcpy(&ssrc, udp + 16, sizeof ssrc);
	memcpy(&ports, udp, sizeof ports);
	memcpy(&checksum, udp + 6, sizeof checksum);
	removed = sum_before(fw->packet, l3, (uint64_t)ports + first + timestamp + ssrc);
	start = td_sender_headers(worker->neighbours, tx, &worker->cold[tx->stream], udp, udp_len,
				  &added);
	if (UNLIKELY(start == NULL))
		return TD_DROP_NEIGHBOUR_UNRESOLVED;
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

HOT void push(struct td_media_worker *worker, const struct td_stream_tx *tx, struct rte_mbuf *mbuf,
	      uint8_t *udp, uint64_t now_ns, struct td_tx *wire)
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

// The same for the fan-out and for packets that are not simply next.
static __attribute__((noinline)) int rewrite_any(struct td_media_worker *worker,
						 const struct td_forward *fw,
						 struct td_stream_tx *tx, struct rte_mbuf *mbuf,
						 uint8_t *l3, uint8_t *udp, uint64_t now_ns)
{
	return rewrite(worker, fw, tx, mbuf, l3, udp, now_ns);
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
	outcome = rewrite_any(worker, fw, listener, copy, frame + l3, frame + udp, now_ns);
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
	outcome = rewrite_any(worker, fw, last, fw->packet->mbuf, fw->packet->l3,
			      td_packet_udp(fw->packet), now_ns);
	if (outcome == SENT)
		push(worker, last, fw->packet->mbuf, td_packet_udp(fw->packet), now_ns, tx);
	else if (any)
		rte_pktmbuf_free(fw->packet->mbuf);
	else
		td_media_drop(worker, fw->packet->mbuf, (enum td_drop)outcome);
	worker->stats->forwarded += any || outcome == SENT;
}

// Any packet that is not simply the next one of a steady stream.
static __attribute__((noinline)) void forward_any(struct td_media_worker *worker,
						  struct td_packet *packet, uint64_t now_ns,
						  struct td_tx *tx)
{
	struct td_stream_tx *listener;
	struct td_forward fw;
	int outcome;

	if (!td_media_admit(worker, packet, now_ns, &fw))
		return;
	if (fw.sink == TD_SINK_FANOUT) {
		fan_out(worker, &fw, now_ns, tx);
		return;
	}
	listener = &worker->streams[fw.sink].tx;
	outcome = rewrite_any(worker, &fw, listener, packet->mbuf, packet->l3,
			      td_packet_udp(packet), now_ns);
	if (outcome != SENT) {
		td_media_drop(worker, packet->mbuf, (enum td_drop)outcome);
		return;
	}
	worker->stats->forwarded++;
	push(worker, listener, packet->mbuf, td_packet_udp(packet), now_ns, tx);
}

// What is copied for listeners besides the parties is on its way while the vector is looked at: who they
// are, and the payload behind its first line.
static __attribute__((noinline)) void expect_tapped(const struct td_media_worker *worker,
						    const struct td_packet *packets, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *payload = packets[i].payload;

		if (!(worker->streams[packets[i].stream].rx.flags & TD_RX_TAPPED))
			continue;
		rte_prefetch0(td_stream_taps_of(worker, packets[i].stream));
		rte_prefetch0(payload + TD_CACHE_LINE);
		rte_prefetch0(payload + 2 * TD_CACHE_LINE);
		rte_prefetch0(payload + packets[i].payload_len - 1);
	}
}

// Of a packet that admit_next let in. What that found out stays in registers: to hand it on here would
// mean to write it to memory in pieces and to wait for it in one.
static __attribute__((noinline)) void tap_copy(struct td_media_worker *worker,
					       struct td_packet *packet, uint64_t now_ns)
{
	const uint8_t *rtp = packet->payload;
	const struct td_forward fw = {
		.packet = packet,
		.ssrc = td_rtp_load32(rtp + 8),
		.timestamp = td_rtp_load32(rtp + 4),
		.sequence = td_rtp_load16(rtp + 2),
		.payload_len = (uint16_t)(packet->payload_len - TD_RTP_HEADER_BYTES),
		.kind = TD_PAYLOAD_AUDIO,
		.verdict = TD_RTP_NEXT,
		.marker = rtp[1] >> 7,
	};

	td_fork_packet_in(worker, packet, now_ns);
	td_media_tap(worker, &fw, rtp + TD_RTP_HEADER_BYTES, now_ns);
}

// Packets of a vector that are for inlets wait for its end: meanwhile what they will touch is on its
// way. Whatever else may reach an inlet lets them go first.
struct waiting {
	struct td_forward packets[TD_MEDIA_VECTOR];
	struct td_inlet *inlets[TD_MEDIA_VECTOR];
	uint32_t count;
};

static __attribute__((noinline)) void put_waiting(struct td_media_worker *worker,
						  struct waiting *waiting, uint64_t now_ns)
{
	struct rte_mbuf *mbufs[TD_MEDIA_VECTOR];
	uint32_t count = waiting->count;
	enum td_stage before = td_stage_enter(&worker->stages, TD_STAGE_JITTER);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t stream = waiting->packets[i].packet->stream;

		waiting->inlets[i] = td_lets_inlet(worker->lets, worker->cold[stream].inlet);
		td_playout_expect(&waiting->inlets[i]->playout);
	}
	for (uint32_t i = 0; i < count; i++)
		td_playout_expect_room(&waiting->inlets[i]->playout);
	for (uint32_t i = 0; i < count; i++) {
		struct td_packet *packet = waiting->packets[i].packet;

		td_media_inlet_put(worker, &waiting->packets[i],
				   packet->payload + TD_RTP_HEADER_BYTES, now_ns);
		mbufs[i] = packet->mbuf;
	}
	rte_pktmbuf_free_bulk(mbufs, count);
	worker->stats->consumed += count;
	waiting->count = 0;
	td_stage_enter(&worker->stages, before);
}

// Those of a vector that are not sent on. Not in the frame of rtp_vector itself, whose own few words
// then lie close together, as near as an instruction of the short form reaches.
struct aside {
	struct waiting waiting;
	struct rte_mbuf *strangers[TD_MEDIA_VECTOR];
	uint32_t stranger_count;
};

static __attribute__((noinline)) void drop_strangers(struct td_media_worker *worker,
						     struct aside *aside)
{
	worker->stats->drops[TD_DROP_SOURCE_MISMATCH] += aside->stranger_count;
	rte_pktmbuf_free_bulk(aside->strangers, aside->stranger_count);
}

static __attribute__((noinline)) void rtp_vector(struct td_media_worker *worker,
						 struct td_packet *packets, uint32_t n,
						 uint64_t now_ns, struct aside *aside,
						 struct td_tx *tx)
{
	const uint32_t arrival[2] = { td_media_arrival(8, now_ns), td_media_arrival(48, now_ns) };
	struct td_stream *streams = worker->streams;
	struct waiting *waiting = &aside->waiting;
	uint32_t forwarded = 0;

	waiting->count = 0;
	aside->stranger_count = 0;
	if (worker->stats->taps + worker->stats->forks > 0)
		expect_tapped(worker, packets, n);
	for (uint32_t i = 0; i < n; i++) {
		struct td_packet *packet = &packets[i];
		struct td_stream_rx *rx = &streams[packet->stream].rx;
		struct td_stream_tx *listener;
		struct td_forward fw;
		int outcome;

		if (UNLIKELY(!admit_next(rx, packet, arrival, now_ns, &fw))) {
			if (td_media_is_stranger(worker, packet)) {
				worker->strangers[packet->stream]++;
				aside->strangers[aside->stranger_count++] = packet->mbuf;
				continue;
			}
			if (waiting->count > 0)
				put_waiting(worker, waiting, now_ns);
			forward_any(worker, packet, now_ns, tx);
			continue;
		}
		if (UNLIKELY(td_level_is_turn(packet->stream, fw.sequence)))
			td_level_keep(worker, packet->stream, packet->payload + TD_RTP_HEADER_BYTES,
				      fw.payload_len);
		if (UNLIKELY(rx->flags & TD_RX_TAPPED))
			tap_copy(worker, packet, now_ns);
		if (UNLIKELY(fw.sink == TD_SINK_INLET)) {
			// A copy, so the one above can stay in registers.
			waiting->packets[waiting->count++] = fw;
			rte_prefetch0(&worker->cold[packet->stream].inlet);
			continue;
		}
		listener = &streams[fw.sink].tx;
		outcome = rewrite(worker, &fw, listener, packet->mbuf, packet->l3,
				  td_packet_udp(packet), now_ns);
		if (UNLIKELY(outcome != SENT)) {
			td_media_drop(worker, packet->mbuf, (enum td_drop)outcome);
			continue;
		}
		forwarded++;
		push(worker, listener, packet->mbuf, td_packet_udp(packet), now_ns, tx);
	}
	worker->stats->forwarded += forwarded;
	if (waiting->count > 0)
		put_waiting(worker, waiting, now_ns);
	if (UNLIKELY(aside->stranger_count > 0))
		drop_strangers(worker, aside);
}

void td_media_rtp(struct td_media_worker *worker, struct td_packet *packets, uint32_t n,
		  uint64_t now_ns, struct td_tx *tx)
{
	enum td_stage before = td_stage_enter(&worker->stages, TD_STAGE_FORWARD);
	struct aside aside;

	while (n > 0) {
		uint32_t step = n < TD_MEDIA_VECTOR ? n : TD_MEDIA_VECTOR, left = step;

		if (worker->protector->guarded > 0)
			left = td_protect_open(worker, packets, step, false, now_ns);
		td_stage_count(&worker->stages, TD_STAGE_FORWARD, left);
		td_level_expect(worker);
		rtp_vector(worker, packets, left, now_ns, &aside, tx);
		td_level_look(worker, now_ns);
		td_protect_flush(worker, tx);
		packets += step;
		n -= step;
	}
	td_tap_publish(worker->tap_ring);
	td_stage_enter(&worker->stages, before);
}
