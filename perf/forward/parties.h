// The keys of a rig's parties: what they say is sealed before it is fed, what they hear is opened.
//
// Every party has keys of its own, so at 100,000 parties nothing of them is in a cache. None of this
// is timed. All that is said is sealed; of what is heard all of the first TD_PARTIES_CHECKED parties
// is opened and compared, and of the others its looks.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#include "engine_rig.h"
#include "td_srtp.h"

#define TD_PARTIES_CHECKED 64u
#define TD_PARTIES_FILLER  0xd5 // each byte of a payload

struct td_parties;

// NULL: no memory, or no such suite.
struct td_parties *td_parties_create(uint32_t count, const struct td_rig_protection *protection);
void td_parties_destroy(struct td_parties *parties);

// The key a party seals with, and the one it opens with; NULL: plain.
const struct td_srtp_master *td_parties_say(struct td_parties *parties, uint32_t party);
const struct td_srtp_master *td_parties_hear(struct td_parties *parties, uint32_t party);
// Bytes that sealing adds to RTP.
uint16_t td_parties_trailer(const struct td_parties *parties);

// Seals a whole frame of this party, its lengths made right, its UDP checksum left out. False: it
// could not be.
bool td_parties_seal(struct td_parties *parties, uint32_t party, struct rte_mbuf *mbuf);
// Whether a frame of the switch is what a party should get.
bool td_parties_accept(struct td_parties *parties, struct rte_mbuf *mbuf);
