// `tandemctl watch`: the switch on one screen, once a second, with plain ANSI sequences.
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "cli/show.h"
#include "cli/tandemctl.h"

#define FRAME_MS 1000
#define EOL      "\033[K\n" // and clear what an older frame left on this line

// The alternate screen, without cursor and without wrapping; and the way back.
#define SCREEN_ENTER "\033[?1049h\033[?25l\033[?7l"
#define SCREEN_LEAVE "\033[?7h\033[?25h\033[?1049l"

static volatile sig_atomic_t stopping;

static void on_signal(int signal)
{
	stopping |= signal != SIGWINCH; // a new size only ends the wait
}

static unsigned screen_rows(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

// The result of one question; NULL when it is refused (the dataplane may be away).
static json_t *ask(struct td_connection *connection, const char *method, json_t *params,
		   enum td_outcome *outcome, char error[TD_CONNECTION_ERROR_MAX])
{
	json_t *result = NULL;

	if (*outcome != TD_OUTCOME_OK) {
		json_decref(params);
		return NULL;
	}
	*outcome = td_connection_ask(connection, method, params, &result, error);
	if (*outcome == TD_OUTCOME_REFUSED)
		*outcome = TD_OUTCOME_OK;
	return result;
}

static void draw_head(FILE *out, const json_t *status)
{
	static const struct td_field cells[] = {
		{ "up", "uptime_s", TD_FIELD_SECONDS },
		{ "calls", "calls.now", TD_FIELD_COUNT },
		{ "streams", "media.streams", TD_FIELD_COUNT },
		{ "packets/s", "media.rx_pps", TD_FIELD_COUNT },
		{ "drops", "media.drops", TD_FIELD_COUNT },
		{ "load", "media.load_max_percent", TD_FIELD_PERCENT },
		{ "dataplane", "dataplane.state", TD_FIELD_TEXT },
		{ "records waiting", "store.queued", TD_FIELD_COUNT },
	};
	char text[TD_FIELD_MAX], clock[16];
	time_t now = time(NULL);
	struct tm broken;

	strftime(clock, sizeof clock, "%H:%M:%S", localtime_r(&now, &broken));
	fprintf(out, "\033[1mTandem\033[0m  %s", clock);
	for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++)
		fprintf(out, "   %s \033[1m%s\033[0m", cells[i].title,
			td_field_text(status, &cells[i], text));
	fputs(EOL EOL, out);
}

static void draw_list(FILE *out, const json_t *result, const char *key,
		      const struct td_field *cells, const char *empty)
{
	td_table_print(out, json_object_get(result, key), cells, empty, EOL);
	fputs(EOL, out);
}

static enum td_outcome draw(FILE *out, struct td_connection *connection,
			    char error[TD_CONNECTION_ERROR_MAX])
{
	enum td_outcome outcome = TD_OUTCOME_OK;
	json_t *status = ask(connection, "system.status", NULL, &outcome, error);
	json_t *workers = ask(connection, "worker.list", NULL, &outcome, error);
	json_t *queues = ask(connection, "queue.list", NULL, &outcome, error);
	json_t *agents =
		ask(connection, "agent.list", json_pack("{s:i}", "limit", 100), &outcome, error);
	json_t *calls =
		ask(connection, "call.list", json_pack("{s:i}", "limit", 100), &outcome, error);

	draw_head(out, status);
	draw_list(out, workers, "workers", td_worker_fields, "the dataplane is not connected");
	draw_list(out, queues, "queues", td_queue_fields, "no queues");
	draw_list(out, agents, "agents", td_agent_fields, "no agents");
	draw_list(out, calls, "calls", td_call_fields, "no calls");
	json_decref(status);
	json_decref(workers);
	json_decref(queues);
	json_decref(agents);
	json_decref(calls);
	return outcome;
}

// As many lines of the frame as the screen has; the last without its newline, or it would scroll.
static void put_frame(char *frame)
{
	unsigned rows = screen_rows();
	char *end = frame;

	for (unsigned row = 0; row < rows && *end; row++)
		end += strcspn(end, "\n") + 1;
	if (end > frame && end[-1] == '\n')
		end[-1] = '\0';
	*end = '\0';
	printf("\033[H%s\033[J", frame);
	fflush(stdout);
}

// One frame; a connection that broke is closed and *connection becomes NULL.
static void show_frame(const struct td_options *options, struct td_connection **connection)
{
	char error[TD_CONNECTION_ERROR_MAX] = "", *frame = NULL;
	enum td_outcome outcome = TD_OUTCOME_OK;
	size_t bytes;
	FILE *out = open_memstream(&frame, &bytes);

	if (!out)
		return;
	if (!*connection)
		outcome = td_connection_open(options->address, options->token, connection, error);
	if (outcome == TD_OUTCOME_OK)
		outcome = draw(out, *connection, error);
	if (outcome != TD_OUTCOME_OK) {
		td_connection_close(*connection);
		*connection = NULL;
		rewind(out);
		fprintf(out, "%s" EOL "trying again every second" EOL, error);
	}
	fputc('\0', out);
	if (fclose(out) == 0 && frame)
		put_frame(frame);
	free(frame);
}

// Waits for the next frame; true when somebody pressed q.
static bool wait_for_key(void)
{
	struct pollfd keyboard = { .fd = STDIN_FILENO, .events = POLLIN };
	char key;

	if (poll(&keyboard, 1, FRAME_MS) <= 0)
		return false;
	// A keyboard that has gone away would be ready for ever.
	return read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q';
}

enum td_outcome td_run_watch(const struct td_options *options)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct td_connection *connection = NULL;
	struct termios before, quiet;
	enum td_outcome outcome;

	if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &before) != 0) {
		fputs("tandemctl: watch needs a terminal; try tandemctl --json status\n", stderr);
		return TD_OUTCOME_USAGE;
	}
	outcome = td_command_connect(options, &connection);
	if (outcome != TD_OUTCOME_OK)
		return outcome;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGWINCH, &action, NULL);
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
	fputs(SCREEN_ENTER, stdout);
	do
		show_frame(options, &connection);
	while (!stopping && !wait_for_key() && !stopping);
	fputs(SCREEN_LEAVE, stdout);
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
	td_connection_close(connection);
	return TD_OUTCOME_OK;
}
