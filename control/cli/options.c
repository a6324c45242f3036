// Options by getopt, help by hand.
#include "cli/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/tandemctl.h"

#define ADDRESS_DEFAULT "127.0.0.1:5048"
#define SECONDS_MAX     600
#define NUMBERS_MAX     8 // negative numbers among the arguments
#define NUMBER_TEXT_MAX 32

static const struct option long_options[] = {
	{ "address", required_argument, NULL, 'a' }, { "config", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },          { "json", no_argument, NULL, 'j' },
	{ "file", required_argument, NULL, 'f' },    { "seconds", required_argument, NULL, 'S' },
	{ "since", required_argument, NULL, 's' },   { "token", required_argument, NULL, 't' },
	{ "version", no_argument, NULL, 'V' },       { NULL, 0, NULL, 0 },
};

static void print_help(FILE *out)
{
	fputs("tandemctl: look at a running Tandem and steer it\n\n"
	      "usage: tandemctl [options] COMMAND [arguments]\n\ncommands\n",
	      out);
	td_commands_print(out);
	fputs("\noptions\n"
	      "  --json             results for programs: one JSON object a line\n"
	      "  --token TOKEN      the API's token; better: TANDEM_TOKEN in the environment\n"
	      "  --config FILE      take address and token from Tandem's own config file\n"
	      "  --address A:PORT   where the API listens; default " ADDRESS_DEFAULT "\n"
	      "  --seconds N        capture: for so long\n"
	      "  --file FILE        capture: into this file\n"
	      "  --since N          events: resume after event N\n"
	      "  --version, --help\n\n"
	      "exit status: 0 done, 1 refused by the API, 2 wrong usage, 3 no connection,\n"
	      "4 wrong or missing token\n",
	      out);
}

static int read_since(struct td_options *options, const char *text)
{
	char *end;
	long long value = strtoll(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value < 0) {
		fprintf(stderr, "tandemctl: --since: found \"%s\", expected a number\n", text);
		return 2;
	}
	options->since = value;
	return 0;
}

static int read_seconds(struct td_options *options, const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text < '1' || *text > '9' || *end != '\0' || value > SECONDS_MAX) {
		fprintf(stderr, "tandemctl: --seconds: found \"%s\", expected 1 to %d\n", text,
			SECONDS_MAX);
		return 2;
	}
	options->seconds = (uint32_t)value;
	return 0;
}

static int read_config(struct td_options *options, const char *path)
{
	char error[TD_CONFIG_ERROR_MAX];

	td_config_free(options->config);
	options->config = NULL;
	if (td_config_load(path, &options->config, error) == 0)
		return 0;
	fprintf(stderr, "tandemctl: %s\n", error);
	return 2;
}

static int read_one(struct td_options *options, int option)
{
	switch (option) {
	case 'a': options->address = optarg; return 0;
	case 'c': return read_config(options, optarg);
	case 'h': print_help(stdout); return 1;
	case 'j': options->json = true; return 0;
	case 'S': return read_seconds(options, optarg);
	case 'f': options->file = optarg; return 0;
	case 's': return read_since(options, optarg);
	case 't': options->token = optarg; return 0;
	case 'V': puts("tandemctl " TD_VERSION); return 1;
	default: fputs("tandemctl: see tandemctl --help\n", stderr); return 2;
	}
}

// What no option said comes from the environment, the config, or is known.
static void fill_in(struct td_options *options)
{
	const struct td_config *config = options->config;

	if (!options->token)
		options->token = getenv("TANDEM_TOKEN");
	if (!options->token && config)
		options->token = config->api.token;
	if (!options->address)
		options->address = config ? config->api.listen : ADDRESS_DEFAULT;
}

// A word such as -6 is a number and no option: a blank before it hides that from getopt, and does
// not change the number.
static void shield_numbers(int argc, char **argv)
{
	static char texts[NUMBERS_MAX][NUMBER_TEXT_MAX];
	int used = 0;

	for (int i = 1; i < argc && used < NUMBERS_MAX; i++) {
		const char *word = argv[i];

		if (word[0] != '-' || word[1] < '0' || word[1] > '9' ||
		    strlen(word) + 2 > NUMBER_TEXT_MAX)
			continue;
		snprintf(texts[used], sizeof texts[used], " %s", word);
		argv[i] = texts[used++];
	}
}

int td_options_read(struct td_options *options, int argc, char **argv)
{
	int option, rc;

	*options = (struct td_options){ .since = -1 };
	shield_numbers(argc, argv);
	while ((option = getopt_long(argc, argv, "ha:c:jt:V", long_options, NULL)) != -1) {
		rc = read_one(options, option);
		if (rc != 0)
			return rc;
	}
	options->words = argv + optind;
	options->word_count = argc - optind;
	fill_in(options);
	if (options->word_count > 0)
		return 0;
	print_help(stderr);
	return 2;
}

void td_options_free(struct td_options *options)
{
	td_config_free(options->config);
	options->config = NULL;
}
