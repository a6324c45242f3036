#include "world.h"

#include <arpa/inet.h>
#include <check.h>
#include <string.h>

uint32_t link_deadline_ms = 300;
bool world_dual_stack;
uint32_t world_requests_max;
struct td_store *world_store;

#define SIP_LINGER_MS 70000 // twice 64 * T1, and some

static char *sales[] = { "sales" }, *plain[] = { "plain" }, *moderators[] = { "1003" };
static char *addresses[] = { "10.77.0.10", "fd77::10" };
static enum td_codec_id codecs[] = { TD_CODEC_PCMU, TD_CODEC_PCMA };
static enum td_srtp_suite suites[] = { TD_SRTP_AEAD_AES_128_GCM, TD_SRTP_AES_CM_128_HMAC_SHA1_80 };

static struct td_endpoint endpoint(const char *text, uint16_t port)
{
	struct td_endpoint out;

	must(td_endpoint_parse_addr(text, &out) == 0);
	out.port_be = htons(port);
	return out;
}

static void fill_dialplan(struct world *world)
{
	world->numbers[0] = (struct td_config_number){ "100", "sales", NULL };
	world->numbers[1] = (struct td_config_number){ "200", "plain", NULL };
	world->numbers[2] = (struct td_config_number){ "800", NULL, "room" };
	world->conferences[0] = (struct td_config_conference){
		.name = "room",
		.music = "music",
		.entry = "",
		.leave = "",
		.members_max = 4,
		.moderators = moderators,
		.moderators_count = 1,
	};
}

static void fill_config(struct world *world)
{
	struct td_config *config = &world->config;

	world->trunk_addresses[0] = endpoint("10.77.0.10", 0);
	world->trunk_addresses[1] = endpoint("fd77::10", 0);
	world->trunk = (struct td_config_trunk){
		.name = "carrier",
		.addresses = addresses,
		.addresses_count = 2,
		.parsed = world->trunk_addresses,
		.peer_parsed = endpoint("10.77.0.10", 5060),
		.codecs = codecs,
		.codecs_count = 2,
	};
	world->agents[0] = (struct td_config_agent){ .id = "1001", .name = "Alice" };
	world->agents[1] = (struct td_config_agent){ .id = "1002", .name = "Bob" };
	for (int i = 0; i < 2; i++) {
		world->agents[i].secret = "secret";
		world->agents[i].queues = sales;
		world->agents[i].queues_count = 1;
		world->agents[i].codecs = codecs;
		world->agents[i].codecs_count = 2;
		world->agents[i].logged_in = true;
	}
	world->queues[0] = (struct td_config_queue){
		.name = "sales",
		.skill = "sales",
		.greeting = "greeting",
		.music = "music",
		.offer_timeout_s = 15,
		.wrap_up_s = 0,
		.wait_max_s = 120,
		.length_max = 8,
		.service_level_s = 20,
		.record = true,
	};
	world->queues[1] = world->queues[0];
	world->queues[1].name = "plain";
	world->queues[1].skill = "plain";
	world->queues[1].greeting = NULL;
	fill_dialplan(world);
	world->port_addresses[0] = (struct td_config_address){ endpoint("10.77.0.2", 0), 24 };
	world->port_addresses[1] = (struct td_config_address){ endpoint("fd77::2", 0), 64 };
	world->port = (struct td_config_port){ .name = "net",
					       .addresses_count = 2,
					       .parsed = world->port_addresses };
	*config = (struct td_config){
		.dataplane = { .ports = &world->port, .ports_count = 1 },
		.sip = { .realm = "tandem",
			 .user_agent = "Tandem/test",
			 .calls_max = 8,
			 .registrations_max = 16,
			 .options_ping_s = 0 },
		.recording = { .name = "{tenant}/{time}-{call}" },
		.srtp_suites = suites,
		.srtp_suites_count = 2,
		.trunks = &world->trunk,
		.trunks_count = 1,
		.agents = world->agents,
		.agents_count = 2,
		.queues = world->queues,
		.queues_count = 2,
		.dialplan = world->numbers,
		.dialplan_count = 3,
		.conferences = world->conferences,
		.conferences_count = 1,
	};
}

void world_with_supervisor(struct td_config *config)
{
	config->agents[2] = (struct td_config_agent){
		.id = "1003",
		.name = "Carol",
		.codecs = codecs,
		.codecs_count = 2,
		.secret = "secret",
		.queues = plain,
		.queues_count = 1,
	};
	config->agents_count = 3;
}

