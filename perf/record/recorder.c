// perf/run record, case recorder: what a frame takes from the tap ring to the file.
//
// 1,000 calls in G.711, 100,000 frames a second, come on a tap ring at their own pace and become
// stereo WAV files, sidecars and chains and all, on the disk of $TMPDIR (or /tmp). What is counted is
// the CPU time of all threads but the one that feeds the ring: recorder thread and disk thread. Every
// frame must be in its file. The reference decodes the same frames and writes the samples, no more.
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "../report.h"
#include "codecs/g711.h"
#include "cpu_clock.h"
#include "record/recorder.h"

#define CALLS    1000u
#define SLOTS_MS 20u // the calls' turns: every ms a twentieth of them
#define FRAME    160u
#define RUNS_MAX 9
#define MS       1000000ull
#define FD_MAX   8

static _Atomic uint32_t closed_count;
static _Atomic uint64_t written, failed;
static char folder[256];

static int report(void *user, const struct td_event *event)
{
	const struct td_event_recording *recording = &event->u.recording;

	(void)user;
	if (event->kind == TD_EVENT_RECORD_FAILED)
		atomic_fetch_add(&failed, 1);
	if (event->kind != TD_EVENT_RECORD_CLOSED)
		return 0;
	atomic_fetch_add(&written, recording->packets_written[0] + recording->packets_written[1]);
	atomic_fetch_add(&closed_count, 1);
	return 0;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t process_cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "record: %s\n", what);
	exit(2);
}

static struct td_tap_id tap_of(uint32_t call)
{
	return (struct td_tap_id){ td_handle_make(call, 1) };
}

// One packet of one party; 0 or 1 that the ring had no room for.
static uint64_t speak(struct td_tap_ring *ring, uint32_t call, uint8_t side, uint32_t n)
{
	struct td_tap_record *record = td_tap_reserve(ring, FRAME);

	if (record == NULL)
		return 1;
	record->arrival_ns = now_ns();
	record->tap = call;
	record->ssrc = call * 2 + side + 1u;
	record->timestamp = n * FRAME;
	record->sequence = (uint16_t)n;
	record->offered = (uint16_t)(n + 1u);
	record->side = side;
	record->codec = side ? TD_CODEC_PCMA : TD_CODEC_PCMU;
	record->kind = TD_TAP_AUDIO;
	record->flags = record->marker = 0;
	record->payload_len = FRAME;
	for (uint32_t i = 0; i < FRAME; i++)
		record->payload[i] = (uint8_t)(call + n * 7u + i * 13u);
	td_tap_commit(ring);
	return 0;
}

static uint64_t speak_all(struct td_tap_ring *ring, uint32_t frames, uint64_t *feeder_ns)
{
	uint64_t start_ns = now_ns(), cpu_ns = td_cpu_ns(), refused = 0;

	for (uint32_t n = 0; n < frames; n++)
		for (uint32_t ms = 0; ms < SLOTS_MS; ms++) {
			uint64_t due_ns = start_ns + (n * SLOTS_MS + ms) * MS;
			struct timespec due = { .tv_sec = (time_t)(due_ns / 1000000000u),
						.tv_nsec = (long)(due_ns % 1000000000u) };

			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
			for (uint32_t call = ms; call < CALLS; call += SLOTS_MS) {
				refused += speak(ring, call, 0, n);
				refused += speak(ring, call, 1, n);
			}
		}
	*feeder_ns = td_cpu_ns() - cpu_ns;
	return refused;
}

static void wait_closed(void)
{
	struct timespec ms = { .tv_nsec = 1000000 };

	for (int i = 0; i < 60000 && atomic_load(&closed_count) < CALLS; i++)
		nanosleep(&ms, NULL);
	must(atomic_load(&closed_count) == CALLS, "not every recording was closed within a minute");
}

static void open_all(struct td_recorder *recorder, unsigned run)
{
	struct td_command_record_start start = { .owner = 1 };

	for (uint32_t call = 0; call < CALLS; call++) {
		snprintf(start.name, sizeof start.name, "%u/c%u.wav", run, call);
		must(td_recorder_open(recorder, tap_of(call), &start) == 0,
		     "a recording is refused");
	}
}

