// Opus recordings in which others are heard besides the first two: a file for each, begun when it comes, in
// time with the rest; none where nobody came.
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codecs/codec.h"
#include "record/reader.h"
#include "record/sidecar.h"
#include "rig.h"

#define MS        1000000ull
#define START_NS  RIG_START_NS
#define BYTES_MAX (1u << 20)
#define TOC_20_MS 0xf8 // of Opus: 20 ms, and what follows is anything

static uint8_t bytes[BYTES_MAX];
static const uint8_t key[TD_VAULT_KEY_BYTES] = { 4, 5, 6 };

static bool is_there(const char *name)
{
	return faccessat(rig.folder_fd, name, F_OK, 0) == 0;
}

static struct td_command_record_start opus_of(uint8_t tracks)
{
	return (struct td_command_record_start){ .name = "a.opus",
						 .format = TD_RECORD_OPUS,
						 .track_count = tracks };
}

// What somebody sends in a frame of 20 ms: three bytes that tell who it is and which one.
struct voice {
	uint8_t track, name, flags;
	uint16_t sent;
};

static void say(struct voice *voice, uint32_t frame)
{
	struct td_tap_record record = { .arrival_ns = START_NS + frame * 20 * MS,
					.side = voice->track,
					.flags = voice->flags,
					.ssrc = voice->name,
					.timestamp = frame * 960u,
					.sequence = voice->sent,
					.offered = (uint16_t)(voice->sent + 1u),
					.codec = TD_CODEC_OPUS,
					.payload_len = 4,
					.payload = { TOC_20_MS, voice->name, (uint8_t)(frame >> 8),
						     (uint8_t)frame } };

	voice->sent++;
	td_recording_add(&rig.recording, &record);
}

static void flush(uint32_t frame)
{
	td_recording_flush(&rig.recording, START_NS + frame * 20 * MS);
}

// Until the disk thread has done what it was given.
static void wait_for(const char *name)
{
	for (int i = 0; i < 5000 && !is_there(name); i++)
		usleep(1000);
	ck_assert_msg(is_there(name), "%s", name);
}

struct heard {
	unsigned count;
	int64_t ends; // in samples
};

// Every packet of one who spoke lies where it was said; counts them.
static struct heard listen_to(size_t size)
{
	const struct td_codec *opus = td_codec_get(TD_CODEC_OPUS);
	struct heard heard = { .count = 0 };
	struct td_ogg_page page = { .flags = 0 };
	unsigned pages = 0;

	for (size_t at = 0; at < size; at += page.bytes) {
		const uint8_t *packet;
		int64_t began = heard.ends;

		ck_assert_int_eq(td_ogg_parse(bytes + at, size - at, &page), 0);
		packet = page.body;
		for (unsigned i = 0; pages >= 2 && i < page.lace_count; i++) {
			if (page.laces[i] == 4) {
				ck_assert_int_eq(heard.ends,
						 (packet[2] << 8 | packet[3]) * INT64_C(960));
				heard.count++;
			}
			heard.ends += opus->duration(packet, page.laces[i]);
			packet += page.laces[i];
		}
		ck_assert_uint_eq(page.sequence, pages++);
		ck_assert_int_le(heard.ends - began, 48000); // players seek by pages
	}
	ck_assert_uint_eq(page.flags, TD_OGG_LAST);
	ck_assert_int_eq(page.granule, heard.ends);
	return heard;
}

struct text {
	size_t size;
};

static int take(void *user, const uint8_t *text, size_t size)
{
	struct text *taken = user;

	ck_assert_uint_le(taken->size + size, sizeof bytes);
	memcpy(bytes + taken->size, text, size);
	taken->size += size;
	return 0;
}

static struct heard listen(const char *name)
{
	struct text text = { .size = 0 };
	bool whole;
	int fd = openat(rig.folder_fd, name, O_RDONLY);

	ck_assert_msg(fd >= 0, "%s", name);
	ck_assert_int_eq(td_reader_text(fd, key, &whole, take, &text), 0);
	ck_assert(whole);
	close(fd);
	return listen_to(text.size);
}

// Five seconds of two; a third from the first to the second second, another on the same track from the
// third to the fourth.
START_TEST(a_voice_that_comes_later)
{
	struct td_command_record_start start = opus_of(4);
	struct voice caller = { .track = 0, .name = 1 }, agent = { .track = 1, .name = 2 },
		     one = { .track = 2, .name = 3 }, other = { .track = 2, .name = 4 };
	const char *const suffix = _i ? ".tde" : "";
	json_t *sidecar, *tracks, *files;
	char name[40];

	rig_open(&start, _i ? key : NULL);
	for (uint32_t frame = 0; frame < 250; frame++) {
		say(&caller, frame);
		say(&agent, frame);
		if (frame == 50) {
			snprintf(name, sizeof name, "a.2.opus%s.part", suffix);
			wait_for(name);
			snprintf(name, sizeof name, "a.3.opus%s.part", suffix);
			ck_assert(!is_there(name));
			td_take_note(&rig.recording.take, "track2.name", "1003");
		}
		if (frame >= 50 && frame < 100)
			say(&one, frame);
		if (frame >= 150 && frame < 200)
			say(&other, frame);
		flush(frame);
		if (frame == 50)
			wait_for(name);
	}
	rig_finish(START_NS + 5000 * MS);
	for (unsigned track = 1; track <= 3; track++) {
		struct heard heard;

		snprintf(name, sizeof name, "a.%u.opus%s", track, suffix);
		heard = listen(name);
		ck_assert_uint_eq(heard.count, track < 3 ? 250 : 100);
		ck_assert_int_eq(heard.ends, 250 * 960);
	}
	ck_assert(!is_there("a.4.opus") && !is_there("a.4.opus.tde"));
	ck_assert(!is_there("a.4.opus.part") && !is_there("a.4.opus.tde.part"));
	ck_assert_int_eq(rig.closed.result, 0);
	sidecar = rig_sidecar("a.opus");
	ck_assert_str_eq(json_string_value(json_object_get(sidecar, "state")), "complete");
	tracks = json_object_get(sidecar, "tracks");
	files = json_object_get(sidecar, "files");
	ck_assert_uint_eq(json_array_size(tracks), 3);
	ck_assert_uint_eq(json_array_size(files), 3);
	snprintf(name, sizeof name, "a.3.opus%s", suffix);
	ck_assert(td_sidecar_lists(files, name));
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(tracks, 2), "name")),
			 "1003");
	ck_assert_int_eq(rig_number(json_array_get(tracks, 2), "first_packet_ms"), 1000);
	ck_assert_int_eq(rig_number(json_array_get(tracks, 2), "packets_written"), 100);
	ck_assert_int_eq(rig_number(json_array_get(tracks, 2), "gap_ms"), 1000);
	json_decref(sidecar);
}
END_TEST

