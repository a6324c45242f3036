#include "net/icmp.h"
#include "net/checksum.h"
#include "net/ethernet.h"
#include "net/nd.h"

#define ECHO_REPLY     0
#define ECHO_REQUEST   8
#define ECHO6_REQUEST  128
#define ECHO6_REPLY    129
#define ND_SOLICIT     135
#define ND_ADVERTISE   136
#define PROTOCOL_ICMP6 58

#define ECHO_BYTES     8u // type, code, checksum, identifier, sequence

// The type byte changes; the checksum follows (RFC 1624). In memory the type is the first byte
// of its 16-bit word, so on this little-endian view it is the low one.
static void change_type(uint8_t *icmp, uint8_t type)
{
	uint16_t before, after, checksum;

	memcpy(&before, icmp, 2);
	icmp[0] = type;
	memcpy(&after, icmp, 2);
	memcpy(&checksum, icmp + 2, 2);
	checksum = td_checksum_adjust(checksum, before, after);
	memcpy(icmp + 2, &checksum, 2);
}

static void reply_link(const struct td_answer_env *env, struct td_packet *packet)
{
	uint8_t *frame = packet->l3 - packet->l2_len;

	td_ethernet_reply(frame, &env->ports[packet->in_port], frame + 6);
}

enum td_answer td_icmp_receive(const struct td_answer_env *env, struct td_packet *packet,
			       enum td_drop *drop)
{
	uint8_t *icmp = packet->payload, *ip = packet->l3;
	uint16_t checksum;

	*drop = TD_DROP_ICMP_MALFORMED;
	if (packet->payload_len < ECHO_BYTES ||
	    td_checksum_fold(td_checksum_add(0, icmp, packet->payload_len)) != 0xffff)
		return TD_ANSWER_DROP;
	*drop = TD_DROP_ICMP_IGNORED;
	if (icmp[0] != ECHO_REQUEST || icmp[1] != 0)
		return TD_ANSWER_DROP;
	change_type(icmp, ECHO_REPLY);
	memcpy(ip + 16, ip + TD_IPV4_SOURCE_OFFSET, 4);
	memcpy(ip + TD_IPV4_SOURCE_OFFSET, env->locals->entries[packet->local].addr.addr, 4);
	ip[8] = 64;
	memset(ip + 10, 0, 2);
	checksum = (uint16_t)~td_checksum_fold(td_checksum_add(0, ip, packet->l3_len));
	memcpy(ip + 10, &checksum, 2);
	reply_link(env, packet);
	return TD_ANSWER_SEND;
}

// RFC 4443 section 2.3: the checksum covers a pseudo-header of addresses, length and protocol.
static bool checksum6_ok(const struct td_packet *packet)
{
	uint8_t tail[8] = { 0,
			    0,
			    (uint8_t)(packet->payload_len >> 8),
			    (uint8_t)packet->payload_len,
			    0,
			    0,
			    0,
			    PROTOCOL_ICMP6 };
	uint64_t sum = td_checksum_add(0, packet->l3 + TD_IPV6_SOURCE_OFFSET, 32);

	sum = td_checksum_add(sum, tail, sizeof tail);
	return td_checksum_fold(td_checksum_add(sum, packet->payload, packet->payload_len)) ==
	       0xffff;
}

// Source and destination change places, or the group we were asked through gives way to us; in
// that case the pseudo-header changes and the checksum with it.
static void reply_addresses6(const struct td_answer_env *env, struct td_packet *packet)
{
	uint8_t *source = packet->l3 + TD_IPV6_SOURCE_OFFSET, *destination = source + 16;
	const uint8_t *own = env->locals->entries[packet->local].addr.addr;
	uint8_t *icmp = packet->payload;
	uint16_t checksum;

	memcpy(&checksum, icmp + 2, 2);
	checksum = td_checksum_adjust(checksum, td_checksum_add(0, destination, 16),
				      td_checksum_add(0, own, 16));
	memcpy(icmp + 2, &checksum, 2);
	memcpy(destination, source, 16);
	memcpy(source, own, 16);
	packet->l3[7] = 64;
}

enum td_answer td_icmpv6_receive(const struct td_answer_env *env, struct td_packet *packet,
				 enum td_drop *drop)
{
	static const uint8_t unspecified[16];
	uint8_t *icmp = packet->payload;

	*drop = TD_DROP_ICMP_MALFORMED;
	if (packet->payload_len < ECHO_BYTES || !checksum6_ok(packet))
		return TD_ANSWER_DROP;
	if (icmp[0] == ND_SOLICIT || icmp[0] == ND_ADVERTISE)
		return td_nd_receive(env, packet, drop);
	*drop = TD_DROP_ICMP_IGNORED;
	if (icmp[0] != ECHO6_REQUEST || icmp[1] != 0)
		return TD_ANSWER_DROP;
	*drop = TD_DROP_IP_SOURCE;
	if (memcmp(packet->l3 + TD_IPV6_SOURCE_OFFSET, unspecified, 16) == 0)
		return TD_ANSWER_DROP;
	change_type(icmp, ECHO6_REPLY);
	reply_addresses6(env, packet);
	reply_link(env, packet);
	return TD_ANSWER_SEND;
}
