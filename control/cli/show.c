// The columns, and how results are laid out.
#include "cli/show.h"

#include <string.h>

#define END                                                                                        \
	{                                                                                          \
		.title = NULL                                                                      \
	}

const struct td_field td_call_fields[] = {
	{ "CALL", "id", TD_FIELD_TEXT },
	{ "STATE", "state", TD_FIELD_TEXT },
	{ "CALLER", "caller", TD_FIELD_TEXT },
	{ "CALLED", "called", TD_FIELD_TEXT },
	{ "QUEUE", "queue", TD_FIELD_TEXT },
	{ "AGENT", "agent", TD_FIELD_TEXT },
	{ "SINCE", "setup", TD_FIELD_TIME },
	{ "LASTS", "duration_ms", TD_FIELD_DURATION },
	{ "WAITED", "wait_ms", TD_FIELD_DURATION },
	END,
};

const struct td_field td_queue_fields[] = {
	{ "QUEUE", "name", TD_FIELD_TEXT },
	{ "WAITING", "waiting", TD_FIELD_COUNT },
	{ "OLDEST", "oldest_wait_ms", TD_FIELD_DURATION },
	{ "TALKING", "talking", TD_FIELD_COUNT },
	{ "READY", "agents.ready", TD_FIELD_COUNT },
	{ "OFFERED", "calls.offered", TD_FIELD_COUNT },
	{ "ANSWERED", "calls.answered", TD_FIELD_COUNT },
	{ "ABANDONED", "calls.abandoned", TD_FIELD_COUNT },
	{ "AVERAGE", "calls.answered_wait_average_ms", TD_FIELD_DURATION },
	{ "SERVICE", "service_level.offered_percent", TD_FIELD_PERCENT },
	END,
};

const struct td_field td_agent_fields[] = {
	{ "AGENT", "id", TD_FIELD_TEXT },      { "NAME", "name", TD_FIELD_TEXT },
	{ "STATE", "state", TD_FIELD_TEXT },   { "REASON", "reason", TD_FIELD_TEXT },
	{ "SINCE", "since", TD_FIELD_TIME },   { "PHONE", "reachable", TD_FIELD_YESNO },
	{ "CALL", "call", TD_FIELD_TEXT },     { "ANSWERED", "calls_answered", TD_FIELD_COUNT },
	{ "QUEUES", "queues", TD_FIELD_LIST }, END,
};

const struct td_field td_worker_fields[] = {
	{ "WORKER", "worker", TD_FIELD_COUNT },
	{ "LOAD", "load_percent", TD_FIELD_PERCENT },
	{ "STREAMS", "streams", TD_FIELD_COUNT },
	{ "RX/S", "rx_pps", TD_FIELD_COUNT },
	{ "TX/S", "tx_pps", TD_FIELD_COUNT },
	{ "RECEIVED", "rx_packets", TD_FIELD_COUNT },
	{ "SENT", "tx_packets", TD_FIELD_COUNT },
	{ "FORWARDED", "forwarded", TD_FIELD_COUNT },
	{ "LATE MAX US", "tick_late_max_us", TD_FIELD_COUNT },
	{ "BEAT MS", "heartbeat_ms_ago", TD_FIELD_COUNT },
	END,
};

static const struct td_field port_fields[] = {
	{ "PORT", "name", TD_FIELD_TEXT },
	{ "RECEIVED", "rx_packets", TD_FIELD_COUNT },
	{ "SENT", "tx_packets", TD_FIELD_COUNT },
	{ "MISSED", "rx_missed", TD_FIELD_COUNT },
	{ "NO BUFFER", "rx_no_buffer", TD_FIELD_COUNT },
	{ "BROKEN", "rx_errors", TD_FIELD_COUNT },
	{ "NOT SENT", "tx_errors", TD_FIELD_COUNT },
	{ "XDP TOOK", "gate.taken", TD_FIELD_COUNT },
	{ "NO QUEUE", "gate.no_queue", TD_FIELD_COUNT },
	{ "FRAGMENTS", "gate.fragments", TD_FIELD_COUNT },
	END,
};

const struct td_field td_trunk_fields[] = {
	{ "TRUNK", "name", TD_FIELD_TEXT },
	{ "STATE", "state", TD_FIELD_TEXT },
	{ "PEER", "peer", TD_FIELD_TEXT },
	{ "RTT MS", "rtt_ms", TD_FIELD_COUNT },
	{ "CALLS", "calls_now", TD_FIELD_COUNT },
	{ "TOTAL", "calls_total", TD_FIELD_COUNT },
	END,
};

