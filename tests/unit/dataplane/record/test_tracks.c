// Recordings of other forms: three tracks, all in one, and Opus with a file for each party.
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../codecs/signal.h"
#include "codecs/codec.h"
#include "codecs/wav.h"
#include "record/paper.h"
#include "record/reader.h"
#include "record/repair.h"
#include "rig.h"

#define MS          1000000ull
#define START_NS    RIG_START_NS
#define BYTES_MAX   (1u << 20)
#define STATE_BYTES (64 * 1024)
#define PACKETS     150

static uint8_t bytes[BYTES_MAX];

static size_t read_file(const char *name)
{
	int fd = openat(rig.folder_fd, name, O_RDONLY);
	ssize_t size;

	ck_assert_msg(fd >= 0, "%s", name);
	size = td_reader_at(fd, bytes, sizeof bytes, 0);
	close(fd);
	ck_assert_int_gt(size, 0);
	return (size_t)size;
}

START_TEST(three_tracks_and_mono)
{
	struct td_command_record_start start = { .name = "a.wav",
						 .track_count = 3,
						 .mono = (uint8_t)_i };
	char reason[TD_WAV_REASON_MAX];
	int16_t last[3];
	struct td_wav wav;

	rig_open(&start, NULL);
	for (uint32_t n = 0; n < 100; n++) {
		for (uint8_t side = 0; side < 3; side++) {
			struct td_tap_record record = { .arrival_ns = START_NS + n * 20 * MS,
							.side = side,
							.ssrc = side + 1u,
							.timestamp = n * 160,
							.sequence = (uint16_t)n,
							.offered = (uint16_t)(n + 1),
							.codec = TD_CODEC_L16_8,
							.payload_len = 320 };

			for (int i = 0; i < 160; i++)
				record.payload[2 * i + 1] = (uint8_t)(side + 1);
			td_recording_add(&rig.recording, &record);
		}
		td_recording_flush(&rig.recording, START_NS + n * 20 * MS);
	}
	rig_finish(START_NS + 2000 * MS);
	ck_assert_int_eq(td_wav_parse(bytes, read_file("a.wav"), &wav, reason), 0);
	ck_assert_uint_eq(wav.channels, _i ? 1 : 3);
	ck_assert_uint_eq(wav.frames, 2 * 8000);
	memcpy(last, wav.data + wav.frame_bytes * 15999u, wav.frame_bytes);
	if (_i) {
		ck_assert_int_eq(last[0], 6);
	} else {
		ck_assert_int_eq(last[0], 1);
		ck_assert_int_eq(last[1], 2);
		ck_assert_int_eq(last[2], 3);
	}
}
END_TEST

// A third one comes after a second and a half: it is in the right channel with the other, and not before.
START_TEST(a_third_voice_in_stereo)
{
	struct td_command_record_start start = { .name = "a.wav", .track_count = 4, .stereo = 1 };
	char reason[TD_WAV_REASON_MAX];
	struct td_wav wav;
	int16_t frame[2];

	rig_open(&start, NULL);
	for (uint32_t n = 0; n < 150; n++) {
		for (unsigned side = 0; side < (n < 75 ? 2u : 3u); side++) {
			struct td_tap_record record = { .arrival_ns = START_NS + n * 20 * MS,
							.side = (uint8_t)side,
							.ssrc = side + 1u,
							.timestamp = n * 160,
							.sequence = (uint16_t)n,
							.offered = (uint16_t)(side < 2 ? n + 1
										       : n - 74),
							.codec = TD_CODEC_L16_8,
							.payload_len = 320 };

			for (int i = 0; i < 160; i++)
				record.payload[2 * i + 1] = (uint8_t)(10 * (side + 1));
			td_recording_add(&rig.recording, &record);
		}
		td_recording_flush(&rig.recording, START_NS + n * 20 * MS);
	}
	rig_finish(START_NS + 3000 * MS);
	ck_assert_int_eq(td_wav_parse(bytes, read_file("a.wav"), &wav, reason), 0);
	ck_assert_uint_eq(wav.channels, 2);
	ck_assert_uint_eq(wav.frames, 3 * 8000);
	for (uint32_t at = 0; at < wav.frames; at++) {
		memcpy(frame, wav.data + wav.frame_bytes * at, sizeof frame);
		ck_assert_int_eq(frame[0], 10);
		ck_assert_int_eq(frame[1], at < 12000 ? 20 : 50);
	}
}
END_TEST

