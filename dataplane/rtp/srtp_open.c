#include <string.h>

#include "rtp/srtp.h"
#include "rtp/srtp_keys.h"
#include "rtp/srtp_layout.h"

// A packet says only the lower half of its index and perhaps not which key: what it is, is tried. In
// a call that runs there is one trial. There are more when the first packets of a source arrive, or
// after a re-key, or when an earlier packet of the vector changes what this one's index must be.
#define TRIALS_MAX 6

struct trial {
	uint64_t index;
	uint8_t epoch;
	bool restarts; // the peer would have begun again at rollover counter 0
};

// A packet on its way; of most only the first line is touched, which holds the first trial.
struct inbound {
	_Alignas(64) struct td_srtp_packet *packet;
	uint32_t ssrc;
	uint16_t header, plain_len;
	uint8_t count; // of trials, the last of which is running
	bool proved;
	uint8_t under_rollover[4];    // CM: what the rollover counter overwrites while it is hashed
	uint8_t tag[TD_SRTP_TAG_MAX]; // CM
	struct trial tried[TRIALS_MAX];
};

_Static_assert(offsetof(struct inbound, tried[1]) <= 64, "one line");

static const struct td_srtp_keys *keys_of(const struct inbound *inbound, unsigned epoch)
{
	const struct td_srtp_epoch *from = &inbound->packet->srtp->epochs[epoch];

	return inbound->packet->is_rtcp ? &from->rtcp : &from->rtp;
}

// Bytes that the keys' trailer takes, SRTCP's index included.
static unsigned trailer_bytes(const struct inbound *inbound, const struct td_srtp_keys *keys)
{
	return keys->tag_bytes + keys->mki_bytes + (inbound->packet->is_rtcp ? 4u : 0u);
}

static bool mki_matches(const struct inbound *inbound, const struct td_srtp_keys *keys,
			const struct td_srtp_master *master)
{
	const struct td_srtp_packet *packet = inbound->packet;
	unsigned behind = keys->mki_bytes + (keys->aead ? 0u : keys->tag_bytes);

	return keys->mki_bytes == 0 ||
	       memcmp(packet->bytes + packet->len - behind, master->mki, keys->mki_bytes) == 0;
}

static uint32_t rtcp_word(const struct inbound *inbound, const struct td_srtp_keys *keys)
{
	const struct td_srtp_packet *packet = inbound->packet;
	unsigned behind = 4u + keys->mki_bytes + (keys->aead ? 0u : keys->tag_bytes);

	return td_rtp_load32(packet->bytes + packet->len - behind);
}

static bool was_tried(const struct inbound *inbound, const struct trial *trial)
{
	for (unsigned i = 0; i < inbound->count; i++)
		if (inbound->tried[i].index == trial->index &&
		    inbound->tried[i].epoch == trial->epoch)
			return true;
	return false;
}

// Takes `trial` if it is of use: TD_SRTP_OK, or why it is of none.
static enum td_srtp_verdict consider(struct inbound *inbound, const struct td_srtp_window *window,
				     const struct trial *trial)
{
	if (trial->index > TD_SRTP_INDEX_MAX)
		return TD_SRTP_LATE;
	if (window && !trial->restarts) {
		enum td_srtp_age age = td_srtp_window_age(window, trial->index);

		if (age != TD_SRTP_FRESH)
			return age == TD_SRTP_SEEN ? TD_SRTP_REPLAYED : TD_SRTP_LATE;
	}
	if (was_tried(inbound, trial) || inbound->count == TRIALS_MAX)
		return TD_SRTP_BAD_TAG;
	inbound->tried[inbound->count++] = *trial;
	td_srtp_keys_prefetch(keys_of(inbound, trial->epoch), keys_of(inbound, trial->epoch)->aead);
	return TD_SRTP_OK;
}

static unsigned protocol_bit(const struct inbound *inbound)
{
	return 1u << (inbound->packet->is_rtcp ? TD_SRTP_RTCP : TD_SRTP_RTP);
}

static bool may_restart(const struct inbound *inbound)
{
	return inbound->packet->srtp->may_restart & protocol_bit(inbound);
}