static const struct td_field status_cells[] = {
	{ "version", "version", TD_FIELD_TEXT },
	{ "up", "uptime_s", TD_FIELD_SECONDS },
	{ "SIP", "sip.listen", TD_FIELD_TEXT },
	{ "calls", "calls.now", TD_FIELD_COUNT },
	{ "  most", "calls.peak", TD_FIELD_COUNT },
	{ "  since the start", "calls.total", TD_FIELD_COUNT },
	{ "  connected", "calls.connected", TD_FIELD_COUNT },
	{ "phones registered", "calls.registrations", TD_FIELD_COUNT },
	{ "dataplane", "dataplane.state", TD_FIELD_TEXT },
	{ "  workers", "dataplane.workers", TD_FIELD_COUNT },
	{ "  SRTP by", "dataplane.srtp_engine", TD_FIELD_TEXT },
	{ "  streams", "media.streams", TD_FIELD_COUNT },
	{ "  received a second", "media.rx_pps", TD_FIELD_COUNT },
	{ "  sent a second", "media.tx_pps", TD_FIELD_COUNT },
	{ "  drops", "media.drops", TD_FIELD_COUNT },
	{ "  busiest worker", "media.load_max_percent", TD_FIELD_PERCENT },
	{ "call records written", "store.written", TD_FIELD_COUNT },
	{ "  waiting", "store.queued", TD_FIELD_COUNT },
	{ "  trouble", "store.trouble", TD_FIELD_TEXT },
	{ "API clients", "api.clients", TD_FIELD_COUNT },
	END,
};

static const struct td_field call_card[] = {
	{ "call", "id", TD_FIELD_TEXT },
	{ "state", "state", TD_FIELD_TEXT },
	{ "caller", "caller", TD_FIELD_TEXT },
	{ "called", "called", TD_FIELD_TEXT },
	{ "trunk", "trunk", TD_FIELD_TEXT },
	{ "queue", "queue", TD_FIELD_TEXT },
	{ "agent", "agent", TD_FIELD_TEXT },
	{ "began", "setup", TD_FIELD_TEXT },
	{ "answered", "answer", TD_FIELD_TEXT },
	{ "connected", "connect", TD_FIELD_TEXT },
	{ "lasts", "duration_ms", TD_FIELD_DURATION },
	{ "waited", "wait_ms", TD_FIELD_DURATION },
	{ "offers", "offers", TD_FIELD_COUNT },
	{ "recording", "recording", TD_FIELD_TEXT },
	END,
};

static const struct td_field leg_card[] = {
	{ "  state", "state", TD_FIELD_TEXT },      { "  party", "party", TD_FIELD_TEXT },
	{ "  stream", "stream", TD_FIELD_TEXT },    { "  codec", "codec", TD_FIELD_TEXT },
	{ "  SRTP", "srtp", TD_FIELD_TEXT },        { "  signalling", "signalling", TD_FIELD_TEXT },
	{ "  media here", "local", TD_FIELD_TEXT }, { "  media there", "remote", TD_FIELD_TEXT },
	{ "  on hold", "held", TD_FIELD_YESNO },    END,
};

static const struct td_field line_cells[] = {
	{ "PLACE", "position", TD_FIELD_COUNT }, { "CALL", "call", TD_FIELD_TEXT },
	{ "CALLER", "caller", TD_FIELD_TEXT },   { "WAITS", "wait_ms", TD_FIELD_DURATION },
	{ "OFFERS", "offers", TD_FIELD_COUNT },  END,
};

