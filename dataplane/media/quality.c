// Once a second: what a stream's numbers say about how it is heard.
#include "media/quality.h"

#include <math.h>

#include "codecs/emodel.h"
#include "media/worker_state.h"

#define SECOND_NS     1000000000ull
#define MS            1000000u // ns
#define PLAYOUT_MS    40u      // a frame and a usual receiver's jitter buffer, where it is not ours
#define RATED_PACKETS 50u      // the least a rating is made of

// RFC 3611 section 4.7.6
#define PLC_ENHANCED  0x80u
#define JITTER_ADAPTS 0x30u

static uint32_t jitter_ms(const struct td_stream *hot, const struct td_stream_cold *cold)
{
	return (hot->rx.source.jitter_q4 >> 4) / cold->clock_khz;
}

static const struct td_playout *playout_of(const struct td_media_worker *worker, uint32_t stream)
{
	if (!(worker->streams[stream].rx.flags & TD_RX_INLET))
		return NULL;
	return &td_lets_inlet(worker->lets, worker->cold[stream].inlet)->playout;
}

// From the network to the ear: packets' length, and what evens out their arrival.
static uint32_t end_system_ms(const struct td_media_worker *worker, uint32_t stream)
{
	const struct td_stream_cold *cold = &worker->cold[stream];
	const struct td_playout *playout = playout_of(worker, stream);
	struct td_playout_stats played;

	if (playout == NULL)
		return PLAYOUT_MS + 2 * jitter_ms(&worker->streams[stream], cold);
	td_playout_stats(playout, &played);
	return cold->ptime_ms + played.delay_us / 1000u;
}

static uint16_t clamp16(uint64_t value)
{
	return value > UINT16_MAX ? UINT16_MAX : (uint16_t)value;
}

static uint8_t of_256(uint64_t part, uint64_t whole)
{
	uint64_t share = whole == 0 ? 0 : part * 256u / whole;

	return share > UINT8_MAX ? UINT8_MAX : (uint8_t)share;
}

static double rating(const struct td_media_worker *worker, uint32_t stream, double loss_percent,
		     double delay_ms)
{
	const struct td_stream *hot = &worker->streams[stream];
	struct td_emodel_input input = { .loss_percent = loss_percent, .delay_ms = delay_ms };
	struct td_loss loss;
	uint32_t packets;

	td_rtp_source_losses(&hot->rx.source, &worker->cold[stream].source, &loss, &packets);
	input.burst_ratio = td_loss_burst_ratio(&loss, packets);
	// What is only forwarded may meet a receiver that conceals nothing.
	input.codec = td_emodel_codec_get((enum td_codec_id)hot->rx.codec,
					  (hot->rx.flags & TD_RX_INLET) != 0);
	return td_emodel_r(&input);
}

// The last seconds together: one lost packet is two per cent of one second alone.
static void rate(struct td_media_worker *worker, uint32_t stream)
{
	struct td_measure *measure = &worker->cold[stream].measure;
	uint32_t expected = 0, bad = 0;
	double r, loss;

	for (uint32_t i = 0; i < TD_QUALITY_SECONDS; i++) {
		expected += measure->window_expected[i];
		bad += measure->window_bad[i];
	}
	if (expected < RATED_PACKETS)
		return;
	loss = 100.0 * bad / expected;
	r = rating(worker, stream, loss, measure->delay_ms);
	measure->r_factor = (uint8_t)lround(r);
	measure->mos_x100 = (uint16_t)lround(100 * td_emodel_mos(r));
	measure->mos_sum += measure->mos_x100;
	measure->mos_count++;
	if (measure->mos_min_x100 == 0 || measure->mos_x100 < measure->mos_min_x100)
		measure->mos_min_x100 = measure->mos_x100;
}

static void count_losses(struct td_media_worker *worker, uint32_t stream)
{
	struct td_stream_cold *cold = &worker->cold[stream];
	struct td_measure *measure = &cold->measure;
	struct td_loss loss;
	uint32_t packets, bad;

	td_rtp_source_losses(&worker->streams[stream].rx.source, &cold->source, &loss, &packets);
	bad = loss.lost + loss.discarded;
	measure->window_expected[measure->window_at] = clamp16(packets - measure->expected);
	// What was only late has come back since.
	measure->window_bad[measure->window_at] =
		bad > measure->bad ? clamp16(bad - measure->bad) : 0;
	if (packets != measure->expected)
		rate(worker, stream);
	measure->window_at = (uint8_t)((measure->window_at + 1u) % TD_QUALITY_SECONDS);
	measure->expected = packets;
	measure->bad = bad;
}

// It was sent media in this second, and none came.
static void count_direction(struct td_measure *measure, uint32_t rx_packets, uint32_t tx_packets,
			    uint32_t passed_ms)
{
	if (rx_packets != measure->rx_packets) {
		measure->one_way_now_ms = 0;
	} else if (tx_packets != measure->tx_packets) {
		measure->one_way_ms += passed_ms;
		measure->one_way_now_ms += passed_ms;
	}
	measure->rx_packets = rx_packets;
	measure->tx_packets = tx_packets;
}

void td_quality_second(struct td_media_worker *worker, uint32_t stream, uint64_t now_ns)
{
	const struct td_stream *hot = &worker->streams[stream];
	struct td_stream_cold *cold = &worker->cold[stream];
	struct td_measure *measure = &cold->measure;
	uint64_t passed_ns = now_ns - measure->seen_ns;

	// The sweep comes by about so often; once too early is only another second.
	if (passed_ns < SECOND_NS / 2)
		return;
	if (measure->seen_ns == 0)
		passed_ns = 0;
	measure->seen_ns = now_ns;
	count_direction(measure, hot->rx.packets, td_media_tx(worker, stream)->packets,
			(uint32_t)(passed_ns / MS));
	measure->delay_ms = clamp16(cold->rtt_us / 2000u + end_system_ms(worker, stream));
	if (hot->rx.packets != 0 && measure->delay_ms > measure->delay_max_ms)
		measure->delay_max_ms = measure->delay_ms;
	if (cold->rtt_us > measure->rtt_max_us)
		measure->rtt_max_us = cold->rtt_us;
	count_losses(worker, stream);
}

