#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "app/eal.h"
#include "td_assert.h"
#include "td_log.h"

static uint64_t read_number(const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned long long value = 0;

	if (!file)
		return 0;
	if (fscanf(file, "%llu", &value) != 1)
		value = 0;
	fclose(file);
	return value;
}

static uint64_t hugepages_free_mb(void)
{
	static const char folder[] = "/sys/kernel/mm/hugepages";
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	uint64_t total_kb = 0;

	if (!dir)
		return 0;
	while ((entry = readdir(dir))) {
		char path[320];
		unsigned long long page_kb;

		if (sscanf(entry->d_name, "hugepages-%llukB", &page_kb) != 1)
			continue;
		snprintf(path, sizeof path, "%s/%s/free_hugepages", folder, entry->d_name);
		total_kb += page_kb * read_number(path);
	}
	closedir(dir);
	return total_kb / 1024;
}

static uint64_t memory_available_mb(void)
{
	char line[128];
	unsigned long long kb = 0;
	FILE *file = fopen("/proc/meminfo", "re");

	if (!file)
		return UINT64_MAX;
	while (fgets(line, sizeof line, file))
		if (sscanf(line, "MemAvailable: %llu kB", &kb) == 1)
			break;
	fclose(file);
	return kb / 1024;
}

void td_eal_look(struct td_eal_machine *machine)
{
	*machine = (struct td_eal_machine){
		.hugepages_free_mb = hugepages_free_mb(),
		.memory_available_mb = memory_available_mb(),
		.pid = (unsigned)getpid(),
	};
	if (sched_getaffinity(0, sizeof machine->cpus, &machine->cpus) != 0)
		CPU_SET(0, &machine->cpus);
}

__attribute__((format(printf, 2, 3))) static void argue(struct td_eal_plan *plan,
							const char *format, ...)
{
	size_t used = 0;
	va_list args;
	int len;

	TD_ASSERT(plan->argument_count < TD_EAL_ARGUMENT_MAX - 1);
	if (plan->argument_count > 0) {
		const char *last = plan->arguments[plan->argument_count - 1];

		used = (size_t)(last - plan->text) + strlen(last) + 1;
	}
	va_start(args, format);
	len = vsnprintf(plan->text + used, sizeof plan->text - used, format, args);
	va_end(args);
	TD_ASSERT(len >= 0 && (size_t)len < sizeof plan->text - used);
	plan->arguments[plan->argument_count++] = plan->text + used;
}

static int choose_memory(const struct td_config *config, const struct td_eal_machine *machine,
			 struct td_eal_plan *plan, char reason[TD_EAL_REASON_MAX])
{
	uint32_t wanted = config->dataplane.memory_mb;
	bool enough = machine->hugepages_free_mb >= wanted;

	if (config->dataplane.hugepages == TD_HUGEPAGES_YES && !enough) {
		snprintf(
			reason, TD_EAL_REASON_MAX,
			"dataplane.hugepages is yes and memory_mb %u, but only %llu MB of hugepages "
			"are free: reserve some (echo %u > /proc/sys/vm/nr_hugepages) or set "
			"hugepages: auto",
			wanted, (unsigned long long)machine->hugepages_free_mb, wanted / 2 + 1);
		return -TD_EMEMORY;
	}
	plan->hugepages = enough && config->dataplane.hugepages != TD_HUGEPAGES_NO;
	if (!plan->hugepages && machine->memory_available_mb < wanted) {
		snprintf(
			reason, TD_EAL_REASON_MAX,
			"dataplane.memory_mb is %u, but only %llu MB of memory are available: lower it "
			"or free some memory",
			wanted, (unsigned long long)machine->memory_available_mb);
		return -TD_EMEMORY;
	}
	argue(plan, "%s", plan->hugepages ? "--in-memory" : "--no-huge");
	if (!plan->hugepages)
		argue(plan, "--no-shconf");
	argue(plan, "-m");
	argue(plan, "%u", wanted);
	return 0;
}

// The n-th CPU of the set counted from the end, going round.
static int cpu_from_end(const cpu_set_t *cpus, unsigned n)
{
	unsigned skip = n % (unsigned)CPU_COUNT(cpus);

	for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--)
		if (CPU_ISSET(cpu, cpus) && skip-- == 0)
			return cpu;
	return 0;
}

