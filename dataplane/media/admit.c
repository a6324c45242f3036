// The long way in for RTP: whatever is not simply the accepted sender's next packet.
//
//   shape -> source lock -> payload type -> sequence -> time -> tap -> listeners
//
// Each stage either passes the packet on or drops it under its own counter.
#include "media/fork_taps.h"
#include "media/sender.h"
#include "media/worker_state.h"
#include "rtp/header.h"

#define PASSED (-1) // beside enum td_drop

// RFC 7983 section 7: what the first byte of a datagram on a media port says it is.
static enum td_drop not_rtp(uint8_t first_byte)
{
	bool known = first_byte <= 3 || (first_byte >= 16 && first_byte <= 79);

	return known ? TD_DROP_NOT_RTP : TD_DROP_RTP_VERSION; // STUN, ZRTP, DTLS, TURN; or nothing
}

static int check_shape(const struct td_packet *packet, struct td_rtp_header *header)
{
	int error;

	if (packet->payload_len == 0)
		return TD_DROP_RTP_SHORT;
	if (packet->payload[0] >> 6 != 2)
		return (int)not_rtp(packet->payload[0]);
	error = td_rtp_parse(packet->payload, packet->payload_len, header);
	if (error == -TD_ETRUNCATED)
		return TD_DROP_RTP_SHORT;
	if (error == -TD_EMALFORMED)
		return TD_DROP_RTP_HEADER;
	if (error != 0)
		return TD_DROP_RTP_PADDING;
	return header->payload_len > TD_RTP_PAYLOAD_MAX ? TD_DROP_RTP_TOO_LONG : PASSED;
}

// The sender is the accepted one from now on, and where we send to.
static void on_adopted(struct td_media_worker *worker, uint32_t stream,
		       const struct td_packet *packet, const struct td_rtp_header *header)
{
	struct td_stream *hot = &worker->streams[stream];
	struct td_stream_cold *cold = &worker->cold[stream];
	bool same_address = td_endpoint_same_addr(&cold->lock.accepted, &cold->lock.expected);

	hot->rx.key = packet->sender;
	hot->rx.flags &= (uint8_t) ~(TD_RX_ACTIVE | TD_RX_STEADY);
	td_rtp_source_expect(&cold->source, header->ssrc, header->sequence);
	td_sender_set_target(td_media_tx(worker, stream), cold, worker->neighbours->locals,
			     cold->sdp_next_hop, same_address);
	if (!same_address)
		td_media_note_learned(worker, stream);
}

static int check_source(struct td_media_worker *worker, const struct td_packet *packet,
			const struct td_rtp_header *header, bool type_known, uint64_t now_ns)
{
	struct td_stream_rx *rx = &worker->streams[packet->stream].rx;
	struct td_stream_cold *cold = &worker->cold[packet->stream];
	struct td_endpoint from;
	enum td_lock_verdict verdict = TD_LOCK_MISMATCH;

	if (td_media_is_accepted(worker, packet))
		return type_known ? PASSED : TD_DROP_RTP_PAYLOAD_TYPE;
	if (cold->lock.mode == TD_LOCK_UNSET)
		return TD_DROP_SOURCE_UNSET;
	if (type_known) {
		td_packet_source(packet, &from);
		verdict = td_source_lock_check(&cold->lock, &worker->candidates[packet->stream],
					       &from, header->ssrc, header->sequence, rx->last_ns,
					       now_ns);
	}
	switch (verdict) {
	case TD_LOCK_ACCEPT: return PASSED;
	case TD_LOCK_ADOPT: on_adopted(worker, packet->stream, packet, header); return PASSED;
	case TD_LOCK_PROBATION: return TD_DROP_RTP_SEQUENCE;
	case TD_LOCK_NO_REMOTE: return TD_DROP_SOURCE_UNSET;
	case TD_LOCK_MISMATCH: break;
	}
	rx->strict = td_source_lock_is_final(&cold->lock, now_ns); // the next one is known sooner
	return TD_DROP_SOURCE_MISMATCH;
}

// RFC 3550 A.8 over audio packets only: an event keeps the timestamp of its beginning.
static void count_time(struct td_stream_rx *rx, struct td_stream_cold *cold,
		       const struct td_forward *fw, uint64_t now_ns)
{
	uint32_t arrival = td_media_arrival(cold->clock_khz, now_ns);

	if (fw->verdict == TD_RTP_FRESH)
		cold->source.timed = false;
	if (fw->kind != TD_PAYLOAD_AUDIO)
		return;
	if (cold->source.timed)
		td_rtp_source_time(&rx->source, fw->timestamp, arrival);
	else
		td_rtp_source_time_first(&rx->source, fw->timestamp, arrival);
	cold->source.timed = true;
}

static int check_sequence(struct td_media_worker *worker, uint32_t stream, struct td_forward *fw,
			  uint64_t now_ns)
{
	struct td_stream_rx *rx = &worker->streams[stream].rx;
	struct td_stream_cold *cold = &worker->cold[stream];
	enum td_rtp_verdict verdict =
		td_rtp_source_update(&rx->source, &cold->source, fw->ssrc, fw->sequence);

	if (verdict == TD_RTP_DUPLICATE)
		return TD_DROP_RTP_DUPLICATE;
	if (verdict == TD_RTP_PROBATION)
		return TD_DROP_RTP_SEQUENCE;
	fw->verdict = (uint8_t)verdict;
	count_time(rx, cold, fw, now_ns);
	rx->last_ns = now_ns;
	rx->octets += fw->payload_len;
	rx->packets++;
	if (cold->first_rx_ns == 0)
		cold->first_rx_ns = now_ns;
	return PASSED;
}

