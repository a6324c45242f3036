// What goes out is sealed: gathered, protected as one burst, and its lengths and checksums made right.
#include <string.h>

#include "media/protection.h"
#include "media/sender.h"
#include "media/worker_state.h"
#include "td_assert.h"

#define IP_BYTES_MAX 1500u // what a link carries
#define UDP_BYTES    8u
#define IPV4_BYTES   20u
#define IPV6_BYTES   40u

static void refuse(struct td_media_worker *worker, uint32_t stream, struct rte_mbuf *mbuf)
{
	worker->cold[stream].srtp_refused++;
	td_media_drop(worker, mbuf, TD_DROP_SEAL_REFUSED);
}

void td_protect_push(struct td_media_worker *worker, uint32_t stream, struct rte_mbuf *mbuf,
		     uint8_t *udp, bool ipv6, uint32_t port, struct td_tx *wire)
{
	struct td_protector *protector = worker->protector;
	struct td_srtp *srtp = &worker->protections[stream].tx;
	uint8_t *rtp = udp + UDP_BYTES;
	uint32_t place;

	if (rte_pktmbuf_tailroom(mbuf) < TD_SRTP_TRAILER_MAX) {
		refuse(worker, stream, mbuf);
		return;
	}
	place = protector->push_count++;
	protector->packets[place] = (struct td_srtp_packet){
		.srtp = srtp,
		.bytes = rtp,
		.len = (uint16_t)(rte_pktmbuf_mtod(mbuf, uint8_t *) + mbuf->data_len - rtp),
	};
	protector->sealings[place] = (struct td_sealing){
		.mbuf = mbuf, .stream = stream, .port = (uint16_t)port, .ipv6 = ipv6
	};
	if (protector->push_count == TD_SRTP_BURST)
		td_protect_flush(worker, wire);
}

// The IPv4 header's total length, and its checksum with it.
static void lengthen_ipv4(uint8_t *ip, uint16_t bytes)
{
	uint16_t was, is = __builtin_bswap16(bytes), checksum;

	memcpy(&was, ip + 2, sizeof was);
	memcpy(&checksum, ip + 10, sizeof checksum);
	checksum = td_checksum_adjust(checksum, was, is);
	memcpy(ip + 2, &is, sizeof is);
	memcpy(ip + 10, &checksum, sizeof checksum);
}

// False: longer than any link would take it.
static bool finish(struct rte_mbuf *mbuf, uint8_t *rtp, uint16_t len, bool ipv6)
{
	uint8_t *udp = rtp - UDP_BYTES, *ip = udp - (ipv6 ? IPV6_BYTES : IPV4_BYTES);
	uint16_t udp_len = (uint16_t)(len + UDP_BYTES), len_be = __builtin_bswap16(udp_len);
	uint16_t ip_bytes = (uint16_t)(udp + udp_len - ip), checksum;
	uint64_t sum = (uint64_t)len_be + len_be + (uint32_t)__builtin_bswap16(17);
	uint32_t ports;

	if (ip_bytes > IP_BYTES_MAX)
		return false;
	if (ipv6)
		memcpy(ip + 4, &len_be, sizeof len_be);
	else
		lengthen_ipv4(ip, ip_bytes);
	memcpy(&ports, udp, sizeof ports);
	sum = td_checksum_add(sum + ports, ipv6 ? ip + 8 : ip + 12, ipv6 ? 32 : 8);
	sum = td_checksum_add(sum, rtp, len);
	checksum = (uint16_t)~td_checksum_fold(sum);
	checksum = checksum == 0 ? 0xffffu : checksum;
	memcpy(udp + 4, &len_be, sizeof len_be);
	memcpy(udp + 6, &checksum, sizeof checksum);
	mbuf->data_len = (uint16_t)(rtp + len - rte_pktmbuf_mtod(mbuf, uint8_t *));
	mbuf->pkt_len = mbuf->data_len;
	return true;
}

void td_protect_flush(struct td_media_worker *worker, struct td_tx *wire)
{
	struct td_protector *protector = worker->protector;
	uint32_t count = protector->push_count;
	enum td_stage before;

	if (count == 0)
		return;
	before = td_stage_enter(&worker->stages, TD_STAGE_SEAL);
	td_stage_count(&worker->stages, TD_STAGE_SEAL, count);
	protector->push_count = 0;
	td_srtp_seal(&protector->srtp, protector->packets, count);
	for (uint32_t i = 0; i < count; i++) {
		const struct td_srtp_packet *packet = &protector->packets[i];
		const struct td_sealing *sealing = &protector->sealings[i];

		if (__builtin_expect(packet->verdict == TD_SRTP_OK, 1) &&
		    finish(sealing->mbuf, packet->bytes, packet->len, sealing->ipv6))
			td_tx_push(wire, sealing->port, sealing->mbuf);
		else
			refuse(worker, sealing->stream, sealing->mbuf);
	}
	td_stage_enter(&worker->stages, before);
}

bool td_protect_seal_rtcp(struct td_media_worker *worker, uint32_t stream, struct rte_mbuf *mbuf)
{
	struct td_srtp_packet packet = { .srtp = &worker->protections[stream].tx,
					 .bytes = rte_pktmbuf_mtod(mbuf, uint8_t *),
					 .len = mbuf->data_len,
					 .is_rtcp = true };

	if (rte_pktmbuf_tailroom(mbuf) >= TD_SRTP_TRAILER_MAX) {
		td_srtp_seal(&worker->protector->srtp, &packet, 1);
		if (packet.verdict == TD_SRTP_OK) {
			mbuf->data_len = packet.len;
			mbuf->pkt_len = packet.len;
			return true;
		}
	}
	refuse(worker, stream, mbuf);
	return false;
}
