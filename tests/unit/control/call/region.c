// The shared memory of the call tests' dataplane, and its bells.
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dataplane.h"

void dp_region_make(struct dp *dp)
{
	const struct td_region_sizes sizes = { 1, DP_OBJECTS, DP_PROMPTS, 1 };
	static uint64_t boot_id;

	dp->bytes = td_region_bytes(&sizes);
	dp->memory_fd = memfd_create("td-test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	must(dp->memory_fd >= 0);
	must(ftruncate(dp->memory_fd, (off_t)dp->bytes) == 0);
	must(fcntl(dp->memory_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0);
	dp->memory = mmap(NULL, dp->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, dp->memory_fd, 0);
	must(dp->memory != MAP_FAILED);
	td_region_format(dp->memory, &sizes, ++boot_id, 1, &dp->region);
	memcpy(dp->region.prompts[0].name, "greeting", sizeof "greeting");
	dp->region.prompts[0].duration_ms = DP_GREETING_MS;
	memcpy(dp->region.prompts[1].name, "music", sizeof "music");
	dp->region.prompts[1].duration_ms = 60000;
	memcpy(dp->region.prompts[2].name, "one", sizeof "one");
	dp->region.prompts[2].duration_ms = 1000;
	memcpy(dp->region.prompts[3].name, "two", sizeof "two");
	dp->region.prompts[3].duration_ms = 1000;
	memcpy(dp->region.prompts[4].name, "etsi.beep", sizeof "etsi.beep");
	dp->region.prompts[4].duration_ms = 15000;
	memcpy(dp->region.ports[0].name, "lan", sizeof "lan");
	must(td_region_attach_commands(&dp->region, 0, &dp->commands) == 0);
	must(td_region_attach_events(&dp->region, 0, 1, &dp->events) == 0);
	dp->command_bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	dp->event_bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

void dp_region_drop(struct dp *dp)
{
	munmap(dp->memory, dp->bytes);
	close(dp->memory_fd);
	close(dp->command_bell);
	close(dp->event_bell);
}
