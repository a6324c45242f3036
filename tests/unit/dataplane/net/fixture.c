#include "fixture.h"

#include <check.h>

struct frame_world world;
struct frame frame;

void fixture_setup(void)
{
	frame_world_open(&world);
}

void fixture_teardown(void)
{
	frame_world_close(&world);
}

struct rte_mbuf *fixture_receive(enum td_answer *answer, enum td_drop *drop)
{
	struct rte_mbuf *mbuf = frame_mbuf(world.pool, &frame);
	struct td_packet packet;

	ck_assert_int_eq(frame_parse(&world, mbuf, &packet), 0);
	*answer = td_answer_packet(&world.answer, &packet, drop);
	return mbuf;
}

bool fixture_resolves(uint32_t local, const char *addr)
{
	struct td_endpoint ep = frame_endpoint(addr, 0);
	uint8_t room[18];
	uint32_t index;
	bool usable;

	ck_assert_int_eq(td_neighbour_get(world.neighbours, local, &ep, &index), 0);
	usable = td_neighbour_write_l2(world.neighbours, index, room + 18) != 0;
	td_neighbour_put(world.neighbours, index);
	return usable;
}

int fixture_parse(struct td_packet *packet)
{
	return frame_parse_both(&world, &frame, packet);
}

void fixture_good4(void)
{
	frame_udp(&frame, "10.77.0.10", 4000, "10.77.0.2", 20000, 172);
}

void fixture_good6(void)
{
	frame_udp(&frame, "fd77::10", 4000, "fd77::2", 20000, 172);
}

uint8_t *fixture_l3(void)
{
	return frame.bytes + frame.l3;
}