// The indices that the packet may have under the keys of `epoch`, the likeliest first.
static enum td_srtp_verdict consider_epoch(struct inbound *inbound, unsigned epoch)
{
	static const struct td_srtp_window nothing;
	const struct td_srtp_packet *packet = inbound->packet;
	struct td_srtp *srtp = packet->srtp;
	struct td_srtp_source *source = td_srtp_source_of(srtp, inbound->ssrc);
	const struct td_srtp_window *window;
	struct trial trial = { .epoch = (uint8_t)epoch };
	uint16_t sequence = 0;
	enum td_srtp_verdict verdict;

	if (!source && srtp->source_count == TD_SRTP_SOURCE_MAX)
		return TD_SRTP_CROWDED;
	window = source ? (packet->is_rtcp ? &source->rtcp : &source->rtp) : NULL;
	if (packet->is_rtcp) {
		trial.index = rtcp_word(inbound, keys_of(inbound, epoch)) & TD_SRTCP_INDEX_MAX;
	} else {
		sequence = td_rtp_load16(packet->bytes + 2);
		trial.index = td_srtp_index_guess(source ? window : &nothing, sequence);
	}
	verdict = consider(inbound, window, &trial);
	if (verdict == TD_SRTP_OK)
		return verdict;
	if (window && may_restart(inbound) && epoch == 0) {
		trial.restarts = true;
		if (!packet->is_rtcp)
			trial.index = sequence;
	} else if (srtp->source_count == 0 && !packet->is_rtcp && sequence < 0x8000u) {
		// The stream began just before the wrap, and what was before it has been lost.
		trial.index = UINT64_C(1) << 16 | sequence;
	} else {
		return verdict;
	}
	return consider(inbound, window, &trial);
}

// Chooses what to try next; TD_SRTP_OK, or the packet's fate. With one failed trial behind it a
// packet that offers nothing more to try has a bad tag.
static enum td_srtp_verdict choose(struct inbound *inbound)
{
	struct td_srtp *srtp = inbound->packet->srtp;
	enum td_srtp_verdict fate = TD_SRTP_NO_KEY;

	for (unsigned epoch = 0; epoch < 2; epoch++) {
		const struct td_srtp_keys *keys = keys_of(inbound, epoch);
		enum td_srtp_verdict verdict;

		if (keys->key_blocks == 0)
			continue;
		if (inbound->packet->len < inbound->header + trailer_bytes(inbound, keys))
			verdict = TD_SRTP_MALFORMED;
		else if (!mki_matches(inbound, keys, &srtp->epochs[epoch].master))
			verdict = TD_SRTP_NO_KEY;
		else
			verdict = consider_epoch(inbound, epoch);
		if (verdict == TD_SRTP_OK)
			return verdict;
		if (fate == TD_SRTP_NO_KEY)
			fate = verdict;
	}
	return inbound->count > 0 ? TD_SRTP_BAD_TAG : fate;
}

// A packet that is simply its stream's next, as nearly every one is: there is one thing to try, the
// first that choose() would.
static bool is_next(struct inbound *inbound)
{
	const struct td_srtp_packet *packet = inbound->packet;
	const struct td_srtp *srtp = packet->srtp;
	const struct td_srtp_keys *keys = &srtp->epochs[0].rtp;
	const struct td_srtp_window *window = &srtp->first.rtp;
	uint64_t index;

	if (packet->is_rtcp || inbound->count > 0 || srtp->first.ssrc != inbound->ssrc ||
	    !td_srtp_window_used(window) || keys->key_blocks == 0 || keys->mki_bytes > 0 ||
	    packet->len < inbound->header + keys->tag_bytes)
		return false;
	index = td_srtp_index_guess(window, td_rtp_load16(packet->bytes + 2));
	if (index <= window->highest || index > TD_SRTP_INDEX_MAX)
		return false;
	inbound->tried[0] = (struct trial){ .index = index };
	inbound->count = 1;
	td_srtp_keys_prefetch(keys, keys->aead);
	return true;
}

