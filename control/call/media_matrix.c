// The gain matrix: what differs from what is wanted, as cells of an edit.
#include "call/media_inside.h"

// Silence comes first: where a change takes more than one edit, nobody hears too much meanwhile.
enum pass { PASS_SILENCE, PASS_SOUND, PASS_COUNT };

struct writer {
	struct td_cell *cells;
	uint32_t count;
	enum pass pass;
};

static struct td_member stream_of(const struct td_leg *leg)
{
	return (struct td_member){ TD_MEMBER_STREAM, leg->media.stream.v };
}

static struct td_member player_of(const struct td_media *media, uint32_t which)
{
	return (struct td_member){ TD_MEMBER_PLAYER, media->players[which].id.v };
}

static const struct td_member everybody = { TD_MEMBER_FLOOR, 0 };

static void add(struct writer *writer, struct td_member from, struct td_member to, int16_t have,
		int16_t want)
{
	enum pass pass = want == 0 ? PASS_SILENCE : PASS_SOUND;

	if (have == want || pass != writer->pass || writer->count == TD_EDIT_CELL_MAX)
		return;
	writer->cells[writer->count++] = (struct td_cell){ from, to, want };
}

// A stream that cells may name. Those of one that is leaving go with it.
static bool there(const struct td_media *media, const struct td_leg *leg)
{
	const struct td_leg_media *mine = &leg->media;

	return mine->stream.v != 0 && mine->at == media && mine->room == media && mine->wanted &&
	       !mine->failed && mine->waits == 0;
}

static bool player_there(const struct td_media *media, uint32_t which)
{
	return media->players[which].id.v != 0 && !media->players[which].ending;
}

static void add_players(struct writer *writer, const struct td_media *media,
			const struct td_leg *leg)
{
	for (uint32_t i = 0; i < TD_MEDIA_PLAYERS; i++) {
		if (player_there(media, i))
			add(writer, player_of(media, i), stream_of(leg), leg->media.player[i],
			    td_media_player_gain(media, leg, i));
	}
}

// Between the parties of a call.
static void add_pairs(struct writer *writer, const struct td_media *media)
{
	for (int from = 0; from < TD_MEDIA_SLOT_MAX; from++) {
		const struct td_leg *a = media->slots[from];

		if (!a || !there(media, a))
			continue;
		for (int to = 0; to < TD_MEDIA_SLOT_MAX; to++) {
			const struct td_leg *b = media->slots[to];

			if (b && from != to && there(media, b))
				add(writer, stream_of(a), stream_of(b), media->cells[from][to],
				    media->cells_wanted[from][to]);
		}
		add_players(writer, media, a);
	}
}

// Between the members of a conference and its floor.
static void add_floor(struct writer *writer, const struct td_media *media)
{
	struct td_list *it;

	for (uint32_t i = 0; i < TD_MEDIA_PLAYERS; i++) {
		if (player_there(media, i))
			add(writer, player_of(media, i), everybody, media->players[i].floor,
			    media->players[i].floor_wanted);
	}
	TD_LIST_FOREACH (it, &media->work) {
		const struct td_leg *leg = TD_LIST_ENTRY(it, struct td_leg, media.work);

		if (writer->count == TD_EDIT_CELL_MAX)
			return;
		if (!there(media, leg))
			continue;
		add(writer, stream_of(leg), everybody, leg->media.talk, leg->media.talk_wanted);
		add(writer, everybody, stream_of(leg), leg->media.hear, leg->media.hear_wanted);
		add_players(writer, media, leg);
	}
}

bool td_media_next_edit(struct td_media *media, struct td_command *command)
{
	struct td_command_matrix_edit *edit = &command->u.matrix_edit;
	struct writer writer = { .cells = edit->cells };

	for (; writer.pass < PASS_COUNT; writer.pass++) {
		if (media->call)
			add_pairs(&writer, media);
		else
			add_floor(&writer, media);
	}
	command->kind = TD_COMMAND_MATRIX_EDIT;
	edit->context = media->context;
	edit->cell_count = writer.count;
	return writer.count > 0;
}

