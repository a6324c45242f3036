#include "transport/udp_queue.h"

#include <stdlib.h>
#include <string.h>

#include "td_assert.h"

_Static_assert((TD_UDP_QUEUE_MAX & (TD_UDP_QUEUE_MAX - 1)) == 0, "positions are masked");

int td_udp_queue_init(struct td_udp_queue *queue)
{
	*queue = (struct td_udp_queue){ 0 };
	// malloc, not calloc: 8 MiB of which a quiet switch never touches more than the first pages.
	queue->slots = malloc(TD_UDP_QUEUE_MAX * sizeof *queue->slots);
	return queue->slots ? 0 : -TD_EMEMORY;
}

void td_udp_queue_fini(struct td_udp_queue *queue)
{
	free(queue->slots);
	*queue = (struct td_udp_queue){ 0 };
}

struct td_udp_queued *td_udp_queue_at(struct td_udp_queue *queue, uint32_t i)
{
	TD_ASSERT(i < queue->count);
	return &queue->slots[(queue->first + i) & (TD_UDP_QUEUE_MAX - 1)];
}

int td_udp_queue_push(struct td_udp_queue *queue, const struct td_endpoint *to, const void *bytes,
		      size_t len)
{
	struct td_udp_queued *slot;

	if (len > TD_UDP_SEND_MAX)
		return -TD_EINVALID;
	if (queue->count == TD_UDP_QUEUE_MAX)
		return -TD_EFULL;
	queue->count++;
	slot = td_udp_queue_at(queue, queue->count - 1);
	slot->to = *to;
	slot->len = (uint32_t)len;
	memcpy(slot->bytes, bytes, len);
	return 0;
}

void td_udp_queue_drop(struct td_udp_queue *queue, uint32_t n)
{
	TD_ASSERT(n <= queue->count);
	for (uint32_t i = 0; i < n; i++) {
		struct td_udp_queued *slot = td_udp_queue_at(queue, i);

		explicit_bzero(slot->bytes, slot->len); // a description may have held keys
	}
	queue->count -= n;
	// An empty queue starts over at the front, where memory is touched already.
	queue->first = queue->count ? (queue->first + n) & (TD_UDP_QUEUE_MAX - 1) : 0;
}
