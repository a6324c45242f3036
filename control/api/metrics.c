// The page, family by family: HELP, TYPE, samples (the text exposition format 0.0.4).
#include "api/metrics.h"

#include <inttypes.h>

#include "acd/acd.h"
#include "acd/inspect.h"
#include "call/inspect.h"
#include "link/link.h"
#include "store/store.h"
#include "td_region.h"

#define MS_PER_S 1e3
#define NS_PER_S 1e9

static void family(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void gauge(FILE *out, const char *name, const char *help, double value)
{
	family(out, name, "gauge", help);
	fprintf(out, "%s %.17g\n", name, value);
}

static void counter(FILE *out, const char *name, const char *help, uint64_t value)
{
	family(out, name, "counter", help);
	fprintf(out, "%s %" PRIu64 "\n", name, value);
}

static void seconds(FILE *out, const char *name, const char *help, uint64_t ms)
{
	family(out, name, "counter", help);
	fprintf(out, "%s %.17g\n", name, (double)ms / MS_PER_S);
}

// A label's value: backslash, quote and line feed are escaped.
static void put_label(FILE *out, const char *value)
{
	fputc('"', out);
	for (; *value; value++) {
		if (*value == '\n') {
			fputs("\\n", out);
			continue;
		}
		if (*value == '"' || *value == '\\')
			fputc('\\', out);
		fputc(*value, out);
	}
	fputc('"', out);
}

static void sample(FILE *out, const char *name, const char *label, const char *value, double number)
{
	fprintf(out, "%s{%s=", name, label);
	put_label(out, value);
	fprintf(out, "} %.17g\n", number);
}

static void histogram(FILE *out, const char *name, const char *help,
		      const struct td_histogram *histogram, const double *bounds)
{
	family(out, name, "histogram", help);
	for (int i = 0; i < TD_SUMS_BUCKETS; i++)
		fprintf(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, bounds[i],
			histogram->buckets[i]);
	fprintf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.17g\n%s_count %" PRIu64 "\n",
		name, histogram->count, name, histogram->sum, name, histogram->count);
}

static void write_quality(FILE *out, const struct td_quality_sums *sums)
{
	histogram(out, "tandem_leg_mos", "Average MOS (ITU-T G.107) of legs that have ended.",
		  &sums->mos, td_sums_mos_bounds);
	histogram(out, "tandem_leg_loss_ratio",
		  "Lost share of the packets of legs that have ended.", &sums->loss,
		  td_sums_loss_bounds);
	histogram(out, "tandem_leg_jitter_seconds", "Highest jitter of legs that have ended.",
		  &sums->jitter_s, td_sums_jitter_bounds);
	histogram(out, "tandem_leg_rtt_seconds", "Longest round trip of legs that have ended.",
		  &sums->rtt_s, td_sums_rtt_bounds);
	counter(out, "tandem_leg_packets_expected_total",
		"RTP packets that ended legs should have sent.", sums->packets_expected);
	counter(out, "tandem_leg_packets_lost_total", "RTP packets of ended legs that never came.",
		sums->packets_lost);
	counter(out, "tandem_leg_packets_discarded_total",
		"RTP packets of ended legs that came too late to be played.",
		sums->packets_discarded);
	seconds(out, "tandem_leg_measured_seconds_total", "Time that ended legs were listened to.",
		sums->measured_ms);
	seconds(out, "tandem_leg_talk_seconds_total", "Time that parties of ended legs talked.",
		sums->talk_ms);
	seconds(out, "tandem_leg_double_talk_seconds_total",
		"Time that they talked while another party did.", sums->double_talk_ms);
	seconds(out, "tandem_leg_one_way_seconds_total",
		"Time that ended legs were sent media and sent none.", sums->one_way_ms);
}

static void write_alarms(FILE *out, const struct td_calls_stats *stats)
{
	family(out, "tandem_recording_alarm", "gauge",
	       "1: the recordings' disk is slow, has less than 20 % free, or refuses writes.");
	for (unsigned i = 0; i < TD_RECORD_ALARM_COUNT; i++)
		sample(out, "tandem_recording_alarm", "alarm",
		       td_record_alarm_name((enum td_record_alarm)i), stats->recording_alarms[i]);
}

