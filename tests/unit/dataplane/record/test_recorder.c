// The recorder thread with a real tap ring and a real folder.
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "codecs/g711.h"
#include "codecs/wav.h"
#include "record/recorder.h"
#include "scratch.h"
#include "td_handle.h"

#define TAPS       8
#define PACKETS    100
#define FRAME      160
#define WAIT_MS    5000
#define PCM_LEFT   1000
#define PCM_RIGHT  (-2000)
#define MS         1000000ull
#define REPORT_MAX 64

static char folder[SCRATCH_MAX];
static struct td_recorder *recorder;
static struct td_tap_ring *ring;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct td_event reports[REPORT_MAX];
static int report_count, refuse_count;

// Of recordings only: that the disk is slow is true of a busy machine and not what is asked here.
static int report(void *user, const struct td_event *event)
{
	int result = 0;

	(void)user;
	if (event->kind == TD_EVENT_RECORD_ALARM)
		return 0;
	pthread_mutex_lock(&lock);
	if (refuse_count > 0) {
		refuse_count--;
		result = -TD_EFULL;
	} else if (report_count < REPORT_MAX) {
		reports[report_count++] = *event;
	}
	pthread_mutex_unlock(&lock);
	return result;
}

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void setup(void)
{
	struct td_recorder_options options = { .folder = folder,
					       .recordings_max = TAPS,
					       .sync = true };
	char reason[TD_RECORDER_REASON_MAX];

	scratch_make(folder);
	report_count = refuse_count = 0;
	ck_assert_int_eq(td_tap_ring_create(4096, &ring), 0);
	ck_assert_int_eq(td_recorder_create(&options, &recorder, reason), 0);
	ck_assert_int_eq(td_recorder_start(recorder, &ring, 1, report, NULL), 0);
}

static void teardown(void)
{
	if (recorder)
		td_recorder_destroy(recorder);
	recorder = NULL;
	td_tap_ring_destroy(ring);
	scratch_remove(folder);
}

static struct td_tap_id tap_id(uint32_t index)
{
	return (struct td_tap_id){ td_handle_make(index, 1) };
}

static int start(struct td_tap_id tap, const char *name, uint64_t owner)
{
	struct td_command_record_start command = { .owner = owner };

	snprintf(command.name, sizeof command.name, "%s", name);
	return td_recorder_open(recorder, tap, &command);
}

static void speak(uint32_t tap, uint8_t side, int16_t value, uint32_t n, uint64_t start_ns)
{
	struct td_tap_record *record = td_tap_reserve(ring, FRAME);
	int16_t pcm[FRAME];

	ck_assert_ptr_nonnull(record);
	for (int i = 0; i < FRAME; i++)
		pcm[i] = value;
	record->flags = record->marker = 0;
	record->arrival_ns = start_ns + n * 20 * MS;
	record->tap = tap;
	record->ssrc = 7u + side;
	record->timestamp = n * FRAME;
	record->sequence = (uint16_t)n;
	record->side = side;
	record->codec = side == TD_TAP_LEFT ? TD_CODEC_PCMU : TD_CODEC_PCMA;
	record->payload_len = FRAME;
	if (side == TD_TAP_LEFT)
		td_g711_ulaw_encode(record->payload, pcm, FRAME);
	else
		td_g711_alaw_encode(record->payload, pcm, FRAME);
	td_tap_commit(ring);
}

static void wait_reports(int count)
{
	for (int ms = 0; ms < WAIT_MS; ms++) {
		struct timespec one = { .tv_nsec = 1000000 };
		int now;

		pthread_mutex_lock(&lock);
		now = report_count;
		pthread_mutex_unlock(&lock);
		if (now >= count)
			return;
		nanosleep(&one, NULL);
	}
	ck_abort_msg("only %d of %d reports came", report_count, count);
}

// Reads NAME and checks the samples of both channels.
static size_t check_file(const char *name)
{
	static uint8_t bytes[400000];
	char path[200], reason[TD_WAV_REASON_MAX];
	struct td_wav wav;
	ssize_t size;
	int fd;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	fd = open(path, O_RDONLY);
	ck_assert_msg(fd >= 0, "%s", path);
	size = read(fd, bytes, sizeof bytes);
	close(fd);
	ck_assert_int_eq(td_wav_parse(bytes, (size_t)size, &wav, reason), 0);
	ck_assert_uint_eq(wav.channels, 2);
	for (size_t i = 0; i + 1 < wav.frames; i++) {
		int16_t frame[2];

		memcpy(frame, wav.data + i * 4, 4);
		ck_assert_msg(frame[0] == 0 || abs(frame[0] - PCM_LEFT) < 40, "left %d", frame[0]);
		ck_assert_msg(frame[1] == 0 || abs(frame[1] - PCM_RIGHT) < 80, "right %d",
			      frame[1]);
	}
	return wav.frames;
}

