// tandem-control: the signalling half of Tandem.
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "app/control.h"
#include "link/link.h"
#include "td_log.h"

#define EXIT_FAILED 1
#define EXIT_USAGE  2

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

struct arguments {
	const char *config;
	bool check, help, version;
};

static int parse_arguments(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", no_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (option) {
		case 'c': arguments->config = optarg; break;
		case 'k': arguments->check = true; break;
		case 'h': arguments->help = true; break;
		case 'v': arguments->version = true; break;
		default: return -TD_EINVALID;
		}
	}
	if (optind != argc || (!arguments->config && !arguments->help && !arguments->version))
		return -TD_EINVALID;
	return 0;
}

static void set_log_level(const char *name)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };

	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(name, names[i]) == 0)
			td_log_set_level((enum td_log_level)i);
}

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
		return EXIT_FAILED;
	}
	say_ready(&control);
	td_control_run(&control);
	td_control_stop(&control);
	td_info(NULL, "tandem-control has stopped");
	return 0;
}

int main(int argc, char **argv)
{
	struct arguments arguments = { 0 };
	char error[TD_CONFIG_ERROR_MAX];
	struct td_config *config;
	int result = 0;

	if (parse_arguments(argc, argv, &arguments) != 0) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (arguments.help || arguments.version) {
		fputs(arguments.help ? usage : "tandem-control " TD_VERSION "\n", stdout);
		return 0;
	}
	if (td_config_load(arguments.config, &config, error) != 0) {
		fprintf(stderr, "%s\n", error);
		return EXIT_FAILED;
	}
	set_log_level(config->system.log_level);
	if (arguments.check)
		printf("%s: the config is good\n", arguments.config);
	else
		result = run(config);
	td_config_free(config);
	return result;
}
