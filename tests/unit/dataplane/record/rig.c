#include "rig.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct rig rig;

void rig_open(const struct td_command_record_start *start, const uint8_t *key)
{
	struct td_scribe_options options = { .slots_max = 2, .key = key };

	memset(&rig, 0, sizeof rig);
	scratch_make(rig.folder);
	rig.folder_fd = open(rig.folder, O_RDONLY | O_DIRECTORY);
	ck_assert_int_ge(rig.folder_fd, 0);
	options.folder_fd = rig.folder_fd;
	ck_assert_int_eq(td_scribe_create(&options, &rig.scribe), 0);
	ck_assert_int_eq(td_scribe_start(rig.scribe), 0);
	ck_assert_int_eq(td_recording_begin(&rig.recording, (struct td_tap_id){ 1 }, start,
					    rig.scribe, RIG_START_NS, 1700000000000),
			 0);
}

void rig_finish(uint64_t now_ns)
{
	struct td_scribe_news news = { .slot = 99 };

	td_recording_finish(&rig.recording, now_ns);
	td_scribe_stop(rig.scribe);
	ck_assert(td_scribe_next(rig.scribe, &news));
	ck_assert_uint_eq(news.kind, TD_SCRIBE_CLOSED);
	ck_assert_uint_eq(news.slot, 1);
	td_recording_news(&rig.recording, &news);
	td_recording_describe(&rig.recording, TD_EVENT_RECORD_CLOSED, &rig.closed);
	ck_assert_int_eq(rig.closed.result, 0);
	td_recording_end(&rig.recording);
	td_scribe_destroy(rig.scribe);
	rig.scribe = NULL;
}

void rig_close(void)
{
	td_recording_end(&rig.recording);
	if (rig.scribe)
		td_scribe_destroy(rig.scribe);
	rig.scribe = NULL;
	close(rig.folder_fd);
	scratch_remove(rig.folder);
}

json_t *rig_sidecar(const char *name)
{
	char path[SCRATCH_MAX + 40];
	json_t *sidecar;

	snprintf(path, sizeof path, "%s/%s.json", rig.folder, name);
	sidecar = json_load_file(path, 0, NULL);
	ck_assert_msg(json_is_object(sidecar), "%s", path);
	return sidecar;
}

json_int_t rig_number(json_t *object, const char *key)
{
	ck_assert_msg(json_is_integer(json_object_get(object, key)), "%s", key);
	return json_integer_value(json_object_get(object, key));
}
