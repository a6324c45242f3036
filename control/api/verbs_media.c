// Verbs about media: what the dataplane's shared region shows, live.
#include <math.h>

#include "api/core.h"
#include "api/describe.h"
#include "api/verbs.h"
#include "link/link.h"
#include "td_codec_id.h"
#include "td_stats.h"

#define NS_PER_MS 1000000u

static TD_CONTROL const struct td_region *region_of(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	const struct td_region *region = td_link_region(api->deps.link);

	if (!region)
		td_rpc_fail(call, TD_RPC_UNAVAILABLE, "the dataplane is not connected");
	return region;
}

// Milliseconds since then, null when it never was.
static json_t *since_ms(uint64_t then_ns)
{
	uint64_t now_ns = uv_hrtime();

	if (then_ns == 0)
		return json_null();
	return td_describe_count(now_ns > then_ns ? (now_ns - then_ns) / NS_PER_MS : 0);
}

static json_t *describe_received(const struct td_stream_stats *stats)
{
	double lost = stats->rx_lost > 0 && stats->rx_expected > 0
			      ? 100.0 * (double)stats->rx_lost / (double)stats->rx_expected
			      : 0;

	return json_pack("{s:o, s:o, s:o, s:I, s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "packets", td_describe_count(stats->rx_packets), "bytes",
			 td_describe_count(stats->rx_bytes), "expected",
			 td_describe_count(stats->rx_expected), "lost", (json_int_t)stats->rx_lost,
			 "lost_percent", lost, "reordered", td_describe_count(stats->rx_reordered),
			 "duplicates", td_describe_count(stats->rx_duplicates), "wrong_source",
			 td_describe_count(stats->rx_wrong_source), "jitter_us",
			 td_describe_count(stats->rx_jitter_us), "jitter_max_us",
			 td_describe_count(stats->rx_jitter_max_us), "ssrc_changes",
			 td_describe_count(stats->rx_ssrc_changes), "first_ms_ago",
			 since_ms(stats->first_rx_ns), "last_ms_ago", since_ms(stats->last_rx_ns));
}

// What was not let in, by reason: nothing of it has reached anybody, or moved the source.
static json_t *describe_refused(const struct td_stream_stats *stats)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "wrong_source",
			 td_describe_count(stats->rx_wrong_source), "unexpected",
			 td_describe_count(stats->rx_unexpected), "probation",
			 td_describe_count(stats->rx_probation), "payload_type",
			 td_describe_count(stats->rx_payload_type), "malformed",
			 td_describe_count(stats->rx_malformed), "rtcp_wrong_source",
			 td_describe_count(stats->rtcp_wrong_source), "rtcp_malformed",
			 td_describe_count(stats->rtcp_malformed));
}

static json_t *describe_sent(const struct td_stream_stats *stats)
{
	return json_pack("{s:o, s:o}", "packets", td_describe_count(stats->tx_packets), "bytes",
			 td_describe_count(stats->tx_bytes));
}

// What the peer reports of what we send it (RFC 3550 section 6.4.1).
static json_t *describe_reported(const struct td_stream_stats *stats)
{
	if (stats->rtcp_rx == 0)
		return json_null();
	return json_pack("{s:o, s:I, s:o, s:f, s:o}", "reports", td_describe_count(stats->rtcp_rx),
			 "lost", (json_int_t)stats->remote_lost, "jitter_us",
			 td_describe_count(stats->remote_jitter_us), "lost_percent",
			 stats->remote_fraction_lost * 100.0 / 256.0, "rtt_us",
			 stats->rtt_us ? td_describe_count(stats->rtt_us) : json_null());
}

// What was made of what it sends us, where it was decoded here.
static json_t *describe_playout(const struct td_stream_stats *stats)
{
	if (stats->played_ms == 0 && stats->concealed_ms == 0)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:o}", "played_ms", td_describe_count(stats->played_ms),
			 "concealed_ms", td_describe_count(stats->concealed_ms), "discarded",
			 td_describe_count(stats->rx_discarded), "delay_ms",
			 td_describe_count(stats->playout_delay_ms));
}

