// GET /metrics of a real tandem-control: HTTP, the exposition format read strictly, and every query of
// the Grafana dashboard about a metric that is there.
#include <arpa/inet.h>
#include <check.h>
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "live.h"

#define METRICS_PORT 9105
#define NAMES_MAX    256

static struct live live;

static void setup(void)
{
	live_start(&live);
}

static void teardown(void)
{
	live_stop(&live);
}

static int dial(void)
{
	struct sockaddr_in to = live_address(&live, 1, METRICS_PORT);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_msg(connect(fd, (struct sockaddr *)&to, sizeof to) == 0, "%s", strerror(errno));
	return fd;
}

// All that comes until the other side closes; the caller's.
static char *read_all(int fd)
{
	int64_t end_ms = live_now_ms() + LIVE_WAIT_MS;
	size_t have = 0, room = 1 << 20;
	char *text = malloc(room);

	while (live_now_ms() < end_ms) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		ssize_t got;

		live_pump(&live);
		if (poll(&ready, 1, 20) <= 0)
			continue;
		got = read(fd, text + have, room - 1 - have);
		if (got <= 0)
			break;
		have += (size_t)got;
	}
	text[have] = '\0';
	return text;
}

static char *ask(const char *request)
{
	int fd = dial();
	char *answer;

	ck_assert_int_eq(send(fd, request, strlen(request), MSG_NOSIGNAL),
			 (ssize_t)strlen(request));
	answer = read_all(fd);
	close(fd);
	return answer;
}

static char *scrape(void)
{
	char *answer = ask("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	char *body = strstr(answer, "\r\n\r\n"), *page;

	ck_assert_msg(strncmp(answer, "HTTP/1.1 200 ", 13) == 0 && body != NULL, "%.200s", answer);
	ck_assert_ptr_nonnull(strstr(answer, "Content-Type: text/plain; version=0.0.4"));
	page = strdup(body + 4);
	free(answer);
	return page;
}

// A metric name by the format's grammar; its length.
static size_t name_length(const char *text)
{
	size_t n = 0;

	if (!isalpha((unsigned char)*text) && *text != '_' && *text != ':')
		return 0;
	while (isalnum((unsigned char)text[n]) || text[n] == '_' || text[n] == ':')
		n++;
	return n;
}

struct names {
	char families[NAMES_MAX][80], types[NAMES_MAX][16], samples[NAMES_MAX][80];
	unsigned family_count, sample_count;
};

static bool ends(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n > m && strcmp(text + n - m, end) == 0;
}

static void take_comment(struct names *names, const char *line)
{
	char kind[8], name[80], rest[256];
	unsigned last = names->family_count;

	ck_assert_msg(sscanf(line, "# %7s %79s %255[^\n]", kind, name, rest) == 3, "%s", line);
	ck_assert_msg(name_length(name) == strlen(name), "%s", line);
	if (strcmp(kind, "HELP") == 0) {
		for (unsigned i = 0; i < last; i++)
			ck_assert_msg(strcmp(names->families[i], name) != 0, "twice: %s", name);
		ck_assert_uint_lt(last, NAMES_MAX);
		strcpy(names->families[names->family_count++], name);
		return;
	}
	ck_assert_msg(strcmp(kind, "TYPE") == 0 && last > 0, "%s", line);
	ck_assert_msg(strcmp(names->families[last - 1], name) == 0, "TYPE after HELP: %s", line);
	ck_assert_msg(strcmp(rest, "gauge") == 0 || strcmp(rest, "counter") == 0 ||
			      strcmp(rest, "histogram") == 0,
		      "%s", line);
	// As promtool has it: counters end in _total, nothing else does.
	ck_assert_msg((strcmp(rest, "counter") == 0) == ends(name, "_total"), "%s", line);
	strcpy(names->types[last - 1], rest);
}

// {name="value",...}: where it ends.
static const char *skip_labels(const char *at, const char *line)
{
	if (*at != '{')
		return at;
	at++;
	while (*at != '}') {
		size_t n = name_length(at);

		ck_assert_msg(n > 0 && strncmp(at + n, "=\"", 2) == 0, "%s", line);
		at += n + 2;
		while (*at != '"') {
			ck_assert_msg(*at != '\0', "%s", line);
			at += *at == '\\' ? 2 : 1;
		}
		at++;
		if (*at == ',')
			at++;
	}
	return at + 1;
}

static void take_sample(struct names *names, const char *line)
{
	size_t n = name_length(line), family = strlen(names->families[names->family_count - 1]);
	const char *at = skip_labels(line + n, line);
	char *end;

	ck_assert_msg(n > 0 && names->family_count > 0, "%s", line);
	// Of the family before it, or a histogram's part.
	ck_assert_msg(strncmp(line, names->families[names->family_count - 1], family) == 0, "%s",
		      line);
	if (n != family)
		ck_assert_msg(strcmp(names->types[names->family_count - 1], "histogram") == 0, "%s",
			      line);
	ck_assert_msg(*at == ' ', "%s", line);
	(void)strtod(at + 1, &end);
	ck_assert_msg(end > at + 1 && *end == '\0', "%s", line);
	ck_assert_uint_lt(names->sample_count, NAMES_MAX);
	for (unsigned i = 0; i < names->sample_count; i++)
		if (strlen(names->samples[i]) == n && strncmp(names->samples[i], line, n) == 0)
			return;
	snprintf(names->samples[names->sample_count++], 80, "%.*s", (int)n, line);
}

static void read_strictly(const char *page, struct names *names)
{
	char *copy = strdup(page), *rest = copy, *line;

	memset(names, 0, sizeof *names);
	ck_assert(page[strlen(page) - 1] == '\n');
	while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
		if (*line == '#')
			take_comment(names, line);
		else
			take_sample(names, line);
	}
	free(copy);
}