static void on_send(void *user, const struct td_endpoint *to, const void *bytes, size_t len)
{
	struct world *world = user;

	for (uint32_t i = 0; i < world->phone_count; i++) {
		if (td_endpoint_equal(&world->phones[i]->at, to)) {
			phone_deliver(world->phones[i], bytes, len);
			return;
		}
	}
	world->undelivered++;
}

static int on_route(void *user, const struct td_endpoint *peer, struct td_endpoint *from)
{
	(void)user;
	*from = endpoint(peer->family == TD_FAMILY_IPV6 ? "fd77::1" : "10.77.0.1", 0);
	return 0;
}

static void on_change(void *user, const struct td_call_notice *notice)
{
	struct world *world = user;

	world->notices[notice->kind]++;
	if (notice->kind == TD_NOTICE_CALL_ENDED)
		snprintf(world->last_cause, sizeof world->last_cause, "%s",
			 td_cause_name(notice->cause));
}

static uint64_t now_ms(void *user)
{
	return ((struct world *)user)->now_ms;
}

static uint64_t wall_ms(void *user)
{
	return ((struct world *)user)->now_ms + 1700000000000ull;
}

static void add_phone(struct world *world, struct phone *phone, const char *user,
		      const char *address)
{
	phone_init(phone, world, user, "secret", address);
	world->phones[world->phone_count++] = phone;
}

static void open_link(struct world *world)
{
	const struct td_link_options options = { .socket_path = world->dp.path,
						 .requests_max = world_requests_max,
						 .deadline_ms = world->deadline_ms,
						 .backoff_min_ms = 1,
						 .backoff_max_ms = 5 };

	must(td_link_create(&world->loop, &options, &world->link) == 0);
}

void world_wait_for_link(struct world *world)
{
	for (int i = 0; i < 2000 && !td_link_is_up(world->link); i++) {
		uv_run(&world->loop, UV_RUN_NOWAIT);
		dp_poll(&world->dp);
		if (i > 20)
			uv_sleep(1);
	}
	must(td_link_is_up(world->link));
}

void world_open_with(struct world *world, void (*change)(struct td_config *config))
{
	const struct td_acd_limits limits = { 4, 8, 64 };
	struct td_calls_deps deps = { 0 };

	td_role_enter_control();
	memset(world, 0, sizeof *world);
	world->deadline_ms = link_deadline_ms;
	world->now_ms = 1000000;
	fill_config(world);
	if (change)
		change(&world->config);
	add_phone(world, &world->caller, "49301234", "10.77.0.10");
	add_phone(world, &world->agent, "1001", "10.77.0.20");
	add_phone(world, &world->agent2, "1002", "10.77.0.21");
	add_phone(world, &world->stranger, "66", "10.77.0.66");
	add_phone(world, &world->caller2, "49305678", "10.77.0.10");
	world->caller2.at.port_be = htons(5070);
	add_phone(world, &world->caller6, "49306666", "fd77::10");
	// Another device of the first agent's, which speaks for the first agent's phone.
	add_phone(world, &world->shadow, "1001", "10.77.0.22");
	world->shadow.contact = "sip:1001@10.77.0.20:5060";
	add_phone(world, &world->supervisor, "1003", "10.77.0.23");
	uv_loop_init(&world->loop);
	dp_open(&world->dp);
	open_link(world);
	must(td_acd_create(&limits, &world->acd) == 0);
	deps = (struct td_calls_deps){
		.config = &world->config,
		.link = world->link,
		.acd = world->acd,
		.store = world_store,
		.sip_local = endpoint(world_dual_stack ? "::" : "10.77.0.1", 5060),
		.ops = { on_send, on_route, on_change, now_ms, wall_ms, world },
		.seed = { 1, 2, 3, 4 },
	};
	must(td_calls_create(&deps, &world->calls) == 0);
	td_link_start(world->link);
	world_wait_for_link(world);
}

void world_open(struct world *world)
{
	world_open_with(world, NULL);
}

void world_close(struct world *world)
{
	td_link_destroy(world->link);
	uv_run(&world->loop, UV_RUN_DEFAULT);
	td_calls_destroy(world->calls);
	td_acd_destroy(world->acd);
	must(uv_loop_close(&world->loop) == 0);
	dp_close(&world->dp);
}

void world_to_tandem(struct world *world, const struct td_endpoint *from, const void *bytes,
		     size_t len)
{
	td_calls_receive(world->calls, from, bytes, len);
}

void world_turn(struct world *world)
{
	uv_run(&world->loop, UV_RUN_NOWAIT);
	dp_poll(&world->dp);
}

