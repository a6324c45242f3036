// Codecs in the config file: who gets which list, and what is said about a wrong one.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codecs/codec.h"
#include "config/config.h"

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

// A file with these lines at the top, in its only trunk and in its only agent.
static int load(const char *top, const char *trunk, const char *agent, struct td_config **config,
		char *error)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	fprintf(file,
		"%s\n"                                                            // 1
		"dataplane: {ports: [{name: a, driver: net_ring, device: r, "     //
		"addresses: [10.0.0.1/8]}]}\n"                                    // 2
		"sip: {listen: '[::]:5060'}\n"                                    // 3
		"api: {token: 0123456789abcdef}\n"                                // 4
		"trunks:\n  - name: carrier\n    addresses: [10.0.0.9]\n    %s\n" // 5 to 8
		"queues: [{name: support}]\n"                                     // 9
		"agents:\n  - id: a\n    secret: abcdefgh\n    queues: [support]\n    %s\n", // 10
		top, trunk, agent);
	ck_assert_int_eq(fclose(file), 0);
	return td_config_load(path, config, error);
}

static const struct {
	const char *top, *trunk, *agent;
	const char *expected; // after "FILE"; NULL: the file is good
} rows[] = {
	{ "", "codecs: [opsu]", "",
	  ":8: trunks[0].codecs[0]: found \"opsu\", expected one of PCMU, PCMA, G722, GSM, L16/8000, "
	  "L16/16000, L16/32000, L16/48000, opus, G729" },
	{ "codecs: [PCMU, 8]", "", "",
	  ":1: codecs[1]: found 8, expected one of PCMU, PCMA, G722, GSM, L16/8000, L16/16000, "
	  "L16/32000, L16/48000, opus, G729" },
	{ "codecs: []", "", "", ":1: codecs: found 0 entries, expected 1 to 10 entries" },
	{ "", "codecs: pcma", "", ":8: trunks[0].codecs: found \"pcma\", expected a list" },
	{ "codecs: [pcma, PCMA]", "", "", ":1: codecs[1]: found a codec twice, expected it once" },
	{ "", "codecs: [pcmu, gsm, PcMu]", "",
	  ":8: trunks[0].codecs[2]: found a codec twice, expected it once" },
	{ "", "", "codecs: [opus, opus]",
	  ":14: agents[0].codecs[1]: found a codec twice, expected it once" },
	{ "", "ptime_ms: 10", "ptime_ms: 60", NULL },
	{ "", "srtp: require", "srtp: prefer", NULL },
	{ "", "srtp: forbid", "", NULL },
	{ "", "srtp: yes", "",
	  ":8: trunks[0].srtp: found \"yes\", expected one of forbid, prefer, require" },
	{ "", "", "srtp: [prefer]", ":14: agents[0].srtp: found a list, expected a single word" },
	{ "srtp_suites: [aead_aes_256_gcm, AES_CM_128_HMAC_SHA1_80]", "srtp: require", "", NULL },
	{ "srtp_suites: []", "", "", ":1: srtp_suites: found 0 entries, expected 1 to 6 entries" },
	{ "srtp_suites: [NULL_HMAC_SHA1_80]", "", "",
	  ":1: srtp_suites[0]: found \"NULL_HMAC_SHA1_80\", expected one of AEAD_AES_128_GCM, "
	  "AEAD_AES_256_GCM, AES_CM_128_HMAC_SHA1_80, AES_CM_128_HMAC_SHA1_32, "
	  "AES_256_CM_HMAC_SHA1_80, AES_256_CM_HMAC_SHA1_32" },
	{ "srtp_suites: [AEAD_AES_128_GCM, aead_aes_128_gcm]", "", "",
	  ":1: srtp_suites[1]: found a suite twice, expected it once" },
	{ "", "ptime_ms: 0", "", NULL },
	{ "", "ptime_ms: 9", "",
	  ":8: trunks[0].ptime_ms: found 9, expected 10, 20, 30, 40, 50 or 60, or 0 for what the "
	  "peer likes" },
	{ "", "", "ptime_ms: 25",
	  ":14: agents[0].ptime_ms: found 25, expected 10, 20, 30, 40, 50 or 60, or 0 for what the "
	  "peer likes" },
	{ "", "ptime_ms: 61", "", ":8: trunks[0].ptime_ms: found 61, expected 0 to 60" },
	{ "", "ptime_ms: -1", "", ":8: trunks[0].ptime_ms: found -1, expected 0 to 60" },
	{ "opus: {bitrate_bps: 6000}", "", "", NULL },
	{ "opus: {bitrate_bps: 510000}", "", "", NULL },
	{ "opus: {bitrate_bps: 5999}", "", "",
	  ":1: opus.bitrate_bps: found 5999, expected 6000 to 510000, or 0 for the rate's own" },
	{ "opus: {bitrate_bps: 1}", "", "",
	  ":1: opus.bitrate_bps: found 1, expected 6000 to 510000, or 0 for the rate's own" },
	{ "opus: {bitrate_bps: 510001}", "", "",
	  ":1: opus.bitrate_bps: found 510001, expected 0 to 510000" },
	{ "opus: {max_hz: 8000}", "", "", NULL },
	{ "opus: {max_hz: 16000}", "", "", NULL },
	{ "opus: {max_hz: 24000}", "", "",
	  ":1: opus.max_hz: found 24000, expected 8000, 16000 or 48000" },
	{ "opus: {max_hz: 7999}", "", "", ":1: opus.max_hz: found 7999, expected 8000 to 48000" },
	{ "opus: {complexity: 10}", "", "", NULL },
	{ "opus: {complexity: 11}", "", "", ":1: opus.complexity: found 11, expected 0 to 10" },
	{ "opus: {loss_percent: 100}", "", "", NULL },
	{ "opus: {loss_percent: 101}", "", "",
	  ":1: opus.loss_percent: found 101, expected 0 to 100" },
	{ "opus: {fec: maybe}", "", "", ":1: opus.fec: found \"maybe\", expected true or false" },
	{ "opus: {bitrate: 1}", "", "",
	  ":1: opus.bitrate: found an unknown key, expected one of bitrate_bps, max_hz, complexity, "
	  "fec, dtx, loss_percent" },
};

