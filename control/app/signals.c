#include "app/signals.h"

#include <signal.h>
#include <stdio.h>

#include "call/calls.h"
#include "td_assert.h"
#include "td_log.h"

#define GOODBYE_MS       2000 // for our BYEs and their answers
#define GOODBYE_CHECK_MS 20

static void on_goodbye(uv_timer_t *timer) TD_CONTROL
{
	struct td_control *control = timer->data;
	bool late = uv_now(&control->loop) - control->stopping_since_ms >= GOODBYE_MS;

	if (!td_calls_idle(control->calls) && !late)
		return;
	if (late)
		td_warn(NULL, "some parties did not answer our goodbye; stopping without them");
	uv_stop(&control->loop);
}

static void on_signal(uv_signal_t *handle, int number) TD_CONTROL
{
	struct td_control *control = handle->data;

	if (control->stopping) {
		uv_stop(&control->loop);
		return;
	}
	control->stopping = true;
	control->stopping_since_ms = uv_now(&control->loop);
	td_info(NULL, "%s: hanging up what is up and stopping; once more to stop at once",
		number == SIGTERM ? "SIGTERM" : "SIGINT");
	td_calls_shutdown(control->calls);
	uv_timer_start(&control->goodbye, on_goodbye, 0, GOODBYE_CHECK_MS);
}

int td_signals_start(struct td_control *control, char reason[TD_CONTROL_REASON_MAX])
{
	(void)reason;
	signal(SIGPIPE, SIG_IGN);
	TD_ASSERT(uv_timer_init(&control->loop, &control->goodbye) == 0);
	TD_ASSERT(uv_signal_init(&control->loop, &control->on_term) == 0);
	TD_ASSERT(uv_signal_init(&control->loop, &control->on_int) == 0);
	control->goodbye.data = control->on_term.data = control->on_int.data = control;
	uv_signal_start(&control->on_term, on_signal, SIGTERM);
	uv_signal_start(&control->on_int, on_signal, SIGINT);
	return 0;
}

void td_signals_stop(struct td_control *control)
{
	uv_close((uv_handle_t *)&control->goodbye, NULL);
	uv_close((uv_handle_t *)&control->on_term, NULL);
	uv_close((uv_handle_t *)&control->on_int, NULL);
}
