#include "call/forks_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/fork_wish.h"
#include "call/manager.h"
#include "link/link.h"

struct fork_record {
	struct td_forks *forks;
	bool used;
	bool answered; // FORK_START is
	bool stop;     // as soon as it is
	bool closed;   // nothing more comes of it
	uint32_t serial;
	struct td_context_id context;
	struct td_fork_hearing hearing;
	struct td_fork_info info;
	td_fork_started_fn done; // until it has been called
	void *user;
};

struct td_forks {
	struct td_calls *calls;
	uint32_t count, used;
	struct fork_record *records;
};

const char *td_fork_state_name(enum td_fork_state state)
{
	static const char *const names[] = { "starting", "running", "stopping" };

	return names[state];
}

int td_forks_create(struct td_calls *calls, uint32_t count)
{
	struct td_forks *forks = calloc(1, sizeof *forks);

	if (!forks)
		return -TD_EMEMORY;
	forks->records = calloc(count + 1u, sizeof *forks->records);
	if (!forks->records) {
		free(forks);
		return -TD_EMEMORY;
	}
	forks->calls = calls;
	forks->count = count;
	calls->forks = forks;
	return 0;
}

void td_forks_destroy(struct td_forks *forks)
{
	if (!forks)
		return;
	free(forks->records);
	free(forks);
}

// What the dataplane gives back with every event: slot and serial, so that an old one finds nothing.
static uint64_t owner_of(const struct fork_record *record)
{
	return (uint64_t)record->serial << 32 | (uint32_t)(record - record->forks->records);
}

static struct fork_record *by_owner(struct td_forks *forks, uint64_t owner)
{
	uint32_t at = (uint32_t)owner;

	if (at >= forks->count || !forks->records[at].used ||
	    forks->records[at].serial != (uint32_t)(owner >> 32))
		return NULL;
	return &forks->records[at];
}

static struct fork_record *by_id(const struct td_forks *forks, uint32_t id)
{
	for (uint32_t i = 0; id != 0 && forks->used > 0 && i < forks->count; i++)
		if (forks->records[i].used && forks->records[i].info.id == id)
			return &forks->records[i];
	return NULL;
}

static void forget(struct fork_record *record)
{
	record->used = false;
	record->forks->used--;
}

static void answer(struct fork_record *record, int error)
{
	td_fork_started_fn done = record->done;

	record->done = NULL;
	if (done)
		done(record->user, error, &record->info);
}

static void stop(struct fork_record *record)
{
	struct td_command command = { .kind = TD_COMMAND_FORK_STOP };

	record->stop = true;
	if (!record->answered || record->info.state == TD_FORK_STOPPING)
		return; // when it is known what to stop; or it is done
	td_on_control();
	command.u.fork_stop.v = record->info.id;
	// A link that is full has a busy call's other commands before it: the far end's going, the
	// context's end or the operator asks again.
	if (td_link_submit(record->forks->calls->deps.link, &command, NULL, NULL) == 0)
		record->info.state = TD_FORK_STOPPING;
}

static void on_heard(void *user, const struct td_event *event)
{
	struct fork_record *record = user;

	answer(record, event->result);
	if (event->result != 0)
		stop(record);
	if (record->closed)
		forget(record);
}

static struct td_cell cell_of(const struct fork_record *record, struct td_member to)
{
	return (struct td_cell){ { TD_MEMBER_PLAYER, record->info.player.v }, to, TD_GAIN_UNITY };
}

// Those of who are to hear it that are where it speaks.
static uint32_t hearing_cells(const struct fork_record *record, struct td_cell *cells)
{
	const struct td_media *media = td_media_find(record->forks->calls, record->context);
	uint32_t count = 0;

	if (record->hearing.floor)
		cells[count++] = cell_of(record, (struct td_member){ TD_MEMBER_FLOOR, 0 });
	for (uint32_t i = 0; media && i < record->hearing.count; i++) {
		const struct td_leg *leg = td_media_find_leg(media, record->hearing.streams[i].v);

		if (leg && leg->media.at == media)
			cells[count++] =
				cell_of(record, (struct td_member){ TD_MEMBER_STREAM,
								    record->hearing.streams[i].v });
	}
	return count;
}

// Those who were named hear it, and who asked is answered.
static void let_hear(struct fork_record *record)
{
	struct td_command command = { .kind = TD_COMMAND_MATRIX_EDIT };
	struct td_command_matrix_edit *edit = &command.u.matrix_edit;
	int error;

	edit->context = record->context;
	if (record->info.player.v != 0)
		edit->cell_count = hearing_cells(record, edit->cells);
	if (edit->cell_count == 0) {
		answer(record, 0);
		return;
	}
	td_on_control();
	error = td_link_submit(record->forks->calls->deps.link, &command, on_heard, record);
	if (error) {
		answer(record, error);
		stop(record);
	}
}

uint32_t td_forks_first_cells(const struct td_media *media, struct td_stream_id stream,
			      struct td_cell *cells, uint32_t max)
{
	const struct td_forks *forks = media->calls->forks;
	uint32_t count = 0;

