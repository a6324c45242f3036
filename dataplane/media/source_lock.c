// The source lock: see the header for the rules.
#include "media/source_lock.h"

#include <string.h>

static enum td_lock_rank rank_of(const struct td_source_lock *lock, const struct td_endpoint *from)
{
	if (td_endpoint_equal(&lock->expected, from))
		return TD_LOCK_EXACT_MATCH;
	if (td_endpoint_same_addr(&lock->expected, from) ||
	    (lock->has_signalling && from->family == lock->expected.family &&
	     memcmp(lock->signalling, from->addr, sizeof lock->signalling) == 0))
		return TD_LOCK_SAME_ADDRESS;
	return TD_LOCK_OTHER;
}

static void adopt(struct td_source_lock *lock, const struct td_endpoint *from,
		  enum td_lock_rank rank)
{
	lock->accepted = *from;
	lock->rank = (uint8_t)rank;
	if (rank == TD_LOCK_EXACT_MATCH)
		lock->window_end_ns = 0;
	lock->has_candidates = false;
}

void td_source_lock_set(struct td_source_lock *lock, const struct td_source_lock_terms *terms,
			uint64_t now_ns)
{
	const struct td_endpoint *remote = &terms->remote;
	struct td_source_lock old = *lock;

	memset(lock, 0, sizeof *lock);
	lock->expected = *remote;
	if (remote->family == TD_FAMILY_NONE || remote->port_be == 0)
		return;
	lock->rtcp = terms->remote_rtcp;
	// Another family's is nobody's here.
	lock->has_signalling = terms->signalling.family == remote->family;
	memcpy(lock->signalling, terms->signalling.addr, sizeof lock->signalling);
	if (!terms->learn) {
		lock->mode = TD_LOCK_EXACT;
		adopt(lock, remote, TD_LOCK_EXACT_MATCH);
		return;
	}
	lock->mode = TD_LOCK_LEARN;
	lock->window_end_ns = now_ns + TD_LEARN_WINDOW_NS;
	// In EXACT mode somebody is accepted before he has sent anything: that proves nothing here.
	if (old.mode != TD_LOCK_LEARN || old.rank == TD_LOCK_NOBODY ||
	    (!td_endpoint_equal(&old.expected, remote) &&
	     !td_endpoint_equal(&old.accepted, remote)))
		return;
	lock->accepted = old.accepted;
	lock->rank = (uint8_t)rank_of(lock, &old.accepted);
	if (old.rtcp_learned) {
		lock->rtcp = old.rtcp;
		lock->rtcp_learned = true;
	}
}

// The place of this sender among the candidates: its own, else a free, stale or lesser one.
static struct td_lock_candidate *candidate_place(struct td_source_lock *lock,
						 struct td_lock_candidates *candidates,
						 const struct td_endpoint *from,
						 enum td_lock_rank rank, uint64_t now_ns)
{
	struct td_lock_candidate *place = NULL;

	if (!lock->has_candidates)
		memset(candidates, 0, sizeof *candidates);
	lock->has_candidates = true;
	for (unsigned i = 0; i < TD_LEARN_CANDIDATES; i++) {
		struct td_lock_candidate *c = &candidates->places[i];

		if (c->rank != TD_LOCK_NOBODY && td_endpoint_equal(&c->from, from))
			return c;
		if (c->rank != TD_LOCK_NOBODY && now_ns - c->last_ns > TD_LEARN_CANDIDATE_AGE)
			c->rank = TD_LOCK_NOBODY;
		if (c->rank < rank && (place == NULL || c->rank < place->rank))
			place = c;
	}
	if (place != NULL)
		*place = (struct td_lock_candidate){ .from = *from, .rank = (uint8_t)rank };
	return place;
}

// Counts a candidate's packet; true when it has sent enough, in sequence, over long enough.
static bool candidate_passes(struct td_lock_candidate *c, uint32_t ssrc, uint16_t sequence,
			     uint64_t now_ns)
{
	if (c->count == 0 || c->ssrc != ssrc || c->next_sequence != sequence) {
		c->count = 0;
		c->ssrc = ssrc;
		c->first_ns = now_ns;
	}
	if (c->count < UINT8_MAX)
		c->count++;
	c->next_sequence = (uint16_t)(sequence + 1u);
	c->last_ns = now_ns;
	return c->count >= TD_LEARN_PACKETS && now_ns - c->first_ns >= TD_LEARN_SPREAD_NS;
}

static bool may_displace(const struct td_source_lock *lock, enum td_lock_rank rank,
			 uint64_t accepted_last_ns, uint64_t now_ns)
{
	if (lock->rank != rank)
		return lock->rank < rank;
	return now_ns > accepted_last_ns && now_ns - accepted_last_ns > TD_LEARN_SILENCE_NS;
}

