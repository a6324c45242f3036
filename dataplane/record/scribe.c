#include "record/scribe.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>

#include "record/paper.h"
#include "record/repair.h"
#include "td_log.h"
#include "td_role.h"

#define NS_PER_MS  1000000ull
#define LOOK_NS    (500 * NS_PER_MS) // at the free space
#define SYNC_GROUP 4                 // from so many files one syncfs replaces their fdatasyncs
#define CLOSE_MAX  64                // recordings that are closed with one sync
#define SPARE_MAX  256               // buffers that were written, for what is written next
#define SPARE_ROOM (64u << 10)       // the largest that is kept

enum job_kind { JOB_OPEN, JOB_WRITE, JOB_SIDECAR, JOB_CLOSE };

struct job {
	struct job *next;
	uint32_t slot;
	uint8_t kind;
	uint8_t file;
	uint32_t rate_hz;
	struct td_bytes bytes;
	json_t *sidecar;
	struct td_scribe_form form;
};

struct news_item {
	struct news_item *next;
	struct td_scribe_news news;
};

struct td_scribe {
	struct td_desk desk;
	uint8_t key[TD_VAULT_KEY_BYTES];
	bool sync;
	uint64_t queue_bytes_max;
	uint32_t slots_max;
	struct td_repair *repair; // NULL: nothing is left to repair
	pthread_t thread;
	bool started;

	// Disk thread.
	struct td_paper **papers; // by slot
	uint32_t *open;           // slots in use
	uint32_t open_count;
	struct job *closing[CLOSE_MAX];
	unsigned closing_count;
	uint64_t synced_ns, looked_ns;

	// Both.
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct job *first, *last;
	struct td_bytes spares[SPARE_MAX];
	unsigned spare_count;
	struct news_item *news_first, *news_last;
	bool stop;
	_Atomic uint64_t queued_bytes;
	_Atomic uint64_t busy_since_ns;
	_Atomic unsigned free_percent;
	_Atomic int error_number;
	_Atomic uint32_t repaired;
	_Atomic bool repairing;
};

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void tell(struct td_scribe *scribe, const struct td_scribe_news *news)
{
	struct news_item *item = malloc(sizeof *item);

	// Without memory for a few bytes the engine waits for a CLOSED that does not come.
	if (!item) {
		td_error("recorder", "no memory to say that a recording is closed");
		return;
	}
	item->news = *news;
	item->next = NULL;
	pthread_mutex_lock(&scribe->lock);
	if (scribe->news_last)
		scribe->news_last->next = item;
	else
		scribe->news_first = item;
	scribe->news_last = item;
	pthread_mutex_unlock(&scribe->lock);
}

// Tells a paper's error once.
static void check(struct td_scribe *scribe, uint32_t slot, struct td_paper *paper)
{
	struct td_scribe_news news = { .slot = slot, .kind = TD_SCRIBE_FAILED };

	if (!paper->error || paper->error_told)
		return;
	paper->error_told = true;
	news.error = paper->error;
	news.error_number = paper->error_number;
	if (paper->error == -TD_EIO)
		atomic_store(&scribe->error_number, paper->error_number);
	tell(scribe, &news);
}

static void do_open(struct td_scribe *scribe, const struct job *job)
{
	struct td_scribe_news news = { .slot = job->slot,
				       .kind = TD_SCRIBE_FAILED,
				       .error = -TD_EMEMORY,
				       .error_number = ENOMEM };
	struct td_paper *paper = td_paper_open(&scribe->desk, &job->form);

	if (!paper) {
		tell(scribe, &news);
		return;
	}
	scribe->papers[job->slot] = paper;
	scribe->open[scribe->open_count++] = job->slot;
	check(scribe, job->slot, paper);
}

static void do_write(struct td_scribe *scribe, const struct job *job)
{
	struct td_paper *paper = scribe->papers[job->slot];

	if (!paper)
		return;
	td_paper_write(paper, job->file, job->rate_hz, job->bytes.data, job->bytes.used);
	check(scribe, job->slot, paper);
	if (!paper->error)
		atomic_store(&scribe->error_number, 0);
}