static uint8_t sent[PACKETS][400];
static int sent_bytes[PACKETS];

// Three seconds of Opus on the left, G.711 on the right; packets 50 to 59 are lost, and the right
// begins a second later.
static void say_three_seconds(void)
{
	static const struct td_codec_settings settings = { .bitrate_bps = 24000, .complexity = 3 };
	static uint8_t state[STATE_BYTES] __attribute__((aligned(TD_CODEC_STATE_ALIGN)));
	static int16_t sound[PACKETS * 960];
	const struct td_codec *opus = td_codec_get(TD_CODEC_OPUS);

	signal_voice(sound, PACKETS * 960, 48000);
	ck_assert_int_eq(opus->encoder_init(state, 48000, &settings), 0);
	for (uint32_t n = 0; n < PACKETS; n++) {
		struct td_tap_record record = { .arrival_ns = START_NS + n * 20 * MS,
						.ssrc = 1,
						.timestamp = n * 960,
						.sequence = (uint16_t)n,
						.offered = (uint16_t)(n < 50 ? n + 1 : n - 9),
						.codec = TD_CODEC_OPUS };

		sent_bytes[n] = opus->encode(state, sound + n * 960, 960, sent[n], sizeof sent[n]);
		memcpy(record.payload, sent[n], (size_t)sent_bytes[n]);
		record.payload_len = (uint16_t)sent_bytes[n];
		if (n < 50 || n >= 60)
			td_recording_add(&rig.recording, &record);
		record.side = 1;
		record.ssrc = 2;
		record.codec = TD_CODEC_PCMU;
		record.timestamp = n * 160;
		record.offered = (uint16_t)(n - 49);
		record.payload_len = 160;
		memset(record.payload, n & 1 ? 0x80 : 0x00, 160);
		if (n >= 50)
			td_recording_add(&rig.recording, &record);
		td_recording_flush(&rig.recording, START_NS + n * 20 * MS);
	}
	rig_finish(START_NS + 3000 * MS);
}

// Every packet of a file, in order; answers how many, and the last granule.
static unsigned packets_of(size_t size, const uint8_t **packets, size_t *lengths, int64_t *granule)
{
	struct td_ogg_page page = { .flags = 0 };
	unsigned count = 0, pages = 0;

	for (size_t at = 0; at < size; at += page.bytes) {
		size_t body = 0, length = 0;

		ck_assert_int_eq(td_ogg_parse(bytes + at, size - at, &page), 0);
		ck_assert_uint_eq(page.sequence, pages++);
		ck_assert_int_ge(page.granule, *granule);
		*granule = page.granule;
		for (unsigned i = 0; i < page.lace_count; i++) {
			length += page.laces[i];
			if (page.laces[i] == 255)
				continue;
			packets[count] = page.body + body;
			lengths[count++] = length;
			body += length;
			length = 0;
		}
	}
	ck_assert_uint_eq(page.flags, TD_OGG_LAST);
	return count;
}

