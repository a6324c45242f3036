#include "record/reorder.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_MS 1000000ull
#define JUMP      1000 // a sequence number so far ahead is a new beginning, not a loss

static void deliver_held(struct td_reorder *reorder, td_reorder_deliver_fn *deliver, void *user)
{
	while (reorder->held > 0) {
		unsigned slot = reorder->next % TD_REORDER_HELD;

		if (!reorder->full[slot])
			return;
		reorder->full[slot] = false;
		reorder->held--;
		reorder->next++;
		deliver(user, reorder->slots[slot], false);
	}
}

// Whoever is missing before the first that waits is not waited for any more.
static void skip(struct td_reorder *reorder, td_reorder_deliver_fn *deliver, void *user)
{
	while (!reorder->full[reorder->next % TD_REORDER_HELD]) {
		reorder->next++;
		reorder->lost++;
	}
	deliver_held(reorder, deliver, user);
}

static void drain(struct td_reorder *reorder, td_reorder_deliver_fn *deliver, void *user)
{
	while (reorder->held > 0)
		skip(reorder, deliver, user);
}

static bool hold(struct td_reorder *reorder, const struct td_tap_record *record)
{
	unsigned slot = record->sequence % TD_REORDER_HELD;

	if (reorder->full[slot])
		return true; // the same again
	if (!reorder->slots[slot])
		reorder->slots[slot] = malloc(sizeof *record);
	if (!reorder->slots[slot])
		return false;
	memcpy(reorder->slots[slot], record,
	       offsetof(struct td_tap_record, payload) + record->payload_len);
	if (reorder->held++ == 0)
		reorder->since_ns = record->arrival_ns;
	reorder->full[slot] = true;
	return true;
}

static void begin(struct td_reorder *reorder, const struct td_tap_record *record)
{
	reorder->started = true;
	reorder->ssrc = record->ssrc;
	reorder->next = (uint16_t)(record->sequence + 1u);
}

// The one that was waited for, or one that nothing can be waited for.
static void pass(struct td_reorder *reorder, const struct td_tap_record *record,
		 td_reorder_deliver_fn *deliver, void *user)
{
	reorder->next = (uint16_t)(record->sequence + 1u);
	deliver(user, record, false);
	deliver_held(reorder, deliver, user);
}

void td_reorder_put(struct td_reorder *reorder, const struct td_tap_record *record,
		    td_reorder_deliver_fn *deliver, void *user)
{
	int ahead = (int16_t)(record->sequence - reorder->next);

	if (!reorder->started || reorder->ssrc != record->ssrc || ahead > JUMP || ahead < -JUMP) {
		drain(reorder, deliver, user);
		begin(reorder, record);
		deliver(user, record, false);
		return;
	}
	if (ahead < 0) {
		reorder->lost--;
		deliver(user, record, true);
		return;
	}
	while (ahead >= TD_REORDER_HELD && reorder->held > 0) {
		skip(reorder, deliver, user);
		ahead = (int16_t)(record->sequence - reorder->next);
	}
	if (ahead > 0 && ahead < TD_REORDER_HELD && hold(reorder, record))
		return;
	if (ahead > 0) {
		drain(reorder, deliver, user);
		reorder->lost += (int16_t)(record->sequence - reorder->next);
	}
	pass(reorder, record, deliver, user);
}

void td_reorder_expire(struct td_reorder *reorder, uint64_t now_ns, td_reorder_deliver_fn *deliver,
		       void *user)
{
	if (reorder->held > 0 && now_ns > reorder->since_ns + TD_REORDER_WAIT_MS * NS_PER_MS)
		drain(reorder, deliver, user);
}

void td_reorder_fini(struct td_reorder *reorder)
{
	for (unsigned i = 0; i < TD_REORDER_HELD; i++)
		free(reorder->slots[i]);
	memset(reorder, 0, sizeof *reorder);
}
