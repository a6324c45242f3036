#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "frame.h"
#include "td_role.h"

const uint8_t frame_our_mac[6] = { 0x02, 0, 0, 0, 0, 0x02 };
const uint8_t frame_peer_mac[6] = { 0x02, 0, 0, 0, 0, 0x10 };

static struct rte_mempool *pool;

void frame_environment(void)
{
	static char prefix[64];
	static char *arguments[] = { "test",
				     "--no-huge",
				     "--no-shconf",
				     "-m",
				     "96",
				     "--no-pci",
				     "--no-telemetry",
				     "--iova-mode=va",
				     "--log-level=error",
				     "-l",
				     "0",
				     prefix,
				     NULL };

	snprintf(prefix, sizeof prefix, "--file-prefix=tandem-test-%d", (int)getpid());
	if (rte_eal_init(12, arguments) < 0) {
		fprintf(stderr, "EAL does not start\n");
		exit(1);
	}
	rmdir(rte_eal_get_runtime_dir());
	pool = rte_pktmbuf_pool_create("test", 8191, 64, 64, RTE_MBUF_DEFAULT_BUF_SIZE,
				       SOCKET_ID_ANY);
	if (!pool) {
		fprintf(stderr, "no mbuf pool\n");
		exit(1);
	}
	td_role_enter_worker(0);
}

struct rte_mempool *frame_pool(void)
{
	return pool;
}

struct td_endpoint frame_endpoint(const char *addr, uint16_t port)
{
	struct td_endpoint ep;

	ck_assert_int_eq(td_endpoint_parse_addr(addr, &ep), 0);
	ep.port_be = __builtin_bswap16(port);
	return ep;
}

static void add_local(struct frame_world *world, const char *addr, uint8_t prefix_bits,
		      const char *gateway)
{
	struct td_local local = { .addr = frame_endpoint(addr, 0), .prefix_bits = prefix_bits };

	if (gateway)
		local.gateway = frame_endpoint(gateway, 0);
	ck_assert_int_eq(td_locals_add(&world->locals, &local), 0);
}

void frame_world_open(struct frame_world *world)
{
	struct td_link_source source = { 0 };

	*world = (struct frame_world){ .pool = pool };
	world->pool_count = rte_mempool_avail_count(pool);
	memcpy(world->ports[0].mac, frame_our_mac, 6);
	add_local(world, "10.77.0.2", 24, "10.77.0.1");
	add_local(world, "fd77::2", 64, NULL);
	ck_assert_int_eq(td_neighbours_create(&world->locals, &world->neighbours), 0);
	memcpy(source.mac, frame_our_mac, 6);
	td_neighbours_set_source(world->neighbours, 0, &source);
	world->parse = (struct td_parse_env){ &world->locals, world->ports, NULL };
	world->answer = (struct td_answer_env){ &world->locals, world->ports, world->neighbours };
}

void frame_world_close(struct frame_world *world)
{
	td_neighbours_destroy(world->neighbours);
	ck_assert_uint_eq(rte_mempool_avail_count(pool), world->pool_count);
}

static void put16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static void begin(struct frame *frame, uint32_t ethertype)
{
	*frame = (struct frame){ .l3 = 14 };
	memcpy(frame->bytes, frame_our_mac, 6);
	memcpy(frame->bytes + 6, frame_peer_mac, 6);
	put16(frame->bytes + 12, ethertype);
}

static void begin_ip(struct frame *frame, const char *source, const char *destination,
		     uint8_t protocol4, uint8_t protocol6, uint32_t l4_len)
{
	struct td_endpoint from = frame_endpoint(source, 0), to = frame_endpoint(destination, 0);
	bool v6 = from.family == TD_FAMILY_IPV6;
	uint8_t *ip;

	begin(frame, v6 ? 0x86dd : 0x0800);
	ip = frame->bytes + frame->l3;
	frame->l4 = frame->l3 + (v6 ? 40 : 20);
	frame->len = frame->l4 + l4_len;
	if (v6) {
		ip[0] = 0x60;
		put16(ip + 4, l4_len);
		ip[6] = protocol6;
		ip[7] = 255;
		memcpy(ip + 8, from.addr, 16);
		memcpy(ip + 24, to.addr, 16);
	} else {
		ip[0] = 0x45;
		put16(ip + 2, 20 + l4_len);
		ip[8] = 63;
		ip[9] = protocol4;
		memcpy(ip + 12, from.addr, 4);
		memcpy(ip + 16, to.addr, 4);
	}
}

