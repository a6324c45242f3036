#include "app/calls_stage.h"

#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "api/server.h"
#include "call/calls.h"
#include "link/link.h"
#include "td_assert.h"
#include "transport/udp.h"

static void calls_send(void *user, const struct td_endpoint *to, const void *bytes, size_t len)
	TD_CONTROL
{
	struct td_control *control = user;

	// Counted by the transport; SIP sends it again.
	(void)!td_udp_send(control->udp, to, bytes, len);
}

static int calls_route(void *user, const struct td_endpoint *peer, struct td_endpoint *from)
{
	(void)user;
	return td_udp_socket_route(peer, from);
}

static void calls_changed(void *user, const struct td_call_notice *notice) TD_CONTROL
{
	struct td_control *control = user;

	if (control->api)
		td_api_notice(control->api, notice);
}

static uint64_t calls_now_ms(void *user)
{
	(void)user;
	return uv_hrtime() / 1000000u;
}

static uint64_t calls_wall_ms(void *user)
{
	struct timespec now;

	(void)user;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

static void on_calls_timer(uv_timer_t *timer) TD_CONTROL
{
	struct td_control *control = timer->data;

	control->armed_ms = UINT64_MAX;
	td_calls_advance(control->calls);
}

// Whatever happened in this turn may have moved the next deadline.
static void arm_calls(uv_prepare_t *prepare) TD_CONTROL
{
	struct td_control *control = prepare->data;
	uint64_t next_ms = td_calls_next_ms(control->calls);
	uint64_t now_ms;

	if (next_ms == control->armed_ms)
		return;
	control->armed_ms = next_ms;
	if (next_ms == UINT64_MAX) {
		uv_timer_stop(&control->calls_timer);
		return;
	}
	uv_update_time(&control->loop);
	now_ms = calls_now_ms(NULL);
	uv_timer_start(&control->calls_timer, on_calls_timer,
		       next_ms > now_ms ? next_ms - now_ms : 0, 0);
}

static int create_calls(struct td_control *control, char reason[TD_CONTROL_REASON_MAX]) TD_CONTROL
{
	struct td_calls_deps deps = {
		.config = control->config,
		.link = control->link,
		.acd = control->acd,
		.store = control->store,
		.sip_local = td_udp_local(control->udp),
		.ops = { .send = calls_send,
			 .route = calls_route,
			 .on_change = calls_changed,
			 .now_ms = calls_now_ms,
			 .wall_ms = calls_wall_ms,
			 .user = control },
	};
	int error;

	if (getrandom(deps.seed, sizeof deps.seed, 0) != (ssize_t)sizeof deps.seed) {
		snprintf(reason, TD_CONTROL_REASON_MAX, "the kernel gives no random numbers");
		return -TD_EIO;
	}
	error = td_calls_create(&deps, &control->calls);
	if (error)
		snprintf(reason, TD_CONTROL_REASON_MAX,
			 "cannot prepare for %u calls and %u registrations: %s",
			 control->config->sip.calls_max, control->config->sip.registrations_max,
			 td_error_text(error));
	return error;
}

int td_calls_stage_start(struct td_control *control, char reason[TD_CONTROL_REASON_MAX])
{
	int error = create_calls(control, reason);

	if (error)
		return error;
	TD_ASSERT(uv_timer_init(&control->loop, &control->calls_timer) == 0);
	TD_ASSERT(uv_prepare_init(&control->loop, &control->calls_arm) == 0);
	control->calls_timer.data = control->calls_arm.data = control;
	control->armed_ms = UINT64_MAX;
	uv_prepare_start(&control->calls_arm, arm_calls);
	td_link_start(control->link);
	return 0;
}

// The link goes first: it ends the requests whose answers the calls still wait for.
void td_calls_stage_stop(struct td_control *control)
{
	uv_close((uv_handle_t *)&control->calls_timer, NULL);
	uv_close((uv_handle_t *)&control->calls_arm, NULL);
	td_link_destroy(control->link);
	control->link = NULL;
	td_calls_destroy(control->calls);
}
