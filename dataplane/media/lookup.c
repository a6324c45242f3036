// Handles to objects and back; handles that wait until nobody can hold them any more.
#include <urcu/urcu-qsbr.h>

#include "media/engine_state.h"
#include "td_assert.h"

#define RECLAIM_INTERVAL_NS 20000000ull // a grace period may cost a worker's turn: not every time

static bool is_live(const struct td_engine *engine, enum td_pool_kind pool, uint32_t handle)
{
	return td_handle_index(handle) < engine->capacity[pool] &&
	       td_id_pool_holds(&engine->pools[pool], handle);
}

struct td_engine_context *td_engine_find_context(struct td_engine *engine, uint32_t handle)
{
	struct td_engine_context *context = &engine->contexts[td_handle_index(handle)];

	if (!is_live(engine, TD_POOL_CONTEXT, handle) || context->state != TD_OBJECT_LIVE)
		return NULL;
	return context;
}

struct td_engine_stream *td_engine_find_stream(struct td_engine *engine, uint32_t handle)
{
	struct td_engine_stream *stream = &engine->streams[td_handle_index(handle)];

	if (!is_live(engine, TD_POOL_STREAM, handle) || stream->state != TD_OBJECT_LIVE ||
	    stream->ear)
		return NULL;
	return stream;
}

struct td_engine_player *td_engine_find_player(struct td_engine *engine, uint32_t handle)
{
	struct td_engine_player *player = &engine->players[td_handle_index(handle)];

	if (!is_live(engine, TD_POOL_PLAYER, handle) || player->state != TD_OBJECT_LIVE)
		return NULL;
	return player;
}

struct td_engine_tap *td_engine_find_tap(struct td_engine *engine, uint32_t handle)
{
	struct td_engine_tap *tap = &engine->taps[td_handle_index(handle)];

	if (!is_live(engine, TD_POOL_TAP, handle) || tap->state != TD_OBJECT_LIVE)
		return NULL;
	return tap;
}

struct td_engine_fork *td_engine_find_fork(struct td_engine *engine, uint32_t handle)
{
	struct td_engine_fork *fork = &engine->forks[td_handle_index(handle)];

	if (!is_live(engine, TD_POOL_FORK, handle) || fork->state != TD_OBJECT_LIVE)
		return NULL;
	return fork;
}

static void give_back(struct td_engine *engine, const struct td_gone *gone)
{
	uint32_t index = td_handle_index(gone->handle);
	int error = td_id_pool_give(&engine->pools[gone->pool], gone->handle);

	TD_ASSERT(error == 0);
	switch ((enum td_pool_kind)gone->pool) {
	case TD_POOL_CONTEXT: engine->contexts[index].state = TD_OBJECT_FREE; break;
	case TD_POOL_STREAM: engine->streams[index].state = TD_OBJECT_FREE; break;
	case TD_POOL_PLAYER: engine->players[index].state = TD_OBJECT_FREE; break;
	case TD_POOL_TAP: engine->taps[index].state = TD_OBJECT_FREE; break;
	case TD_POOL_FORK: engine->forks[index].state = TD_OBJECT_FREE; break;
	case TD_POOL_COUNT: TD_ASSERT(false);
	}
}

static uint32_t reclaim_all(struct td_engine *engine)
{
	uint32_t count = engine->gone_count;

	if (count == 0)
		return 0;
	// The ports were unpublished before the workers' notes came; after this no worker's turn
	// that looked them up is still under way.
	urcu_qsbr_synchronize_rcu();
	for (uint32_t i = 0; i < count; i++)
		give_back(engine, &engine->gone[i]);
	engine->gone_count = 0;
	return count;
}

uint32_t td_engine_reclaim(struct td_engine *engine, uint64_t now_ns)
{
	if (now_ns - engine->reclaimed_ns < RECLAIM_INTERVAL_NS)
		return 0;
	engine->reclaimed_ns = now_ns;
	return reclaim_all(engine);
}

int td_engine_take(struct td_engine *engine, enum td_pool_kind pool, uint32_t *handle)
{
	int error = td_id_pool_take(&engine->pools[pool], handle);

	if (error != 0 && reclaim_all(engine) > 0)
		error = td_id_pool_take(&engine->pools[pool], handle);
	if (error == 0)
		engine->live[pool]++;
	return error;
}

void td_engine_untake(struct td_engine *engine, enum td_pool_kind pool, uint32_t handle)
{
	int error = td_id_pool_give(&engine->pools[pool], handle);

	TD_ASSERT(error == 0);
	engine->live[pool]--;
}

void td_engine_retire(struct td_engine *engine, enum td_pool_kind pool, uint32_t handle)
{
	engine->live[pool]--;
	engine->gone[engine->gone_count++] =
		(struct td_gone){ .pool = (uint8_t)pool, .handle = handle };
}

uint64_t td_engine_random(struct td_engine *engine)
{
	// splitmix64 (Steele, Lea, Flood 2014).
	uint64_t z = engine->random += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}
