// The two tables of schema.h, in the order of the file.
#include "config/schema.h"

#include <stddef.h>
#include <string.h>

#include "config/config.h"

#define OPTIONAL CYAML_FLAG_OPTIONAL
#define TEXT(s, m)                                                                                 \
	CYAML_FIELD_STRING_PTR(#m, CYAML_FLAG_POINTER | OPTIONAL, struct s, m, 0, CYAML_UNLIMITED)
#define UINT(s, m) CYAML_FIELD_UINT(#m, OPTIONAL, struct s, m)
#define INT(s, m)  CYAML_FIELD_INT(#m, OPTIONAL, struct s, m)
#define BOOL(s, m) CYAML_FIELD_BOOL(#m, OPTIONAL, struct s, m)
#define ENUM(s, m, t)                                                                              \
	CYAML_FIELD_ENUM(#m, OPTIONAL | CYAML_FLAG_STRICT, struct s, m, t, CYAML_ARRAY_LEN(t))
#define LIST(s, m, entry, min, max)                                                                \
	CYAML_FIELD_SEQUENCE(#m, CYAML_FLAG_POINTER | OPTIONAL, struct s, m, entry, min, max)
#define SECTION(m, fields) CYAML_FIELD_MAPPING(#m, OPTIONAL, struct td_config, m, fields)

static const cyaml_schema_value_t text = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CYAML_UNLIMITED),
};

static const cyaml_strval_t drivers[] = {
	{ "af_xdp", TD_PORT_AF_XDP }, { "af_packet", TD_PORT_AF_PACKET },
	{ "pci", TD_PORT_PCI },       { "net_ring", TD_PORT_NET_RING },
	{ "memif", TD_PORT_MEMIF },
};

static const cyaml_strval_t polls[] = {
	{ "adaptive", TD_POLL_ADAPTIVE },
	{ "busy", TD_POLL_BUSY },
};

static const cyaml_strval_t hugepages[] = {
	{ "auto", TD_HUGEPAGES_AUTO },
	{ "yes", TD_HUGEPAGES_YES },
	{ "no", TD_HUGEPAGES_NO },
};

static const cyaml_strval_t srtp_engines[] = {
	{ "auto", TD_SRTP_ENGINE_AUTO },
	{ "ipsec-mb", TD_SRTP_ENGINE_IPSEC_MB },
	{ "openssl", TD_SRTP_ENGINE_OPENSSL },
};

static const cyaml_strval_t digests[] = {
	{ "md5", TD_DIGEST_MD5 },
	{ "sha256", TD_DIGEST_SHA256 },
	{ "both", TD_DIGEST_BOTH },
};

static const cyaml_strval_t recording_formats[] = {
	{ "wav", TD_RECORD_WAV },
	{ "opus", TD_RECORD_OPUS },
};

// As td_codec_name has them, in any case.
static const cyaml_strval_t codecs[] = {
	{ "PCMU", TD_CODEC_PCMU },        { "PCMA", TD_CODEC_PCMA },
	{ "G722", TD_CODEC_G722 },        { "GSM", TD_CODEC_GSM },
	{ "L16/8000", TD_CODEC_L16_8 },   { "L16/16000", TD_CODEC_L16_16 },
	{ "L16/32000", TD_CODEC_L16_32 }, { "L16/48000", TD_CODEC_L16_48 },
	{ "opus", TD_CODEC_OPUS },        { "G729", TD_CODEC_G729 },
};

static const cyaml_schema_value_t codec = {
	CYAML_VALUE_ENUM(CYAML_FLAG_STRICT | CYAML_FLAG_CASE_INSENSITIVE, enum td_codec_id, codecs,
			 CYAML_ARRAY_LEN(codecs)),
};

static const cyaml_strval_t policies[] = {
	{ "forbid", TD_SRTP_POLICY_FORBID },
	{ "prefer", TD_SRTP_POLICY_PREFER },
	{ "require", TD_SRTP_POLICY_REQUIRE },
};

static const cyaml_strval_t suites[] = {
	{ "AEAD_AES_128_GCM", TD_SRTP_AEAD_AES_128_GCM },
	{ "AEAD_AES_256_GCM", TD_SRTP_AEAD_AES_256_GCM },
	{ "AES_CM_128_HMAC_SHA1_80", TD_SRTP_AES_CM_128_HMAC_SHA1_80 },
	{ "AES_CM_128_HMAC_SHA1_32", TD_SRTP_AES_CM_128_HMAC_SHA1_32 },
	{ "AES_256_CM_HMAC_SHA1_80", TD_SRTP_AES_256_CM_HMAC_SHA1_80 },
	{ "AES_256_CM_HMAC_SHA1_32", TD_SRTP_AES_256_CM_HMAC_SHA1_32 },
};

static const cyaml_schema_value_t suite = {
	CYAML_VALUE_ENUM(CYAML_FLAG_STRICT | CYAML_FLAG_CASE_INSENSITIVE, enum td_srtp_suite,
			 suites, CYAML_ARRAY_LEN(suites)),
};

#define CODECS(s) LIST(s, codecs, &codec, 1, TD_CODEC_COUNT - 1)

static const cyaml_schema_field_t system_fields[] = {
	TEXT(td_config_system, run_dir),
	TEXT(td_config_system, data_dir),
	TEXT(td_config_system, log_level),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t port_fields[] = {
	TEXT(td_config_port, name),    ENUM(td_config_port, driver, drivers),
	TEXT(td_config_port, device),  LIST(td_config_port, addresses, &text, 1, TD_LOCAL_ADDR_MAX),
	TEXT(td_config_port, gateway), TEXT(td_config_port, gateway6),
	UINT(td_config_port, vlan),    UINT(td_config_port, queues),
	BOOL(td_config_port, share),   CYAML_FIELD_END,
};

static const cyaml_schema_value_t port = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct td_config_port, port_fields),
};