static const struct td_field stream_card[] = {
	{ "stream", "id", TD_FIELD_TEXT },
	{ "worker", "worker", TD_FIELD_TEXT },
	{ "here", "local", TD_FIELD_TEXT },
	{ "there", "remote", TD_FIELD_TEXT },
	{ "source locked", "source_locked", TD_FIELD_YESNO },
	{ "codec", "codec", TD_FIELD_TEXT },
	{ "SRTP received", "srtp.received", TD_FIELD_TEXT },
	{ "  without the key", "srtp.bad_tag", TD_FIELD_COUNT },
	{ "  seen before", "srtp.replayed", TD_FIELD_COUNT },
	{ "  not SRTP", "srtp.no_key", TD_FIELD_COUNT },
	{ "SRTP sent", "srtp.sent", TD_FIELD_TEXT },
	{ "received", "received.packets", TD_FIELD_COUNT },
	{ "  last, ms ago", "received.last_ms_ago", TD_FIELD_COUNT },
	{ "  lost", "received.lost", TD_FIELD_COUNT },
	{ "  lost of expected", "received.lost_percent", TD_FIELD_PERCENT },
	{ "  out of order", "received.reordered", TD_FIELD_COUNT },
	{ "  twice", "received.duplicates", TD_FIELD_COUNT },
	{ "  jitter", "received.jitter_us", TD_FIELD_MS },
	{ "  jitter, most", "received.jitter_max_us", TD_FIELD_MS },
	{ "refused, wrong source", "refused.wrong_source", TD_FIELD_COUNT },
	{ "  before a remote", "refused.unexpected", TD_FIELD_COUNT },
	{ "  on probation", "refused.probation", TD_FIELD_COUNT },
	{ "  payload type", "refused.payload_type", TD_FIELD_COUNT },
	{ "  malformed", "refused.malformed", TD_FIELD_COUNT },
	{ "  RTCP of others", "refused.rtcp_wrong_source", TD_FIELD_COUNT },
	{ "  RTCP malformed", "refused.rtcp_malformed", TD_FIELD_COUNT },
	{ "sent", "sent.packets", TD_FIELD_COUNT },
	{ "  peer reports lost", "reported.lost", TD_FIELD_COUNT },
	{ "  peer reports jitter", "reported.jitter_us", TD_FIELD_MS },
	{ "  round trip", "reported.rtt_us", TD_FIELD_MS },
	{ "MOS", "quality.mos", TD_FIELD_TEXT },
	{ "  worst", "quality.mos_min", TD_FIELD_TEXT },
	{ "  average", "quality.mos_avg", TD_FIELD_TEXT },
	{ "  delay, ms", "quality.delay_ms", TD_FIELD_COUNT },
	{ "  bursts of loss", "quality.bursts", TD_FIELD_COUNT },
	{ "  level, dBm0", "quality.level_dbm0", TD_FIELD_TEXT },
	{ "  talks", "quality.talk_ms", TD_FIELD_DURATION },
	{ "  with others", "quality.double_talk_ms", TD_FIELD_DURATION },
	{ "  clipped", "quality.clipped_ms", TD_FIELD_DURATION },
	{ "  one way", "quality.one_way_ms", TD_FIELD_DURATION },
	{ "  as the peer hears us", "quality.remote.mos_cq", TD_FIELD_TEXT },
	END,
};

static const struct td_field method_cells[] = {
	{ "METHOD", "method", TD_FIELD_TEXT },
	{ "WHAT IT DOES", "help", TD_FIELD_TEXT },
	END,
};

static const struct td_field stage_cells[] = {
	{ "STAGE", "stage", TD_FIELD_TEXT },  { "NS", "ns", TD_FIELD_TEXT },
	{ "OF A", "of", TD_FIELD_TEXT },      { "OF BUSY TIME", "busy_percent", TD_FIELD_PERCENT },
	{ "TIMED", "timed", TD_FIELD_COUNT }, END,
};

static const json_t *part(const json_t *object, const char *key)
{
	return json_object_get(object, key);
}

void td_show_status(FILE *out, const json_t *result)
{
	td_card_print(out, result, status_cells);
}

static void note_rest(FILE *out, const json_t *result, const char *list)
{
	json_int_t total = json_integer_value(part(result, "total"));
	json_int_t shown = (json_int_t)json_array_size(part(result, list));

	if (total > shown)
		fprintf(out, "%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT "\n", shown,
			total);
}

void td_show_calls(FILE *out, const json_t *result)
{
	td_table_print(out, part(result, "calls"), td_call_fields, "no calls", "\n");
	note_rest(out, result, "calls");
}

void td_show_call(FILE *out, const json_t *result)
{
	td_card_print(out, result, call_card);
	if (json_is_object(part(result, "caller_leg"))) {
		fputs("caller's leg\n", out);
		td_card_print(out, part(result, "caller_leg"), leg_card);
	}
	if (json_is_object(part(result, "agent_leg"))) {
		fputs("agent's leg\n", out);
		td_card_print(out, part(result, "agent_leg"), leg_card);
	}
}

void td_show_hangup(FILE *out, const json_t *result)
{
	static const struct td_field id = { "", "id", TD_FIELD_TEXT };
	char text[TD_FIELD_MAX];

	fprintf(out, "%s is being hung up\n", td_field_text(result, &id, text));
}

void td_show_queues(FILE *out, const json_t *result)
{
	td_table_print(out, part(result, "queues"), td_queue_fields, "no queues", "\n");
}

