#include "record/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "record/recording.h"
#include "td_assert.h"
#include "td_log.h"

#define NS_PER_MS     1000000ull
#define BUSY_SLEEP_NS (5 * NS_PER_MS)   // between two looks at the rings
#define IDLE_SLEEP_NS (200 * NS_PER_MS) // with nothing open; a request wakes it
#define FLUSH_NS      (50 * NS_PER_MS)
#define SYNC_GROUP    4 // from so many files closing at once, one syncfs replaces their fdatasyncs

struct request {
	bool close; // else open
	struct td_tap_id tap;
	uint64_t owner;
	char name[TD_FILE_NAME_MAX];
};

struct td_recorder {
	uint32_t recordings_max;
	bool sync;
	int folder_fd;
	struct td_tap_ring **rings;
	uint32_t ring_count;
	td_recorder_report_fn *report;
	void *user;
	pthread_t thread;
	bool started;
	struct td_recording *recordings; // by tap index
	uint32_t *open;                  // indexes of those in use
	uint32_t open_count;
	uint32_t *closing;
	uint32_t closing_count;
	struct td_event *undelivered;
	uint32_t undelivered_count;
	uint64_t flushed_ns;

	// Between main and the thread. Each tap has at most one open and one close under way, so
	// the queue cannot be full.
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop;
	struct request *requests;
	uint32_t request_head, request_tail, request_max;
};

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void deliver(struct td_recorder *recorder, const struct td_event *event)
{
	// Behind what waits already, so that control hears things in their order.
	if (recorder->undelivered_count == 0 && recorder->report(recorder->user, event) == 0)
		return;
	// At most two events a recording (failed, closed) can be waiting.
	TD_ASSERT(recorder->undelivered_count < 2 * recorder->recordings_max);
	recorder->undelivered[recorder->undelivered_count++] = *event;
}

static void deliver_again(struct td_recorder *recorder)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < recorder->undelivered_count; i++) {
		const struct td_event *event = &recorder->undelivered[i];

		if (kept > 0 || recorder->report(recorder->user, event) != 0)
			recorder->undelivered[kept++] = *event;
	}
	recorder->undelivered_count = kept;
}

// Says once, in the log and to control, that the disk refused.
static void report_failure(struct td_recorder *recorder, struct td_recording *recording)
{
	struct td_event event;

	if (recording->failed_reported)
		return;
	recording->failed_reported = true;
	td_error("recorder", "%s: %s; the call goes on, the recording ends at %llu ms",
		 recording->file.name, strerror(recording->file.error_number),
		 (unsigned long long)(recording->file.frames * 1000u / recording->file.rate_hz));
	td_recording_describe(recording, TD_EVENT_RECORD_FAILED, recording->file.error, &event);
	deliver(recorder, &event);
}

static void begin(struct td_recorder *recorder, const struct request *request)
{
	uint32_t index = td_handle_index(request->tap.v);
	struct td_recording *recording = &recorder->recordings[index];

	td_recording_begin(recording, request->tap, request->owner, recorder->folder_fd,
			   request->name, monotonic_ns());
	recorder->open[recorder->open_count++] = index;
	if (recording->file.error)
		report_failure(recorder, recording);
}

static bool take_request(struct td_recorder *recorder, struct request *out)
{
	bool taken = false;

	pthread_mutex_lock(&recorder->lock);
	if (recorder->request_tail != recorder->request_head) {
		*out = recorder->requests[recorder->request_tail++ % recorder->request_max];
		taken = true;
	}
	pthread_mutex_unlock(&recorder->lock);
	return taken;
}

static bool take_requests(struct td_recorder *recorder)
{
	struct request request;
	bool any = false;

	while (take_request(recorder, &request)) {
		any = true;
		if (request.close)
			recorder->closing[recorder->closing_count++] =
				td_handle_index(request.tap.v);
		else
			begin(recorder, &request);
	}
	return any;
}

