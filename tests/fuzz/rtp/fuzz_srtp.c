// SRTP: any bytes as packets, in vectors, between re-keys, by both engines. What is opened was sealed
// by us; nothing else changes the state; what is refused keeps its length; bounds hold.
//
// Input: the suite, then steps: a code byte and what it needs.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rtp/header.h"
#include "rtp/srtp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VECTOR 4

static struct td_srtp_engine engines[2];
static struct td_srtp seals, opens, before;
static uint8_t rooms[VECTOR][TD_SRTP_PACKET_MAX + TD_SRTP_TRAILER_MAX];
static struct td_srtp_packet packets[VECTOR];

static void require(int holds)
{
	if (!holds)
		abort();
}

static void give(struct td_srtp_engine *engine, uint8_t suite, uint8_t number)
{
	struct td_srtp_master master = { .suite = (uint8_t)(1 + suite % (TD_SRTP_SUITE_COUNT - 1)),
					 .mki_bytes = number % 3 };

	memset(master.key, number, sizeof master.key);
	master.mki[0] = number;
	require(td_srtp_rekey_open(engine, &opens, &master) == 0);
	require(td_srtp_rekey_seal(engine, &seals, &master) == 0);
}

// Packets of the input, each with a byte for its kind and one for its length.
static unsigned read_vector(const uint8_t **data, size_t *size, struct td_srtp *srtp)
{
	unsigned count = 0;

	while (count < VECTOR && *size >= 2) {
		uint8_t kind = (*data)[0];
		size_t want = (*data)[1] * (kind & 2 ? 9u : 1u);
		size_t len = want < *size - 2 ? want : *size - 2;

		if (len > TD_SRTP_PACKET_MAX)
			len = TD_SRTP_PACKET_MAX;
		memcpy(rooms[count], *data + 2, len);
		packets[count] = (struct td_srtp_packet){ .srtp = srtp,
							  .bytes = rooms[count],
							  .len = (uint16_t)len,
							  .is_rtcp = kind & 1 };
		*data += 2 + len;
		*size -= 2 + len;
		count++;
	}
	return count;
}

static void require_unchanged(void)
{
	require(memcmp(&opens.epochs[0].master, &before.epochs[0].master,
		       sizeof opens.epochs[0].master) == 0 &&
		opens.source_count == before.source_count && opens.recent == before.recent &&
		opens.proofs == before.proofs && opens.may_restart == before.may_restart);
	for (unsigned i = 0; i < opens.source_count; i++) {
		const struct td_srtp_source *now = td_srtp_source_at(&opens, i),
					    *then = td_srtp_source_at(&before, i);

		require(now->ssrc == then->ssrc &&
			memcmp(&now->rtp, &then->rtp, sizeof now->rtp) == 0 &&
			memcmp(&now->rtcp, &then->rtcp, sizeof now->rtcp) == 0);
	}
}

// Strangers' packets: none is opened (a chance of 2^-32 with the shortest tags), nothing is learned.
static void open_strangers(struct td_srtp_engine *engine, const uint8_t **data, size_t *size)
{
	unsigned count = read_vector(data, size, &opens);
	uint16_t lens[VECTOR];

	for (unsigned i = 0; i < count; i++)
		lens[i] = packets[i].len;
	before = opens;
	td_srtp_open(engine, packets, count);
	for (unsigned i = 0; i < count; i++)
		require(packets[i].verdict != TD_SRTP_OK && packets[i].len == lens[i]);
	require_unchanged();
}

// Our own: what was sealed is opened and is what it was, unless the peer has a reason; twice never.
static void pass_own(struct td_srtp_engine *engine, const uint8_t **data, size_t *size)
{
	static uint8_t plain[VECTOR][TD_SRTP_PACKET_MAX], sealed[VECTOR][TD_SRTP_PACKET_MAX];
	uint16_t plain_lens[VECTOR], sealed_lens[VECTOR];
	unsigned count = read_vector(data, size, &seals), kept = 0;

	for (unsigned i = 0; i < count; i++) {
		memcpy(plain[i], rooms[i], packets[i].len);
		plain_lens[i] = packets[i].len;
	}
	td_srtp_seal(engine, packets, count);
	for (unsigned i = 0; i < count; i++) {
		require(packets[i].verdict == TD_SRTP_OK || packets[i].len == plain_lens[i]);
		if (packets[i].verdict != TD_SRTP_OK)
			continue;
		memcpy(sealed[i], rooms[i], packets[i].len);
		memmove(plain[kept], plain[i], plain_lens[i]);
		memmove(sealed[kept], sealed[i], packets[i].len);
		plain_lens[kept] = plain_lens[i];
		sealed_lens[kept] = packets[i].len;
		packets[kept] = packets[i];
		packets[kept++].srtp = &opens;
	}
	td_srtp_open(engine, packets, kept);
	for (unsigned i = 0; i < kept; i++) {
		if (packets[i].verdict != TD_SRTP_OK)
			continue;
		require(packets[i].len == plain_lens[i] &&
			memcmp(packets[i].bytes, plain[i], plain_lens[i]) == 0);
		memcpy(packets[i].bytes, sealed[i], sealed_lens[i]);
		packets[i].len = sealed_lens[i];
		td_srtp_open(engine, &packets[i], 1);
		require(packets[i].verdict != TD_SRTP_OK);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct td_srtp_engine *engine;

	if (size < 2)
		return 0;
	engine = &engines[data[0] & 1];
	if (!engine->machine) {
		enum td_srtp_engine_kind kind =
			data[0] & 1 ? TD_SRTP_ENGINE_OPENSSL : TD_SRTP_ENGINE_AUTO;

		require(td_srtp_engine_init(engine, kind) == 0);
	}
	td_srtp_init(&seals);
	td_srtp_init(&opens);
	give(engine, data[0] >> 1, data[1]);
	data += 2;
	size -= 2;
	while (size >= 2) {
		uint8_t code = data[0];

		data++;
		size--;
		switch (code % 4) {
		case 0: open_strangers(engine, &data, &size); break;
		case 3:
			give(engine, data[0], code);
			data++;
			size--;
			break;
		default: pass_own(engine, &data, &size); break;
		}
	}
	return 0;
}