// Fills the job of the trial just chosen.
static void prepare(struct inbound *inbound, struct td_srtp_job *job)
{
	const struct trial *trial = &inbound->tried[inbound->count - 1];
	const struct td_srtp_packet *packet = inbound->packet;
	const struct td_srtp_keys *keys = keys_of(inbound, trial->epoch);
	unsigned plain = packet->len - trailer_bytes(inbound, keys);

	inbound->plain_len = (uint16_t)plain;
	job->keys = keys;
	job->bytes = packet->bytes;
	job->text_offset = inbound->header;
	job->text_len = (uint16_t)(plain - inbound->header);
	job->auth_len = (uint16_t)(plain + 4);
	job->aad_tail_len = 0;
	td_srtp_iv(job, inbound->ssrc, trial->index);
	if (!keys->aead)
		td_srtp_copy_tag(inbound->tag, packet->bytes + packet->len - keys->tag_bytes,
				 keys->tag_bytes);
	if (packet->is_rtcp) {
		uint32_t word = rtcp_word(inbound, keys);

		job->aad_tail_len = 4;
		td_rtp_store32(job->aad_tail, word);
		if (!(word & TD_SRTCP_ENCRYPTED)) {
			job->text_offset = (uint16_t)plain;
			job->text_len = 0;
		}
	} else if (!keys->aead) {
		memcpy(inbound->under_rollover, packet->bytes + plain, 4);
		td_rtp_store32(packet->bytes + plain, (uint32_t)(trial->index >> 16));
	}
}

static void open_cm(struct td_srtp_engine *engine, struct inbound **inbounds,
		    struct td_srtp_job **jobs, unsigned count)
{
	struct td_srtp_job *good16[TD_SRTP_BURST], *good32[TD_SRTP_BURST]; // by bytes of their keys
	unsigned good16_count = 0, good32_count = 0;

	engine->machine->cm_tags(engine, jobs, count);
	for (unsigned i = 0; i < count; i++) {
		struct inbound *inbound = inbounds[i];
		const struct td_srtp_job *job = jobs[i];

		inbound->proved = td_srtp_same_tag(job->tag, inbound->tag, job->keys->tag_bytes);
		if (inbound->proved && job->keys->key_blocks == 1)
			good16[good16_count++] = jobs[i];
		else if (inbound->proved)
			good32[good32_count++] = jobs[i];
		else if (!inbound->packet->is_rtcp)
			memcpy(job->bytes + inbound->plain_len, inbound->under_rollover, 4);
	}
	if (good16_count > 0)
		engine->machine->cm_cipher(engine, good16, good16_count, 16);
	if (good32_count > 0)
		engine->machine->cm_cipher(engine, good32, good32_count, 32);
}

static void run(struct td_srtp_engine *engine, struct inbound **inbounds, unsigned count)
{
	struct td_srtp_job *cm[TD_SRTP_BURST], *gcm[TD_SRTP_BURST];
	struct inbound *cm_of[TD_SRTP_BURST];
	unsigned cm_count = 0, gcm_count = 0;

	for (unsigned i = 0; i < count; i++) {
		struct td_srtp_job *job = &engine->jobs[i];

		prepare(inbounds[i], job);
		if (job->keys->aead) {
			gcm[gcm_count++] = job;
		} else {
			cm[cm_count] = job;
			cm_of[cm_count++] = inbounds[i];
		}
	}
	if (cm_count > 0)
		open_cm(engine, cm_of, cm, cm_count);
	if (gcm_count > 0)
		engine->machine->gcm_open(engine, gcm, gcm_count);
	engine->had_aead = gcm_count > 0;
	for (unsigned i = 0; i < count; i++)
		if (engine->jobs[i].keys->aead)
			inbounds[i]->proved = !engine->jobs[i].failed;
}

// The peer has proved that it has the present keys; after enough of it the former ones are erased.
static void count_proof(struct td_srtp *srtp, unsigned bit)
{
	srtp->may_restart &= (uint8_t)~bit;
	if (srtp->proofs < TD_SRTP_PROOFS && ++srtp->proofs == TD_SRTP_PROOFS)
		explicit_bzero(&srtp->epochs[1], sizeof srtp->epochs[1]);
}

