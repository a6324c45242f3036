// perf/run srtp: what SRTP adds to a packet of 160 bytes, each way, at 1,000 and 100,000 keys, beside
// libsrtp2 and beside OpenSSL's bare EVP calls, in one process on one core.
//
// Every packet is of another stream, in random order, as packets arrive: at 100,000 keys the states
// come from memory, in huge pages where there are some, as the dataplane's are. Packets are handled
// in vectors of 64. All that is sealed is opened, and all that is opened is compared with what it
// was; a difference is the end: exit 1. Runs are interleaved. libsrtp2 stands beside the smaller
// number of keys only: its sessions would take a minute to make.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../cpu_clock.h"
#include "../report.h"
#include "dataplane/rtp/header.h"
#include "dataplane/rtp/srtp.h"
#include "theirs.h"

#define PAYLOAD_BYTES 160
#define PACKET_BYTES  (TD_RTP_HEADER_BYTES + PAYLOAD_BYTES)
#define ROOM_BYTES    256
#define BATCH         2048 // packets sealed before they are opened
#define RUNS_MAX      41
#define KEYS_FEW      1000
#define KEYS_MANY     100000

struct plan {
	unsigned runs, batches; // batches of a run
};

struct both_ways {
	double seal_ns, open_ns;
};

enum who { OURS, LIBSRTP, OPENSSL, WHO_COUNT };

static struct td_srtp_engine engine;
static struct td_srtp *seals, *opens; // one of each a key
static struct td_srtp_master *masters;
static struct td_theirs *theirs[WHO_COUNT];
static unsigned key_count;

static _Alignas(64) uint8_t rooms[BATCH][ROOM_BYTES];
static struct td_srtp_packet packets[BATCH];
static uint32_t order[BATCH];
static uint64_t seed = 1;

static uint32_t next_random(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33);
}

static void *reserve(size_t bytes)
{
	size_t whole = (bytes + (2u << 20) - 1) / (2u << 20) * (2u << 20);
	void *at = mmap(NULL, whole, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);

	if (at == MAP_FAILED) {
		at = aligned_alloc(2u << 20, whole);
		if (!at)
			exit(2);
		madvise(at, whole, MADV_HUGEPAGE);
		memset(at, 0, whole);
	}
	return at;
}

static void give_keys(enum td_srtp_suite suite)
{
	for (unsigned i = 0; i < key_count; i++) {
		struct td_srtp_master *master = &masters[i];

		master->suite = (uint8_t)suite;
		for (size_t k = 0; k < sizeof master->key; k++)
			master->key[k] = (uint8_t)next_random();
		td_srtp_init(&seals[i]);
		td_srtp_init(&opens[i]);
		if (td_srtp_rekey_seal(&engine, &seals[i], master) != 0 ||
		    td_srtp_rekey_open(&engine, &opens[i], master) != 0)
			exit(2);
	}
}

static void fill_payload(uint8_t *payload, unsigned key, uint16_t sequence)
{
	memset(payload, (int)((key ^ sequence) & 0xff), PAYLOAD_BYTES);
}

// The next packets of random streams.
static void make_batch(uint16_t *numbers)
{
	for (unsigned i = 0; i < BATCH; i++) {
		unsigned key = next_random() % key_count;

		order[i] = key;
		td_rtp_write(rooms[i], 0, 0, numbers[key], numbers[key] * 160u, key + 1);
		fill_payload(rooms[i] + TD_RTP_HEADER_BYTES, key, numbers[key]++);
		packets[i] = (struct td_srtp_packet){ .srtp = &seals[key],
						      .bytes = rooms[i],
						      .len = PACKET_BYTES };
	}
}

static void check_batch(enum who who)
{
	uint8_t payload[PAYLOAD_BYTES];

	for (unsigned i = 0; i < BATCH; i++) {
		fill_payload(payload, order[i], td_rtp_load16(rooms[i] + 2));
		if (packets[i].len == PACKET_BYTES && packets[i].verdict == TD_SRTP_OK &&
		    (memcmp(rooms[i] + TD_RTP_HEADER_BYTES, payload, PAYLOAD_BYTES) == 0 ||
		     who == OPENSSL))
			continue;
		fprintf(stderr, "srtp: a packet is not what it was (who %d)\n", who);
		exit(1);
	}
}

static void seal_batch(enum who who)
{
	if (who == OURS) {
		for (unsigned i = 0; i < BATCH; i += TD_SRTP_BURST)
			td_srtp_seal(&engine, packets + i, TD_SRTP_BURST);
		return;
	}
	for (unsigned i = 0; i < BATCH; i++)
		packets[i].len =
			td_theirs_seal(theirs[who], order[i], packets[i].bytes, packets[i].len);
}

