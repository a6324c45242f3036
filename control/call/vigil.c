// Once a second: whose media has stopped, goes one way, or sounds bad.
#include "call/manager.h"
#include "link/link.h"
#include "sdp/negotiate.h"
#include "td_log.h"
#include "td_region.h"

#define VIGIL_MS  1000
#define NS_PER_MS 1000000ull

// On hold, at either side's wish, nobody has to send.
static bool is_expected(const struct td_leg *leg)
{
	return leg->state == TD_LEG_UP && leg->media.remote_known && leg->media.wanted &&
	       leg->agreed.direction == TD_SDP_SENDRECV && leg->agreed.remote.port_be != 0 &&
	       !leg->party.on_hold;
}

static const char *party_of(const struct td_calls *calls, const struct td_leg *leg)
{
	return leg->outbound ? calls->config->agents[leg->agent].id : leg->call->caller_name;
}

static void tell(struct td_calls *calls, const struct td_leg *leg,
		 const struct td_stream_stats *stats, const char *what, bool ended)
{
	struct td_media_info info = { .context = leg->media.at->context,
				      .stream = leg->media.stream,
				      .mos_x100 = stats->quality.mos_x100,
				      .ended = ended };

	td_inspect_put(info.what, sizeof info.what, what);
	td_notice_quality(calls, &info);
	if (ended)
		td_info(leg->call->id, "%s: %s is over, MOS %u.%02u", party_of(calls, leg), what,
			stats->quality.mos_x100 / 100u, stats->quality.mos_x100 % 100u);
	else
		td_warn(leg->call->id, "%s: %s, MOS %u.%02u, %lld packets lost",
			party_of(calls, leg), what, stats->quality.mos_x100 / 100u,
			stats->quality.mos_x100 % 100u, (long long)stats->rx_lost);
}

static void act(struct td_calls *calls, struct td_leg *leg, const struct td_stream_stats *stats,
		unsigned found)
{
	if (found & TD_WATCH_ONE_WAY) {
		calls->stats.one_way_alarms++;
		tell(calls, leg, stats, "one-way", false);
	}
	if (found & TD_WATCH_ONE_WAY_OVER)
		tell(calls, leg, stats, "one-way", true);
	if (found & TD_WATCH_MOS_LOW) {
		calls->stats.mos_alarms++;
		tell(calls, leg, stats, "mos-low", false);
	}
	if (found & TD_WATCH_MOS_LOW_OVER)
		tell(calls, leg, stats, "mos-low", true);
	if (found & TD_WATCH_TIMEOUT) {
		calls->stats.media_timeouts++;
		tell(calls, leg, stats, "media-timeout", false);
		td_leg_hangup(calls, leg, TD_CAUSE_MEDIA_TIMEOUT);
	}
}

static void look(struct td_calls *calls, const struct td_region *region, struct td_leg *leg)
{
	const struct td_config_quality *quality = &calls->config->quality;
	const struct td_watch_rules rules = { .media_timeout_s = quality->media_timeout_s,
					      .one_way_s = quality->one_way_s,
					      .mos_alarm_x100 = quality->mos_alarm_x100 };
	uint32_t index = td_handle_index(leg->media.stream.v);
	struct td_stream_mirror mirror;

	if (leg->media.stream.v == 0 || !leg->call || !leg->media.at ||
	    index >= region->stream_count ||
	    td_mirror_read(&region->streams[index], &mirror) != 0 ||
	    mirror.id.v != leg->media.stream.v)
		return;
	act(calls, leg, &mirror.stats,
	    td_watch_look(&leg->watch, &rules, &mirror.stats, is_expected(leg),
			  calls->now_ms * NS_PER_MS));
}

void td_vigil(struct td_calls *calls)
{
	const struct td_region *region;

	if (calls->now_ms < calls->vigil_ms)
		return;
	calls->vigil_ms = calls->now_ms + VIGIL_MS;
	td_on_control();
	region = td_link_region(calls->deps.link);
	for (uint32_t i = 0; region && i < calls->leg_slots.count; i++) {
		if (!td_slots_live(&calls->leg_slots, i))
			continue;
		look(calls, region, &calls->legs[i]);
		td_turn_breathe(calls);
	}
}

uint64_t td_vigil_next_ms(const struct td_calls *calls)
{
	return calls->leg_slots.used > 0 ? calls->vigil_ms : UINT64_MAX;
}
