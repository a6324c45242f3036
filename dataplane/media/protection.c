// Keys come and go; received packets are opened.
#include "media/protection.h"
#include "media/fork_taps.h"

#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "media/worker_state.h"
#include "net/checksum.h"
#include "rtp/header.h"
#include "td_assert.h"

int td_protector_create(enum td_srtp_engine_kind kind, struct td_protector **out)
{
	struct td_protector *protector;
	int error;

	// The size has to be a multiple of the alignment.
	protector = aligned_alloc(TD_CACHE_LINE, RTE_ALIGN_CEIL(sizeof *protector, TD_CACHE_LINE));
	if (protector == NULL)
		return -TD_EMEMORY;
	memset(protector, 0, sizeof *protector);
	error = td_srtp_engine_init(&protector->srtp, kind);
	if (error != 0) {
		free(protector);
		return error;
	}
	*out = protector;
	return 0;
}

void td_protector_destroy(struct td_protector *protector)
{
	if (protector == NULL)
		return;
	for (uint32_t i = 0; i < protector->push_count; i++)
		rte_pktmbuf_free(protector->sealings[i].mbuf);
	td_srtp_engine_fini(&protector->srtp);
	explicit_bzero(protector, sizeof *protector);
	free(protector);
}

static bool is_master(const struct td_srtp_master *master)
{
	return master->suite < TD_SRTP_SUITE_COUNT && master->mki_bytes <= TD_SRTP_MKI_MAX;
}

int td_protection_check(const struct td_command_stream_set_remote *set)
{
	return is_master(&set->srtp_rx) && is_master(&set->srtp_tx) ? 0 : -TD_EINVALID;
}

static void set_guard(struct td_media_worker *worker, uint32_t stream, enum td_guard guard)
{
	struct td_stream_rx *rx = &worker->streams[stream].rx;

	worker->protector->guarded -= rx->guard != TD_GUARD_NONE;
	worker->protector->guarded += guard != TD_GUARD_NONE;
	rx->guard = guard & 3u;
}

static void set_rx(struct td_media_worker *worker, uint32_t stream,
		   const struct td_srtp_master *master)
{
	bool barred = worker->cold[stream].protected;
	int error;

	if (master->suite == TD_SRTP_NONE) {
		set_guard(worker, stream, barred ? TD_GUARD_BARRED : TD_GUARD_NONE);
		return;
	}
	error = td_srtp_rekey_open(&worker->protector->srtp, &worker->protections[stream].rx,
				   master);
	TD_ASSERT(error == 0); // main has checked it
	set_guard(worker, stream, TD_GUARD_OPEN);
}

// The rollover counter of a peer that hears our first packet is 0: ours begins with a number from
// which it does not roll over soon, lest that packet be lost (RFC 3711 section 3.3.1). After a time
// without SRTP it goes on where the sealed packets ended, as what was sent in between says nothing to
// either side's counter.
static void renumber(struct td_stream_tx *tx, struct td_srtp *srtp)
{
	const struct td_srtp_window *window = &td_srtp_source_at(srtp, srtp->recent)->rtp;

	if (td_srtp_window_used(window))
		tx->last_sequence = (uint16_t)window->highest;
	else
		tx->last_sequence &= 0x7fffu;
	tx->flags |= TD_TX_FORCED;
}

static void set_tx(struct td_media_worker *worker, uint32_t stream,
		   const struct td_srtp_master *master)
{
	struct td_stream_tx *tx = td_media_tx(worker, stream);
	struct td_srtp *srtp = &worker->protections[stream].tx;
	bool barred = worker->cold[stream].protected;
	int error;

	if (master->suite == TD_SRTP_NONE) {
		tx->flags &= (uint8_t) ~(TD_TX_SEALED | TD_TX_BARRED);
		tx->flags |= barred ? TD_TX_BARRED : 0;
		return;
	}
	error = td_srtp_rekey_seal(&worker->protector->srtp, srtp, master);
	TD_ASSERT(error == 0); // likewise
	if (!(tx->flags & TD_TX_SEALED))
		renumber(tx, srtp);
	tx->flags = (uint8_t)((tx->flags & ~TD_TX_BARRED) | TD_TX_SEALED);
}

void td_protection_set(struct td_media_worker *worker, uint32_t stream,
		       const struct td_command_stream_set_remote *set)
{
	set_rx(worker, stream, &set->srtp_rx);
	set_tx(worker, stream, &set->srtp_tx);
	if (set->srtp_rx.suite != TD_SRTP_NONE || set->srtp_tx.suite != TD_SRTP_NONE)
		worker->cold[stream].has_keys = true;
}

