#include "app/control.h"

#include <limits.h>
#include <stdio.h>

#include "acd/acd.h"
#include "api/metrics.h"
#include "api/server.h"
#include "app/archive_stage.h"
#include "app/calls_stage.h"
#include "app/folder.h"
#include "app/signals.h"
#include "app/watch.h"
#include "call/calls.h"
#include "link/link.h"
#include "store/store.h"
#include "td_assert.h"
#include "transport/udp.h"

_Static_assert(TD_CONTROL_REASON_MAX >= TD_UDP_REASON_MAX, "stages write here");
_Static_assert(TD_CONTROL_REASON_MAX >= TD_API_ERROR_MAX, "stages write here");
_Static_assert(TD_CONTROL_REASON_MAX >= TD_STORE_ERROR_MAX, "stages write here");
_Static_assert(TD_CONTROL_REASON_MAX >= TD_FOLDER_REASON_MAX, "stages write here");

// A stage that fails leaves nothing of its own behind.
struct stage {
	const char *name;
	int (*start)(struct td_control *control, char reason[TD_CONTROL_REASON_MAX]);
	void (*stop)(struct td_control *control);
};

static int start_loop(struct td_control *control, char reason[TD_CONTROL_REASON_MAX]) TD_CONTROL
{
	if (uv_loop_init(&control->loop) == 0) {
		td_gather_start(&control->gather, &control->loop);
		return 0;
	}
	snprintf(reason, TD_CONTROL_REASON_MAX,
		 "cannot make an event loop: raise the limit of open files (ulimit -n)");
	return -TD_EIO;
}

// Whatever the other stages closed goes away here: their close callbacks run now.
static void stop_loop(struct td_control *control) TD_CONTROL
{
	td_gather_stop(&control->gather);
	uv_run(&control->loop, UV_RUN_DEFAULT);
	TD_ASSERT(uv_loop_close(&control->loop) == 0);
}

static int start_store(struct td_control *control, char reason[TD_CONTROL_REASON_MAX])
{
	char path[PATH_MAX];
	int error = td_control_folder_make(control->config->system.data_dir, reason);

	if (error)
		return error;
	if (snprintf(path, sizeof path, "%s/tandem.db", control->config->system.data_dir) >=
	    (int)sizeof path) {
		snprintf(reason, TD_CONTROL_REASON_MAX, "system.data_dir is too long");
		return -TD_EINVALID;
	}
	return td_store_open(path, &control->store, reason);
}

static void stop_store(struct td_control *control)
{
	// What could not be written has been logged by the store.
	(void)td_store_close(control->store);
}

static int start_acd(struct td_control *control, char reason[TD_CONTROL_REASON_MAX])
{
	const struct td_config *config = control->config;
	const struct td_acd_limits limits = {
		.queues_max = config->queues_count ? config->queues_count : 1,
		.agents_max = config->agents_count ? config->agents_count : 1,
		.calls_max = config->sip.calls_max,
	};
	int error = td_acd_create(&limits, &control->acd);

	if (error)
		snprintf(reason, TD_CONTROL_REASON_MAX,
			 "cannot make room for %u queues, %u agents and %u calls: %s",
			 limits.queues_max, limits.agents_max, limits.calls_max,
			 td_error_text(error));
	return error;
}

static void stop_acd(struct td_control *control)
{
	td_acd_destroy(control->acd);
}

static int start_link(struct td_control *control, char reason[TD_CONTROL_REASON_MAX]) TD_CONTROL
{
	char path[PATH_MAX];
	struct td_link_options options = { .socket_path = path };
	int error;

	snprintf(path, sizeof path, "%s/%s", control->config->system.run_dir, TD_LINK_SOCKET_NAME);
	error = td_link_create(&control->loop, &options, &control->link);
	if (error == -TD_EINVALID)
		snprintf(reason, TD_CONTROL_REASON_MAX,
			 "%s is too long for a Unix socket: shorten system.run_dir", path);
	else if (error)
		snprintf(reason, TD_CONTROL_REASON_MAX, "cannot prepare the link: %s",
			 td_error_text(error));
	return error;
}

static void stop_link(struct td_control *control) TD_CONTROL
{
	if (control->link)
		td_link_destroy(control->link);
	control->link = NULL;
}

static void on_datagram(void *user, const struct td_endpoint *from, const uint8_t *bytes,
			size_t len) TD_CONTROL
{
	struct td_control *control = user;

	td_calls_receive(control->calls, from, bytes, len);
}

static int start_udp(struct td_control *control, char reason[TD_CONTROL_REASON_MAX]) TD_CONTROL
{
	return td_udp_open(&control->loop, &control->config->sip.listen_parsed, on_datagram,
			   control, &control->udp, reason);
}

static void stop_udp(struct td_control *control) TD_CONTROL
{
	td_udp_close(control->udp);
}

static int start_api(struct td_control *control, char reason[TD_CONTROL_REASON_MAX]) TD_CONTROL
{
	const struct td_api_deps deps = {
		.config = control->config,
		.calls = control->calls,
		.link = control->link,
		.acd = control->acd,
		.store = control->store,
		.archive = td_archive_stage_archive(control),
	};

	return td_api_create(&control->loop, &deps, &control->api, reason);
}

static void stop_api(struct td_control *control) TD_CONTROL
{
	td_api_close(control->api);
	control->api = NULL;
}

static int start_metrics(struct td_control *control, char reason[TD_CONTROL_REASON_MAX]) TD_CONTROL
{
	const struct td_api_deps deps = {
		.config = control->config,
		.calls = control->calls,
		.link = control->link,
		.acd = control->acd,
		.store = control->store,
	};

	return td_metrics_create(&control->loop, &deps, &control->metrics, reason);
}

static void stop_metrics(struct td_control *control) TD_CONTROL
{
	td_metrics_close(control->metrics);
	control->metrics = NULL;
}

static const struct stage stages[] = {
	{ "archive", td_archive_stage_start, td_archive_stage_stop },
	{ "loop", start_loop, stop_loop },
	{ "store", start_store, stop_store },
	{ "acd", start_acd, stop_acd },
	{ "link", start_link, stop_link },
	{ "sip", start_udp, stop_udp },
	{ "calls", td_calls_stage_start, td_calls_stage_stop },
	{ "api", start_api, stop_api },
	{ "metrics", start_metrics, stop_metrics },
	{ "sweep", td_sweep_stage_start, td_sweep_stage_stop },
	{ "watch", td_watch_start, td_watch_stop },
	{ "signals", td_signals_start, td_signals_stop }, // last: a signal finds everything up
};

#define STAGE_COUNT (sizeof stages / sizeof stages[0])

int td_control_start(struct td_control *control, const struct td_config *config,
		     char reason[TD_CONTROL_REASON_MAX])
{
	*control = (struct td_control){ .config = config };
	reason[0] = '\0';
	for (; control->stages_up < STAGE_COUNT; control->stages_up++) {
		int error = stages[control->stages_up].start(control, reason);

		if (error) {
			td_trace(stages[control->stages_up].name, 0, (uint64_t)-error);
			td_control_stop(control);
			return error;
		}
	}
	return 0;
}

void td_control_run(struct td_control *control)
{
	uv_run(&control->loop, UV_RUN_DEFAULT);
}

void td_control_stop(struct td_control *control)
{
	while (control->stages_up > 0)
		stages[--control->stages_up].stop(control);
}
