#include "flow.h"

#include <arpa/inet.h>
#include <string.h>

#include "net/checksum.h"

#define MARK           0x54644253u // says a payload is ours
#define EVENT_PACKETS  5u
#define EVENT_REPEATS  3u
#define EVENT_ONE      1
#define EVENT_VOLUME   10
#define EVENT_END      0x80u
#define PROTOCOL_UDP   17
#define ETHERNET_BYTES 14
#define IP_BYTES       20
#define UDP_BYTES      8
#define RTP_BYTES      12

struct headers {
	uint8_t to[6], from[6];
	uint16_t ethertype_be;
	uint8_t version_ihl, tos;
	uint16_t length_be, id_be, fragment_be;
	uint8_t ttl, protocol;
	uint16_t ip_checksum;
	uint32_t source_be, destination_be;
	uint16_t source_port_be, destination_port_be, udp_length_be, udp_checksum;
	uint8_t vpxcc, mpt;
	uint16_t sequence_be;
	uint32_t timestamp_be, ssrc_be;
} __attribute__((packed));

_Static_assert(sizeof(struct headers) == ETHERNET_BYTES + IP_BYTES + UDP_BYTES + RTP_BYTES, "");

#define SPREAD   2654435761u // 2^32 over the golden ratio
#define GATHERED 244002641u  // its inverse modulo 2^32

uint32_t td_flow_ssrc(uint32_t index)
{
	return index * SPREAD;
}

uint32_t td_flow_of_ssrc(uint32_t ssrc)
{
	return ssrc * GATHERED;
}

// How far packet `number` is behind the last begin of a digit; every flow's begin at another time.
static uint32_t step_of(const struct td_flow *flow, uint32_t number)
{
	return (number + flow->start) % flow->event_every;
}

int td_flow_is_event(const struct td_flow *flow, uint32_t number)
{
	return flow->event_every && step_of(flow, number) < EVENT_PACKETS + EVENT_REPEATS;
}

// RFC 4733 section 2.3; returns the bytes of the payload.
static uint32_t make_event(const struct td_flow *flow, uint32_t number, struct headers *h,
			   uint8_t *payload)
{
	uint32_t step = step_of(flow, number);
	uint32_t lasted = (step < EVENT_PACKETS ? step + 1 : EVENT_PACKETS) * flow->payload->ticks;

	h->mpt = (uint8_t)((step == 0 ? 0x80u : 0) | TD_FLOW_EVENT_TYPE);
	h->timestamp_be = htonl((number - step) * flow->payload->ticks + flow->ssrc);
	payload[0] = EVENT_ONE;
	payload[1] = (uint8_t)((step >= EVENT_PACKETS ? EVENT_END : 0) | EVENT_VOLUME);
	payload[2] = (uint8_t)(lasted >> 8);
	payload[3] = (uint8_t)lasted;
	return 4;
}

static uint32_t make_speech(const struct td_flow *flow, uint32_t number,
			    const struct td_flow_probe *probe, uint8_t *payload)
{
	uint32_t at = (flow->start + number) % flow->payload->count;
	const struct td_payload_frame *speech = &flow->payload->frames[at];
	uint32_t bytes = speech->bytes;

	memcpy(payload, speech->data, bytes);
	if (!flow->probes)
		return bytes;
	memcpy(payload, probe, sizeof *probe);
	memcpy(payload, &(uint32_t){ MARK }, sizeof(uint32_t));
	return bytes < sizeof *probe ? (uint32_t)sizeof *probe : bytes;
}

