// perf/run record, cases recorder and recording: what a frame takes from the tap ring to the file, and
// what a recording takes to begin and to end.
//
// 1,000 calls in G.711, 100,000 frames a second, come on a tap ring at their own pace and become
// stereo WAV files, sidecars and chains and all, on the disk of $TMPDIR (or /tmp). What is counted is
// the CPU time of all threads but the one that feeds the ring: recorder thread and disk thread. A
// frame's is that of the talk once all files are there; what is left, a call, is the recording's. Every
// frame must be in its file. The reference (bare.h) does what cannot be left out, in one loop.
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
#include "bare.h"
#include "cpu_clock.h"
#include "record/recorder.h"

#define CALLS    TD_BARE_CALLS
#define SLOTS_MS 20u // the calls' turns: every ms a twentieth of them
#define FRAME    TD_BARE_FRAME
#define RUNS_MAX 9
#define MS       1000000ull
#define FD_MAX   8
#define WARM_UP  50u      // frames: until the first chunk of all calls is due
#define QUIET_NS (2 * MS) // of CPU time in a tenth of a second: nothing is being done

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

// What the recorder has taken: all of the process but this thread.
static uint64_t recorder_cpu_ns(void)
{
	return process_cpu_ns() - td_cpu_ns();
}

// Frames `from` to `to` of all parties, a frame each 20 ms. Answers how many the ring refused.
static uint64_t speak_all(struct td_tap_ring *ring, uint32_t from, uint32_t to)
{
	uint64_t start_ns = now_ns(), refused = 0;

	for (uint32_t n = from; n < to; n++)
		for (uint32_t ms = 0; ms < SLOTS_MS; ms++) {
			uint64_t due_ns = start_ns + ((n - from) * SLOTS_MS + ms) * MS;
			struct timespec due = { .tv_sec = (time_t)(due_ns / 1000000000u),
						.tv_nsec = (long)(due_ns % 1000000000u) };

			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
			for (uint32_t call = ms; call < CALLS; call += SLOTS_MS) {
				refused += speak(ring, call, 0, n);
				refused += speak(ring, call, 1, n);
			}
		}
	return refused;
}