// One pass over what every ring holds now.
static uint32_t drain(struct td_recorder *recorder)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < recorder->ring_count; i++) {
		const struct td_tap_record *record;

		for (uint32_t n = 0; n <= recorder->rings[i]->mask; n++) {
			record = td_tap_peek(recorder->rings[i]);
			if (!record)
				break;
			if (record->tap < recorder->recordings_max &&
			    recorder->recordings[record->tap].tap.v != 0)
				td_recording_add(&recorder->recordings[record->tap], record);
			td_tap_release(recorder->rings[i]);
			count++;
		}
	}
	return count;
}

static void flush_all(struct td_recorder *recorder, uint64_t now_ns)
{
	if (now_ns - recorder->flushed_ns < FLUSH_NS)
		return;
	recorder->flushed_ns = now_ns;
	for (uint32_t i = 0; i < recorder->open_count; i++) {
		struct td_recording *recording = &recorder->recordings[recorder->open[i]];

		if (td_recording_flush(recording, now_ns) != 0)
			report_failure(recorder, recording);
	}
}

static void forget_open(struct td_recorder *recorder, uint32_t index)
{
	for (uint32_t i = 0; i < recorder->open_count; i++) {
		if (recorder->open[i] != index)
			continue;
		recorder->open[i] = recorder->open[--recorder->open_count];
		return;
	}
}

// Finishes the recordings that were asked to close; their records have all been drained.
static void finish_closing(struct td_recorder *recorder)
{
	uint32_t count = recorder->closing_count;
	bool one_by_one = recorder->sync && count < SYNC_GROUP;

	for (uint32_t i = 0; i < count; i++) {
		struct td_recording *recording = &recorder->recordings[recorder->closing[i]];
		struct td_event event;

		if (recording->tap.v == 0)
			continue;
		td_recording_finish(recording, one_by_one, &event);
		if (event.result != 0)
			report_failure(recorder, recording);
		forget_open(recorder, recorder->closing[i]);
		deliver(recorder, &event);
	}
	recorder->closing_count = 0;
	if (recorder->sync && count >= SYNC_GROUP && syncfs(recorder->folder_fd) != 0)
		td_error("recorder", "syncfs: %s; recordings may not survive a power cut",
			 strerror(errno));
}

// Sleeps until there may be something to do; false when it is time to stop.
static bool wait_for_work(struct td_recorder *recorder)
{
	uint64_t until_ns = monotonic_ns() + (recorder->open_count || recorder->undelivered_count
						      ? BUSY_SLEEP_NS
						      : IDLE_SLEEP_NS);
	struct timespec until = { .tv_sec = (time_t)(until_ns / 1000000000u),
				  .tv_nsec = (long)(until_ns % 1000000000u) };
	bool stop;

	pthread_mutex_lock(&recorder->lock);
	if (!recorder->stop && recorder->request_head == recorder->request_tail)
		pthread_cond_timedwait(&recorder->wake, &recorder->lock, &until);
	stop = recorder->stop && recorder->request_head == recorder->request_tail;
	pthread_mutex_unlock(&recorder->lock);
	return !stop;
}

static void *run(void *user)
{
	struct td_recorder *recorder = user;

	td_role_enter_recorder();
	do {
		take_requests(recorder);
		drain(recorder);
		finish_closing(recorder);
		flush_all(recorder, monotonic_ns());
		deliver_again(recorder);
	} while (wait_for_work(recorder));
	drain(recorder);
	for (uint32_t i = 0; i < recorder->open_count; i++)
		recorder->closing[recorder->closing_count++] = recorder->open[i];
	finish_closing(recorder);
	return NULL;
}

// Makes the folder and those above it, as `mkdir -p` does.
static int open_folder(const char *folder, char *reason)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof path, "%s", folder);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
	mkdir(path, 0750);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		snprintf(reason, TD_RECORDER_REASON_MAX,
			 "recordings folder %s: %s; make it or set system.data_dir", folder,
			 strerror(errno));
	return fd;
}

