// Keys and causes.
#include "call/srtp.h"

#include <string.h>
#include <sys/random.h>

#include "td_assert.h"

void td_leg_keys_renew(struct td_leg_keys *keys, enum td_srtp_suite kept)
{
	for (unsigned suite = TD_SRTP_NONE + 1; suite < TD_SRTP_SUITE_COUNT; suite++) {
		if (suite == kept)
			continue;
		// Never short and never interrupted for so few bytes, once the kernel has begun to
		// answer; td_link_create has asked it before anything else here.
		TD_ASSERT(getrandom(keys->seeds[suite], sizeof keys->seeds[suite], 0) ==
			  (ssize_t)sizeof keys->seeds[suite]);
	}
}

void td_leg_keys_lend(const struct td_leg_keys *keys, struct td_sdp_local *out)
{
	_Static_assert(sizeof out->seeds == sizeof keys->seeds, "one a suite");
	memcpy(out->seeds, keys->seeds, sizeof out->seeds);
}

void td_leg_keys_erase(struct td_leg_keys *keys)
{
	explicit_bzero(keys, sizeof *keys);
}

bool td_srtp_same_master(const struct td_srtp_master *a, const struct td_srtp_master *b)
{
	return a->suite == b->suite && a->mki_bytes == b->mki_bytes &&
	       memcmp(a->mki, b->mki, sizeof a->mki) == 0 &&
	       memcmp(a->key, b->key, sizeof a->key) == 0 &&
	       memcmp(a->salt, b->salt, sizeof a->salt) == 0;
}

enum td_cause td_srtp_cause(enum td_sdp_srtp_trouble trouble)
{
	switch (trouble) {
	case TD_SDP_SRTP_MISSING: return TD_CAUSE_SRTP_REQUIRED;
	case TD_SDP_SRTP_UNWANTED: return TD_CAUSE_SRTP_FORBIDDEN;
	case TD_SDP_SRTP_NO_SUITE: return TD_CAUSE_SRTP_NO_SUITE;
	case TD_SDP_SRTP_NO_TROUBLE: break;
	}
	return TD_CAUSE_NO_CODEC;
}
