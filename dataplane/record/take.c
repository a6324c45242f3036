#include "record/take.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 16

// Room for one more of `size` bytes in a list; false: there is none.
static bool grow(void **list, unsigned *room, unsigned count, unsigned max, size_t size)
{
	unsigned more = *room ? 2 * *room : ROOM_FIRST;
	void *bigger;

	if (count < *room)
		return true;
	if (count >= max)
		return false;
	more = more < max ? more : max;
	bigger = realloc(*list, more * size);
	if (!bigger)
		return false;
	*list = bigger;
	*room = more;
	return true;
}

void td_take_note(struct td_take *take, const char *key, const char *text)
{
	struct td_take_note *note;

	if (!take->notes)
		take->notes = calloc(TD_TAKE_NOTES_MAX, sizeof *take->notes);
	for (unsigned i = 0; take->notes && i <= take->note_count && i < TD_TAKE_NOTES_MAX; i++) {
		note = &take->notes[i];
		if (i < take->note_count && strcmp(note->key, key) != 0)
			continue;
		take->note_count += i == take->note_count;
		snprintf(note->key, sizeof note->key, "%s", key);
		snprintf(note->text, sizeof note->text, "%s", text);
		return;
	}
	take->forgotten++;
}

void td_take_gap(struct td_take *take, const struct td_take_gap *gap)
{
	void *list = take->gaps;

	if (!grow(&list, &take->gap_room, take->gap_count, TD_TAKE_GAPS_MAX, sizeof *gap)) {
		take->forgotten++;
		return;
	}
	take->gaps = list;
	take->gaps[take->gap_count++] = *gap;
}

struct td_take_mark *td_take_mark(struct td_take *take, enum td_take_mark_kind kind, uint64_t at_ms,
				  const char *text)
{
	void *list = take->marks;
	struct td_take_mark *mark;

	if (!grow(&list, &take->mark_room, take->mark_count, TD_TAKE_MARKS_MAX, sizeof *mark)) {
		take->forgotten++;
		return NULL;
	}
	take->marks = list;
	mark = &take->marks[take->mark_count++];
	*mark = (struct td_take_mark){ .at_ms = at_ms, .kind = (uint8_t)kind };
	snprintf(mark->text, sizeof mark->text, "%s", text);
	return mark;
}

void td_take_fini(struct td_take *take)
{
	free(take->notes);
	free(take->gaps);
	free(take->marks);
	memset(take, 0, sizeof *take);
}
