#include <string.h>

#include "rtp/srtp.h"
#include "rtp/srtp_keys.h"
#include "rtp/srtp_layout.h"

void td_srtp_init(struct td_srtp *srtp)
{
	memset(srtp, 0, sizeof *srtp);
}

void td_srtp_fini(struct td_srtp *srtp)
{
	explicit_bzero(srtp, sizeof *srtp);
}

static bool same_key(const struct td_srtp_master *a, const struct td_srtp_master *b)
{
	const struct td_srtp_suite_shape *shape = td_srtp_suite_shape(a->suite);

	return a->suite == b->suite && td_srtp_same(a->key, b->key, shape->key_bytes) &&
	       td_srtp_same(a->salt, b->salt, shape->salt_bytes);
}

static int check_master(const struct td_srtp_master *master)
{
	if (master->suite == TD_SRTP_NONE || master->suite >= TD_SRTP_SUITE_COUNT ||
	    master->mki_bytes > TD_SRTP_MKI_MAX)
		return -TD_EINVALID;
	return 0;
}

static void make_epoch(struct td_srtp_engine *engine, struct td_srtp_epoch *epoch,
		       const struct td_srtp_master *master)
{
	td_srtp_keys_make(engine, master, TD_SRTP_RTP, &epoch->rtp);
	td_srtp_keys_make(engine, master, TD_SRTP_RTCP, &epoch->rtcp);
	epoch->master = *master;
}

// True when `master` is in force already; its MKI is then the new one's.
static bool repeated(struct td_srtp_epoch *present, const struct td_srtp_master *master)
{
	if (!same_key(&present->master, master))
		return false;
	present->master = *master;
	present->rtp.mki_bytes = master->mki_bytes & 0x3fu;
	present->rtcp.mki_bytes = master->mki_bytes & 0x3fu;
	return true;
}

int td_srtp_rekey_open(struct td_srtp_engine *engine, struct td_srtp *srtp,
		       const struct td_srtp_master *master)
{
	int error = check_master(master);

	if (error != 0 || repeated(&srtp->epochs[0], master))
		return error;
	// The first key of all has nothing before it.
	if (srtp->epochs[0].master.suite != TD_SRTP_NONE) {
		srtp->epochs[1] = srtp->epochs[0];
		srtp->may_restart = 1u << TD_SRTP_RTP | 1u << TD_SRTP_RTCP;
	}
	srtp->proofs = 0;
	make_epoch(engine, &srtp->epochs[0], master);
	if (srtp->source_count > 1) {
		srtp->first = *td_srtp_source_at(srtp, srtp->recent);
		srtp->source_count = 1;
		srtp->recent = 0;
	}
	return 0;
}

int td_srtp_rekey_seal(struct td_srtp_engine *engine, struct td_srtp *srtp,
		       const struct td_srtp_master *master)
{
	int error = check_master(master);

	if (error != 0 || repeated(&srtp->epochs[0], master))
		return error;
	make_epoch(engine, &srtp->epochs[0], master);
	return 0;
}

int td_srtp_resume(struct td_srtp *srtp, uint32_t ssrc, uint32_t rollover, uint16_t sequence)
{
	struct td_srtp_source *source = td_srtp_source_of(srtp, ssrc);

	if (source && td_srtp_window_used(&source->rtp))
		return -TD_EINVALID;
	if (!source)
		source = td_srtp_source_add(srtp, ssrc);
	if (!source)
		return -TD_EFULL;
	td_srtp_window_mark(&source->rtp, (uint64_t)rollover << 16 | sequence);
	return 0;
}

// Nothing but prefetches of computed addresses, one after the other: where a line's page is not known
// to the TLB either, a prefetch takes its place in the processor's window until it is, and few of
// them are under way at once when there is a load or other work in between. So whether the tables
// of GCM are needed is told by the last vector. Some are dropped all the same: who prepares a packet
// asks once more. Not for writing, which is waited for.
void td_srtp_prefetch(const struct td_srtp_engine *engine, const struct td_srtp_packet *packets,
		      unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		__builtin_prefetch(packets[i].srtp, 0);
		__builtin_prefetch(packets[i].srtp->epochs[0].rtp.salt, 0);
	}
	if (engine->had_aead)
		for (unsigned i = 0; i < count; i++)
			td_srtp_keys_prefetch(&packets[i].srtp->epochs[0].rtp, true);
	else
		for (unsigned i = 0; i < count; i++)
			td_srtp_keys_prefetch(&packets[i].srtp->epochs[0].rtp, false);
}
