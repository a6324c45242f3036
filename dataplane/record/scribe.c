#include "record/scribe.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "record/scribe_state.h"

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
	td_scribe_measure_space(scribe);
	*out = scribe;
	return 0;
}

int td_scribe_start(struct td_scribe *scribe)
{
	if (pthread_create(&scribe->thread, NULL, td_scribe_run, scribe) != 0)
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

static struct td_scribe_job *new_job(enum td_scribe_job_kind kind, uint32_t slot)
{
	struct td_scribe_job *job = calloc(1, sizeof *job);

	if (job) {
		job->kind = (uint8_t)kind;
		job->slot = slot;
	}
	return job;
}

static int put(struct td_scribe *scribe, struct td_scribe_job *job)
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
	struct td_scribe_job *job = new_job(TD_SCRIBE_JOB_OPEN, slot);

	if (!job)
		return -TD_EMEMORY;
	job->form = *form;
	return put(scribe, job);
}

int td_scribe_write(struct td_scribe *scribe, uint32_t slot, unsigned file, uint32_t rate_hz,
		    struct td_bytes *bytes)
{
	struct td_scribe_job *job = new_job(TD_SCRIBE_JOB_WRITE, slot);

	if (!job)
		return -TD_EMEMORY;
	job->file = (uint8_t)file;
	job->rate_hz = rate_hz;
	job->bytes = *bytes;
	*bytes = (struct td_bytes){ .data = NULL };
	return put(scribe, job);
}

static int put_json(struct td_scribe *scribe, enum td_scribe_job_kind kind, uint32_t slot,
		    json_t *sidecar)
{
	struct td_scribe_job *job = new_job(kind, slot);

	if (!job)
		return -TD_EMEMORY;
	job->sidecar = sidecar;
	return put(scribe, job);
}

int td_scribe_sidecar(struct td_scribe *scribe, uint32_t slot, json_t *sidecar)
{
	return put_json(scribe, TD_SCRIBE_JOB_SIDECAR, slot, sidecar);
}

int td_scribe_close(struct td_scribe *scribe, uint32_t slot, json_t *sidecar)
{
	return put_json(scribe, TD_SCRIBE_JOB_CLOSE, slot, sidecar);
}

bool td_scribe_has_room(struct td_scribe *scribe)
{
	return atomic_load(&scribe->queued_bytes) < scribe->queue_bytes_max;
}

bool td_scribe_next(struct td_scribe *scribe, struct td_scribe_news *out)
{
	struct td_scribe_news_item *item;

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
