// What has to hold between any two steps, and what has to be left when everything is gone.
#include <string.h>

#include "media/engine_state.h"
#include "stage.h"

// The arrays are all workers' alike.
static struct td_media_worker *worker(void)
{
	return td_engine_worker(stage.world.engine, 0);
}

static const struct td_plan *plan_of(const struct stage_context *context)
{
	return worker()->contexts[td_handle_index(context->id.v)].plan;
}

static uint32_t slot_of(const struct oracle_member *member)
{
	uint32_t index = td_handle_index(member->handle);

	return member->kind == TD_MEMBER_PLAYER ? stage.world.engine->players[index].slot
						: stage.world.engine->streams[index].slot;
}

// The engine's own matrix, and the plan its worker goes by.
static void check_pair(const struct stage_context *context, const struct oracle *concealed,
		       uint32_t from, uint32_t to)
{
	const struct oracle *oracle = &context->oracle;
	const struct oracle_member *speaker = &oracle->members[from], *ear = &oracle->members[to];
	const struct td_matrix *matrix =
		&stage.world.engine->contexts[td_handle_index(context->id.v)].matrix;
	const struct td_plan *plan = plan_of(context);
	int32_t heard = 0;

	if (plan != NULL)
		heard = oracle_plan_heard(plan, oracle_feed(speaker), oracle_feed(ear));
	must(td_matrix_heard(matrix, slot_of(speaker), slot_of(ear)) ==
	     oracle_says(oracle, from, to));
	must(heard == oracle_heard(concealed, from, to));
}

// What the parties of a private context say is silence to everybody else.
static void conceal(const struct stage_context *context, struct oracle *oracle)
{
	*oracle = context->oracle;
	for (uint32_t from = 0; context->private && from < ORACLE_MAX; from++)
		for (uint32_t to = 0;
		     stage_is_party(context, &oracle->members[from]) && to < ORACLE_MAX; to++)
			if (oracle->members[to].kind == TD_MEMBER_STREAM &&
			    !stage_is_party(context, &oracle->members[to]))
				oracle->own[from][to] = 0;
}

// Packets go on as they are only where that is what the listener takes.
static void check_routes(const struct td_plan *plan)
{
	for (uint32_t i = 0; i < plan->route_count; i++) {
		const struct td_plan_route *route = &plan->routes[i];

		for (uint32_t j = 0; j < route->sink_count; j++) {
			uint32_t to = plan->route_sinks[route->sink_first + j];
			uint8_t codec = worker()->streams[to].rx.codec, from;

			if (codec == TD_CODEC_NONE)
				continue;
			if (route->feed & TD_FEED_PLAYER) {
				must(stage.world.prompts->codecs >> codec & 1u);
				continue;
			}
			from = worker()->streams[route->feed].rx.codec;
			must(from == TD_CODEC_NONE || from == codec);
		}
	}
}

static const struct td_plan_source *source_of(const struct td_plan *plan, uint32_t stream)
{
	for (uint32_t i = 0; plan != NULL && i < plan->source_count; i++)
		if (plan->sources[i].feed == stream)
			return &plan->sources[i];
	return NULL;
}

static void check_stream(const struct stage_party *party)
{
	const struct stage_context *context = &stage.contexts[party->context];
	uint32_t index = td_handle_index(party->party.id.v);
	const struct td_stream *hot = &worker()->streams[index];
	const struct td_stream_cold *cold = &worker()->cold[index];
	const struct td_plan_source *source = source_of(plan_of(context), index);
	bool inlet = (hot->rx.flags & TD_RX_INLET) != 0;

	must(cold->id.v == party->party.id.v && cold->context.v == context->id.v);
	must(hot->rx.flags & TD_RX_LIVE);
	must(worker()->streams[cold->tx_slot].tx.stream == index);
	must(inlet == (source != NULL));
	if (inlet) {
		must(source->inlet == cold->inlet);
		must(source->inlet == stage.world.engine->streams[index].inlet);
		must(td_lets_inlet(worker()->lets, cold->inlet)->key >> 24 == hot->rx.codec);
	}
	if (cold->sink_count == 0)
		must(hot->rx.sink == (inlet ? TD_SINK_INLET : TD_SINK_NONE));
	else if (cold->sink_count == 1 && !inlet)
		must(hot->rx.sink == worker()->cold[cold->sinks[0]].tx_slot);
	else
		must(hot->rx.sink == TD_SINK_FANOUT);
}

// Every inlet and outlet is either free or one stream's.
static void check_lets(void)
{
	const struct td_engine *engine = stage.world.engine;
	uint32_t inlets[STAGE_MIXED] = { 0 }, outlets[STAGE_MIXED] = { 0 };

	for (uint32_t i = 0; i < engine->free_inlet_count; i++)
		inlets[engine->free_inlets[i]]++;
	for (uint32_t i = 0; i < engine->free_outlet_count; i++)
		outlets[engine->free_outlets[i]]++;
	for (uint32_t i = 0; i < STAGE_STREAMS; i++) {
		if (engine->streams[i].state != TD_OBJECT_LIVE)
			continue;
		if (engine->streams[i].inlet != TD_LET_NONE)
			inlets[engine->streams[i].inlet]++;
		if (engine->streams[i].outlet != TD_LET_NONE)
			outlets[engine->streams[i].outlet]++;
	}
	for (uint32_t i = 0; i < STAGE_MIXED; i++)
		must(inlets[i] == 1 && outlets[i] == 1);
}

