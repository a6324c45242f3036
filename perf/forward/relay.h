// The bare relay loop: the least a program can do and still relay RTP, the reference of `forward`.
//
//   rx burst -> port index -> source check -> RFC 3550 sequence and jitter -> rewrite -> tx burst
//
// One flat array of 128-byte sessions indexed straight by (address, port), prefetched one burst
// ahead; no plans, no taps, no drops by name, no mirror, no RTCP. Packets go round: each session
// rewrites a packet to look as if sent to the next session of a random cycle.
#pragma once

#include <stdint.h>

#include <rte_mbuf.h>

struct td_relay;

// What it keeps of a session: the least that a relay which measures its streams can.
uint32_t td_relay_session_bytes(void);

// `sessions` in one random cycle, drawn from `seed`. Exits with a message when memory is short.
struct td_relay *td_relay_create(uint32_t sessions, uint64_t seed);
void td_relay_destroy(struct td_relay *relay);

// Fills a fresh mbuf with a 214-byte frame addressed to session `index`.
void td_relay_make_packet(struct td_relay *relay, uint32_t index, struct rte_mbuf *mbuf);

// Relays until `packets` have gone through the port's queue 0; returns the CPU time, ns.
uint64_t td_relay_run(struct td_relay *relay, uint16_t port, uint64_t packets, uint64_t *lost);