static int choose_lcores(const struct td_config *config, const struct td_eal_machine *machine,
			 struct td_eal_plan *plan, char reason[TD_EAL_REASON_MAX])
{
	char text[6144];
	size_t len = (size_t)snprintf(text, sizeof text, "--lcores=0@(");
	const char *comma = "";

	for (int cpu = 0; cpu < CPU_SETSIZE && len < sizeof text - 300; cpu++) {
		if (!CPU_ISSET(cpu, &machine->cpus))
			continue;
		len += (size_t)snprintf(text + len, sizeof text - len, "%s%d", comma, cpu);
		comma = ",";
	}
	len += (size_t)snprintf(text + len, sizeof text - len, ")");
	for (unsigned w = 0; w < config->dataplane.workers; w++) {
		int cpu = config->dataplane.first_core < 0 ? cpu_from_end(&machine->cpus, w)
							   : config->dataplane.first_core + (int)w;

		if (cpu >= CPU_SETSIZE || !CPU_ISSET(cpu, &machine->cpus)) {
			snprintf(
				reason, TD_EAL_REASON_MAX,
				"dataplane.first_core %d and dataplane.workers %u need CPU %d, which this "
				"process does not have: set first_core: -1 or fewer workers",
				config->dataplane.first_core, config->dataplane.workers, cpu);
			return -TD_EINVALID;
		}
		len += (size_t)snprintf(text + len, sizeof text - len, ",%u@%d", w + 1, cpu);
	}
	argue(plan, "%s", text);
	argue(plan, "--main-lcore=0");
	return 0;
}

static void choose_devices(const struct td_config *config, struct td_eal_plan *plan)
{
	bool pci = false;

	for (unsigned i = 0; i < config->dataplane.ports_count; i++) {
		if (config->dataplane.ports[i].driver != TD_PORT_PCI)
			continue;
		argue(plan, "-a");
		argue(plan, "%s", config->dataplane.ports[i].device);
		pci = true;
	}
	if (!pci)
		argue(plan, "--no-pci");
}

int td_eal_plan(const struct td_config *config, const struct td_eal_machine *machine,
		struct td_eal_plan *plan, char reason[TD_EAL_REASON_MAX])
{
	bool loud = strcmp(config->system.log_level, "debug") == 0;
	int error;

	*plan = (struct td_eal_plan){ 0 };
	argue(plan, "tandem-dataplane");
	error = choose_memory(config, machine, plan, reason);
	if (!error)
		error = choose_lcores(config, machine, plan, reason);
	if (error)
		return error;
	choose_devices(config, plan);
	argue(plan, "--no-telemetry");
	argue(plan, "--iova-mode=va");
	argue(plan, "--file-prefix=tandem-%u", machine->pid);
	argue(plan, "--log-level=%s", loud ? "info" : "critical");
	return 0;
}

// EAL makes a run-time folder, which nothing uses in the modes we run in; it is ours alone, named
// after this process. Gone at once, it cannot be left behind.
static void remove_runtime_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)))
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	rmdir(folder);
}

int td_eal_start(const struct td_config *config, char reason[TD_EAL_REASON_MAX])
{
	struct td_eal_machine machine;
	// EAL keeps pointers to its arguments, and changes their order.
	static struct td_eal_plan plan;
	int error;

	td_eal_look(&machine);
	error = td_eal_plan(config, &machine, &plan, reason);
	if (error)
		return error;
	if (!plan.hugepages && config->dataplane.hugepages == TD_HUGEPAGES_AUTO)
		td_info(NULL,
			"no hugepages are free: running without them (reserve %u of 2 MB for a quarter "
			"more speed)",
			config->dataplane.memory_mb / 2 + 1);
	if (rte_eal_init(plan.argument_count, plan.arguments) < 0) {
		snprintf(
			reason, TD_EAL_REASON_MAX,
			"DPDK does not start with %u MB of memory%s: %s; run with log_level: debug to "
			"see its own messages",
			config->dataplane.memory_mb, plan.hugepages ? " in hugepages" : "",
			rte_strerror(rte_errno));
		return -TD_EIO;
	}
	remove_runtime_folder(rte_eal_get_runtime_dir());
	return 0;
}

void td_eal_stop(void)
{
	rte_eal_cleanup();
}
