// EAL's arguments from config and machine: memory modes, CPUs, devices, refusals with a remedy.
#include <check.h>
#include <string.h>

#include "app/eal.h"

static struct td_config config;
static struct td_config_port ports[2];
static struct td_eal_machine machine;
static struct td_eal_plan plan;
static char reason[TD_EAL_REASON_MAX];

static void setup(void)
{
	memset(&config, 0, sizeof config);
	memset(&machine, 0, sizeof machine);
	memset(ports, 0, sizeof ports);
	config.system.log_level = (char *)"info";
	config.dataplane.workers = 1;
	config.dataplane.first_core = -1;
	config.dataplane.memory_mb = 512;
	config.dataplane.ports = ports;
	config.dataplane.ports_count = 1;
	machine.memory_available_mb = 4096;
	machine.pid = 77;
	for (int cpu = 0; cpu < 4; cpu++)
		CPU_SET(cpu, &machine.cpus);
}

static bool has(const char *argument)
{
	for (int i = 0; i < plan.argument_count; i++)
		if (strcmp(plan.arguments[i], argument) == 0)
			return true;
	return false;
}

static const struct {
	enum td_hugepages wanted;
	uint64_t free_mb, available_mb;
	int result;
	bool hugepages;
	const char *says;
} memory_rows[] = {
	{ TD_HUGEPAGES_AUTO, 512, 4096, 0, true, NULL },
	{ TD_HUGEPAGES_AUTO, 511, 4096, 0, false, NULL },
	{ TD_HUGEPAGES_AUTO, 0, 512, 0, false, NULL },
	{ TD_HUGEPAGES_AUTO, 0, 511, -TD_EMEMORY, false, "dataplane.memory_mb is 512" },
	{ TD_HUGEPAGES_AUTO, 512, 0, 0, true, NULL },
	{ TD_HUGEPAGES_YES, 512, 0, 0, true, NULL },
	{ TD_HUGEPAGES_YES, 511, 4096, -TD_EMEMORY, false, "echo 257 > /proc/sys/vm/nr_hugepages" },
	{ TD_HUGEPAGES_NO, 9999, 4096, 0, false, NULL },
};

START_TEST(test_memory)
{
	config.dataplane.hugepages = memory_rows[_i].wanted;
	machine.hugepages_free_mb = memory_rows[_i].free_mb;
	machine.memory_available_mb = memory_rows[_i].available_mb;
	ck_assert_int_eq(td_eal_plan(&config, &machine, &plan, reason), memory_rows[_i].result);
	if (memory_rows[_i].result != 0) {
		ck_assert_ptr_nonnull(strstr(reason, memory_rows[_i].says));
		return;
	}
	ck_assert_int_eq(plan.hugepages, memory_rows[_i].hugepages);
	// Never both: EAL refuses that.
	ck_assert_int_eq(has("--in-memory"), memory_rows[_i].hugepages);
	ck_assert_int_eq(has("--no-huge"), !memory_rows[_i].hugepages);
	ck_assert(has("-m") && has("512"));
	ck_assert(has("--no-telemetry") && has("--file-prefix=tandem-77"));
	ck_assert_ptr_null(plan.arguments[plan.argument_count]);
}
END_TEST

static const struct {
	uint16_t workers;
	int16_t first_core;
	int cpus;
	int result;
	const char *lcores;
} core_rows[] = {
	{ 1, -1, 4, 0, "--lcores=0@(0,1,2,3),1@3" },
	{ 2, -1, 4, 0, "--lcores=0@(0,1,2,3),1@3,2@2" },
	{ 3, -1, 2, 0, "--lcores=0@(0,1),1@1,2@0,3@1" },
	{ 1, -1, 1, 0, "--lcores=0@(0),1@0" },
	{ 2, 2, 4, 0, "--lcores=0@(0,1,2,3),1@2,2@3" },
	{ 2, 3, 4, -TD_EINVALID, NULL },
	{ 1, 4, 4, -TD_EINVALID, NULL },
};

START_TEST(test_cores)
{
	config.dataplane.workers = core_rows[_i].workers;
	config.dataplane.first_core = core_rows[_i].first_core;
	CPU_ZERO(&machine.cpus);
	for (int cpu = 0; cpu < core_rows[_i].cpus; cpu++)
		CPU_SET(cpu, &machine.cpus);
	ck_assert_int_eq(td_eal_plan(&config, &machine, &plan, reason), core_rows[_i].result);
	if (core_rows[_i].result == 0)
		ck_assert(has(core_rows[_i].lcores));
	else
		ck_assert_ptr_nonnull(strstr(reason, "first_core"));
}
END_TEST

START_TEST(test_devices)
{
	ports[0].driver = TD_PORT_AF_XDP;
	ck_assert_int_eq(td_eal_plan(&config, &machine, &plan, reason), 0);
	ck_assert(has("--no-pci"));
	config.dataplane.ports_count = 2;
	ports[1].driver = TD_PORT_PCI;
	ports[1].device = (char *)"0000:3b:00.0";
	ck_assert_int_eq(td_eal_plan(&config, &machine, &plan, reason), 0);
	ck_assert(!has("--no-pci"));
	ck_assert(has("-a") && has("0000:3b:00.0"));
}
END_TEST

START_TEST(test_everything_at_once_fits)
{
	static struct td_config_port many[TD_PORT_MAX];

	for (int i = 0; i < TD_PORT_MAX; i++) {
		many[i].driver = TD_PORT_PCI;
		many[i].device = (char *)"0000:3b:00.0";
	}
	config.dataplane.ports = many;
	config.dataplane.ports_count = TD_PORT_MAX;
	config.dataplane.workers = TD_WORKER_MAX;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		CPU_SET(cpu, &machine.cpus);
	ck_assert_int_eq(td_eal_plan(&config, &machine, &plan, reason), 0);
}
END_TEST

START_TEST(test_look)
{
	td_eal_look(&machine);
	ck_assert_int_gt(CPU_COUNT(&machine.cpus), 0);
	ck_assert_uint_gt(machine.memory_available_mb, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("eal");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tests, setup, NULL);
	tcase_add_loop_test(tests, test_memory, 0, sizeof memory_rows / sizeof memory_rows[0]);
	tcase_add_loop_test(tests, test_cores, 0, sizeof core_rows / sizeof core_rows[0]);
	tcase_add_test(tests, test_devices);
	tcase_add_test(tests, test_everything_at_once_fits);
	tcase_add_test(tests, test_look);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