uint32_t td_flow_make(const struct td_flow *flow, uint32_t number, const uint8_t to_mac[6],
		      const uint8_t from_mac[6], const struct td_flow_probe *probe,
		      uint8_t frame[TD_FLOW_FRAME_MAX])
{
	struct headers h = { .ethertype_be = htons(0x0800),
			     .version_ihl = 0x45,
			     .ttl = 64,
			     .protocol = PROTOCOL_UDP,
			     .source_port_be = flow->from.port_be,
			     .destination_port_be = flow->to.port_be,
			     .vpxcc = 0x80,
			     .mpt = flow->payload_type,
			     .sequence_be = htons((uint16_t)(number + flow->ssrc)),
			     .timestamp_be = htonl(number * flow->payload->ticks + flow->ssrc),
			     .ssrc_be = htonl(flow->ssrc) };
	uint32_t bytes;

	if (td_flow_is_event(flow, number))
		bytes = make_event(flow, number, &h, frame + sizeof h);
	else
		bytes = make_speech(flow, number, probe, frame + sizeof h);
	bytes += (uint32_t)sizeof h + td_protect_trailer(flow->protect);
	memcpy(h.to, to_mac, 6);
	memcpy(h.from, from_mac, 6);
	memcpy(&h.source_be, flow->from.addr, 4);
	memcpy(&h.destination_be, flow->to.addr, 4);
	h.length_be = htons((uint16_t)(bytes - ETHERNET_BYTES));
	h.udp_length_be = htons((uint16_t)(bytes - ETHERNET_BYTES - IP_BYTES));
	h.ip_checksum = (uint16_t)~td_checksum_fold(td_checksum_add(0, &h.version_ihl, IP_BYTES));
	memcpy(frame, &h, sizeof h);
	return bytes;
}

// Of addresses, protocol and length (RFC 768), and of all of the datagram from `udp` on.
static uint16_t sum_datagram(const uint8_t *udp)
{
	uint16_t length_be;
	uint64_t sum;

	memcpy(&length_be, udp + 4, sizeof length_be);
	sum = td_checksum_add(htons(PROTOCOL_UDP) + (uint64_t)length_be, udp - 8, 8);
	return td_checksum_fold(td_checksum_add(sum, udp, ntohs(length_be)));
}

void td_flow_sum(uint8_t *frame)
{
	uint8_t *udp = frame + ETHERNET_BYTES + IP_BYTES;
	uint16_t checksum = (uint16_t)~sum_datagram(udp);

	if (checksum == 0)
		checksum = 0xffff;
	memcpy(udp + 6, &checksum, sizeof checksum);
}

int td_flow_is_whole(const struct td_flow_packet *packet)
{
	const uint8_t *udp = packet->payload - RTP_BYTES - UDP_BYTES;

	return (udp[6] == 0 && udp[7] == 0) || sum_datagram(udp) == 0xffff;
}

int td_flow_parse(uint8_t *frame, uint32_t bytes, struct td_flow_packet *packet)
{
	uint32_t end;
	struct headers h;

	if (bytes < sizeof h)
		return 0;
	memcpy(&h, frame, sizeof h);
	end = ETHERNET_BYTES + (uint32_t)ntohs(h.length_be);
	if (ntohs(h.udp_length_be) + (uint32_t)(ETHERNET_BYTES + IP_BYTES) > end)
		return 0;
	if (h.mpt >= 192 && h.mpt <= 223)
		return 0; // RTCP (RFC 5761 section 4)
	if (h.ethertype_be != htons(0x0800) || h.version_ihl != 0x45 ||
	    h.protocol != PROTOCOL_UDP || (h.vpxcc & 0xdfu) != 0x80 || end > bytes ||
	    end < sizeof h)
		return 0;
	*packet = (struct td_flow_packet){ .to_addr = ntohl(h.destination_be),
					   .to_port = ntohs(h.destination_port_be),
					   .sequence = ntohs(h.sequence_be),
					   .ssrc = ntohl(h.ssrc_be),
					   .payload_type = h.mpt & 0x7fu,
					   .payload = frame + sizeof h,
					   .payload_bytes = end - (uint32_t)sizeof h };
	return 1;
}

int td_flow_find_probe(const struct td_flow_packet *packet, struct td_flow_probe *probe)
{
	if (packet->payload_bytes < sizeof *probe)
		return 0;
	memcpy(probe, packet->payload, sizeof *probe);
	return probe->mark == MARK;
}
