// The loader against broken files: each row changes one thing in a good file and names the exact
// sentence that must come back.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"

static const char good[] = "system:\n"                                     // 1
			   "  log_level: warn\n"                           // 2
			   "dataplane:\n"                                  // 3
			   "  workers: 2\n"                                // 4
			   "  rtp_port_first: 30000\n"                     // 5
			   "  rtp_port_last: 30099\n"                      // 6
			   "  ports:\n"                                    // 7
			   "    - name: lan\n"                             // 8
			   "      driver: af_packet\n"                     // 9
			   "      device: veth0\n"                         // 10
			   "      addresses: [10.77.0.2/24, fd77::2/64]\n" // 11
			   "      gateway: 10.77.0.1\n"                    // 12
			   "  prompts:\n"                                  // 13
			   "    - {name: hello, file: hello.wav}\n"        // 14
			   "    - {name: music, file: /m/music.wav}\n"     // 15
			   "sip:\n"                                        // 16
			   "  listen: 10.77.0.1:5060\n"                    // 17
			   "trunks:\n"                                     // 18
			   "  - name: carrier\n"                           // 19
			   "    addresses: [10.77.0.10]\n"                 // 20
			   "    codecs: [pcma]\n"                          // 21
			   "queues:\n"                                     // 22
			   "  - name: support\n"                           // 23
			   "    greeting: hello\n"                         // 24
			   "    wrap_up_s: 0\n"                            // 25
			   "    record: no\n"                              // 26
			   "agents:\n"                                     // 27
			   "  - id: 1001\n"                                // 28
			   "    secret: abcdefgh\n"                        // 29
			   "    queues: [support]\n"                       // 30
			   "dialplan:\n"                                   // 31
			   "  - {number: \"100\", queue: support}\n"       // 32
			   "  - {number: 44*, queue: support}\n"           // 33
			   "api:\n"                                        // 34
			   "  token: 0123456789abcdef\n";                  // 35