static json_t *describe_suite(unsigned suite)
{
	return suite == TD_SRTP_NONE ? json_null() : json_string(td_srtp_suite_shape(suite)->name);
}

// By direction, since each has its own keys; null where neither has any nor has to.
static json_t *describe_srtp(const struct td_stream_mirror *mirror)
{
	const struct td_stream_stats *stats = &mirror->stats;

	if (mirror->srtp_rx_suite == TD_SRTP_NONE && mirror->srtp_tx_suite == TD_SRTP_NONE &&
	    !mirror->protected)
		return json_null();
	return json_pack("{s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "received",
			 describe_suite(mirror->srtp_rx_suite), "sent",
			 describe_suite(mirror->srtp_tx_suite), "required", mirror->protected != 0,
			 "received_rollover", td_describe_count(mirror->srtp_rx_rollover),
			 "sent_rollover", td_describe_count(mirror->srtp_tx_rollover), "bad_tag",
			 td_describe_count(stats->rx_srtp_bad_tag), "replayed",
			 td_describe_count(stats->rx_srtp_replayed), "no_key",
			 td_describe_count(stats->rx_srtp_no_key), "not_sent",
			 td_describe_count(stats->tx_srtp_refused));
}

// What is not known is null: a MOS of 0, a level of 127.
static json_t *rating(unsigned x100)
{
	return x100 == 0 ? json_null() : json_real(x100 / 100.0);
}

static json_t *level(int dbm0)
{
	return dbm0 == TD_LEVEL_UNKNOWN ? json_null() : json_integer(dbm0);
}

static json_t *tenths(unsigned x10)
{
	return x10 == TD_RATING_UNKNOWN ? json_null() : json_real(x10 / 10.0);
}

// The far end's RTCP XR (RFC 3611 section 4.7) about what we send it.
static json_t *describe_remote(const struct td_quality *quality)
{
	const struct td_quality_remote *remote = &quality->remote;

	if (!quality->xr_received)
		return json_null();
	return json_pack(
		"{s:f, s:f, s:f, s:f, s:i, s:i, s:i, s:i, s:o, s:o, s:o, s:o, s:o}", "lost_percent",
		remote->loss_rate / 2.56, "discarded_percent", remote->discard_rate / 2.56,
		"burst_density_percent", remote->burst_density / 2.56, "gap_density_percent",
		remote->gap_density / 2.56, "burst_ms", remote->burst_ms, "gap_ms", remote->gap_ms,
		"round_trip_ms", remote->round_trip_ms, "end_system_ms", remote->end_system_ms,
		"level_dbm0", level(remote->signal_dbm0), "noise_dbm0", level(remote->noise_dbm0),
		"r",
		remote->r_factor == TD_RATING_UNKNOWN ? json_null()
						      : json_integer(remote->r_factor),
		"mos_lq", tenths(remote->mos_lq_x10), "mos_cq", tenths(remote->mos_cq_x10));
}

static json_t *describe_quality(const struct td_quality *quality)
{
	return json_pack(
		"{s:o, s:o, s:o, s:o, s:i, s:i, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:o, s:o,"
		" s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o}",
		"mos", rating(quality->mos_x100), "mos_min", rating(quality->mos_min_x100),
		"mos_avg", rating(quality->mos_avg_x100), "r",
		quality->mos_x100 ? json_integer(quality->r_factor) : json_null(), "delay_ms",
		quality->delay_ms, "delay_max_ms", quality->delay_max_ms, "bursts",
		(json_int_t)quality->bursts, "burst_lost", (json_int_t)quality->burst_lost,
		"gap_lost", (json_int_t)quality->gap_lost, "burst_ms",
		(json_int_t)quality->burst_ms, "gap_ms", (json_int_t)quality->gap_ms,
		"burst_density_percent", quality->burst_density / 2.56, "gap_density_percent",
		quality->gap_density / 2.56, "level_dbm0", level(quality->level_dbm0), "noise_dbm0",
		level(quality->noise_dbm0), "measured_ms", (json_int_t)quality->measured_ms,
		"talk_ms", (json_int_t)quality->talk_ms, "double_talk_ms",
		(json_int_t)quality->double_talk_ms, "clipped_ms", (json_int_t)quality->clipped_ms,
		"one_way_ms", (json_int_t)quality->one_way_ms, "rtt_max_us",
		(json_int_t)quality->rtt_max_us, "bye", quality->remote_bye, "remote",
		describe_remote(quality));
}

