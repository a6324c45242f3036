#include "record/recorder.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "record/part_file.h"
#include "record/recorder_state.h"
#include "td_assert.h"
#include "td_log.h"

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
	for (uint32_t i = 0; recorder->recordings && i < recorder->recordings_max; i++) {
		if (recorder->recordings[i])
			td_recording_end(recorder->recordings[i]);
		free(recorder->recordings[i]);
	}
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
	if (pthread_create(&recorder->thread, NULL, td_recorder_run, recorder) != 0)
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