static void check_counts(void)
{
	struct td_engine_counts counts;
	uint32_t contexts = 0, streams = 0, players = 0;
	uint32_t taps = stage.closing_tap_count, forks = stage.closing_fork_count;

	for (uint32_t i = 0; i < STAGE_TAPS; i++) {
		taps += stage.taps[i].handle != 0;
		forks += stage.forks[i].handle != 0;
	}
	for (uint32_t i = 0; i < STAGE_CONTEXTS; i++)
		contexts += stage.contexts[i].id.v != 0;
	for (uint32_t i = 0; i < STAGE_STREAMS; i++)
		streams += stage.parties[i].live;
	for (uint32_t i = 0; i < STAGE_PLAYERS; i++)
		players += stage.players[i].live;
	td_role_enter_main();
	td_engine_count(stage.world.engine, &counts);
	td_role_enter_worker(0);
	must(counts.contexts == contexts && counts.streams == streams);
	must(counts.players == players);
	must(counts.taps == taps && counts.forks == forks);
	for (uint32_t i = 0; i < STAGE_WORKERS; i++) {
		const struct td_media_worker *one = td_engine_worker(stage.world.engine, i);

		must(one->owned_count == one->stats->streams);
		contexts -= (uint32_t)one->stats->contexts;
		streams -= (uint32_t)one->stats->streams;
		players -= (uint32_t)one->stats->players;
	}
	must(contexts == 0 && streams == 0 && players == 0);
}

// Every packet that came went on, was used up or has a named drop.
static void check_accounts(void)
{
	for (uint32_t i = 0; i < STAGE_WORKERS; i++) {
		const struct td_worker_stats *stats = &stage.world.region.workers[i];
		uint64_t drops = 0;

		for (unsigned drop = 0; drop < TD_DROP_COUNT; drop++)
			drops += stats->drops[drop];
		drops -= stats->drops[TD_DROP_SEAL_REFUSED] + stats->drops[TD_DROP_TX_FULL] +
			 stats->drops[TD_DROP_POOL_EMPTY];
		must(stage.world.handed[i] == stats->consumed + stats->forwarded + drops);
	}
}

void stage_check(void)
{
	if (stage.pending > 0)
		return; // the worker is behind
	stage_close_taps();
	(void)stage_listen();
	check_accounts();
	for (uint32_t i = 0; i < STAGE_CONTEXTS; i++) {
		const struct stage_context *context = &stage.contexts[i];
		struct oracle concealed;

		if (context->id.v == 0)
			continue;
		conceal(context, &concealed);
		for (uint32_t to = 0; to < ORACLE_MAX; to++)
			for (uint32_t from = 0;
			     context->oracle.members[to].kind == TD_MEMBER_STREAM &&
			     from < ORACLE_MAX;
			     from++)
				if (context->oracle.members[from].kind != TD_MEMBER_NONE)
					check_pair(context, &concealed, from, to);
		if (plan_of(context) != NULL)
			check_routes(plan_of(context));
	}
	for (uint32_t i = 0; i < STAGE_STREAMS; i++)
		if (stage.parties[i].live)
			check_stream(&stage.parties[i]);
	check_lets();
	check_counts();
}

static void check_nothing_left(void)
{
	const struct td_engine *engine = stage.world.engine;
	uint32_t mbufs = rte_mempool_avail_count(stage.world.net.pool);

	must(engine->gone_count == 0);
	must(engine->free_inlet_count == STAGE_MIXED && engine->free_outlet_count == STAGE_MIXED);
	for (uint32_t i = 0; i < STAGE_WORKERS; i++) {
		const struct td_media_worker *one = td_engine_worker(stage.world.engine, i);

		for (uint32_t slot = 0; slot < TD_MEDIA_SLOTS; slot++) {
			must(one->slot_load[slot] == 0);
			must(one->slot_first[slot] == TD_PLAYER_NONE);
			must(one->slot_contexts[slot] == TD_INDEX_END);
		}
		must(one->parked_count == 0);
		mbufs += one->stash_count + one->bye_count;
	}
	must(mbufs == stage.world.net.pool_count);
}

void stage_clear(void)
{
	struct td_command command = { .kind = TD_COMMAND_RESET };

	stage_flush();
	stage_check();
	must(stage_command(&command).result == 0);
	for (uint32_t i = 0; i < STAGE_CONTEXTS; i++)
		stage_taps_of_gone(i);
	stage_close_taps();
	must(stage.closing_tap_count == 0 && stage.closing_fork_count == 0);
	memset(stage.contexts, 0, sizeof stage.contexts);
	memset(stage.players, 0, sizeof stage.players);
	stage_sweeps(2, 1000); // the last reports
	stage_ticks(1);
	memset(stage.parties, 0, sizeof stage.parties);
	stage.world.now_ns += 10000 * WORLD_MS; // ports and handles have rested
	stage_flush();
	world_clear(&stage.world);
	check_counts();
	check_lets();
	check_nothing_left();
}