void frame_udp(struct frame *frame, const char *source, uint16_t source_port,
	       const char *destination, uint16_t destination_port, uint32_t payload_len)
{
	uint8_t *udp;

	begin_ip(frame, source, destination, 17, 17, 8 + payload_len);
	udp = frame->bytes + frame->l4;
	put16(udp, source_port);
	put16(udp + 2, destination_port);
	put16(udp + 4, 8 + payload_len);
	for (uint32_t i = 0; i < payload_len; i++)
		udp[8 + i] = (uint8_t)(i * 7 + 3);
	frame_checksums(frame);
}

void frame_arp(struct frame *frame, uint16_t opcode, const uint8_t sender_mac[6],
	       const char *sender, const char *target)
{
	static const uint8_t fixed[6] = { 0, 1, 8, 0, 6, 4 };
	struct td_endpoint from = frame_endpoint(sender, 0), to = frame_endpoint(target, 0);
	uint8_t *arp;

	begin(frame, 0x0806);
	memset(frame->bytes, 0xff, 6);
	arp = frame->bytes + frame->l3;
	memcpy(arp, fixed, 6);
	put16(arp + 6, opcode);
	memcpy(arp + 8, sender_mac, 6);
	memcpy(arp + 14, from.addr, 4);
	memcpy(arp + 24, to.addr, 4);
	frame->len = 60; // the least an Ethernet frame has
}

void frame_icmp(struct frame *frame, const char *source, const char *destination, uint8_t type,
		const void *body, uint32_t body_len)
{
	begin_ip(frame, source, destination, 1, 58, 4 + body_len);
	frame->bytes[frame->l4] = type;
	memcpy(frame->bytes + frame->l4 + 4, body, body_len);
	frame_checksums(frame);
}

void frame_nd(struct frame *frame, const char *source, const char *destination, uint8_t type,
	      uint8_t flags, const char *target, uint8_t option, const uint8_t mac[6])
{
	struct td_endpoint to = frame_endpoint(target, 0), group = frame_endpoint(destination, 0);
	uint8_t body[28] = { flags };

	memcpy(body + 4, to.addr, 16);
	if (option) {
		body[20] = option;
		body[21] = 1;
		memcpy(body + 22, mac, 6);
	}
	frame_icmp(frame, source, destination, type, body, option ? 28 : 20);
	if (group.addr[0] == 0xff) {
		frame->bytes[0] = frame->bytes[1] = 0x33;
		memcpy(frame->bytes + 2, group.addr + 12, 4);
	}
}

void frame_tag(struct frame *frame, uint16_t tci)
{
	memmove(frame->bytes + 16, frame->bytes + 12, frame->len - 12);
	put16(frame->bytes + 12, 0x8100);
	put16(frame->bytes + 14, tci);
	frame->len += 4;
	frame->l3 += 4;
	frame->l4 += 4;
}

static void checksum4(uint8_t *ip)
{
	struct rte_ipv4_hdr *header = (struct rte_ipv4_hdr *)ip;
	uint8_t *l4 = ip + (ip[0] & 0xf) * 4;
	uint32_t l4_len = (uint32_t)(ip[2] << 8 | ip[3]) - (uint32_t)(l4 - ip);
	uint16_t sum;

	header->hdr_checksum = 0;
	header->hdr_checksum = rte_ipv4_cksum(header);
	if (ip[9] == 17) {
		memset(l4 + 6, 0, 2);
		sum = rte_ipv4_udptcp_cksum(header, l4);
		memcpy(l4 + 6, &sum, 2);
	} else if (ip[9] == 1) {
		memset(l4 + 2, 0, 2);
		sum = (uint16_t)~rte_raw_cksum(l4, l4_len);
		memcpy(l4 + 2, &sum, 2);
	}
}

