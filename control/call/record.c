// What is left of a call: one row, and one a leg, for the store.
#include <stdio.h>
#include <string.h>

#include "call/cause.h"
#include "call/manager.h"
#include "sip/uri.h"
#include "store/store.h"
#include "td_log.h"

void td_record_leg(struct td_call *call, const struct td_leg *leg)
{
	struct td_leg_record *record;

	// The caller's row and the latest offers are kept; older offers give way.
	if (call->record_count == TD_CALL_RECORD_MAX) {
		uint32_t victim = call->records[0].outbound ? 0 : 1;

		memmove(&call->records[victim], &call->records[victim + 1],
			(TD_CALL_RECORD_MAX - 1 - victim) * sizeof call->records[0]);
		call->record_count--;
	}
	record = &call->records[call->record_count++];
	*record = (struct td_leg_record){
		.agent = leg->agent,
		.cause = leg->cause,
		.codec = leg->media.remote_known ? leg->agreed.codec : TD_CODEC_NONE,
		.srtp = leg->media.remote_known ? (enum td_srtp_suite)leg->agreed.srtp_tx.suite
						: TD_SRTP_NONE,
		.outbound = leg->outbound,
		.role = (enum td_party_role)leg->recorded_role,
		.has_stats = leg->media.has_stats,
		.status = leg->status,
		.setup_utc_ms = leg->setup_utc_ms,
		.ring_utc_ms = leg->ring_utc_ms,
		.answer_utc_ms = leg->answer_utc_ms,
		.end_utc_ms = leg->end_utc_ms,
		.stats = leg->media.stats,
	};
	if (leg->media.remote_known)
		record->remote = leg->agreed.remote;
	if (leg->media.has_stats)
		td_quality_sums_add(&call->calls->stats.quality, &leg->media.stats);
	memcpy(record->sip_call_id, leg->sip_call_id, sizeof record->sip_call_id);
}

static void fill_quality(const struct td_quality *quality, struct td_cdr_leg *out)
{
	out->rtt_max_us = quality->rtt_max_us;
	out->mos_x100 = quality->mos_avg_x100;
	out->mos_min_x100 = quality->mos_min_x100;
	out->delay_max_ms = quality->delay_max_ms;
	out->bursts = quality->bursts;
	out->burst_lost = quality->burst_lost;
	out->measured_ms = quality->measured_ms;
	out->talk_ms = quality->talk_ms;
	out->double_talk_ms = quality->double_talk_ms;
	out->clipped_ms = quality->clipped_ms;
	out->one_way_ms = quality->one_way_ms;
	out->level_dbm0 = quality->level_dbm0;
	out->noise_dbm0 = quality->noise_dbm0;
	if (quality->xr_received && quality->remote.mos_cq_x10 != TD_RATING_UNKNOWN)
		out->remote_mos_x100 = quality->remote.mos_cq_x10 * 10u;
}

static void fill_media(const struct td_leg_record *record, struct td_cdr_leg *out)
{
	const struct td_stream_stats *stats = &record->stats;
	int64_t lost = stats->rx_lost > 0 ? stats->rx_lost : 0;

	out->has_media = true;
	out->rx_packets = stats->rx_packets;
	out->tx_packets = stats->tx_packets;
	out->rx_lost = stats->rx_lost;
	out->loss_permyriad =
		stats->rx_expected ? (uint32_t)((uint64_t)lost * 10000 / stats->rx_expected) : 0;
	out->jitter_us = stats->rx_jitter_us;
	out->jitter_max_us = stats->rx_jitter_max_us;
	out->rtt_us = stats->rtt_us;
	out->discarded = stats->rx_discarded;
	fill_quality(&stats->quality, out);
}

static void fill_leg(const struct td_calls *calls, const struct td_call *call, uint32_t number,
		     struct td_cdr_leg *out)
{
	const struct td_leg_record *record = &call->records[number];
	char remote[TD_ENDPOINT_TEXT_MAX];

