// The one YAML file both processes read, as plain structs.
//
// Loading is libcyaml against the schema in schema.c, then a semantic check; either names file,
// line, key, what was found and what was expected. Both `--check` flags run exactly this code, so
// they cannot disagree. Values here are checked: a reader need not check them again.
//
// Memory: td_config_load allocates, td_config_free frees. Read-only after loading, any thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "td_codec_id.h"
#include "td_command.h"
#include "td_endpoint.h"
#include "td_error.h"
#include "td_limits.h"
#include "td_srtp.h"

struct td_config_system {
	char *run_dir;   // sockets; default /run/tandem
	char *data_dir;  // database and recordings; default /var/lib/tandem
	char *log_level; // error|warn|info|debug, default info
};

enum td_port_driver {
	TD_PORT_AF_XDP,
	TD_PORT_AF_PACKET,
	TD_PORT_PCI,
	TD_PORT_NET_RING,
	TD_PORT_MEMIF
};

struct td_config_address {
	struct td_endpoint addr; // of the dataplane on this port (or of the host: share); port_be 0
	uint8_t prefix_bits;
};

struct td_config_port {
	char *name;
	enum td_port_driver driver;
	char *device;     // interface name, PCI address, memif socket path
	char **addresses; // "10.77.0.2/24"; at least one
	unsigned addresses_count;
	char *gateway;                    // optional IPv4 gateway
	char *gateway6;                   // optional IPv6 gateway
	uint16_t vlan;                    // 0: untagged
	uint16_t queues;                  // receive queues; 0: one, or all of a shared interface
	bool share;                       // af_xdp: interface and addresses stay the host's
	struct td_config_address *parsed; // addresses_count of them
	struct td_endpoint gateway_parsed, gateway6_parsed;
};

enum td_poll_mode { TD_POLL_ADAPTIVE, TD_POLL_BUSY };
enum td_hugepages { TD_HUGEPAGES_AUTO, TD_HUGEPAGES_YES, TD_HUGEPAGES_NO };

struct td_config_prompt {
	char *name;
	char *file; // WAV, 16-bit PCM, mono or stereo, 8/16/32/48 kHz; relative to the config file
};

struct td_config_dataplane {
	uint16_t workers;            // default 1
	int16_t first_core;          // lcore of worker 0; -1 (default): the last cores there are
	enum td_poll_mode poll;      // default adaptive
	enum td_hugepages hugepages; // default auto
	uint32_t memory_mb;          // default 512
	uint32_t streams;            // default 4096
	uint32_t mixed_streams;      // of them decoded or coded for at once; default 4096
	uint16_t rtp_port_first;     // default 20000, even
	uint16_t rtp_port_last;      // default 29999
	struct td_config_port *ports;
	unsigned ports_count;
	struct td_config_prompt *prompts;
	unsigned prompts_count;
	uint32_t forks;                       // live forks and captures at once, default 256
	bool recording_sync;                  // fdatasync groups of recordings, default true
	enum td_srtp_engine_kind srtp_engine; // default auto
};

// What agents' phones are challenged with. RFC 8760 wants both, and phones that know only MD5 to
// skip the other; enough phones in the field (baresip 1.0 among them) give up instead.
enum td_digest_offer { TD_DIGEST_MD5, TD_DIGEST_SHA256, TD_DIGEST_BOTH };

struct td_config_sip {
	char *listen; // "10.77.0.1:5060" or "[::]:5060"
	struct td_endpoint listen_parsed;
	char *realm;                 // digest realm, default "tandem"
	enum td_digest_offer digest; // md5|sha256|both, default md5
	char *user_agent;            // default "Tandem/<version>"
	uint32_t calls_max;          // at once; default 4096
	uint32_t registrations_max;  // default 4096
	uint32_t options_ping_s;     // trunks are pinged this often, 0 never; default 30
};

// How Opus is coded, towards everybody who speaks it; RFC 7587 lets a peer ask for less.
struct td_config_opus {
	uint32_t bitrate_bps; // 6000 to 510000; 0 (default): by the rate that is coded
	uint32_t max_hz;      // 8000, 16000 or 48000 (default)
	uint8_t complexity;   // 0 to 10, default 5
	bool fec;             // in-band redundancy for peers that take it, default true
	bool dtx;             // silence is not sent to peers that like that, default false
	uint8_t loss_percent; // expected, what FEC is sized for; default 5
};

struct td_config_recording {
	enum td_record_format format; // default wav
	char *key_file; // 32 bytes, or 64 hexadecimal digits: what recordings are encrypted with
	char *name;     // template, default "{tenant}/{time}-{call}": control/call/recording_name.h
	uint32_t keep_days; // then they are deleted; 0 (default): never
	struct td_config_tenant *tenants;
	unsigned tenants_count;
};

// Whoever keeps recordings for a time of their own; a queue, trunk or conference may name any tenant.
struct td_config_tenant {
	char *name;
	uint32_t keep_days; // 0: for ever
};

enum td_beep_for { TD_BEEP_BOTH, TD_BEEP_CALLER, TD_BEEP_AGENT };

// Whether media is protected: SRTP with keys in the session descriptions (RFC 4568).
enum td_srtp_policy {
	TD_SRTP_POLICY_FORBID,
	TD_SRTP_POLICY_PREFER, // where the other side can
	TD_SRTP_POLICY_REQUIRE // or there is no call
};

