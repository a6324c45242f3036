// What happens before a test's own part begins, and who hears whom, for one call in one world.
#pragma once

#include "world.h"

// From the INVITE to both talking.
void story_talk(struct world *world);
// The phone of the two that has the call.
struct phone *story_agent(struct world *world);
// Caller and agent hear each other and nothing else.
void story_assert_bridged(struct world *world);
void story_assert_player(struct world *world, uint32_t stream, bool loops);
void story_assert_silence(struct world *world, uint32_t stream);