	memset(out, 0, sizeof *out);
	snprintf(out->id, sizeof out->id, "%.16s-l%u", call->id, number + 1);
	td_inspect_put(out->role, sizeof out->role,
		       record->outbound ? td_party_role_name(record->role) : "caller");
	td_inspect_put(out->party, sizeof out->party,
		       record->outbound ? calls->config->agents[record->agent].id
					: call->caller_name);
	td_inspect_put(out->sip_call_id, sizeof out->sip_call_id, record->sip_call_id);
	if (record->remote.family != TD_FAMILY_NONE)
		td_inspect_put(out->remote, sizeof out->remote,
			       td_endpoint_text(&record->remote, remote));
	if (record->codec != TD_CODEC_NONE)
		td_inspect_put(out->codec, sizeof out->codec, td_codec_name(record->codec));
	if (record->srtp != TD_SRTP_NONE)
		td_inspect_put(out->srtp, sizeof out->srtp,
			       td_srtp_suite_shape(record->srtp)->name);
	td_inspect_put(out->cause, sizeof out->cause, td_cause_name(record->cause));
	out->outbound = record->outbound;
	out->sip_status = record->status;
	out->setup_utc_ms = (int64_t)record->setup_utc_ms;
	out->ring_utc_ms = (int64_t)record->ring_utc_ms;
	out->answer_utc_ms = (int64_t)record->answer_utc_ms;
	out->end_utc_ms = (int64_t)record->end_utc_ms;
	if (record->has_stats)
		fill_media(record, out);
}

// "complete" means that every packet the recorder saw is in the file, "failed" that none is.
const char *td_recording_state_name(const struct td_recording *recording)
{
	const struct td_event_recording *result = &recording->result;

	switch ((enum td_recording_state)recording->state) {
	case TD_RECORDING_NONE: return "";
	case TD_RECORDING_REFUSED: return "failed";
	case TD_RECORDING_CLOSED: break;
	case TD_RECORDING_STARTING:
	case TD_RECORDING_RUNNING:
	case TD_RECORDING_STOPPING:
	case TD_RECORDING_CLOSING:
		return recording->partial  ? "partial"
		       : recording->masked ? "masked"
		       : recording->paused ? "paused"
					   : "recording";
	}
	// Of a file that could not even be begun nothing is there. Without a result it is not known.
	if (recording->partial)
		return result->tap.v != 0 && result->bytes == 0 ? "failed" : "partial";
	return result->packets_written[0] == result->packets_received[0] &&
			       result->packets_written[1] == result->packets_received[1]
		       ? "complete"
		       : "partial";
}

static void fill_call(const struct td_calls *calls, const struct td_call *call,
		      struct td_cdr_call *out)
{
	uint64_t end_utc_ms = call->end_utc_ms ? call->end_utc_ms : td_calls_wall_ms(calls);
	uint64_t connect_utc_ms = call->connect_utc_ms;
	char trunk[TD_CALL_NAME_MAX], queue[TD_CALL_NAME_MAX];

	memset(out, 0, sizeof *out);
	td_inspect_put(out->id, sizeof out->id, call->id);
	td_inspect_put(out->caller, sizeof out->caller, call->caller_name);
	td_inspect_put(out->called, sizeof out->called, call->called_name);
	td_call_describe_origin(calls, call, trunk, queue);
	td_inspect_put(out->trunk, sizeof out->trunk, trunk);
	td_inspect_put(out->queue, sizeof out->queue, queue);
	if (call->connected && call->agent_idx != TD_LEG_AGENT_NONE)
		td_inspect_put(out->agent, sizeof out->agent,
			       calls->config->agents[call->agent_idx].id);
	td_inspect_put(out->cause, sizeof out->cause, td_cause_name(call->cause));
	td_inspect_put(out->ended_by, sizeof out->ended_by, td_cause_party(call->cause));
	if (call->media.recording.state != TD_RECORDING_NONE) {
		const struct td_recording *recording = &call->media.recording;

		td_inspect_put(out->recording, sizeof out->recording, recording->file);
		td_inspect_put(out->recording_state, sizeof out->recording_state,
			       td_recording_is_open(recording)
				       ? "partial"
				       : td_recording_state_name(recording));
		out->recording_received = recording->result.packets_received[0] +
					  recording->result.packets_received[1];
		out->recording_written =
			recording->result.packets_written[0] + recording->result.packets_written[1];
	}
	out->setup_utc_ms = (int64_t)call->setup_utc_ms;
	out->answer_utc_ms = (int64_t)call->answer_utc_ms;
	out->connect_utc_ms = (int64_t)connect_utc_ms;
	out->end_utc_ms = (int64_t)end_utc_ms;
	out->queue_wait_ms =
		(uint32_t)((connect_utc_ms ? connect_utc_ms : end_utc_ms) - call->setup_utc_ms);
	out->talk_ms = connect_utc_ms ? (uint32_t)(end_utc_ms - connect_utc_ms) : 0;
	out->offer_count = call->offer_count;
}

