// Changes on their way from the main thread to a worker.
#include <string.h>

#include "media/engine_state.h"
#include "td_assert.h"

bool td_engine_change_room(struct td_engine *engine, uint32_t worker, uint32_t count)
{
	struct td_ring_view *ring = &engine->links[worker].changes;

	if (ring->own - ring->peer + count <= ring->mask + 1u)
		return true;
	// Pairs with the release store of tail in td_ring_take.
	ring->peer = atomic_load_explicit(&ring->shared->tail, memory_order_acquire);
	return ring->own - ring->peer + count <= ring->mask + 1u;
}

void td_engine_change_begin(struct td_change *change, enum td_change_kind kind,
			    const struct td_command *command,
			    const struct td_engine_context *context)
{
	memset(change, 0, sizeof *change);
	change->kind = kind;
	change->context.v = context->handle;
	if (command == NULL)
		return;
	change->request_id = command->request_id;
	change->command = command->kind;
}

void td_engine_change_push(struct td_engine *engine, uint32_t worker,
			   const struct td_change *change)
{
	int error = td_ring_push(&engine->links[worker].changes, change);

	TD_ASSERT(error == 0);
}
