// The queue between the loop and the writer thread, and that thread.
#include "store/store.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/database.h"
#include "td_log.h"

#define BATCH_MAX 512  // calls of one transaction
#define RETRY_MS  1000 // after a transaction that failed

struct record {
	struct record *next;
	bool is_recording;
	union {
		struct td_cdr_call call;
		struct td_cdr_recording recording;
	};
	unsigned leg_count;
	struct td_cdr_leg legs[];
};

struct td_store {
	char *path;
	struct td_database db; // the writer's, once it runs; handle NULL: to be reopened
	pthread_t writer;
	pthread_mutex_t lock; // guards everything below
	pthread_cond_t wake;  // the writer waits: records, flush, stop
	pthread_cond_t done;  // flush waits: nothing is queued any more
	struct record *head, **tail;
	struct td_store_stats stats;
	unsigned flushing; // callers in td_store_flush: do not wait for company
	bool stopping;
};

static struct timespec after_ms(uint32_t ms)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += ms / 1000;
	at.tv_nsec += (long)(ms % 1000) * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	return at;
}

// Sleeps up to `ms`, less when somebody flushes or stops, or `enough` records wait. Lock held.
static void wait_for_company(struct td_store *store, uint32_t ms, uint64_t enough)
{
	struct timespec until = after_ms(ms);
	unsigned flushing = store->flushing;

	while (!store->stopping && store->flushing <= flushing && store->stats.queued < enough)
		if (pthread_cond_timedwait(&store->wake, &store->lock, &until) != 0)
			return;
}

// One transaction of the first `count` records. It does not look at the link of the last one: the
// loop may be appending there.
static int write_records(struct td_database *db, const struct record *record, unsigned count)
{
	int rc = td_database_begin(db);

	while (rc == 0 && count-- > 0) {
		rc = record->is_recording
			     ? td_database_put_recording(db, &record->recording)
			     : td_database_put(db, &record->call, record->legs, record->leg_count);
		if (count > 0)
			record = record->next;
	}
	return rc == 0 ? td_database_commit(db) : rc;
}

static int write_batch(struct td_store *store, const struct record *head, unsigned count,
		       char error[TD_STORE_ERROR_MAX])
{
	int rc = 0;

	if (!store->db.handle)
		rc = td_database_open(&store->db, store->path, error);
	if (rc == 0) {
		rc = write_records(&store->db, head, count);
		if (rc != 0)
			snprintf(error, TD_STORE_ERROR_MAX, "%s: %s", store->path,
				 td_database_trouble(&store->db));
	}
	if (rc != 0) {
		td_database_rollback(&store->db);
		// A fresh connection next time: whatever this one remembers may be the trouble.
		td_database_close(&store->db);
	}
	return rc;
}

// Frees the first `count` records, which are on disk now. Lock held.
static void release_written(struct td_store *store, unsigned count)
{
	store->stats.written += count;
	store->stats.queued -= count;
	store->stats.commits++;
	while (count-- > 0) {
		struct record *record = store->head;

		store->head = record->next;
		free(record);
	}
	if (!store->head) {
		store->tail = &store->head;
		pthread_cond_broadcast(&store->done);
	}
	if (*store->stats.error) {
		td_info("store", "the database takes call records again");
		*store->stats.error = '\0';
	}
}

// Counts a failed transaction and says so when it is the first. Lock held.
static void note_failure(struct td_store *store, const char *error)
{
	store->stats.failures++;
	if (!*store->stats.error)
		td_error("store", "%s; call records wait in memory and are tried again", error);
	snprintf(store->stats.error, sizeof store->stats.error, "%s", error);
}

// Only the writer takes records off the list, so those that are on it stay while it is unlocked.
static int write_once(struct td_store *store)
{
	uint64_t queued = store->stats.queued;
	unsigned count = queued < BATCH_MAX ? (unsigned)queued : BATCH_MAX;
	const struct record *head = store->head;
	char error[TD_STORE_ERROR_MAX] = "";
	int rc;

	pthread_mutex_unlock(&store->lock);
	rc = write_batch(store, head, count, error);
	pthread_mutex_lock(&store->lock);
	if (rc == 0)
		release_written(store, count);
	else
		note_failure(store, error);
	return rc;
}

static void *writer_main(void *user)
{
	struct td_store *store = user;

	pthread_mutex_lock(&store->lock);
	for (;;) {
		while (!store->head && !store->stopping)
			pthread_cond_wait(&store->wake, &store->lock);
		if (!store->head)
			break;
		if (!store->flushing)
			wait_for_company(store, TD_STORE_GROUP_MS, BATCH_MAX);
		if (write_once(store) != 0) {
			if (store->stopping)
				break;
			wait_for_company(store, RETRY_MS, UINT64_MAX);
		}
	}
	pthread_mutex_unlock(&store->lock);
	return NULL;
}

