// A decoder of the table, DECODER, fed packets of any bytes: it answers an error or as many samples as
// its own `duration` says, writes no sample more, and decodes the next good packet.
//
// The first byte chooses the rate. Then packets: a byte for what is done with it and how much room
// there is, a byte of length, the bytes.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "codecs/codec.h"

#define ROOM_MAX  5760 // 120 ms at 48 kHz
#define UNTOUCHED 0x5c5c
#define DECODE    0 // and 1: in less room
#define CONCEAL   2
#define RECOVER   3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t good[1500];
static int good_bytes, good_samples;

static void must(int holds)
{
	if (!holds)
		abort();
}

static void *make_state(size_t bytes)
{
	// No more than it asks for, so that a sanitizer sees the first byte beyond.
	void *state = NULL;

	must(bytes == 0 || posix_memalign(&state, TD_CODEC_STATE_ALIGN, bytes) == 0);
	return state;
}

// 20 ms, or the longest packet if that is less, of something at this rate.
static void make_good(const struct td_codec *codec, uint32_t rate_hz)
{
	static const struct td_codec_settings settings = { .complexity = 0 };
	static int16_t sound[ROOM_MAX];
	uint32_t ms = codec->ptime_max_ms < 20 ? codec->ptime_max_ms : 20;
	void *encoder = make_state(codec->encoder_bytes);

	good_samples = (int)(rate_hz / 1000 * ms);
	for (int i = 0; i < good_samples; i++)
		sound[i] = (int16_t)(i % 57 * 400 - 11000);
	if (codec->encoder_init)
		must(codec->encoder_init(encoder, rate_hz, &settings) == 0);
	good_bytes = codec->encode(encoder, sound, (size_t)good_samples, good, sizeof good);
	must(good_bytes > 0);
	if (codec->encoder_fini)
		codec->encoder_fini(encoder);
	free(encoder);
}

static void try_packet(const struct td_codec *codec, void *decoder, uint32_t rate_hz, uint8_t what,
		       const uint8_t *packet, size_t bytes)
{
	static int16_t pcm[ROOM_MAX + 1];
	size_t room = (what & 3) == 1 ? (size_t)(what >> 2) * 16 : ROOM_MAX;
	int ticks = codec->duration(packet, bytes), samples = 0;

	must(ticks >= 0 || ticks == -TD_EMALFORMED);
	pcm[room] = UNTOUCHED;
	if ((what & 3) == CONCEAL && codec->conceal) {
		room = rate_hz / 1000 * (what & 4 ? 20u : 10u);
		pcm[room] = UNTOUCHED;
		samples = codec->conceal(decoder, pcm, room);
		must(samples == (int)room);
	} else if ((what & 3) == RECOVER && codec->recover) {
		room = rate_hz / 1000 * (what & 4 ? 60u : 20u);
		pcm[room] = UNTOUCHED;
		samples = codec->recover(decoder, packet, bytes, pcm, room);
		must(samples == 0 || samples == (int)room || samples == -TD_EMALFORMED);
	} else {
		samples = codec->decode(decoder, packet, bytes, pcm, room);
		must(samples >= 0 || samples == -TD_EMALFORMED || samples == -TD_EFULL);
		must(samples < 0 ||
		     samples == ticks * (int)(rate_hz / 1000) / (int)(codec->clock_hz / 1000));
	}
	must(pcm[room] == UNTOUCHED);
	must(codec->decode(decoder, good, (size_t)good_bytes, pcm, ROOM_MAX) == good_samples);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct td_codec *codec = td_codec_get(DECODER);
	uint32_t rates = 0, rate_hz;
	void *decoder;
	size_t at = 1;

	if (!codec || size == 0)
		return 0;
	while (codec->rates[rates])
		rates++;
	rate_hz = codec->rates[data[0] % rates];
	make_good(codec, rate_hz);
	decoder = make_state(codec->decoder_bytes);
	if (codec->decoder_init)
		must(codec->decoder_init(decoder, rate_hz) == 0);
	while (at + 2 <= size) {
		uint8_t what = data[at];
		size_t bytes = data[at + 1];

		at += 2;
		bytes = bytes > size - at ? size - at : bytes;
		try_packet(codec, decoder, rate_hz, what, data + at, bytes);
		at += bytes;
	}
	if (codec->decoder_fini)
		codec->decoder_fini(decoder);
	free(decoder);
	return 0;
}
