// What an operator may do with conferences.
#include <stdio.h>
#include <string.h>

#include "call/conferences.h"
#include "call/manager.h"
#include "call/verbs_inside.h"
#include "td_command.h"

static int find(struct td_calls *calls, const char *name, struct td_conference **out,
		char why[TD_FEATURE_WHY_MAX])
{
	*out = td_conference_find(calls, name);
	return *out ? 0
		    : td_feature_fail(why, -TD_ENOT_FOUND, "there is no conference %.63s", name);
}

static int find_member(struct td_conference *conference, const char *id, struct td_leg **out,
		       char why[TD_FEATURE_WHY_MAX])
{
	struct td_list *it;

	TD_LIST_FOREACH (it, &conference->media.members) {
		struct td_leg *leg = TD_LIST_ENTRY(it, struct td_leg, media.member);
		char name[TD_CALL_ID_MAX + 8];

		if (leg->seated && strcmp(td_member_id(leg, name), id) == 0) {
			*out = leg;
			return 0;
		}
	}
	*out = NULL;
	return td_feature_fail(why, -TD_ENOT_FOUND, "conference %s has no member %.31s",
			       conference->name, id);
}

int td_conferences_create(struct td_calls *calls, const struct td_conference_settings *settings,
			  char why[TD_FEATURE_WHY_MAX])
{
	const char *const prompts[] = { settings->music, settings->entry, settings->leave };
	struct td_conference *conference;

	if (td_conference_find(calls, settings->name))
		return td_feature_fail(why, -TD_EEXISTS, "conference %.63s exists already",
				       settings->name);
	for (int i = 0; i < 3; i++) {
		if (prompts[i] &&
		    td_link_prompt(calls, settings->name, prompts[i]) == TD_MEDIA_NO_PROMPT)
			return td_feature_fail(why, -TD_ENOT_FOUND, "there is no prompt %.31s",
					       prompts[i]);
	}
	td_turn_begin(calls);
	conference = td_conference_make(calls, settings->name);
	if (conference) {
		conference->members_max = settings->members_max;
		conference->lecture = settings->lecture;
		td_inspect_put(conference->music, sizeof conference->music, settings->music);
		td_inspect_put(conference->entry, sizeof conference->entry, settings->entry);
		td_inspect_put(conference->leave, sizeof conference->leave, settings->leave);
		td_conference_load_prompts(conference);
		td_notice_conference(conference, NULL, TD_NOTICE_CONFERENCE_NEW);
	}
	td_turn_end(calls);
	return conference ? 0 : td_feature_fail(why, -TD_EFULL, "there is no room for another one");
}

int td_conferences_destroy(struct td_calls *calls, const char *name, char why[TD_FEATURE_WHY_MAX])
{
	struct td_conference *conference;
	struct td_list *it;
	int error = find(calls, name, &conference, why);

	if (error)
		return error;
	td_turn_begin(calls);
	conference->ending = !conference->permanent;
	TD_LIST_FOREACH (it, &conference->media.members)
		td_leg_hangup(calls, TD_LIST_ENTRY(it, struct td_leg, media.member),
			      TD_CAUSE_OPERATOR);
	td_conference_want(conference);
	td_turn_end(calls);
	return 0;
}

static int admits(const struct td_conference *conference, uint32_t more,
		  char why[TD_FEATURE_WHY_MAX])
{
	int error = td_conference_admits(conference, more);

	if (error == -TD_EDENIED)
		td_feature_fail(why, error, "conference %s is locked", conference->name);
	else if (error)
		td_feature_fail(why, error, "conference %s: %s", conference->name,
				error == -TD_EFULL ? "full" : "being destroyed");
	return error;
}

static struct td_call *make_invitation(struct td_calls *calls, struct td_conference *conference,
				       uint32_t agent, enum td_seat seat)
{
	struct td_call *call = td_call_create(calls, NULL, TD_CALL_QUEUE_NONE);

	if (!call)
		return NULL;
	call->conference = conference;
	call->agent_idx = agent;
	call->seat = (uint8_t)seat;
	call->max_forwards = 70;
	td_inspect_put(call->caller_name, sizeof call->caller_name, conference->name);
	td_inspect_put(call->called_name, sizeof call->called_name,
		       calls->config->agents[agent].id);
	// Whoever is called sees whom to expect; a name may be no user part.
	snprintf(call->caller_from, sizeof call->caller_from, "\"%s\" <sip:conference",
		 conference->name);
	return call;
}

