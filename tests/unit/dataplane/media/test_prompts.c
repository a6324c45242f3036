// Prompts: whatever the file's rate and channels, in every codec and at every rate they are the same
// sound, for as long, from the same moment on.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <check.h>

#include "codecs/codec.h"
#include "codecs/wav.h"
#include "media/prompts.h"
#include "net/checksum.h"
#include "scarcity.h"

#define LEVEL     8000.0
#define LEFT_HZ   500.0
#define RIGHT_HZ  900.0
#define FILE_MS   590 // not whole frames
#define FRAMES    30
#define SWEEP_MAX 400

static const uint32_t file_rates[] = { 8000, 11025, 16000, 22050, 32000, 44100, 48000 };

static struct td_prompts *prompts;
static char reason[TD_PROMPT_REASON_MAX];

static void setup(void)
{
	const struct td_codec_settings settings = { .bitrate_bps = 64000, .complexity = 5 };

	ck_assert_int_eq(td_prompts_create(UINT32_MAX, &settings, &prompts), 0);
}

static void teardown(void)
{
	td_prompts_destroy(prompts);
}

// One tone; or one on each channel.
static void write_file(char *path, uint32_t sample_hz, uint16_t channels)
{
	uint32_t count = sample_hz * FILE_MS / 1000;
	uint8_t header[TD_WAV_HEADER_BYTES];
	FILE *file = fdopen(mkstemp(path), "wb");

	ck_assert_ptr_nonnull(file);
	td_wav_write_header(header, sample_hz, channels, count);
	ck_assert_uint_eq(fwrite(header, 1, sizeof header, file), sizeof header);
	for (uint32_t i = 0; i < count; i++) {
		int16_t frame[2];

		frame[0] = (int16_t)lrint(LEVEL * sin(2 * M_PI * LEFT_HZ * i / sample_hz));
		frame[1] = (int16_t)lrint(LEVEL * sin(2 * M_PI * RIGHT_HZ * i / sample_hz));
		ck_assert_uint_eq(fwrite(frame, 2, channels, file), channels);
	}
	fclose(file);
}

// How loud a tone is from 100 ms on, for 400 ms; *late_ms is by how much it begins later than at 0.
static double gain(const int16_t *pcm, uint32_t hz, double tone_hz, double *late_ms)
{
	uint32_t first = hz / 10, count = hz / 10 * 4;
	double real = 0, imaginary = 0, angle;

	for (uint32_t i = first; i < first + count; i++) {
		real += pcm[i] * sin(2 * M_PI * tone_hz * i / hz);
		imaginary -= pcm[i] * cos(2 * M_PI * tone_hz * i / hz);
	}
	angle = atan2(imaginary, real); // sin(wt - angle)
	if (late_ms != NULL)
		*late_ms = angle / (2 * M_PI * tone_hz) * 1000;
	return 2 * sqrt(real * real + imaginary * imaginary) / count / LEVEL;
}

static void check_tones(const int16_t *pcm, uint32_t hz, uint16_t channels, const char *what)
{
	double left = gain(pcm, hz, LEFT_HZ, NULL), right = gain(pcm, hz, RIGHT_HZ, NULL);
	double expected = channels == 2 ? 0.5 : 1, other = channels == 2 ? 0.5 : 0;

	ck_assert_msg(fabs(left - expected) < 0.08, "%s: 500 Hz at %.3f, expected %.1f", what, left,
		      expected);
	ck_assert_msg(fabs(right - other) < 0.08, "%s: 900 Hz at %.3f, expected %.1f", what, right,
		      other);
}

static void check_samples(const struct td_prompt *prompt, uint16_t channels)
{
	static const uint32_t rates[] = { 8000, 16000, 48000 };

	for (unsigned i = 0; i < 3; i++) {
		const int16_t *pcm = td_prompt_samples(prompt, rates[i], 0);
		double late_ms;

		check_tones(pcm, rates[i], channels, "samples");
		(void)gain(pcm, rates[i], LEFT_HZ, &late_ms);
		ck_assert_msg(fabs(late_ms) < 0.15, "at %u Hz it begins %.2f ms late", rates[i],
			      late_ms);
		// The rest of the last frame is silence.
		for (uint32_t at = rates[i] / 1000 * (FILE_MS + 2);
		     at < rates[i] / 1000 * 20 * FRAMES; at++)
			ck_assert_int_le(abs(pcm[at]), 60);
	}
}

