// What control and operators see of a stream: totals carried over, written under the mirror's lock.
#include "media/worker_state.h"

#define US_PER_MS 1000u

static void fill_playout(const struct td_playout *playout, struct td_stream_stats *stats)
{
	uint32_t samples_per_ms = playout->rate_hz / 1000u;
	struct td_playout_stats played;

	td_playout_stats(playout, &played);
	stats->played_ms = (uint32_t)(played.played_samples / samples_per_ms);
	stats->concealed_ms = (uint32_t)(played.concealed_samples / samples_per_ms);
	stats->rx_discarded = (uint32_t)(played.late + played.overflows + played.refused);
	stats->playout_delay_ms = (uint16_t)(played.delay_us / 1000u);
}

void td_media_fill_stats(const struct td_media_worker *worker, uint32_t stream,
			 struct td_stream_stats *stats)
{
	const struct td_stream *hot = &worker->streams[stream];
	const struct td_stream_tx *tx = td_media_tx(worker, stream);
	struct td_stream_cold *cold = &worker->cold[stream];
	const struct td_rtp_source *source = &hot->rx.source;

	memset(stats, 0, sizeof *stats);
	stats->rx_packets = hot->rx.packets;
	stats->rx_bytes = td_carry_update(&cold->rx_octets, hot->rx.octets);
	stats->tx_packets = tx->packets;
	stats->tx_bytes = td_carry_update(&cold->tx_octets, tx->octets);
	stats->rx_expected = td_rtp_source_expected(source, &cold->source);
	stats->rx_lost =
		(int32_t)(stats->rx_expected - td_rtp_source_received(source, &cold->source));
	stats->rx_reordered = cold->source.reordered;
	stats->rx_duplicates = cold->source.duplicates;
	stats->rx_wrong_source = td_carry_update(&cold->strangers, worker->strangers[stream]);
	stats->rx_unexpected = cold->refused.unexpected;
	stats->rx_probation = cold->refused.probation;
	stats->rx_payload_type = cold->refused.payload_type;
	stats->rx_malformed = cold->refused.malformed;
	stats->rtcp_wrong_source = cold->refused.rtcp_wrong_source;
	stats->rtcp_malformed = cold->refused.rtcp_malformed;
	stats->rx_ssrc_changes = cold->source.ssrc_changes;
	stats->first_rx_ns = cold->first_rx_ns;
	stats->last_rx_ns = hot->rx.last_ns;
	stats->rx_jitter_us = (source->jitter_q4 >> 4) * US_PER_MS / cold->clock_khz;
	stats->rx_jitter_max_us = (source->jitter_max_q4 >> 4) * US_PER_MS / cold->clock_khz;
	stats->rx_ssrc = source->ssrc;
	stats->tx_ssrc = tx->ssrc;
	stats->rtt_us = cold->rtt_us;
	stats->remote_jitter_us = cold->remote_jitter_us;
	stats->remote_lost = cold->remote_lost;
	stats->remote_fraction_lost = cold->remote_fraction_lost;
	stats->rtcp_rx = cold->rtcp_rx;
	stats->rtcp_tx = cold->rtcp_tx;
	stats->rx_srtp_bad_tag = cold->srtp_bad_tag;
	stats->rx_srtp_replayed = cold->srtp_replayed;
	stats->rx_srtp_no_key = cold->srtp_no_key;
	stats->tx_srtp_refused = cold->srtp_refused;
#ifndef TD_WITHOUT_QUALITY
	td_quality_fill(worker, stream, &stats->quality);
#endif
	if (hot->rx.flags & TD_RX_INLET)
		fill_playout(&td_lets_inlet(worker->lets, cold->inlet)->playout, stats);
}

// Each only grows, so an equal sum says that none has moved: between two sweeps none by near 2^32.
static uint32_t activity(const struct td_media_worker *worker, uint32_t stream)
{
	const struct td_stream *hot = &worker->streams[stream];
	const struct td_stream_tx *tx = td_media_tx(worker, stream);
	const struct td_stream_cold *cold = &worker->cold[stream];

	return hot->rx.packets + tx->packets + cold->source.duplicates + worker->strangers[stream] +
	       cold->refusals + cold->rtcp_rx + cold->rtcp_tx + cold->srtp_bad_tag +
	       cold->srtp_replayed + cold->srtp_no_key + cold->srtp_refused;
}

bool td_media_mirror_is_current(const struct td_media_worker *worker, uint32_t stream)
{
	return activity(worker, stream) == worker->cold[stream].mirrored;
}

void td_media_mirror(struct td_media_worker *worker, uint32_t stream)
{
	const struct td_stream *hot = &worker->streams[stream];
	struct td_stream_cold *cold = &worker->cold[stream];
	const struct td_stream_tx *tx = td_media_tx(worker, stream);
	struct td_stream_mirror *mirror = &worker->mirrors[stream];
	struct td_stream_stats stats;

	td_media_fill_stats(worker, stream, &stats);
	cold->mirrored = activity(worker, stream);
	td_mirror_write_begin(&mirror->lock);
	mirror->id = cold->id;
	mirror->context = cold->context;
	mirror->worker = (uint8_t)worker->index;
	mirror->owner = cold->owner;
	mirror->local = td_stream_local(cold, worker->neighbours->locals);
	mirror->remote = *td_stream_remote(cold);
	mirror->codec = hot->rx.codec;
	mirror->hears = cold->hears;
	mirror->ptime_ms = cold->ptime_ms;
	mirror->payload_type = tx->payload_type;
	mirror->event_payload_type = tx->event_payload_type;
	mirror->source_locked = hot->rx.key != 0;
	td_protection_show(worker, stream, mirror);
	mirror->stats = stats;
	td_mirror_write_end(&mirror->lock);
}

void td_media_mirror_clear(struct td_media_worker *worker, uint32_t stream)
{
	struct td_stream_mirror *mirror = &worker->mirrors[stream];

	td_mirror_write_begin(&mirror->lock);
	mirror->id.v = 0;
	td_mirror_write_end(&mirror->lock);
}