struct td_config_trunk {
	char *name;
	char **addresses; // source addresses of the peer; numeric
	unsigned addresses_count;
	struct td_endpoint *parsed;
	char *peer; // "10.77.1.2:5060" where we send OPTIONS; default first address:5060
	struct td_endpoint peer_parsed;
	enum td_codec_id *codecs; // in order of preference; default: those of the top level
	unsigned codecs_count;
	uint8_t ptime_ms; // 10 to 60 in tens: packets we ask for; 0 (default): as the peer likes
	enum td_srtp_policy srtp; // default forbid
	bool nat;                 // learn the media source inside the window
	int8_t dscp;              // of media to it; -1 (default): quality.dscp
	char *tenant;             // whose recordings, optional
};

struct td_config_agent {
	char *id;     // SIP user, "1001"
	char *name;   // "Alice"
	char *secret; // digest password
	char **queues;
	unsigned queues_count;
	enum td_codec_id *codecs; // likewise, for this agent's phone
	unsigned codecs_count;
	uint8_t ptime_ms;
	enum td_srtp_policy srtp;
	bool logged_in; // default true: registered and available at once; else by API
	bool nat;
	int8_t dscp;
};

struct td_config_queue {
	char *name;
	char *skill;              // the one skill set agents need; default the queue's name
	char *greeting;           // prompt, optional
	char *music;              // prompt, looped while waiting
	uint32_t offer_timeout_s; // an agent who does not answer, default 15
	uint32_t wrap_up_s;       // default 10
	uint32_t wait_max_s;      // 0 for ever; then the call ends with cause "queue-timeout"
	uint32_t length_max;      // default 1000
	uint32_t service_level_s; // default 20
	bool record;              // default true
	bool record_required;   // callers are refused, or hung up on, when they cannot be recorded
	uint32_t record_beep_s; // a tone so often while recorded, default 0: none
	enum td_beep_for record_beep; // who hears it, default both
	char *tenant;                 // whose recordings, optional; default the trunk's
};

struct td_config_conference {
	char *name;
	char *music;          // prompt for whoever is alone, optional
	char *entry, *leave;  // prompts played to all when somebody comes or goes, optional
	uint32_t members_max; // default 100
	bool lecture;         // only moderators talk; default false
	bool record;          // from the first member to the last; default false
	uint32_t record_beep_s;
	char *tenant;
	char **moderators; // agents' ids
	unsigned moderators_count;
};

// Where what parties say may go while they say it: exactly one of `rtp` and `socket`.
struct td_config_fork {
	char *name;
	char *rtp; // "192.0.2.7:40000", or with an IPv6 address; track i goes to port + 2 i
	struct td_endpoint rtp_parsed;
	char *socket;     // path of a Unix socket on which the far end listens
	uint32_t rate_hz; // of a socket: 8000 (default) or 16000
	bool speak;       // of a socket: the far end may; default false
};

struct td_config_number {
	char *number; // exactly this user part, or a prefix ending in "*"
	char *queue;  // where it leads: exactly one of the two
	char *conference;
};

// How media is marked and watched.
struct td_config_quality {
	uint8_t dscp;             // of RTP and RTCP, default 46 (EF)
	uint32_t media_timeout_s; // silence of a party that ends its leg, default 60; 0: never
	uint32_t one_way_s;       // default 10; 0: never
	uint32_t mos_alarm_x100;  // default 350; 0: never
};

struct td_config_metrics {
	char *listen; // default 127.0.0.1:9105; "off": nowhere
	struct td_endpoint listen_parsed;
};

struct td_config_api {
	char *listen; // default 127.0.0.1:5048
	struct td_endpoint listen_parsed;
	char *token; // required, at least 16 characters; there is no default
};

struct td_config {
	struct td_config_system system;
	struct td_config_dataplane dataplane;
	struct td_config_sip sip;
	enum td_codec_id *codecs; // for whoever has no list; default Opus, G.722, PCMU, PCMA
	unsigned codecs_count;
	struct td_config_opus opus;
	struct td_config_recording recording;
	enum td_srtp_suite *srtp_suites; // offered in this order, and taken; default: all
	unsigned srtp_suites_count;
	struct td_config_trunk *trunks;
	unsigned trunks_count;
	struct td_config_agent *agents;
	unsigned agents_count;
	struct td_config_queue *queues;
	unsigned queues_count;
	struct td_config_conference *conferences;
	unsigned conferences_count;
	struct td_config_fork *forks;
	unsigned forks_count;
	struct td_config_number *dialplan;
	unsigned dialplan_count;
	struct td_config_quality quality;
	struct td_config_metrics metrics;
	struct td_config_api api;
	char *path; // of the file it came from
};

#define TD_CONFIG_ERROR_MAX 512

// Loads and checks `path`. 0 and *out (caller frees with td_config_free), or -TD_E* with one
// sentence in `error`: "tandem.yaml:12: dataplane.workers: found 99, expected 1 to 16".
TD_MUST_CHECK int td_config_load(const char *path, struct td_config **out,
				 char error[TD_CONFIG_ERROR_MAX]);
void td_config_free(struct td_config *config);

// "FILE:LINE: KEY", for a value that only its user can find wrong (a prompt that is no WAV file):
// reads the file again to find the line. `key` is spelled "dataplane.prompts[1].file".
void td_config_where(const struct td_config *config, const char *key,
		     char where[TD_CONFIG_ERROR_MAX]);