START_TEST(opus_is_not_coded_again)
{
	struct td_command_record_start start = { .name = "d/a.opus", .format = TD_RECORD_OPUS };
	const uint8_t *packets[1000];
	unsigned count, at = 2;
	int64_t granule = 0;
	size_t lengths[1000];
	json_t *sidecar;

	rig_open(&start, NULL);
	say_three_seconds();
	count = packets_of(read_file("d/a.1.opus"), packets, lengths, &granule);
	ck_assert_int_eq(granule, PACKETS * 960);
	ck_assert_mem_eq(packets[0], "OpusHead", 8);
	ck_assert_mem_eq(packets[1], "OpusTags", 8);
	for (unsigned n = 0; n < PACKETS; n++) {
		if (n >= 50 && n < 60)
			continue;
		while (at < count && lengths[at] <= 2)
			at++; // what stands for the gap
		ck_assert_uint_eq(lengths[at], sent_bytes[n]);
		ck_assert_mem_eq(packets[at], sent[n], lengths[at]);
		at++;
	}
	ck_assert_uint_eq(at, count);
	granule = 0;
	(void)packets_of(read_file("d/a.2.opus"), packets, lengths, &granule);
	ck_assert_int_eq(granule, PACKETS * 960); // as long as the other
	sidecar = rig_sidecar("d/a.opus");
	ck_assert_uint_eq(json_array_size(json_object_get(sidecar, "files")), 2);
	ck_assert_int_eq(
		rig_number(json_array_get(json_object_get(sidecar, "tracks"), 0), "packets_coded"),
		0);
	ck_assert_int_eq(
		rig_number(json_array_get(json_object_get(sidecar, "tracks"), 1), "packets_coded"),
		PACKETS - 50);
	ck_assert_int_eq(rig_number(json_array_get(json_object_get(sidecar, "gaps"), 0), "ms"),
			 200);
	json_decref(sidecar);
	ck_assert_uint_eq(rig.closed.u.recording.packets_written[0], PACKETS - 10);
	ck_assert_uint_eq(rig.closed.u.recording.packets_written[1], PACKETS - 50);
}
END_TEST

// What is in the clear and what is in the vault are the same, byte by byte.
START_TEST(encrypted_is_the_same)
{
	static const uint8_t key[TD_VAULT_KEY_BYTES] = { 1, 2, 3 }, other[TD_VAULT_KEY_BYTES];
	struct td_command_record_start start = { .name = "a.opus", .format = TD_RECORD_OPUS };
	uint8_t heads[2][TD_CHAIN_BYTES];
	struct td_chain chain;
	json_t *sidecar;
	int fd;

	rig_open(&start, key);
	say_three_seconds();
	ck_assert_int_ne(faccessat(rig.folder_fd, "a.1.opus", F_OK, 0), 0);
	sidecar = rig_sidecar("a.opus");
	ck_assert(json_is_true(json_object_get(sidecar, "encrypted")));
	for (unsigned i = 0; i < 2; i++) {
		json_t *file = json_array_get(json_object_get(sidecar, "files"), i);
		json_t *sha = json_object_get(file, "sha256");
		char text[TD_CHAIN_TEXT];

		fd = openat(rig.folder_fd, json_string_value(json_object_get(file, "name")),
			    O_RDONLY);
		ck_assert_int_eq(td_chain_init(&chain), 0);
		ck_assert_int_eq(td_reader_chain(fd, NULL, 0, &chain), -TD_EDENIED);
		ck_assert_int_eq(td_reader_chain(fd, other, 0, &chain), -TD_EDENIED);
		ck_assert_int_eq(td_reader_chain(fd, key, 0, &chain), 0);
		td_chain_text(chain.head, text);
		ck_assert_str_eq(text, json_string_value(json_object_get(sha, "head")));
		memcpy(heads[i], chain.head, TD_CHAIN_BYTES);
		td_chain_fini(&chain);
		close(fd);
	}
	ck_assert_mem_ne(heads[0], heads[1], TD_CHAIN_BYTES);
	json_decref(sidecar);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("tracks");
	TCase *tcase = tcase_create("tracks");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, NULL, rig_close);
	tcase_add_loop_test(tcase, three_tracks_and_mono, 0, 2);
	tcase_add_test(tcase, a_third_voice_in_stereo);
	tcase_add_test(tcase, opus_is_not_coded_again);
	tcase_add_test(tcase, encrypted_is_the_same);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
