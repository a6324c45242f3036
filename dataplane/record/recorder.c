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

#include "record/alarm.h"
#include "record/part_file.h"
#include "record/recording.h"
#include "record/request.h"
#include "record/scribe.h"
#include "td_assert.h"
#include "td_log.h"

#define NS_PER_MS     1000000ull
#define BUSY_SLEEP_NS (5 * NS_PER_MS)   // between two looks at the rings
#define IDLE_SLEEP_NS (200 * NS_PER_MS) // with nothing open; a request wakes it
#define FLUSH_NS      (50 * NS_PER_MS)
#define BURST         32u // records

struct td_recorder {
	uint32_t recordings_max;
	int folder_fd;
	struct td_tap_ring **rings;
	uint32_t ring_count;
	td_recorder_report_fn *report;
	void *user;
	pthread_t thread;
	bool started;
	struct td_scribe *scribe;
	struct td_request **closers; // by tap index, main thread
	struct td_request_list requests;

	// Recorder thread.
	struct td_recording **recordings; // by tap index; NULL: not in use
	uint32_t *open;                   // indexes of those in use
	uint32_t open_count;
	struct td_tap_id *closing;
	uint32_t closing_count;
	struct td_event *undelivered;
	uint32_t undelivered_count;
	uint64_t flushed_ns;
	struct td_alarm alarm;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
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

	if (recording->failed_told)
		return;
	recording->failed_told = true;
	td_error("recorder", "%s: %s; the call goes on, the recording ends here",
		 recording->take.name, strerror(recording->error_number));
	td_recording_describe(recording, TD_EVENT_RECORD_FAILED, &event);
	deliver(recorder, &event);
}

// There is no memory for the recording: it has failed and closed at once.
static void refuse(struct td_recorder *recorder, const struct td_request *request)
{
	struct td_event event = { .kind = TD_EVENT_RECORD_FAILED, .result = -TD_EMEMORY };

	event.u.recording.tap = request->tap;
	event.u.recording.owner = request->u.start.owner;
	td_error("recorder", "%s: no memory for it", request->u.start.name);
	deliver(recorder, &event);
}

static void begin(struct td_recorder *recorder, const struct td_request *request)
{
	uint32_t index = td_handle_index(request->tap.v);
	struct td_recording *recording = calloc(1, sizeof *recording);

	TD_ASSERT(recorder->recordings[index] == NULL);
	if (!recording ||
	    td_recording_begin(recording, request->tap, &request->u.start, recorder->scribe,
			       clock_ns(CLOCK_MONOTONIC),
			       (int64_t)(clock_ns(CLOCK_REALTIME) / NS_PER_MS)) != 0) {
		free(recording);
		refuse(recorder, request);
		return;
	}
	recorder->recordings[index] = recording;
	recorder->open[recorder->open_count++] = index;
}

// The recording that is meant, while it is open.
static struct td_recording *find(const struct td_recorder *recorder, struct td_tap_id tap)
{
	uint32_t index = td_handle_index(tap.v);
	struct td_recording *recording =
		index < recorder->recordings_max ? recorder->recordings[index] : NULL;

	return recording && recording->tap.v == tap.v && recording->state == TD_RECORDING_OPEN
		       ? recording
		       : NULL;
}

static void obey(struct td_recorder *recorder, const struct td_request *request)
{
	struct td_recording *recording;

	switch ((enum td_request_kind)request->kind) {
	case TD_REQUEST_OPEN: begin(recorder, request); return;
	case TD_REQUEST_CLOSE: recorder->closing[recorder->closing_count++] = request->tap; return;
	case TD_REQUEST_NOTE:
	case TD_REQUEST_CONTROL: break;
	}
	recording = find(recorder, request->tap);
	if (!recording)
		return;
	if (request->kind == TD_REQUEST_NOTE)
		td_take_note(&recording->take, request->u.note.key, request->u.note.text);
	else
		td_recording_control(recording, &request->u.control, request->time_ns);
}

