// Opus (RFC 6716, RFC 7587), mono, by libopus. Its states are made to lie in the caller's memory
// (opus_encoder_init); how large they are only the library knows at run time, so the row states a
// bound and init checks it. A frame is 10, 20, 40 or 60 ms: 30 and 50 ms do not exist in Opus.
#include <opus.h>
#include <stdbool.h>

#include "codecs/rows.h"

#define ENCODER_BYTES   (44 * 1024) // libopus 1.3.1: 43,572 for one channel
#define DECODER_BYTES   (19 * 1024) // 18,228
#define CLOCK_HZ        48000
#define FRAMES_MAX      48   // of a packet, RFC 6716 section 3.2.5
#define SAMPLES_MAX     5760 // 120 ms, the longest packet
#define BITRATE_MIN_BPS 6000 // RFC 7587 section 6.1, maxaveragebitrate
#define BITRATE_MAX_BPS 510000
#define PERCENT_MAX     100
#define COMPLEXITY_MAX  10
#define DTX_BYTES       2 // a packet no longer than this need not be sent, says opus_encode

// The sweet spots for speech of RFC 7587 section 3.1.1.
static opus_int32 default_bitrate_bps(uint32_t sample_hz)
{
	return sample_hz == 8000 ? 12000 : sample_hz == 16000 ? 20000 : 32000;
}

// The widest audio worth coding for who plays it at max_hz (RFC 7587 section 6.1).
static opus_int32 bandwidth(uint32_t max_hz)
{
	if (max_hz == 0 || max_hz > 24000)
		return OPUS_BANDWIDTH_FULLBAND;
	if (max_hz > 16000)
		return OPUS_BANDWIDTH_SUPERWIDEBAND;
	if (max_hz > 12000)
		return OPUS_BANDWIDTH_WIDEBAND;
	return max_hz > 8000 ? OPUS_BANDWIDTH_MEDIUMBAND : OPUS_BANDWIDTH_NARROWBAND;
}

static bool rate_known(uint32_t sample_hz)
{
	return sample_hz == 8000 || sample_hz == 16000 || sample_hz == 48000;
}

static int opus_encoder_init_row(void *state, uint32_t sample_hz,
				 const struct td_codec_settings *settings)
{
	opus_int32 bitrate_bps = (opus_int32)settings->bitrate_bps;

	if (!rate_known(sample_hz) || opus_encoder_get_size(1) > ENCODER_BYTES)
		return -TD_EUNSUPPORTED;
	if (settings->bitrate_bps == 0)
		bitrate_bps = default_bitrate_bps(sample_hz);
	if (bitrate_bps < BITRATE_MIN_BPS || bitrate_bps > BITRATE_MAX_BPS ||
	    settings->complexity > COMPLEXITY_MAX || settings->loss_percent > PERCENT_MAX)
		return -TD_EINVALID;
	if (opus_encoder_init(state, (opus_int32)sample_hz, 1, OPUS_APPLICATION_VOIP) != OPUS_OK)
		return -TD_EUNSUPPORTED;
	opus_encoder_ctl(state, OPUS_SET_BITRATE(bitrate_bps));
	opus_encoder_ctl(state, OPUS_SET_COMPLEXITY(settings->complexity));
	opus_encoder_ctl(state, OPUS_SET_MAX_BANDWIDTH(bandwidth(settings->max_hz)));
	opus_encoder_ctl(state, OPUS_SET_INBAND_FEC((settings->flags & TD_CODEC_FEC) != 0));
	opus_encoder_ctl(state, OPUS_SET_PACKET_LOSS_PERC(settings->loss_percent));
	opus_encoder_ctl(state, OPUS_SET_DTX((settings->flags & TD_CODEC_DTX) != 0));
	opus_encoder_ctl(state, OPUS_SET_VBR((settings->flags & TD_CODEC_CBR) == 0));
	return 0;
}

static int opus_decoder_init_row(void *state, uint32_t sample_hz)
{
	if (!rate_known(sample_hz) || opus_decoder_get_size(1) > DECODER_BYTES)
		return -TD_EUNSUPPORTED;
	return opus_decoder_init(state, (opus_int32)sample_hz, 1) == OPUS_OK ? 0 : -TD_EUNSUPPORTED;
}

static int error_of(int opus_error)
{
	switch (opus_error) {
	case OPUS_BAD_ARG: return -TD_EINVALID;
	case OPUS_BUFFER_TOO_SMALL: return -TD_EFULL;
	default: return -TD_EMALFORMED;
	}
}

