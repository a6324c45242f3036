// Steps: some bytes of the input each, one command, the answer it has to get, and what follows from
// it for the oracle. Bytes that are not there read as 0.
#pragma once

#include "stage.h"

// Payload types of all parties.
#define STEP_AUDIO 96
#define STEP_EVENT 101
#define STEP_NOISE 13

uint8_t step_byte(void);
// What lives at the place a byte names, or NULL.
struct stage_context *step_context(uint8_t byte, uint32_t *place);
struct stage_party *step_party(uint8_t byte);
struct stage_player *step_player(uint8_t byte);
// Streams mostly; of any context, so that some are strangers.
struct td_member step_member(void);
// -TD_EFULL for want of inlets or outlets: as many are free as before.
void step_check_full(uint32_t inlets, uint32_t outlets);

void step_create_stream(void);
void step_set_remote(void);
void step_destroy_stream(void);
void step_create_player(void);
void step_control_player(void);
void step_destroy_player(void);
void step_move_stream(void);
void step_move_context(void);
void step_tune(void);
void step_digits(void);
// Keys and attacks on them: more of each kind.
void step_secret(void);
// Recordings, forks and privacy.
void step_listening(void);
// Another SET_REMOTE of a party, with these of its peer's keys.
int step_apply_remote(struct stage_party *party, struct td_command *command, uint8_t says,
		      uint8_t hears);
void step_create_protected(void);