void td_protection_begin(struct td_media_worker *worker, uint32_t stream, bool is_protected)
{
	worker->cold[stream].protected = is_protected;
	if (is_protected) {
		worker->streams[stream].rx.guard = TD_GUARD_BARRED;
		td_media_tx(worker, stream)->flags |= TD_TX_BARRED;
	}
}

void td_protection_end(struct td_media_worker *worker, uint32_t stream)
{
	if (!worker->cold[stream].has_keys)
		return;
	td_srtp_fini(&worker->protections[stream].rx);
	td_srtp_fini(&worker->protections[stream].tx);
	worker->cold[stream].has_keys = false;
}

void td_protection_show(const struct td_media_worker *worker, uint32_t stream,
			struct td_stream_mirror *mirror)
{
	const struct td_protection *protection = &worker->protections[stream];
	bool opens = worker->streams[stream].rx.guard == TD_GUARD_OPEN;
	bool seals = (td_media_tx(worker, stream)->flags & TD_TX_SEALED) != 0;

	mirror->protected = worker->cold[stream].protected;
	mirror->srtp_rx_suite = opens ? (uint8_t)td_srtp_suite_of(&protection->rx) : TD_SRTP_NONE;
	mirror->srtp_tx_suite = seals ? (uint8_t)td_srtp_suite_of(&protection->tx) : TD_SRTP_NONE;
	mirror->srtp_rx_rollover = opens ? td_srtp_rollover(&protection->rx) : 0;
	mirror->srtp_tx_rollover = seals ? td_srtp_rollover(&protection->tx) : 0;
}

// A vector of received packets on its way: what is being opened, and where in the vector it is.
struct opening {
	struct td_srtp_packet packets[TD_MEDIA_VECTOR];
	uint8_t places[TD_MEDIA_VECTOR];
	uint32_t count, dropped;
};

// One that its sender should have been able to protect: who captures the stream sees it as it came.
static void show(struct td_media_worker *worker, const struct td_packet *packet, uint64_t now_ns)
{
	if (worker->streams[packet->stream].rx.flags & TD_RX_TAPPED)
		td_fork_packet_in(worker, packet, now_ns);
}

static void refuse(struct td_media_worker *worker, struct opening *opening,
		   struct td_packet *packet, enum td_drop reason)
{
	td_media_drop(worker, packet->mbuf, reason);
	packet->mbuf = NULL;
	opening->dropped++;
}

// Whoever reports are believed from is known before they are opened.
static bool is_strange_report(const struct td_media_worker *worker, const struct td_packet *packet)
{
	struct td_endpoint from;

	td_packet_source(packet, &from);
	return !td_source_lock_may_rtcp(&worker->cold[packet->stream].lock, &from);
}

// It counts for the stream, too.
static void turn_away(struct td_media_worker *worker, struct opening *opening,
		      struct td_packet *packet, enum td_drop reason)
{
	td_media_refuse(worker, packet, reason);
	packet->mbuf = NULL;
	opening->dropped++;
}

static void take(struct td_media_worker *worker, struct opening *opening, struct td_packet *packets,
		 uint32_t place, bool rtcp_ports, uint64_t now_ns)
{
	struct td_packet *packet = &packets[place];
	const struct td_stream_rx *rx = &worker->streams[packet->stream].rx;
	struct td_stream_cold *cold = &worker->cold[packet->stream];
	const uint8_t *bytes = packet->payload;
	bool is_rtcp = rtcp_ports || ((rx->flags & TD_RX_MUX) && packet->payload_len > 1 &&
				      td_rtp_is_rtcp(bytes[1]));

	// STUN, DTLS and nonsense are told apart, and dropped, behind.
	if (!is_rtcp && (packet->payload_len == 0 || bytes[0] >> 6 != 2))
		return;
	if (rtcp_ports && is_strange_report(worker, packet)) {
		turn_away(worker, opening, packet, TD_DROP_RTCP_SOURCE);
		return;
	}
	if (rx->guard == TD_GUARD_BARRED) {
		cold->srtp_no_key++;
		show(worker, packet, now_ns);
		refuse(worker, opening, packet, TD_DROP_SRTP_NO_KEY);
		return;
	}
	opening->places[opening->count] = (uint8_t)place;
	opening->packets[opening->count++] =
		(struct td_srtp_packet){ .srtp = &worker->protections[packet->stream].rx,
					 .bytes = packet->payload,
					 .len = packet->payload_len,
					 .is_rtcp = is_rtcp };
}