static void fill_losses(const struct td_media_worker *worker, uint32_t stream,
			struct td_quality *out)
{
	const struct td_stream_cold *cold = &worker->cold[stream];
	struct td_loss_summary summary;
	struct td_loss loss;
	uint32_t packets;

	td_rtp_source_losses(&worker->streams[stream].rx.source, &cold->source, &loss, &packets);
	td_loss_summarize(&loss, packets, &summary);
	out->bursts = summary.bursts;
	out->burst_lost = summary.burst_lost;
	out->gap_lost = summary.gap_lost;
	out->burst_ms =
		clamp16(summary.bursts == 0 ? 0
					    : (uint64_t)(summary.burst_packets / summary.bursts) *
						      cold->ptime_ms);
	out->gap_ms = summary.gap_packets / summary.gaps * cold->ptime_ms;
	out->burst_density = of_256(summary.burst_lost, summary.burst_packets);
	out->gap_density = of_256(summary.gap_lost, summary.gap_packets);
}

void td_quality_fill(const struct td_media_worker *worker, uint32_t stream, struct td_quality *out)
{
	const struct td_stream_cold *cold = &worker->cold[stream];
	const struct td_measure *measure = &cold->measure;
	const struct td_level *level = &worker->streams[stream].level;

	*out = (struct td_quality){
		.level_dbm0 = td_level_dbm0(level->talk_energy, level->talk_ms),
		.noise_dbm0 = td_level_dbm0(level->quiet_energy, level->quiet_ms),
		.measured_ms = level->talk_ms + level->quiet_ms,
		.talk_ms = level->talk_ms,
		.double_talk_ms = level->double_talk_ms,
		.clipped_ms = level->clipped_ms,
		.one_way_ms = measure->one_way_ms,
		.one_way_now_ms = measure->one_way_now_ms,
		.rtt_max_us =
			cold->rtt_us > measure->rtt_max_us ? cold->rtt_us : measure->rtt_max_us,
		.delay_ms = measure->delay_ms,
		.delay_max_ms = measure->delay_max_ms,
		.mos_x100 = measure->mos_x100,
		.mos_min_x100 = measure->mos_min_x100,
		.r_factor = measure->r_factor,
		.xr_received = measure->xr_received,
		.remote_bye = cold->remote_bye,
		.remote = measure->remote,
	};
	if (measure->mos_count > 0)
		out->mos_avg_x100 = (uint16_t)(measure->mos_sum / measure->mos_count);
	fill_losses(worker, stream, out);
}

static uint8_t mos_x10(double r)
{
	return (uint8_t)lround(10 * td_emodel_mos(r));
}

static void rate_voip(const struct td_media_worker *worker, uint32_t stream,
		      const struct td_loss *loss, uint32_t packets, struct td_voip_metrics *out)
{
	double loss_percent = 100.0 * (loss->lost + (double)loss->discarded) / (double)packets;
	double r = rating(worker, stream, loss_percent, worker->cold[stream].measure.delay_ms);

	out->r_factor = (uint8_t)lround(r);
	out->mos_cq_x10 = mos_x10(r);
	out->mos_lq_x10 = mos_x10(rating(worker, stream, loss_percent, 0));
}

void td_quality_voip(const struct td_media_worker *worker, uint32_t stream,
		     struct td_voip_metrics *out)
{
	const struct td_stream_cold *cold = &worker->cold[stream];
	const struct td_playout *playout = playout_of(worker, stream);
	struct td_playout_stats played;
	struct td_quality quality;
	struct td_loss loss;
	uint32_t packets;

	td_quality_fill(worker, stream, &quality);
	td_rtp_source_losses(&worker->streams[stream].rx.source, &cold->source, &loss, &packets);
	*out = (struct td_voip_metrics){
		.ssrc = worker->streams[stream].rx.source.ssrc,
		.loss_rate = of_256(loss.lost, packets),
		.discard_rate = of_256(loss.discarded, packets),
		.burst_density = quality.burst_density,
		.gap_density = quality.gap_density,
		.burst_ms = quality.burst_ms,
		.gap_ms = clamp16(quality.gap_ms),
		.round_trip_ms = clamp16(cold->rtt_us / 1000u),
		.end_system_ms = clamp16(end_system_ms(worker, stream)),
		.signal_dbm0 = quality.level_dbm0,
		.noise_dbm0 = quality.noise_dbm0,
		.rerl_db = TD_LEVEL_UNKNOWN,
		.gmin = TD_GMIN,
		.r_factor = TD_RATING_UNKNOWN,
		.external_r_factor = TD_RATING_UNKNOWN,
		.mos_lq_x10 = TD_RATING_UNKNOWN,
		.mos_cq_x10 = TD_RATING_UNKNOWN,
	};
	if (packets >= RATED_PACKETS)
		rate_voip(worker, stream, &loss, packets, out);
	if (playout == NULL)
		return;
	td_playout_stats(playout, &played);
	out->receiver_config = PLC_ENHANCED | JITTER_ADAPTS;
	out->jitter_nominal_ms = clamp16(played.target_us / 1000u);
	out->jitter_max_ms = clamp16(played.delay_us / 1000u);
	out->jitter_absolute_ms = TD_PLAYOUT_DELAY_MAX_MS;
}