static double value_of(const char *page, const char *sample)
{
	char needle[160];
	const char *at;

	snprintf(needle, sizeof needle, "\n%s ", sample);
	at = strstr(page, needle);
	ck_assert_msg(at != NULL, "%s", sample);
	return atof(at + strlen(needle));
}

START_TEST(the_page_is_what_the_format_says)
{
	static struct names names;
	struct td_worker_stats *worker = &live.dp.region.workers[0];
	char *page;

	worker->ticks_per_s = 4000;
	worker->stages[TD_STAGE_PARSE] = (struct td_stage_stats){ .ticks = 3000, .units = 9 };
	live.dp.region.ports[0].rx_missed = 17;
	live.dp.region.ports[0].gate_fragments = 5;
	page = scrape();
	read_strictly(page, &names);
	ck_assert_uint_gt(names.family_count, 50);
	ck_assert_double_eq(value_of(page, "tandem_port_missed_total{port=\"lan\"}"), 17);
	ck_assert_double_eq(value_of(page, "tandem_port_gate_fragments_total{port=\"lan\"}"), 5);
	ck_assert_double_eq(value_of(page, "tandem_dataplane_up"), 1);
	ck_assert_double_eq(value_of(page, "tandem_stage_seconds_total{stage=\"parse\"}"), 0.75);
	ck_assert_double_eq(value_of(page, "tandem_stage_units_total{stage=\"parse\"}"), 9);
	ck_assert_double_eq(value_of(page, "tandem_stage_units_total{stage=\"seal\"}"), 0);
	ck_assert_double_eq(value_of(page, "tandem_calls"), 0);
	ck_assert_double_eq(value_of(page, "tandem_leg_mos_bucket{le=\"+Inf\"}"), 0);
	free(page);
}
END_TEST

START_TEST(the_recordings_disk)
{
	struct live_client listener = live_login(&live);
	json_t *event;
	char *page;

	json_decref(live_ask(&live, &listener, "events.subscribe", NULL));
	dp_record_alarm(&live.dp, TD_RECORD_ALARM_SLOW, 1, 1004);
	event = live_receive(&live, &listener);
	ck_assert_str_eq(live_text(event, "params.kind"), "recording.alarm");
	ck_assert_str_eq(live_text(event, "params.alarm.alarm"), "slow");
	ck_assert(json_is_true(live_at(event, "params.alarm.active")));
	ck_assert_int_eq(live_int(event, "params.alarm.waited_ms"), 1004);
	json_decref(event);
	page = scrape();
	ck_assert_double_eq(value_of(page, "tandem_recording_alarm{alarm=\"slow\"}"), 1);
	ck_assert_double_eq(value_of(page, "tandem_recording_alarm{alarm=\"failed\"}"), 0);
	free(page);
	dp_record_alarm(&live.dp, TD_RECORD_ALARM_SLOW, 0, 0);
	event = live_receive(&live, &listener);
	ck_assert(json_is_false(live_at(event, "params.alarm.active")));
	json_decref(event);
	page = scrape();
	ck_assert_double_eq(value_of(page, "tandem_recording_alarm{alarm=\"slow\"}"), 0);
	free(page);
	live_hang_up(&listener);
}
END_TEST