static void forget_open(struct td_scribe *scribe, uint32_t slot)
{
	for (uint32_t i = 0; i < scribe->open_count; i++) {
		if (scribe->open[i] != slot)
			continue;
		scribe->open[i] = scribe->open[--scribe->open_count];
		return;
	}
}

static void close_one(struct td_scribe *scribe, struct job *job)
{
	struct td_paper *paper = scribe->papers[job->slot];
	struct td_scribe_news news = { .slot = job->slot, .kind = TD_SCRIBE_CLOSED };

	if (paper) {
		check(scribe, job->slot, paper);
		td_paper_close(&scribe->desk, paper, job->sidecar, &news);
		scribe->papers[job->slot] = NULL;
		forget_open(scribe, job->slot);
	} else {
		json_decref(job->sidecar);
		news.error = -TD_EMEMORY;
		news.error_number = ENOMEM;
	}
	tell(scribe, &news);
	free(job);
}

// Makes durable what was written, one by one or all at once.
static void sync_papers(struct td_scribe *scribe)
{
	unsigned dirty = 0;

	scribe->synced_ns = monotonic_ns();
	if (!scribe->sync)
		return;
	for (uint32_t i = 0; i < scribe->open_count; i++)
		dirty += td_paper_dirty(scribe->papers[scribe->open[i]]);
	if (dirty >= SYNC_GROUP && scribe->desk.disk->sync_all(scribe->desk.folder_fd) == 0) {
		for (uint32_t i = 0; i < scribe->open_count; i++)
			td_paper_is_clean(scribe->papers[scribe->open[i]]);
		return;
	}
	for (uint32_t i = 0; i < scribe->open_count && dirty > 0; i++) {
		struct td_paper *paper = scribe->papers[scribe->open[i]];

		td_paper_sync(&scribe->desk, paper);
		check(scribe, scribe->open[i], paper);
	}
}

// What was to be closed has one sync for all of them.
static void finish_closing(struct td_scribe *scribe)
{
	if (scribe->closing_count == 0)
		return;
	sync_papers(scribe);
	for (unsigned i = 0; i < scribe->closing_count; i++)
		close_one(scribe, scribe->closing[i]);
	scribe->closing_count = 0;
}

static void do_close(struct td_scribe *scribe, struct job *job)
{
	if (scribe->papers[job->slot])
		td_paper_end(&scribe->desk, scribe->papers[job->slot], job->sidecar);
	scribe->closing[scribe->closing_count++] = job;
	if (scribe->closing_count == CLOSE_MAX)
		finish_closing(scribe);
}

static void do_sidecar(struct td_scribe *scribe, const struct job *job)
{
	if (scribe->papers[job->slot])
		td_paper_note(&scribe->desk, scribe->papers[job->slot], job->sidecar);
	else
		json_decref(job->sidecar);
}

static void keep_spare(struct td_scribe *scribe, struct td_bytes *bytes)
{
	pthread_mutex_lock(&scribe->lock);
	if (bytes->room <= SPARE_ROOM && scribe->spare_count < SPARE_MAX) {
		scribe->spares[scribe->spare_count] = *bytes;
		scribe->spares[scribe->spare_count++].used = 0;
		*bytes = (struct td_bytes){ .data = NULL };
	}
	pthread_mutex_unlock(&scribe->lock);
	td_bytes_free(bytes);
}

static void perform(struct td_scribe *scribe, struct job *job)
{
	atomic_fetch_sub(&scribe->queued_bytes, job->bytes.used);
	switch ((enum job_kind)job->kind) {
	case JOB_OPEN: do_open(scribe, job); break;
	case JOB_WRITE: do_write(scribe, job); break;
	case JOB_SIDECAR: do_sidecar(scribe, job); break;
	case JOB_CLOSE: do_close(scribe, job); return; // it is kept until it is closed
	}
	if (job->bytes.data)
		keep_spare(scribe, &job->bytes);
	free(job);
}

static void look_at_space(struct td_scribe *scribe, uint64_t now_ns)
{
	struct statvfs space;

	if (now_ns - scribe->looked_ns < LOOK_NS)
		return;
	scribe->looked_ns = now_ns;
	if (fstatvfs(scribe->desk.folder_fd, &space) == 0 && space.f_blocks > 0)
		atomic_store(&scribe->free_percent,
			     (unsigned)(space.f_bavail * 100 / space.f_blocks));
}

