#include "record/alarm.h"

#include <string.h>

#include "td_log.h"

#define NS_PER_MS  1000000ull
#define HYSTERESIS 1 // per cent
#define AGAIN_NS   (2000 * NS_PER_MS)

static bool tell(enum td_record_alarm kind, uint32_t active, uint64_t value,
		 td_alarm_report_fn *report, void *user)
{
	struct td_event event = { .kind = TD_EVENT_RECORD_ALARM };

	event.u.record_alarm.alarm = kind;
	event.u.record_alarm.active = active;
	event.u.record_alarm.value = value;
	return report(user, &event) == 0;
}

static void look_slow(struct td_alarm *alarm, uint64_t busy_ms, td_alarm_report_fn *report,
		      void *user)
{
	bool slow = busy_ms >= TD_SCRIBE_SLOW_MS;

	if (slow == alarm->slow || !tell(TD_RECORD_ALARM_SLOW, slow, busy_ms, report, user))
		return;
	alarm->slow = slow;
	if (slow)
		td_warn("recorder",
			"the disk has not answered for %llu ms; recordings wait in memory",
			(unsigned long long)busy_ms);
	else
		td_info("recorder", "the disk answers again");
}

static void look_failed(struct td_alarm *alarm, int error_number, td_alarm_report_fn *report,
			void *user)
{
	bool failed = error_number != 0;

	if (failed == alarm->failed ||
	    !tell(TD_RECORD_ALARM_FAILED, failed, (uint64_t)error_number, report, user))
		return;
	alarm->failed = failed;
	if (failed)
		td_error("recorder", "the disk refuses recordings: %s", strerror(error_number));
	else
		td_info("recorder", "the disk takes recordings again");
}

// The lowest mark that the free space is below, and has been above by a little since.
static unsigned mark_of(unsigned now, unsigned percent)
{
	static const unsigned marks[] = { TD_RECORD_FREE_MIN, 10, 20 };

	for (unsigned i = 0; i < sizeof marks / sizeof marks[0]; i++)
		if (percent < marks[i] + (now && now <= marks[i] ? HYSTERESIS : 0))
			return marks[i];
	return 0;
}

static void look_full(struct td_alarm *alarm, unsigned percent, td_alarm_report_fn *report,
		      void *user)
{
	unsigned mark = mark_of(alarm->full, percent);

	if (mark == alarm->full || !tell(TD_RECORD_ALARM_FULL, mark != 0, percent, report, user))
		return;
	if (mark != 0 && (alarm->full == 0 || mark < alarm->full))
		td_warn("recorder", "%u %% of the recordings' disk are free%s", percent,
			mark == TD_RECORD_FREE_MIN ? "; no recording is begun" : "");
	alarm->full = mark;
}

// A control that has come since does not know. What cannot be reported now is, two seconds later.
static void say_again(const struct td_alarm *alarm, const struct td_scribe_health *health,
		      uint64_t busy_ms, td_alarm_report_fn *report, void *user)
{
	if (alarm->slow)
		(void)tell(TD_RECORD_ALARM_SLOW, TD_RECORD_ALARM_STILL, busy_ms, report, user);
	if (alarm->failed)
		(void)tell(TD_RECORD_ALARM_FAILED, TD_RECORD_ALARM_STILL,
			   (uint64_t)health->error_number, report, user);
	if (alarm->full)
		(void)tell(TD_RECORD_ALARM_FULL, TD_RECORD_ALARM_STILL, health->free_percent,
			   report, user);
}

void td_alarm_look(struct td_alarm *alarm, const struct td_scribe_health *health, uint64_t now_ns,
		   td_alarm_report_fn *report, void *user)
{
	uint64_t busy_ms = health->busy_since_ns && now_ns > health->busy_since_ns
				   ? (now_ns - health->busy_since_ns) / NS_PER_MS
				   : 0;

	look_slow(alarm, busy_ms, report, user);
	look_failed(alarm, health->error_number, report, user);
	look_full(alarm, health->free_percent, report, user);
	if (now_ns - alarm->said_ns < AGAIN_NS)
		return;
	alarm->said_ns = now_ns;
	say_again(alarm, health, busy_ms, report, user);
}