static void open_batch(enum who who)
{
	if (who == OURS) {
		for (unsigned i = 0; i < BATCH; i += TD_SRTP_BURST)
			td_srtp_open(&engine, packets + i, TD_SRTP_BURST);
		return;
	}
	for (unsigned i = 0; i < BATCH; i++)
		packets[i].len =
			td_theirs_open(theirs[who], order[i], packets[i].bytes, packets[i].len);
}

static struct both_ways run(enum who who, unsigned batches, uint16_t *numbers)
{
	uint64_t seal_ns = 0, open_ns = 0;

	for (unsigned batch = 0; batch < batches; batch++) {
		uint64_t start;

		make_batch(numbers);
		start = td_cpu_ns();
		seal_batch(who);
		seal_ns += td_cpu_ns() - start;
		for (unsigned i = 0; i < BATCH; i++)
			packets[i].srtp = &opens[order[i]];
		start = td_cpu_ns();
		open_batch(who);
		open_ns += td_cpu_ns() - start;
		check_batch(who);
	}
	return (struct both_ways){ (double)seal_ns / (batches * BATCH),
				   (double)open_ns / (batches * BATCH) };
}

static void print_row(const char *suite, const char *way, double *ours, double *reference,
		      enum who who, unsigned runs)
{
	char name[64];
	struct td_report_row row = { .bench = "srtp",
				     .case_name = name,
				     .unit = "ns/packet",
				     .reference_name = who == LIBSRTP ? "libsrtp2" : "openssl evp",
				     .p50_us = -1,
				     .p99_us = -1 };

	snprintf(name, sizeof name, "%s %s, %u keys", suite, way, key_count);
	row.value = td_report_median(ours, runs);
	row.min = ours[0];
	row.max = ours[runs - 1];
	row.reference = td_report_median(reference, runs);
	td_report_print(&row);
}

static void measure(enum td_srtp_suite suite, const struct plan *plan)
{
	static double sealed[WHO_COUNT][RUNS_MAX], opened[WHO_COUNT][RUNS_MAX];
	static uint16_t numbers[WHO_COUNT][KEYS_MANY];
	const char *name = td_srtp_suite_shape(suite)->name;

	give_keys(suite);
	memset(numbers, 0, sizeof numbers);
	theirs[LIBSRTP] = key_count == KEYS_FEW ? td_theirs_libsrtp(masters, key_count) : NULL;
	theirs[OPENSSL] = td_theirs_openssl(masters, key_count);
	// The first time through is to have every page and to warm up.
	for (unsigned i = 0; i <= plan->runs; i++)
		for (enum who who = OURS; who < WHO_COUNT; who++) {
			// Theirs are ten to a hundred times slower; they have as many runs.
			unsigned batches = who == OURS ? plan->batches : plan->batches / 8 + 1;
			struct both_ways ways;

			if (who != OURS && !theirs[who])
				continue;
			ways = run(who, batches, numbers[who]);
			sealed[who][i ? i - 1 : 0] = ways.seal_ns;
			opened[who][i ? i - 1 : 0] = ways.open_ns;
		}
	for (enum who who = LIBSRTP; who < WHO_COUNT; who++) {
		if (!theirs[who])
			continue;
		print_row(name, "seal", sealed[OURS], sealed[who], who, plan->runs);
		print_row(name, "open", opened[OURS], opened[who], who, plan->runs);
		td_theirs_destroy(theirs[who]);
		theirs[who] = NULL;
	}
}

static struct plan parse_plan(int argc, char **argv)
{
	static const struct option longs[] = { { "quick", no_argument, NULL, 'q' },
					       { "seconds", required_argument, NULL, 's' },
					       { "cores", required_argument, NULL, 'c' },
					       { NULL, 0, NULL, 0 } };
	struct plan plan = { .runs = 15, .batches = 100 };
	int option, seconds;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'q': plan = (struct plan){ .runs = 5, .batches = 40 }; break;
		case 's':
			seconds = atoi(optarg);
			plan.batches = 1000 * (unsigned)(seconds < 1 ? 1 : seconds);
			break;
		case 'c': break; // one core is what this measures
		default: exit(2);
		}
	}
	return plan;
}

int main(int argc, char **argv)
{
	static const enum td_srtp_suite suites[] = { TD_SRTP_AEAD_AES_128_GCM,
						     TD_SRTP_AES_CM_128_HMAC_SHA1_80 };
	struct plan plan = parse_plan(argc, argv);

	if (td_srtp_engine_init(&engine, TD_SRTP_ENGINE_AUTO) != 0)
		return 2;
	fprintf(stderr, "srtp: by %s\n", td_srtp_engine_name(engine.machine->kind));
	seals = reserve(KEYS_MANY * sizeof *seals);
	opens = reserve(KEYS_MANY * sizeof *opens);
	masters = reserve(KEYS_MANY * sizeof *masters);
	for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
		key_count = KEYS_FEW;
		measure(suites[i], &plan);
		key_count = KEYS_MANY;
		measure(suites[i], &plan);
	}
	td_srtp_engine_fini(&engine);
	return 0;
}
