#include "sprayer.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ip.h>
#include <rte_udp.h>

#define FILLER      0xee
#define ADDRESS     0xc6336442u // 198.51.100.66
#define SOURCE_PORT 4000

struct td_sprayer {
	const struct td_bench_stream *streams;
	uint32_t *order;
	uint32_t count, next;
	uint16_t bytes, round;
	uint8_t mac[6];
};

struct td_sprayer *td_sprayer_create(const struct td_bench_stream *streams, uint32_t count,
				     const uint8_t mac[6], uint16_t bytes, uint64_t seed)
{
	struct td_sprayer *sprayer = calloc(1, sizeof *sprayer);

	if (sprayer == NULL)
		return NULL;
	*sprayer = (struct td_sprayer){ .streams = streams, .count = count, .bytes = bytes };
	memcpy(sprayer->mac, mac, sizeof sprayer->mac);
	sprayer->order = calloc(count, sizeof *sprayer->order);
	if (sprayer->order == NULL) {
		free(sprayer);
		return NULL;
	}
	for (uint32_t i = 0; i < count; i++) {
		uint32_t with;

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		with = (uint32_t)((seed >> 33) % (i + 1));
		sprayer->order[i] = sprayer->order[with];
		sprayer->order[with] = i;
	}
	return sprayer;
}

void td_sprayer_destroy(struct td_sprayer *sprayer)
{
	if (sprayer != NULL)
		free(sprayer->order);
	free(sprayer);
}

static void write_headers(struct td_sprayer *sprayer, uint8_t *frame,
			  const struct td_bench_stream *stream)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(frame + 14);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(frame + 34);

	memcpy(frame, sprayer->mac, 6);
	memcpy(frame + 6, (const uint8_t[6]){ 0x02, 0, 0, 0, 0, 0x66 }, 6);
	frame[12] = 0x08;
	frame[13] = 0x00;
	memset(ip, 0, sizeof *ip);
	ip->version_ihl = 0x45;
	ip->total_length = htons((uint16_t)(sprayer->bytes - 14));
	ip->time_to_live = 60;
	ip->next_proto_id = IPPROTO_UDP;
	ip->src_addr = htonl(ADDRESS);
	memcpy(&ip->dst_addr, stream->local.addr, 4);
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	udp->src_port = htons(SOURCE_PORT);
	udp->dst_port = stream->local.port_be;
	udp->dgram_len = htons((uint16_t)(sprayer->bytes - 34));
	udp->dgram_cksum = 0;
}

struct rte_mbuf *td_sprayer_make(struct td_sprayer *sprayer, struct rte_mempool *pool)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);
	uint8_t *frame = mbuf ? (uint8_t *)rte_pktmbuf_append(mbuf, sprayer->bytes) : NULL;
	uint32_t index = sprayer->order[sprayer->next];
	struct rte_udp_hdr *udp;
	uint16_t sequence_be = htons(sprayer->round);
	uint32_t timestamp_be = htonl(sprayer->round * 160u), ssrc_be = htonl(0x5eed0000u + index);

	if (frame == NULL)
		return NULL;
	sprayer->next = sprayer->next + 1 == sprayer->count ? 0 : sprayer->next + 1;
	sprayer->round = (uint16_t)(sprayer->round + (sprayer->next == 0));
	write_headers(sprayer, frame, &sprayer->streams[index]);
	frame[42] = 0x80;
	frame[43] = 0x00;
	memcpy(frame + 44, &sequence_be, 2);
	memcpy(frame + 46, &timestamp_be, 4);
	memcpy(frame + 50, &ssrc_be, 4);
	memset(frame + TD_BENCH_HEADERS, FILLER, sprayer->bytes - TD_BENCH_HEADERS);
	udp = (struct rte_udp_hdr *)(frame + 34);
	udp->dgram_cksum = rte_ipv4_udptcp_cksum((const struct rte_ipv4_hdr *)(frame + 14), udp);
	return mbuf;
}

bool td_sprayer_knows(const struct rte_mbuf *mbuf)
{
	const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	const uint32_t address_be = htonl(ADDRESS);
	uint32_t bytes = rte_pktmbuf_pkt_len(mbuf);

	if (bytes < TD_BENCH_HEADERS + 4 || frame[12] != 0x08 || frame[13] != 0x00)
		return false;
	return memcmp(frame + 30, &address_be, 4) == 0 ||
	       (frame[TD_BENCH_HEADERS] == FILLER && frame[TD_BENCH_HEADERS + 1] == FILLER &&
		frame[TD_BENCH_HEADERS + 2] == FILLER && frame[TD_BENCH_HEADERS + 3] == FILLER);
}