static const struct {
	const char *find, *replace; // the first occurrence in `good`
	const char *expected;       // after "FILE"
} broken[] = {
	// Syntax.
	{ "system:\n", "system: [\n", ":3: syntax: found something else, expected ',' or ']'" },
	{ "  workers: 2", "\tworkers: 2",
	  ":4: syntax: found character that cannot start any token, expected valid YAML" },
	{ "  workers: 2", "  workers: a: b",
	  ":4: syntax: found an error (mapping values are not allowed in this context), expected "
	  "valid YAML" },
	{ "warn", "w\xff",
	  ":2: syntax: found an error (invalid leading UTF-8 octet), expected valid "
	  "YAML" },
	{ "  listen: 10.77.0.1:5060", "  listen: *nowhere",
	  ":17: syntax: found undefined alias, expected valid YAML" },
	{ "  token: 0123456789abcdef\n", "  token: 0123456789abcdef\n---\na: b\n",
	  ":36: file: found a second document, expected one document" },
	// Keys.
	{ "system:", "sistem:",
	  ":1: sistem: found an unknown key, expected one of system, dataplane, sip, codecs, opus, "
	  "recording, srtp_suites, trunks, agents, queues, conferences, forks, "
	  "dialplan, quality, metrics, api" },
	{ "log_level", "level",
	  ":2: system.level: found an unknown key, expected one of run_dir, data_dir, log_level" },
	{ "  token: 0123456789abcdef", "  tokn: 0123456789abcdef",
	  ":35: api.tokn: found an unknown key, expected one of listen, token" },
	{ "  workers: 2", "  workers: 2\n  workers: 3",
	  ":5: dataplane.workers: found the key twice, expected it once" },
	{ "  workers: 2", "  ? [a]\n  : 2",
	  ":4: dataplane: found a key that is not a word, expected a "
	  "word" },
	{ "      device: veth0\n", "",
	  ":8: dataplane.ports[0].device: found nothing, expected this key: it has no default" },
	{ "  token: 0123456789abcdef\n", "",
	  ":34: api.token: found nothing, expected this key: it has no default" },
	{ "api:\n  token: 0123456789abcdef\n", "",
	  ":1: api.token: found nothing, expected this key: it has no default" },
	{ "  listen: 10.77.0.1:5060\n", "  realm: x\n",
	  ":17: sip.listen: found nothing, expected this key: it has no default" },
	{ "    queues: [support]\n", "",
	  ":28: agents[0].queues: found nothing, expected this key: it has no default" },
	// Types.
	{ "  workers: 2", "  workers: two",
	  ":4: dataplane.workers: found \"two\", expected 1 to 16" },
	{ "  workers: 2", "  workers: 010", ":4: dataplane.workers: found 010, expected 1 to 16" },
	{ "  workers: 2", "  workers: 0x1",
	  ":4: dataplane.workers: found \"0x1\", expected 1 to 16" },
	{ "  workers: 2", "  workers:", ":4: dataplane.workers: found nothing, expected 1 to 16" },
	{ "  workers: 2", "  workers: [1]",
	  ":4: dataplane.workers: found a list, expected a number" },
	{ "  workers: 2", "  workers: {a: 1}",
	  ":4: dataplane.workers: found a mapping, expected a number" },
	{ "record: no", "record_beep_s: 1",
	  ":26: queues[0].record_beep_s: found 1, expected 0, or 2 to 3600" },
	{ "record: no", "tenant: ../up",
	  ":26: queues[0].tenant: found \"../up\", expected letters, digits, - and _" },
	{ "record: no", "record_beep: all",
	  ":26: queues[0].record_beep: found \"all\", expected one of both, caller, agent" },
	{ "record: no", "record: perhaps",
	  ":26: queues[0].record: found \"perhaps\", expected true or false" },
	{ "queues: [support]", "queues: support",
	  ":30: agents[0].queues: found \"support\", expected a list" },
	{ "  log_level: warn", "  - warn", ":2: system: found a list, expected a mapping" },
	{ "  - {number: \"100\", queue: support}", "  - 100",
	  ":32: dialplan[0]: found 100, expected a mapping" },
	{ "secret: abcdefgh", "secret: [abcdefgh]",
	  ":29: agents[0].secret: found a list, expected a "
	  "text" },
	{ "log_level: warn", "log_level: \"wa\\0rn\"",
	  ":2: system.log_level: found a NUL character, expected a text without one" },
	// Ranges.
	{ "  workers: 2", "  workers: 99", ":4: dataplane.workers: found 99, expected 1 to 16" },
	{ "  workers: 2", "  workers: 0", ":4: dataplane.workers: found 0, expected 1 to 16" },
	{ "  workers: 2", "  workers: 17", ":4: dataplane.workers: found 17, expected 1 to 16" },
	{ "  workers: 2", "  workers: -1", ":4: dataplane.workers: found -1, expected 1 to 16" },
	{ "  workers: 2", "  workers: 18446744073709551617",
	  ":4: dataplane.workers: found \"18446744073709551617\", expected 1 to 16" },
	{ "  workers: 2", "  first_core: -2",
	  ":4: dataplane.first_core: found -2, expected -1 to 1023" },
	{ "wrap_up_s: 0", "wrap_up_s: 86401",
	  ":25: queues[0].wrap_up_s: found 86401, expected 0 to "
	  "86400" },
	{ "log_level: warn", "log_level: loud",
	  ":2: system.log_level: found \"loud\", expected one of error warn info debug" },
	{ "af_packet", "dpdk",
	  ":9: dataplane.ports[0].driver: found \"dpdk\", expected one of af_xdp, af_packet, pci, "
	  "net_ring, memif" },
	{ "0123456789abcdef", "0123456789abcde",
	  ":35: api.token: found 15 characters, expected 16 to 256 characters" },
	{ "abcdefgh", "secret1",
	  ":29: agents[0].secret: found 7 characters, expected 8 to 128 "
	  "characters" },
	{ "id: 1001", "id: \"\"", ":28: agents[0].id: found nothing, expected 1 to 63 characters" },
	// Meaning: the dataplane.
	{ "rtp_port_first: 30000", "rtp_port_first: 30001",
	  ":5: dataplane.rtp_port_first: found 30001, expected an even port (RTP even, RTCP odd)" },
	{ "rtp_port_last: 30099", "rtp_port_last: 30000",
	  ":6: dataplane.rtp_port_last: found 30000, expected more than rtp_port_first" },
	{ "rtp_port_first: 30000", "rtp_port_first: 40000",
	  ":6: dataplane.rtp_port_last: found 30099, expected more than rtp_port_first" },
	{ "veth0", "a-name-far-too-long",
	  ":10: dataplane.ports[0].device: found \"a-name-far-too-long\", expected a network "
	  "interface's name, at most 15 characters" },
	{ "af_packet", "pci",
	  ":10: dataplane.ports[0].device: found \"veth0\", expected a PCI address such as "
	  "0000:3b:00.0" },
	{ "10.77.0.2/24", "10.77.0.2",
	  ":11: dataplane.ports[0].addresses[0]: found \"10.77.0.2\", expected an address with its "
	  "prefix, such as 10.77.0.2/24" },
	{ "10.77.0.2/24", "10.77.0.2/33",
	  ":11: dataplane.ports[0].addresses[0]: found \"10.77.0.2/33\", expected an address with "
	  "its prefix, such as 10.77.0.2/24" },
	{ "fd77::2/64", "ff02::1/64",
	  ":11: dataplane.ports[0].addresses[1]: found \"ff02::1/64\", expected an address a host "
	  "can have" },
	{ "fd77::2/64", "10.77.0.2/16",
	  ":11: dataplane.ports[0].addresses[1]: found \"10.77.0.2/16\", expected an address that is "
	  "not given twice" },
	{ "gateway: 10.77.0.1", "gateway: 10.78.0.1",
	  ":12: dataplane.ports[0].gateway: found \"10.78.0.1\", expected an address in the network "
	  "of one of the port's addresses" },
	{ "gateway: 10.77.0.1", "gateway: fd77::1",
	  ":12: dataplane.ports[0].gateway: found \"fd77::1\", expected an IPv4 address" },
	{ "gateway: 10.77.0.1", "gateway6: 10.77.0.1",
	  ":12: dataplane.ports[0].gateway6: found \"10.77.0.1\", expected an IPv6 address" },
	{ "gateway: 10.77.0.1\n",
	  "vlan: 5\n    - {name: lan, driver: af_xdp, device: e1, addresses: [10.1.0.1/24]}\n",
	  ":13: dataplane.ports[1].name: found \"lan\", expected a name that is not used twice" },
	{ "gateway: 10.77.0.1\n",
	  "vlan: 5\n    - {name: two, driver: af_xdp, device: veth0, addresses: [10.1.0.1/24]}\n",
	  ":13: dataplane.ports[1].device: found \"veth0\", expected a device no other port has" },
	{ "gateway: 10.77.0.1", "share: true",
	  ":12: dataplane.ports[0].share: found true, expected share with driver af_xdp only" },
	{ "af_packet", "af_xdp\n      share: true",
	  ":13: dataplane.ports[0].gateway: found \"10.77.0.1\", expected no gateway where share is "
	  "true: the host routes" },
	{ "af_packet\n      device: veth0",
	  "af_xdp\n      share: true\n      vlan: 5\n      device: veth0",
	  ":11: dataplane.ports[0].vlan: found 5, expected no vlan where share is true: name the "
	  "VLAN's own interface as device, such as eth0.10" },
	{ "name: music", "name: hello",
	  ":15: dataplane.prompts[1].name: found \"hello\", expected a name that is not used twice" },
	// Meaning: listeners and trunks.
	{ "10.77.0.1:5060", "10.77.0.1",
	  ":17: sip.listen: found \"10.77.0.1\", expected an address and port, such as 10.77.0.1:5060 "
	  "or [::]:5060" },
	{ "10.77.0.1:5060", "sip.example.org:5060",
	  ":17: sip.listen: found \"sip.example.org:5060\", expected an address and port, such as "
	  "10.77.0.1:5060 or [::]:5060" },
	{ "api:\n", "api:\n  listen: 0.0.0.0:5048\n",
	  ":35: api.listen: found \"0.0.0.0:5048\", expected a loopback address (127.0.0.1 or ::1): "
	  "the API has no TLS" },
	{ "api:\n", "api:\n  listen: 127.0.0.1:70000\n",
	  ":35: api.listen: found \"127.0.0.1:70000\", expected an address and port, such as "
	  "127.0.0.1:5048" },
	{ "api:\n", "metrics: {listen: 0.0.0.0:9105}\napi:\n",
	  ":34: metrics.listen: found \"0.0.0.0:9105\", expected a loopback address (127.0.0.1 or "
	  "::1): anybody may read the metrics" },
	{ "[10.77.0.10]", "[carrier.example]",
	  ":20: trunks[0].addresses[0]: found \"carrier.example\", expected a numeric address without "
	  "a port" },
	{ "[10.77.0.10]",
	  "[10.77.0.10]\n  - {name: b, addresses: [10.77.0.11, 10.77.0.10]}\n  - "
	  "name: c\n    addresses: [10.77.0.12]",
	  ":21: trunks[1].addresses[1]: found \"10.77.0.10\", expected an address only one trunk "
	  "has" },
	{ "[10.77.0.10]", "[10.77.0.10]\n    peer: 10.77.0.10:0",
	  ":21: trunks[0].peer: found \"10.77.0.10:0\", expected an address and port, such as "
	  "192.0.2.10:5060" },
	{ "    codecs: [pcma]\n", "  - {name: carrier, addresses: [10.77.0.11]}\n",
	  ":21: trunks[1].name: found \"carrier\", expected a name that is not used twice" },
	// Meaning: names.
	{ "log_level: warn", "run_dir: run/tandem",
	  ":2: system.run_dir: found \"run/tandem\", expected an absolute path" },
	{ "log_level: warn", "data_dir: tandem",
	  ":2: system.data_dir: found \"tandem\", expected an absolute path" },
	{ "greeting: hello", "greeting: goodbye",
	  ":24: queues[0].greeting: found \"goodbye\", expected the name of a prompt under "
	  "dataplane.prompts" },
	{ "greeting: hello", "music: mucis",
	  ":24: queues[0].music: found \"mucis\", expected the name of a prompt under "
	  "dataplane.prompts" },
	{ "agents:\n", "  - name: support\nagents:\n",
	  ":27: queues[1].name: found \"support\", expected a name that is not used twice" },
	{ "queues: [support]", "queues: [sales]",
	  ":30: agents[0].queues[0]: found \"sales\", expected the name of a queue under queues" },
	{ "queues: [support]", "queues: [support, support]",
	  ":30: agents[0].queues[1]: found \"support\", expected each queue once" },
	{ "id: 1001", "id: alice@home",
	  ":28: agents[0].id: found \"alice@home\", expected a SIP user of letters, digits and -_.+" },
	{ "dialplan:\n", "  - {id: 1001, secret: abcdefgh, queues: [support]}\ndialplan:\n",
	  ":31: agents[1].id: found 1001, expected a name that is not used twice" },
	{ "number: 44*", "number: 4*4",
	  ":33: dialplan[1].number: found \"4*4\", expected a user part of letters, digits and "
	  "+-_.#, \"*\" last" },
	{ "number: 44*", "number: 100",
	  ":33: dialplan[1].number: found 100, expected a name that is not used twice" },
	{ "44*, queue: support", "44*, queue: sales",
	  ":33: dialplan[1].queue: found \"sales\", expected the name of a queue under queues" },
	{ "0123456789abcdef", "\"0123456789 abcdef\"",
	  ":35: api.token: found a space or a character beyond ASCII, expected printable ASCII "
	  "without spaces" },
};