START_TEST(row)
{
	char error[TD_CONFIG_ERROR_MAX], expected[TD_CONFIG_ERROR_MAX];
	struct td_config *config = NULL;
	int rc = load(rows[_i].top, rows[_i].trunk, rows[_i].agent, &config, error);

	if (!rows[_i].expected) {
		ck_assert_msg(rc == 0, "%s", error);
		td_config_free(config);
		return;
	}
	snprintf(expected, sizeof expected, "%s%s", path, rows[_i].expected);
	ck_assert_str_eq(error, expected);
	ck_assert_int_eq(rc, -TD_EINVALID);
}
END_TEST

// Every name of td_codec_name, in either case, is taken where the build has the codec; where it has
// not, the sentence says so and names what there is.
START_TEST(every_codec_by_name)
{
	for (int id = TD_CODEC_NONE + 1; id < TD_CODEC_COUNT; id++) {
		const char *name = td_codec_name((enum td_codec_id)id);
		char error[TD_CONFIG_ERROR_MAX], line[64], said[96];
		struct td_config *config = NULL;
		int rc;

		snprintf(line, sizeof line, "codecs: [%s]", name);
		for (char *c = line + 8; *c && _i; c++)
			*c = (char)(_i == 1 ? *c | (*c >= 'A' && *c <= 'Z' ? 0x20 : 0)
					    : *c & (*c >= 'a' && *c <= 'z' ? ~0x20 : ~0));
		rc = load("", line, "", &config, error);
		if (td_codec_get((enum td_codec_id)id)) {
			ck_assert_msg(rc == 0, "%s", error);
			ck_assert_uint_eq(config->trunks[0].codecs_count, 1);
			ck_assert_int_eq(config->trunks[0].codecs[0], id);
			td_config_free(config);
			continue;
		}
		snprintf(said, sizeof said,
			 ":8: trunks[0].codecs[0]: found %s, which this build does not have, "
			 "expected one of PCMU, PCMA",
			 name);
		ck_assert_msg(rc == -TD_EINVALID && strstr(error, said), "%s", error);
	}
}
END_TEST

START_TEST(who_has_no_list_has_the_top_levels)
{
	char error[TD_CONFIG_ERROR_MAX];
	struct td_config *c = NULL;

	ck_assert_msg(load("codecs: [gsm, opus]", "codecs: [PCMA]", "", &c, error) == 0, "%s",
		      error);
	ck_assert_uint_eq(c->codecs_count, 2);
	ck_assert_uint_eq(c->trunks[0].codecs_count, 1);
	ck_assert_int_eq(c->trunks[0].codecs[0], TD_CODEC_PCMA);
	ck_assert_uint_eq(c->agents[0].codecs_count, 2);
	ck_assert_int_eq(c->agents[0].codecs[0], TD_CODEC_GSM);
	ck_assert_int_eq(c->agents[0].codecs[1], TD_CODEC_OPUS);
	td_config_free(c);
}
END_TEST

START_TEST(defaults)
{
	char error[TD_CONFIG_ERROR_MAX];
	struct td_config *c = NULL;

	ck_assert_msg(load("", "", "", &c, error) == 0, "%s", error);
	ck_assert_int_eq(c->codecs[0], TD_CODEC_OPUS);
	ck_assert_int_eq(c->codecs[c->codecs_count - 2], TD_CODEC_PCMU);
	ck_assert_int_eq(c->codecs[c->codecs_count - 1], TD_CODEC_PCMA);
	ck_assert_uint_eq(c->trunks[0].codecs_count, c->codecs_count);
	ck_assert_uint_eq(c->agents[0].codecs_count, c->codecs_count);
	ck_assert_uint_eq(c->trunks[0].ptime_ms, 0);
	ck_assert_uint_eq(c->agents[0].ptime_ms, 0);
	ck_assert_int_eq(c->trunks[0].srtp, TD_SRTP_POLICY_FORBID);
	ck_assert_int_eq(c->agents[0].srtp, TD_SRTP_POLICY_FORBID);
	ck_assert_uint_eq(c->srtp_suites_count, TD_SRTP_SUITE_COUNT - 1);
	ck_assert_int_eq(c->srtp_suites[0], TD_SRTP_AEAD_AES_128_GCM);
	ck_assert_uint_eq(c->opus.bitrate_bps, 0);
	ck_assert_uint_eq(c->opus.max_hz, 48000);
	ck_assert_uint_eq(c->opus.complexity, 5);
	ck_assert(c->opus.fec);
	ck_assert(!c->opus.dtx);
	ck_assert_uint_eq(c->opus.loss_percent, 5);
	td_config_free(c);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config/codecs");
	TCase *tc = tcase_create("codecs");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, row, 0, sizeof rows / sizeof rows[0]);
	tcase_add_loop_test(tc, every_codec_by_name, 0, 3);
	tcase_add_test(tc, who_has_no_list_has_the_top_levels);
	tcase_add_test(tc, defaults);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