void td_show_queue(FILE *out, const json_t *result)
{
	json_t *one = json_pack("[O]", result);

	td_table_print(out, one, td_queue_fields, "no queue", "\n");
	json_decref(one);
	fputs("\nagents\n", out);
	td_members_print(out, part(result, "agents"));
	fputs("\n", out);
	td_table_print(out, part(result, "line"), line_cells, "nobody waits", "\n");
}

void td_show_agents(FILE *out, const json_t *result)
{
	td_table_print(out, part(result, "agents"), td_agent_fields, "no agents", "\n");
	note_rest(out, result, "agents");
}

void td_show_agent(FILE *out, const json_t *result)
{
	json_t *one = json_pack("[O]", result);

	td_table_print(out, one, td_agent_fields, "no agent", "\n");
	json_decref(one);
}

void td_show_stream(FILE *out, const json_t *result)
{
	td_card_print(out, result, stream_card);
}

static void show_drops(FILE *out, const json_t *worker)
{
	if (json_object_size(part(worker, "drops")) == 0)
		return;
	fprintf(out, "drops of worker %" JSON_INTEGER_FORMAT "\n",
		json_integer_value(part(worker, "worker")));
	td_members_print(out, part(worker, "drops"));
}

void td_show_workers(FILE *out, const json_t *result)
{
	const json_t *workers = part(result, "workers"), *worker;
	size_t index;

	td_table_print(out, workers, td_worker_fields, "no workers", "\n");
	json_array_foreach(workers, index, worker)
	{
		show_drops(out, worker);
	}
}

void td_show_worker(FILE *out, const json_t *result)
{
	json_t *one = json_pack("[O]", result);

	td_table_print(out, one, td_worker_fields, "no worker", "\n");
	json_decref(one);
	show_drops(out, result);
	fputs("\n", out);
	td_table_print(out, part(result, "stages"), stage_cells, "no turn was timed of late", "\n");
}

void td_show_ports(FILE *out, const json_t *result)
{
	td_table_print(out, part(result, "ports"), port_fields, "no ports", "\n");
}

void td_show_trunks(FILE *out, const json_t *result)
{
	td_table_print(out, part(result, "trunks"), td_trunk_fields, "no trunks", "\n");
}

void td_show_methods(FILE *out, const json_t *result)
{
	td_table_print(out, part(result, "methods"), method_cells, "no methods", "\n");
}

void td_show_json(FILE *out, const json_t *result)
{
	json_dumpf(result, out, JSON_INDENT(2));
	fputs("\n", out);
}

void td_show_event(FILE *out, const json_t *event)
{
	static const struct td_field cells[] = {
		{ "", "seq", TD_FIELD_TEXT },
		{ "", "time", TD_FIELD_TIME },
		{ "", "kind", TD_FIELD_TEXT },
		{ "call", "call.id", TD_FIELD_TEXT },
		{ "state", "call.state", TD_FIELD_TEXT },
		{ "caller", "call.caller", TD_FIELD_TEXT },
		{ "queue", "call.queue", TD_FIELD_TEXT },
		{ "agent", "call.agent", TD_FIELD_TEXT },
		{ "cause", "cause", TD_FIELD_TEXT },
		{ "agent", "agent.id", TD_FIELD_TEXT },
		{ "state", "agent.state", TD_FIELD_TEXT },
		{ "reason", "agent.reason", TD_FIELD_TEXT },
		{ "trunk", "trunk.name", TD_FIELD_TEXT },
		{ "state", "trunk.state", TD_FIELD_TEXT },
		{ "conference", "conference.name", TD_FIELD_TEXT },
		{ "present", "conference.present", TD_FIELD_COUNT },
		{ "member", "member.id", TD_FIELD_TEXT },
		{ "seat", "member.seat", TD_FIELD_TEXT },
		{ "conference", "media.conference", TD_FIELD_TEXT },
		{ "call", "media.call", TD_FIELD_TEXT },
		{ "party", "media.party", TD_FIELD_TEXT },
		{ "player", "media.player", TD_FIELD_TEXT },
		{ "digit", "media.digit", TD_FIELD_TEXT },
		{ "", "media.what", TD_FIELD_TEXT },
		{ "missed from", "from", TD_FIELD_TEXT },
	};
	char text[TD_FIELD_MAX];

	for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
		td_field_text(event, &cells[i], text);
		if (strcmp(text, "-") != 0)
			fprintf(out, "%s%s%s%s", i ? "  " : "", cells[i].title,
				*cells[i].title ? " " : "", text);
	}
	fputs("\n", out);
	fflush(out);
}
