#include "fork/forker.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "fork/copy.h"
#include "td_assert.h"
#include "td_log.h"

#define NS_PER_MS     1000000ull
#define IDLE_SLEEP_NS (200 * NS_PER_MS) // with nothing forked; a request wakes it

struct request {
	bool close; // else open
	struct td_fork_id fork;
	struct td_copy_start start;
};

struct td_forker {
	struct td_forker_options options;
	char captures[512];
	int captures_fd; // -1: not opened yet
	struct td_tap_ring **rings;
	uint32_t ring_count;
	td_forker_report_fn *report;
	void *user;
	pthread_t thread;
	bool started;
	struct td_copy *copies; // by fork index
	uint32_t *open;         // indexes of those in use
	uint32_t open_count;
	uint32_t *closing;
	uint32_t closing_count;
	struct td_event *undelivered;
	uint32_t undelivered_count;

	// Between main and the thread. Each fork has at most one open and one close under way, so
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

static void deliver(struct td_forker *forker, const struct td_event *event)
{
	// Behind what waits already, so that control hears things in their order.
	if (forker->undelivered_count == 0 && forker->report(forker->user, event) == 0)
		return;
	if (event->kind == TD_EVENT_FORK_STATE)
		return; // the next one says the same and more
	// At most two events a fork (ended, closed) can be waiting.
	TD_ASSERT(forker->undelivered_count < 2 * forker->options.fork_max);
	forker->undelivered[forker->undelivered_count++] = *event;
}

static void deliver_again(struct td_forker *forker)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < forker->undelivered_count; i++) {
		const struct td_event *event = &forker->undelivered[i];

		if (kept > 0 || forker->report(forker->user, event) != 0)
			forker->undelivered[kept++] = *event;
	}
	forker->undelivered_count = kept;
}

// The folder may be missing until somebody captures.
static int captures_folder(struct td_forker *forker)
{
	if (forker->captures_fd >= 0)
		return forker->captures_fd;
	mkdir(forker->captures, 0750);
	forker->captures_fd = open(forker->captures, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (forker->captures_fd < 0)
		td_error("forker", "captures folder %s: %s", forker->captures, strerror(errno));
	return forker->captures_fd;
}

static void tell(struct td_forker *forker, struct td_copy *copy, enum td_event_kind kind,
		 int result)
{
	struct td_event event = { .kind = kind, .result = result };

	event.u.fork = copy->seen;
	deliver(forker, &event);
}

// Its far end is gone: told once; nothing more is done for it until it is closed.
static void end(struct td_forker *forker, struct td_copy *copy, int result)
{
	if (result == 0 || copy->ended)
		return;
	copy->ended = true;
	copy->result = result;
	if (result != -TD_EEMPTY && result != -TD_ETIMEOUT)
		td_warn(copy->start.command.call, "fork %s has ended: %s", td_copy_name(copy),
			td_error_text(result));
	tell(forker, copy, TD_EVENT_FORK_ENDED, result);
}

static void begin(struct td_forker *forker, struct request *request)
{
	uint32_t index = td_handle_index(request->fork.v);
	struct td_copy *copy = &forker->copies[index];
	int folder_fd =
		request->start.command.what == TD_FORK_CAPTURE ? captures_folder(forker) : -1;
	int error = td_copy_begin(copy, request->fork, &request->start, folder_fd, monotonic_ns());

	forker->open[forker->open_count++] = index;
	tell(forker, copy, TD_EVENT_FORK_STATE, 0);
	end(forker, copy, error);
}

static bool take_request(struct td_forker *forker, struct request *out)
{
	bool taken = false;

	pthread_mutex_lock(&forker->lock);
	if (forker->request_tail != forker->request_head) {
		*out = forker->requests[forker->request_tail++ % forker->request_max];
		taken = true;
	}
	pthread_mutex_unlock(&forker->lock);
	return taken;
}

static void take_requests(struct td_forker *forker)
{
	struct request request;

	while (take_request(forker, &request)) {
		if (request.close)
			forker->closing[forker->closing_count++] = td_handle_index(request.fork.v);
		else
			begin(forker, &request);
	}
}

// One pass over what every ring holds now.
static void drain(struct td_forker *forker)
{
	for (uint32_t i = 0; i < forker->ring_count; i++) {
		const struct td_tap_record *record;

		for (uint32_t n = 0; n <= forker->rings[i]->mask; n++) {
			record = td_tap_peek(forker->rings[i]);
			if (!record)
				break;
			if (record->tap < forker->options.fork_max &&
			    forker->copies[record->tap].id.v != 0)
				end(forker, &forker->copies[record->tap],
				    td_copy_add(&forker->copies[record->tap], record));
			td_tap_release(forker->rings[i]);
		}
	}
}

static void turn_all(struct td_forker *forker, uint64_t now_ns)
{
	for (uint32_t i = 0; i < forker->open_count; i++) {
		struct td_copy *copy = &forker->copies[forker->open[i]];

		end(forker, copy, td_copy_turn(copy, now_ns));
		if (td_copy_has_moved(copy, now_ns))
			tell(forker, copy, TD_EVENT_FORK_STATE, 0);
	}
}

static void forget_open(struct td_forker *forker, uint32_t index)
{
	for (uint32_t i = 0; i < forker->open_count; i++) {
		if (forker->open[i] != index)
			continue;
		forker->open[i] = forker->open[--forker->open_count];
		return;
	}
}

// Ends the forks that were asked to close; their records have all been drained.
static void finish_closing(struct td_forker *forker)
{
	for (uint32_t i = 0; i < forker->closing_count; i++) {
		struct td_copy *copy = &forker->copies[forker->closing[i]];

		if (copy->id.v == 0)
			continue;
		td_copy_finish(copy, monotonic_ns());
		forget_open(forker, forker->closing[i]);
		tell(forker, copy, TD_EVENT_FORK_CLOSED, copy->result);
		copy->id.v = 0;
	}
	forker->closing_count = 0;
}

// Sleeps until there may be something to do; false when it is time to stop.
static bool wait_for_work(struct td_forker *forker)
{
	uint64_t until_ns = monotonic_ns() + (forker->open_count || forker->undelivered_count
						      ? TD_FORKER_TURN_MS * NS_PER_MS
						      : IDLE_SLEEP_NS);
	struct timespec until = { .tv_sec = (time_t)(until_ns / 1000000000u),
				  .tv_nsec = (long)(until_ns % 1000000000u) };
	bool stop;

	pthread_mutex_lock(&forker->lock);
	if (!forker->stop && forker->request_head == forker->request_tail)
		pthread_cond_timedwait(&forker->wake, &forker->lock, &until);
	stop = forker->stop && forker->request_head == forker->request_tail;
	pthread_mutex_unlock(&forker->lock);
	return !stop;
}

static void *run(void *user)
{
	struct td_forker *forker = user;

	td_role_enter_forker();
	do {
		take_requests(forker);
		drain(forker);
		finish_closing(forker);
		turn_all(forker, monotonic_ns());
		deliver_again(forker);
	} while (wait_for_work(forker));
	drain(forker);
	for (uint32_t i = 0; i < forker->open_count; i++)
		forker->closing[forker->closing_count++] = forker->open[i];
	finish_closing(forker);
	return NULL;
}

static int allocate(struct td_forker *forker, uint32_t fork_max)
{
	pthread_condattr_t monotonic;

	forker->request_max = 2 * fork_max + 2;
	forker->copies = calloc(fork_max, sizeof *forker->copies);
	forker->open = calloc(fork_max, sizeof *forker->open);
	forker->closing = calloc(2 * fork_max, sizeof *forker->closing);
	forker->undelivered = calloc(2 * fork_max, sizeof *forker->undelivered);
	forker->requests = calloc(forker->request_max, sizeof *forker->requests);
	if (!forker->copies || !forker->open || !forker->closing || !forker->undelivered ||
	    !forker->requests)
		return -TD_EMEMORY;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&forker->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&forker->lock, NULL);
	return 0;
}

