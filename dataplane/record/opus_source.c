#include "record/opus_source.h"

#include <stdlib.h>
#include <string.h>

#include "pcm/timeline.h"
#include "record/opus_track.h"

#define NARROW_HZ 8000
#define WIDE_HZ   16000

static unsigned copy(struct td_opus_source *source, const struct td_codec *codec,
		     const struct td_tap_record *record, struct td_opus_piece *piece)
{
	int samples = codec->duration(record->payload, record->payload_len);

	if (samples <= 0 || samples > TD_OPUS_SAMPLES_MAX)
		return 0;
	source->copied++;
	*piece = (struct td_opus_piece){ record->payload, record->payload_len, (unsigned)samples };
	return 1;
}

static bool make_encoder(struct td_opus_source *source, uint32_t rate_hz)
{
	static const struct td_codec_settings settings = { .complexity = 5 };
	const struct td_codec *opus = td_codec_get(TD_CODEC_OPUS);
	size_t bytes = (opus->encoder_bytes + TD_CODEC_STATE_ALIGN - 1) / TD_CODEC_STATE_ALIGN *
		       TD_CODEC_STATE_ALIGN;

	if (source->encoder && source->rate_hz == rate_hz)
		return true;
	if (!source->packets)
		source->packets = malloc(TD_OPUS_PIECES_MAX * sizeof source->packets[0]);
	if (!source->encoder)
		source->encoder = aligned_alloc(TD_CODEC_STATE_ALIGN, bytes);
	source->rate_hz = rate_hz;
	if (source->encoder && source->packets &&
	    opus->encoder_init(source->encoder, rate_hz, &settings) == 0)
		return true;
	free(source->encoder);
	source->encoder = NULL;
	return false;
}

static unsigned encode(struct td_opus_source *source, const int16_t *pcm, unsigned count,
		       struct td_opus_piece *pieces)
{
	const struct td_codec *opus = td_codec_get(TD_CODEC_OPUS);
	unsigned made = 0, ten_ms = source->rate_hz / 100;

	while (count >= ten_ms && made < TD_OPUS_PIECES_MAX) {
		unsigned now = count >= 2 * ten_ms ? 2 * ten_ms : ten_ms;
		int size = opus->encode(source->encoder, pcm, now, source->packets[made],
					sizeof source->packets[0]);

		if (size <= 0)
			break;
		pieces[made] = (struct td_opus_piece){ source->packets[made], (size_t)size,
						       now * (TD_OPUS_HZ / source->rate_hz) };
		made++;
		pcm += now;
		count -= now;
	}
	return made;
}

unsigned td_opus_source_hear(struct td_opus_source *source, const struct td_codec *codec,
			     const struct td_tap_record *record,
			     struct td_opus_piece pieces[TD_OPUS_PIECES_MAX])
{
	uint32_t rate_hz = codec->sample_hz > NARROW_HZ ? WIDE_HZ : NARROW_HZ;
	int16_t pcm[TD_TIMELINE_PACKET_MAX];
	unsigned count;

	if (codec->id == TD_CODEC_OPUS)
		return copy(source, codec, record, pieces);
	if (!make_encoder(source, rate_hz))
		return 0;
	count = td_voice_hear(&source->voice, codec, record->ssrc, rate_hz, record->payload,
			      record->payload_len, pcm);
	count = encode(source, pcm, count, pieces);
	source->coded += count > 0;
	return count;
}

void td_opus_source_fini(struct td_opus_source *source)
{
	td_voice_fini(&source->voice);
	free(source->encoder);
	free(source->packets);
	memset(source, 0, sizeof *source);
}