static int allocate(struct td_recorder *recorder, uint32_t recordings_max)
{
	pthread_condattr_t monotonic;

	recorder->recordings_max = recordings_max;
	recorder->request_max = 2 * recordings_max + 2;
	recorder->recordings = calloc(recordings_max, sizeof *recorder->recordings);
	recorder->open = calloc(recordings_max, sizeof *recorder->open);
	recorder->closing = calloc(2 * recordings_max, sizeof *recorder->closing);
	recorder->undelivered = calloc(2 * recordings_max, sizeof *recorder->undelivered);
	recorder->requests = calloc(recorder->request_max, sizeof *recorder->requests);
	if (!recorder->recordings || !recorder->open || !recorder->closing ||
	    !recorder->undelivered || !recorder->requests)
		return -TD_EMEMORY;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&recorder->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&recorder->lock, NULL);
	return 0;
}

static void release(struct td_recorder *recorder)
{
	if (recorder->folder_fd >= 0)
		close(recorder->folder_fd);
	free(recorder->recordings);
	free(recorder->open);
	free(recorder->closing);
	free(recorder->undelivered);
	free(recorder->requests);
	free(recorder->rings);
	free(recorder);
}

int td_recorder_create(const struct td_recorder_options *options, struct td_recorder **out,
		       char reason[TD_RECORDER_REASON_MAX])
{
	struct td_recorder *recorder = calloc(1, sizeof *recorder);

	*out = NULL;
	reason[0] = '\0';
	if (!recorder)
		return -TD_EMEMORY;
	recorder->sync = options->sync;
	recorder->folder_fd = open_folder(options->folder, reason);
	if (recorder->folder_fd < 0) {
		release(recorder);
		return -TD_EIO;
	}
	if (allocate(recorder, options->recordings_max) != 0) {
		snprintf(reason, TD_RECORDER_REASON_MAX, "no memory for %u recordings",
			 options->recordings_max);
		release(recorder);
		return -TD_EMEMORY;
	}
	*out = recorder;
	return 0;
}

int td_recorder_start(struct td_recorder *recorder, struct td_tap_ring **rings, uint32_t ring_count,
		      td_recorder_report_fn *report, void *user)
{
	TD_ASSERT(!recorder->started);
	recorder->rings = calloc(ring_count, sizeof(struct td_tap_ring *));
	if (!recorder->rings)
		return -TD_EMEMORY;
	memcpy(recorder->rings, rings, ring_count * sizeof(struct td_tap_ring *));
	recorder->ring_count = ring_count;
	recorder->report = report;
	recorder->user = user;
	if (pthread_create(&recorder->thread, NULL, run, recorder) != 0)
		return -TD_EMEMORY;
	pthread_setname_np(recorder->thread, "td-recorder");
	recorder->started = true;
	return 0;
}

void td_recorder_destroy(struct td_recorder *recorder)
{
	if (recorder->started) {
		pthread_mutex_lock(&recorder->lock);
		recorder->stop = true;
		pthread_cond_signal(&recorder->wake);
		pthread_mutex_unlock(&recorder->lock);
		pthread_join(recorder->thread, NULL);
	}
	pthread_mutex_destroy(&recorder->lock);
	pthread_cond_destroy(&recorder->wake);
	release(recorder);
}

static void put_request(struct td_recorder *recorder, const struct request *request)
{
	pthread_mutex_lock(&recorder->lock);
	TD_ASSERT(recorder->request_head - recorder->request_tail < recorder->request_max);
	recorder->requests[recorder->request_head++ % recorder->request_max] = *request;
	pthread_cond_signal(&recorder->wake);
	pthread_mutex_unlock(&recorder->lock);
}

int td_recorder_open(struct td_recorder *recorder, struct td_tap_id tap, const char *name,
		     uint64_t owner)
{
	struct request request = { .tap = tap, .owner = owner };

	if (!td_wav_file_name_ok(name))
		return -TD_EINVALID;
	if (tap.v == 0 || td_handle_index(tap.v) >= recorder->recordings_max)
		return -TD_EFULL;
	snprintf(request.name, sizeof request.name, "%s", name);
	put_request(recorder, &request);
	return 0;
}

void td_recorder_close(struct td_recorder *recorder, struct td_tap_id tap)
{
	struct request request = { .close = true, .tap = tap };

	put_request(recorder, &request);
}
