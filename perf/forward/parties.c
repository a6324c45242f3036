#include "parties.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ip.h>
#include <rte_udp.h>

#include "base/pages.h"
#include "rig/bench.h"
#include "rtp/header.h"
#include "rtp/srtp.h"

#define RTP_OFFSET (TD_BENCH_HEADERS - TD_RTP_HEADER_BYTES)

struct td_parties {
	struct td_srtp_engine engine;
	struct td_rig_protection protection;
	uint32_t count;
	struct td_srtp_master said, heard; // of the parties that were asked for last
	struct td_srtp *says;              // [count]
	struct td_srtp *hears;             // [TD_PARTIES_CHECKED]
};

static const struct td_srtp_master *master_of(const struct td_parties *parties, uint32_t number,
					      struct td_srtp_master *master)
{
	uint64_t word = number * 6364136223846793005ull + 1442695040888963407ull;

	memset(master, 0, sizeof *master);
	master->suite = parties->protection.suite;
	for (size_t i = 0; i < sizeof master->key; i++) {
		word = word * 6364136223846793005ull + 1442695040888963407ull;
		master->key[i] = (uint8_t)(word >> 56);
	}
	return master;
}

const struct td_srtp_master *td_parties_say(struct td_parties *parties, uint32_t party)
{
	return parties->protection.says ? master_of(parties, 2 * party, &parties->said) : NULL;
}

const struct td_srtp_master *td_parties_hear(struct td_parties *parties, uint32_t party)
{
	return parties->protection.hears ? master_of(parties, 2 * party + 1, &parties->heard)
					 : NULL;
}

static bool give_keys(struct td_parties *parties)
{
	const struct td_srtp_master *master;

	for (uint32_t i = 0; parties->protection.says && i < parties->count; i++) {
		master = td_parties_say(parties, i);
		if (td_srtp_rekey_seal(&parties->engine, &parties->says[i], master) != 0)
			return false;
	}
	for (uint32_t i = 0; parties->protection.hears && i < TD_PARTIES_CHECKED; i++) {
		master = td_parties_hear(parties, i);
		if (td_srtp_rekey_open(&parties->engine, &parties->hears[i], master) != 0)
			return false;
	}
	return true;
}

struct td_parties *td_parties_create(uint32_t count, const struct td_rig_protection *protection)
{
	struct td_parties *parties = aligned_alloc(64, sizeof *parties);

	if (parties == NULL)
		return NULL;
	memset(parties, 0, sizeof *parties);
	parties->protection = *protection;
	parties->count = count;
	parties->says = td_pages_take(count * sizeof *parties->says);
	parties->hears = td_pages_take(TD_PARTIES_CHECKED * sizeof *parties->hears);
	if (parties->says == NULL || parties->hears == NULL ||
	    td_srtp_engine_init(&parties->engine, TD_SRTP_ENGINE_AUTO) != 0 ||
	    !give_keys(parties)) {
		td_parties_destroy(parties);
		return NULL;
	}
	return parties;
}

void td_parties_destroy(struct td_parties *parties)
{
	if (parties == NULL)
		return;
	if (parties->engine.machine != NULL)
		td_srtp_engine_fini(&parties->engine);
	td_pages_give(parties->says, parties->count * sizeof *parties->says);
	td_pages_give(parties->hears, TD_PARTIES_CHECKED * sizeof *parties->hears);
	free(parties);
}

uint16_t td_parties_trailer(const struct td_parties *parties)
{
	return td_srtp_suite_shape(parties->protection.suite)->tag_bytes;
}

bool td_parties_seal(struct td_parties *parties, uint32_t party, struct rte_mbuf *mbuf)
{
	uint8_t *frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + 14);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(frame + 34);
	struct td_srtp_packet packet = { .srtp = &parties->says[party],
					 .bytes = frame + RTP_OFFSET,
					 .len = (uint16_t)(mbuf->data_len - RTP_OFFSET) };

	if (!parties->protection.says)
		return true;
	td_srtp_seal(&parties->engine, &packet, 1);
	if (packet.verdict != TD_SRTP_OK)
		return false;
	mbuf->data_len = (uint16_t)(RTP_OFFSET + packet.len);
	mbuf->pkt_len = mbuf->data_len;
	ip->total_length = htons((uint16_t)(mbuf->data_len - 14));
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	udp->dgram_len = htons((uint16_t)(packet.len + 8));
	udp->dgram_cksum = 0;
	return true;
}

static bool is_filler(const uint8_t *payload, uint32_t len)
{
	return payload[0] == TD_PARTIES_FILLER && memcmp(payload, payload + 1, len - 1) == 0;
}

bool td_parties_accept(struct td_parties *parties, struct rte_mbuf *mbuf)
{
	uint8_t *frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	struct td_srtp_packet packet = { .bytes = frame + RTP_OFFSET,
					 .len = (uint16_t)(mbuf->data_len - RTP_OFFSET) };
	uint32_t party = td_bench_party(frame);

	if (!parties->protection.hears)
		return is_filler(frame + TD_BENCH_HEADERS, mbuf->data_len - TD_BENCH_HEADERS);
	if (party >= TD_PARTIES_CHECKED)
		return !is_filler(frame + TD_BENCH_HEADERS, mbuf->data_len - TD_BENCH_HEADERS);
	packet.srtp = &parties->hears[party];
	td_srtp_open(&parties->engine, &packet, 1);
	return packet.verdict == TD_SRTP_OK &&
	       is_filler(frame + TD_BENCH_HEADERS, packet.len - (uint32_t)TD_RTP_HEADER_BYTES);
}