static void release(struct td_forker *forker)
{
	if (forker->captures_fd >= 0)
		close(forker->captures_fd);
	free(forker->copies);
	free(forker->open);
	free(forker->closing);
	free(forker->undelivered);
	free(forker->requests);
	free(forker->rings);
	free(forker);
}

int td_forker_create(const struct td_forker_options *options, struct td_forker **out)
{
	struct td_forker *forker = calloc(1, sizeof *forker);

	*out = NULL;
	if (!forker)
		return -TD_EMEMORY;
	forker->options = *options;
	snprintf(forker->captures, sizeof forker->captures, "%s", options->captures);
	forker->captures_fd = -1;
	if (allocate(forker, options->fork_max) != 0) {
		release(forker);
		return -TD_EMEMORY;
	}
	*out = forker;
	return 0;
}

int td_forker_start(struct td_forker *forker, struct td_tap_ring **rings, uint32_t ring_count,
		    td_forker_report_fn *report, void *user)
{
	TD_ASSERT(!forker->started);
	forker->rings = calloc(ring_count, sizeof(struct td_tap_ring *));
	if (!forker->rings)
		return -TD_EMEMORY;
	memcpy(forker->rings, rings, ring_count * sizeof(struct td_tap_ring *));
	forker->ring_count = ring_count;
	forker->report = report;
	forker->user = user;
	if (pthread_create(&forker->thread, NULL, run, forker) != 0)
		return -TD_EMEMORY;
	pthread_setname_np(forker->thread, "td-forker");
	forker->started = true;
	return 0;
}

void td_forker_destroy(struct td_forker *forker)
{
	if (forker->started) {
		pthread_mutex_lock(&forker->lock);
		forker->stop = true;
		pthread_cond_signal(&forker->wake);
		pthread_mutex_unlock(&forker->lock);
		pthread_join(forker->thread, NULL);
	}
	pthread_mutex_destroy(&forker->lock);
	pthread_cond_destroy(&forker->wake);
	release(forker);
}

static void put_request(struct td_forker *forker, const struct request *request)
{
	pthread_mutex_lock(&forker->lock);
	TD_ASSERT(forker->request_head - forker->request_tail < forker->request_max);
	forker->requests[forker->request_head++ % forker->request_max] = *request;
	pthread_cond_signal(&forker->wake);
	pthread_mutex_unlock(&forker->lock);
}

static const struct td_forker_destination *find(const struct td_forker *forker, const char *name)
{
	for (uint32_t i = 0; i < forker->options.destination_count; i++)
		if (strcmp(forker->options.destinations[i].name, name) == 0)
			return &forker->options.destinations[i];
	return NULL;
}

int td_forker_open(struct td_forker *forker, struct td_fork_id fork,
		   const struct td_command_fork_start *start, struct td_live **live)
{
	uint32_t index = td_handle_index(fork.v);
	struct request request = { .fork = fork };
	int error;

	*live = NULL;
	if (fork.v == 0 || index >= forker->options.fork_max)
		return -TD_EFULL;
	request.start.command = *start;
	if (start->what != TD_FORK_CAPTURE)
		request.start.destination = find(forker, start->destination);
	error = td_copy_reach(&request.start, &forker->copies[index].seen);
	if (error != 0)
		return error;
	*live = request.start.live;
	put_request(forker, &request);
	return 0;
}

void td_forker_close(struct td_forker *forker, struct td_fork_id fork)
{
	struct request request = { .close = true, .fork = fork };

	put_request(forker, &request);
}