// Until all files are there.
static void wait_quiet(void)
{
	struct timespec tenth = { .tv_nsec = 100000000 };
	uint64_t before_ns;

	do {
		before_ns = recorder_cpu_ns();
		nanosleep(&tenth, NULL);
	} while (recorder_cpu_ns() - before_ns > QUIET_NS);
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

// ns a frame, and ns a recording.
static double run_recorder(struct td_recorder *recorder, struct td_tap_ring *ring, unsigned run,
			   uint32_t frames, double *recording_ns, uint64_t *lost)
{
	uint64_t start_ns, warm_ns, talk_ns, total = (uint64_t)CALLS * 2 * frames, refused;
	double frame_ns;

	atomic_store(&closed_count, 0);
	atomic_store(&written, 0);
	start_ns = recorder_cpu_ns();
	open_all(recorder, run);
	wait_quiet();
	refused = speak_all(ring, 0, WARM_UP);
	warm_ns = recorder_cpu_ns();
	refused += speak_all(ring, WARM_UP, frames);
	talk_ns = recorder_cpu_ns() - warm_ns;
	frame_ns = (double)talk_ns / ((frames - WARM_UP) * CALLS * 2.0);
	for (uint32_t call = 0; call < CALLS; call++)
		td_recorder_close(recorder, tap_of(call));
	wait_closed();
	*recording_ns = ((double)(recorder_cpu_ns() - start_ns) - frame_ns * (double)total) / CALLS;
	*lost += total - atomic_load(&written) + atomic_load(&failed);
	if (refused)
		fprintf(stderr, "record: the ring had no room for %llu frames\n",
			(unsigned long long)refused);
	return frame_ns;
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

struct figures {
	double frame[RUNS_MAX], recording[RUNS_MAX], bare_frame[RUNS_MAX], bare_files[RUNS_MAX];
	double decode[RUNS_MAX], hash[RUNS_MAX], write[RUNS_MAX], sync[RUNS_MAX];
};

static void add_bare(struct figures *figures, unsigned run, uint32_t frames)
{
	struct td_bare bare;
	char name[16];

	snprintf(name, sizeof name, "bare%u", run);
	bare = td_bare_run(folder, name, frames);
	figures->bare_frame[run] = bare.decode + bare.hash + bare.write + bare.sync;
	figures->bare_files[run] = bare.files;
	figures->decode[run] = bare.decode;
	figures->hash[run] = bare.hash;
	figures->write[run] = bare.write;
	figures->sync[run] = bare.sync;
}

static void print_row(struct td_report_row *row, double *values, double *references, unsigned runs)
{
	row->bench = "record";
	row->p50_us = row->p99_us = -1;
	row->value = td_report_median(values, runs);
	row->min = values[0];
	row->max = values[runs - 1];
	row->reference = td_report_median(references, runs);
	td_report_print(row);
}

static void print_figures(struct figures *figures, unsigned runs, uint64_t lost)
{
	struct td_report_row frame = { .case_name = "recorder",
				       .unit = "ns/frame",
				       .reference_name = "bare decode, hash, write",
				       .lost = lost };
	struct td_report_row recording = { .case_name = "recording",
					   .unit = "ns/recording",
					   .reference_name = "bare files",
					   .lost = lost };

	print_row(&frame, figures->frame, figures->bare_frame, runs);
	print_row(&recording, figures->recording, figures->bare_files, runs);
	fprintf(stderr,
		"record: bare, a frame: decode %.0f ns, SHA-256 %.0f ns, write %.0f ns, sync %.0f ns\n",
		td_report_median(figures->decode, runs), td_report_median(figures->hash, runs),
		td_report_median(figures->write, runs), td_report_median(figures->sync, runs));
}

int main(int argc, char **argv)
{
	static const struct option longs[] = { { "quick", no_argument, NULL, 'q' },
					       { "seconds", required_argument, NULL, 's' },
					       { "cores", required_argument, NULL, 'c' },
					       { "stages", no_argument, NULL, 't' },
					       { NULL, 0, NULL, 0 } };
	struct td_recorder_options options = { .folder = folder,
					       .recordings_max = CALLS,
					       .sync = true };
	struct figures figures;
	unsigned runs = 5, seconds = 10;
	uint64_t lost = 0;
	char reason[TD_RECORDER_REASON_MAX];
	struct rlimit files = { 8192, 8192 };
	struct td_recorder *recorder;
	struct td_tap_ring *ring;
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'q': runs = 3, seconds = 4; break;
		case 's': seconds = (unsigned)atoi(optarg); break;
		case 't': // the worker's part
		case 'c': break;
		default: return 2;
		}
	}
	must(seconds > 1, "a run takes two seconds at least");
	must(setrlimit(RLIMIT_NOFILE, &files) == 0,
	     "1,000 files at once are not allowed: ulimit -n");
	make_folder();
	must(td_tap_ring_create(TD_TAP_LINES, &ring) == 0, "no memory");
	must(td_recorder_create(&options, &recorder, reason) == 0, reason);
	must(td_recorder_start(recorder, &ring, 1, report, NULL) == 0, "no thread");
	for (unsigned i = 0; i < runs; i++) {
		add_bare(&figures, i, seconds * 50);
		figures.frame[i] =
			run_recorder(recorder, ring, i, seconds * 50, &figures.recording[i], &lost);
	}
	print_figures(&figures, runs, lost);
	td_recorder_destroy(recorder);
	td_tap_ring_destroy(ring);
	nftw(folder, remove_one, FD_MAX, FTW_DEPTH | FTW_PHYS);
	return lost != 0;
}
