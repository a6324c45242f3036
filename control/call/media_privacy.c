// Privacy of a context: who goes on hearing whom, until it is ended or its time is over.
#include <string.h>

#include "call/media_inside.h"
#include "td_log.h"

// A supervisor who talks along is none: nothing of this is for him.
static bool is_party(enum td_party_role role)
{
	return role == TD_PARTY_CALLER || role == TD_PARTY_AGENT || role == TD_PARTY_CONSULT;
}

// The parties of the conversation. Of a conference all members are: none is named.
static void want(const struct td_media *media, struct td_command_context_privacy *privacy)
{
	memset(privacy, 0, sizeof *privacy);
	privacy->context = media->context;
	privacy->on = media->privacy.wanted;
	for (int i = 0; privacy->on && i < TD_MEDIA_SLOT_MAX; i++) {
		const struct td_leg *leg = media->slots[i];

		if (!leg || !is_party((enum td_party_role)leg->party.role) ||
		    leg->media.stream.v == 0 || leg->media.at != media || leg->media.ending ||
		    leg->media.waits > 0)
			continue;
		privacy->parties[privacy->party_count++] = leg->media.stream;
	}
}

bool td_media_next_privacy(struct td_media *media, struct td_command *command)
{
	struct td_privacy *privacy = &media->privacy;
	struct td_command_context_privacy wanted;

	want(media, &wanted);
	if (!wanted.on ? privacy->have.on == 0
		       : privacy->known && memcmp(&wanted, &privacy->have, sizeof wanted) == 0)
		return false;
	command->kind = TD_COMMAND_CONTEXT_PRIVACY;
	command->u.context_privacy = wanted;
	return true;
}

void td_media_privacy_assume(struct td_media *media, const struct td_command *command)
{
	media->privacy.have = command->u.context_privacy;
	media->privacy.known = true;
}

void td_media_privacy_answered(struct td_media *media, const struct td_event *event)
{
	struct td_privacy *privacy = &media->privacy;
	struct td_calls *calls = media->calls;

	privacy->confirmed = event->result == 0;
	if (event->result == 0) {
		td_notice_recording(media);
		return;
	}
	// A party has gone meanwhile, or there was no room: it is told anew, and until then silent.
	td_warn(media->call ? media->call->id : td_conference_name(media->conference),
		"privacy: %s", td_error_text(event->result));
	privacy->known = false;
	privacy->have.on = 1;
	td_wheel_arm(&calls->wheel, &media->retry.timer, calls->now_ms + TD_MEDIA_RETRY_MS);
}

void td_media_set_privacy(struct td_media *media, bool on, uint32_t seconds)
{
	struct td_privacy *privacy = &media->privacy;
	struct td_calls *calls = media->calls;

	td_wheel_cancel(&calls->wheel, &privacy->end.timer);
	if (privacy->wanted != on)
		privacy->confirmed = false;
	privacy->wanted = on;
	privacy->until_ms = on && seconds ? calls->now_ms + seconds * 1000ull : 0;
	if (privacy->until_ms)
		td_wheel_arm(&calls->wheel, &privacy->end.timer, privacy->until_ms);
	td_media_step(media);
}