int td_conferences_invite(struct td_calls *calls, const char *name, const char *agent,
			  enum td_seat seat, char why[TD_FEATURE_WHY_MAX])
{
	struct td_conference *conference;
	struct td_call *call;
	uint32_t idx;
	int error = find(calls, name, &conference, why);

	if (!error)
		error = admits(conference, 1, why);
	if (!error)
		error = td_feature_agent_free(calls, agent, &idx, why);
	if (error)
		return error;
	if (td_conference_moderated_by(conference, agent))
		seat = TD_SEAT_MODERATOR;
	td_turn_begin(calls);
	call = make_invitation(calls, conference, idx, seat);
	if (call) {
		td_notice_call(calls, call, TD_NOTICE_CALL_NEW);
		td_call_post(calls, call, TD_CALL_INVITE);
	}
	td_turn_end(calls);
	return call ? 0 : td_feature_fail(why, -TD_EFULL, "there is no room for another call");
}

int td_conferences_join(struct td_calls *calls, const char *name, const char *id, bool caller_only,
			enum td_seat seat, char why[TD_FEATURE_WHY_MAX])
{
	struct td_call *call = td_call_by_id(calls, id);
	struct td_conference *conference;
	int error = find(calls, name, &conference, why);

	if (error)
		return error;
	if (!call)
		return td_feature_fail(why, -TD_ENOT_FOUND, "there is no call %.23s", id);
	if (call->state != TD_CALL_TALKING || !call->caller || !call->agent)
		return td_feature_fail(why, -TD_ESTATE, "call %s is %s, not talking", id,
				       td_call_state_name((enum td_call_state)call->state));
	if (call->media.privacy.wanted || conference->media.privacy.wanted)
		return td_feature_fail(why, -TD_ESTATE, "what is said there is private now");
	error = admits(conference, caller_only ? 1 : 2, why);
	if (error)
		return error;
	td_turn_begin(calls);
	call->conference = conference;
	call->caller->seat = call->agent->seat = (uint8_t)seat;
	// Let go before the others move: it is none of those who become members.
	if (caller_only) {
		td_leg_hangup(calls, call->agent, TD_CAUSE_TRANSFERRED);
		td_call_let_agent_go(calls, call);
	}
	td_call_post(calls, call, TD_CALL_CONFER);
	td_turn_end(calls);
	return 0;
}

static bool has_both(const struct td_call *call)
{
	return call->caller && call->agent && call->caller->media.wanted &&
	       call->agent->media.wanted;
}

static void bring_back(struct td_calls *calls, struct td_call *call)
{
	struct td_leg *const legs[] = { call->caller, call->agent };
	struct td_conference *conference = call->conference;

	for (int i = 0; i < 2; i++) {
		td_conference_unseat(legs[i]);
		legs[i]->party.muted = legs[i]->party.deaf = false;
		td_media_enter(&call->media, legs[i]);
	}
	call->conference = NULL;
	td_call_post(calls, call, TD_CALL_REJOIN);
	td_conference_want(conference);
}

int td_conferences_leave(struct td_calls *calls, const char *name, const char *id,
			 char why[TD_FEATURE_WHY_MAX])
{
	struct td_call *call = td_call_by_id(calls, id);
	struct td_conference *conference;
	int error = find(calls, name, &conference, why);

	if (error)
		return error;
	if (!call || call->conference != conference || call->state != TD_CALL_CONFERENCE)
		return td_feature_fail(why, -TD_ENOT_FOUND, "call %.23s is not in conference %s",
				       id, conference->name);
	td_turn_begin(calls);
	if (has_both(call))
		bring_back(calls, call);
	else
		td_call_hangup(calls, call, TD_CAUSE_OPERATOR);
	td_turn_end(calls);
	return 0;
}

