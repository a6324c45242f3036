// `tandemctl capture CALL`, `tandemctl conference capture NAME`: packets into a local pcap file, until the
// time is over, the call or conference is, or ctrl-C.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/tandemctl.h"

#define LOOK_MS    200 // between two looks for more
#define PIECE_MAX  65536
#define NO_SECONDS 0

static volatile sig_atomic_t stopping;

static void on_signal(int signal)
{
	(void)signal;
	stopping = 1;
}

static int value_of(char letter)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = letter ? strchr(letters, letter) : NULL;

	return at ? (int)(at - letters) : -1;
}

// The bytes of base64 text, in place of it. SIZE_MAX: it is none.
static size_t decode(const char *text, size_t len, uint8_t *out)
{
	size_t count = 0;

	if (len % 4 != 0)
		return SIZE_MAX;
	for (size_t i = 0; i < len; i += 4) {
		unsigned pad = (text[i + 3] == '=') + (text[i + 2] == '=');
		uint32_t word = 0;

		for (size_t j = 0; j < 4; j++) {
			int value = j + pad > 3 ? 0 : value_of(text[i + j]);

			if (value < 0)
				return SIZE_MAX;
			word = word << 6 | (uint32_t)value;
		}
		for (unsigned j = 0; j < 3 - pad; j++)
			out[count++] = (uint8_t)(word >> (16 - 8 * j));
	}
	return count;
}

struct capture {
	struct td_connection *connection;
	json_int_t fork, next;
	char name[256]; // on the switch
	FILE *file;
	bool done, stopped;
	char error[TD_CONNECTION_ERROR_MAX];
};

static enum td_outcome start(struct capture *capture, const struct td_options *options)
{
	bool conference = strcmp(options->words[0], "conference") == 0;
	json_t *params = conference ? json_pack("{s:s}", "conference", options->words[2])
				    : json_pack("{s:s}", "call", options->words[1]);
	json_t *result;
	enum td_outcome outcome;

	if (options->seconds != NO_SECONDS)
		json_object_set_new(params, "seconds", json_integer(options->seconds));
	outcome = td_connection_ask(capture->connection, "capture.start", params, &result,
				    capture->error);
	capture->fork = json_integer_value(json_object_get(result, "fork"));
	json_decref(result);
	return outcome;
}

// The file has a name once it has been made, a moment after the start.
static enum td_outcome learn_name(struct capture *capture)
{
	json_t *params = json_pack("{s:I}", "fork", capture->fork), *result;
	enum td_outcome outcome =
		td_connection_ask(capture->connection, "fork.get", params, &result, capture->error);
	const char *name = json_string_value(json_object_get(result, "file"));

	if (name)
		snprintf(capture->name, sizeof capture->name, "%s", name);
	json_decref(result);
	return outcome;
}

static enum td_outcome broken(struct capture *capture, const char *why)
{
	snprintf(capture->error, sizeof capture->error, "%s", why);
	return TD_OUTCOME_UNREACHABLE;
}

static enum td_outcome stop(struct capture *capture)
{
	json_t *params = json_pack("{s:I}", "fork", capture->fork), *result;
	char ignored[TD_CONNECTION_ERROR_MAX]; // it may have ended by itself

	capture->stopped = true;
	if (td_connection_ask(capture->connection, "fork.stop", params, &result, ignored) ==
	    TD_OUTCOME_UNREACHABLE)
		return broken(capture, "the connection was closed");
	json_decref(result);
	return TD_OUTCOME_OK;
}

static enum td_outcome take(struct capture *capture, const json_t *result, bool *more)
{
	const char *text = json_string_value(json_object_get(result, "data"));
	static uint8_t bytes[PIECE_MAX];
	size_t len = text ? strlen(text) : SIZE_MAX;

	len = len <= PIECE_MAX ? decode(text, len, bytes) : SIZE_MAX;
	if (len == SIZE_MAX)
		return broken(capture, "the capture did not come as base64");
	if (fwrite(bytes, 1, len, capture->file) != len || fflush(capture->file) != 0)
		return broken(capture, strerror(errno));
	*more = len > 0;
	capture->next = json_integer_value(json_object_get(result, "next"));
	capture->done = json_is_true(json_object_get(result, "done"));
	return TD_OUTCOME_OK;
}

static enum td_outcome read_on(struct capture *capture, bool *more)
{
	json_t *params = json_pack("{s:s, s:I}", "file", capture->name, "offset", capture->next);
	json_t *result;
	enum td_outcome outcome = td_connection_ask(capture->connection, "capture.read", params,
						    &result, capture->error);

	if (outcome == TD_OUTCOME_OK)
		outcome = take(capture, result, more);
	json_decref(result);
	return outcome;
}

static void rest(void)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };

	(void)nanosleep(&pause, NULL);
}

static enum td_outcome follow(struct capture *capture)
{
	enum td_outcome outcome = TD_OUTCOME_OK;

	while (outcome == TD_OUTCOME_OK && !capture->done) {
		bool more = false;

		if (stopping && !capture->stopped)
			outcome = stop(capture);
		if (outcome == TD_OUTCOME_OK)
			outcome = read_on(capture, &more);
		if (!more && !capture->done)
			rest();
	}
	return outcome;
}

// Beside where we are under the name it has there, unless another is wished.
static enum td_outcome open_file(struct capture *capture, const struct td_options *options)
{
	const char *path = options->file ? options->file : capture->name;
	enum td_outcome outcome = TD_OUTCOME_OK;

	for (int tries = 0; outcome == TD_OUTCOME_OK && capture->name[0] == '\0' && tries < 25;
	     tries++) {
		rest();
		outcome = learn_name(capture);
	}
	if (outcome != TD_OUTCOME_OK)
		return outcome;
	if (strpbrk(capture->name, "/") || capture->name[0] == '\0')
		return broken(capture, "the capture has no file: see the dataplane's log");
	capture->file = fopen(path, "wbe");
	if (!capture->file) {
		snprintf(capture->error, sizeof capture->error, "%s: %s", path, strerror(errno));
		return TD_OUTCOME_USAGE;
	}
	return TD_OUTCOME_OK;
}

enum td_outcome td_run_capture(const struct td_options *options)
{
	struct sigaction action = { .sa_handler = on_signal }; // no SA_RESTART: it ends the wait
	struct capture capture = { .next = 0 };
	enum td_outcome outcome = td_command_connect(options, &capture.connection);

	if (outcome != TD_OUTCOME_OK)
		return outcome;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	outcome = start(&capture, options);
	if (outcome == TD_OUTCOME_OK) {
		outcome = open_file(&capture, options);
		if (outcome == TD_OUTCOME_OK)
			outcome = follow(&capture);
		if (outcome != TD_OUTCOME_OK)
			(void)stop(&capture);
	}
	if (capture.file && fclose(capture.file) != 0 && outcome == TD_OUTCOME_OK)
		outcome = broken(&capture, strerror(errno));
	if (outcome != TD_OUTCOME_OK)
		fprintf(stderr, "tandemctl: %s\n", capture.error);
	else
		printf("%s: %" JSON_INTEGER_FORMAT " bytes\n",
		       options->file ? options->file : capture.name, capture.next);
	td_connection_close(capture.connection);
	return outcome;
}
