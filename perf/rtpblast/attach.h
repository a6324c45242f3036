// A benchmark in the place of tandem-control: attaches to a running dataplane and sends commands.
//
// Single thread, blocking; exits with a sentence when anything goes wrong, since a benchmark that
// could not set up has nothing to say. `idle` runs while an answer is awaited (it answers ARP).
#pragma once

#include <stdint.h>

#include "td_codec_id.h"
#include "td_command.h"
#include "td_event.h"

struct td_attach;

struct td_attach *td_attach_open(const char *socket_path, void (*idle)(void *user), void *user);
void td_attach_close(struct td_attach *attach);

// Sends one command and waits for its answer, which must be success.
void td_attach_call(struct td_attach *attach, struct td_command *command, struct td_event *answer);

// One party of a call as its SDP would have it.
struct td_attach_party {
	struct td_endpoint remote; // where it is sent to
	enum td_codec_id codec;
	uint8_t payload_type, event_payload_type; // in both directions
	struct td_codec_settings settings;        // of the encoder towards it
	struct td_srtp_master srtp_rx, srtp_tx;   // it seals with the one, opens with the other
};

// One call of two parties who hear each other; `local` is where each of them sends.
void td_attach_make_call(struct td_attach *attach, const struct td_attach_party parties[2],
			 struct td_endpoint local[2]);

// Takes what the dataplane has to say, and forgets it: with a full ring it would say it again and again.
void td_attach_drain(struct td_attach *attach);

// Packets dropped by all workers so far, by reason.
void td_attach_drops(const struct td_attach *attach, uint64_t drops[TD_DROP_COUNT]);

// What all workers' timed turns have gone to so far, in nanoseconds, and the units they met.
struct td_attach_stage {
	double ns, units;
};
void td_attach_stages(const struct td_attach *attach,
		      struct td_attach_stage stages[TD_STAGE_COUNT]);