// Signals belong to the loop's thread.
static int start_writer(struct td_store *store)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&store->writer, NULL, writer_main, store);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc == 0 ? 0 : -TD_EMEMORY;
}

static void init_waiting(struct td_store *store)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&store->lock, NULL);
	pthread_cond_init(&store->wake, &monotonic);
	pthread_cond_init(&store->done, &monotonic);
	pthread_condattr_destroy(&monotonic);
	store->tail = &store->head;
}

static void release(struct td_store *store)
{
	td_database_close(&store->db);
	pthread_cond_destroy(&store->done);
	pthread_cond_destroy(&store->wake);
	pthread_mutex_destroy(&store->lock);
	free(store->path);
	free(store);
}

int td_store_open(const char *path, struct td_store **out, char error[TD_STORE_ERROR_MAX])
{
	struct td_store *store = calloc(1, sizeof *store);
	int rc = -TD_EMEMORY;

	// Counting what it holds costs SQLite a lock a piece, and nobody asks. Too late is no harm.
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	snprintf(error, TD_STORE_ERROR_MAX, "%s: not enough memory", path);
	if (!store)
		return -TD_EMEMORY;
	init_waiting(store);
	store->path = strdup(path);
	if (store->path)
		rc = td_database_open(&store->db, path, error);
	if (rc == 0)
		rc = start_writer(store);
	if (rc != 0) {
		release(store);
		return rc;
	}
	*error = '\0';
	*out = store;
	return 0;
}

// Takes the record, whatever comes of it.
static int put(struct td_store *store, struct record *record)
{
	int rc = -TD_EFULL;

	record->next = NULL;
	pthread_mutex_lock(&store->lock);
	if (store->stats.queued < TD_STORE_QUEUE_MAX) {
		*store->tail = record;
		store->tail = &record->next;
		store->stats.queued++;
		store->stats.accepted++;
		// The writer waits for the first record or for a whole batch: to wake it for
		// each one between would cost the loop more than the record does.
		if (store->stats.queued == 1 || store->stats.queued == BATCH_MAX)
			pthread_cond_signal(&store->wake);
		rc = 0;
	} else {
		store->stats.refused++;
	}
	pthread_mutex_unlock(&store->lock);
	if (rc != 0)
		free(record);
	return rc;
}

int td_store_put_call(struct td_store *store, const struct td_cdr_call *call,
		      const struct td_cdr_leg *legs, unsigned leg_count)
{
	struct record *record;

	if (leg_count > TD_CDR_LEG_MAX)
		return -TD_EINVALID;
	record = malloc(sizeof *record + leg_count * sizeof *legs);
	if (!record)
		return -TD_EMEMORY;
	record->is_recording = false;
	record->call = *call;
	record->leg_count = leg_count;
	if (leg_count > 0)
		memcpy(record->legs, legs, leg_count * sizeof *legs);
	return put(store, record);
}

int td_store_put_recording(struct td_store *store, const struct td_cdr_recording *recording)
{
	struct record *record = malloc(sizeof *record);

	if (!record)
		return -TD_EMEMORY;
	record->is_recording = true;
	record->recording = *recording;
	record->leg_count = 0;
	return put(store, record);
}

void td_store_stats(struct td_store *store, struct td_store_stats *out)
{
	pthread_mutex_lock(&store->lock);
	*out = store->stats;
	pthread_mutex_unlock(&store->lock);
}

int td_store_flush(struct td_store *store, uint32_t wait_ms)
{
	struct timespec until = after_ms(wait_ms);
	int rc = 0;

	pthread_mutex_lock(&store->lock);
	store->flushing++;
	pthread_cond_signal(&store->wake);
	while (store->head && rc == 0)
		rc = pthread_cond_timedwait(&store->done, &store->lock, &until);
	store->flushing--;
	rc = store->head ? -TD_ETIMEOUT : 0;
	pthread_mutex_unlock(&store->lock);
	return rc;
}

uint64_t td_store_close(struct td_store *store)
{
	uint64_t left;

	if (!store)
		return 0;
	pthread_mutex_lock(&store->lock);
	store->stopping = true;
	pthread_cond_signal(&store->wake);
	pthread_mutex_unlock(&store->lock);
	pthread_join(store->writer, NULL);
	left = store->stats.queued;
	if (left > 0)
		td_error("store", "%llu call records could not be written and are lost: %s",
			 (unsigned long long)left, store->stats.error);
	while (store->head) {
		struct record *record = store->head;

		store->head = record->next;
		free(record);
	}
	release(store);
	return left;
}
