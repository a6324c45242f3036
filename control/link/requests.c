#include "link/requests.h"

#include <stdlib.h>

#include "td_assert.h"

int td_requests_init(struct td_requests *requests, uint32_t max, uint32_t seed)
{
	TD_ASSERT(max > 0 && max < UINT32_MAX);
	*requests = (struct td_requests){ .max = max };
	requests->slots = calloc(max, sizeof *requests->slots);
	if (!requests->slots)
		return -TD_EMEMORY;
	for (uint32_t i = 0; i < max; i++) {
		requests->slots[i].generation = seed;
		requests->slots[i].next = i + 1 < max ? i + 2 : 0;
	}
	requests->free_first = 1;
	return 0;
}

void td_requests_fini(struct td_requests *requests)
{
	free(requests->slots);
	*requests = (struct td_requests){ 0 };
}

static struct td_request *slot_of(struct td_requests *requests, uint32_t link)
{
	TD_ASSERT(link >= 1 && link <= requests->max);
	return &requests->slots[link - 1];
}

static void enqueue(struct td_requests *requests, struct td_request *request, uint32_t link)
{
	request->prev = requests->newest;
	request->next = 0;
	if (requests->newest)
		slot_of(requests, requests->newest)->next = link;
	else
		requests->oldest = link;
	requests->newest = link;
}

int td_requests_add(struct td_requests *requests, uint32_t kind, uint64_t deadline_ns,
		    td_link_done_fn done, void *user, uint64_t *id)
{
	uint32_t link = requests->free_first;
	struct td_request *request;

	if (!link)
		return -TD_EFULL;
	TD_ASSERT(!requests->newest ||
		  slot_of(requests, requests->newest)->deadline_ns <= deadline_ns);
	request = slot_of(requests, link);
	requests->free_first = request->next;
	request->generation++;
	// The low half is never 0, so neither is the id.
	request->id = ((uint64_t)request->generation << 32) | link;
	request->kind = kind;
	request->deadline_ns = deadline_ns;
	request->done = done;
	request->user = user;
	enqueue(requests, request, link);
	requests->used++;
	if (requests->used > requests->peak)
		requests->peak = requests->used;
	*id = request->id;
	return 0;
}

static void take(struct td_requests *requests, uint32_t link, struct td_request *out)
{
	struct td_request *request = slot_of(requests, link);

	*out = *request;
	if (request->prev)
		slot_of(requests, request->prev)->next = request->next;
	else
		requests->oldest = request->next;
	if (request->next)
		slot_of(requests, request->next)->prev = request->prev;
	else
		requests->newest = request->prev;
	request->id = 0;
	request->prev = 0;
	request->next = requests->free_first;
	requests->free_first = link;
	requests->used--;
}

int td_requests_take(struct td_requests *requests, uint64_t id, struct td_request *out)
{
	uint32_t link = (uint32_t)id;

	if (link == 0 || link > requests->max || slot_of(requests, link)->id != id)
		return -TD_ESTALE;
	take(requests, link, out);
	return 0;
}

int td_requests_take_expired(struct td_requests *requests, uint64_t now_ns, struct td_request *out)
{
	if (!requests->oldest || slot_of(requests, requests->oldest)->deadline_ns > now_ns)
		return -TD_EEMPTY;
	take(requests, requests->oldest, out);
	return 0;
}

int td_requests_take_oldest(struct td_requests *requests, struct td_request *out)
{
	if (!requests->oldest)
		return -TD_EEMPTY;
	take(requests, requests->oldest, out);
	return 0;
}
