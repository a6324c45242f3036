#include "story.h"

#include <check.h>

void story_talk(struct world *world)
{
	phone_call(&world->caller, "100");
	world_settle(world);
	ck_assert_int_eq(world->caller.state, PHONE_UP);
	ck_assert(dp_player_end(&world->dp));
	world_settle(world);
	ck_assert_int_eq(world_call(world).state, TD_CALL_TALKING);
}

struct phone *story_agent(struct world *world)
{
	return world->agent.state == PHONE_UP ? &world->agent : &world->agent2;
}

void story_assert_bridged(struct world *world)
{
	struct td_call_info info = world_call(world);
	uint32_t caller = info.caller_leg.stream.v, agent = info.agent_leg.stream.v;

	ck_assert_uint_ne(caller, 0);
	ck_assert_uint_ne(agent, 0);
	ck_assert(dp_hears(&world->dp, caller, agent));
	ck_assert(dp_hears(&world->dp, agent, caller));
	ck_assert_uint_eq(dp_live(world->dp.players), 0);
}

void story_assert_player(struct world *world, uint32_t stream, bool loops)
{
	enum td_member_kind kind;
	uint32_t handle = dp_heard_by(&world->dp, stream, &kind);

	ck_assert_int_eq(kind, TD_MEMBER_PLAYER);
	ck_assert_ptr_nonnull(dp_find(world->dp.players, handle));
	ck_assert_int_eq(dp_find(world->dp.players, handle)->loops, loops);
}

void story_assert_silence(struct world *world, uint32_t stream)
{
	enum td_member_kind kind;

	ck_assert_uint_eq(dp_heard_by(&world->dp, stream, &kind), 0);
}