static char path[64];

static void setup(void)
{
	int fd;

	snprintf(path, sizeof path, "/tmp/td-config-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void teardown(void)
{
	unlink(path);
}

static int load_bytes(const char *text, size_t bytes, struct td_config **config, char *error)
{
	FILE *file = fopen(path, "wb");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, bytes, file), bytes);
	fclose(file);
	return td_config_load(path, config, error);
}

static void change(const char *find, const char *replace, char *out, size_t out_bytes)
{
	const char *at = strstr(good, find);

	ck_assert_msg(at != NULL, "\"%s\" is not in the good file", find);
	snprintf(out, out_bytes, "%.*s%s%s", (int)(at - good), good, replace, at + strlen(find));
}

START_TEST(test_broken_file_names_line_key_found_expected)
{
	char text[4096], error[TD_CONFIG_ERROR_MAX], expected[TD_CONFIG_ERROR_MAX];
	struct td_config *config = NULL;
	int rc;

	change(broken[_i].find, broken[_i].replace, text, sizeof text);
	rc = load_bytes(text, strlen(text), &config, error);
	snprintf(expected, sizeof expected, "%s%s", path, broken[_i].expected);
	ck_assert_str_eq(error, expected);
	ck_assert_int_eq(rc, -TD_EINVALID);
	ck_assert_ptr_null(config);
}
END_TEST