// An authentic packet: only now is anything learned from it. Others of the vector may have been
// before it, with the same index or the last room for a source.
static enum td_srtp_verdict learn(const struct inbound *inbound)
{
	const struct trial *trial = &inbound->tried[inbound->count - 1];
	struct td_srtp_packet *packet = inbound->packet;
	struct td_srtp *srtp = packet->srtp;
	struct td_srtp_source *source = td_srtp_source_of(srtp, inbound->ssrc);
	struct td_srtp_window *window;

	if (!source && !(source = td_srtp_source_add(srtp, inbound->ssrc)))
		return TD_SRTP_CROWDED;
	window = packet->is_rtcp ? &source->rtcp : &source->rtp;
	if (trial->restarts && may_restart(inbound))
		*window = (struct td_srtp_window){ 0 };
	switch (td_srtp_window_age(window, trial->index)) {
	case TD_SRTP_FRESH: break;
	case TD_SRTP_SEEN: return TD_SRTP_REPLAYED;
	case TD_SRTP_TOO_OLD: return TD_SRTP_LATE;
	}
	td_srtp_window_mark(window, trial->index);
	srtp->recent = td_srtp_source_place(srtp, source);
	if (trial->epoch == 0)
		count_proof(srtp, protocol_bit(inbound));
	packet->len = inbound->plain_len;
	return TD_SRTP_OK;
}

static enum td_srtp_verdict read_header(struct inbound *inbound)
{
	const struct td_srtp_packet *packet = inbound->packet;
	const uint8_t *bytes = packet->bytes;

	if (packet->len > TD_SRTP_PACKET_MAX)
		return TD_SRTP_MALFORMED;
	if (packet->is_rtcp) {
		if (packet->len < TD_SRTCP_HEADER_BYTES || bytes[0] >> 6 != 2)
			return TD_SRTP_MALFORMED;
		inbound->header = TD_SRTCP_HEADER_BYTES;
		inbound->ssrc = td_rtp_load32(bytes + 4);
	} else {
		inbound->header = (uint16_t)td_srtp_header_bytes(bytes, packet->len);
		if (inbound->header == 0)
			return TD_SRTP_MALFORMED;
		inbound->ssrc = td_rtp_load32(bytes + 8);
	}
	return TD_SRTP_OK;
}

static void open_vector(struct td_srtp_engine *engine, struct td_srtp_packet *packets,
			unsigned count)
{
	struct inbound all[TD_SRTP_BURST], *waiting[TD_SRTP_BURST];
	unsigned waiting_count = 0;

	td_srtp_prefetch(engine, packets, count);
	for (unsigned i = 0; i < count; i++) {
		struct inbound *inbound = &all[i];

		inbound->packet = &packets[i];
		inbound->count = 0;
		packets[i].verdict = read_header(inbound);
		if (packets[i].verdict == TD_SRTP_OK)
			waiting[waiting_count++] = inbound;
	}
	while (waiting_count > 0) {
		unsigned trying = 0, left = 0;

		for (unsigned i = 0; i < waiting_count; i++) {
			waiting[i]->proved = false;
			waiting[i]->packet->verdict =
				is_next(waiting[i]) ? TD_SRTP_OK : choose(waiting[i]);
			if (waiting[i]->packet->verdict == TD_SRTP_OK)
				waiting[trying++] = waiting[i];
		}
		run(engine, waiting, trying);
		for (unsigned i = 0; i < trying; i++) {
			if (waiting[i]->proved)
				waiting[i]->packet->verdict = learn(waiting[i]);
			else
				waiting[left++] = waiting[i];
		}
		waiting_count = left;
	}
}

void td_srtp_open(struct td_srtp_engine *engine, struct td_srtp_packet *packets, unsigned count)
{
	while (count > 0) {
		unsigned now = count < TD_SRTP_BURST ? count : TD_SRTP_BURST;

		open_vector(engine, packets, now);
		packets += now;
		count -= now;
	}
}
