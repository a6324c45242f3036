#include "forker_rig.h"

#include <check.h>
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define TAP_LINES 65536u

char rig_captures[96];
static char folder[64], socket_path[96];
int rig_listener;
struct td_tap_ring *rig_ring;
struct td_forker *rig_forker;
struct td_forker_destination rig_destinations[3];

// What was reported, by kind and fork.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
struct td_event rig_last[TD_EVENT_KIND_COUNT][FORK_COUNT + 1];
static uint32_t counts[TD_EVENT_KIND_COUNT];

uint64_t rig_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void rig_rest_until(uint64_t then_ns)
{
	const struct timespec then = { .tv_sec = (time_t)(then_ns / 1000000000u),
				       .tv_nsec = (long)(then_ns % 1000000000u) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &then, NULL) != 0)
		continue;
}

static int on_report(void *user, const struct td_event *event)
{
	(void)user;
	pthread_mutex_lock(&lock);
	rig_last[event->kind][td_handle_index(event->u.fork.fork.v)] = *event;
	counts[event->kind]++;
	pthread_mutex_unlock(&lock);
	return 0;
}

uint32_t rig_reported(enum td_event_kind kind)
{
	uint32_t count;

	pthread_mutex_lock(&lock);
	count = counts[kind];
	pthread_mutex_unlock(&lock);
	return count;
}

void rig_wait_for(enum td_event_kind kind, uint32_t count)
{
	for (unsigned i = 0; i < 2000 && rig_reported(kind) < count; i++)
		rig_rest_until(rig_now_ns() + 5 * MS);
	ck_assert_uint_eq(rig_reported(kind), count);
}

void rig_setup(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct td_forker_options options = { .destinations = rig_destinations,
					     .destination_count = 3,
					     .captures = rig_captures,
					     .fork_max = FORK_COUNT + 1 };

	snprintf(folder, sizeof folder, "/tmp/td-rig_forker-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(socket_path, sizeof socket_path, "%s/bot", folder);
	snprintf(rig_captures, sizeof rig_captures, "%s/captures", folder);
	rig_listener = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(at.sun_path, sizeof at.sun_path, "%s", socket_path);
	ck_assert_int_eq(bind(rig_listener, (struct sockaddr *)&at, sizeof at), 0);
	ck_assert_int_eq(listen(rig_listener, FORK_COUNT), 0);
	memset(counts, 0, sizeof counts);
	memset(rig_last, 0, sizeof rig_last);
	memset(rig_destinations, 0, sizeof rig_destinations);
	rig_destinations[0] = (struct td_forker_destination){
		.name = "bot", .socket = socket_path, .rate_hz = 8000, .speaks = true
	};
	rig_destinations[1] = (struct td_forker_destination){ .name = "rtp" };
	rig_destinations[2] = (struct td_forker_destination){ .name = "nobody",
							      .socket = "/nonexistent/bot",
							      .rate_hz = 8000 };
	ck_assert_int_eq(td_tap_ring_create(TAP_LINES, &rig_ring), 0);
	td_role_enter_main();
	ck_assert_int_eq(td_forker_create(&options, &rig_forker), 0);
	ck_assert_int_eq(td_forker_start(rig_forker, &rig_ring, 1, on_report, NULL), 0);
}

static void remove_all(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	char name[512];

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		unlink(name);
	}
	if (dir != NULL)
		closedir(dir);
	rmdir(path);
}

void rig_teardown(void)
{
	td_forker_destroy(rig_forker);
	td_tap_ring_destroy(rig_ring);
	close(rig_listener);
	remove_all(rig_captures);
	remove_all(folder);
}

struct td_fork_id rig_id_of(uint32_t index)
{
	return (struct td_fork_id){ td_handle_make(index, 1) };
}

int rig_open_fork(uint32_t index, const char *destination, struct td_live **live)
{
	struct td_command_fork_start start = { .stream_count = 2, .owner = index };

	start.what = destination != NULL ? TD_FORK_DESTINATION : TD_FORK_CAPTURE;
	snprintf(start.destination, sizeof start.destination, "%s",
		 destination != NULL ? destination : "");
	snprintf(start.call, sizeof start.call, "c%u", index);
	snprintf(start.tracks[0], sizeof start.tracks[0], "caller");
	snprintf(start.tracks[1], sizeof start.tracks[1], "agent");
	return td_forker_open(rig_forker, rig_id_of(index), &start, live);
}

bool rig_put(uint32_t index, uint8_t track, uint32_t number, uint8_t fill, uint64_t at_ns)
{
	struct td_tap_record *record = td_tap_reserve(rig_ring, 160);

	if (record == NULL)
		return false;
	record->arrival_ns = at_ns;
	record->tap = index;
	record->ssrc = 0x1000u + track;
	record->timestamp = 160 * number;
	record->sequence = (uint16_t)number;
	record->offered = (uint16_t)number;
	record->side = track;
	record->codec = TD_CODEC_PCMU;
	record->marker = 0;
	record->kind = TD_TAP_AUDIO;
	record->flags = 0;
	record->payload_len = 160;
	memset(record->payload, fill, 160);
	td_tap_commit(rig_ring);
	return true;
}
