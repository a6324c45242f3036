// WAV headers in, WAV headers out; hostile files are refused with a sentence.
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codecs/wav.h"

static size_t make_file(uint8_t *bytes, uint32_t rate_hz, uint16_t channels, uint32_t frames)
{
	td_wav_write_header(bytes, rate_hz, channels, frames);
	for (uint32_t i = 0; i < frames * channels; i++) {
		bytes[TD_WAV_HEADER_BYTES + 2 * i] = (uint8_t)i;
		bytes[TD_WAV_HEADER_BYTES + 2 * i + 1] = 1;
	}
	return TD_WAV_HEADER_BYTES + frames * channels * 2u;
}

START_TEST(what_is_written_is_read)
{
	char reason[TD_WAV_REASON_MAX];
	uint8_t bytes[2000];
	int16_t pcm[100];
	struct td_wav wav;
	size_t size = make_file(bytes, 16000, 2, 100);

	ck_assert_int_eq(td_wav_parse(bytes, size, &wav, reason), 0);
	ck_assert_uint_eq(wav.channels, 2);
	ck_assert_uint_eq(wav.sample_hz, 16000);
	ck_assert_uint_eq(wav.frames, 100);
	td_wav_to_mono(&wav, pcm);
	ck_assert_int_eq(pcm[10], (20 + 256 + 21 + 256) / 2);
}
END_TEST

START_TEST(every_truncation_is_safe)
{
	char reason[TD_WAV_REASON_MAX];
	uint8_t bytes[2000];
	size_t size = make_file(bytes, 8000, 1, 100);

	for (size_t cut = 0; cut < size; cut++) {
		uint8_t *exact = malloc(cut ? cut : 1);
		struct td_wav wav;
		int error;

		memcpy(exact, bytes, cut);
		error = td_wav_parse(exact, cut, &wav, reason);
		ck_assert(error == 0 ? wav.frames == (cut - TD_WAV_HEADER_BYTES) / 2
				     : reason[0] != '\0');
		free(exact);
	}
}
END_TEST

START_TEST(past_four_gib_it_is_rf64)
{
	uint8_t header[TD_WAV_HEADER_BYTES];
	uint64_t riff, data;

	td_wav_write_header(header, 8000, 2,
			    (1ull << 30) - 19); // data + 72 = 4 GiB - 4: still RIFF
	ck_assert_mem_eq(header, "RIFF", 4);
	td_wav_write_header(header, 8000, 2, 1ull << 31);
	ck_assert_mem_eq(header, "RF64", 4);
	ck_assert_mem_eq(header + 12, "ds64", 4);
	memcpy(&riff, header + 20, 8);
	memcpy(&data, header + 28, 8);
	ck_assert_uint_eq(data, 1ull << 33);
	ck_assert_uint_eq(riff, data + 72);
	ck_assert_mem_eq(header + 76, "\xff\xff\xff\xff", 4);
}
END_TEST

START_TEST(unknown_formats_are_named)
{
	static const struct {
		size_t at;
		uint8_t value;
		int error;
		const char *text;
	} rows[] = {
		{ 0, 'X', -TD_EMALFORMED, "not a WAV" },
		{ 56, 3, -TD_EUNSUPPORTED, "coding 3" },
		{ 70, 24, -TD_EUNSUPPORTED, "24 bits" },
		{ 58, 0, -TD_EUNSUPPORTED, "0 channels" },
		{ 58, 9, -TD_EUNSUPPORTED, "9 channels" },
		{ 62, 9, -TD_EUNSUPPORTED, "Hz" },
		{ 48, 'x', -TD_ETRUNCATED, "no fmt" },
		{ 72, 'x', -TD_ETRUNCATED, "no data" },
		{ 52, 15, -TD_EMALFORMED, "15 bytes" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char reason[TD_WAV_REASON_MAX];
		uint8_t bytes[400];
		struct td_wav wav;
		size_t size = make_file(bytes, 8000, 1, 100);

		bytes[rows[i].at] = rows[i].value;
		ck_assert_int_eq(td_wav_parse(bytes, size, &wav, reason), rows[i].error);
		ck_assert_msg(strstr(reason, rows[i].text), "row %zu: %s", i, reason);
	}
}
END_TEST

START_TEST(loading_converts_the_rate)
{
	char path[] = "/tmp/td-wav-XXXXXX", reason[TD_WAV_REASON_MAX];
	static uint8_t bytes[TD_WAV_HEADER_BYTES + 48000 * 2];
	size_t size = make_file(bytes, 48000, 1, 48000), samples;
	int fd = mkstemp(path);
	int16_t *pcm, *converted;
	uint32_t sample_hz;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	close(fd);
	ck_assert_int_eq(td_wav_load(path, &pcm, &samples, &sample_hz, reason), 0);
	ck_assert_uint_eq(sample_hz, 48000);
	ck_assert_uint_eq(samples, 48000);
	ck_assert_int_eq(td_wav_resample(pcm, samples, 48000, 8000, &converted, &samples), 0);
	free(converted);
	ck_assert_msg(samples > 7950 && samples <= 8000, "%zu samples", samples);
	free(pcm);
	ck_assert_int_eq(truncate(path, 70), 0);
	ck_assert_int_lt(td_wav_load(path, &pcm, &samples, &sample_hz, reason), 0);
	ck_assert_msg(strstr(reason, path), "%s", reason);
	unlink(path);
	ck_assert_int_eq(td_wav_load(path, &pcm, &samples, &sample_hz, reason), -TD_EIO);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wav");
	TCase *tcase = tcase_create("wav");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, what_is_written_is_read);
	tcase_add_test(tcase, every_truncation_is_safe);
	tcase_add_test(tcase, past_four_gib_it_is_rf64);
	tcase_add_test(tcase, unknown_formats_are_named);
	tcase_add_test(tcase, loading_converts_the_rate);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