START_TEST(both_sides_reach_the_file)
{
	uint64_t start_ns = monotonic_ns() + 50 * MS;

	ck_assert_int_eq(start(tap_id(3), "d/c1.wav", 42), 0);
	for (uint32_t n = 0; n < PACKETS; n++) {
		speak(3, TD_TAP_LEFT, PCM_LEFT, n, start_ns);
		if (n != 50)
			speak(3, TD_TAP_RIGHT, PCM_RIGHT, n, start_ns);
	}
	usleep(100000);
	td_recorder_close(recorder, tap_id(3));
	wait_reports(1);
	ck_assert_uint_eq(reports[0].kind, TD_EVENT_RECORD_CLOSED);
	ck_assert_int_eq(reports[0].result, 0);
	ck_assert_uint_eq(reports[0].u.recording.owner, 42);
	// The window is a second: what a burst sends beyond it is late, and counted.
	ck_assert_uint_eq(reports[0].u.recording.packets_received[0], PACKETS);
	ck_assert_uint_eq(reports[0].u.recording.packets_received[1], PACKETS - 1);
	ck_assert_uint_eq(reports[0].u.recording.packets_written[0] +
				  reports[0].u.recording.packets_late[0],
			  PACKETS);
	ck_assert_uint_ge(check_file("d/c1.wav"), 7000);
}
END_TEST

START_TEST(a_name_taken_fails_and_says_so)
{
	ck_assert_int_eq(start(tap_id(0), "a.wav", 1), 0);
	ck_assert_int_eq(start(tap_id(1), "a.wav", 2), 0);
	wait_reports(1);
	ck_assert_uint_eq(reports[0].kind, TD_EVENT_RECORD_FAILED);
	ck_assert_int_eq(reports[0].result, -TD_EEXISTS);
	ck_assert_uint_eq(reports[0].u.recording.owner, 2);
	td_recorder_close(recorder, tap_id(1));
	td_recorder_close(recorder, tap_id(0));
	wait_reports(3);
	ck_assert_int_eq(start(tap_id(0), "../a.wav", 1), -TD_EINVALID);
	ck_assert_int_eq(start(tap_id(TAPS), "b.wav", 1), -TD_EFULL);
}
END_TEST

// Control's ring is full for a while: no report is lost and their order stays.
START_TEST(reports_wait_for_room)
{
	pthread_mutex_lock(&lock);
	refuse_count = 20;
	pthread_mutex_unlock(&lock);
	for (uint32_t i = 0; i < TAPS; i++) {
		char name[20];

		snprintf(name, sizeof name, "c%u.wav", i);
		ck_assert_int_eq(start(tap_id(i), name, i), 0);
	}
	for (uint32_t i = 0; i < TAPS; i++)
		td_recorder_close(recorder, tap_id(i));
	wait_reports(TAPS);
	for (uint32_t i = 0; i < TAPS; i++)
		ck_assert_uint_eq(reports[i].u.recording.owner, i);
}
END_TEST

START_TEST(destroy_finishes_what_is_open)
{
	uint64_t start_ns = monotonic_ns() + 50 * MS;

	ck_assert_int_eq(start(tap_id(2), "open.wav", 5), 0);
	usleep(300000);
	for (uint32_t n = 0; n < 10; n++)
		speak(2, TD_TAP_LEFT, PCM_LEFT, n, start_ns);
	td_recorder_destroy(recorder);
	recorder = NULL;
	ck_assert_int_eq(report_count, 1);
	ck_assert_uint_eq(reports[0].u.recording.packets_written[0], 10);
	ck_assert_uint_ge(check_file("open.wav"), 1600);
}
END_TEST

START_TEST(a_folder_that_cannot_be_made_is_named)
{
	struct td_recorder_options options = { .folder = "/proc/nowhere/recordings",
					       .recordings_max = TAPS };
	char reason[TD_RECORDER_REASON_MAX];
	struct td_recorder *other;

	ck_assert_int_eq(td_recorder_create(&options, &other, reason), -TD_EIO);
	ck_assert_ptr_nonnull(strstr(reason, "/proc/nowhere/recordings"));
	ck_assert_ptr_nonnull(strstr(reason, "data_dir"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("recorder");
	TCase *tcase = tcase_create("recorder");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, both_sides_reach_the_file);
	tcase_add_test(tcase, a_name_taken_fails_and_says_so);
	tcase_add_test(tcase, reports_wait_for_room);
	tcase_add_test(tcase, destroy_finishes_what_is_open);
	tcase_add_test(tcase, a_folder_that_cannot_be_made_is_named);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
