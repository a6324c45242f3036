#include "quality/watch.h"

#define NS_PER_S 1000000000ull

// True when `is` differs from what was said last, which it is from now on.
static bool turned(bool *said, bool is)
{
	bool news = *said != is;

	*said = is;
	return news;
}

static bool is_silent(const struct td_watch *watch, const struct td_watch_rules *rules,
		      const struct td_stream_stats *stats, uint64_t now_ns)
{
	uint64_t heard_ns =
		stats->last_rx_ns > watch->since_ns ? stats->last_rx_ns : watch->since_ns;

	return rules->media_timeout_s != 0 && now_ns > heard_ns &&
	       now_ns - heard_ns >= rules->media_timeout_s * NS_PER_S;
}

static bool is_low(const struct td_watch *watch, const struct td_watch_rules *rules,
		   const struct td_stream_stats *stats)
{
	uint32_t limit =
		rules->mos_alarm_x100 + (watch->mos_low ? (uint32_t)TD_WATCH_MOS_HYSTERESIS : 0);

	return rules->mos_alarm_x100 != 0 && stats->quality.mos_x100 != 0 &&
	       stats->quality.mos_x100 < limit;
}

unsigned td_watch_look(struct td_watch *watch, const struct td_watch_rules *rules,
		       const struct td_stream_stats *stats, bool expected, uint64_t now_ns)
{
	bool one_way = expected && rules->one_way_s != 0 &&
		       stats->quality.one_way_now_ms / 1000 >= rules->one_way_s;
	unsigned found = 0;

	if (!expected)
		watch->since_ns = 0;
	else if (watch->since_ns == 0)
		watch->since_ns = now_ns;
	if (expected && !watch->timed_out && is_silent(watch, rules, stats, now_ns)) {
		watch->timed_out = true;
		found |= TD_WATCH_TIMEOUT;
	}
	if (turned(&watch->one_way, one_way))
		found |= one_way ? TD_WATCH_ONE_WAY : TD_WATCH_ONE_WAY_OVER;
	if (turned(&watch->mos_low, is_low(watch, rules, stats)))
		found |= watch->mos_low ? TD_WATCH_MOS_LOW : TD_WATCH_MOS_LOW_OVER;
	return found;
}