// ns a frame.
static double run_recorder(struct td_recorder *recorder, struct td_tap_ring *ring, unsigned run,
			   uint32_t frames, uint64_t *lost)
{
	uint64_t before_ns, feeder_ns, self_ns, total = (uint64_t)CALLS * 2 * frames, refused;

	atomic_store(&closed_count, 0);
	atomic_store(&written, 0);
	self_ns = td_cpu_ns();
	before_ns = process_cpu_ns();
	open_all(recorder, run);
	refused = speak_all(ring, frames, &feeder_ns);
	for (uint32_t call = 0; call < CALLS; call++)
		td_recorder_close(recorder, tap_of(call));
	wait_closed();
	before_ns = process_cpu_ns() - before_ns - (td_cpu_ns() - self_ns);
	*lost += total - atomic_load(&written) + atomic_load(&failed);
	if (refused)
		fprintf(stderr, "record: the ring had no room for %llu frames\n",
			(unsigned long long)refused);
	return (double)before_ns / (double)total;
}

// The same samples, decoded and written in chunks of a quarter of a second: ns a frame.
static double run_bare(uint32_t frames)
{
	static int16_t pcm[FRAME], chunk[2 * FRAME * 13];
	static uint8_t payload[FRAME];
	char path[300];
	uint64_t start_ns, total = 0;
	off_t at = 0;
	int fd;

	snprintf(path, sizeof path, "%s/bare", folder);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	must(fd >= 0, "the folder cannot be written");
	start_ns = td_cpu_ns();
	for (uint32_t n = 0; n < frames * CALLS / 13; n++) {
		for (uint32_t i = 0; i < 13; i++)
			for (uint32_t side = 0; side < 2; side++) {
				payload[n % FRAME]++;
				td_g711_ulaw_decode(pcm, payload, FRAME);
				for (uint32_t k = 0; k < FRAME; k++)
					chunk[(i * FRAME + k) * 2 + side] = pcm[k];
				total++;
			}
		must(pwrite(fd, chunk, sizeof chunk, at) == sizeof chunk, "the disk refuses");
		at = (at + (off_t)sizeof chunk) % (64 << 20);
	}
	start_ns = td_cpu_ns() - start_ns;
	close(fd);
	return (double)start_ns / (double)total;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

static void make_folder(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, sizeof folder, "%s/td-bench-record-XXXXXX", tmp != NULL ? tmp : "/tmp");
	must(mkdtemp(folder) != NULL, "no folder can be made in $TMPDIR");
}

int main(int argc, char **argv)
{
	static const struct option longs[] = { { "quick", no_argument, NULL, 'q' },
					       { "seconds", required_argument, NULL, 's' },
					       { "cores", required_argument, NULL, 'c' },
					       { NULL, 0, NULL, 0 } };
	struct td_recorder_options options = { .folder = folder,
					       .recordings_max = CALLS,
					       .sync = true };
	struct td_report_row row = { .bench = "record",
				     .case_name = "recorder",
				     .unit = "ns/frame",
				     .reference_name = "bare decode and write",
				     .p50_us = -1,
				     .p99_us = -1 };
	double ours[RUNS_MAX], bare[RUNS_MAX];
	unsigned runs = 5, seconds = 10;
	char reason[TD_RECORDER_REASON_MAX];
	struct rlimit files = { 8192, 8192 };
	struct td_recorder *recorder;
	struct td_tap_ring *ring;
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'q': runs = 3, seconds = 3; break;
		case 's': seconds = (unsigned)atoi(optarg); break;
		case 'c': break;
		default: return 2;
		}
	}
	must(setrlimit(RLIMIT_NOFILE, &files) == 0,
	     "1,000 files at once are not allowed: ulimit -n");
	make_folder();
	must(td_tap_ring_create(TD_TAP_LINES, &ring) == 0, "no memory");
	must(td_recorder_create(&options, &recorder, reason) == 0, reason);
	must(td_recorder_start(recorder, &ring, 1, report, NULL) == 0, "no thread");
	for (unsigned i = 0; i < runs; i++) {
		bare[i] = run_bare(seconds * 50);
		ours[i] = run_recorder(recorder, ring, i, seconds * 50, &row.lost);
	}
	row.value = td_report_median(ours, runs);
	row.min = ours[0];
	row.max = ours[runs - 1];
	row.reference = td_report_median(bare, runs);
	td_report_print(&row);
	td_recorder_destroy(recorder);
	td_tap_ring_destroy(ring);
	nftw(folder, remove_one, FD_MAX, FTW_DEPTH | FTW_PHYS);
	return row.lost != 0;
}
