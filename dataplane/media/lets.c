#include "media/lets.h"

#include <string.h>

#include "base/pages.h"
#include "td_assert.h"

#define GAP_NS 30000000ull // a tick was missed: what an outlet has kept is stale

static size_t aligned(size_t bytes)
{
	return (bytes + TD_CODEC_STATE_ALIGN - 1u) & ~(size_t)(TD_CODEC_STATE_ALIGN - 1u);
}

int td_lets_create(uint32_t count, struct td_lets *lets)
{
	size_t inlet = aligned(sizeof(struct td_inlet)), outlet = aligned(sizeof(struct td_outlet));

	lets->count = count;
	lets->inlet_bytes = inlet + aligned(td_codec_decoder_bytes_max());
	lets->outlet_bytes = outlet + aligned(td_codec_encoder_bytes_max());
	lets->inlets = td_pages_take(count * lets->inlet_bytes);
	lets->outlets = td_pages_take(count * lets->outlet_bytes);
	lets->detectors = td_pages_take(count * sizeof *lets->detectors);
	if (lets->inlets == NULL || lets->outlets == NULL || lets->detectors == NULL) {
		td_lets_destroy(lets);
		return -TD_EMEMORY;
	}
	return 0;
}

void td_lets_destroy(struct td_lets *lets)
{
	td_pages_give(lets->inlets, lets->count * lets->inlet_bytes);
	td_pages_give(lets->outlets, lets->count * lets->outlet_bytes);
	td_pages_give(lets->detectors, lets->count * sizeof *lets->detectors);
	lets->inlets = lets->outlets = NULL;
	lets->detectors = NULL;
}

static void *behind(void *let, size_t bytes)
{
	return (uint8_t *)let + aligned(bytes);
}

void td_inlet_begin(struct td_inlet *inlet, uint32_t key, void *decoder)
{
	int error;

	inlet->codec = td_codec_get((enum td_codec_id)(key >> 24));
	TD_ASSERT(inlet->codec != NULL);
	inlet->decoder = decoder;
	if (decoder == NULL && inlet->codec->decoder_bytes != 0)
		inlet->decoder = behind(inlet, sizeof *inlet);
	inlet->key = key;
	inlet->detect_key = 0;
	inlet->digit = '\0';
	error = td_playout_init(&inlet->playout, inlet->codec, inlet->decoder, key & 0xffffffu,
				NULL);
	TD_ASSERT(error == 0); // the engine picked the rate from the codec's own list
}

static bool codes_so(const struct td_outlet *outlet, const struct td_codec *codec, uint32_t hz,
		     const struct td_codec_settings *settings)
{
	return outlet->codec == codec && outlet->hz == hz &&
	       memcmp(&outlet->settings, settings, sizeof *settings) == 0;
}

void td_outlet_begin(struct td_outlet *outlet, enum td_codec_id id, uint32_t hz,
		     const struct td_codec_settings *settings, void *encoder, uint64_t now_ns)
{
	const struct td_codec *codec = td_codec_get(id);
	uint64_t gap_ns = now_ns - outlet->last_ns;
	int error;

	outlet->last_ns = now_ns;
	if (codes_so(outlet, codec, hz, settings) && gap_ns < GAP_NS)
		return;
	outlet->codec = codec;
	outlet->hz = hz;
	outlet->settings = *settings;
	outlet->waiting = 0;
	outlet->step = 0;
	outlet->marker = true;
	outlet->encoder = encoder;
	if (encoder != NULL || codec->encoder_bytes == 0)
		return;
	outlet->encoder = behind(outlet, sizeof *outlet);
	error = codec->encoder_init(outlet->encoder, hz, settings);
	TD_ASSERT(error == 0); // the settings were checked with the command
}