START_TEST(test_values_defaults_and_derived)
{
	char error[TD_CONFIG_ERROR_MAX], text[TD_ENDPOINT_TEXT_MAX];
	struct td_config *c = NULL;

	ck_assert_msg(load_bytes(good, strlen(good), &c, error) == 0, "%s", error);
	ck_assert_str_eq(c->system.log_level, "warn");
	ck_assert_str_eq(c->system.run_dir, "/run/tandem");
	ck_assert_uint_eq(c->dataplane.workers, 2);
	ck_assert_int_eq(c->dataplane.first_core, -1);
	ck_assert_int_eq(c->dataplane.poll, TD_POLL_ADAPTIVE);
	ck_assert_int_eq(c->dataplane.srtp_engine, TD_SRTP_ENGINE_AUTO);
	ck_assert_int_eq(c->dataplane.hugepages, TD_HUGEPAGES_AUTO);
	ck_assert_uint_eq(c->dataplane.streams, 4096);
	ck_assert_uint_eq(c->dataplane.mixed_streams, 4096);
	ck_assert(c->dataplane.recording_sync);
	ck_assert_uint_eq(c->dataplane.ports_count, 1);
	ck_assert_int_eq(c->dataplane.ports[0].driver, TD_PORT_AF_PACKET);
	ck_assert_uint_eq(c->dataplane.ports[0].queues, 1);
	ck_assert(!c->dataplane.ports[0].share);
	ck_assert_uint_eq(c->dataplane.ports[0].parsed[0].prefix_bits, 24);
	ck_assert_str_eq(td_endpoint_text(&c->dataplane.ports[0].parsed[1].addr, text),
			 "[fd77::2]:0");
	ck_assert_str_eq(td_endpoint_text(&c->dataplane.ports[0].gateway_parsed, text),
			 "10.77.0.1:0");
	ck_assert_str_eq(c->dataplane.prompts[0].file, "/tmp/hello.wav");
	ck_assert_str_eq(c->dataplane.prompts[1].file, "/m/music.wav");
	ck_assert_str_eq(td_endpoint_text(&c->sip.listen_parsed, text), "10.77.0.1:5060");
	ck_assert_str_eq(c->sip.realm, "tandem");
	ck_assert_int_eq(c->sip.digest, TD_DIGEST_MD5);
	ck_assert_int_eq(strncmp(c->sip.user_agent, "Tandem/", 7), 0);
	ck_assert_uint_eq(c->sip.options_ping_s, 30);
	ck_assert_str_eq(td_endpoint_text(&c->trunks[0].peer_parsed, text), "10.77.0.10:5060");
	ck_assert_uint_eq(c->trunks[0].codecs_count, 1);
	ck_assert_int_eq(c->trunks[0].codecs[0], TD_CODEC_PCMA);
	ck_assert(!c->trunks[0].nat);
	ck_assert_str_eq(c->agents[0].name, "");
	ck_assert(c->agents[0].logged_in);
	ck_assert_str_eq(c->queues[0].skill, "support");
	ck_assert_uint_eq(c->queues[0].wrap_up_s, 0);
	ck_assert_uint_eq(c->queues[0].offer_timeout_s, 15);
	ck_assert(!c->queues[0].record);
	ck_assert_uint_eq(c->dialplan_count, 2);
	ck_assert_str_eq(c->dialplan[1].number, "44*");
	ck_assert_str_eq(td_endpoint_text(&c->api.listen_parsed, text), "127.0.0.1:5048");
	ck_assert_str_eq(td_endpoint_text(&c->metrics.listen_parsed, text), "127.0.0.1:9105");
	ck_assert_uint_eq(c->quality.media_timeout_s, 60);
	td_config_free(c);
}
END_TEST

