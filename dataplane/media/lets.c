#include "media/lets.h"

#include <string.h>

#include "base/pages.h"
#include "td_assert.h"

static size_t aligned(size_t bytes)
{
	return (bytes + TD_CODEC_STATE_ALIGN - 1u) & ~(size_t)(TD_CODEC_STATE_ALIGN - 1u);
}

int td_lets_create(uint32_t count, struct td_lets *lets)
{
	lets->count = count;
	lets->decoder_bytes = aligned(td_codec_decoder_bytes_max());
	lets->encoder_bytes = aligned(td_codec_encoder_bytes_max());
	lets->inlets = td_pages_take(count * sizeof *lets->inlets);
	lets->outlets = td_pages_take(count * sizeof *lets->outlets);
	lets->detectors = td_pages_take(count * sizeof *lets->detectors);
	lets->decoders = td_pages_take(count * lets->decoder_bytes);
	lets->encoders = td_pages_take(count * lets->encoder_bytes);
	lets->waiting = td_pages_take(count * sizeof *lets->waiting);
	if (lets->inlets != NULL && lets->outlets != NULL && lets->detectors != NULL &&
	    lets->decoders != NULL && lets->encoders != NULL && lets->waiting != NULL)
		return 0;
	td_lets_destroy(lets);
	return -TD_EMEMORY;
}

void td_lets_destroy(struct td_lets *lets)
{
	td_pages_give(lets->inlets, lets->count * sizeof *lets->inlets);
	td_pages_give(lets->outlets, lets->count * sizeof *lets->outlets);
	td_pages_give(lets->detectors, lets->count * sizeof *lets->detectors);
	td_pages_give(lets->decoders, lets->count * lets->decoder_bytes);
	td_pages_give(lets->encoders, lets->count * lets->encoder_bytes);
	td_pages_give(lets->waiting, lets->count * sizeof *lets->waiting);
	*lets = (struct td_lets){ .count = lets->count };
}

void td_inlet_begin(const struct td_lets *lets, uint32_t index, uint32_t key, void *decoder)
{
	struct td_inlet *inlet = td_lets_inlet(lets, index);
	const struct td_codec *codec = td_codec_get((enum td_codec_id)(key >> 24));
	int error;

	TD_ASSERT(codec != NULL);
	if (decoder == NULL && codec->decoder_bytes != 0)
		decoder = lets->decoders + index * lets->decoder_bytes;
	inlet->key = key;
	inlet->detect_key = 0;
	inlet->digit = '\0';
	inlet->tail = false;
	error = td_playout_init(&inlet->playout, codec, decoder, key & 0xffffffu, NULL);
	TD_ASSERT(error == 0); // the engine picked the rate from the codec's own list
}

void td_outlet_begin(const struct td_lets *lets, uint32_t index, enum td_codec_id id, uint32_t hz,
		     const struct td_codec_settings *settings, void *encoder)
{
	struct td_outlet *outlet = td_lets_outlet(lets, index);
	const struct td_codec *codec = td_codec_get(id);
	int error;

	outlet->codec = codec;
	outlet->hz = hz;
	outlet->settings = *settings;
	outlet->waiting = 0;
	outlet->step = 0;
	outlet->marker = true;
	outlet->encoder = encoder;
	if (encoder != NULL || codec->encoder_bytes == 0)
		return;
	outlet->encoder = lets->encoders + index * lets->encoder_bytes;
	error = codec->encoder_init(outlet->encoder, hz, settings);
	TD_ASSERT(error == 0); // the settings were checked with the command
}
