// The recorder's thread: takes what main asks for and what workers have tapped, and tells what became of it.
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "record/recorder_state.h"
#include "td_assert.h"
#include "td_log.h"

#define NS_PER_MS     1000000ull
#define BUSY_SLEEP_NS (5 * NS_PER_MS)   // between two looks at the rings
#define IDLE_SLEEP_NS (200 * NS_PER_MS) // with nothing open; a request wakes it
#define FLUSH_NS      (50 * NS_PER_MS)
#define BURST         32u // records

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

void *td_recorder_run(void *user)
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