static json_t *describe_stream(const struct td_stream_mirror *mirror)
{
	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"id", td_describe_count(mirror->id.v), "context",
		td_describe_count(mirror->context.v), "worker", td_describe_count(mirror->worker),
		"local", td_describe_endpoint(&mirror->local), "remote",
		td_describe_endpoint(&mirror->remote), "codec",
		td_codec_name((enum td_codec_id)mirror->codec), "payload_type",
		mirror->payload_type == TD_PAYLOAD_TYPE_NONE
			? json_null()
			: td_describe_count(mirror->payload_type),
		"ptime_ms", td_describe_count(mirror->ptime_ms), "hears",
		td_hears_name(mirror->hears), "source_locked", mirror->source_locked != 0, "srtp",
		describe_srtp(mirror), "received", describe_received(&mirror->stats), "refused",
		describe_refused(&mirror->stats), "playout", describe_playout(&mirror->stats),
		"sent", describe_sent(&mirror->stats), "reported",
		describe_reported(&mirror->stats), "quality",
		describe_quality(&mirror->stats.quality));
}

json_t *td_verb_stream_get(struct td_rpc_call *call)
{
	const struct td_region *region = region_of(call);
	uint32_t id = (uint32_t)td_rpc_integer(call, "id", 0), index = td_handle_index(id);
	struct td_stream_mirror mirror;

	if (!region)
		return NULL;
	if (index >= region->stream_count ||
	    td_mirror_read(&region->streams[index], &mirror) != 0 || mirror.id.v != id)
		return td_rpc_fail(call, TD_RPC_NOT_FOUND, "there is no stream %u", id);
	return describe_stream(&mirror);
}

// Only what has happened: forty zeros would hide the one number that matters.
static json_t *describe_drops(const struct td_worker_stats *stats)
{
	json_t *drops = json_object();

	for (int i = 0; i < TD_DROP_COUNT; i++)
		if (stats->drops[i] > 0)
			json_object_set_new(drops, td_drop_name((enum td_drop)i),
					    td_describe_count(stats->drops[i]));
	return drops;
}

static json_t *describe_flow(const struct td_worker_stats *stats)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "rx_packets",
			 td_describe_count(stats->rx_packets), "rx_bytes",
			 td_describe_count(stats->rx_bytes), "tx_packets",
			 td_describe_count(stats->tx_packets), "tx_bytes",
			 td_describe_count(stats->tx_bytes), "forwarded",
			 td_describe_count(stats->forwarded), "originated",
			 td_describe_count(stats->originated), "consumed",
			 td_describe_count(stats->consumed), "steered_out",
			 td_describe_count(stats->steered_out), "steered_in",
			 td_describe_count(stats->steered_in));
}

static TD_CONTROL json_t *describe_worker(const struct td_api *api, unsigned index,
					  const struct td_worker_stats *stats)
{
	const struct td_rate *rate = &api->rates.workers[index];
	json_t *worker = describe_flow(stats);
	json_t *rest = json_pack(
		"{s:o, s:o, s:o, s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
		"worker", td_describe_count(index), "rx_pps", td_describe_count(rate->rx_pps),
		"tx_pps", td_describe_count(rate->tx_pps), "load_percent",
		rate->load_permille / 10.0, "streams", td_describe_count(stats->streams),
		"contexts", td_describe_count(stats->contexts), "players",
		td_describe_count(stats->players), "taps", td_describe_count(stats->taps),
		"heartbeat_ms_ago", since_ms(stats->heartbeat_ns), "ticks",
		td_describe_count(stats->ticks), "tick_late_max_us",
		td_describe_count(stats->tick_late_max_us), "tap_lost",
		td_describe_count(stats->tap_lost), "events_lost",
		td_describe_count(stats->events_lost), "digits_lost",
		td_describe_count(stats->digits_lost), "drops", describe_drops(stats));

	if (!worker || !rest || json_object_update(worker, rest) != 0) {
		json_decref(worker);
		worker = NULL;
	}
	json_decref(rest);
	return worker;
}