static TD_CONTROL void write_calls(FILE *out, const struct td_api_deps *deps)
{
	struct td_calls_stats s;

	td_calls_get_stats(deps->calls, &s);
	gauge(out, "tandem_calls", "Calls up now.", s.calls_now);
	gauge(out, "tandem_legs", "Legs of calls now.", s.legs_now);
	gauge(out, "tandem_registrations", "Phones registered now.", s.registrations_now);
	counter(out, "tandem_calls_total", "Calls that came.", s.calls_total);
	counter(out, "tandem_calls_connected_total", "Calls that reached an agent.",
		s.calls_connected);
	family(out, "tandem_calls_rejected_total", "counter", "Calls refused, by reason.");
	sample(out, "tandem_calls_rejected_total", "reason", "overload",
	       (double)s.rejected_overload);
	sample(out, "tandem_calls_rejected_total", "reason", "source", (double)s.rejected_source);
	sample(out, "tandem_calls_rejected_total", "reason", "number", (double)s.rejected_number);
	sample(out, "tandem_calls_rejected_total", "reason", "codec", (double)s.rejected_codec);
	sample(out, "tandem_calls_rejected_total", "reason", "srtp", (double)s.rejected_srtp);
	counter(out, "tandem_srtp_retries_total",
		"Calls to a phone repeated in RTP/SAVP because it refused RTP/AVP with keys.",
		s.srtp_retries);
	counter(out, "tandem_media_timeouts_total", "Legs hung up because their media had stopped.",
		s.media_timeouts);
	counter(out, "tandem_one_way_alarms_total", "Times that a party was heard no more.",
		s.one_way_alarms);
	counter(out, "tandem_mos_alarms_total", "Times that a party's MOS fell below the alarm.",
		s.mos_alarms);
	counter(out, "tandem_sip_datagrams_received_total", "SIP datagrams received.", s.sip_rx);
	counter(out, "tandem_sip_datagrams_sent_total", "SIP datagrams sent.", s.sip_tx);
	counter(out, "tandem_sip_retransmissions_total", "SIP messages sent again.",
		s.sip_retransmissions);
	write_alarms(out, &s);
	write_quality(out, &s.quality);
}

static TD_CONTROL void write_trunks(FILE *out, const struct td_api_deps *deps)
{
	unsigned count = td_calls_trunk_count(deps->calls);
	struct td_trunk_info info;

	family(out, "tandem_trunk_up", "gauge", "1: the trunk answers OPTIONS; 0: it does not.");
	for (unsigned i = 0; i < count; i++)
		if (td_calls_trunk_at(deps->calls, i, &info) == 0)
			sample(out, "tandem_trunk_up", "trunk", info.name,
			       info.state != TD_TRUNK_DOWN);
	family(out, "tandem_trunk_calls", "gauge", "Calls from the trunk now.");
	for (unsigned i = 0; i < count; i++)
		if (td_calls_trunk_at(deps->calls, i, &info) == 0)
			sample(out, "tandem_trunk_calls", "trunk", info.name, info.calls_now);
}

// One measure of every queue.
struct queue_family {
	const char *name, *type, *help;
	size_t offset;
	bool wide; // uint64_t, else uint32_t
	bool ms;   // shown in seconds
};

#define QUEUE(name, type, help, field, wide, ms)                                                   \
	{                                                                                          \
		name, type, help, offsetof(struct td_acd_queue_info, field), wide, ms              \
	}

static const struct queue_family queue_families[] = {
	QUEUE("tandem_queue_waiting", "gauge", "Callers waiting.", waiting, false, false),
	QUEUE("tandem_queue_talking", "gauge", "Callers talking to an agent.", talking, false,
	      false),
	QUEUE("tandem_queue_oldest_wait_seconds", "gauge", "How long the next in line has waited.",
	      oldest_wait_ms, true, true),
	QUEUE("tandem_queue_answered_total", "counter", "Callers answered.", answered, true, false),
	QUEUE("tandem_queue_answered_in_time_total", "counter",
	      "Callers answered within the service level.", answered_in_time, true, false),
	QUEUE("tandem_queue_abandoned_total", "counter", "Callers who hung up waiting.", abandoned,
	      true, false),
	QUEUE("tandem_queue_offered_total", "counter", "Callers who came into the queue.", offered,
	      true, false),
};

