#include <string.h>

#include "sdp/crypto.h"
#include "sdp/secure.h"

bool td_sdp_transport_fits(const struct td_sdp_media *media, enum td_sdp_srtp srtp)
{
	if (media->rtp_savp)
		return srtp != TD_SDP_SRTP_FORBID;
	// RTP/AVP with keys is SRTP for whoever wants it (RFC 8643 section 3.1).
	return media->rtp_avp && (srtp != TD_SDP_SRTP_REQUIRE || media->crypto_count > 0);
}

bool td_sdp_secure_choose(const struct td_sdp_local *local, const struct td_sdp_media *media,
			  struct td_sdp_crypto *out)
{
	for (uint32_t i = 0; i < media->crypto_count; i++)
		if (td_sdp_crypto_parse(media->cryptos[i], out) == TD_SDP_CRYPTO_TAKEN &&
		    td_sdp_crypto_choose(out, 1, local->suites, local->suite_count) == 0)
			return true;
	*out = (struct td_sdp_crypto){ 0 };
	return false;
}

enum td_sdp_srtp_trouble td_sdp_secure_trouble(const struct td_sdp_local *local,
					       const struct td_sdp_media *media)
{
	struct td_sdp_crypto crypto;
	bool suits;

	if (local->srtp == TD_SDP_SRTP_FORBID)
		return media->rtp_savp ? TD_SDP_SRTP_UNWANTED : TD_SDP_SRTP_NO_TROUBLE;
	suits = td_sdp_secure_choose(local, media, &crypto);
	explicit_bzero(&crypto, sizeof crypto);
	if (suits)
		return TD_SDP_SRTP_NO_TROUBLE;
	if (media->rtp_savp || media->crypto_count > 0)
		return TD_SDP_SRTP_NO_SUITE;
	return local->srtp == TD_SDP_SRTP_REQUIRE ? TD_SDP_SRTP_MISSING : TD_SDP_SRTP_NO_TROUBLE;
}

static void add_key(const struct td_sdp_local *local, uint32_t tag, enum td_srtp_suite suite,
		    struct td_sdp_our_line *line)
{
	td_sdp_crypto_make(&line->cryptos[line->crypto_count++], tag, suite, local->seeds[suite]);
}

void td_sdp_secure_answer(const struct td_sdp_local *local, const struct td_sdp_media *media,
			  const struct td_sdp_crypto *theirs, struct td_sdp_our_line *line,
			  struct td_sdp_agreed *agreed)
{
	line->savp = media->rtp_savp;
	line->feedback = media->feedback;
	if (theirs->master.suite == TD_SRTP_NONE)
		return;
	add_key(local, theirs->tag, (enum td_srtp_suite)theirs->master.suite, line);
	agreed->srtp_rx = theirs->master;
	agreed->srtp_tx = line->cryptos[0].master;
}

void td_sdp_secure_offer(const struct td_sdp_local *local, struct td_sdp_our_line *line)
{
	line->savp |= local->srtp == TD_SDP_SRTP_REQUIRE;
	if (local->srtp == TD_SDP_SRTP_FORBID)
		return;
	for (unsigned i = 0; i < local->suite_count; i++)
		add_key(local, i + 1, local->suites[i], line);
}

// An answer holds one attribute, with the tag of ours that it takes (RFC 4568 section 5.1.3).
int td_sdp_secure_accept(const struct td_sdp_local *local, const struct td_sdp_our_line *ours,
			 const struct td_sdp_media *media, struct td_sdp_agreed *agreed)
{
	struct td_sdp_crypto answer;

	if (local->srtp == TD_SDP_SRTP_FORBID)
		return 0;
	if (media->crypto_count == 0)
		return local->srtp == TD_SDP_SRTP_REQUIRE ? -TD_EUNSUPPORTED : 0;
	if (media->crypto_count > 1 ||
	    td_sdp_crypto_parse(media->cryptos[0], &answer) != TD_SDP_CRYPTO_TAKEN)
		return -TD_ECODEC;
	for (unsigned i = 0; i < ours->crypto_count; i++) {
		int error;

		if (ours->cryptos[i].tag != answer.tag)
			continue;
		error = td_sdp_crypto_accept(&ours->cryptos[i], &answer);
		if (error)
			return error;
		agreed->srtp_tx = ours->cryptos[i].master;
		agreed->srtp_rx = answer.master;
		return 0;
	}
	return -TD_ECODEC;
}
