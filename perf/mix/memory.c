// perf/run memory: what a stream takes, as the process's resident memory grows with their number.
//
// Each measurement is a process of its own, on ordinary pages so that all memory counts, with an
// engine of just that many streams, all of them connected and talking. The figure is the difference
// between many and few, by their number: what does not grow with streams is not in it.
//
//   forwarded   calls of two PCMU phones, 10,000 and 100,000 streams
//   mixed       calls between PCMU and Opus, 500 and 2,500 streams of each; half of a call is the
//               Opus stream, and the codec's own state is taken off
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forward/relay.h"
#include "mix/opus_calls.h"
#include "report.h"

#define MBUFS        16383
#define SEED         20267
#define ROUNDS       5u
#define MIXED_ROUNDS 10u
#define MUST_PLAY    3u // rounds that everybody must have heard something in

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "memory: %s\n", what);
	exit(2);
}

static double resident_bytes(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	must(file != NULL && fscanf(file, "%*u %lu", &pages) == 1, "cannot read /proc/self/statm");
	fclose(file);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

// All of the parties' own memory is there before anything is measured.
static void touch(struct td_hall *hall)
{
	memset(hall->parties, 0xff, hall->count * sizeof *hall->parties);
	memset(hall->parties, 0, hall->count * sizeof *hall->parties);
	for (uint32_t i = 0; i < 20u; i++)
		memset(hall->turns[i], 0xff, (hall->count / 20u + 1u) * sizeof *hall->turns[i]);
	memset(hall->spare, 0xff, hall->count * sizeof(struct rte_mbuf *));
}

static void make_call(struct td_hall *hall, uint32_t call, const struct td_loop *loop)
{
	struct td_context_id context = td_bench_context(hall->bench);
	struct td_member members[2];
	struct td_cell cells[2];

	for (uint32_t i = 0; i < 2; i++) {
		td_hall_join(hall, 2u * call + i, context, TD_CODEC_PCMU, NULL);
		td_hall_say(hall, 2u * call + i, loop, 0);
		members[i] = (struct td_member){ TD_MEMBER_STREAM,
						 hall->parties[2u * call + i].stream.id.v };
	}
	cells[0] = (struct td_cell){ members[0], members[1], TD_GAIN_UNITY };
	cells[1] = (struct td_cell){ members[1], members[0], TD_GAIN_UNITY };
	td_bench_edit(hall->bench, context, cells, 2);
}

static void talk(struct td_hall *hall, uint32_t rounds)
{
	td_bench_resolve(hall->bench);
	for (uint32_t i = 0; i < rounds; i++)
		td_hall_round(hall);
	for (uint32_t i = 0; i < hall->count; i++)
		must(hall->parties[i].heard >= MUST_PLAY, "a party has heard nothing");
}

// Prints how many bytes the streams of one process take.
static int measure(bool mixed, uint32_t streams)
{
	static const int16_t silence[160];
	struct td_loop *loop = td_loop_create(TD_CODEC_PCMU, 8000, NULL, silence, 1);
	struct td_bench_options options = { .name = "memory",
					    .stream_count = streams,
					    .mixed_count = mixed ? streams : 1,
					    .seed = SEED };
	struct td_opus_calls calls;
	struct td_bench bench;
	struct td_hall hall;
	double before;

	options.pool = td_bench_eal("memory", "0", MBUFS);
	td_hall_open(&hall, &bench, streams);
	touch(&hall);
	td_opus_calls_open(&calls, &hall);
	before = resident_bytes();
	td_bench_open(&bench, &options);
	for (uint32_t i = 0; i < streams / 2u; i++)
		if (mixed)
			td_opus_calls_add(&calls);
		else
			make_call(&hall, i, loop);
	talk(&hall, mixed ? MIXED_ROUNDS : ROUNDS);
	printf("%.0f\n", resident_bytes() - before);
	return 0;
}

// The same in a process of its own.
static double ask(char *program, char *what, uint32_t streams)
{
	char count[16], *const arguments[] = { program, what, count, NULL };
	double bytes = 0;
	int ends[2], status;
	FILE *answer;
	pid_t child;

	snprintf(count, sizeof count, "%u", streams);
	must(pipe(ends) == 0, "no pipe");
	child = fork();
	must(child >= 0, "no process");
	if (child == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		setenv("TANDEM_NO_HUGE", "1", 1);
		execv(program, arguments);
		_exit(2);
	}
	close(ends[1]);
	answer = fdopen(ends[0], "r");
	must(answer != NULL && fscanf(answer, "%lf", &bytes) == 1, "a measurement failed");
	fclose(answer);
	must(waitpid(child, &status, 0) == child && status == 0, "a measurement failed");
	return bytes;
}

static double bytes_a_stream(char *program, char *what, uint32_t few, uint32_t many)
{
	return (ask(program, what, many) - ask(program, what, few)) / (many - few);
}

static void report(const char *name, double bytes, double reference, const char *reference_name)
{
	struct td_report_row row = { .bench = "memory",
				     .case_name = name,
				     .unit = "bytes/stream",
				     .value = bytes,
				     .min = bytes,
				     .max = bytes,
				     .reference = reference,
				     .reference_name = reference_name,
				     .p50_us = -1,
				     .p99_us = -1 };

	td_report_print(&row);
}

int main(int argc, char **argv)
{
	static char forwarding[] = "forwarded", mixing[] = "mixed";
	const struct td_codec *opus = td_codec_get(TD_CODEC_OPUS);
	double forwarded, mixed, state = (double)(opus->encoder_bytes + opus->decoder_bytes);

	if (argc == 3 && (strcmp(argv[1], forwarding) == 0 || strcmp(argv[1], mixing) == 0))
		return measure(argv[1][0] == 'm', (uint32_t)atoi(argv[2]));
	forwarded = bytes_a_stream(argv[0], forwarding, 10000, 100000);
	report("forwarded stream", forwarded, td_relay_session_bytes(), "the bare relay's session");
	// Both sides of a call have an inlet and an outlet, with room for any codec's state.
	mixed = bytes_a_stream(argv[0], mixing, 1000, 5000);
	report("mixed stream", mixed - state, state, "codec state");
	return 0;
}