static void announce(struct td_media_worker *worker, uint32_t stream, uint64_t now_ns)
{
	struct td_stream_rx *rx = &worker->streams[stream].rx;
	struct td_stream_cold *cold = &worker->cold[stream];
	struct td_event event = { .kind = TD_EVENT_STREAM_ACTIVE };

	event.u.stream_active.stream = cold->id;
	event.u.stream_active.source = cold->lock.accepted;
	if (td_media_event(worker, &event, now_ns, true) != 0)
		return; // control's ring is full: the next packet tries again
	rx->flags |= TD_RX_ACTIVE;
	td_media_mirror(worker, stream);
}

// The short path may take the next packet when none of this file's questions is open and it has
// one listener.
static void set_steady(struct td_stream_rx *rx, const struct td_stream_cold *cold)
{
	bool steady = (rx->flags & (TD_RX_IPV6 | TD_RX_ACTIVE)) == TD_RX_ACTIVE &&
		      cold->source.timed && rx->sink < TD_SINK_FANOUT &&
		      (cold->clock_khz == 8 || cold->clock_khz == 48);

	rx->flags = (uint8_t)((rx->flags & ~TD_RX_STEADY) | (steady ? TD_RX_STEADY : 0u));
}

static void fill(struct td_forward *fw, struct td_packet *packet,
		 const struct td_rtp_header *header, enum td_payload_kind kind)
{
	fw->packet = packet;
	fw->ssrc = header->ssrc;
	fw->timestamp = header->timestamp;
	fw->sequence = header->sequence;
	fw->payload_len = header->payload_len;
	fw->kind = (uint8_t)kind;
	fw->marker = header->marker;
}

static bool payload_kind(const struct td_stream_rx *rx, const struct td_stream_cold *cold,
			 uint8_t payload_type, enum td_payload_kind *kind)
{
	*kind = payload_type == rx->event_payload_type     ? TD_PAYLOAD_EVENT
		: payload_type == cold->cn_payload_type_rx ? TD_PAYLOAD_NOISE
							   : TD_PAYLOAD_AUDIO;
	return *kind != TD_PAYLOAD_AUDIO || payload_type == rx->payload_type;
}

static int admit(struct td_media_worker *worker, struct td_packet *packet, uint64_t now_ns,
		 struct td_forward *fw, struct td_rtp_header *header)
{
	const struct td_stream_rx *rx = &worker->streams[packet->stream].rx;
	enum td_payload_kind kind;
	int reason = check_shape(packet, header);
	bool known;

	if (reason != PASSED)
		return reason;
	known = payload_kind(rx, &worker->cold[packet->stream], header->payload_type, &kind);
	reason = check_source(worker, packet, header, known, now_ns);
	if (reason != PASSED)
		return reason;
	fill(fw, packet, header, kind);
	return check_sequence(worker, packet->stream, fw, now_ns);
}

bool td_media_admit(struct td_media_worker *worker, struct td_packet *packet, uint64_t now_ns,
		    struct td_forward *fw)
{
	struct td_stream_rx *rx = &worker->streams[packet->stream].rx;
	struct td_rtp_header header;
	int reason;

	if (!(rx->flags & TD_RX_LIVE) && worker->cold[packet->stream].in_transit) {
		td_transit_park(worker, packet);
		return false;
	}
	if (!(rx->flags & TD_RX_LIVE)) {
		td_media_drop(worker, packet->mbuf, TD_DROP_PORT_CLOSED);
		return false;
	}
	if (rx->flags & TD_RX_TAPPED)
		td_fork_packet_in(worker, packet, now_ns);
	if ((rx->flags & TD_RX_MUX) && packet->payload_len > 1 && packet->payload[0] >> 6 == 2 &&
	    td_rtp_is_rtcp(packet->payload[1])) {
		td_media_rtcp_one(worker, packet, now_ns);
		return false;
	}
	reason = admit(worker, packet, now_ns, fw, &header);
	if (reason != PASSED) {
		td_media_refuse(worker, packet, (enum td_drop)reason);
		return false;
	}
	if (!(rx->flags & TD_RX_ACTIVE))
		announce(worker, packet->stream, now_ns);
	set_steady(rx, &worker->cold[packet->stream]);
	fw->sink = rx->sink;
	if (fw->kind == TD_PAYLOAD_AUDIO && td_level_is_turn(packet))
		td_level_keep(worker, packet->stream, packet->payload + header.payload_offset,
			      fw->payload_len);
	if (rx->flags & TD_RX_TAPPED)
		td_media_tap(worker, fw, packet->payload + header.payload_offset, now_ns);
	if (fw->kind == TD_PAYLOAD_EVENT)
		td_digits_packet(worker, fw, packet->payload + header.payload_offset, now_ns);
	if (rx->flags & TD_RX_INLET)
		td_media_inlet_put(worker, fw, packet->payload + header.payload_offset, now_ns);
	if (fw->sink < TD_SINK_INLET ||
	    (fw->sink == TD_SINK_FANOUT && worker->cold[packet->stream].sink_count > 0))
		return true;
	if (rx->flags & (TD_RX_TAPPED | TD_RX_INLET)) {
		worker->stats->consumed++; // it was for the recorder, or for a mix
		rte_pktmbuf_free(packet->mbuf);
	} else {
		td_media_drop(worker, packet->mbuf, TD_DROP_NO_LISTENER);
	}
	return false;
}