static void repair_one(struct td_scribe *scribe)
{
	if (td_repair_next(scribe->repair, &scribe->desk)) {
		atomic_store(&scribe->repaired, td_repair_count(scribe->repair));
		return;
	}
	td_repair_destroy(scribe->repair);
	scribe->repair = NULL;
	atomic_store(&scribe->repairing, false);
}

// The next job, or NULL when there is none for now; *stop when there will be none.
static struct job *take_job(struct td_scribe *scribe, uint64_t until_ns, bool *stop)
{
	struct timespec until = { .tv_sec = (time_t)(until_ns / 1000000000u),
				  .tv_nsec = (long)(until_ns % 1000000000u) };
	struct job *job;

	pthread_mutex_lock(&scribe->lock);
	if (!scribe->first && !scribe->stop && !scribe->repair && scribe->closing_count == 0)
		pthread_cond_timedwait(&scribe->wake, &scribe->lock, &until);
	job = scribe->first;
	if (job) {
		scribe->first = job->next;
		if (!scribe->first)
			scribe->last = NULL;
	}
	*stop = !job && scribe->stop;
	pthread_mutex_unlock(&scribe->lock);
	return job;
}

static void *run(void *user)
{
	struct td_scribe *scribe = user;
	bool stop = false;

	td_role_enter_recorder();
	while (!stop) {
		struct job *job =
			take_job(scribe, scribe->synced_ns + TD_SCRIBE_SYNC_MS * NS_PER_MS, &stop);
		uint64_t now_ns = monotonic_ns();

		atomic_store(&scribe->busy_since_ns, now_ns);
		if (job)
			perform(scribe, job);
		else
			finish_closing(scribe);
		if (!job && !stop && scribe->repair)
			repair_one(scribe);
		if (now_ns - scribe->synced_ns >= TD_SCRIBE_SYNC_MS * NS_PER_MS)
			sync_papers(scribe);
		look_at_space(scribe, now_ns);
		atomic_store(&scribe->busy_since_ns, 0);
	}
	return NULL;
}

int td_scribe_create(const struct td_scribe_options *options, struct td_scribe **out)
{
	struct td_scribe *scribe = calloc(1, sizeof *scribe);
	pthread_condattr_t monotonic;

	*out = NULL;
	if (!scribe)
		return -TD_EMEMORY;
	scribe->desk.folder_fd = options->folder_fd;
	scribe->desk.disk = options->disk ? options->disk : &td_disk_kernel;
	if (options->key) {
		memcpy(scribe->key, options->key, sizeof scribe->key);
		scribe->desk.key = scribe->key;
	}
	scribe->sync = options->sync;
	scribe->slots_max = options->slots_max;
	scribe->queue_bytes_max =
		options->queue_bytes ? options->queue_bytes : TD_SCRIBE_QUEUE_BYTES;
	scribe->papers = calloc(options->slots_max, sizeof(struct td_paper *));
	scribe->open = calloc(options->slots_max, sizeof *scribe->open);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&scribe->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_mutex_init(&scribe->lock, NULL);
	atomic_store(&scribe->free_percent, 100);
	if (!scribe->papers || !scribe->open ||
	    td_repair_create(options->folder_fd, &scribe->repair) != 0) {
		td_scribe_destroy(scribe);
		return -TD_EMEMORY;
	}
	atomic_store(&scribe->repairing, true);
	look_at_space(scribe, monotonic_ns());
	*out = scribe;
	return 0;
}

int td_scribe_start(struct td_scribe *scribe)
{
	if (pthread_create(&scribe->thread, NULL, run, scribe) != 0)
		return -TD_EMEMORY;
	pthread_setname_np(scribe->thread, "td-disk");
	scribe->started = true;
	return 0;
}

void td_scribe_stop(struct td_scribe *scribe)
{
	if (!scribe->started)
		return;
	pthread_mutex_lock(&scribe->lock);
	scribe->stop = true;
	pthread_cond_signal(&scribe->wake);
	pthread_mutex_unlock(&scribe->lock);
	pthread_join(scribe->thread, NULL);
	scribe->started = false;
}

