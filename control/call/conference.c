// Rooms, and who is in them.
#include "call/conference.h"

#include <stdio.h>
#include <string.h>

#include "call/manager.h"
#include "td_assert.h"
#include "td_command.h"

struct td_floor_gains td_conference_gains(bool lecture, enum td_seat seat,
					  const struct td_party *party)
{
	struct td_floor_gains gains = { party->talk_q12, party->hear_q12 };

	if (party->away || party->muted || seat == TD_SEAT_LISTENER ||
	    (lecture && seat != TD_SEAT_MODERATOR))
		gains.talk = 0;
	if (party->away || party->deaf)
		gains.hear = 0;
	return gains;
}

const char *td_conference_name(const struct td_conference *conference)
{
	return conference->name;
}

struct td_conference *td_conference_find(struct td_calls *calls, const char *name)
{
	for (uint32_t i = 0; i < calls->conference_slots.count; i++) {
		if (td_slots_live(&calls->conference_slots, i) &&
		    strcmp(calls->conferences[i].name, name) == 0)
			return &calls->conferences[i];
	}
	return NULL;
}

struct td_conference *td_conference_make(struct td_calls *calls, const char *name)
{
	uint32_t idx = td_slots_take(&calls->conference_slots);
	struct td_conference *conference;

	if (idx == TD_SLOT_NONE)
		return NULL;
	conference = &calls->conferences[idx];
	memset(conference, 0, sizeof *conference);
	td_media_init(&conference->media, calls, NULL, conference);
	conference->calls = calls;
	conference->idx = idx;
	conference->created_utc_ms = td_calls_wall_ms(calls);
	conference->music_prompt = conference->entry_prompt = conference->leave_prompt =
		TD_MEDIA_NO_PROMPT;
	td_inspect_put(conference->name, sizeof conference->name, name);
	return conference;
}

int td_conference_fill(struct td_calls *calls)
{
	for (unsigned i = 0; i < calls->config->conferences_count; i++) {
		const struct td_config_conference *config = &calls->config->conferences[i];
		struct td_conference *conference = td_conference_make(calls, config->name);

		if (!conference)
			return -TD_EMEMORY;
		conference->config = config;
		conference->permanent = true;
		conference->lecture = config->lecture;
		conference->members_max = config->members_max;
		td_inspect_put(conference->music, sizeof conference->music, config->music);
		td_inspect_put(conference->entry, sizeof conference->entry, config->entry);
		td_inspect_put(conference->leave, sizeof conference->leave, config->leave);
	}
	return 0;
}

void td_conference_load_prompts(struct td_conference *conference)
{
	struct td_calls *calls = conference->calls;

	conference->music_prompt = td_link_prompt(calls, conference->name, conference->music);
	conference->entry_prompt = td_link_prompt(calls, conference->name, conference->entry);
	conference->leave_prompt = td_link_prompt(calls, conference->name, conference->leave);
}

static bool present(const struct td_conference *conference, const struct td_leg *leg)
{
	return leg->media.wanted && !leg->media.failed && leg->media.room == &conference->media &&
	       leg->seated && leg->media.remote_known && !td_sdp_held(&leg->agreed);
}

static void set_gains(struct td_conference *conference, struct td_leg *leg)
{
	struct td_party party = leg->party;
	struct td_floor_gains gains;

	party.away = !present(conference, leg);
	gains = td_conference_gains(conference->lecture, (enum td_seat)leg->seat, &party);
	leg->media.talk_wanted = (int16_t)gains.talk;
	leg->media.hear_wanted = (int16_t)gains.hear;
	leg->media.player_wanted[TD_MEDIA_ANNOUNCE] = (int16_t)td_party_play_gain(&party);
	td_media_touch(leg);
}

void td_conference_want_leg(struct td_conference *conference, struct td_leg *leg)
{
	set_gains(conference, leg);
	td_media_step(&conference->media);
}

void td_conference_want_all(struct td_conference *conference)
{
	struct td_list *it;

	TD_LIST_FOREACH (it, &conference->media.members)
		set_gains(conference, TD_LIST_ENTRY(it, struct td_leg, media.member));
	td_media_step(&conference->media);
}

