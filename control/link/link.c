#include "link/link.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>

#include "link/core.h"
#include "td_assert.h"
#include "td_log.h"

#define BACKOFF_MIN_DEFAULT_MS 50u
#define BACKOFF_MAX_DEFAULT_MS 2000u
#define GRACE_NS               250000000u // after the deadline, for the dataplane's own refusal

int td_link_submit_now(struct td_link *link, struct td_command *command, td_link_done_fn done,
		       void *user)
{
	uint64_t now_ns = uv_hrtime();
	struct td_request request;
	int error;

	command->deadline_ns = now_ns + link->deadline_ns;
	error = td_requests_add(&link->requests, command->kind, command->deadline_ns + GRACE_NS,
				done, user, &command->request_id);
	if (error)
		return error;
	error = td_ring_push(&link->attached->attachment.commands, command);
	if (error) {
		TD_ASSERT(!td_requests_take(&link->requests, command->request_id, &request));
		return error;
	}
	link->bell_due = true;
	link->stats.submitted++;
	return 0;
}

int td_link_submit(struct td_link *link, struct td_command *command, td_link_done_fn done,
		   void *user)
{
	int error;

	TD_ASSERT(command->kind > TD_COMMAND_NONE && command->kind < TD_COMMAND_KIND_COUNT);
	if (link->state != TD_LINK_UP)
		return -TD_ELINK_DOWN;
	error = td_link_submit_now(link, command, done, user);
	if (error == -TD_EFULL)
		link->stats.refused_full++;
	return error;
}

// One system call a loop turn, however many commands it submitted.
static void ring_bell(uv_prepare_t *prepare) TD_CONTROL
{
	struct td_link *link = prepare->data;

	if (!link->bell_due || !link->attached)
		return;
	link->bell_due = false;
	if (eventfd_write(link->attached->attachment.descriptors[TD_ATTACH_COMMAND_BELL], 1) != 0)
		td_debug("link", "the command bell is full");
}

static void options_default(const struct td_link_options *options, struct td_link *link)
{
	uint32_t deadline_ms =
		options->deadline_ms ? options->deadline_ms : TD_LINK_DEADLINE_DEFAULT_MS;

	link->deadline_ns = deadline_ms * 1000000ull;
	link->backoff_min_ms =
		options->backoff_min_ms ? options->backoff_min_ms : BACKOFF_MIN_DEFAULT_MS;
	link->backoff_max_ms =
		options->backoff_max_ms ? options->backoff_max_ms : BACKOFF_MAX_DEFAULT_MS;
	link->backoff_ms = link->backoff_min_ms;
	memcpy(link->socket_path, options->socket_path, strlen(options->socket_path) + 1);
}

static void open_handles(struct td_link *link) TD_CONTROL
{
	TD_ASSERT(uv_timer_init(link->loop, &link->state_timer) == 0);
	TD_ASSERT(uv_timer_init(link->loop, &link->tick) == 0);
	TD_ASSERT(uv_prepare_init(link->loop, &link->prepare) == 0);
	link->state_timer.data = link->tick.data = link->prepare.data = link;
	link->handles = 3;
}

int td_link_create(uv_loop_t *loop, const struct td_link_options *options, struct td_link **out)
{
	uint32_t requests_max =
		options->requests_max ? options->requests_max : TD_LINK_REQUESTS_DEFAULT;
	struct td_link *link;
	uint32_t seed;

	if (strlen(options->socket_path) >= sizeof link->socket_path)
		return -TD_EINVALID;
	if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
		return -TD_EIO;
	link = calloc(1, sizeof *link);
	if (!link)
		return -TD_EMEMORY;
	if (td_requests_init(&link->requests, requests_max, seed) != 0) {
		free(link);
		return -TD_EMEMORY;
	}
	link->loop = loop;
	link->state = TD_LINK_DOWN;
	options_default(options, link);
	open_handles(link);
	*out = link;
	return 0;
}

void td_link_start(struct td_link *link)
{
	uv_prepare_start(&link->prepare, ring_bell);
	td_link_step(link, TD_LINK_INPUT_TIMER);
}

static void on_link_closed(uv_handle_t *handle)
{
	struct td_link *link = handle->data;

	if (--link->handles > 0)
		return;
	td_requests_fini(&link->requests);
	free(link);
}

void td_link_destroy(struct td_link *link)
{
	TD_ASSERT(!link->destroying);
	link->destroying = true;
	if (link->attached)
		td_link_step(link, TD_LINK_INPUT_LOST);
	uv_close((uv_handle_t *)&link->state_timer, on_link_closed);
	uv_close((uv_handle_t *)&link->tick, on_link_closed);
	uv_close((uv_handle_t *)&link->prepare, on_link_closed);
}

void td_link_on_event(struct td_link *link, td_link_event_fn fn, void *user)
{
	link->on_event = fn;
	link->on_event_user = user;
}

void td_link_on_state(struct td_link *link, td_link_state_fn fn, void *user)
{
	link->on_state = fn;
	link->on_state_user = user;
}

bool td_link_is_up(const struct td_link *link)
{
	return link->state == TD_LINK_UP;
}

enum td_link_state td_link_state(const struct td_link *link)
{
	return (enum td_link_state)link->state;
}

const struct td_region *td_link_region(const struct td_link *link)
{
	return link->state == TD_LINK_UP ? &link->attached->attachment.region : NULL;
}

int td_link_find_prompt(const struct td_link *link, const char *name, uint32_t *index)
{
	const struct td_region *region = td_link_region(link);

	if (!region)
		return -TD_ELINK_DOWN;
	for (uint32_t i = 0; i < region->prompt_count; i++) {
		if (strncmp(region->prompts[i].name, name, TD_PROMPT_NAME_MAX) != 0)
			continue;
		*index = i;
		return 0;
	}
	return -TD_ENOT_FOUND;
}

void td_link_get_stats(const struct td_link *link, struct td_link_stats *out)
{
	*out = link->stats;
	out->requests_now = link->requests.used;
	out->requests_peak = link->requests.peak;
}