// The same file with every optional list left out, or there with nothing in it.
START_TEST(test_empty_lists_are_empty)
{
	static const char *const files[] = {
		"dataplane: {ports: [{name: a, driver: net_ring, device: r0, addresses: [10.0.0.1/8]}]}\n"
		"sip: {listen: '[::]:5060'}\napi: {token: 0123456789abcdef}\n",
		"dataplane:\n  ports: [{name: a, driver: net_ring, device: r0, addresses: "
		"[10.0.0.1/8]}]\n  prompts:\nsystem:\ntrunks:\nagents:\nqueues: []\ndialplan:\n"
		"sip: {listen: '[::]:5060'}\napi: {token: 0123456789abcdef}\n",
	};
	char error[TD_CONFIG_ERROR_MAX];
	struct td_config *c = NULL;

	ck_assert_msg(load_bytes(files[_i], strlen(files[_i]), &c, error) == 0, "%s", error);
	ck_assert_uint_eq(c->trunks_count + c->agents_count + c->queues_count + c->dialplan_count,
			  0);
	ck_assert_uint_eq(c->dataplane.prompts_count, 0);
	ck_assert_str_eq(c->system.log_level, "info");
	td_config_free(c);
}
END_TEST

// An anchor shared by two agents is read as if it had been written twice.
START_TEST(test_anchors)
{
	char text[4096], error[TD_CONFIG_ERROR_MAX];
	struct td_config *c = NULL;

	change("queues: [support]",
	       "queues: &q [support]\n  - {id: x, secret: abcdefgh, queues: *q}", text,
	       sizeof text);
	ck_assert_msg(load_bytes(text, strlen(text), &c, error) == 0, "%s", error);
	ck_assert_uint_eq(c->agents_count, 2);
	ck_assert_str_eq(c->agents[1].queues[0], "support");
	td_config_free(c);
}
END_TEST

