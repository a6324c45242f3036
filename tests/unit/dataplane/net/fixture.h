// What most programs here have in common: one world, one frame in it, and what is done with them.
#pragma once

#include "frame.h"

extern struct frame_world world;
extern struct frame frame;

// For tcase_add_checked_fixture.
void fixture_setup(void);
void fixture_teardown(void);

// The frame as it would come in; what is answered to it. The mbuf is the caller's.
struct rte_mbuf *fixture_receive(enum td_answer *answer, enum td_drop *drop);
// Whether `local` knows the link-layer address of `addr`.
bool fixture_resolves(uint32_t local, const char *addr);

// The frame through both ways of the parser: see frame_parse_both().
int fixture_parse(struct td_packet *packet);
// The frame becomes a plain RTP-sized datagram for us.
void fixture_good4(void);
void fixture_good6(void);
uint8_t *fixture_l3(void);
