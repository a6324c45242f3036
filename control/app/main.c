// tandem-control: the signalling half of Tandem.
#include <stdio.h>

#include "app/control.h"
#include "config/program.h"
#include "link/link.h"
#include "td_log.h"

static const char usage[] =
	"usage: tandem-control --config FILE [--check]\n"
	"       tandem-control --help | --version\n"
	"\n"
	"Signals Tandem's calls: answers SIP trunks and phones, queues callers for agents, tells\n"
	"tandem-dataplane what media goes where, writes call records, serves the control API.\n"
	"It attaches to the dataplane when there is one, and again whenever it comes back.\n"
	"\n"
	"  -c, --config FILE  the one YAML file both processes read\n"
	"      --check        read and check it, say so, and exit\n"
	"      --version      print the version and exit\n"
	"      --help         print this and exit\n";

static void say_ready(const struct td_control *control)
{
	const struct td_config *config = control->config;

	td_info(NULL,
		"tandem-control " TD_VERSION ": SIP on UDP %s, API on %s, records in %s/tandem.db, "
		"dataplane expected at %s/" TD_LINK_SOCKET_NAME,
		config->sip.listen, config->api.listen, config->system.data_dir,
		config->system.run_dir);
}

static int run(const struct td_config *config)
{
	static struct td_control control;
	char reason[TD_CONTROL_REASON_MAX];

	td_role_enter_control();
	if (td_control_start(&control, config, reason) != 0) {
		td_error(NULL, "%s", reason);
		return TD_EXIT_FAILED;
	}
	say_ready(&control);
	td_control_run(&control);
	td_control_stop(&control);
	td_info(NULL, "tandem-control has stopped");
	return 0;
}

int main(int argc, char **argv)
{
	static const struct td_program program = { "tandem-control", usage };
	struct td_config *config;
	int status;

	if (!td_program_start(&program, argc, argv, &config, &status))
		return status;
	status = run(config);
	td_config_free(config);
	return status;
}