static bool step_all(struct world *world)
{
	bool moved = dp_poll(&world->dp);

	if (!world->dp_manual && dp_answer(&world->dp)) {
		moved = true;
		uv_run(&world->loop, UV_RUN_NOWAIT);
	}
	for (uint32_t i = 0; i < world->phone_count; i++)
		moved |= phone_step(world->phones[i]);
	return moved;
}

void world_sleep(struct world *world, uint32_t ms)
{
	uint64_t until = uv_hrtime() + ms * 1000000ull;

	while (uv_hrtime() < until) {
		uv_sleep(1);
		world_settle(world);
	}
}

void world_settle(struct world *world)
{
	for (int quiet = 0; quiet < 3;) {
		uv_run(&world->loop, UV_RUN_NOWAIT);
		quiet = step_all(world) ? 0 : quiet + 1;
	}
}

void world_advance(struct world *world, uint64_t ms)
{
	uint64_t until_ms = world->now_ms + ms;

	world_settle(world);
	for (;;) {
		uint64_t next_ms = td_calls_next_ms(world->calls);

		if (next_ms > until_ms)
			break;
		if (next_ms > world->now_ms)
			world->now_ms = next_ms;
		td_calls_advance(world->calls);
		world_settle(world);
	}
	world->now_ms = until_ms;
	td_calls_advance(world->calls);
	world_settle(world);
}

void world_register(struct world *world)
{
	phone_register(&world->agent, 3600);
	world_settle(world);
	must(world->agent.status == 200);
	phone_register(&world->agent2, 3600);
	world_settle(world);
	must(world->agent2.status == 200);
	if (world->config.agents_count > 2) {
		phone_register(&world->supervisor, 3600);
		world_settle(world);
		must(world->supervisor.status == 200);
		phone_reset(&world->supervisor);
	}
	phone_reset(&world->agent);
	phone_reset(&world->agent2);
}

void world_refresh(struct world *world)
{
	for (uint32_t i = 0; i < world->phone_count; i++)
		phone_reset(world->phones[i]);
	for (uint32_t i = 0; i < world->config.agents_count; i++) {
		const char *id = world->config.agents[i].id;

		// One who is available already refuses to become it.
		(void)!td_calls_agent_set_state(world->calls, id, TD_AGENT_WISH_AVAILABLE, NULL);
	}
	world->last_cause[0] = '\0';
	world->dp.swept = 0;
	memset(world->notices, 0, sizeof world->notices);
}

uint32_t world_call_count(struct world *world)
{
	struct td_calls_stats stats;

	td_calls_get_stats(world->calls, &stats);
	return stats.calls_now;
}

static bool keep(void *user, const struct td_call_info *info)
{
	*(struct td_call_info *)user = *info;
	return true;
}

struct td_call_info world_call(struct world *world)
{
	struct td_call_info info;

	memset(&info, 0, sizeof info);
	must(td_calls_foreach(world->calls, keep, &info) == 1);
	return info;
}

enum td_acd_agent_state world_agent_state(struct world *world, uint32_t agent)
{
	struct td_acd_agent_info info;

	must(td_acd_agent_get(world->acd, agent, &info) == 0);
	return info.state;
}

static void assert_acd_empty(struct world *world)
{
	const char *wrong = td_acd_check(world->acd);

	ck_assert_msg(!wrong, "ACD: %s", wrong);
	for (uint32_t i = 0; i < world->config.queues_count; i++) {
		struct td_acd_queue_info info;

		must(td_acd_queue_get(world->acd, i, world->now_ms, &info) == 0);
		must(info.waiting == 0);
		must(info.in_offer == 0);
		must(info.talking == 0);
	}
}

void world_assert_empty(struct world *world)
{
	struct td_sip_figures figures;

	world_advance(world, SIP_LINGER_MS);
	must(world->calls->call_slots.used == 0);
	must(world->calls->leg_slots.used == 0);
	must(td_calls_idle(world->calls));
	must(world->calls->steps_rejected == 0);
	must(world->calls->post_count == 0);
	td_sip_endpoint_figures(world->calls->sip, &figures);
	must(figures.dialogs == 0);
	must(figures.transactions == 0);
	must(dp_live(world->dp.contexts) == 0);
	must(dp_live(world->dp.streams) == 0);
	must(dp_live(world->dp.players) == 0);
	must(dp_live(world->dp.taps) == 0);
	must(world->dp.cell_count == 0);
	// Every stream was asked for its statistics before its context went.
	must(world->dp.swept == 0);
	assert_acd_empty(world);
}
