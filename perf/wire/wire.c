// One run of the wire benchmark: flows through a device under test at the other end of a veth.
//
//   td-bench-wire --interface IF --pid PID --pps N --seconds S --calls N
//                 [--socket PATH]     Tandem: make the calls; without it, a plain l2 forwarder
//
// Prints one JSON object; perf/wire/run starts the devices, interleaves the runs and compares.
#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach.h"
#include "flows.h"

#define GENERATOR_ADDR "10.77.9.1"
#define DEVICE_ADDR    "10.77.9.2"
#define PORT_FIRST     10000

struct options {
	const char *interface, *socket;
	int pid;
	uint32_t pps, calls;
	double seconds;
};

static struct options parse_options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "interface", required_argument, NULL, 'i' },
		{ "socket", required_argument, NULL, 'k' },
		{ "pid", required_argument, NULL, 'p' },
		{ "pps", required_argument, NULL, 'r' },
		{ "seconds", required_argument, NULL, 's' },
		{ "calls", required_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	struct options options = { .pps = 25000, .calls = 250, .seconds = 3 };
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'i': options.interface = optarg; break;
		case 'k': options.socket = optarg; break;
		case 'p': options.pid = atoi(optarg); break;
		case 'r': options.pps = (uint32_t)atoi(optarg); break;
		case 's': options.seconds = atof(optarg); break;
		case 'c': options.calls = (uint32_t)atoi(optarg); break;
		default: exit(2);
		}
	}
	if (!options.interface || !options.pid || !options.pps || !options.calls) {
		fprintf(stderr, "usage: td-bench-wire --interface IF --pid PID [--socket PATH] "
				"[--pps N] [--seconds S] [--calls N]\n");
		exit(2);
	}
	return options;
}

static struct td_endpoint endpoint(const char *addr, uint32_t port)
{
	struct td_endpoint ep;

	if (td_endpoint_parse_addr(addr, &ep) != 0)
		abort();
	ep.port_be = htons((uint16_t)port);
	return ep;
}

static void answer_arp(void *user)
{
	struct td_wire_frame frames[8];

	td_wire_port_receive(user, frames, 8);
}

// Flows 2i and 2i + 1 are the two directions of call i.
static void lay_out(struct td_flow *flows, uint32_t calls, struct td_attach *attach)
{
	for (uint32_t i = 0; i < calls; i++) {
		struct td_flow *near = &flows[2 * i], *far = &flows[2 * i + 1];
		struct td_attach_call_streams streams;

		near->from = endpoint(GENERATOR_ADDR, PORT_FIRST + 4 * i);
		far->from = endpoint(GENERATOR_ADDR, PORT_FIRST + 4 * i + 2);
		near->ssrc = 2 * i + 1;
		far->ssrc = 2 * i + 2;
		near->to = far->to = endpoint(DEVICE_ADDR, PORT_FIRST + 4 * i);
		if (attach) {
			td_attach_make_call(attach, &near->from, &far->from, &streams);
			near->to = streams.near_local;
			far->to = streams.far_local;
		}
	}
}

int main(int argc, char **argv)
{
	struct options options = parse_options(argc, argv);
	struct td_flow *flows = calloc(2 * options.calls, sizeof *flows);
	static struct td_flows_result result;
	struct td_attach *attach = NULL;
	const char *reason = "none";
	struct td_wire_port port;
	uint64_t drops = 0;
	uint8_t mac[6];

	td_wire_port_open(&port, options.interface, inet_addr(GENERATOR_ADDR));
	if (options.socket) {
		attach = td_attach_open(options.socket, answer_arp, &port);
		td_wire_port_resolve(&port, inet_addr(DEVICE_ADDR), mac);
	} else {
		memset(mac, 0xff, sizeof mac); // the forwarder swaps addresses and looks at none
		mac[0] = 0x02;
	}
	lay_out(flows, options.calls, attach);
	td_flows_run(&port, flows, 2 * options.calls, mac, options.pps, options.seconds,
		     options.pid, &result);
	if (attach) {
		drops = td_attach_drops(attach, &reason);
		td_attach_close(attach);
	}
	printf("{\"sent\":%llu,\"received\":%llu,\"lost\":%llu,\"late_ms\":%.3f,"
	       "\"cpu_us_per_packet\":%.4f,\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,"
	       "\"drops\":%llu,\"drop_reason\":\"%s\"}\n",
	       (unsigned long long)result.sent, (unsigned long long)result.received,
	       (unsigned long long)result.lost, result.late_ms,
	       result.cpu_s * 1e6 / (double)(result.received ? result.received : 1),
	       td_histogram_quantile_us(&result.latency, 0.5),
	       td_histogram_quantile_us(&result.latency, 0.99),
	       td_histogram_quantile_us(&result.latency, 0.999), (unsigned long long)drops, reason);
	free(flows);
	return 0;
}