// Stages that were entered of late, in the order in which a turn comes to them.
static TD_CONTROL json_t *describe_stages(const struct td_api *api, unsigned index,
					  const struct td_worker_stats *stats)
{
	json_t *stages = json_array();

	for (int i = 0; i < TD_STAGE_COUNT; i++) {
		enum td_stage stage = (enum td_stage)i;
		struct td_stage_cost cost =
			td_rates_stage(&api->rates.workers[index], stage, stats->ticks_per_s);

		// Some take time to find out that there is nothing for them to do.
		if (cost.ns < 0 && cost.busy_percent < 0.05)
			continue;
		json_array_append_new(
			stages,
			json_pack("{s:s, s:o, s:s, s:f, s:I}", "stage", td_stage_name(stage), "ns",
				  cost.ns < 0 ? json_null() : json_real(round(cost.ns * 10) / 10),
				  "of", td_stage_unit(stage), "busy_percent",
				  round(cost.busy_percent * 10) / 10, "timed",
				  (json_int_t)ceil(cost.units)));
	}
	return stages;
}

json_t *td_verb_worker_get(struct td_rpc_call *call)
{
	const struct td_region *region = region_of(call);
	unsigned index = (unsigned)td_rpc_integer(call, "worker", 0);
	json_t *worker;

	if (!region)
		return NULL;
	if (index >= region->worker_count)
		return td_rpc_fail(call, TD_RPC_NOT_FOUND, "there is no worker %u", index);
	worker = describe_worker(call->context, index, &region->workers[index]);
	if (worker)
		json_object_set_new(worker, "stages",
				    describe_stages(call->context, index, &region->workers[index]));
	return worker;
}

json_t *td_verb_worker_list(struct td_rpc_call *call)
{
	const struct td_region *region = region_of(call);
	json_t *workers;

	if (!region)
		return NULL;
	workers = json_array();
	for (unsigned i = 0; i < region->worker_count && i < TD_WORKER_MAX; i++)
		json_array_append_new(workers,
				      describe_worker(call->context, i, &region->workers[i]));
	return json_pack("{s:o}", "workers", workers);
}

static json_t *describe_port(const struct td_port_stats *stats)
{
	char name[TD_PORT_NAME_MAX + 1];
	json_t *gate = json_null();

	snprintf(name, sizeof name, "%.*s", TD_PORT_NAME_MAX, stats->name);
	if (stats->shared)
		gate = json_pack("{s:o, s:o, s:o}", "taken", td_describe_count(stats->gate_taken),
				 "no_queue", td_describe_count(stats->gate_no_queue), "fragments",
				 td_describe_count(stats->gate_fragments));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name", td_describe_text(name),
			 "rx_packets", td_describe_count(stats->rx_packets), "tx_packets",
			 td_describe_count(stats->tx_packets), "rx_missed",
			 td_describe_count(stats->rx_missed), "rx_no_buffer",
			 td_describe_count(stats->rx_no_buffer), "rx_errors",
			 td_describe_count(stats->rx_errors), "tx_errors",
			 td_describe_count(stats->tx_errors), "gate", gate);
}

json_t *td_verb_port_list(struct td_rpc_call *call)
{
	const struct td_region *region = region_of(call);
	json_t *ports;

	if (!region)
		return NULL;
	ports = json_array();
	for (unsigned i = 0; i < region->port_count; i++)
		json_array_append_new(ports, describe_port(&region->ports[i]));
	return json_pack("{s:o}", "ports", ports);
}
