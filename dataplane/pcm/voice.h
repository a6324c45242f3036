// One party, from payloads of whatever codec to PCM at one rate.
//
//   payload --decode, natively at the rate if the codec can--> PCM --resample if not--> PCM
//
// Decoder state and resampler are made when the first packet of a codec or of a sender (SSRC) comes
// and given back with the next or by fini; a codec without a state at the right rate needs neither.
// Packets are decoded in the order they came; one that overtook another is put in its place by its
// timestamp afterwards. One thread; the memory behind it is the voice's own.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "codecs/codec.h"
#include "codecs/resample.h"

struct td_voice {
	const struct td_codec *codec; // NULL: nothing came yet
	uint32_t ssrc;
	uint32_t to_hz;
	bool broken;                    // there was no memory for it
	void *decoder;                  // of decoder_bytes, or NULL
	struct td_resampler *resampler; // NULL: the codec decodes at to_hz
};

// Decodes one payload to PCM at `to_hz`; answers the samples, 0 when there is no sound in it.
// `pcm` has room for TD_TIMELINE_PACKET_MAX samples. `voice` is zero before the first call.
unsigned td_voice_hear(struct td_voice *voice, const struct td_codec *codec, uint32_t ssrc,
		       uint32_t to_hz, const uint8_t *payload, size_t bytes, int16_t *pcm);

void td_voice_fini(struct td_voice *voice);