static void take_requests(struct td_recorder *recorder)
{
	struct td_request *request;

	while ((request = td_request_take(&recorder->requests)) != NULL) {
		obey(recorder, request);
		free(request);
	}
}

static struct td_recording *recording_of(const struct td_recorder *recorder,
					 const struct td_tap_record *record)
{
	return record->tap < recorder->recordings_max ? recorder->recordings[record->tap] : NULL;
}

// Records of many recordings, in passes: what the next one will touch is on its way meanwhile.
static void add_burst(struct td_recorder *recorder, const struct td_tap_record **records,
		      uint32_t count)
{
	struct td_recording *recordings[BURST];

	for (uint32_t i = 0; i < count; i++) {
		recordings[i] = recording_of(recorder, records[i]);
		if (recordings[i] && recordings[i]->state != TD_RECORDING_OPEN)
			recordings[i] = NULL;
		if (recordings[i])
			td_recording_expect(recordings[i], records[i]);
	}
	for (uint32_t i = 0; i < count; i++)
		if (recordings[i])
			td_recording_expect_place(recordings[i], records[i]);
	for (uint32_t i = 0; i < count; i++)
		if (recordings[i])
			td_recording_add(recordings[i], records[i]);
}

// One pass over what the ring holds now.
static void drain_ring(struct td_recorder *recorder, struct td_tap_ring *ring)
{
	const struct td_tap_record *records[BURST];
	uint32_t count, end;

	for (uint32_t n = 0; n <= ring->mask; n += count) {
		count = td_tap_peek_burst(ring, records, BURST, &end);
		if (count == 0)
			return;
		for (uint32_t i = 0; i < count; i++) {
			const struct td_recording *recording = recording_of(recorder, records[i]);

			if (recording)
				__builtin_prefetch(recording);
		}
		add_burst(recorder, records, count);
		td_tap_release_until(ring, end);
	}
}

static void drain(struct td_recorder *recorder)
{
	for (uint32_t i = 0; i < recorder->ring_count; i++)
		drain_ring(recorder, recorder->rings[i]);
}

static void flush_all(struct td_recorder *recorder, uint64_t now_ns)
{
	if (now_ns - recorder->flushed_ns < FLUSH_NS)
		return;
	recorder->flushed_ns = now_ns;
	for (uint32_t i = 0; i < recorder->open_count; i++)
		td_recording_flush(recorder->recordings[recorder->open[i]], now_ns);
}

// Finishes the recordings that were asked to close; their records have all been drained.
static void finish_closing(struct td_recorder *recorder)
{
	for (uint32_t i = 0; i < recorder->closing_count; i++) {
		struct td_recording *recording = find(recorder, recorder->closing[i]);
		struct td_event event = { .kind = TD_EVENT_RECORD_CLOSED, .result = -TD_EMEMORY };

		if (recording) {
			td_recording_finish(recording, clock_ns(CLOCK_MONOTONIC));
			continue;
		}
		event.u.recording.tap = recorder->closing[i]; // it could not even begin
		deliver(recorder, &event);
	}
	recorder->closing_count = 0;
}

static void forget(struct td_recorder *recorder, uint32_t index)
{
	td_recording_end(recorder->recordings[index]);
	free(recorder->recordings[index]);
	recorder->recordings[index] = NULL;
	for (uint32_t i = 0; i < recorder->open_count; i++) {
		if (recorder->open[i] != index)
			continue;
		recorder->open[i] = recorder->open[--recorder->open_count];
		return;
	}
}

static void read_news(struct td_recorder *recorder)
{
	struct td_scribe_news news;
	struct td_event event;

	while (td_scribe_next(recorder->scribe, &news)) {
		struct td_recording *recording = recorder->recordings[news.slot];

		if (!recording)
			continue;
		td_recording_news(recording, &news);
		if (recording->error)
			report_failure(recorder, recording);
		if (news.kind != TD_SCRIBE_CLOSED)
			continue;
		td_recording_describe(recording, TD_EVENT_RECORD_CLOSED, &event);
		deliver(recorder, &event);
		forget(recorder, news.slot);
	}
}