void td_scribe_destroy(struct td_scribe *scribe)
{
	struct td_scribe_news news;

	td_scribe_stop(scribe);
	while (td_scribe_next(scribe, &news))
		;
	for (unsigned i = 0; i < scribe->spare_count; i++)
		td_bytes_free(&scribe->spares[i]);
	td_repair_destroy(scribe->repair);
	pthread_mutex_destroy(&scribe->lock);
	pthread_cond_destroy(&scribe->wake);
	memset(scribe->key, 0, sizeof scribe->key);
	free(scribe->papers);
	free(scribe->open);
	free(scribe);
}

static struct job *new_job(enum job_kind kind, uint32_t slot)
{
	struct job *job = calloc(1, sizeof *job);

	if (job) {
		job->kind = (uint8_t)kind;
		job->slot = slot;
	}
	return job;
}

static int put(struct td_scribe *scribe, struct job *job)
{
	atomic_fetch_add(&scribe->queued_bytes, job->bytes.used);
	pthread_mutex_lock(&scribe->lock);
	// Where others wait already the disk thread is awake.
	if (scribe->last) {
		scribe->last->next = job;
	} else {
		scribe->first = job;
		pthread_cond_signal(&scribe->wake);
	}
	scribe->last = job;
	pthread_mutex_unlock(&scribe->lock);
	return 0;
}

void td_scribe_blank(struct td_scribe *scribe, struct td_bytes *bytes)
{
	*bytes = (struct td_bytes){ .data = NULL };
	pthread_mutex_lock(&scribe->lock);
	if (scribe->spare_count > 0)
		*bytes = scribe->spares[--scribe->spare_count];
	pthread_mutex_unlock(&scribe->lock);
}

int td_scribe_open(struct td_scribe *scribe, uint32_t slot, const struct td_scribe_form *form)
{
	struct job *job = new_job(JOB_OPEN, slot);

	if (!job)
		return -TD_EMEMORY;
	job->form = *form;
	return put(scribe, job);
}

int td_scribe_write(struct td_scribe *scribe, uint32_t slot, unsigned file, uint32_t rate_hz,
		    struct td_bytes *bytes)
{
	struct job *job = new_job(JOB_WRITE, slot);

	if (!job)
		return -TD_EMEMORY;
	job->file = (uint8_t)file;
	job->rate_hz = rate_hz;
	job->bytes = *bytes;
	*bytes = (struct td_bytes){ .data = NULL };
	return put(scribe, job);
}

static int put_json(struct td_scribe *scribe, enum job_kind kind, uint32_t slot, json_t *sidecar)
{
	struct job *job = new_job(kind, slot);

	if (!job)
		return -TD_EMEMORY;
	job->sidecar = sidecar;
	return put(scribe, job);
}

int td_scribe_sidecar(struct td_scribe *scribe, uint32_t slot, json_t *sidecar)
{
	return put_json(scribe, JOB_SIDECAR, slot, sidecar);
}

int td_scribe_close(struct td_scribe *scribe, uint32_t slot, json_t *sidecar)
{
	return put_json(scribe, JOB_CLOSE, slot, sidecar);
}

bool td_scribe_has_room(struct td_scribe *scribe)
{
	return atomic_load(&scribe->queued_bytes) < scribe->queue_bytes_max;
}

bool td_scribe_next(struct td_scribe *scribe, struct td_scribe_news *out)
{
	struct news_item *item;

	pthread_mutex_lock(&scribe->lock);
	item = scribe->news_first;
	if (item) {
		scribe->news_first = item->next;
		if (!scribe->news_first)
			scribe->news_last = NULL;
	}
	pthread_mutex_unlock(&scribe->lock);
	if (!item)
		return false;
	*out = item->news;
	free(item);
	return true;
}

void td_scribe_look(struct td_scribe *scribe, struct td_scribe_health *health)
{
	health->busy_since_ns = atomic_load(&scribe->busy_since_ns);
	health->free_percent = atomic_load(&scribe->free_percent);
	health->error_number = atomic_load(&scribe->error_number);
	health->repaired = atomic_load(&scribe->repaired);
	health->repairing = atomic_load(&scribe->repairing);
}
