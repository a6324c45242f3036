// td-rtpblast: thousands of RTP flows at any relay, through whatever device DPDK opens.
//
// Prints one JSON object. The EAL's arguments come first, then "--", then its own; see --help.
#include <arpa/inet.h>
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "attach.h"
#include "blast.h"
#include "plan.h"
#include "rig/ring_port.h"

#define MBUFS      65535
#define MBUF_CACHE 256

static const char help[] =
	"td-rtpblast EAL-ARGUMENTS -- OPTIONS\n"
	"\n"
	"Sends RTP flows of speech, evenly paced over 20 ms, through a device under test and follows\n"
	"every packet: loss, order, duplicates, latency. One JSON object on standard output.\n"
	"\n"
	"The port is the first the EAL opens:\n"
	"  --vdev net_ring0                              a loop: the generator alone\n"
	"  --vdev net_memif0,role=client,socket=PATH,socket-abstract=no\n"
	"  --vdev net_af_xdp0,iface=IF                   or net_af_packet0,iface=IF\n"
	"  -a 0000:3b:00.0                               a network card\n"
	"\n"
	"What is sent to whom:\n"
	"  --flows N          even, 50 packets a second each (500)\n"
	"  --from ADDRESS     the generator's own, answered by ARP (10.77.9.1)\n"
	"  --to ADDRESS       the device's (10.77.9.2); --mac MAC: do not ask who has it\n"
	"  --own-mac MAC      not the device's own: where a kernel sits behind it too, it then looks\n"
	"                     no further at what is not for it\n"
	"  --plan FILE        calls somebody has made: lines\n"
	"                     FROM:PORT TO:PORT [CODEC [SUITE KEY PEERS_KEY]]\n"
	"  --write-plan FILE  the calls as they were made, for others: lines FROM:PORT TO:PORT\n"
	"  --tandem SOCKET    make the calls on Tandem's dataplane; its control process must be off\n"
	"                     neither: what returns is what was sent (forwarders, loops)\n"
	"  --codec A[,B]      pcmu, pcma, opus: what first and second parties speak (pcmu)\n"
	"  --srtp A[,B]       suites of first and second parties of --tandem, such as\n"
	"                     AEAD_AES_128_GCM,none (none)\n"
	"  --wav FILE         what they say; without it something like a voice\n"
	"  --events S         a digit by telephone-event in every flow each S seconds\n"
	"  --transcoded       payloads do not survive: no latency, loss by sequence numbers\n"
	"  --complexity N     of Opus encoders of --tandem (5)\n"
	"How:\n"
	"  --seconds S        measured, after one of warm-up (5)\n"
	"  --times N          every flow N times as fast as speech: full bursts from few flows (1)\n"
	"  --loss P --duplicate P --swap P     per cent of packets the generator itself does that to\n"
	"  --poll             never rest: for polled devices and idle cores\n"
	"  --pid PID          whose CPU time a packet is to be told\n"
	"  --ceiling          also what the generator could do at best, into a ring\n";

enum option_key {
	KEY_LOSS = 256,
	KEY_DUPLICATE,
	KEY_SWAP,
	KEY_COMPLEXITY,
	KEY_OWN_MAC,
	KEY_WRITE_PLAN,
	KEY_TIMES
};

struct options {
	const char *plan, *write_plan, *tandem, *mac, *own_mac;
	uint32_t from, to, flows;
	double event_s;
	uint8_t complexity;
	int ceiling;
};

static _Noreturn void quit(const char *what, const char *why)
{
	fprintf(stderr, "rtpblast: %s: %s\n", what, why);
	exit(2);
}

static uint32_t address(const char *text)
{
	struct in_addr addr;

	if (inet_pton(AF_INET, text, &addr) != 1)
		quit(text, "is no IPv4 address");
	return ntohl(addr.s_addr);
}

static void parse_codecs(const char *text, enum td_codec_id codecs[2])
{
	size_t first = strcspn(text, ",");

	codecs[0] = codecs[1] = td_plan_codec(text, first);
	if (text[first] == ',')
		codecs[1] = td_plan_codec(text + first + 1, strlen(text + first + 1));
}

static void parse_suites(const char *text, enum td_srtp_suite suites[2])
{
	size_t first = strcspn(text, ",");

	suites[0] = suites[1] = td_protect_suite(text, first);
	if (text[first] == ',')
		suites[1] = td_protect_suite(text + first + 1, strlen(text + first + 1));
}