static const cyaml_schema_field_t prompt_fields[] = {
	TEXT(td_config_prompt, name),
	TEXT(td_config_prompt, file),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t prompt = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct td_config_prompt, prompt_fields),
};

static const cyaml_schema_field_t dataplane_fields[] = {
	UINT(td_config_dataplane, workers),
	INT(td_config_dataplane, first_core),
	ENUM(td_config_dataplane, poll, polls),
	ENUM(td_config_dataplane, hugepages, hugepages),
	UINT(td_config_dataplane, memory_mb),
	UINT(td_config_dataplane, streams),
	UINT(td_config_dataplane, mixed_streams),
	UINT(td_config_dataplane, rtp_port_first),
	UINT(td_config_dataplane, rtp_port_last),
	LIST(td_config_dataplane, ports, &port, 1, TD_PORT_MAX),
	LIST(td_config_dataplane, prompts, &prompt, 0, TD_PROMPT_FILE_MAX),
	UINT(td_config_dataplane, forks),
	BOOL(td_config_dataplane, recording_sync),
	ENUM(td_config_dataplane, srtp_engine, srtp_engines),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t sip_fields[] = {
	TEXT(td_config_sip, listen),          TEXT(td_config_sip, realm),
	ENUM(td_config_sip, digest, digests), TEXT(td_config_sip, user_agent),
	UINT(td_config_sip, calls_max),       UINT(td_config_sip, registrations_max),
	UINT(td_config_sip, options_ping_s),  CYAML_FIELD_END,
};

static const cyaml_schema_field_t opus_fields[] = {
	UINT(td_config_opus, bitrate_bps),
	UINT(td_config_opus, max_hz),
	UINT(td_config_opus, complexity),
	BOOL(td_config_opus, fec),
	BOOL(td_config_opus, dtx),
	UINT(td_config_opus, loss_percent),
	CYAML_FIELD_END,
};

static const cyaml_strval_t beeps[] = {
	{ "both", TD_BEEP_BOTH },
	{ "caller", TD_BEEP_CALLER },
	{ "agent", TD_BEEP_AGENT },
};

static const cyaml_schema_field_t tenant_fields[] = {
	TEXT(td_config_tenant, name),
	UINT(td_config_tenant, keep_days),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t tenant = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct td_config_tenant, tenant_fields),
};

