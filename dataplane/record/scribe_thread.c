// The disk thread's half: jobs become files, what was written is made durable in groups, and what a
// recorder that was killed has left is repaired while there is nothing else to do.
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <time.h>

#include "record/paper.h"
#include "record/repair.h"
#include "record/scribe_state.h"
#include "td_log.h"
#include "td_role.h"

#define NS_PER_MS  1000000ull
#define LOOK_NS    (500 * NS_PER_MS) // at the free space
#define SYNC_GROUP 4                 // from so many files one syncfs replaces their fdatasyncs
#define SPARE_ROOM (64u << 10)       // the largest buffer that is kept

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void tell(struct td_scribe *scribe, const struct td_scribe_news *news)
{
	struct td_scribe_news_item *item = malloc(sizeof *item);

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

static void do_open(struct td_scribe *scribe, const struct td_scribe_job *job)
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

static void do_write(struct td_scribe *scribe, const struct td_scribe_job *job)
{
	struct td_paper *paper = scribe->papers[job->slot];

	if (!paper)
		return;
	td_paper_write(&scribe->desk, paper, job->file, job->rate_hz, job->bytes.data,
		       job->bytes.used);
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

static void close_one(struct td_scribe *scribe, struct td_scribe_job *job)
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

static void do_close(struct td_scribe *scribe, struct td_scribe_job *job)
{
	if (scribe->papers[job->slot])
		td_paper_end(&scribe->desk, scribe->papers[job->slot], job->sidecar);
	scribe->closing[scribe->closing_count++] = job;
	if (scribe->closing_count == TD_SCRIBE_CLOSE_MAX)
		finish_closing(scribe);
}

static void do_sidecar(struct td_scribe *scribe, const struct td_scribe_job *job)
{
	if (scribe->papers[job->slot])
		td_paper_note(&scribe->desk, scribe->papers[job->slot], job->sidecar);
	else
		json_decref(job->sidecar);
}

static void keep_spare(struct td_scribe *scribe, struct td_bytes *bytes)
{
	pthread_mutex_lock(&scribe->lock);
	if (bytes->room <= SPARE_ROOM && scribe->spare_count < TD_SCRIBE_SPARE_MAX) {
		scribe->spares[scribe->spare_count] = *bytes;
		scribe->spares[scribe->spare_count++].used = 0;
		*bytes = (struct td_bytes){ .data = NULL };
	}
	pthread_mutex_unlock(&scribe->lock);
	td_bytes_free(bytes);
}

static void perform(struct td_scribe *scribe, struct td_scribe_job *job)
{
	atomic_fetch_sub(&scribe->queued_bytes, job->bytes.used);
	switch ((enum td_scribe_job_kind)job->kind) {
	case TD_SCRIBE_JOB_OPEN: do_open(scribe, job); break;
	case TD_SCRIBE_JOB_WRITE: do_write(scribe, job); break;
	case TD_SCRIBE_JOB_SIDECAR: do_sidecar(scribe, job); break;
	case TD_SCRIBE_JOB_CLOSE: do_close(scribe, job); return; // it is kept until it is closed
	}
	if (job->bytes.data)
		keep_spare(scribe, &job->bytes);
	free(job);
}

void td_scribe_measure_space(struct td_scribe *scribe)
{
	struct statvfs space;

	if (fstatvfs(scribe->desk.folder_fd, &space) == 0 && space.f_blocks > 0)
		atomic_store(&scribe->free_percent,
			     (unsigned)(space.f_bavail * 100 / space.f_blocks));
}

static void look_at_space(struct td_scribe *scribe, uint64_t now_ns)
{
	if (now_ns - scribe->looked_ns < LOOK_NS)
		return;
	scribe->looked_ns = now_ns;
	td_scribe_measure_space(scribe);
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
static struct td_scribe_job *take_job(struct td_scribe *scribe, uint64_t until_ns, bool *stop)
{
	struct timespec until = { .tv_sec = (time_t)(until_ns / 1000000000u),
				  .tv_nsec = (long)(until_ns % 1000000000u) };
	struct td_scribe_job *job;

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

void *td_scribe_run(void *user)
{
	struct td_scribe *scribe = user;
	bool stop = false;

	td_role_enter_recorder();
	while (!stop) {
		struct td_scribe_job *job =
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
