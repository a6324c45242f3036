#include "config/program.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "td_log.h"

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

bool td_program_start(const struct td_program *program, int argc, char **argv,
		      struct td_config **config, int *status)
{
	struct arguments arguments = { 0 };
	char error[TD_CONFIG_ERROR_MAX];

	*config = NULL;
	*status = 0;
	if (parse_arguments(argc, argv, &arguments) != 0) {
		fputs(program->usage, stderr);
		*status = TD_EXIT_USAGE;
		return false;
	}
	if (arguments.help) {
		fputs(program->usage, stdout);
		return false;
	}
	if (arguments.version) {
		printf("%s " TD_VERSION "\n", program->name);
		return false;
	}
	if (td_config_load(arguments.config, config, error) != 0) {
		fprintf(stderr, "%s\n", error);
		*status = TD_EXIT_FAILED;
		return false;
	}
	set_log_level((*config)->system.log_level);
	if (!arguments.check)
		return true;
	printf("%s: the config is good\n", arguments.config);
	td_config_free(*config);
	*config = NULL;
	return false;
}
