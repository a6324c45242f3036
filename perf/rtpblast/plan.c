#include "plan.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDR_MAX 64u

static _Noreturn void quit(const char *what, const char *why)
{
	fprintf(stderr, "rtpblast: %s: %s\n", what, why);
	exit(2);
}

static struct td_endpoint endpoint(uint32_t addr, uint32_t port)
{
	struct td_endpoint ep = { .family = TD_FAMILY_IPV4, .port_be = htons((uint16_t)port) };
	uint32_t addr_be = htonl(addr);

	memcpy(ep.addr, &addr_be, sizeof addr_be);
	return ep;
}

static uint8_t payload_type(enum td_codec_id codec)
{
	switch ((unsigned)codec) {
	case TD_CODEC_PCMU: return 0;
	case TD_CODEC_PCMA: return 8;
	default: return TD_PLAN_OPUS_TYPE;
	}
}

enum td_codec_id td_plan_codec(const char *name, size_t length)
{
	static const enum td_codec_id spoken[] = { TD_CODEC_PCMU, TD_CODEC_PCMA, TD_CODEC_OPUS };

	for (size_t i = 0; i < sizeof spoken / sizeof spoken[0]; i++) {
		const char *known = td_codec_name(spoken[i]);

		if (strlen(known) == length && strncasecmp(known, name, length) == 0)
			return spoken[i];
	}
	quit(name, "pcmu, pcma and opus are what flows can speak");
}

static void allocate(struct td_plan *plan)
{
	plan->flows = calloc(TD_PLAN_FLOW_MAX, sizeof *plan->flows);
	if (!plan->flows)
		quit("flows", "no memory");
}

static void add_flow(struct td_plan *plan, struct td_endpoint from, struct td_endpoint to,
		     enum td_codec_id codec)
{
	struct td_flow *flow = &plan->flows[plan->flow_count];
	struct td_payload *payload = &plan->payloads[codec];

	if (plan->flow_count == TD_PLAN_FLOW_MAX)
		quit("plan", "too many flows");
	if (!payload->frames)
		td_payload_make(payload, codec, plan->wav);
	*flow = (struct td_flow){ .from = from,
				  .to = to,
				  .payload = payload,
				  .ssrc = td_flow_ssrc(plan->flow_count),
				  .start = plan->flow_count * 37u,
				  .event_every = plan->event_every,
				  .payload_type = payload_type(codec),
				  .probes = 1 };
	plan->flow_count++;
}

void td_plan_spread(struct td_plan *plan, uint32_t from, uint32_t to, uint32_t flow_count)
{
	const uint32_t an_address = (TD_PLAN_PORT_LAST - TD_PLAN_PORT_FIRST) / 2 + 1;

	allocate(plan);
	for (uint32_t i = 0; i < flow_count; i++) {
		uint32_t port = TD_PLAN_PORT_FIRST + 2 * (i % an_address);

		add_flow(plan, endpoint(from + i / an_address, port),
			 endpoint(to + i / an_address, port), plan->codecs[i & 1u]);
	}
}

// SUITE KEY PEERS_KEY of the flow that was added last.
static void protect_last(struct td_plan *plan, const char *suite_name, const char *key,
			 const char *peers_key)
{
	enum td_srtp_suite suite = td_protect_suite(suite_name, strlen(suite_name));
	struct td_srtp_master send = td_protect_read_key(suite, key);
	struct td_srtp_master receive = td_protect_read_key(suite, peers_key);

	plan->flows[plan->flow_count - 1].protect = td_protect_create(plan->srtp, &send, &receive);
}

static int parse_endpoint(char *text, struct td_endpoint *ep)
{
	char *colon = strrchr(text, ':');
	long port = colon ? strtol(colon + 1, NULL, 10) : 0;

	if (!colon || port < 1 || port > 65535)
		return 0;
	*colon = '\0';
	if (td_endpoint_parse_addr(text, ep) != 0 || ep->family != TD_FAMILY_IPV4)
		return 0;
	ep->port_be = htons((uint16_t)port);
	return 1;
}

