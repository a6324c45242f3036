#include "assembly.h"

#include <string.h>

struct world w;
char why[TD_FEATURE_WHY_MAX];

void assembly_open(void)
{
	world_open_with(&w, world_with_supervisor);
	world_register(&w);
}

void assembly_close(void)
{
	struct td_conference_info info;

	ck_assert_int_eq(td_conferences_destroy(w.calls, "room", why), 0);
	world_assert_empty(&w);
	ck_assert_int_eq(td_conferences_get(w.calls, "room", &info), 0);
	ck_assert_uint_eq(info.members + info.present, 0);
	world_close(&w);
}

bool list_member(void *user, const struct td_member_info *info)
{
	struct list *list = user;

	ck_assert_uint_lt(list->count, MEMBERS);
	list->members[list->count++] = *info;
	return true;
}

struct list members(const char *name)
{
	struct list list = { .count = 0 };

	td_conferences_members(w.calls, name, list_member, &list);
	return list;
}

const char *member(unsigned index)
{
	static struct list list;

	list = members("room");
	ck_assert_uint_lt(index, list.count);
	return list.members[index].id;
}

static void add(char *text, char letter)
{
	size_t length = strlen(text);

	text[length] = letter;
	text[length + 1] = '\0';
}

void assert_heard_in(const char *name, const char *expected)
{
	struct list list = members(name);
	char text[256] = "";

	for (unsigned to = 0; to < list.count; to++) {
		uint32_t stream = list.members[to].leg.stream.v;

		if (to)
			add(text, ' ');
		add(text, (char)('1' + to));
		add(text, ':');
		for (unsigned from = 0; from < list.count; from++) {
			if (dp_hears(&w.dp, stream, list.members[from].leg.stream.v))
				add(text, (char)('1' + from));
		}
		for (int i = 0; i < DP_OBJECTS; i++) {
			const struct td_member player = { TD_MEMBER_PLAYER,
							  w.dp.players[i].handle };

			if (w.dp.players[i].live && dp_gain(&w.dp, player, stream) > 0)
				add(text, w.dp.players[i].loops ? '*' : '!');
		}
	}
	ck_assert_str_eq(text, expected);
}

void dial(struct phone *phone)
{
	phone_call(phone, "800");
	world_settle(&w);
}

void three(void)
{
	dial(&w.caller);
	dial(&w.caller2);
	ck_assert_int_eq(td_conferences_invite(w.calls, "room", "1003", TD_SEAT_MEMBER, why), 0);
	world_settle(&w);
	assert_heard("1:23 2:13 3:12");
	// As the config says.
	ck_assert_str_eq(members("room").members[2].seat, "moderator");
}
