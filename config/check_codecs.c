// Codecs: lists without repetition of what this build has, packets of whole frames, Opus in range; and
// SRTP suites.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codecs/codec.h"
#include "config/check.h"

#define OPUS_BITRATE_MIN_BPS 6000 // RFC 7587 section 6.1

// What somebody without any list gets: the best quality first, and what everybody has last.
static const enum td_codec_id preferred[] = { TD_CODEC_OPUS, TD_CODEC_G722, TD_CODEC_PCMU,
					      TD_CODEC_PCMA };

static int not_in_this_build(struct td_config_check *check, enum td_codec_id codec, const char *key)
{
	char found[TD_CONFIG_FOUND_MAX], expected[160] = "one of";
	size_t at = strlen(expected);

	for (int id = TD_CODEC_NONE + 1; id < TD_CODEC_COUNT; id++) {
		if (!td_codec_get((enum td_codec_id)id))
			continue;
		at += (size_t)snprintf(expected + at, sizeof expected - at, "%s %s",
				       id == TD_CODEC_NONE + 1 ? "" : ",",
				       td_codec_name((enum td_codec_id)id));
		if (at >= sizeof expected)
			break;
	}
	snprintf(found, sizeof found, "%s, which this build does not have", td_codec_name(codec));
	return td_config_wrong(check, found, expected, "%s", key);
}

// `where` is what the list's key begins with: "", "trunks[3].".
static int check_list(struct td_config_check *check, const enum td_codec_id *codecs, unsigned count,
		      const char *where)
{
	char key[64];

	for (unsigned i = 0; i < count; i++) {
		snprintf(key, sizeof key, "%scodecs[%u]", where, i);
		if (!td_codec_get(codecs[i]))
			return not_in_this_build(check, codecs[i], key);
		for (unsigned other = 0; other < i; other++)
			if (codecs[other] == codecs[i])
				return td_config_wrong(check, "a codec twice", "it once", "%s",
						       key);
	}
	return 0;
}

static int check_ptime(struct td_config_check *check, uint8_t ptime_ms, const char *where)
{
	char found[16];

	if (ptime_ms % 10 == 0)
		return 0;
	snprintf(found, sizeof found, "%u", ptime_ms);
	return td_config_wrong(check, found,
			       "10, 20, 30, 40, 50 or 60, or 0 for what the peer likes",
			       "%sptime_ms", where);
}

// Gives whoever has no list a copy of the top level's; libcyaml frees it as if it had made it.
static int inherit(const struct td_config *config, enum td_codec_id **codecs, unsigned *count)
{
	if (*count > 0)
		return 0;
	*codecs = malloc(config->codecs_count * sizeof **codecs);
	if (!*codecs)
		return -TD_EMEMORY;
	memcpy(*codecs, config->codecs, config->codecs_count * sizeof **codecs);
	*count = config->codecs_count;
	return 0;
}

static int fill_preferred(struct td_config *config)
{
	if (config->codecs_count > 0)
		return 0;
	config->codecs = malloc(sizeof preferred);
	if (!config->codecs)
		return -TD_EMEMORY;
	for (size_t i = 0; i < sizeof preferred / sizeof preferred[0]; i++)
		if (td_codec_get(preferred[i]))
			config->codecs[config->codecs_count++] = preferred[i];
	return 0;
}

static int check_opus(struct td_config_check *check)
{
	const struct td_config_opus *opus = &check->config->opus;
	char found[16];

	snprintf(found, sizeof found, "%u", opus->bitrate_bps);
	if (opus->bitrate_bps != 0 && opus->bitrate_bps < OPUS_BITRATE_MIN_BPS)
		return td_config_wrong(check, found, "6000 to 510000, or 0 for the rate's own",
				       "opus.bitrate_bps");
	snprintf(found, sizeof found, "%u", opus->max_hz);
	if (opus->max_hz != 8000 && opus->max_hz != 16000 && opus->max_hz != 48000)
		return td_config_wrong(check, found, "8000, 16000 or 48000", "opus.max_hz");
	return 0;
}

static int check_suites(struct td_config_check *check)
{
	const struct td_config *config = check->config;

	for (unsigned i = 0; i < config->srtp_suites_count; i++)
		for (unsigned other = 0; other < i; other++)
			if (config->srtp_suites[other] == config->srtp_suites[i])
				return td_config_wrong(check, "a suite twice", "it once",
						       "srtp_suites[%u]", i);
	return 0;
}

// One trunk's or agent's list and packets.
static int check_party(struct td_config_check *check, enum td_codec_id **codecs, unsigned *count,
		       uint8_t ptime_ms, const char *where)
{
	int rc = check_list(check, *codecs, *count, where);

	if (rc == 0)
		rc = check_ptime(check, ptime_ms, where);
	if (rc == 0)
		rc = inherit(check->config, codecs, count);
	return rc;
}

int td_config_check_codecs(struct td_config_check *check)
{
	struct td_config *config = check->config;
	char where[32];
	int rc = check_list(check, config->codecs, config->codecs_count, "");

	if (rc == 0)
		rc = check_opus(check);
	if (rc == 0)
		rc = check_suites(check);
	if (rc == 0)
		rc = fill_preferred(config);
	for (unsigned i = 0; rc == 0 && i < config->trunks_count; i++) {
		struct td_config_trunk *trunk = &config->trunks[i];

		snprintf(where, sizeof where, "trunks[%u].", i);
		rc = check_party(check, &trunk->codecs, &trunk->codecs_count, trunk->ptime_ms,
				 where);
	}
	for (unsigned i = 0; rc == 0 && i < config->agents_count; i++) {
		struct td_config_agent *agent = &config->agents[i];

		snprintf(where, sizeof where, "agents[%u].", i);
		rc = check_party(check, &agent->codecs, &agent->codecs_count, agent->ptime_ms,
				 where);
	}
	return rc;
}