// In the window, and not too early for this rank.
static bool may_learn(const struct td_source_lock *lock, enum td_lock_rank rank, uint64_t now_ns)
{
	uint64_t opened_ns = lock->window_end_ns - TD_LEARN_WINDOW_NS;

	if (now_ns >= lock->window_end_ns)
		return false;
	return rank > TD_LOCK_OTHER || now_ns - opened_ns >= TD_LEARN_OTHER_NS;
}

static enum td_lock_verdict learn(struct td_source_lock *lock,
				  struct td_lock_candidates *candidates,
				  const struct td_endpoint *from, uint32_t ssrc, uint16_t sequence,
				  uint64_t accepted_last_ns, uint64_t now_ns)
{
	enum td_lock_rank rank = rank_of(lock, from);
	struct td_lock_candidate *candidate;

	if (rank == TD_LOCK_EXACT_MATCH &&
	    (now_ns < lock->window_end_ns || lock->rank == TD_LOCK_NOBODY)) {
		adopt(lock, from, rank);
		return TD_LOCK_ADOPT;
	}
	if (!may_learn(lock, rank, now_ns) || !may_displace(lock, rank, accepted_last_ns, now_ns))
		return TD_LOCK_MISMATCH;
	candidate = candidate_place(lock, candidates, from, rank, now_ns);
	if (candidate == NULL || !candidate_passes(candidate, ssrc, sequence, now_ns))
		return TD_LOCK_PROBATION;
	adopt(lock, from, rank);
	return TD_LOCK_ADOPT;
}

bool td_source_lock_may_accept(const struct td_source_lock *lock, const struct td_endpoint *from,
			       uint64_t now_ns)
{
	enum td_lock_rank rank;

	if (lock->mode == TD_LOCK_UNSET)
		return false;
	if (lock->rank != TD_LOCK_NOBODY && td_endpoint_equal(&lock->accepted, from))
		return true;
	if (lock->mode == TD_LOCK_EXACT)
		return false;
	rank = rank_of(lock, from);
	if (rank == TD_LOCK_EXACT_MATCH && lock->rank == TD_LOCK_NOBODY)
		return true;
	return rank >= (enum td_lock_rank)lock->rank && may_learn(lock, rank, now_ns);
}

enum td_lock_verdict td_source_lock_check(struct td_source_lock *lock,
					  struct td_lock_candidates *candidates,
					  const struct td_endpoint *from, uint32_t ssrc,
					  uint16_t sequence, uint64_t accepted_last_ns,
					  uint64_t now_ns)
{
	if (lock->mode == TD_LOCK_UNSET)
		return TD_LOCK_NO_REMOTE;
	if (lock->rank != TD_LOCK_NOBODY && td_endpoint_equal(&lock->accepted, from))
		return TD_LOCK_ACCEPT;
	if (lock->mode == TD_LOCK_EXACT)
		return TD_LOCK_MISMATCH;
	return learn(lock, candidates, from, ssrc, sequence, accepted_last_ns, now_ns);
}

bool td_source_lock_is_final(const struct td_source_lock *lock, uint64_t now_ns)
{
	if (lock->rank == TD_LOCK_NOBODY)
		return false;
	return lock->mode == TD_LOCK_EXACT || now_ns >= lock->window_end_ns;
}

static bool rtcp_is_fixed(const struct td_source_lock *lock)
{
	return lock->mode == TD_LOCK_EXACT || lock->rtcp_learned;
}

bool td_source_lock_may_rtcp(const struct td_source_lock *lock, const struct td_endpoint *from)
{
	if (lock->mode == TD_LOCK_UNSET || lock->rank == TD_LOCK_NOBODY)
		return false;
	return rtcp_is_fixed(lock) ? td_endpoint_equal(&lock->rtcp, from)
				   : td_endpoint_same_addr(&lock->accepted, from);
}

bool td_source_lock_rtcp(struct td_source_lock *lock, const struct td_endpoint *from)
{
	if (!td_source_lock_may_rtcp(lock, from))
		return false;
	if (!rtcp_is_fixed(lock)) {
		lock->rtcp = *from;
		lock->rtcp_learned = true;
	}
	return true;
}

bool td_source_lock_rtcp_target(const struct td_source_lock *lock, struct td_endpoint *out)
{
	if (lock->mode == TD_LOCK_UNSET || lock->rank == TD_LOCK_NOBODY)
		return false;
	// The SDP's RTCP port is good where the SDP's own sender is; a translated sender's is not
	// known before it has sent.
	if (lock->mode == TD_LOCK_LEARN && !lock->rtcp_learned &&
	    (lock->rank != TD_LOCK_EXACT_MATCH ||
	     !td_endpoint_same_addr(&lock->rtcp, &lock->accepted)))
		return false;
	*out = lock->rtcp;
	return true;
}
