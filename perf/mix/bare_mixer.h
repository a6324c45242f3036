// The least a conference bridge can do: decode, sum, take each one's own part out, encode. No
// packets, no clock, no loss.
#pragma once

#include <stdint.h>

struct td_bare_mixer;

// `rooms` of `parties` each, all PCMU, 20 ms. Exits when there is no memory.
struct td_bare_mixer *td_bare_mixer_create(uint32_t rooms, uint32_t parties);
void td_bare_mixer_destroy(struct td_bare_mixer *mixer);
// What a party says, and what it hears: 160 bytes.
uint8_t *td_bare_mixer_said(struct td_bare_mixer *mixer, uint32_t party);
const uint8_t *td_bare_mixer_heard(const struct td_bare_mixer *mixer, uint32_t party);
// 20 ms of all rooms; its CPU time, ns.
uint64_t td_bare_mixer_round(void *mixer);
