#include "mix/core.h"

#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define PRIORITY 10

void td_core_take(void)
{
	const struct sched_param priority = { .sched_priority = PRIORITY };

	if (sched_setscheduler(0, SCHED_FIFO, &priority) != 0)
		fprintf(stderr, "perf: no real-time priority: the core is shared with others\n");
	prctl(PR_SET_TIMERSLACK, 1ul);
}

void td_core_sleep_until(uint64_t ns)
{
	struct timespec until = { .tv_sec = (time_t)(ns / TD_NS_PER_S),
				  .tv_nsec = (long)(ns % TD_NS_PER_S) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

uint64_t td_core_stolen_ms(unsigned core)
{
	unsigned long long steal, found = 0;
	char line[512];
	unsigned index;
	FILE *stat = fopen("/proc/stat", "r");

	if (stat == NULL)
		return 0;
	while (fgets(line, sizeof line, stat) != NULL)
		if (sscanf(line, "cpu%u %*u %*u %*u %*u %*u %*u %*u %llu", &index, &steal) == 2 &&
		    index == core)
			found = steal * 1000u / (unsigned long long)sysconf(_SC_CLK_TCK);
	fclose(stat);
	return found;
}

uint64_t td_core_preemptions(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) == 0 ? (uint64_t)usage.ru_nivcsw : 0;
}