static const cyaml_schema_field_t recording_fields[] = {
	ENUM(td_config_recording, format, recording_formats),
	TEXT(td_config_recording, key_file),
	TEXT(td_config_recording, name),
	UINT(td_config_recording, keep_days),
	LIST(td_config_recording, tenants, &tenant, 0, 10000),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t trunk_fields[] = {
	TEXT(td_config_trunk, name),     LIST(td_config_trunk, addresses, &text, 1, 16),
	TEXT(td_config_trunk, peer),     CODECS(td_config_trunk),
	UINT(td_config_trunk, ptime_ms), ENUM(td_config_trunk, srtp, policies),
	BOOL(td_config_trunk, nat),      INT(td_config_trunk, dscp),
	TEXT(td_config_trunk, tenant),   CYAML_FIELD_END,
};

static const cyaml_schema_value_t trunk = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct td_config_trunk, trunk_fields),
};

static const cyaml_schema_field_t agent_fields[] = {
	TEXT(td_config_agent, id),
	TEXT(td_config_agent, name),
	TEXT(td_config_agent, secret),
	LIST(td_config_agent, queues, &text, 1, 64),
	CODECS(td_config_agent),
	UINT(td_config_agent, ptime_ms),
	ENUM(td_config_agent, srtp, policies),
	BOOL(td_config_agent, logged_in),
	BOOL(td_config_agent, nat),
	INT(td_config_agent, dscp),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t agent = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct td_config_agent, agent_fields),
};

static const cyaml_schema_field_t queue_fields[] = {
	TEXT(td_config_queue, name),
	TEXT(td_config_queue, skill),
	TEXT(td_config_queue, greeting),
	TEXT(td_config_queue, music),
	UINT(td_config_queue, offer_timeout_s),
	UINT(td_config_queue, wrap_up_s),
	UINT(td_config_queue, wait_max_s),
	UINT(td_config_queue, length_max),
	UINT(td_config_queue, service_level_s),
	BOOL(td_config_queue, record),
	BOOL(td_config_queue, record_required),
	UINT(td_config_queue, record_beep_s),
	ENUM(td_config_queue, record_beep, beeps),
	TEXT(td_config_queue, tenant),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t queue = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct td_config_queue, queue_fields),
};

static const cyaml_schema_field_t conference_fields[] = {
	TEXT(td_config_conference, name),
	TEXT(td_config_conference, music),
	TEXT(td_config_conference, entry),
	TEXT(td_config_conference, leave),
	UINT(td_config_conference, members_max),
	BOOL(td_config_conference, lecture),
	BOOL(td_config_conference, record),
	UINT(td_config_conference, record_beep_s),
	TEXT(td_config_conference, tenant),
	LIST(td_config_conference, moderators, &text, 0, 64),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t conference = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct td_config_conference, conference_fields),
};

static const cyaml_schema_field_t fork_fields[] = {
	TEXT(td_config_fork, name),    TEXT(td_config_fork, rtp),   TEXT(td_config_fork, socket),
	UINT(td_config_fork, rate_hz), BOOL(td_config_fork, speak), CYAML_FIELD_END,
};

static const cyaml_schema_value_t destination = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct td_config_fork, fork_fields),
};

static const cyaml_schema_field_t number_fields[] = {
	TEXT(td_config_number, number),
	TEXT(td_config_number, queue),
	TEXT(td_config_number, conference),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t number = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct td_config_number, number_fields),
};