static void look_at_disk(struct td_recorder *recorder, uint64_t now_ns)
{
	struct td_scribe_health health;

	if (recorder->undelivered_count > 0)
		return;
	td_scribe_look(recorder->scribe, &health);
	td_alarm_look(&recorder->alarm, &health, now_ns, recorder->report, recorder->user);
}

static void turn(struct td_recorder *recorder)
{
	uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);

	take_requests(recorder);
	drain(recorder);
	finish_closing(recorder);
	flush_all(recorder, now_ns);
	read_news(recorder);
	deliver_again(recorder);
	look_at_disk(recorder, now_ns);
}

// Sleeps until there may be something to do; false when it is time to stop.
static bool wait_for_work(struct td_recorder *recorder)
{
	uint64_t sleep_ns =
		recorder->open_count || recorder->undelivered_count ? BUSY_SLEEP_NS : IDLE_SLEEP_NS;

	return td_request_wait(&recorder->requests, clock_ns(CLOCK_MONOTONIC) + sleep_ns);
}

static void *run(void *user)
{
	struct td_recorder *recorder = user;

	td_role_enter_recorder();
	do
		turn(recorder);
	while (wait_for_work(recorder));
	drain(recorder);
	for (uint32_t i = 0; i < recorder->open_count; i++)
		if (recorder->recordings[recorder->open[i]]->state == TD_RECORDING_OPEN)
			td_recording_finish(recorder->recordings[recorder->open[i]],
					    clock_ns(CLOCK_MONOTONIC));
	td_scribe_stop(recorder->scribe);
	read_news(recorder);
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

static int create_scribe(struct td_recorder *recorder, const struct td_recorder_options *options,
			 char *reason)
{
	uint8_t key[TD_VAULT_KEY_BYTES];
	struct td_scribe_options scribe = { .folder_fd = recorder->folder_fd,
					    .slots_max = options->recordings_max,
					    .sync = options->sync,
					    .key = options->key_file ? key : NULL,
					    .disk = options->disk,
					    .queue_bytes = options->queue_bytes };
	int error = options->key_file ? td_vault_load_key(options->key_file, key, reason) : 0;

	if (!error)
		error = td_scribe_create(&scribe, &recorder->scribe);
	explicit_bzero(key, sizeof key);
	return error;
}

static int allocate(struct td_recorder *recorder, uint32_t recordings_max)
{
	recorder->recordings_max = recordings_max;
	recorder->recordings = calloc(recordings_max, sizeof(struct td_recording *));
	recorder->open = calloc(recordings_max, sizeof *recorder->open);
	recorder->closing = calloc(recordings_max, sizeof *recorder->closing);
	recorder->closers = calloc(recordings_max, sizeof(struct td_request *));
	recorder->undelivered = calloc(2 * (size_t)recordings_max, sizeof *recorder->undelivered);
	return recorder->recordings && recorder->open && recorder->closing && recorder->closers &&
			       recorder->undelivered
		       ? 0
		       : -TD_EMEMORY;
}

static void release(struct td_recorder *recorder)
{
	if (recorder->scribe)
		td_scribe_destroy(recorder->scribe);
	td_request_list_fini(&recorder->requests);
	for (uint32_t i = 0; recorder->closers && i < recorder->recordings_max; i++)
		free(recorder->closers[i]);
	for (uint32_t i = 0; recorder->recordings && i < recorder->recordings_max; i++)
		if (recorder->recordings[i])
			forget(recorder, i);
	if (recorder->folder_fd >= 0)
		close(recorder->folder_fd);
	free(recorder->recordings);
	free(recorder->open);
	free(recorder->closing);
	free(recorder->closers);
	free(recorder->undelivered);
	free(recorder->rings);
	free(recorder);
}

int td_recorder_create(const struct td_recorder_options *options, struct td_recorder **out,
		       char reason[TD_RECORDER_REASON_MAX])
{
	struct td_recorder *recorder = calloc(1, sizeof *recorder);
	int error;

	*out = NULL;
	reason[0] = '\0';
	if (!recorder)
		return -TD_EMEMORY;
	td_request_list_init(&recorder->requests);
	recorder->folder_fd = open_folder(options->folder, reason);
	error = recorder->folder_fd < 0 ? -TD_EIO : allocate(recorder, options->recordings_max);
	if (!error)
		error = create_scribe(recorder, options, reason);
	if (error) {
		if (reason[0] == '\0')
			snprintf(reason, TD_RECORDER_REASON_MAX, "no memory for %u recordings",
				 options->recordings_max);
		release(recorder);
		return error;
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
	if (td_scribe_start(recorder->scribe) != 0)
		return -TD_EMEMORY;
	if (pthread_create(&recorder->thread, NULL, run, recorder) != 0)
		return -TD_EMEMORY;
	pthread_setname_np(recorder->thread, "td-recorder");
	recorder->started = true;
	return 0;
}

void td_recorder_destroy(struct td_recorder *recorder)
{
	if (recorder->started) {
		td_request_stop(&recorder->requests);
		pthread_join(recorder->thread, NULL);
	}
	release(recorder);
}

static bool name_ok(const struct td_command_record_start *start)
{
	const char *suffix = start->format == TD_RECORD_OPUS ? ".opus" : ".wav";
	size_t length = strnlen(start->name, sizeof start->name), tail = strlen(suffix);

	return length < sizeof start->name && length > tail &&
	       strcmp(start->name + length - tail, suffix) == 0 &&
	       td_part_file_name_ok(start->name);
}

int td_recorder_open(struct td_recorder *recorder, struct td_tap_id tap,
		     const struct td_command_record_start *start)
{
	uint32_t index = td_handle_index(tap.v);
	struct td_request *request, *closer;
	struct td_scribe_health health;

	if (!name_ok(start) || start->track_count > TD_TRACK_MAX)
		return -TD_EINVALID;
	td_scribe_look(recorder->scribe, &health);
	if (tap.v == 0 || index >= recorder->recordings_max ||
	    health.free_percent < TD_RECORD_FREE_MIN)
		return -TD_EFULL;
	request = td_request_make(TD_REQUEST_OPEN, tap);
	closer = td_request_make(TD_REQUEST_CLOSE, tap);
	if (!request || !closer) {
		free(request);
		free(closer);
		return -TD_EMEMORY;
	}
	request->u.start = *start;
	free(recorder->closers[index]);
	recorder->closers[index] = closer;
	td_request_push(&recorder->requests, request);
	return 0;
}

void td_recorder_close(struct td_recorder *recorder, struct td_tap_id tap)
{
	uint32_t index = td_handle_index(tap.v);
	struct td_request *closer = recorder->closers[index];

	TD_ASSERT(closer != NULL);
	recorder->closers[index] = NULL;
	td_request_push(&recorder->requests, closer);
}

int td_recorder_note(struct td_recorder *recorder, const struct td_command_record_note *note)
{
	struct td_request *request;

	if (td_request_waiting(&recorder->requests) >= TD_RECORDER_NOTES_MAX)
		return -TD_EFULL;
	request = td_request_make(TD_REQUEST_NOTE, note->tap);
	if (!request)
		return -TD_EMEMORY;
	request->u.note = *note;
	td_request_push(&recorder->requests, request);
	return 0;
}

void td_recorder_control(struct td_recorder *recorder,
			 const struct td_command_record_control *control, uint64_t now_ns)
{
	struct td_request *request;

	// A pause is never refused: workers see to it that nothing comes, with or without us.
	request = td_request_make(TD_REQUEST_CONTROL, control->tap);
	if (!request)
		return;
	request->time_ns = now_ns;
	request->u.control = *control;
	td_request_push(&recorder->requests, request);
}