static double percent(const char *text)
{
	double value = atof(text);

	if (value < 0 || value > 100)
		quit(text, "is no percentage");
	return value / 100.0;
}

static void take_option(int option, struct options *options, struct td_plan *plan,
			struct td_blast *blast)
{
	switch (option) {
	case 'n': options->flows = (uint32_t)atoi(optarg); break;
	case 'f': options->from = address(optarg); break;
	case 't': options->to = address(optarg); break;
	case 'm': options->mac = optarg; break;
	case KEY_OWN_MAC: options->own_mac = optarg; break;
	case 'l': options->plan = optarg; break;
	case KEY_WRITE_PLAN: options->write_plan = optarg; break;
	case 'k': options->tandem = optarg; break;
	case 'c': parse_codecs(optarg, plan->codecs); break;
	case 'r': parse_suites(optarg, plan->suites); break;
	case 'w': plan->wav = optarg; break;
	case 'e': options->event_s = atof(optarg); break;
	case 'x': blast->transcoded = 1; break;
	case KEY_COMPLEXITY: options->complexity = (uint8_t)atoi(optarg); break;
	case 's': blast->seconds = atof(optarg); break;
	case KEY_TIMES: blast->times = (uint32_t)atoi(optarg); break;
	case KEY_LOSS: blast->loss = percent(optarg); break;
	case KEY_DUPLICATE: blast->duplicate = percent(optarg); break;
	case KEY_SWAP: blast->swap = percent(optarg); break;
	case 'b': blast->busy_poll = 1; break;
	case 'p': blast->pid = atoi(optarg); break;
	case 'g': options->ceiling = 1; break;
	case 'h': fputs(help, stdout); exit(0);
	default: exit(2);
	}
}

static void parse_options(int argc, char **argv, struct options *options, struct td_plan *plan,
			  struct td_blast *blast)
{
	static const struct option longs[] = {
		{ "flows", required_argument, NULL, 'n' },
		{ "from", required_argument, NULL, 'f' },
		{ "to", required_argument, NULL, 't' },
		{ "mac", required_argument, NULL, 'm' },
		{ "own-mac", required_argument, NULL, KEY_OWN_MAC },
		{ "plan", required_argument, NULL, 'l' },
		{ "write-plan", required_argument, NULL, KEY_WRITE_PLAN },
		{ "tandem", required_argument, NULL, 'k' },
		{ "codec", required_argument, NULL, 'c' },
		{ "srtp", required_argument, NULL, 'r' },
		{ "wav", required_argument, NULL, 'w' },
		{ "events", required_argument, NULL, 'e' },
		{ "transcoded", no_argument, NULL, 'x' },
		{ "complexity", required_argument, NULL, KEY_COMPLEXITY },
		{ "seconds", required_argument, NULL, 's' },
		{ "times", required_argument, NULL, KEY_TIMES },
		{ "loss", required_argument, NULL, KEY_LOSS },
		{ "duplicate", required_argument, NULL, KEY_DUPLICATE },
		{ "swap", required_argument, NULL, KEY_SWAP },
		{ "poll", no_argument, NULL, 'b' },
		{ "pid", required_argument, NULL, 'p' },
		{ "ceiling", no_argument, NULL, 'g' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1)
		take_option(option, options, plan, blast);
	if (optind < argc)
		quit(argv[optind], "is no option; see --help");
	if (!options->flows || options->flows % 2 || options->flows > TD_PLAN_FLOW_MAX)
		quit("--flows", "an even number up to 200000");
	if (blast->seconds <= 0)
		quit("--seconds", "more than nothing");
	if (blast->times < 1 || blast->times > 1000)
		quit("--times", "from 1 to 1000");
	plan->event_every = (uint32_t)(options->event_s * 1000.0 / TD_PAYLOAD_PTIME_MS);
	if (plan->event_every && plan->event_every < 20)
		quit("--events", "a digit takes 0.4 s with the pause after it");
	blast->calls = options->plan || options->tandem;
	if (blast->transcoded && !blast->calls)
		quit("--transcoded", "is about calls: --plan or --tandem");
	if ((plan->suites[0] || plan->suites[1]) && !options->tandem)
		quit("--srtp", "is about calls made here: --tandem; a plan says it line by line");
}

static void keep_link(void *link)
{
	struct rte_mbuf *mbufs[TD_LINK_BURST];
	unsigned count = td_link_receive(link, mbufs);

	rte_pktmbuf_free_bulk(mbufs, count);
}

static void parse_mac(const char *text, uint8_t mac[6])
{
	struct rte_ether_addr parsed;

	if (rte_ether_unformat_addr(text, &parsed) != 0)
		quit(text, "is no Ethernet address");
	memcpy(mac, parsed.addr_bytes, 6);
}

static void find_peer(const struct options *options, struct td_blast *blast)
{
	uint32_t to_be;

	if (options->mac) {
		parse_mac(options->mac, blast->peer_mac);
		return;
	}
	if (!blast->calls) {
		memset(blast->peer_mac, 0xff, sizeof blast->peer_mac);
		blast->peer_mac[0] = 0x02; // forwarders and loops look at none
		return;
	}
	memcpy(&to_be, blast->flows[0].to.addr, sizeof to_be);
	if (td_link_resolve(blast->link, ntohl(to_be), blast->peer_mac) != 0)
		quit("device under test", "no answer to ARP");
}

static void print_latency(const struct td_histogram *latency)
{
	static const double quantiles[] = { 0,    0.25,  0.5,   0.75,   0.9,    0.95,
					    0.99, 0.995, 0.999, 0.9999, 0.99999 };
	const char *comma = "";

	if (!latency->total) {
		printf("\"p50_us\":null,\"p99_us\":null,\"p999_us\":null,\"percentiles\":null");
		return;
	}
	printf("\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f,\"percentiles\":[",
	       td_histogram_quantile_us(latency, 0.5), td_histogram_quantile_us(latency, 0.99),
	       td_histogram_quantile_us(latency, 0.999), (double)latency->max_ns / 1000.0);
	for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++) {
		printf("%s[%g,%.1f]", comma, quantiles[i],
		       td_histogram_quantile_us(latency, quantiles[i]));
		comma = ",";
	}
	printf("]");
}