static const cyaml_schema_field_t quality_fields[] = {
	UINT(td_config_quality, dscp),
	UINT(td_config_quality, media_timeout_s),
	UINT(td_config_quality, one_way_s),
	UINT(td_config_quality, mos_alarm_x100),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t metrics_fields[] = {
	TEXT(td_config_metrics, listen),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t api_fields[] = {
	TEXT(td_config_api, listen),
	TEXT(td_config_api, token),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t root_fields[] = {
	SECTION(system, system_fields),
	SECTION(dataplane, dataplane_fields),
	SECTION(sip, sip_fields),
	CODECS(td_config),
	SECTION(opus, opus_fields),
	SECTION(recording, recording_fields),
	LIST(td_config, srtp_suites, &suite, 1, TD_SRTP_SUITE_COUNT - 1),
	LIST(td_config, trunks, &trunk, 0, 1024),
	LIST(td_config, agents, &agent, 0, 100000),
	LIST(td_config, queues, &queue, 0, 1024),
	LIST(td_config, conferences, &conference, 0, 1024),
	LIST(td_config, forks, &destination, 0, 256),
	LIST(td_config, dialplan, &number, 0, 100000),
	SECTION(quality, quality_fields),
	SECTION(metrics, metrics_fields),
	SECTION(api, api_fields),
	CYAML_FIELD_END,
};

const struct cyaml_schema_value td_config_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct td_config, root_fields),
};

// A row without a fallback is mandatory when its least is not zero.
const struct td_config_rule td_config_rules[] = {
	{ "system.run_dir", "/run/tandem", 1, 90 }, // a Unix socket's path has 108 bytes
	{ "system.data_dir", "/var/lib/tandem", 1, 200 },
	{ "system.log_level", "info", .words = "error warn info debug" },
	{ "dataplane.workers", "1", 1, TD_WORKER_MAX },
	{ "dataplane.first_core", "-1", -1, 1023 },
	{ "dataplane.poll", "adaptive" },
	{ "dataplane.hugepages", "auto" },
	{ "dataplane.memory_mb", "512", 64, 1 << 20 },
	{ "dataplane.streams", "4096", 2, TD_STREAM_MAX },
	{ "dataplane.mixed_streams", "4096", 2, TD_STREAM_MAX },
	{ "dataplane.rtp_port_first", "20000", 1024, 65534 },
	{ "dataplane.rtp_port_last", "29999", 1025, 65535 },
	{ "dataplane.ports", NULL, 1 },
	{ "dataplane.ports[].name", NULL, 1, 31 },
	{ "dataplane.ports[].driver", NULL, 1 },
	{ "dataplane.ports[].device", NULL, 1, 107 },
	{ "dataplane.ports[].addresses", NULL, 1 },
	{ "dataplane.ports[].addresses[]", NULL, 1, 64 },
	{ "dataplane.ports[].gateway", NULL, 0, 64 },
	{ "dataplane.ports[].gateway6", NULL, 0, 64 },
	{ "dataplane.ports[].vlan", "0", 0, 4094 },
	{ "dataplane.ports[].queues", "0", 0, TD_WORKER_MAX },
	{ "dataplane.ports[].share", "false" },
	{ "dataplane.prompts[].name", NULL, 1, TD_PROMPT_NAME_MAX - 1 },
	{ "dataplane.prompts[].file", NULL, 1, 2048 },
	{ "dataplane.forks", "256", 0, TD_FORK_MAX },
	{ "dataplane.recording_sync", "true" },
	{ "dataplane.srtp_engine", "auto" },
	{ "sip.listen", NULL, 1, 64 },
	{ "sip.realm", "tandem", 1, 63 },
	{ "sip.digest", "md5" },
	{ "sip.user_agent", "Tandem/" TD_VERSION, 1, 63 },
	{ "sip.calls_max", "4096", 1, TD_CONTEXT_MAX },
	{ "sip.registrations_max", "4096", 1, 1 << 20 },
	{ "sip.options_ping_s", "30", 0, 3600 },
	{ "opus.bitrate_bps", "0", 0, 510000 },
	{ "opus.max_hz", "48000", 8000, 48000 },
	{ "opus.complexity", "5", 0, 10 },
	{ "opus.fec", "true" },
	{ "opus.dtx", "false" },
	{ "opus.loss_percent", "5", 0, 100 },
	{ "recording.format", "wav" },
	{ "recording.key_file", NULL, 0, 2048 },
	{ "recording.name", "{tenant}/{time}-{call}", 1, 80 },
	{ "recording.keep_days", "0", 0, 36500 },
	{ "recording.tenants[].name", NULL, 1, 31 },
	{ "recording.tenants[].keep_days", "0", 0, 36500 },
	// The quickest first; what everybody has before what few ask for.
	{ "srtp_suites",
	  "AEAD_AES_128_GCM AEAD_AES_256_GCM AES_CM_128_HMAC_SHA1_80 "
	  "AES_CM_128_HMAC_SHA1_32 AES_256_CM_HMAC_SHA1_80 AES_256_CM_HMAC_SHA1_32" },
	{ "trunks[].name", NULL, 1, 63 },
	{ "trunks[].addresses", NULL, 1 },
	{ "trunks[].addresses[]", NULL, 1, 64 },
	{ "trunks[].peer", NULL, 0, 64 },
	{ "trunks[].ptime_ms", "0", 0, 60 },
	{ "trunks[].srtp", "forbid" },
	{ "trunks[].nat", "false" },
	{ "trunks[].dscp", "-1", -1, 63 },
	{ "trunks[].tenant", NULL, 0, 31 },
	{ "agents[].id", NULL, 1, 63 },
	{ "agents[].name", "", 0, 63 },
	{ "agents[].secret", NULL, 8, 128, .secret = true },
	{ "agents[].queues", NULL, 1 },
	{ "agents[].queues[]", NULL, 1, 63 },
	{ "agents[].ptime_ms", "0", 0, 60 },
	{ "agents[].srtp", "forbid" },
	{ "agents[].logged_in", "true" },
	{ "agents[].nat", "false" },
	{ "agents[].dscp", "-1", -1, 63 },
	{ "queues[].name", NULL, 1, 63 },
	{ "queues[].skill", NULL, 0, 63 },
	{ "queues[].greeting", NULL, 0, TD_PROMPT_NAME_MAX - 1 },
	{ "queues[].music", NULL, 0, TD_PROMPT_NAME_MAX - 1 },
	{ "queues[].offer_timeout_s", "15", 1, 600 },
	{ "queues[].wrap_up_s", "10", 0, 86400 },
	{ "queues[].wait_max_s", "0", 0, 86400 },
	{ "queues[].length_max", "1000", 1, TD_CONTEXT_MAX },
	{ "queues[].service_level_s", "20", 1, 86400 },
	{ "queues[].record", "true" },
	{ "queues[].record_required", "false" },
	{ "queues[].record_beep_s", "0", 0, 3600 },
	{ "queues[].record_beep", "both" },
	{ "queues[].tenant", NULL, 0, 31 },
	{ "dialplan[].number", NULL, 1, 63 },
	{ "conferences[].name", NULL, 1, 63 },
	{ "conferences[].music", NULL, 0, TD_PROMPT_NAME_MAX - 1 },
	{ "conferences[].entry", NULL, 0, TD_PROMPT_NAME_MAX - 1 },
	{ "conferences[].leave", NULL, 0, TD_PROMPT_NAME_MAX - 1 },
	{ "conferences[].members_max", "100", 2, TD_MEMBER_MAX - 8 },
	{ "conferences[].lecture", "false" },
	{ "conferences[].record", "false" },
	{ "conferences[].record_beep_s", "0", 0, 3600 },
	{ "conferences[].tenant", NULL, 0, 31 },
	{ "conferences[].moderators[]", NULL, 1, 63 },
	{ "forks[].name", NULL, 1, TD_FORK_NAME_MAX - 1 },
	{ "forks[].rtp", NULL, 0, 64 },
	{ "forks[].socket", NULL, 0, 107 }, // a Unix socket's path has 108 bytes
	{ "forks[].rate_hz", "8000", 8000, 16000 },
	{ "forks[].speak", "false" },
	{ "dialplan[].queue", NULL, 0, 63 },
	{ "dialplan[].conference", NULL, 0, 63 },
	{ "quality.dscp", "46", 0, 63 },
	{ "quality.media_timeout_s", "60", 0, 86400 },
	{ "quality.one_way_s", "10", 0, 86400 },
	{ "quality.mos_alarm_x100", "350", 0, 450 },
	{ "metrics.listen", "127.0.0.1:9105", 1, 64 },
	{ "api.listen", "127.0.0.1:5048", 1, 64 },
	{ "api.token", NULL, 16, 256, .secret = true },
};

const unsigned td_config_rule_count = CYAML_ARRAY_LEN(td_config_rules);

const struct td_config_rule *td_config_rule_find(const char *pattern)
{
	for (unsigned i = 0; i < td_config_rule_count; i++)
		if (strcmp(td_config_rules[i].pattern, pattern) == 0)
			return &td_config_rules[i];
	return NULL;
}