START_TEST(test_where_a_key_stands)
{
	static const struct {
		const char *key;
		unsigned line; // 0: not to be found
	} rows[] = {
		{ "dataplane.prompts[1].file", 15 },
		{ "dataplane.ports[0].addresses[1]", 11 },
		{ "dataplane.ports[7].name", 8 },
		{ "queues[0].music", 23 },
		{ "nothing.like.it", 1 },
	};
	char error[TD_CONFIG_ERROR_MAX], where[TD_CONFIG_ERROR_MAX], expected[TD_CONFIG_ERROR_MAX];
	struct td_config *c = NULL;

	ck_assert_int_eq(load_bytes(good, strlen(good), &c, error), 0);
	ck_assert_str_eq(c->path, path);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		td_config_where(c, rows[i].key, where);
		snprintf(expected, sizeof expected, "%s:%u: %s", path, rows[i].line, rows[i].key);
		ck_assert_str_eq(where, expected);
	}
	unlink(path);
	td_config_where(c, "api.token", where);
	snprintf(expected, sizeof expected, "%s: api.token", path);
	ck_assert_str_eq(where, expected);
	td_config_free(c);
}
END_TEST

START_TEST(test_example_file_passes)
{
	char error[TD_CONFIG_ERROR_MAX];
	struct td_config *c = NULL;

	ck_assert_msg(td_config_load(TD_EXAMPLE, &c, error) == 0, "%s", error);
	ck_assert_uint_eq(c->agents_count, 1);
	td_config_free(c);
}
END_TEST

