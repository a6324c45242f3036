// What a call's media should be, from its state and from who holds whom.
#include "call/manager.h"
#include "call/party.h"
#include "td_command.h"

// True while sound can go to this party and come from it: it has not put us on hold.
static bool present(const struct td_call *call, const struct td_leg *leg)
{
	if (!leg || !leg->media.wanted || leg->media.failed || leg->media.room != &call->media)
		return false;
	// Caller and agent are judged by the call's state.
	if (leg != call->caller && leg != call->agent && leg->state != TD_LEG_UP)
		return false;
	return leg->media.remote_known && !td_sdp_held(&leg->agreed);
}

static unsigned collect(const struct td_call *call, struct td_party parties[TD_MEDIA_SLOT_MAX])
{
	for (unsigned i = 0; i < TD_MEDIA_SLOT_MAX; i++) {
		const struct td_leg *leg = call->media.slots[i];

		parties[i] = leg ? leg->party : td_party_make(TD_PARTY_NONE);
		parties[i].away = !present(call, leg);
		// One that is leaving is nobody any more; one who is still called is just away.
		if (leg && !leg->media.wanted && leg->state != TD_LEG_NEW)
			parties[i].role = TD_PARTY_NONE;
	}
	return TD_MEDIA_SLOT_MAX;
}

static void want_player(struct td_leg *leg, int32_t music, int32_t announcement)
{
	leg->media.player_wanted[TD_MEDIA_MUSIC] = (int16_t)music;
	leg->media.player_wanted[TD_MEDIA_ANNOUNCE] = (int16_t)announcement;
	td_media_touch(leg);
}

static void want_silence(struct td_call *call)
{
	struct td_media *media = &call->media;

	for (unsigned i = 0; i < TD_MEDIA_SLOT_MAX; i++) {
		if (media->slots[i] && media->slots[i]->media.room == media)
			want_player(media->slots[i], 0, 0);
		for (unsigned k = 0; k < TD_MEDIA_SLOT_MAX; k++)
			media->cells_wanted[i][k] = 0;
	}
}

// Before an agent is there only the caller hears something.
static void want_waiting(struct td_call *call, uint32_t prompt)
{
	struct td_party caller;

	want_silence(call);
	call->media.prompt_wanted = prompt;
	if (!call->caller || call->caller->media.room != &call->media)
		return;
	caller = call->caller->party;
	caller.away = !present(call, call->caller);
	want_player(call->caller, td_party_play_gain(&caller), td_party_play_gain(&caller));
}

static void want_talking(struct td_call *call, uint32_t music)
{
	struct td_media *media = &call->media;
	struct td_party parties[TD_MEDIA_SLOT_MAX];
	unsigned count = collect(call, parties);

	media->prompt_wanted = TD_MEDIA_NO_PROMPT;
	for (unsigned to = 0; to < count; to++) {
		struct td_leg *leg = media->slots[to];
		int32_t play = td_party_play_gain(&parties[to]);
		bool hears = td_party_hears_music(parties, count, to);

		for (unsigned from = 0; from < count; from++)
			media->cells_wanted[from][to] =
				(int16_t)td_party_gain(&parties[from], &parties[to]);
		if (hears)
			media->prompt_wanted = music;
		if (leg && leg->media.room == media)
			want_player(leg, hears ? play : 0, play);
	}
	if (present(call, call->caller) && present(call, call->agent) &&
	    call->queue != TD_CALL_QUEUE_NONE && call->calls->config->queues[call->queue].record)
		media->recording.rule = true;
}

static void want_nothing(struct td_call *call)
{
	struct td_media *media = &call->media;

	want_silence(call);
	media->context_wanted = false;
	media->prompt_wanted = TD_MEDIA_NO_PROMPT;
}

// Its parties are in a conference: here nothing is left but their recording and forks, which go on.
static void want_conference(struct td_call *call)
{
	want_nothing(call);
	call->media.context_wanted = td_recording_wanted(&call->media.recording) ||
				     td_recording_is_open(&call->media.recording) ||
				     td_forks_in(call->calls, &call->media);
	for (uint32_t i = 0; i < call->leg_count; i++) {
		if (call->legs[i]->media.room == &call->conference->media)
			td_conference_want_leg(call->conference, call->legs[i]);
	}
}

void td_call_want(struct td_calls *calls, struct td_call *call)
{
	static const struct td_queue_prompts none = { TD_MEDIA_NO_PROMPT, TD_MEDIA_NO_PROMPT, 0 };
	bool queued = call->queue != TD_CALL_QUEUE_NONE;
	const struct td_queue_prompts *prompts = queued ? &calls->prompts[call->queue] : &none;
	struct td_media *media = &call->media;

	media->prompt_loops = call->state != TD_CALL_GREETING;
	switch ((enum td_call_state)call->state) {
	case TD_CALL_PREPARING:
	case TD_CALL_INVITING: media->context_wanted = !call->conference; break;
	case TD_CALL_GREETING: want_waiting(call, prompts->greeting); break;
	case TD_CALL_QUEUED:
	case TD_CALL_OFFERING: want_waiting(call, prompts->music); break;
	case TD_CALL_TALKING:
		media->context_wanted = true;
		want_talking(call, prompts->music);
		break;
	case TD_CALL_CONFERENCE: want_conference(call); break;
	case TD_CALL_ENDING:
		want_nothing(call);
		media->recording.order = TD_RECORDING_OFF;
		td_media_set_privacy(media, false, 0);
		break;
	case TD_CALL_FREE:
	case TD_CALL_STATE_COUNT: return;
	}
	td_media_step(media);
}