static void first_pairs(struct writer *writer, const struct td_media *media,
			const struct td_leg *leg)
{
	uint8_t slot = leg->media.slot;

	for (int i = 0; slot != TD_MEDIA_SLOT_NONE && i < TD_MEDIA_SLOT_MAX; i++) {
		const struct td_leg *other = media->slots[i];

		if (!other || other == leg || !there(media, other))
			continue;
		add(writer, stream_of(leg), stream_of(other), 0, media->cells_wanted[slot][i]);
		add(writer, stream_of(other), stream_of(leg), 0, media->cells_wanted[i][slot]);
	}
}

uint32_t td_media_first_cells(struct td_media *media, const struct td_leg *leg,
			      struct td_cell cells[TD_EDIT_CELL_MAX])
{
	struct writer writer = { .cells = cells, .pass = PASS_SOUND };

	if (media->call) {
		first_pairs(&writer, media, leg);
	} else {
		add(&writer, stream_of(leg), everybody, 0, leg->media.talk_wanted);
		add(&writer, everybody, stream_of(leg), 0, leg->media.hear_wanted);
	}
	for (uint32_t i = 0; i < TD_MEDIA_PLAYERS; i++) {
		if (player_there(media, i))
			add(&writer, player_of(media, i), stream_of(leg), 0,
			    td_media_player_gain(media, leg, i));
	}
	writer.count += td_forks_first_cells(media, leg->media.stream, cells + writer.count,
					     TD_EDIT_CELL_MAX - writer.count);
	return writer.count;
}

struct td_leg *td_media_find_leg(const struct td_media *media, uint32_t stream)
{
	struct td_list *it;

	TD_LIST_FOREACH (it, &media->work) {
		struct td_leg *leg = TD_LIST_ENTRY(it, struct td_leg, media.work);

		if (leg->media.stream.v == stream)
			return leg;
	}
	TD_LIST_FOREACH (it, &media->members) {
		struct td_leg *leg = TD_LIST_ENTRY(it, struct td_leg, media.member);

		if (leg->media.stream.v == stream)
			return leg;
	}
	return NULL;
}

// Where what we have of this cell is kept; NULL when one of its ends is gone.
static int16_t *place(struct td_media *media, const struct td_cell *cell)
{
	struct td_leg *from = NULL, *to = NULL;

	if (cell->from.kind == TD_MEMBER_STREAM)
		from = td_media_find_leg(media, cell->from.handle);
	if (cell->to.kind == TD_MEMBER_STREAM)
		to = td_media_find_leg(media, cell->to.handle);
	if (from && to)
		return &media->cells[from->media.slot][to->media.slot];
	if (from && cell->to.kind == TD_MEMBER_FLOOR)
		return &from->media.talk;
	if (to && cell->from.kind == TD_MEMBER_FLOOR)
		return &to->media.hear;
	for (uint32_t i = 0; i < TD_MEDIA_PLAYERS && cell->from.kind == TD_MEMBER_PLAYER; i++) {
		if (media->players[i].id.v != cell->from.handle)
			continue;
		if (cell->to.kind == TD_MEMBER_FLOOR)
			return &media->players[i].floor;
		return to ? &to->media.player[i] : NULL;
	}
	return NULL;
}

void td_media_take_cells(struct td_media *media, const struct td_cell *cells, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		int16_t *have = place(media, &cells[i]);

		if (have)
			*have = (int16_t)cells[i].gain_q12;
	}
}

void td_media_save_cells(struct td_media *media, const struct td_cell *cells, uint32_t count,
			 struct td_cell undo[TD_EDIT_CELL_MAX])
{
	for (uint32_t i = 0; i < count; i++) {
		const int16_t *have = place(media, &cells[i]);

		undo[i] = cells[i];
		undo[i].gain_q12 = have ? *have : 0;
	}
}

void td_media_forget_cells(struct td_media *media, struct td_leg *leg)
{
	uint8_t slot = leg->media.slot;

	leg->media.talk = leg->media.hear = 0;
	for (int i = 0; i < TD_MEDIA_PLAYERS; i++)
		leg->media.player[i] = 0;
	for (int i = 0; slot != TD_MEDIA_SLOT_NONE && i < TD_MEDIA_SLOT_MAX; i++)
		media->cells[slot][i] = media->cells[i][slot] = 0;
}
