#include "choir.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void choir_begin(struct choir *choir, struct world *world, const struct world_options *options)
{
	world_open(world, options);
	memset(choir, 0, sizeof *choir);
	choir->world = world;
}

struct choir_voice *choir_add(struct choir *choir, struct td_context_id context, uint8_t codec,
			      uint32_t ptime_ms)
{
	static const char *const addrs[] = { "10.77.0.10", "10.77.0.20", "10.77.0.30" };
	struct choir_voice *voice = &choir->voices[choir->count];
	// Enough for Opus to leave a chord of tones alone, which is no speech.
	struct td_codec_settings settings = { .complexity = 5, .bitrate_bps = 128000 };
	struct td_command command;

	ck_assert_uint_lt(choir->count, CHOIR_MAX);
	memset(voice, 0, sizeof *voice);
	voice->codec = td_codec_get((enum td_codec_id)codec);
	ck_assert_ptr_nonnull(voice->codec);
	voice->hz = voice->codec->sample_hz;
	voice->ptime_ms = ptime_ms;
	voice->phase_hz = 300.0 + 200.0 * choir->count;
	if (voice->codec->encoder_bytes > 0) {
		ck_assert_int_eq(posix_memalign(&voice->encoder, 64, voice->codec->encoder_bytes),
				 0);
		ck_assert_int_eq(posix_memalign(&voice->decoder, 64, voice->codec->decoder_bytes),
				 0);
		ck_assert_int_eq(voice->codec->encoder_init(voice->encoder, voice->hz, &settings),
				 0);
		ck_assert_int_eq(voice->codec->decoder_init(voice->decoder, voice->hz), 0);
	}
	world_party(choir->world, context, addrs[choir->count % 3],
		    (uint16_t)(5000 + 2 * choir->count), 0x1000 + choir->count, &voice->party);
	command = world_set_remote(&voice->party, codec);
	command.u.stream_set_remote.ptime_ms = (uint8_t)ptime_ms;
	command.u.stream_set_remote.payload_type = 96;
	command.u.stream_set_remote.payload_type_rx = 96;
	command.u.stream_set_remote.settings = settings;
	world_do(choir->world, &command);
	voice->party.payload_type = 96;
	choir->count++;
	return voice;
}

void choir_end(struct choir *choir)
{
	for (uint32_t i = 0; i < choir->count; i++) {
		const struct td_codec *codec = choir->voices[i].codec;

		if (codec->encoder_fini != NULL) {
			codec->encoder_fini(choir->voices[i].encoder);
			codec->decoder_fini(choir->voices[i].decoder);
		}
		free(choir->voices[i].encoder);
		free(choir->voices[i].decoder);
	}
}

void choir_deliver(struct choir *choir, const struct frame *frame)
{
	world_send(choir->world, frame);
}

static void sing_packet(struct choir *choir, struct choir_voice *voice)
{
	static int16_t pcm[2880];
	uint32_t samples = voice->hz / 1000 * voice->ptime_ms;
	uint8_t payload[TD_RTP_PAYLOAD_MAX];
	struct frame frame;
	int bytes;

	for (uint32_t i = 0; i < samples; i++, voice->sung++)
		pcm[i] = voice->silent
				 ? 0
				 : (int16_t)lrint(CHOIR_LEVEL * sin(2 * M_PI * voice->phase_hz *
								    voice->sung / voice->hz));
	bytes = voice->codec->encode(voice->encoder, pcm, samples, payload, sizeof payload);
	ck_assert_int_gt(bytes, 0);
	world_frame(&voice->party, (uint32_t)bytes, &frame);
	memcpy(frame.bytes + frame.l4 + 8 + TD_RTP_HEADER_BYTES, payload, (size_t)bytes);
	frame_checksums(&frame);
	if (voice->network != NULL)
		voice->network(choir, voice, &frame);
	else
		choir_deliver(choir, &frame);
	voice->party.sequence++;
	voice->party.timestamp += voice->codec->clock_hz / 1000 * voice->ptime_ms;
}

