// Verbs about conferences.
#include <string.h>

#include "api/core.h"
#include "api/describe.h"
#include "api/verbs.h"
#include "call/conferences.h"
#include "td_command.h"

#define MEMBERS_DEFAULT 100

static const char *name_of(const struct td_rpc_call *call)
{
	return td_rpc_string(call, "name", "");
}

static bool add_conference(void *user, const struct td_conference_info *info)
{
	json_array_append_new(user, td_describe_conference(info));
	return true;
}

json_t *td_verb_conference_list(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	json_t *list = json_array();

	td_conferences_foreach(api->deps.calls, add_conference, list);
	return json_pack("{s:o}", "conferences", list);
}

static TD_CONTROL json_t *finish(struct td_rpc_call *call, int error, const char *why)
{
	struct td_api *api = call->context;
	struct td_conference_info info;

	if (error)
		return td_rpc_fail_error(call, error, why);
	if (td_conferences_get(api->deps.calls, name_of(call), &info) != 0)
		return json_object(); // it has just gone
	return td_describe_conference(&info);
}

struct page {
	json_t *items;
	int64_t skip, limit;
};

static bool add_member(void *user, const struct td_member_info *info)
{
	struct page *page = user;

	if (page->skip-- > 0)
		return true;
	json_array_append_new(page->items, td_describe_member(info));
	return --page->limit > 0;
}

json_t *td_verb_conference_get(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	struct td_conference_info info;
	struct page page = {
		.items = json_array(),
		.skip = td_rpc_integer(call, "offset", 0),
		.limit = td_rpc_integer(call, "limit", 1000),
	};
	json_t *out;

	if (td_conferences_get(api->deps.calls, name_of(call), &info) != 0) {
		json_decref(page.items);
		return td_rpc_fail(call, TD_RPC_NOT_FOUND, "there is no conference %s",
				   name_of(call));
	}
	td_conferences_members(api->deps.calls, name_of(call), add_member, &page);
	out = td_describe_conference(&info);
	json_object_set_new(out, "list", page.items);
	return out;
}

json_t *td_verb_conference_create(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	const struct td_conference_settings settings = {
		.name = name_of(call),
		.music = td_rpc_string(call, "music", NULL),
		.entry = td_rpc_string(call, "entry", NULL),
		.leave = td_rpc_string(call, "leave", NULL),
		.members_max = (uint32_t)td_rpc_integer(call, "members_max", MEMBERS_DEFAULT),
		.lecture = td_rpc_boolean(call, "lecture", false),
	};
	char why[TD_FEATURE_WHY_MAX] = "";

	return finish(call, td_conferences_create(api->deps.calls, &settings, why), why);
}

json_t *td_verb_conference_destroy(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	char why[TD_FEATURE_WHY_MAX] = "";

	return finish(call, td_conferences_destroy(api->deps.calls, name_of(call), why), why);
}

static enum td_seat seat_of(const struct td_rpc_call *call)
{
	const char *seat = td_rpc_string(call, "seat", "member");

	for (int i = 0; i < TD_SEAT_COUNT; i++) {
		if (strcmp(seat, td_seat_name((enum td_seat)i)) == 0)
			return (enum td_seat)i;
	}
	return TD_SEAT_MEMBER;
}

json_t *td_verb_conference_join(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	const char *agent = td_rpc_string(call, "agent", NULL);
	const char *id = td_rpc_string(call, "call", NULL);
	bool caller_only = strcmp(td_rpc_string(call, "party", "both"), "caller") == 0;
	char why[TD_FEATURE_WHY_MAX] = "";
	int error;

	if (!agent == !id)
		return td_rpc_fail(call, TD_RPC_PARAMS, "give either agent or call");
	error = agent ? td_conferences_invite(api->deps.calls, name_of(call), agent, seat_of(call),
					      why)
		      : td_conferences_join(api->deps.calls, name_of(call), id, caller_only,
					    seat_of(call), why);
	return finish(call, error, why);
}

json_t *td_verb_conference_leave(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	char why[TD_FEATURE_WHY_MAX] = "";

	return finish(call,
		      td_conferences_leave(api->deps.calls, name_of(call),
					   td_rpc_string(call, "call", ""), why),
		      why);
}

json_t *td_verb_conference_kick(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	char why[TD_FEATURE_WHY_MAX] = "";

	return finish(call,
		      td_conferences_kick(api->deps.calls, name_of(call),
					  td_rpc_string(call, "member", ""), why),
		      why);
}

static TD_CONTROL json_t *change(struct td_rpc_call *call, const struct td_party_change *what)
{
	struct td_api *api = call->context;
	char why[TD_FEATURE_WHY_MAX] = "";

	return finish(call,
		      td_conferences_change(api->deps.calls, name_of(call),
					    td_rpc_string(call, "member", NULL), what, why),
		      why);
}

json_t *td_verb_conference_mute(struct td_rpc_call *call)
{
	return change(call, &(struct td_party_change){ .set_muted = true, .muted = true });
}

json_t *td_verb_conference_unmute(struct td_rpc_call *call)
{
	return change(call, &(struct td_party_change){ .set_muted = true });
}

json_t *td_verb_conference_deaf(struct td_rpc_call *call)
{
	return change(call, &(struct td_party_change){ .set_deaf = true, .deaf = true });
}

json_t *td_verb_conference_undeaf(struct td_rpc_call *call)
{
	return change(call, &(struct td_party_change){ .set_deaf = true });
}

json_t *td_verb_conference_volume(struct td_rpc_call *call)
{
	struct td_party_change what = { 0 };

	td_verb_volume_change(call, &what);
	return change(call, &what);
}

json_t *td_verb_conference_seat(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	char why[TD_FEATURE_WHY_MAX] = "";

	return finish(call,
		      td_conferences_seat(api->deps.calls, name_of(call),
					  td_rpc_string(call, "member", ""), seat_of(call), why),
		      why);
}

json_t *td_verb_conference_lecture(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	char why[TD_FEATURE_WHY_MAX] = "";

	return finish(call,
		      td_conferences_lecture(api->deps.calls, name_of(call),
					     td_rpc_boolean(call, "lecture", true), why),
		      why);
}

static TD_CONTROL json_t *lock(struct td_rpc_call *call, bool locked)
{
	struct td_api *api = call->context;
	char why[TD_FEATURE_WHY_MAX] = "";

	return finish(call, td_conferences_lock(api->deps.calls, name_of(call), locked, why), why);
}

json_t *td_verb_conference_lock(struct td_rpc_call *call)
{
	return lock(call, true);
}

json_t *td_verb_conference_unlock(struct td_rpc_call *call)
{
	return lock(call, false);
}

json_t *td_verb_conference_play(struct td_rpc_call *call)
{
	struct td_api *api = call->context;
	const char *prompts[TD_PLAY_ITEM_MAX];
	char why[TD_FEATURE_WHY_MAX] = "";
	uint32_t count = td_verb_prompts(call, prompts);

	return finish(call,
		      td_conferences_play(api->deps.calls, name_of(call),
					  td_rpc_string(call, "member", NULL), prompts, count, why),
		      why);
}