static void check_query(const struct names *names, const char *query)
{
	for (const char *at = strstr(query, "tandem_"); at; at = strstr(at, "tandem_")) {
		size_t n = name_length(at);
		bool known = false;

		for (unsigned i = 0; i < names->sample_count; i++)
			known |= strlen(names->samples[i]) == n &&
				 strncmp(names->samples[i], at, n) == 0;
		// Only there while a stream is rated: the source says so beside it.
		known |= strncmp(at, "tandem_stream_mos_avg", n) == 0 ||
			 strncmp(at, "tandem_stream_mos_min", n) == 0;
		ck_assert_msg(known, "no such metric: %.*s in %s", (int)n, at, query);
		at += n;
	}
}

static unsigned check_queries(const struct names *names, const json_t *node)
{
	unsigned count = 0;
	const char *key;
	const json_t *value;
	size_t index;

	json_array_foreach(node, index, value) count += check_queries(names, value);
	if (!json_is_object(node))
		return count;
	json_object_foreach((json_t *)node, key, value)
	{
		if (json_is_string(value) &&
		    (strcmp(key, "expr") == 0 || strcmp(key, "query") == 0)) {
			check_query(names, json_string_value(value));
			count++;
		}
		count += check_queries(names, value);
	}
	return count;
}

START_TEST(every_query_of_the_dashboard_names_a_metric)
{
	static struct names names;
	json_error_t error;
	json_t *dashboard = json_load_file(TD_DASHBOARD, JSON_REJECT_DUPLICATES, &error);
	char *page = scrape();

	ck_assert_msg(dashboard != NULL, "%s:%d: %s", TD_DASHBOARD, error.line, error.text);
	read_strictly(page, &names);
	ck_assert_uint_gt(check_queries(&names, dashboard), 20);
	json_decref(dashboard);
	free(page);
}
END_TEST

static const struct {
	const char *request, *answer;
} requests[] = {
	{ "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 404 " },
	{ "GET /metrics/../x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 404 " },
	{ "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
	  "HTTP/1.1 405 " },
	{ "HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 " },
	{ "{\"jsonrpc\":\"2.0\",\"id\":1}\r\n\r\n", "" }, // closed, without a word
};

START_TEST(other_requests)
{
	char *answer = ask(requests[_i].request);

	ck_assert_msg(strncmp(answer, requests[_i].answer, strlen(requests[_i].answer)) == 0, "%s",
		      answer);
	free(answer);
}
END_TEST

// Sixteen who say nothing, and a request that never ends: the API is not held up, and there is a
// place again as soon as one goes.
START_TEST(the_slow_harm_nobody)
{
	struct live_client client = live_login(&live);
	int slow[16];
	json_t *reply;
	char *page = NULL;
	int64_t end_ms;

	for (unsigned i = 0; i < 16; i++) {
		slow[i] = dial();
		ck_assert_int_ge(send(slow[i], "GET /metrics HTT", 16, MSG_NOSIGNAL), 0);
	}
	reply = live_ask(&live, &client, "system.status", NULL);
	ck_assert_ptr_nonnull(live_at(reply, "result.version"));
	json_decref(reply);
	for (unsigned i = 0; i < 16; i++)
		close(slow[i]);
	// What has gone may be noticed after who comes: that one is turned away, and asks again.
	end_ms = live_now_ms() + LIVE_WAIT_MS;
	do {
		free(page);
		page = ask("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	} while (strncmp(page, "HTTP/1.1 200 ", 13) != 0 && live_now_ms() < end_ms);
	ck_assert_msg(strncmp(page, "HTTP/1.1 200 ", 13) == 0, "%.100s", page);
	free(page);
	live_hang_up(&client);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("api/metrics");
	TCase *tc = tcase_create("metrics");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_page_is_what_the_format_says);
	tcase_add_test(tc, the_recordings_disk);
	tcase_add_test(tc, every_query_of_the_dashboard_names_a_metric);
	tcase_add_loop_test(tc, other_requests, 0, sizeof requests / sizeof requests[0]);
	tcase_add_test(tc, the_slow_harm_nobody);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
