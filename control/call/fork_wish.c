#include "call/fork_wish.h"

#include <stdio.h>
#include <string.h>

#include "call/manager.h"

static bool names(const char *wish, const char *role)
{
	return !wish || strcmp(wish, TD_FORK_WHO_ALL) == 0 || strcmp(wish, role) == 0;
}

// The streams of this call's parties, wherever they are. Returns how many.
static uint32_t choose(const struct td_call *call, const char *wish,
		       struct td_stream_id streams[TD_FORK_STREAM_MAX],
		       char tracks[TD_FORK_STREAM_MAX][TD_FORK_TRACK_MAX], bool others)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < call->leg_count && count < TD_FORK_STREAM_MAX; i++) {
		const struct td_leg *leg = call->legs[i];
		const char *role = leg == call->caller  ? "caller"
				   : leg == call->agent ? "agent"
							: td_party_role_name(leg->party.role);

		if (leg->media.stream.v == 0 || !leg->media.at || leg->media.ending ||
		    !names(wish, role) || (!others && leg != call->caller && leg != call->agent))
			continue;
		streams[count] = leg->media.stream;
		snprintf(tracks[count++], TD_FORK_TRACK_MAX, "%s", role);
	}
	return count;
}

const struct td_config_fork *td_fork_wish_destination(const struct td_config *config,
						      const char *name)
{
	for (unsigned i = 0; i < config->forks_count; i++)
		if (strcmp(config->forks[i].name, name) == 0)
			return &config->forks[i];
	return NULL;
}

// The context in which it is heard what the far end says: where its parties are.
static struct td_context_id place_of(const struct td_call *call, struct td_stream_id stream)
{
	for (uint32_t i = 0; i < call->leg_count; i++)
		if (call->legs[i]->media.stream.v == stream.v && call->legs[i]->media.at)
			return call->legs[i]->media.at->context;
	return (struct td_context_id){ 0 };
}

static int fill_call(struct td_calls *calls, const struct td_fork_wish *wish,
		     struct td_command_fork_start *start, struct td_fork_hearing *hearing,
		     struct td_fork_info *info)
{
	const struct td_call *call = td_call_by_id(calls, wish->call);
	char ignored[TD_FORK_STREAM_MAX][TD_FORK_TRACK_MAX];

	if (!call)
		return -TD_ENOT_FOUND;
	start->what = wish->name ? TD_FORK_DESTINATION : TD_FORK_CAPTURE;
	start->stream_count =
		choose(call, wish->party, start->streams, start->tracks, wish->name == NULL);
	if (start->stream_count == 0)
		return -TD_ESTATE;
	start->context = place_of(call, start->streams[0]);
	if (!wish->heard_by || strcmp(wish->heard_by, "none") != 0)
		hearing->count = choose(call, wish->heard_by, hearing->streams, ignored, false);
	snprintf(start->call, sizeof start->call, "%s", call->id);
	snprintf(info->call, sizeof info->call, "%s", call->id);
	return 0;
}

// A far end is told it as a label.
static void put_label(char label[TD_FORK_LABEL_MAX], const char *name)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	snprintf(label, TD_FORK_LABEL_MAX, "%.*s", TD_FORK_LABEL_MAX - 1, name);
	for (char *at = label; *at; at++)
		if (!strchr(letters, *at))
			*at = '_';
}

// What its mix is coded in: samples for a socket; for RTP what everybody takes, at the rate wished.
static enum td_codec_id mix_codec(const struct td_config_fork *to)
{
	bool wide = to->rate_hz > 8000;

	if (to->rtp && *to->rtp)
		return wide ? TD_CODEC_G722 : TD_CODEC_PCMU;
	return wide ? TD_CODEC_L16_16 : TD_CODEC_L16_8;
}

static int fill_conference(struct td_calls *calls, const struct td_fork_wish *wish,
			   struct td_command_fork_start *start, struct td_fork_hearing *hearing,
			   struct td_fork_info *info)
{
	const struct td_conference *conference = td_conference_find(calls, wish->conference);
	const struct td_config_fork *to =
		wish->name ? td_fork_wish_destination(calls->config, wish->name) : NULL;

	if (!conference)
		return -TD_ENOT_FOUND;
	if (wish->party || (wish->heard_by && strcmp(wish->heard_by, "none") != 0 &&
			    strcmp(wish->heard_by, TD_FORK_WHO_ALL) != 0))
		return -TD_EINVALID;
	start->what = wish->name ? TD_FORK_FLOOR : TD_FORK_CAPTURE;
	start->context = conference->media.context;
	if (to) {
		start->stream_count = 1;
		snprintf(start->tracks[0], TD_FORK_TRACK_MAX, "floor");
		start->codec = mix_codec(to);
	}
	hearing->floor = !wish->heard_by || strcmp(wish->heard_by, "none") != 0;
	put_label(start->call, conference->name);
	td_inspect_put(info->conference, sizeof info->conference, conference->name);
	return 0;
}

int td_fork_wish_fill(struct td_calls *calls, const struct td_fork_wish *wish,
		      struct td_command_fork_start *start, struct td_fork_hearing *hearing,
		      struct td_fork_info *info)
{
	int error = wish->conference ? fill_conference(calls, wish, start, hearing, info)
				     : fill_call(calls, wish, start, hearing, info);

	if (error)
		return error;
	if (start->context.v == 0)
		return -TD_ESTATE;
	start->seconds = wish->seconds;
	snprintf(start->destination, sizeof start->destination, "%s", wish->name ? wish->name : "");
	info->capture = wish->name == NULL;
	snprintf(info->name, sizeof info->name, "%s", wish->name ? wish->name : "capture");
	memcpy(info->tracks, start->tracks, sizeof info->tracks);
	info->seen.tracks = start->stream_count;
	return 0;
}
