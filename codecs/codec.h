// The table of codecs: one small struct of functions each, frame in, frame out.
//
//   PCM int16 at sample_hz  --encode-->  payload bytes  --decode-->  PCM int16 at sample_hz
//
// A codec codes natively at one or more PCM rates (`rates`); the caller picks one of them when it
// initialises the state, and every later call is at that rate. State lives in the caller's memory
// (`encoder_bytes`, `decoder_bytes`, aligned to TD_CODEC_STATE_ALIGN; 0: stateless, pass NULL) and
// belongs to one stream in one direction. Functions are pure: no allocation (but see encoder_fini), no
// I/O, any thread.
// What does not fit is refused with -TD_EFULL and nothing is written; a payload that cannot be
// decoded with -TD_EMALFORMED, and the state is still good for the next one.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "td_codec_id.h"
#include "td_error.h"

#define TD_CODEC_STATE_ALIGN 64
#define TD_CODEC_RATE_MAX    4

struct td_codec {
	enum td_codec_id id;
	const char *name;            // RTP encoding name, RFC 3551
	uint32_t clock_hz;           // of the RTP timestamp
	uint32_t sample_hz;          // the best PCM rate it carries
	uint8_t static_payload_type; // RFC 3551 table 4, or TD_PAYLOAD_TYPE_NONE
	uint8_t frame_ms;            // a packet is a multiple of this; 0: any number of samples
	uint8_t ptime_max_ms;        // of one packet
	uint8_t ptime_tens;          // bit n: n * 10 ms can be coded; 0: whatever frame_ms says
	uint32_t bitrate_min_bps, bitrate_max_bps; // of settings, besides 0; 0: it has none to set
	uint32_t rates[TD_CODEC_RATE_MAX + 1];     // native PCM rates, ascending, ended by 0
	size_t encoder_bytes, decoder_bytes;

	// Both make the state ready for `sample_hz`, one of `rates`. 0, -TD_EUNSUPPORTED for another
	// rate, -TD_EINVALID for settings out of range. NULL where there is no state.
	int (*encoder_init)(void *state, uint32_t sample_hz,
			    const struct td_codec_settings *settings);
	int (*decoder_init)(void *state, uint32_t sample_hz);
	// Give back what an init took beside the caller's memory: only where the library leaves no
	// choice (G.729). Such a codec's init and fini allocate, so they are never a worker's, and an
	// init that failed needs no fini. NULL: nothing was taken.
	void (*encoder_fini)(void *state);
	void (*decoder_fini)(void *state);
	// Both answer how many units they wrote (bytes, samples) or -TD_E*. `samples` is a whole
	// number of frames. An encoder answers 0 when nothing is to be sent (DTX).
	int (*encode)(void *state, const int16_t *pcm, size_t samples, uint8_t *payload,
		      size_t payload_max);
	int (*decode)(void *state, const uint8_t *payload, size_t bytes, int16_t *pcm,
		      size_t samples_max);
	// The codec's own concealment: `samples` for a packet that did not come. NULL: plc.h does it.
	int (*conceal)(void *state, int16_t *pcm, size_t samples);
	// The packet before this one, from the redundancy in `payload` (Opus in-band FEC); 0 when
	// there is none in it. NULL: the codec has none.
	int (*recover)(void *state, const uint8_t *payload, size_t bytes, int16_t *pcm,
		       size_t samples);
	// How long a payload of these bytes lasts, in ticks of clock_hz; -TD_EMALFORMED.
	int (*duration)(const uint8_t *payload, size_t bytes);
};

// The codec's row, or NULL for TD_CODEC_NONE, anything unknown, and what this build left out.
const struct td_codec *td_codec_get(enum td_codec_id id);

// The largest encoder_bytes and decoder_bytes of all codecs of this build.
size_t td_codec_encoder_bytes_max(void);
size_t td_codec_decoder_bytes_max(void);