// A track of its own each, and nobody on the one between: as many files as were spoken on.
START_TEST(a_track_that_stays_empty)
{
	struct td_command_record_start start = opus_of(TD_TRACK_MAX);
	struct voice last = { .track = TD_TRACK_MAX - 1, .name = 9 }, caller = { .name = 1 };
	json_t *sidecar;

	rig_open(&start, NULL);
	for (uint32_t frame = 0; frame < 100; frame++) {
		say(&caller, frame);
		if (frame >= 30)
			say(&last, frame);
		flush(frame);
	}
	rig_finish(START_NS + 2000 * MS);
	ck_assert_uint_eq(listen("a.1.opus").count, 100);
	ck_assert_uint_eq(listen("a.2.opus").count, 0);
	ck_assert_uint_eq(listen("a.8.opus").count, 70);
	for (int track = 3; track <= 7; track++) {
		char name[40];

		snprintf(name, sizeof name, "a.%d.opus", track);
		ck_assert(!is_there(name));
	}
	sidecar = rig_sidecar("a.opus");
	ck_assert_uint_eq(json_array_size(json_object_get(sidecar, "files")), 3);
	ck_assert_int_eq(rig_number(json_array_get(json_object_get(sidecar, "tracks"), 2), "track"),
			 8);
	json_decref(sidecar);
}
END_TEST

// What was said in a pause is not there; what is masked is silence, in a file as long as the others.
START_TEST(what_is_not_to_be_known)
{
	struct td_command_record_start start = opus_of(4);
	struct td_command_record_control pause = { .action = TD_RECORD_PAUSE },
					 resume = { .action = TD_RECORD_RESUME };
	struct voice caller = { .name = 1 },
		     masked = { .track = 2, .name = 3, .flags = TD_TAP_MASKED },
		     paused = { .track = 3, .name = 4 };

	rig_open(&start, NULL);
	for (uint32_t frame = 0; frame < 100; frame++) {
		if (frame == 60)
			td_recording_control(&rig.recording, &pause, START_NS + frame * 20 * MS);
		if (frame < 60)
			say(&caller, frame);
		if (frame >= 20 && frame < 60)
			say(&masked, frame);
		if (frame >= 60)
			say(&paused, frame);
		flush(frame);
	}
	td_recording_control(&rig.recording, &resume, START_NS + 2000 * MS);
	rig_finish(START_NS + 2000 * MS);
	ck_assert_uint_eq(listen("a.1.opus").count, 60);
	ck_assert_uint_eq(listen("a.3.opus").count, 0);
	ck_assert_int_eq(listen("a.3.opus").ends, 60 * 960);
	ck_assert(!is_there("a.4.opus"));
}
END_TEST

// A file that cannot be made ends the recording as any that cannot be written does, and is not listed.
START_TEST(a_name_that_is_taken)
{
	struct td_command_record_start start = opus_of(4);
	struct voice caller = { .name = 1 }, third = { .track = 2, .name = 3 };
	struct td_scribe_news news = { .slot = 99 };
	json_t *sidecar;
	int fd;

	rig_open(&start, NULL);
	fd = openat(rig.folder_fd, "a.3.opus", O_WRONLY | O_CREAT, 0600);
	ck_assert_int_eq(write(fd, "mine", 4), 4);
	close(fd);
	for (uint32_t frame = 0; frame < 100; frame++) {
		say(&caller, frame);
		if (frame >= 50)
			say(&third, frame);
		flush(frame);
	}
	td_recording_finish(&rig.recording, START_NS + 2000 * MS);
	td_scribe_stop(rig.scribe);
	ck_assert(td_scribe_next(rig.scribe, &news));
	ck_assert_uint_eq(news.kind, TD_SCRIBE_FAILED);
	ck_assert_int_eq(news.error, -TD_EEXISTS);
	sidecar = rig_sidecar("a.opus");
	ck_assert_str_eq(json_string_value(json_object_get(sidecar, "state")), "failed");
	ck_assert_uint_eq(json_array_size(json_object_get(sidecar, "files")), 2);
	json_decref(sidecar);
	ck_assert(is_there("a.1.opus") && !is_there("a.3.opus.part"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("voices");
	TCase *tcase = tcase_create("voices");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, NULL, rig_close);
	tcase_add_loop_test(tcase, a_voice_that_comes_later, 0, 2);
	tcase_add_test(tcase, a_track_that_stays_empty);
	tcase_add_test(tcase, what_is_not_to_be_known);
	tcase_add_test(tcase, a_name_that_is_taken);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