static void checksum6(uint8_t *ip)
{
	struct rte_ipv6_hdr *header = (struct rte_ipv6_hdr *)ip;
	uint8_t *l4 = ip + 40;
	uint32_t at = ip[6] == 17 ? 6 : 2;
	uint16_t sum;

	memset(l4 + at, 0, 2);
	sum = rte_ipv6_udptcp_cksum(header, l4);
	memcpy(l4 + at, &sum, 2);
}

void frame_checksums(struct frame *frame)
{
	uint8_t *ip = frame->bytes + frame->l3;

	if (ip[0] >> 4 == 4)
		checksum4(ip);
	else if (ip[6] == 17 || ip[6] == 58)
		checksum6(ip);
}

struct rte_mbuf *frame_empty_mbuf(void)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);

	if (!mbuf)
		abort();
	return mbuf;
}

struct rte_mbuf *frame_mbuf(struct rte_mempool *from, const struct frame *frame)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(from);

	ck_assert_ptr_nonnull(mbuf);
	memcpy(rte_pktmbuf_append(mbuf, (uint16_t)frame->len), frame->bytes, frame->len);
	return mbuf;
}

int frame_parse(struct frame_world *world, struct rte_mbuf *mbuf, struct td_packet *packet)
{
	return td_parse_frame(&world->parse, 0, mbuf, packet);
}

static int parse_vector(struct frame_world *world, struct rte_mbuf *mbuf, struct td_packet *packet)
{
	struct td_packet udp[TD_PARSE_VECTOR], other[TD_PARSE_VECTOR];
	struct td_worker_stats stats = { 0 };
	uint32_t udp_count, other_count;

	udp_count = td_parse_burst(&world->parse, 0, &mbuf, 1, udp, other, &other_count, &stats);
	if (udp_count + other_count == 1) {
		*packet = udp_count ? udp[0] : other[0];
		return 0;
	}
	for (int drop = 0; drop < TD_DROP_COUNT; drop++)
		if (stats.drops[drop])
			return 1 + drop;
	ck_abort_msg("a frame vanished");
	return 0;
}

static void check_same(const struct td_packet *a, const struct td_packet *b)
{
	ck_assert_int_eq(a->l3 - rte_pktmbuf_mtod(a->mbuf, uint8_t *),
			 b->l3 - rte_pktmbuf_mtod(b->mbuf, uint8_t *));
	ck_assert_int_eq(a->payload - a->l3, b->payload - b->l3);
	ck_assert_mem_eq(&a->sender, &b->sender, sizeof *a - offsetof(struct td_packet, sender));
	ck_assert_uint_eq(a->mbuf->data_len, b->mbuf->data_len);
	ck_assert_uint_eq(a->mbuf->pkt_len, b->mbuf->pkt_len);
}

int frame_parse_both(struct frame_world *world, const struct frame *frame, struct td_packet *packet)
{
	struct rte_mbuf *alone = frame_mbuf(pool, frame), *in_vector = frame_mbuf(pool, frame);
	struct td_packet twin = { 0 };
	int result = frame_parse(world, alone, packet);

	ck_assert_int_eq(parse_vector(world, in_vector, &twin), result);
	if (result == 0) {
		check_same(packet, &twin);
		rte_pktmbuf_free(in_vector);
	}
	rte_pktmbuf_free(alone);
	return result;
}

bool frame_checksums_right(const struct rte_mbuf *mbuf)
{
	static uint8_t copy[2048];
	const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	uint32_t l3 = frame[12] == 0x81 ? 18 : 14;

	memcpy(copy, frame + l3, mbuf->data_len - l3);
	if (copy[0] >> 4 == 4)
		checksum4(copy);
	else
		checksum6(copy);
	return memcmp(copy, frame + l3, mbuf->data_len - l3) == 0;
}