static void check_coding(const struct td_prompt *prompt, enum td_codec_id id, uint16_t channels)
{
	static int16_t pcm[48 * 20 * FRAMES];
	const struct td_prompt_coding *coding = &prompt->coding[id];
	const struct td_codec *codec = td_codec_get(id);
	uint32_t samples = codec->sample_hz / 50;
	void *decoder = NULL;

	ck_assert_ptr_nonnull(coding->bytes);
	if (codec->decoder_bytes > 0) {
		ck_assert_int_eq(posix_memalign(&decoder, 64, codec->decoder_bytes), 0);
		ck_assert_int_eq(codec->decoder_init(decoder, codec->sample_hz), 0);
	}
	for (uint32_t i = 0; i < FRAMES; i++) {
		const uint8_t *bytes = coding->bytes + coding->offsets[i];
		uint32_t count = coding->offsets[i + 1] - coding->offsets[i];

		ck_assert_uint_gt(count, 0); // nothing is left out: a listener may come any time
		ck_assert_uint_eq(coding->sums[i],
				  td_checksum_fold(td_checksum_add(0, bytes, count)));
		ck_assert_int_eq(codec->decode(decoder, bytes, count, pcm + i * samples, samples),
				 (int)samples);
	}
	check_tones(pcm, codec->sample_hz, channels, td_codec_name(id));
	if (codec->decoder_fini != NULL)
		codec->decoder_fini(decoder);
	free(decoder);
}

START_TEST(the_same_sound_in_every_codec)
{
	uint32_t file_hz = file_rates[_i];

	for (uint16_t channels = 1; channels <= 2; channels++) {
		char path[] = "/tmp/tandem-prompt-XXXXXX", name[16];
		const struct td_prompt *prompt;
		unsigned cached = 0;

		write_file(path, file_hz, channels);
		snprintf(name, sizeof name, "%u", channels);
		ck_assert_msg(td_prompts_load(prompts, name, path, reason) == 0, "%s", reason);
		unlink(path);
		prompt = &prompts->entries[prompts->count - 1];
		ck_assert_uint_eq(prompt->frame_count, FRAMES);
		ck_assert_uint_eq(prompt->duration_ms, 20 * FRAMES);
		ck_assert_uint_eq(prompt->sample_hz, file_hz <= 8000    ? 8000
						     : file_hz <= 16000 ? 16000
									: 48000);
		check_samples(prompt, channels);
		for (unsigned id = 1; id < TD_CODEC_COUNT; id++) {
			if (td_codec_get((enum td_codec_id)id) == NULL ||
			    strcmp(td_codec_encoding((enum td_codec_id)id), "L16") == 0) {
				ck_assert_ptr_null(prompt->coding[id].bytes);
				continue;
			}
			check_coding(prompt, (enum td_codec_id)id, channels);
			cached++;
		}
		ck_assert_uint_ge(cached, 5); // G.711 twice, G.722, GSM, Opus
	}
}
END_TEST

START_TEST(only_what_was_asked_for)
{
	static int16_t pcm[8000];
	struct td_prompts *few;

	ck_assert_int_eq(td_prompts_create(1u << TD_CODEC_PCMA | 1u << TD_CODEC_L16_16 | 1u << 31,
					   NULL, &few),
			 0);
	ck_assert_uint_eq(few->codecs, 1u << TD_CODEC_PCMA);
	ck_assert_int_eq(td_prompts_add(few, "a", pcm, 8000, 8000, reason), 0);
	for (unsigned id = 0; id < TD_CODEC_COUNT; id++)
		ck_assert((few->entries[0].coding[id].bytes != NULL) == (id == TD_CODEC_PCMA));
	td_prompts_destroy(few);
}
END_TEST

// From one sample on, to the frame: how many there are.
START_TEST(whole_frames)
{
	static const struct {
		uint32_t samples, sample_hz, frames;
	} rows[] = {
		{ 1, 8000, 1 },       { 160, 8000, 1 },  { 161, 8000, 2 },  { 320, 8000, 2 },
		{ 960, 48000, 1 },    { 961, 48000, 2 }, { 220, 11025, 1 }, { 221, 11025, 2 },
		{ 44100, 44100, 50 }, { 882, 44100, 1 }, { 883, 44100, 2 },
	};
	static int16_t pcm[44100];

	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char name[16];

		snprintf(name, sizeof name, "%u", i);
		ck_assert_int_eq(td_prompts_add(prompts, name, pcm, rows[i].samples,
						rows[i].sample_hz, reason),
				 0);
		ck_assert_msg(prompts->entries[i].frame_count == rows[i].frames, "row %u: %u", i,
			      prompts->entries[i].frame_count);
	}
}
END_TEST

// With the n-th allocation failing there is no prompt, no leak, and room for it afterwards.
START_TEST(no_memory)
{
	static int16_t pcm[16000];
	unsigned nth = 0;
	bool hit = true;

	while (hit) {
		int error;

		ck_assert_uint_lt(++nth, SWEEP_MAX);
		scarcity_after(nth);
		error = td_prompts_add(prompts, "a", pcm, 16000, 16000, reason);
		hit = scarcity_end();
		ck_assert_int_eq(error, hit ? -TD_EMEMORY : 0);
		ck_assert_uint_eq(prompts->count, hit ? 0 : 1);
	}
	ck_assert_uint_gt(nth, 15);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("prompts");
	TCase *tcase = tcase_create("prompts");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, the_same_sound_in_every_codec, 0,
			    sizeof file_rates / sizeof file_rates[0]);
	tcase_add_test(tcase, only_what_was_asked_for);
	tcase_add_test(tcase, whole_frames);
	tcase_add_test(tcase, no_memory);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