	for (uint32_t i = 0; forks->used > 0 && i < forks->count && count < max; i++) {
		const struct fork_record *record = &forks->records[i];

		if (!record->used || record->context.v != media->context.v ||
		    record->info.player.v == 0 || record->info.state != TD_FORK_RUNNING)
			continue;
		for (uint32_t j = 0; j < record->hearing.count && count < max; j++)
			if (record->hearing.streams[j].v == stream.v)
				cells[count++] = cell_of(
					record, (struct td_member){ TD_MEMBER_STREAM, stream.v });
	}
	return count;
}

static void on_started(void *user, const struct td_event *event)
{
	struct fork_record *record = user;

	if (event->result != 0) {
		answer(record, event->result);
		forget(record);
		return;
	}
	record->answered = true;
	record->info.id = event->u.fork_started.fork.v;
	record->info.player = event->u.fork_started.player;
	record->info.state = TD_FORK_RUNNING;
	td_notice_fork(record->forks->calls, &record->info, TD_NOTICE_FORK_STARTED);
	if (record->stop || record->info.result != 0)
		stop(record);
	let_hear(record);
}

static struct fork_record *take_record(struct td_forks *forks)
{
	for (uint32_t i = 0; i < forks->count; i++) {
		struct fork_record *record = &forks->records[i];

		if (record->used)
			continue;
		*record = (struct fork_record){ .forks = forks,
						.used = true,
						.serial = record->serial + 1u };
		forks->used++;
		return record;
	}
	return NULL;
}

int td_calls_fork_start(struct td_calls *calls, const struct td_fork_wish *wish,
			td_fork_started_fn done, void *user)
{
	struct td_command command = { .kind = TD_COMMAND_FORK_START };
	struct td_command_fork_start *start = &command.u.fork_start;
	struct fork_record *record;
	int error;

	if (wish->name && !td_fork_wish_destination(calls->config, wish->name))
		return -TD_ENOT_FOUND;
	record = take_record(calls->forks);
	if (!record)
		return -TD_EFULL;
	td_on_control();
	error = td_fork_wish_fill(calls, wish, start, &record->hearing, &record->info);
	record->context = start->context;
	record->info.started_utc_ms = td_calls_wall_ms(calls);
	record->done = done;
	record->user = user;
	start->owner = owner_of(record);
	if (!error)
		error = td_link_submit(calls->deps.link, &command, on_started, record);
	if (error)
		forget(record);
	return error;
}

int td_calls_fork_stop(struct td_calls *calls, uint32_t id)
{
	struct fork_record *record = by_id(calls->forks, id);

	if (!record)
		return -TD_ENOT_FOUND;
	stop(record);
	return 0;
}

int td_calls_fork_get(struct td_calls *calls, uint32_t id, struct td_fork_info *out)
{
	const struct fork_record *record = by_id(calls->forks, id);

	if (!record)
		return -TD_ENOT_FOUND;
	*out = record->info;
	return 0;
}

bool td_calls_fork_at(const struct td_calls *calls, uint32_t place, struct td_fork_info *out)
{
	const struct td_forks *forks = calls->forks;

	for (uint32_t i = 0; i < forks->count; i++) {
		if (!forks->records[i].used || place-- > 0)
			continue;
		*out = forks->records[i].info;
		return true;
	}
	return false;
}

bool td_calls_fork_writes(const struct td_calls *calls, const char *file)
{
	const struct td_forks *forks = calls->forks;

	for (uint32_t i = 0; i < forks->count; i++)
		if (forks->records[i].used && strcmp(forks->records[i].info.seen.file, file) == 0)
			return true;
	return false;
}

// A context that was there for its forks alone is no more.
static void want_less(struct td_calls *calls, const struct fork_record *record)
{
	struct td_call *call =
		record->info.call[0] ? td_call_by_id(calls, record->info.call) : NULL;

	if (call && call->state == TD_CALL_CONFERENCE)
		td_call_want(calls, call);
}

void td_forks_event(struct td_calls *calls, const struct td_event *event)
{
	struct fork_record *record = by_owner(calls->forks, event->u.fork.owner);

	if (!record)
		return;
	record->info.seen = event->u.fork;
	if (event->result != 0)
		record->info.result = event->result;
	if (event->kind == TD_EVENT_FORK_ENDED) {
		stop(record);
	} else if (event->kind == TD_EVENT_FORK_CLOSED) {
		td_notice_fork(calls, &record->info, TD_NOTICE_FORK_ENDED);
		record->closed = true;
		record->context.v = 0;
		want_less(calls, record);
		if (!record->done) // else when who waits has been answered
			forget(record);
	}
}

void td_forks_lost(struct td_calls *calls)
{
	struct td_forks *forks = calls->forks;

	// Requests under way have been answered by the link before.
	for (uint32_t i = 0; i < forks->count; i++) {
		struct fork_record *record = &forks->records[i];

		if (!record->used)
			continue;
		record->info.result = -TD_ELINK_DOWN;
		if (record->answered && !record->closed)
			td_notice_fork(calls, &record->info, TD_NOTICE_FORK_ENDED);
		forget(record);
	}
}

bool td_forks_in(const struct td_calls *calls, const struct td_media *media)
{
	const struct td_forks *forks = calls->forks;

	for (uint32_t i = 0; forks->used > 0 && media->context.v != 0 && i < forks->count; i++)
		if (forks->records[i].used && forks->records[i].context.v == media->context.v)
			return true;
	return false;
}
