// Lists of codecs, and of suites, for an offer or an answer.
#include "call/codecs.h"

static struct td_codec_settings opus_settings(const struct td_config_opus *opus)
{
	unsigned flags = (opus->fec ? TD_CODEC_FEC : 0u) | (opus->dtx ? TD_CODEC_DTX : 0u);

	return (struct td_codec_settings){
		.bitrate_bps = opus->bitrate_bps,
		.max_hz = opus->max_hz,
		.complexity = opus->complexity,
		.flags = (uint8_t)flags,
		.loss_percent = opus->loss_percent,
	};
}

static enum td_sdp_srtp policy(enum td_srtp_policy policy)
{
	switch (policy) {
	case TD_SRTP_POLICY_PREFER: return TD_SDP_SRTP_PREFER;
	case TD_SRTP_POLICY_REQUIRE: return TD_SDP_SRTP_REQUIRE;
	case TD_SRTP_POLICY_FORBID: break;
	}
	return TD_SDP_SRTP_FORBID;
}

static void begin(const struct td_config *config, uint8_t ptime_ms, enum td_srtp_policy srtp,
		  struct td_sdp_local *out)
{
	*out = (struct td_sdp_local){
		.telephone_event = true,
		.ptime_ms = ptime_ms,
		.direction = TD_SDP_SENDRECV,
		.opus = opus_settings(&config->opus),
		.srtp = policy(srtp),
	};
	for (unsigned i = 0; i < config->srtp_suites_count && i < TD_SDP_SUITE_MAX; i++)
		out->suites[out->suite_count++] = config->srtp_suites[i];
}

// `first`, which may be TD_CODEC_NONE, if it is in the list; then the others in their order.
static void add(struct td_sdp_local *out, const enum td_codec_id *codecs, unsigned count,
		enum td_codec_id first)
{
	for (unsigned i = 0; i < count && first != TD_CODEC_NONE; i++)
		if (codecs[i] == first)
			out->codecs[out->codec_count++] = first;
	for (unsigned i = 0; i < count && out->codec_count < TD_SDP_LOCAL_CODEC_MAX; i++)
		if (codecs[i] != first)
			out->codecs[out->codec_count++] = codecs[i];
}

void td_codecs_of_trunk(const struct td_config *config, const struct td_config_trunk *trunk,
			struct td_sdp_local *out)
{
	begin(config, trunk->ptime_ms, trunk->srtp, out);
	add(out, trunk->codecs, trunk->codecs_count, TD_CODEC_NONE);
}

void td_codecs_of_agent(const struct td_config *config, const struct td_config_agent *agent,
			const struct td_sdp_agreed *caller, struct td_sdp_local *out)
{
	begin(config,
	      agent->ptime_ms ? agent->ptime_ms
	      : caller        ? caller->ptime_ms
			      : 0,
	      agent->srtp, out);
	add(out, agent->codecs, agent->codecs_count, caller ? caller->codec : TD_CODEC_NONE);
}
