// Verbs about the switch as a whole, its trunks, and the API itself.
#include <unistd.h>

#include "api/core.h"
#include "api/describe.h"
#include "api/verbs.h"
#include "call/inspect.h"
#include "link/link.h"
#include "store/store.h"
#include "td_stats.h"

static TD_CONTROL json_t *describe_calls(struct td_api *api)
{
	struct td_calls_stats s;

	td_calls_get_stats(api->deps.calls, &s);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
			 "s:o}",
			 "now", td_describe_count(s.calls_now), "peak",
			 td_describe_count(s.calls_peak), "legs", td_describe_count(s.legs_now),
			 "total", td_describe_count(s.calls_total), "connected",
			 td_describe_count(s.calls_connected), "recorded",
			 td_describe_count(s.calls_recorded), "rejected_overload",
			 td_describe_count(s.rejected_overload), "rejected_source",
			 td_describe_count(s.rejected_source), "rejected_number",
			 td_describe_count(s.rejected_number), "rejected_codec",
			 td_describe_count(s.rejected_codec), "rejected_srtp",
			 td_describe_count(s.rejected_srtp), "srtp_retries",
			 td_describe_count(s.srtp_retries), "media_failures",
			 td_describe_count(s.media_failures), "records_lost",
			 td_describe_count(s.records_lost), "registrations",
			 td_describe_count(s.registrations_now));
}

static TD_CONTROL json_t *describe_sip(struct td_api *api)
{
	struct td_calls_stats s;

	td_calls_get_stats(api->deps.calls, &s);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "listen",
			 td_describe_text(api->deps.config->sip.listen), "received",
			 td_describe_count(s.sip_rx), "sent", td_describe_count(s.sip_tx),
			 "dropped", td_describe_count(s.sip_dropped), "retransmissions",
			 td_describe_count(s.sip_retransmissions), "registrations_total",
			 td_describe_count(s.registrations), "registrations_refused",
			 td_describe_count(s.registrations_refused));
}

static TD_CONTROL json_t *describe_link(struct td_api *api)
{
	const struct td_region *region = td_link_region(api->deps.link);
	struct td_link_stats s;

	td_link_get_stats(api->deps.link, &s);
	return json_pack(
		"{s:s, s:s*, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "state",
		td_link_state_name(td_link_state(api->deps.link)), "srtp_engine",
		region ? td_srtp_engine_name(region->header->srtp_engine) : NULL, "workers",
		td_describe_count(region ? region->worker_count : 0), "streams_max",
		td_describe_count(region ? region->stream_count : 0), "attaches",
		td_describe_count(s.attaches), "losses", td_describe_count(s.losses),
		"requests_now", td_describe_count(s.requests_now), "requests_timed_out",
		td_describe_count(s.timed_out), "requests_refused",
		td_describe_count(s.refused_full), "events_lost", td_describe_count(s.events_lost));
}

// Sums over the workers; null while there are none.
static TD_CONTROL json_t *describe_media(struct td_api *api)
{
	const struct td_region *region = td_link_region(api->deps.link);
	uint64_t streams = 0, rx = 0, tx = 0, forwarded = 0, drops = 0, rx_pps = 0, tx_pps = 0;
	uint32_t load = 0;

	if (!region)
		return json_null();
	for (unsigned i = 0; i < region->worker_count && i < TD_WORKER_MAX; i++) {
		const struct td_worker_stats *stats = &region->workers[i];
		const struct td_rate *rate = &api->rates.workers[i];

		streams += stats->streams;
		rx += stats->rx_packets;
		tx += stats->tx_packets;
		forwarded += stats->forwarded;
		rx_pps += rate->rx_pps;
		tx_pps += rate->tx_pps;
		load = rate->load_permille > load ? rate->load_permille : load;
		for (int d = 0; d < TD_DROP_COUNT; d++)
			drops += stats->drops[d];
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f}", "streams",
			 td_describe_count(streams), "rx_packets", td_describe_count(rx),
			 "tx_packets", td_describe_count(tx), "forwarded",
			 td_describe_count(forwarded), "drops", td_describe_count(drops), "rx_pps",
			 td_describe_count(rx_pps), "tx_pps", td_describe_count(tx_pps),
			 "load_max_percent", load / 10.0);
}

static TD_CONTROL json_t *describe_store(struct td_api *api)
{
	struct td_store_stats s;

	if (!api->deps.store)
		return json_null();
	td_store_stats(api->deps.store, &s);
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "written", td_describe_count(s.written),
			 "queued", td_describe_count(s.queued), "refused",
			 td_describe_count(s.refused), "failures", td_describe_count(s.failures),
			 "trouble", td_describe_text(s.error));
}

static json_t *describe_api(const struct td_api *api)
{
	return json_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o}", "clients", td_describe_count(api->client_count),
		"subscribers", td_describe_count(api->events.subscribers), "requests",
		td_describe_count(api->requests), "events", td_describe_count(api->events.seq),
		"refused", td_describe_count(api->refused), "wrong_tokens",
		td_describe_count(api->gate.failures));
}

json_t *td_verb_system_status(struct td_rpc_call *call)
{
	struct td_api *api = call->context;

	return json_pack("{s:s, s:o, s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "version",
			 TD_VERSION, "started", td_describe_utc(api->started_utc_ms), "uptime_s",
			 td_describe_count((uv_now(api->loop) - api->started_ms) / 1000), "pid",
			 (int)getpid(), "calls", describe_calls(api), "sip", describe_sip(api),
			 "dataplane", describe_link(api), "media", describe_media(api), "store",
			 describe_store(api), "api", describe_api(api));
}

json_t *td_verb_trunk_list(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	json_t *trunks = json_array();
	struct td_trunk_info info;

	for (unsigned i = 0; i < td_calls_trunk_count(api->deps.calls); i++)
		if (td_calls_trunk_at(api->deps.calls, i, &info) == 0)
			json_array_append_new(trunks, td_describe_trunk(&info));
	return json_pack("{s:o}", "trunks", trunks);
}

static json_t *describe_params(const struct td_rpc_param *param)
{
	static const char *const types[] = {
		[TD_RPC_STRING] = "string",   [TD_RPC_INTEGER] = "integer",
		[TD_RPC_NUMBER] = "number",   [TD_RPC_BOOLEAN] = "boolean",
		[TD_RPC_STRINGS] = "strings", [TD_RPC_OBJECTS] = "objects",
	};
	json_t *list = json_array();

	for (; param && param->name; param++) {
		json_t *one = json_pack("{s:s, s:s, s:b, s:s}", "name", param->name, "type",
					types[param->type], "required", param->required, "help",
					param->help);

		if (param->words)
			json_object_set_new(one, "one_of", json_string(param->words));
		json_array_append_new(list, one);
	}
	return list;
}

json_t *td_verb_rpc_methods(struct td_rpc_call *call)
{
	json_t *methods = json_array();

	for (const struct td_rpc_verb *verb = call->table->verbs; verb->method; verb++)
		json_array_append_new(methods, json_pack("{s:s, s:s, s:o}", "method", verb->method,
							 "help", verb->help, "params",
							 describe_params(verb->params)));
	return json_pack("{s:o}", "methods", methods);
}
