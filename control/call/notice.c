// Telling whoever listens that something has changed.
#include "call/manager.h"

const char *td_call_notice_name(enum td_call_notice_kind kind)
{
	static const char *const names[TD_NOTICE_KIND_COUNT] = {
		"call.new",         "call.state",           "call.ended",       "agent.state",
		"trunk.state",      "call.party",           "conference.new",   "conference.state",
		"conference.ended", "conference.join",      "conference.leave", "conference.member",
		"call.recording",   "conference.recording", "player.end",       "stream.digit",
		"stream.tone",      "stream.quality",       "fork.started",     "fork.ended",
		"recording.alarm",
	};

	return (unsigned)kind < TD_NOTICE_KIND_COUNT ? names[kind] : "unknown";
}

const char *td_record_alarm_name(enum td_record_alarm alarm)
{
	static const char *const names[TD_RECORD_ALARM_COUNT] = { "slow", "full", "failed" };

	return (unsigned)alarm < TD_RECORD_ALARM_COUNT ? names[alarm] : "unknown";
}

static void tell(struct td_calls *calls, struct td_call_notice *notice)
{
	notice->utc_ms = td_calls_wall_ms(calls);
	calls->deps.ops.on_change(calls->deps.ops.user, notice);
}

void td_notice_call(struct td_calls *calls, const struct td_call *call,
		    enum td_call_notice_kind kind)
{
	struct td_call_info info;

	if (!calls->deps.ops.on_change)
		return;
	td_call_describe(calls, call, &info);
	tell(calls, &(struct td_call_notice){
			    .kind = kind,
			    .call = &info,
			    .cause = kind == TD_NOTICE_CALL_ENDED ? call->cause : TD_CAUSE_NONE,
		    });
}

void td_notice_agent(struct td_calls *calls, uint32_t agent)
{
	struct td_agent_info info;

	if (!calls->deps.ops.on_change || agent >= calls->config->agents_count)
		return;
	td_agent_describe(calls, agent, &info);
	tell(calls, &(struct td_call_notice){ .kind = TD_NOTICE_AGENT_STATE, .agent = &info });
}

void td_notice_trunk(struct td_calls *calls, const struct td_trunk *trunk)
{
	struct td_trunk_info info;

	if (!calls->deps.ops.on_change)
		return;
	td_trunk_describe(trunk, &info);
	tell(calls, &(struct td_call_notice){ .kind = TD_NOTICE_TRUNK_STATE, .trunk = &info });
}

void td_notice_fork(struct td_calls *calls, const struct td_fork_info *fork,
		    enum td_call_notice_kind kind)
{
	if (calls->deps.ops.on_change)
		tell(calls, &(struct td_call_notice){ .kind = kind, .fork = fork });
}

void td_notice_conference(struct td_conference *conference, const struct td_leg *leg,
			  enum td_call_notice_kind kind)
{
	struct td_calls *calls = conference->calls;
	struct td_conference_info info;
	struct td_member_info member;

	if (!calls->deps.ops.on_change)
		return;
	td_conference_describe(conference, &info);
	if (leg)
		td_member_describe(leg, &member);
	tell(calls, &(struct td_call_notice){
			    .kind = kind, .conference = &info, .member = leg ? &member : NULL });
}

// Whose context it is and, of a stream, who it is.
static void place(struct td_calls *calls, struct td_media_info *info)
{
	const struct td_media *media = td_media_find(calls, info->context);
	const struct td_leg *leg =
		media && info->stream.v ? td_media_find_leg(media, info->stream.v) : NULL;

	if (media && media->call)
		td_inspect_put(info->call, sizeof info->call, media->call->id);
	if (media && media->conference)
		td_inspect_put(info->conference, sizeof info->conference, media->conference->name);
	if (!leg || !leg->call)
		return;
	td_inspect_put(info->call, sizeof info->call, leg->call->id);
	td_inspect_put(info->party, sizeof info->party,
		       leg->outbound ? calls->config->agents[leg->agent].id
				     : leg->call->caller_name);
}

static void tell_media(struct td_calls *calls, struct td_media_info *info,
		       enum td_call_notice_kind kind)
{
	if (!calls->deps.ops.on_change)
		return;
	place(calls, info);
	tell(calls, &(struct td_call_notice){ .kind = kind, .media = info });
}

void td_notice_player(struct td_calls *calls, const struct td_event_player_end *ended)
{
	static const char *const reasons[] = { "played", "digit", "stopped" };
	struct td_media_info info = { .context = ended->context,
				      .player = ended->player,
				      .digit = ended->digit,
				      .duration_ms = (uint32_t)(ended->frames * 20) };

	td_inspect_put(info.what, sizeof info.what,
		       ended->reason < 3 ? reasons[ended->reason] : "unknown");
	tell_media(calls, &info, TD_NOTICE_PLAYER_END);
}

void td_notice_digit(struct td_calls *calls, const struct td_event_digit *digit)
{
	struct td_media_info info = { .context = digit->context,
				      .stream = digit->stream,
				      .digit = digit->digit,
				      .inband = digit->inband != 0,
				      .duration_ms = digit->duration_ms };

	tell_media(calls, &info, TD_NOTICE_DIGIT);
}

void td_notice_tone(struct td_calls *calls, const struct td_event_tone *tone)
{
	struct td_media_info info = { .context = tone->context,
				      .stream = tone->stream,
				      .ended = tone->ended != 0 };

	td_inspect_put(info.what, sizeof info.what, td_tone_name(tone->tone));
	tell_media(calls, &info, TD_NOTICE_TONE);
}

void td_notice_quality(struct td_calls *calls, struct td_media_info *info)
{
	tell_media(calls, info, TD_NOTICE_QUALITY);
}

void td_notice_recording(const struct td_media *media)
{
	if (media->call)
		td_notice_call(media->calls, media->call, TD_NOTICE_CALL_RECORDING);
	else
		td_notice_conference(media->conference, NULL, TD_NOTICE_CONFERENCE_RECORDING);
}

void td_notice_recording_alarm(struct td_calls *calls, const struct td_event_record_alarm *alarm)
{
	if (calls->deps.ops.on_change)
		tell(calls,
		     &(struct td_call_notice){ .kind = TD_NOTICE_RECORDING_ALARM, .alarm = alarm });
}