void td_plan_read(struct td_plan *plan, const char *path)
{
	char line[400], from_text[64], to_text[64], codec[16], suite[32], key[96], peers_key[96];
	FILE *file = fopen(path, "r");

	if (!file)
		quit(path, "cannot be read");
	allocate(plan);
	while (fgets(line, sizeof line, file)) {
		int words = sscanf(line, "%63s %63s %15s %31s %95s %95s", from_text, to_text, codec,
				   suite, key, peers_key);
		struct td_endpoint from, to;

		if (words < 1 || from_text[0] == '#')
			continue;
		if (words < 2 || words == 4 || words == 5 || !parse_endpoint(from_text, &from) ||
		    !parse_endpoint(to_text, &to))
			quit(line, "is no line of a plan: "
				   "FROM:PORT TO:PORT [CODEC [SUITE KEY PEERS_KEY]]");
		add_flow(plan, from, to,
			 words > 2 ? td_plan_codec(codec, strlen(codec))
				   : plan->codecs[plan->flow_count & 1u]);
		if (words == 6)
			protect_last(plan, suite, key, peers_key);
	}
	fclose(file);
	if (plan->flow_count < 2 || plan->flow_count % 2)
		quit(path, "has no even number of flows");
}

static void protect_call(struct td_plan *plan, struct td_flow *flow, enum td_srtp_suite suite)
{
	struct td_srtp_master send, receive;

	if (suite == TD_SRTP_NONE)
		return;
	send = td_protect_new_key(suite);
	receive = td_protect_new_key(suite);
	flow->protect = td_protect_create(plan->srtp, &send, &receive);
}

void td_plan_call(struct td_plan *plan, struct td_attach *attach, uint8_t opus_complexity)
{
	for (uint32_t i = 0; i + 1 < plan->flow_count; i += 2) {
		struct td_attach_party parties[2];
		struct td_endpoint local[2];

		for (uint32_t side = 0; side < 2; side++) {
			struct td_flow *flow = &plan->flows[i + side];

			protect_call(plan, flow, plan->suites[side]);
			parties[side] = (struct td_attach_party){
				.remote = flow->from,
				.codec = plan->codecs[side],
				.payload_type = flow->payload_type,
				.event_payload_type = flow->event_every ? TD_FLOW_EVENT_TYPE
									: TD_PAYLOAD_TYPE_NONE,
			};
			parties[side].settings.complexity = opus_complexity;
			if (flow->protect) {
				parties[side].srtp_rx = flow->protect->send_key;
				parties[side].srtp_tx = flow->protect->receive_key;
			}
		}
		td_attach_make_call(attach, parties, local);
		plan->flows[i].to = local[0];
		plan->flows[i + 1].to = local[1];
	}
}

static void write_endpoint(FILE *file, const struct td_endpoint *ep, char end)
{
	fprintf(file, "%u.%u.%u.%u:%u%c", ep->addr[0], ep->addr[1], ep->addr[2], ep->addr[3],
		ntohs(ep->port_be), end);
}

void td_plan_write(const struct td_plan *plan, const char *path)
{
	FILE *file = fopen(path, "w");

	if (!file)
		quit(path, "cannot be written");
	for (uint32_t i = 0; i < plan->flow_count; i++) {
		write_endpoint(file, &plan->flows[i].from, ' ');
		write_endpoint(file, &plan->flows[i].to, '\n');
	}
	if (fclose(file) != 0)
		quit(path, "cannot be written");
}

void td_plan_free(struct td_plan *plan)
{
	for (int codec = 0; codec < TD_CODEC_COUNT; codec++)
		td_payload_free(&plan->payloads[codec]);
	for (uint32_t i = 0; i < plan->flow_count; i++)
		td_protect_destroy(plan->flows[i].protect);
	free(plan->flows);
}

void td_plan_addresses(const struct td_plan *plan, uint32_t *first_addr, uint32_t *addr_count)
{
	uint32_t lowest = UINT32_MAX, highest = 0;

	for (uint32_t i = 0; i < plan->flow_count; i++) {
		uint32_t addr_be, addr;

		memcpy(&addr_be, plan->flows[i].from.addr, sizeof addr_be);
		addr = ntohl(addr_be);
		lowest = addr < lowest ? addr : lowest;
		highest = addr > highest ? addr : highest;
	}
	*first_addr = lowest;
	*addr_count = highest - lowest + 1;
	if (*addr_count > ADDR_MAX)
		quit("plan", "the flows come from addresses too far apart");
}
