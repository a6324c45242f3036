#include "mix/bare_calls.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "codecs/codec.h"
#include "mix/core.h"
#include "worker/slots.h"

#define MIX_HZ  8000u // of a call with G.711 on one side
#define SAMPLES (MIX_HZ / 50u)

struct td_bare_call {
	void *encoder, *decoder; // of Opus
	uint32_t at;
};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "tick: %s\n", what);
	exit(2);
}

void td_bare_calls_open(struct td_bare_calls *calls, const struct td_opus_calls *like, uint32_t max)
{
	*calls = (struct td_bare_calls){ .like = like,
					 .max = max,
					 .calls = calloc(max, sizeof *calls->calls) };
	must(calls->calls != NULL, "no memory");
}

void td_bare_calls_close(struct td_bare_calls *calls)
{
	for (uint32_t i = 0; i < calls->made; i++) {
		free(calls->calls[i].encoder);
		free(calls->calls[i].decoder);
	}
	free(calls->calls);
}

static void make(struct td_bare_calls *calls)
{
	const struct td_codec *opus = td_codec_get(TD_CODEC_OPUS);
	struct td_bare_call *call = &calls->calls[calls->made];

	must(posix_memalign(&call->encoder, TD_CODEC_STATE_ALIGN, opus->encoder_bytes) == 0 &&
		     posix_memalign(&call->decoder, TD_CODEC_STATE_ALIGN, opus->decoder_bytes) == 0,
	     "no memory");
	must(opus->encoder_init(call->encoder, MIX_HZ, &td_opus_calls_settings) == 0 &&
		     opus->decoder_init(call->decoder, MIX_HZ) == 0,
	     "a coder does not start");
	call->at = td_opus_calls_begin(calls->made++);
}

void td_bare_calls_have(struct td_bare_calls *calls, uint32_t count)
{
	calls->count = count < calls->max ? count : calls->max;
	while (calls->made < calls->count)
		make(calls);
}

// A frame from one side to the other.
static void turn(const struct td_codec *from, void *decoder, const struct td_loop_frame *frame,
		 const struct td_codec *to, void *encoder)
{
	uint8_t out[TD_RTP_PAYLOAD_MAX];
	int16_t pcm[SAMPLES];

	must(from->decode(decoder, frame->payload, frame->bytes, pcm, SAMPLES) == (int)SAMPLES,
	     "a frame could not be decoded");
	must(to->encode(encoder, pcm, SAMPLES, out, sizeof out) > 0, "a frame could not be coded");
}

static void run_slot(struct td_bare_calls *calls, uint32_t slot)
{
	const struct td_codec *law = td_codec_get(TD_CODEC_PCMU),
			      *opus = td_codec_get(TD_CODEC_OPUS);

	for (uint32_t i = slot; i < calls->count; i += TD_SLOT_COUNT) {
		struct td_bare_call *call = &calls->calls[i];
		uint32_t at = call->at % calls->like->said[0]->count;

		turn(law, NULL, &calls->like->said[0]->frames[at], opus, call->encoder);
		turn(opus, call->decoder, &calls->like->said[1]->frames[at], law, NULL);
		call->at++;
	}
}

// What is due at `now_ns`, one slot after the other.
static void run_due(struct td_bare_calls *calls, uint64_t *next_ns, uint64_t now_ns)
{
	while (*next_ns <= now_ns) {
		uint64_t start_ns = now_ns;

		run_slot(calls, (uint32_t)(*next_ns / TD_SLOT_NS % TD_SLOT_COUNT));
		now_ns = td_clock_now_ns();
		if (atomic_load_explicit(&calls->counting, memory_order_relaxed))
			td_slot_log_add(calls->log, *next_ns, start_ns - *next_ns,
					now_ns - start_ns);
		atomic_fetch_add_explicit(&calls->busy_ns, now_ns - start_ns, memory_order_relaxed);
		*next_ns += TD_SLOT_NS;
	}
}

int td_bare_calls_run(void *user)
{
	struct td_bare_calls *calls = user;
	uint64_t next_ns;

	td_core_take();
	next_ns = (td_clock_now_ns() / TD_SLOT_NS + 1u) * TD_SLOT_NS;
	while (!atomic_load_explicit(&calls->stop, memory_order_acquire)) {
		td_core_sleep_until(next_ns);
		run_due(calls, &next_ns, td_clock_now_ns());
	}
	return 0;
}
