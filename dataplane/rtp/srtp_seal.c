#include <string.h>

#include "rtp/srtp.h"
#include "rtp/srtp_layout.h"

// One vector on its way through the engine, sorted by what is to be done with it.
struct vector {
	struct td_srtp_job *cm[TD_SRTP_BURST], *cm16[TD_SRTP_BURST], *cm32[TD_SRTP_BURST];
	struct td_srtp_job *gcm[TD_SRTP_BURST];
	unsigned cm_count, cm16_count, cm32_count, gcm_count;
};

// Takes the next index of the packet's source; TD_SRTP_OK, or why there is none.
static enum td_srtp_verdict take_rtp_index(struct td_srtp *srtp, uint32_t ssrc, uint16_t sequence,
					   uint64_t *index)
{
	struct td_srtp_source *source = td_srtp_source_of(srtp, ssrc);

	if (!source && !(source = td_srtp_source_add(srtp, ssrc)))
		return TD_SRTP_CROWDED;
	*index = td_srtp_index_guess(&source->rtp, sequence);
	if (*index > TD_SRTP_INDEX_MAX)
		return TD_SRTP_EXHAUSTED;
	switch (td_srtp_window_age(&source->rtp, *index)) {
	case TD_SRTP_FRESH: break;
	case TD_SRTP_SEEN: return TD_SRTP_REPLAYED;
	case TD_SRTP_TOO_OLD: return TD_SRTP_LATE;
	}
	td_srtp_window_mark(&source->rtp, *index);
	srtp->recent = td_srtp_source_place(srtp, source);
	return TD_SRTP_OK;
}

static enum td_srtp_verdict prepare_rtp(struct td_srtp_packet *packet, struct td_srtp_job *job)
{
	struct td_srtp_epoch *epoch = &packet->srtp->epochs[0];
	unsigned header = td_srtp_header_bytes(packet->bytes, packet->len);
	enum td_srtp_verdict verdict;
	uint64_t index;
	uint32_t ssrc;

	if (header == 0 || packet->len > TD_SRTP_PACKET_MAX - TD_SRTP_TRAILER_MAX)
		return TD_SRTP_MALFORMED;
	ssrc = td_rtp_load32(packet->bytes + 8);
	verdict = take_rtp_index(packet->srtp, ssrc, td_rtp_load16(packet->bytes + 2), &index);
	if (verdict != TD_SRTP_OK)
		return verdict;
	job->keys = &epoch->rtp;
	job->bytes = packet->bytes;
	job->text_offset = (uint16_t)header;
	job->text_len = (uint16_t)(packet->len - header);
	job->aad_tail_len = 0;
	td_srtp_iv(job, ssrc, index);
	// The rollover counter is authenticated but not sent; MKI and tag go over it afterwards.
	if (!job->keys->aead)
		td_rtp_store32(packet->bytes + packet->len, (uint32_t)(index >> 16));
	job->auth_len = (uint16_t)(packet->len + 4);
	return TD_SRTP_OK;
}

static enum td_srtp_verdict prepare_rtcp(struct td_srtp_packet *packet, struct td_srtp_job *job)
{
	struct td_srtp_epoch *epoch = &packet->srtp->epochs[0];
	uint32_t index = packet->srtp->rtcp_next;

	if (packet->len < TD_SRTCP_HEADER_BYTES ||
	    packet->len > TD_SRTP_PACKET_MAX - TD_SRTP_TRAILER_MAX || packet->bytes[0] >> 6 != 2)
		return TD_SRTP_MALFORMED;
	if (index > TD_SRTCP_INDEX_MAX)
		return TD_SRTP_EXHAUSTED;
	packet->srtp->rtcp_next++;
	job->keys = &epoch->rtcp;
	job->bytes = packet->bytes;
	job->text_offset = TD_SRTCP_HEADER_BYTES;
	job->text_len = (uint16_t)(packet->len - TD_SRTCP_HEADER_BYTES);
	job->auth_len = (uint16_t)(packet->len + 4);
	job->aad_tail_len = 4;
	td_srtp_iv(job, td_rtp_load32(packet->bytes + 4), index);
	td_rtp_store32(job->aad_tail, index | TD_SRTCP_ENCRYPTED);
	if (!job->keys->aead)
		memcpy(packet->bytes + packet->len, job->aad_tail, 4);
	return TD_SRTP_OK;
}