static void print_drops(const uint64_t drops[TD_DROP_COUNT])
{
	const char *comma = "";
	uint64_t total = 0;

	printf(",\"drop_reasons\":{");
	for (int drop = 0; drop < TD_DROP_COUNT; drop++) {
		if (drops[drop] == 0)
			continue;
		printf("%s\"%s\":%llu", comma, td_drop_name((enum td_drop)drop),
		       (unsigned long long)drops[drop]);
		comma = ",";
		total += drops[drop];
	}
	printf("},\"drops\":%llu", (unsigned long long)total);
}

// Of a dataplane whose calls these are; zeros of anybody else.
struct dataplane_says {
	uint64_t drops[TD_DROP_COUNT];
	struct td_attach_stage before[TD_STAGE_COUNT], after[TD_STAGE_COUNT];
};

// Of one packet received, in nanoseconds; nothing where no timed turn met one.
static void print_stages(const struct td_attach_stage before[TD_STAGE_COUNT],
			 const struct td_attach_stage after[TD_STAGE_COUNT])
{
	double packets = after[TD_STAGE_RX].units - before[TD_STAGE_RX].units;
	const char *comma = "";

	printf(",\"stages_ns\":{");
	for (int i = 0; i < TD_STAGE_COUNT && packets > 0; i++) {
		printf("%s\"%s\":%.2f", comma, td_stage_name((enum td_stage)i),
		       (after[i].ns - before[i].ns) / packets);
		comma = ",";
	}
	printf("}");
}

static void print_result(const struct td_blast *blast, const struct td_blast_result *result,
			 double ceiling_pps, const struct dataplane_says *says)
{
	uint64_t received = result->received ? result->received : 1;

	printf("{\"flows\":%u,\"sent\":%llu,\"received\":%llu,\"lost\":%llu,\"flows_hurt\":%u,"
	       "\"worst_flow_lost\":%u,\"late\":%llu,\"duplicates\":%llu,\"foreign\":%llu,"
	       "\"unopened\":%llu,\"damaged\":%llu,",
	       blast->flow_count, (unsigned long long)result->sent,
	       (unsigned long long)result->received, (unsigned long long)result->lost,
	       result->flows_hurt, result->worst, (unsigned long long)result->late,
	       (unsigned long long)result->duplicates, (unsigned long long)result->foreign,
	       (unsigned long long)result->unopened, (unsigned long long)result->damaged);
	printf("\"refused\":%llu,\"withheld\":%llu,\"doubled\":%llu,\"events_sent\":%llu,"
	       "\"events_received\":%llu,\"behind_ms\":%.3f,\"busy\":%.3f,",
	       (unsigned long long)result->refused, (unsigned long long)result->withheld,
	       (unsigned long long)result->doubled, (unsigned long long)result->events_sent,
	       (unsigned long long)result->events_received, result->behind_ms, result->busy);
	if (blast->pid)
		printf("\"cpu_us_per_packet\":%.4f,", result->cpu_s * 1e6 / (double)received);
	if (ceiling_pps > 0)
		printf("\"ceiling_pps\":%.0f,", ceiling_pps);
	print_latency(&result->latency);
	print_drops(says->drops);
	print_stages(says->before, says->after);
	printf("}\n");
}