static void write_queues(FILE *out, const struct td_api_deps *deps)
{
	const struct td_config *config = deps->config;

	for (size_t f = 0; f < sizeof queue_families / sizeof queue_families[0]; f++) {
		const struct queue_family *one = &queue_families[f];

		family(out, one->name, one->type, one->help);
		for (unsigned i = 0; i < config->queues_count; i++) {
			struct td_acd_queue_info info;
			const char *field = (const char *)&info + one->offset;
			double value;

			if (td_acd_queue_get(deps->acd, i, uv_hrtime() / 1000000, &info) != 0)
				continue;
			value = one->wide ? (double)*(const uint64_t *)field
					  : *(const uint32_t *)field;
			sample(out, one->name, "queue", config->queues[i].name,
			       one->ms ? value / MS_PER_S : value);
		}
	}
}

// A counter or gauge of each worker, or of each port.
struct stats_family {
	const char *name, *type, *help;
	size_t offset;
	double scale;
};

#define WORKER(name, type, help, field, scale)                                                     \
	{                                                                                          \
		name, type, help, offsetof(struct td_worker_stats, field), scale                   \
	}

static const struct stats_family worker_families[] = {
	WORKER("tandem_worker_packets_received_total", "counter", "Frames taken from the ports.",
	       rx_packets, 1),
	WORKER("tandem_worker_packets_sent_total", "counter", "Frames given to the ports.",
	       tx_packets, 1),
	WORKER("tandem_worker_received_bytes_total", "counter", "Bytes of received frames.",
	       rx_bytes, 1),
	WORKER("tandem_worker_sent_bytes_total", "counter", "Bytes of sent frames.", tx_bytes, 1),
	WORKER("tandem_worker_forwarded_total", "counter", "RTP packets received and sent on.",
	       forwarded, 1),
	WORKER("tandem_worker_streams", "gauge", "Streams now.", streams, 1),
	WORKER("tandem_worker_contexts", "gauge", "Contexts now.", contexts, 1),
	WORKER("tandem_worker_busy_seconds_total", "counter", "Time in turns that found work.",
	       busy_ns, NS_PER_S),
	WORKER("tandem_worker_idle_seconds_total", "counter", "Time in turns that found none.",
	       idle_ns, NS_PER_S),
	WORKER("tandem_worker_tick_late_max_seconds", "gauge",
	       "How late the media tick was at most.", tick_late_max_us, 1e6),
	WORKER("tandem_worker_events_lost_total", "counter", "Events lost to a full ring.",
	       events_lost, 1),
};

// Seconds over units is the cost of one, seconds over those of all stages the share of busy time.
static void write_stages(FILE *out, const struct td_region *region)
{
	unsigned workers =
		region->worker_count < TD_WORKER_MAX ? region->worker_count : TD_WORKER_MAX;
	double spent_s[TD_STAGE_COUNT] = { 0 }, units[TD_STAGE_COUNT] = { 0 };

	for (unsigned i = 0; i < workers; i++) {
		const struct td_worker_stats *stats = &region->workers[i];

		for (int s = 0; s < TD_STAGE_COUNT && stats->ticks_per_s > 0; s++) {
			spent_s[s] += (double)stats->stages[s].ticks / (double)stats->ticks_per_s;
			units[s] += (double)stats->stages[s].units;
		}
	}
	family(out, "tandem_stage_seconds_total", "counter",
	       "Time by stage, in the busy turns that were timed, of all workers.");
	for (int s = 0; s < TD_STAGE_COUNT; s++)
		sample(out, "tandem_stage_seconds_total", "stage", td_stage_name((enum td_stage)s),
		       spent_s[s]);
	family(out, "tandem_stage_units_total", "counter",
	       "Packets, frames and so on, by stage, in the busy turns that were timed.");
	for (int s = 0; s < TD_STAGE_COUNT; s++)
		sample(out, "tandem_stage_units_total", "stage", td_stage_name((enum td_stage)s),
		       units[s]);
}

#define PORT(name, help, field)                                                                    \
	{                                                                                          \
		name, "counter", help, offsetof(struct td_port_stats, field), 1                    \
	}

static const struct stats_family port_families[] = {
	PORT("tandem_port_packets_received_total", "Frames the device has received.", rx_packets),
	PORT("tandem_port_packets_sent_total", "Frames the device has sent.", tx_packets),
	PORT("tandem_port_missed_total", "Frames that came faster than they were taken.",
	     rx_missed),
	PORT("tandem_port_no_buffer_total", "Frames for which there was no packet memory.",
	     rx_no_buffer),
	PORT("tandem_port_receive_errors_total", "Frames that came in broken.", rx_errors),
	PORT("tandem_port_send_errors_total", "Frames that the device did not take.", tx_errors),
	PORT("tandem_port_gate_taken_total", "Datagrams of media taken from a shared interface.",
	     gate_taken),
	PORT("tandem_port_gate_no_queue_total",
	     "Datagrams of media on a receive queue that is not served.", gate_no_queue),
	PORT("tandem_port_gate_fragments_total", "Fragments of UDP left to the host.",
	     gate_fragments),
};