static void release(struct td_conference *conference)
{
	td_notice_conference(conference, NULL, TD_NOTICE_CONFERENCE_ENDED);
	td_media_cancel(&conference->media);
	conference->ending = false;
	td_slots_give(&conference->calls->conference_slots, conference->idx);
}

void td_conference_want(struct td_conference *conference)
{
	struct td_media *media = &conference->media;
	bool alone = conference->seated == 1;

	media->context_wanted = media->member_count > 0;
	media->recording.rule =
		conference->config && conference->config->record && conference->seated > 0;
	if (conference->seated == 0) {
		media->recording.order = TD_RECORDING_BY_RULE;
		media->privacy.wanted = false;
	}
	if (media->recording.state == TD_RECORDING_CLOSED && td_recording_wanted(&media->recording))
		media->recording.state = TD_RECORDING_NONE; // others have come
	media->prompt_loops = true;
	media->prompt_wanted = alone ? conference->music_prompt : TD_MEDIA_NO_PROMPT;
	media->players[TD_MEDIA_MUSIC].floor_wanted = alone ? TD_GAIN_UNITY : 0;
	td_media_step(media);
	if (conference->ending && td_media_idle(media))
		release(conference);
}

bool td_conference_moderated_by(const struct td_conference *conference, const char *agent)
{
	for (unsigned i = 0; conference->config && i < conference->config->moderators_count; i++) {
		if (strcmp(conference->config->moderators[i], agent) == 0)
			return true;
	}
	return false;
}

int td_conference_admits(const struct td_conference *conference, uint32_t more)
{
	if (conference->ending)
		return -TD_ESTATE;
	if (conference->locked)
		return -TD_EDENIED;
	return conference->media.member_count + more > conference->members_max ? -TD_EFULL : 0;
}

// A tone for all, unless something is being said.
static void sound(struct td_conference *conference, uint32_t prompt)
{
	const struct td_play_item item = { .prompt = prompt };

	if (prompt != TD_MEDIA_NO_PROMPT && conference->seated >= 2 &&
	    td_media_announce(&conference->media, &item, 1, 0, NULL) != 0)
		td_trace("conference tone left out", conference->idx, prompt);
}

static void seat(struct td_conference *conference, struct td_leg *leg)
{
	leg->seated = true;
	conference->seated++;
	if (conference->muted && leg->seat != TD_SEAT_MODERATOR)
		leg->party.muted = true;
	set_gains(conference, leg);
	sound(conference, conference->entry_prompt);
	td_notice_conference(conference, leg, TD_NOTICE_CONFERENCE_JOIN);
}

void td_conference_take(struct td_conference *conference, struct td_call *call)
{
	for (uint32_t i = 0; i < call->leg_count; i++) {
		struct td_leg *leg = call->legs[i];

		if (!leg->media.wanted)
			continue;
		if (leg != call->caller && leg != call->agent) {
			td_leg_hangup(conference->calls, leg, TD_CAUSE_OPERATOR);
			continue;
		}
		leg->party.on_hold = false;
		td_media_enter(&conference->media, leg);
		seat(conference, leg);
	}
	if (!call->connected) {
		call->connected = true;
		call->connect_ms = call->calls->now_ms;
		call->connect_utc_ms = td_calls_wall_ms(call->calls);
		call->calls->stats.calls_connected++;
		call->answer_utc_ms =
			call->caller ? call->caller->answer_utc_ms : call->connect_utc_ms;
	}
	td_conference_want(conference);
}

void td_conference_unseat(struct td_leg *leg)
{
	struct td_conference *conference = leg->media.room ? leg->media.room->conference : NULL;

	if (!conference || !leg->seated)
		return;
	leg->seated = false;
	TD_ASSERT(conference->seated > 0);
	conference->seated--;
	set_gains(conference, leg);
	td_notice_conference(conference, leg, TD_NOTICE_CONFERENCE_LEAVE);
	sound(conference, conference->leave_prompt);
	td_conference_want(conference);
}