static void run(const struct options *options, struct td_plan *plan, struct td_blast *blast)
{
	struct rte_mempool *pool = rte_pktmbuf_pool_create("blast", MBUFS, MBUF_CACHE, 0,
							   RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	static struct td_blast_result result;
	struct td_attach *attach = NULL;
	uint32_t first_addr, addr_count;
	double ceiling_pps = 0;
	static struct td_srtp_engine srtp;
	static struct td_link link; // the blast keeps it for as long as it runs
	struct dataplane_says says = { .drops = { 0 } };

	if (!pool)
		quit("no pool of packets", rte_strerror(rte_errno));
	if (td_srtp_engine_init(&srtp, TD_SRTP_ENGINE_AUTO) != 0)
		quit("SRTP", "its engine does not start");
	plan->srtp = blast->srtp = &srtp;
	if (options->plan)
		td_plan_read(plan, options->plan);
	else
		td_plan_spread(plan, options->from, options->to, options->flows);
	td_plan_addresses(plan, &first_addr, &addr_count);
	td_link_open(&link, 0, pool, first_addr, addr_count);
	if (options->own_mac)
		parse_mac(options->own_mac, link.port.mac);
	blast->link = &link;
	if (options->tandem) {
		attach = td_attach_open(options->tandem, keep_link, &link);
		td_plan_call(plan, attach, options->complexity);
		blast->attach = attach;
		blast->between = td_attach_drain;
	}
	if (options->write_plan)
		td_plan_write(plan, options->write_plan);
	for (uint32_t i = 0; i < plan->flow_count; i++)
		plan->flows[i].probes = !blast->transcoded;
	blast->flows = plan->flows;
	blast->flow_count = plan->flow_count;
	find_peer(options, blast);
	if (attach)
		td_attach_stages(attach, says.before);
	td_blast_run(blast, &result);
	if (attach) {
		td_attach_stages(attach, says.after);
		td_attach_drops(attach, says.drops);
		td_attach_close(attach);
	}
	if (options->ceiling)
		ceiling_pps =
			td_blast_ceiling_pps(blast, td_ring_port_create("ceiling", 1).dpdk_port);
	print_result(blast, &result, ceiling_pps, &says);
	td_plan_free(plan);
	td_srtp_engine_fini(&srtp);
	td_link_close(&link);
}

int main(int argc, char **argv)
{
	const struct sched_param lowest = { .sched_priority = sched_get_priority_min(SCHED_RR) };
	struct options options = {
		.from = 0x0a4d0901, .to = 0x0a4d0902, .flows = 500, .complexity = 5
	};
	struct td_plan plan = { .codecs = { TD_CODEC_PCMU, TD_CODEC_PCMU } };
	struct td_blast blast = { .seconds = 5, .times = 1 };
	int used;

	if (argc < 2 || strcmp(argv[1], "--help") == 0) {
		fputs(help, stdout);
		return argc < 2 ? 2 : 0;
	}
	used = rte_eal_init(argc, argv);
	if (used < 0)
		return 2;
	argv[used] = argv[0];
	parse_options(argc - used, argv + used, &options, &plan, &blast);
	if (rte_eth_dev_count_avail() == 0)
		quit("port", "the EAL opened none; see --help");
	// Woken on time when it rests; when it polls it must leave its core to others.
	if (!blast.busy_poll)
		(void)pthread_setschedparam(pthread_self(), SCHED_RR, &lowest);
	prctl(PR_SET_TIMERSLACK, 1);
	run(&options, &plan, &blast);
	rte_eal_cleanup();
	return 0;
}