static void write_stats(FILE *out, const struct stats_family *one, const char *label,
			const char *value, const void *stats)
{
	const char *at = stats;

	sample(out, one->name, label, value,
	       (double)*(const uint64_t *)(const void *)(at + one->offset) / one->scale);
}

static void write_ports(FILE *out, const struct td_region *region)
{
	char name[TD_PORT_NAME_MAX + 1];

	for (size_t f = 0; f < sizeof port_families / sizeof port_families[0]; f++) {
		family(out, port_families[f].name, port_families[f].type, port_families[f].help);
		for (unsigned i = 0; i < region->port_count; i++) {
			snprintf(name, sizeof name, "%.*s", TD_PORT_NAME_MAX,
				 region->ports[i].name);
			write_stats(out, &port_families[f], "port", name, &region->ports[i]);
		}
	}
}

static void write_workers(FILE *out, const struct td_region *region)
{
	char number[16];

	for (size_t f = 0; f < sizeof worker_families / sizeof worker_families[0]; f++) {
		const struct stats_family *one = &worker_families[f];

		family(out, one->name, one->type, one->help);
		for (unsigned i = 0; i < region->worker_count && i < TD_WORKER_MAX; i++) {
			snprintf(number, sizeof number, "%u", i);
			write_stats(out, one, "worker", number, &region->workers[i]);
		}
	}
	write_stages(out, region);
	family(out, "tandem_drops_total", "counter",
	       "Packets discarded, by reason, of all workers.");
	for (int d = 0; d < TD_DROP_COUNT; d++) {
		uint64_t drops = 0;

		for (unsigned i = 0; i < region->worker_count && i < TD_WORKER_MAX; i++)
			drops += region->workers[i].drops[d];
		sample(out, "tandem_drops_total", "reason", td_drop_name((enum td_drop)d),
		       (double)drops);
	}
}

// Of the streams that are up: how they sound now.
static void write_streams(FILE *out, const struct td_region *region, uint32_t mos_alarm_x100)
{
	uint32_t streams = 0, rated = 0, low = 0, one_way = 0, worst = 0;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < region->stream_count; i++) {
		struct td_stream_mirror mirror;

		if (region->streams[i].id.v == 0 ||
		    td_mirror_read(&region->streams[i], &mirror) != 0 || mirror.id.v == 0)
			continue;
		streams++;
		one_way += mirror.stats.quality.one_way_now_ms >= 1000;
		if (mirror.stats.quality.mos_x100 == 0)
			continue;
		rated++;
		sum += mirror.stats.quality.mos_x100;
		low += mirror.stats.quality.mos_x100 < mos_alarm_x100;
		if (worst == 0 || mirror.stats.quality.mos_x100 < worst)
			worst = mirror.stats.quality.mos_x100;
	}
	gauge(out, "tandem_streams", "Streams of the dataplane now.", streams);
	gauge(out, "tandem_streams_rated", "Streams that have a MOS now.", rated);
	gauge(out, "tandem_streams_below_alarm", "Streams whose MOS is below the alarm now.", low);
	gauge(out, "tandem_streams_one_way", "Streams that are sent media and send none now.",
	      one_way);
	if (rated == 0)
		return;
	gauge(out, "tandem_stream_mos_avg", "MOS of the rated streams now, on average.",
	      (double)sum / rated / 100);
	gauge(out, "tandem_stream_mos_min", "MOS of the worst stream now.", worst / 100.0);
}

void td_metrics_write(FILE *out, const struct td_api_deps *deps)
{
	const struct td_region *region = td_link_region(deps->link);

	family(out, "tandem_build_info", "gauge", "1, with the version of this process.");
	sample(out, "tandem_build_info", "version", TD_VERSION, 1);
	gauge(out, "tandem_dataplane_up", "1: the dataplane is attached.", region != NULL);
	write_calls(out, deps);
	write_trunks(out, deps);
	write_queues(out, deps);
	if (!region)
		return;
	write_workers(out, region);
	write_ports(out, region);
	write_streams(out, region, deps->config->quality.mos_alarm_x100);
}