// Somebody will look at the frame itself.
static void shorten_ip(struct td_packet *packet, uint16_t udp_len)
{
	uint8_t *ip = packet->l3;
	uint16_t was, is_be, checksum;

	if (packet->family == TD_FAMILY_IPV6) {
		is_be = __builtin_bswap16((uint16_t)(udp_len + packet->l3_len - 40u));
		memcpy(ip + 4, &is_be, sizeof is_be);
		return;
	}
	is_be = __builtin_bswap16((uint16_t)(udp_len + packet->l3_len));
	memcpy(&was, ip + 2, sizeof was);
	memcpy(&checksum, ip + 10, sizeof checksum);
	checksum = td_checksum_adjust(checksum, was, is_be);
	memcpy(ip + 2, &is_be, sizeof is_be);
	memcpy(ip + 10, &checksum, sizeof checksum);
}

// The frame becomes what a plain one would have been, but for its UDP checksum: who sends it on makes
// a new one.
static void become_plain(struct td_packet *packet, uint16_t len)
{
	uint8_t *udp = td_packet_udp(packet);
	uint16_t less = (uint16_t)(packet->payload_len - len);
	uint16_t words[2] = { __builtin_bswap16((uint16_t)(len + 8u)), 0 };

	memcpy(udp + 4, words, sizeof words);
	packet->payload_len = len;
	packet->flags = (uint8_t)((packet->flags & ~TD_PACKET_PLAIN) | TD_PACKET_OPENED |
				  TD_PACKET_CHECKSUM_VERIFIED);
	packet->mbuf->data_len = (uint16_t)(packet->mbuf->data_len - less);
	packet->mbuf->pkt_len -= less;
}

static enum td_drop count_refused(struct td_stream_cold *cold, enum td_srtp_verdict verdict)
{
	switch (verdict) {
	case TD_SRTP_BAD_TAG: cold->srtp_bad_tag++; return TD_DROP_SRTP_BAD_TAG;
	case TD_SRTP_REPLAYED: cold->srtp_replayed++; return TD_DROP_SRTP_REPLAYED;
	case TD_SRTP_LATE: cold->srtp_replayed++; return TD_DROP_SRTP_LATE;
	case TD_SRTP_NO_KEY: cold->srtp_no_key++; return TD_DROP_SRTP_NO_KEY;
	case TD_SRTP_CROWDED: cold->srtp_no_key++; return TD_DROP_SRTP_CROWDED;
	case TD_SRTP_OK:
	case TD_SRTP_MALFORMED:
	case TD_SRTP_EXHAUSTED:
	case TD_SRTP_VERDICT_COUNT: break;
	}
	cold->srtp_no_key++;
	return TD_DROP_SRTP_MALFORMED;
}

static void judge(struct td_media_worker *worker, struct opening *opening,
		  struct td_packet *packets, uint64_t now_ns)
{
	for (uint32_t i = 0; i < opening->count; i++) {
		struct td_packet *packet = &packets[opening->places[i]];
		const struct td_srtp_packet *opened = &opening->packets[i];

		if (__builtin_expect(opened->verdict == TD_SRTP_OK, 1)) {
			become_plain(packet, opened->len);
			if (worker->streams[packet->stream].rx.flags & TD_RX_TAPPED)
				shorten_ip(packet, (uint16_t)(opened->len + 8u));
		} else {
			show(worker, packet, now_ns);
			refuse(worker, opening, packet,
			       count_refused(&worker->cold[packet->stream], opened->verdict));
		}
	}
}

static uint32_t close_up(struct td_packet *packets, uint32_t n)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < n; i++)
		if (packets[i].mbuf != NULL)
			packets[kept++] = packets[i];
	return kept;
}

uint32_t td_protect_open(struct td_media_worker *worker, struct td_packet *packets, uint32_t n,
			 bool rtcp_ports, uint64_t now_ns)
{
	enum td_stage before = td_stage_enter(&worker->stages, TD_STAGE_OPEN);
	struct opening opening;

	opening.count = opening.dropped = 0;
	for (uint32_t i = 0; i < n; i++) {
		const struct td_stream_rx *rx = &worker->streams[packets[i].stream].rx;

		// What is between two workers is parked as it came, and opened where it arrives.
		if (rx->guard != TD_GUARD_NONE && (rx->flags & TD_RX_LIVE))
			take(worker, &opening, packets, i, rtcp_ports, now_ns);
	}
	if (opening.count > 0) {
		td_srtp_open(&worker->protector->srtp, opening.packets, opening.count);
		judge(worker, &opening, packets, now_ns);
	}
	if (opening.dropped > 0)
		n = close_up(packets, n);
	td_stage_count(&worker->stages, TD_STAGE_OPEN, opening.count);
	td_stage_enter(&worker->stages, before);
	return n;
}