static void hear_packet(struct choir_voice *voice, const struct world_sent *sent)
{
	static int16_t pcm[5760];
	uint32_t room = sizeof voice->heard / sizeof voice->heard[0];
	int samples =
		voice->codec->decode(voice->decoder, sent->udp_payload + sent->rtp.payload_offset,
				     sent->rtp.payload_len, pcm, 5760);

	ck_assert_int_gt(samples, 0);
	if (voice->packets > 0 && sent->rtp.sequence != (uint16_t)(voice->last_sequence + 1))
		voice->breaks++;
	if (voice->packets > 0 && (int32_t)(sent->rtp.timestamp - voice->last_timestamp) <= 0)
		voice->stalls++;
	voice->packets++;
	voice->last_sequence = sent->rtp.sequence;
	voice->last_timestamp = sent->rtp.timestamp;
	if (voice->heard_count + (uint32_t)samples > room) {
		memmove(voice->heard, voice->heard + samples,
			(voice->heard_count - (uint32_t)samples) * sizeof(int16_t));
		voice->heard_count -= (uint32_t)samples;
	}
	memcpy(voice->heard + voice->heard_count, pcm, (size_t)samples * sizeof(int16_t));
	voice->heard_count += (uint32_t)samples;
}

static void hear_all(struct choir *choir)
{
	struct world *world = choir->world;

	for (uint32_t i = 0; i < world->out_count; i++) {
		const struct world_sent *sent = &world->out[i];

		for (uint32_t j = 0; !sent->is_rtcp && j < choir->count; j++)
			if (sent->destination.port_be ==
				    __builtin_bswap16(choir->voices[j].party.port) &&
			    sent->rtp.payload_type == choir->voices[j].party.payload_type)
				hear_packet(&choir->voices[j], sent);
	}
	world_clear(world);
}

void choir_sing(struct choir *choir, uint32_t ms)
{
	for (uint32_t t = 0; t < ms; t += 10, choir->now_ms += 10) {
		for (uint32_t i = 0; i < choir->count; i++)
			if (!choir->voices[i].away &&
			    choir->now_ms % choir->voices[i].ptime_ms == 0)
				sing_packet(choir, &choir->voices[i]);
		world_ticks(choir->world, 10);
		hear_all(choir);
	}
}

double choir_gain(const struct choir_voice *to, double phase_hz, uint32_t ms)
{
	uint32_t count = to->hz / 1000 * ms;
	double real = 0, imaginary = 0;

	if (to->heard_count < count)
		return 0;
	for (uint32_t i = to->heard_count - count; i < to->heard_count; i++) {
		real += to->heard[i] * cos(2 * M_PI * phase_hz * i / to->hz);
		imaginary += to->heard[i] * sin(2 * M_PI * phase_hz * i / to->hz);
	}
	return 2.0 * sqrt(real * real + imaginary * imaginary) / count / CHOIR_LEVEL;
}

int choir_edit(struct choir *choir, struct td_context_id context, const struct choir_voice *from,
	       const struct choir_voice *to, int32_t gain_q12)
{
	struct td_command command = { .kind = TD_COMMAND_MATRIX_EDIT };
	struct td_cell *cell = &command.u.matrix_edit.cells[0];
	const struct td_member floor = { TD_MEMBER_FLOOR, 0 };

	command.u.matrix_edit.context = context;
	command.u.matrix_edit.cell_count = 1;
	cell->from = floor;
	cell->to = floor;
	if (from != NULL)
		cell->from = (struct td_member){ TD_MEMBER_STREAM, from->party.id.v };
	if (to != NULL)
		cell->to = (struct td_member){ TD_MEMBER_STREAM, to->party.id.v };
	cell->gain_q12 = gain_q12;
	return world_command(choir->world, &command).result;
}

void choir_both(struct choir *choir, struct td_context_id context, const struct choir_voice *x,
		const struct choir_voice *y)
{
	ck_assert_int_eq(choir_edit(choir, context, x, y, TD_GAIN_UNITY), 0);
	ck_assert_int_eq(choir_edit(choir, context, y, x, TD_GAIN_UNITY), 0);
}

void choir_check(const struct choir *choir, const struct choir_voice *to, const double *gains,
		 const char *file, int line)
{
	for (uint32_t i = 0; i < choir->count; i++) {
		double gain = choir_gain(to, choir->voices[i].phase_hz, 200);
		double error = fabs(gain - gains[i]);

		ck_assert_msg(error < 0.1 * gains[i] + 0.03,
			      "%s:%d: voice %u hears voice %u at %.3f, expected %.3f", file, line,
			      (unsigned)(to - choir->voices), i, gain, gains[i]);
	}
}