int td_conferences_kick(struct td_calls *calls, const char *name, const char *member,
			char why[TD_FEATURE_WHY_MAX])
{
	struct td_conference *conference;
	struct td_leg *leg = NULL;
	int error = find(calls, name, &conference, why);

	if (!error)
		error = find_member(conference, member, &leg, why);
	if (error)
		return error;
	td_turn_begin(calls);
	td_leg_hangup(calls, leg, TD_CAUSE_OPERATOR);
	td_turn_end(calls);
	return 0;
}

static void change_all(struct td_conference *conference, bool muted)
{
	struct td_list *it;

	conference->muted = muted;
	TD_LIST_FOREACH (it, &conference->media.members) {
		struct td_leg *leg = TD_LIST_ENTRY(it, struct td_leg, media.member);

		if (leg->seat != TD_SEAT_MODERATOR)
			leg->party.muted = muted;
	}
	td_conference_want_all(conference);
	td_notice_conference(conference, NULL, TD_NOTICE_CONFERENCE_STATE);
}

int td_conferences_change(struct td_calls *calls, const char *name, const char *member,
			  const struct td_party_change *change, char why[TD_FEATURE_WHY_MAX])
{
	struct td_conference *conference;
	struct td_leg *leg = NULL;
	int error = find(calls, name, &conference, why);

	if (!error && member)
		error = find_member(conference, member, &leg, why);
	if (error)
		return error;
	if (!leg && !change->set_muted)
		return td_feature_fail(why, -TD_EINVALID, "this is of one member");
	td_turn_begin(calls);
	if (leg) {
		td_feature_change(&leg->party, change);
		td_conference_want_leg(conference, leg);
		td_notice_conference(conference, leg, TD_NOTICE_CONFERENCE_MEMBER);
	} else {
		change_all(conference, change->muted);
	}
	td_turn_end(calls);
	return 0;
}

int td_conferences_seat(struct td_calls *calls, const char *name, const char *member,
			enum td_seat seat, char why[TD_FEATURE_WHY_MAX])
{
	struct td_conference *conference;
	struct td_leg *leg = NULL;
	int error = find(calls, name, &conference, why);

	if (!error)
		error = find_member(conference, member, &leg, why);
	if (error || !leg)
		return error;
	td_turn_begin(calls);
	leg->seat = (uint8_t)seat;
	td_conference_want_leg(conference, leg);
	td_notice_conference(conference, leg, TD_NOTICE_CONFERENCE_MEMBER);
	td_turn_end(calls);
	return 0;
}

int td_conferences_lecture(struct td_calls *calls, const char *name, bool lecture,
			   char why[TD_FEATURE_WHY_MAX])
{
	struct td_conference *conference;
	int error = find(calls, name, &conference, why);

	if (error)
		return error;
	td_turn_begin(calls);
	conference->lecture = lecture;
	td_conference_want_all(conference);
	td_notice_conference(conference, NULL, TD_NOTICE_CONFERENCE_STATE);
	td_turn_end(calls);
	return 0;
}

int td_conferences_lock(struct td_calls *calls, const char *name, bool locked,
			char why[TD_FEATURE_WHY_MAX])
{
	struct td_conference *conference;
	int error = find(calls, name, &conference, why);

	if (error)
		return error;
	td_turn_begin(calls);
	conference->locked = locked;
	td_notice_conference(conference, NULL, TD_NOTICE_CONFERENCE_STATE);
	td_turn_end(calls);
	return 0;
}

int td_conferences_play(struct td_calls *calls, const char *name, const char *member,
			const char *const *prompts, uint32_t count, char why[TD_FEATURE_WHY_MAX])
{
	struct td_play_item items[TD_PLAY_ITEM_MAX];
	struct td_conference *conference;
	struct td_leg *leg = NULL;
	int error = find(calls, name, &conference, why);

	if (!error && member)
		error = find_member(conference, member, &leg, why);
	if (!error)
		error = td_feature_items(calls, prompts, count, items, why);
	if (error)
		return error;
	if (conference->seated == 0)
		return td_feature_fail(why, -TD_ESTATE, "nobody is in conference %s", name);
	td_turn_begin(calls);
	error = td_media_announce(&conference->media, items, count, 0, leg);
	if (!error)
		td_conference_want(conference);
	td_turn_end(calls);
	return error ? td_feature_fail(why, error, "conference %s hears something already", name)
		     : 0;
}
