// perf/run srtp: what SRTP adds to a packet of 160 bytes, each way, at 1,000 and 100,000 keys, beside
// libsrtp2 as the distribution builds it (on NSS) and as built on OpenSSL (perf/srtp/libsrtp2-openssl),
// and beside OpenSSL's bare EVP calls, in one process on one core.
//
// Every packet is of another stream, in random order, as packets arrive: at 100,000 keys the states
// come from memory, in huge pages where there are some, as the dataplane's are. Packets are handled
// in vectors of 64. All that is sealed is opened, and all that is opened is compared with what it
// was; a difference is the end: exit 1. Runs are interleaved. libsrtp2 stands beside the smaller
// number of keys only: on NSS its sessions would take minutes to make, on OpenSSL gigabytes.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../cpu_clock.h"
#include "../report.h"
#include "dataplane/rtp/header.h"
#include "dataplane/rtp/srtp.h"
#include "evp.h"
#include "libsrtp.h"

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

enum who { OURS, LIBSRTP_DEBIAN, LIBSRTP_OPENSSL, EVP, WHO_COUNT };

static const char *const names[WHO_COUNT] = {
	[LIBSRTP_DEBIAN] = "libsrtp2",
	[LIBSRTP_OPENSSL] = "libsrtp2 on openssl",
	[EVP] = "openssl evp",
};

static struct td_srtp_engine engine;
static struct td_srtp *seals, *opens; // one of each a key
static struct td_srtp_master *masters;
static const char *library_files[WHO_COUNT] = { [LIBSRTP_DEBIAN] = "libsrtp2.so.1" };
static struct td_libsrtp *libraries[WHO_COUNT]; // those that take part
static struct td_evp *evp;
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
		     who == EVP))
			continue;
		fprintf(stderr, "srtp: a packet is not what it was (who %d)\n", who);
		exit(1);
	}
}

static uint16_t seal_theirs(enum who who, const struct td_srtp_packet *packet, unsigned key)
{
	if (who == EVP)
		return td_evp_seal(evp, key, packet->bytes, packet->len);
	return td_libsrtp_seal(libraries[who], key, packet->bytes, packet->len);
}

static void seal_batch(enum who who)
{
	if (who == OURS) {
		for (unsigned i = 0; i < BATCH; i += TD_SRTP_BURST)
			td_srtp_seal(&engine, packets + i, TD_SRTP_BURST);
		return;
	}
	for (unsigned i = 0; i < BATCH; i++)
		packets[i].len = seal_theirs(who, &packets[i], order[i]);
}

static uint16_t open_theirs(enum who who, const struct td_srtp_packet *packet, unsigned key)
{
	if (who == EVP)
		return td_evp_open(evp, key, packet->bytes, packet->len);
	return td_libsrtp_open(libraries[who], key, packet->bytes, packet->len);
}

static void open_batch(enum who who)
{
	if (who == OURS) {
		for (unsigned i = 0; i < BATCH; i += TD_SRTP_BURST)
			td_srtp_open(&engine, packets + i, TD_SRTP_BURST);
		return;
	}
	for (unsigned i = 0; i < BATCH; i++)
		packets[i].len = open_theirs(who, &packets[i], order[i]);
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
				     .reference_name = names[who],
				     .p50_us = -1,
				     .p99_us = -1 };

	snprintf(name, sizeof name, "%s %s, %u keys", suite, way, key_count);
	row.value = td_report_median(ours, runs);
	row.min = ours[0];
	row.max = ours[runs - 1];
	row.reference = td_report_median(reference, runs);
	td_report_print(&row);
}

static bool takes_part(enum who who)
{
	return who == OURS || who == EVP || libraries[who];
}

static void call_others(void)
{
	for (enum who who = LIBSRTP_DEBIAN; who <= LIBSRTP_OPENSSL; who++)
		if (key_count == KEYS_FEW && library_files[who])
			libraries[who] = td_libsrtp_create(library_files[who], masters, key_count);
	evp = td_evp_create(masters, key_count);
}

static void dismiss_others(void)
{
	for (enum who who = LIBSRTP_DEBIAN; who <= LIBSRTP_OPENSSL; who++) {
		if (libraries[who])
			td_libsrtp_destroy(libraries[who]);
		libraries[who] = NULL;
	}
	td_evp_destroy(evp);
}

static void measure(enum td_srtp_suite suite, const struct plan *plan)
{
	static double sealed[WHO_COUNT][RUNS_MAX], opened[WHO_COUNT][RUNS_MAX];
	static uint16_t numbers[WHO_COUNT][KEYS_MANY];
	const char *name = td_srtp_suite_shape(suite)->name;

	give_keys(suite);
	memset(numbers, 0, sizeof numbers);
	call_others();
	// The first time through is to have every page and to warm up.
	for (unsigned i = 0; i <= plan->runs; i++)
		for (enum who who = OURS; who < WHO_COUNT; who++) {
			// Theirs are ten to a hundred times slower; they have as many runs.
			unsigned batches = who == OURS ? plan->batches : plan->batches / 8 + 1;
			struct both_ways ways;

			if (!takes_part(who))
				continue;
			ways = run(who, batches, numbers[who]);
			sealed[who][i ? i - 1 : 0] = ways.seal_ns;
			opened[who][i ? i - 1 : 0] = ways.open_ns;
		}
	for (enum who who = LIBSRTP_DEBIAN; who < WHO_COUNT; who++) {
		if (!takes_part(who))
			continue;
		print_row(name, "seal", sealed[OURS], sealed[who], who, plan->runs);
		print_row(name, "open", opened[OURS], opened[who], who, plan->runs);
	}
	dismiss_others();
}

static struct plan parse_plan(int argc, char **argv)
{
	static const struct option longs[] = { { "quick", no_argument, NULL, 'q' },
					       { "seconds", required_argument, NULL, 's' },
					       { "cores", required_argument, NULL, 'c' },
					       { "stages", no_argument, NULL, 't' },
					       { "libsrtp2-openssl", required_argument, NULL, 'l' },
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
		case 't':        // the path's part
		case 'c': break; // one core is what this measures
		case 'l': library_files[LIBSRTP_OPENSSL] = optarg; break;
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