void td_record_call(struct td_calls *calls, struct td_call *call)
{
	struct td_cdr_leg legs[TD_CALL_RECORD_MAX];
	struct td_cdr_call row;
	int error;

	if (call->media.recording.state == TD_RECORDING_CLOSED)
		calls->stats.calls_recorded++;
	fill_call(calls, call, &row);
	td_info(call->id, "%s -> %s, queue %s, agent %s: %s after %u s of talk", row.caller,
		row.called, row.queue, row.agent[0] ? row.agent : "none", row.cause,
		row.talk_ms / 1000);
	if (!calls->deps.store)
		return;
	for (uint32_t i = 0; i < call->record_count; i++)
		fill_leg(calls, call, i, &legs[i]);
	error = td_store_put_call(calls->deps.store, &row, legs, call->record_count);
	if (!error)
		return;
	calls->stats.records_lost++;
	td_error(call->id, "the record of this call is lost: %s", td_error_text(error));
}

void td_record_refused(struct td_calls *calls, const struct td_sip_event *event,
		       const struct td_trunk *trunk, uint32_t queue, const char *called,
		       enum td_cause cause)
{
	int64_t now_ms = (int64_t)td_calls_wall_ms(calls);
	struct td_cdr_call row = { .setup_utc_ms = now_ms, .end_utc_ms = now_ms };
	struct td_cdr_leg leg = { .setup_utc_ms = now_ms, .end_utc_ms = now_ms };

	calls->next_number++;
	snprintf(row.id, sizeof row.id, "c%llu", (unsigned long long)calls->next_number);
	snprintf(leg.id, sizeof leg.id, "%.16s-l1", row.id);
	if (td_sip_uri_unescape(event->msg->from.uri.user, row.caller, sizeof row.caller) != 0)
		row.caller[0] = '\0';
	td_inspect_put(row.called, sizeof row.called, called);
	td_inspect_put(row.trunk, sizeof row.trunk, trunk->config->name);
	if (queue != TD_CALL_QUEUE_NONE)
		td_inspect_put(row.queue, sizeof row.queue, calls->config->queues[queue].name);
	td_inspect_put(row.cause, sizeof row.cause, td_cause_name(cause));
	td_inspect_put(row.ended_by, sizeof row.ended_by, td_cause_party(cause));
	td_inspect_put(leg.role, sizeof leg.role, td_party_role_name(TD_PARTY_CALLER));
	td_inspect_put(leg.party, sizeof leg.party, row.caller);
	td_inspect_put(leg.cause, sizeof leg.cause, row.cause);
	if (td_str_copy(event->msg->call_id, leg.sip_call_id, sizeof leg.sip_call_id) != 0)
		leg.sip_call_id[0] = '\0';
	leg.sip_status = td_cause_status(cause);
	td_info(row.id, "%s -> %s from trunk %s refused: %s", row.caller, row.called, row.trunk,
		row.cause);
	if (calls->deps.store && td_store_put_call(calls->deps.store, &row, &leg, 1) != 0)
		calls->stats.records_lost++;
}