// Given little room the library lowers the bitrate to fit, so -TD_EFULL is for none at all.
static int opus_encode_row(void *state, const int16_t *pcm, size_t samples, uint8_t *payload,
			   size_t payload_max)
{
	opus_int32 sample_hz = 0, dtx = 0;
	size_t units;
	int bytes;

	if (payload_max < DTX_BYTES + 1)
		return -TD_EFULL;
	opus_encoder_ctl(state, OPUS_GET_SAMPLE_RATE(&sample_hz));
	units = samples / (size_t)(sample_hz / 100);
	if (samples % (size_t)(sample_hz / 100) != 0 ||
	    (units != 1 && units != 2 && units != 4 && units != 6))
		return -TD_EINVALID;
	bytes = opus_encode(state, pcm, (int)samples, payload,
			    payload_max > INT16_MAX ? INT16_MAX : (opus_int32)payload_max);
	if (bytes < 0)
		return error_of(bytes);
	if (bytes > DTX_BYTES)
		return bytes;
	opus_encoder_ctl(state, OPUS_GET_DTX(&dtx));
	return dtx ? 0 : bytes;
}

static int opus_decode_row(void *state, const uint8_t *payload, size_t bytes, int16_t *pcm,
			   size_t samples_max)
{
	int samples;

	// The library takes an empty packet for a lost one.
	if (bytes == 0 || bytes > INT16_MAX)
		return -TD_EMALFORMED;
	if (samples_max == 0)
		return -TD_EFULL;
	samples = opus_decode(state, payload, (opus_int32)bytes, pcm,
			      samples_max > SAMPLES_MAX ? SAMPLES_MAX : (int)samples_max, 0);
	return samples < 0 ? error_of(samples) : samples;
}

static int opus_conceal(void *state, int16_t *pcm, size_t samples)
{
	int done;

	if (samples > SAMPLES_MAX)
		return -TD_EINVALID;
	done = opus_decode(state, NULL, 0, pcm, (int)samples, 0);
	return done < 0 ? error_of(done) : done;
}

// Whether the first SILK frame carries a copy of what came before it: the LBRR flag behind the VAD
// flags of the channel, one for every 20 ms (RFC 6716 section 4.2.3).
static int has_redundancy(const uint8_t *payload, size_t bytes)
{
	const unsigned char *frames[FRAMES_MAX];
	opus_int16 sizes[FRAMES_MAX];
	int count = opus_packet_parse(payload, (opus_int32)bytes, NULL, frames, sizes, NULL);
	int vad_flags = opus_packet_get_samples_per_frame(payload, CLOCK_HZ) / (CLOCK_HZ / 50);
	bool found;

	if (count < 0)
		return -TD_EMALFORMED;
	if ((payload[0] & 0x80) != 0 || sizes[0] == 0) // CELT only, or nothing at all
		return 0;
	vad_flags = vad_flags == 0 ? 1 : vad_flags;
	found = (frames[0][0] >> (7 - vad_flags)) & 1;
	if (opus_packet_get_nb_channels(payload) == 2)
		found = found || ((frames[0][0] >> (6 - 2 * vad_flags)) & 1);
	return found;
}

static int opus_recover(void *state, const uint8_t *payload, size_t bytes, int16_t *pcm,
			size_t samples)
{
	opus_int32 sample_hz = 0;
	int done;

	if (bytes == 0 || bytes > INT16_MAX)
		return -TD_EMALFORMED;
	done = has_redundancy(payload, bytes);
	if (done <= 0)
		return done;
	opus_decoder_ctl(state, OPUS_GET_SAMPLE_RATE(&sample_hz));
	if (samples > SAMPLES_MAX)
		return -TD_EINVALID;
	// Less than a frame cannot be taken from the copy of one.
	if (samples < (size_t)opus_packet_get_samples_per_frame(payload, sample_hz))
		return 0;
	done = opus_decode(state, payload, (opus_int32)bytes, pcm, (int)samples, 1);
	return done < 0 ? error_of(done) : done;
}

static int opus_duration(const uint8_t *payload, size_t bytes)
{
	opus_int16 sizes[FRAMES_MAX];
	int count;

	if (bytes == 0 || bytes > INT16_MAX)
		return -TD_EMALFORMED;
	count = opus_packet_parse(payload, (opus_int32)bytes, NULL, NULL, sizes, NULL);
	if (count <= 0)
		return -TD_EMALFORMED;
	return count * opus_packet_get_samples_per_frame(payload, CLOCK_HZ);
}

const struct td_codec td_opus_row = {
	.id = TD_CODEC_OPUS,
	.name = "opus",
	.clock_hz = CLOCK_HZ,
	.sample_hz = 48000,
	.static_payload_type = TD_PAYLOAD_TYPE_NONE,
	.frame_ms = 10,
	.ptime_max_ms = 60,
	.ptime_tens = 1u << 1 | 1u << 2 | 1u << 4 | 1u << 6,
	.bitrate_min_bps = BITRATE_MIN_BPS,
	.bitrate_max_bps = BITRATE_MAX_BPS,
	.rates = { 8000, 16000, 48000 },
	.encoder_bytes = ENCODER_BYTES,
	.decoder_bytes = DECODER_BYTES,
	.encoder_init = opus_encoder_init_row,
	.decoder_init = opus_decoder_init_row,
	.encode = opus_encode_row,
	.decode = opus_decode_row,
	.conceal = opus_conceal,
	.recover = opus_recover,
	.duration = opus_duration,
};
