#include "media/fork_taps.h"

#include <string.h>

#include "rtp/header.h"
#include "td_assert.h"

#define UDP_BYTES  8u
#define IPV6_BYTES 40u

static struct td_tap_record *reserve(struct td_media_worker *worker, uint32_t payload_len)
{
	struct td_tap_record *record = td_tap_reserve(worker->fork_ring, payload_len);

	if (record == NULL)
		worker->stats->fork_lost++;
	return record;
}

void td_fork_payload(struct td_media_worker *worker, const struct td_forward *fw,
		     const uint8_t *payload, uint64_t now_ns)
{
	const struct td_stream_taps *taps = td_stream_taps_of(worker, fw->packet->stream);
	uint8_t codec = fw->kind != TD_PAYLOAD_AUDIO ? TD_CODEC_NONE
						     : worker->streams[fw->packet->stream].rx.codec;

	for (unsigned i = 0; i < taps->fork_count; i++) {
		struct td_tap_record *record;

		if (taps->forks[i].capture)
			continue;
		record = reserve(worker, fw->payload_len);
		if (record == NULL)
			return;
		record->flags = 0;
		record->arrival_ns = now_ns;
		record->tap = taps->forks[i].index;
		record->ssrc = fw->ssrc;
		record->timestamp = fw->timestamp;
		record->sequence = fw->sequence;
		record->payload_len = fw->payload_len;
		record->side = taps->forks[i].track;
		record->codec = codec;
		record->marker = fw->marker;
		record->kind = fw->kind == TD_PAYLOAD_EVENT ? TD_TAP_EVENT : TD_TAP_AUDIO;
		memcpy(record->payload, payload, fw->payload_len);
		td_tap_commit(worker->fork_ring);
	}
}

// A packet that was opened is shorter than its headers say. Its checksum is none, where it may be.
static void mend_lengths(uint8_t *frame, const struct td_packet *packet)
{
	uint8_t *l3 = frame + packet->l2_len, *udp = l3 + packet->l3_len;
	uint16_t udp_len = (uint16_t)(packet->payload_len + UDP_BYTES);
	uint16_t l3_len = (uint16_t)(udp_len + packet->l3_len);

	if (td_rtp_load16(udp + 4) == udp_len)
		return;
	td_rtp_store16(udp + 4, udp_len);
	if (packet->family == TD_FAMILY_IPV4) {
		td_rtp_store16(udp + 6, 0);
		td_rtp_store16(l3 + 2, l3_len);
	} else {
		td_rtp_store16(l3 + 4, (uint16_t)(l3_len - IPV6_BYTES));
	}
}

static bool take_frame(struct td_media_worker *worker, uint32_t fork, uint32_t side,
		       enum td_tap_kind kind, const uint8_t *frame, uint32_t len,
		       const struct td_packet *opened, uint64_t now_ns)
{
	uint32_t taken = len < TD_RTP_PAYLOAD_MAX ? len : TD_RTP_PAYLOAD_MAX;
	struct td_tap_record *record = reserve(worker, taken);

	if (record == NULL)
		return false;
	record->arrival_ns = now_ns;
	record->tap = fork;
	record->side = (uint8_t)side;
	record->kind = (uint8_t)kind;
	record->flags = 0;
	record->offered = (uint16_t)len;
	record->payload_len = (uint16_t)taken;
	memcpy(record->payload, frame, record->payload_len);
	if (opened != NULL)
		mend_lengths(record->payload, opened);
	td_tap_commit(worker->fork_ring);
	return true;
}

// `opened`: a packet that came, and may have been opened; NULL: one that goes.
static void capture(struct td_media_worker *worker, uint32_t stream, enum td_tap_kind kind,
		    const uint8_t *frame, uint32_t len, const struct td_packet *opened,
		    uint64_t now_ns)
{
	const struct td_stream_taps *taps = td_stream_taps_of(worker, stream);
	uint32_t context = td_handle_index(worker->cold[stream].context.v);

	if (taps->hush)
		return; // what is private is nobody's, in neither direction
	if (taps->captured && !take_frame(worker, worker->contexts[context].capture, 0, kind, frame,
					  len, opened, now_ns))
		return;
	for (unsigned i = 0; i < taps->fork_count; i++)
		if (taps->forks[i].capture &&
		    !take_frame(worker, taps->forks[i].index, taps->forks[i].track, kind, frame,
				len, opened, now_ns))
			return;
}

static bool is_captured(const struct td_stream_taps *taps)
{
	return taps->capture_count > 0 || taps->captured;
}

void td_fork_packet_in(struct td_media_worker *worker, const struct td_packet *packet,
		       uint64_t now_ns)
{
	const uint8_t *frame = packet->l3 - packet->l2_len;

	if (is_captured(td_stream_taps_of(worker, packet->stream)))
		capture(worker, packet->stream, TD_TAP_FRAME_IN, frame,
			(uint32_t)(packet->payload + packet->payload_len - frame), packet, now_ns);
}

void td_fork_packet_out(struct td_media_worker *worker, uint32_t stream,
			const struct rte_mbuf *mbuf, uint64_t now_ns)
{
	capture(worker, stream, TD_TAP_FRAME_OUT, rte_pktmbuf_mtod(mbuf, const uint8_t *),
		mbuf->data_len, NULL, now_ns);
}

static void set_flags(struct td_media_worker *worker, uint32_t stream)
{
	struct td_stream_rx *rx = &worker->streams[stream].rx;
	struct td_stream_tx *tx = td_media_tx(worker, stream);
	const struct td_stream_taps *taps = td_stream_taps_of(worker, stream);
	bool tapped = taps->count > 0 || taps->fork_count > 0 || taps->captured;

	rx->flags = (uint8_t)((rx->flags & ~(TD_RX_TAPPED | TD_RX_STEADY)) |
			      (tapped ? TD_RX_TAPPED : 0u));
	tx->flags = (uint8_t)((tx->flags & ~TD_TX_CAPTURED) |
			      (is_captured(taps) ? TD_TX_CAPTURED : 0u));
}

void td_fork_attach(struct td_media_worker *worker, uint32_t stream,
		    const struct td_change_fork *fork)
{
	struct td_stream_taps *taps = td_stream_taps_begin(worker, stream);

	TD_ASSERT(taps->fork_count < TD_FORKS_PER_STREAM); // main has made sure
	taps->forks[taps->fork_count++] =
		(struct td_stream_fork){ .index = (uint16_t)td_handle_index(fork->id.v),
					 .track = fork->track,
					 .capture = fork->capture };
	taps->capture_count += fork->capture;
	set_flags(worker, stream);
}

void td_fork_detach(struct td_media_worker *worker, uint32_t stream,
		    const struct td_change_fork *fork)
{
	struct td_stream_taps *taps = td_stream_taps_of(worker, stream);
	uint32_t at = 0;

	while (at < taps->fork_count && taps->forks[at].index != td_handle_index(fork->id.v))
		at++;
	TD_ASSERT(at < taps->fork_count);
	taps->capture_count -= taps->forks[at].capture;
	taps->forks[at] = taps->forks[--taps->fork_count];
	set_flags(worker, stream);
}

void td_fork_follow(struct td_media_worker *worker, uint32_t stream, bool on)
{
	td_stream_taps_begin(worker, stream)->captured = on;
	set_flags(worker, stream);
}