static void sort_in(struct vector *vector, struct td_srtp_job *job)
{
	td_srtp_keys_prefetch(job->keys, job->keys->aead);
	if (job->keys->aead) {
		vector->gcm[vector->gcm_count++] = job;
		return;
	}
	vector->cm[vector->cm_count++] = job;
	if (job->keys->key_blocks == 1)
		vector->cm16[vector->cm16_count++] = job;
	else
		vector->cm32[vector->cm32_count++] = job;
}

static void run(struct td_srtp_engine *engine, struct vector *vector)
{
	const struct td_srtp_machine *machine = engine->machine;

	if (vector->cm16_count > 0)
		machine->cm_cipher(engine, vector->cm16, vector->cm16_count, 16);
	if (vector->cm32_count > 0)
		machine->cm_cipher(engine, vector->cm32, vector->cm32_count, 32);
	if (vector->cm_count > 0)
		machine->cm_tags(engine, vector->cm, vector->cm_count);
	if (vector->gcm_count > 0)
		machine->gcm_seal(engine, vector->gcm, vector->gcm_count);
	engine->had_aead = vector->gcm_count > 0;
}

static void put(struct td_srtp_packet *packet, const void *bytes, unsigned len)
{
	if (len == 0) // nearly always: not worth a call
		return;
	memcpy(packet->bytes + packet->len, bytes, len);
	packet->len = (uint16_t)(packet->len + len);
}

static void append_trailer(struct td_srtp_packet *packet, const struct td_srtp_job *job)
{
	const struct td_srtp_master *master = &packet->srtp->epochs[0].master;

	if (job->keys->aead) {
		memcpy(packet->bytes + packet->len, job->tag, TD_SRTP_TAG_MAX);
		packet->len = (uint16_t)(packet->len + TD_SRTP_TAG_MAX);
		put(packet, job->aad_tail, job->aad_tail_len);
		put(packet, master->mki, job->keys->mki_bytes);
		return;
	}
	put(packet, job->aad_tail, job->aad_tail_len);
	put(packet, master->mki, job->keys->mki_bytes);
	td_srtp_copy_tag(packet->bytes + packet->len, job->tag, job->keys->tag_bytes);
	packet->len = (uint16_t)(packet->len + job->keys->tag_bytes);
}

static void seal_vector(struct td_srtp_engine *engine, struct td_srtp_packet *packets,
			unsigned count)
{
	struct vector vector;

	vector.cm_count = vector.cm16_count = vector.cm32_count = vector.gcm_count = 0;
	td_srtp_prefetch(engine, packets, count);
	for (unsigned i = 0; i < count; i++) {
		struct td_srtp_packet *packet = &packets[i];
		const struct td_srtp *srtp = packet->srtp;
		struct td_srtp_job *job = &engine->jobs[i];

		if (srtp->epochs[0].rtp.key_blocks == 0)
			packet->verdict = TD_SRTP_NO_KEY;
		else
			packet->verdict = packet->is_rtcp ? prepare_rtcp(packet, job)
							  : prepare_rtp(packet, job);
		if (packet->verdict == TD_SRTP_OK)
			sort_in(&vector, job);
	}
	run(engine, &vector);
	for (unsigned i = 0; i < count; i++)
		if (packets[i].verdict == TD_SRTP_OK)
			append_trailer(&packets[i], &engine->jobs[i]);
}

void td_srtp_seal(struct td_srtp_engine *engine, struct td_srtp_packet *packets, unsigned count)
{
	while (count > 0) {
		unsigned now = count < TD_SRTP_BURST ? count : TD_SRTP_BURST;

		seal_vector(engine, packets, now);
		packets += now;
		count -= now;
	}
}
