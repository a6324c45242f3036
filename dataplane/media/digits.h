// Digits on a worker: heard in a stream, ended players, passed on, and sent.
//
//   RFC 4733 packets --\                       /--> TD_EVENT_DIGIT, players that it ends
//                       >-- begin ... end ----<
//   in-band detector --/                       \--> listeners of mixes: as an event where they take
//                                                   events, else as a tone; not at all where spared
//
//   sender: sends digits to a stream's own peer, one packet every 20 ms, as events or as tones;
//           whatever else the stream would send waits meanwhile (TD_TX_HELD)
//
// Streams that are forwarded keep their event packets, rewritten; only mixes need this. A worker
// has TD_DIGIT_SENDER_MAX senders; when all are taken a digit that is passed on is lost and
// counted in digits_lost, one that control wants sent is refused. Worker only.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "media/change.h"
#include "media/prompts.h"
#include "rtp/telephone_event.h"
#include "td_command.h"
#include "td_error.h"

#define TD_DIGIT_SENDER_MAX   512u
#define TD_DIGIT_COUNT        16u
#define TD_DIGITS_WAITING_MAX 8u // of a source that is faster than RFC 4733 lets us be

struct td_forward;
struct td_media_worker;
struct td_plan;
struct td_plan_mix;
struct td_prompts;
struct td_tx;
struct td_worker_context;

struct td_digit_sender {
	struct td_event_tx events; // a tone is timed by the same events, not sent
	uint32_t stream;
	uint32_t source; // the stream whose digit is held, TD_INDEX_END: control's digits
	uint32_t next;   // in the slot's list, or of the free ones
	uint32_t frames; // of the tone that sounds
	bool as_tone;
	bool released; // and so is the last one of those that wait
	uint8_t waiting_count;
	char waiting[TD_DIGITS_WAITING_MAX]; // pressed while the one before was still being ended
};

// The prompts that tones are made of, by number of the digit; NULL: there are none.
struct td_digit_prompts {
	const struct td_prompt *tones[TD_DIGIT_COUNT];
	const struct td_prompt *silence;
};
void td_digit_prompts_find(const struct td_prompts *prompts, struct td_digit_prompts *out);

// One RFC 4733 packet of a stream, accepted.
void td_digits_packet(struct td_media_worker *worker, const struct td_forward *forward,
		      const uint8_t *payload, uint64_t now_ns);
// Now and then: an event whose end was lost ends.
void td_digits_poll(struct td_media_worker *worker, uint32_t stream, uint64_t now_ns);
// The stream's samples are not wanted any more: a digit in them is over for its listeners.
void td_digits_forget(struct td_media_worker *worker, uint32_t stream);

// Begins to send digits to the peer. -TD_EBUSY, -TD_EFULL, -TD_EINVALID.
TD_MUST_CHECK int td_digits_send(struct td_media_worker *worker, uint32_t stream,
				 const struct td_change_digits *digits);
// The stream ends: so does what it sends.
void td_digits_stop(struct td_media_worker *worker, uint32_t stream);
// Between the two a stream is in another context, whose slot its sender goes on in.
void td_digits_leave(struct td_media_worker *worker, uint32_t stream);
void td_digits_enter(struct td_media_worker *worker, uint32_t stream);
// The senders of a slot, one packet each at most. Returns packets sent.
uint32_t td_digits_tick(struct td_media_worker *worker, uint32_t slot, uint64_t now_ns,
			struct td_tx *tx);

// Before a context's mixes are made: detectors listen, and what is a digit is not speech. `ready`
// is by source, as in struct td_mixer.
void td_digits_prepare(struct td_media_worker *worker, struct td_worker_context *context,
		       const int16_t **ready, uint64_t now_ns);
// What digits add to a mix, or take from it. `sum` is what mixes are made in.
void td_digits_mix(const struct td_media_worker *worker, const struct td_plan *plan,
		   const struct td_plan_mix *mix, int32_t *sum, uint32_t samples);
