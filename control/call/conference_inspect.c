// Copying out what others may see of conferences.
#include <stdio.h>
#include <string.h>

#include "call/conferences.h"
#include "call/manager.h"

const char *td_member_id(const struct td_leg *leg, char out[TD_CALL_ID_MAX + 8])
{
	bool second = leg == leg->call->agent && leg->call->trunk;

	snprintf(out, TD_CALL_ID_MAX + 8, "%s%s", leg->call->id, second ? "-agent" : "");
	return out;
}

void td_conference_describe(const struct td_conference *conference, struct td_conference_info *out)
{
	*out = (struct td_conference_info){
		.permanent = conference->permanent,
		.lecture = conference->lecture,
		.locked = conference->locked,
		.muted = conference->muted,
		.members = conference->media.member_count,
		.present = conference->seated,
		.members_max = conference->members_max,
		.created_utc_ms = conference->created_utc_ms,
		.context = conference->media.context,
	};
	td_inspect_put(out->name, sizeof out->name, conference->name);
	td_recording_describe(&conference->media, &out->recording);
}

void td_member_describe(const struct td_leg *leg, struct td_member_info *out)
{
	memset(out, 0, sizeof *out);
	td_member_id(leg, out->id);
	td_inspect_put(out->call, sizeof out->call, leg->call->id);
	td_inspect_put(out->seat, sizeof out->seat, td_seat_name((enum td_seat)leg->seat));
	td_leg_describe(leg->call->calls, leg->call, leg, &out->leg);
	out->talk_q12 = leg->media.talk_wanted;
	out->hear_q12 = leg->media.hear_wanted;
}

unsigned td_conferences_foreach(struct td_calls *calls,
				bool (*fn)(void *user, const struct td_conference_info *info),
				void *user)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < calls->conference_slots.count; i++) {
		struct td_conference_info info;

		if (!td_slots_live(&calls->conference_slots, i))
			continue;
		td_conference_describe(&calls->conferences[i], &info);
		count++;
		if (!fn(user, &info))
			break;
	}
	return count;
}

int td_conferences_get(struct td_calls *calls, const char *name, struct td_conference_info *out)
{
	const struct td_conference *conference = td_conference_find(calls, name);

	if (!conference)
		return -TD_ENOT_FOUND;
	td_conference_describe(conference, out);
	return 0;
}

void td_conferences_members(struct td_calls *calls, const char *name,
			    bool (*fn)(void *user, const struct td_member_info *info), void *user)
{
	const struct td_conference *conference = td_conference_find(calls, name);
	struct td_list *it;

	if (!conference)
		return;
	TD_LIST_FOREACH (it, &conference->media.members) {
		struct td_member_info info;

		td_member_describe(TD_LIST_ENTRY(it, struct td_leg, media.member), &info);
		if (!fn(user, &info))
			break;
	}
}
