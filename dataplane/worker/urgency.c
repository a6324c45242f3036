#include "worker/urgency.h"

#include <pthread.h>
#include <sched.h>

void td_urgency_begin(struct td_urgency *urgency, bool wanted, uint64_t now_ns)
{
	const struct sched_param lowest = { .sched_priority = sched_get_priority_min(SCHED_RR) };

	*urgency = (struct td_urgency){ .since_ns = now_ns };
	urgency->able = wanted && pthread_setschedparam(pthread_self(), SCHED_RR, &lowest) == 0;
}

void td_urgency_change(const struct td_urgency *urgency)
{
	const struct sched_param lowest = { .sched_priority = sched_get_priority_min(SCHED_RR) };
	const struct sched_param none = { .sched_priority = 0 };

	// A right that was taken away meanwhile leaves it ordinary.
	if (urgency->shares)
		(void)pthread_setschedparam(pthread_self(), SCHED_OTHER, &none);
	else
		(void)pthread_setschedparam(pthread_self(), SCHED_RR, &lowest);
}