// "A key that is commented out shows its default": uncommenting them all changes nothing.
START_TEST(test_example_file_shows_true_defaults)
{
	char text[16384], line[256], error[TD_CONFIG_ERROR_MAX];
	FILE *example = fopen(TD_EXAMPLE, "r");
	struct td_config *a = NULL, *b = NULL;
	size_t at = 0;
	unsigned shown = 0;

	ck_assert_ptr_nonnull(example);
	while (fgets(line, sizeof line, example)) {
		size_t indent = strspn(line, " ");
		char *key = line + indent + 2;
		size_t word = strspn(key, "abcdefghijklmnopqrstuvwxyz_0123456789");

		// "  # key: value" and not prose, the build's version or an optional address.
		if (strncmp(line + indent, "# ", 2) == 0 && indent > 0 && word > 0 &&
		    key[word] == ':' && !strchr(key, '<') && strncmp(key, "gateway6", 8) != 0) {
			memmove(line + indent, key, strlen(key) + 1);
			shown++;
		}
		at += (size_t)snprintf(text + at, sizeof text - at, "%s", line);
		ck_assert_uint_lt(at, sizeof text);
	}
	fclose(example);
	ck_assert_uint_gt(shown, 25);
	ck_assert_int_eq(td_config_load(TD_EXAMPLE, &a, error), 0);
	ck_assert_msg(load_bytes(text, at, &b, error) == 0, "%s", error);
	ck_assert_str_eq(a->system.run_dir, b->system.run_dir);
	ck_assert_str_eq(a->system.data_dir, b->system.data_dir);
	ck_assert_str_eq(a->system.log_level, b->system.log_level);
	// From workers to rtp_port_last they are plain numbers next to each other.
	ck_assert_mem_eq(&a->dataplane, &b->dataplane, offsetof(struct td_config_dataplane, ports));
	ck_assert(a->dataplane.recording_sync == b->dataplane.recording_sync);
	ck_assert_int_eq(a->dataplane.srtp_engine, b->dataplane.srtp_engine);
	ck_assert_uint_eq(a->dataplane.ports[0].queues, b->dataplane.ports[0].queues);
	ck_assert_str_eq(a->sip.realm, b->sip.realm);
	ck_assert_uint_eq(a->sip.calls_max, b->sip.calls_max);
	ck_assert_uint_eq(a->sip.registrations_max, b->sip.registrations_max);
	ck_assert_uint_eq(a->sip.options_ping_s, b->sip.options_ping_s);
	ck_assert(td_endpoint_equal(&a->trunks[0].peer_parsed, &b->trunks[0].peer_parsed));
	ck_assert_uint_eq(a->trunks[0].codecs_count, b->trunks[0].codecs_count);
	ck_assert_mem_eq(a->trunks[0].codecs, b->trunks[0].codecs,
			 a->trunks[0].codecs_count * sizeof a->trunks[0].codecs[0]);
	ck_assert_mem_eq(&a->opus, &b->opus, sizeof a->opus);
	ck_assert_str_eq(a->queues[0].skill, b->queues[0].skill);
	ck_assert_uint_eq(a->queues[0].offer_timeout_s, b->queues[0].offer_timeout_s);
	ck_assert_uint_eq(a->queues[0].wrap_up_s, b->queues[0].wrap_up_s);
	ck_assert_uint_eq(a->queues[0].wait_max_s, b->queues[0].wait_max_s);
	ck_assert_uint_eq(a->queues[0].length_max, b->queues[0].length_max);
	ck_assert_uint_eq(a->queues[0].service_level_s, b->queues[0].service_level_s);
	ck_assert(a->queues[0].record == b->queues[0].record);
	ck_assert(a->agents[0].logged_in == b->agents[0].logged_in);
	ck_assert_str_eq(a->api.listen, b->api.listen);
	td_config_free(a);
	td_config_free(b);
}
END_TEST

START_TEST(test_no_file_and_no_content)
{
	char error[TD_CONFIG_ERROR_MAX], expected[TD_CONFIG_ERROR_MAX];
	struct td_config *c = NULL;

	ck_assert_int_eq(td_config_load("/nonexistent/x.yaml", &c, error), -TD_EINVALID);
	ck_assert_str_eq(error,
			 "/nonexistent/x.yaml: file: found No such file or directory, expected "
			 "a readable file");
	ck_assert_int_eq(td_config_load("/", &c, error), -TD_EINVALID);
	ck_assert_str_eq(error, "/: file: found Is a directory, expected a readable file");
	ck_assert_int_eq(load_bytes("", 0, &c, error), -TD_EINVALID);
	snprintf(expected, sizeof expected,
		 "%s:1: file: found nothing, expected sections such as \"sip:\"", path);
	ck_assert_str_eq(error, expected);
	ck_assert_int_eq(load_bytes("- a\n", 4, &c, error), -TD_EINVALID);
	snprintf(expected, sizeof expected,
		 "%s:1: file: found no sections, expected sections such as \"sip:\"", path);
	ck_assert_str_eq(error, expected);
}
END_TEST

// A comment exactly as long as a file may be, and one byte more.
START_TEST(test_file_size_bound)
{
	char error[TD_CONFIG_ERROR_MAX], expected[TD_CONFIG_ERROR_MAX];
	size_t bytes = (16u << 20) + 1;
	struct td_config *c = NULL;
	char *text = malloc(bytes);

	ck_assert_ptr_nonnull(text);
	memset(text, '#', bytes);
	ck_assert_int_eq(load_bytes(text, bytes - 1, &c, error), -TD_EINVALID);
	snprintf(expected, sizeof expected,
		 "%s:1: file: found nothing, expected sections such as \"sip:\"", path);
	ck_assert_str_eq(error, expected);
	ck_assert_int_eq(load_bytes(text, bytes, &c, error), -TD_EINVALID);
	snprintf(expected, sizeof expected,
		 "%s: file: found more than 16 MiB, expected at most 16 MiB", path);
	ck_assert_str_eq(error, expected);
	free(text);
}
END_TEST

// Cut at every byte: a config or a sentence, never a crash, a leak or an empty error.
START_TEST(test_truncated_at_every_byte)
{
	for (size_t cut = 0; cut < strlen(good); cut++) {
		char error[TD_CONFIG_ERROR_MAX];
		struct td_config *c = NULL;

		if (load_bytes(good, cut, &c, error) == 0)
			td_config_free(c);
		else
			ck_assert_msg(*error != '\0', "no sentence when cut at %zu", cut);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config");
	TCase *tcase = tcase_create("load");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_broken_file_names_line_key_found_expected, 0,
			    (int)(sizeof broken / sizeof broken[0]));
	tcase_add_test(tcase, test_values_defaults_and_derived);
	tcase_add_loop_test(tcase, test_empty_lists_are_empty, 0, 2);
	tcase_add_test(tcase, test_anchors);
	tcase_add_test(tcase, test_where_a_key_stands);
	tcase_add_test(tcase, test_example_file_passes);
	tcase_add_test(tcase, test_example_file_shows_true_defaults);
	tcase_add_test(tcase, test_no_file_and_no_content);
	tcase_add_test(tcase, test_file_size_bound);
	tcase_add_test(tcase, test_truncated_at_every_byte);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
