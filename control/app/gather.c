#include "app/gather.h"

#include <time.h>

#include "td_assert.h"
#include "td_log.h"

uint64_t td_gather_turn(struct td_gather *gather, uint64_t now_ns, uint64_t waited_ns)
{
	uint64_t passed_ns = now_ns - gather->window_ns;

	gather->turns++;
	gather->slack_ns += waited_ns;
	if (passed_ns >= TD_GATHER_WINDOW_NS) {
		uint64_t turns = gather->turns * TD_GATHER_WINDOW_NS / passed_ns;
		bool spare = gather->slack_ns * 100 >= passed_ns * TD_GATHER_SLACK_PERCENT;

		gather->napping =
			spare && turns >= (gather->napping ? TD_GATHER_TURNS_END : TD_GATHER_TURNS);
		gather->window_ns = now_ns;
		gather->slack_ns = 0;
		gather->turns = 0;
	}
	return gather->napping ? TD_GATHER_NAP_NS : 0;
}

// The next turn may be far: what is held has to be written now.
static bool log_is_due(const struct td_gather_hooks *hooks, const uv_loop_t *loop)
{
	int wait_ms = uv_backend_timeout(loop);

	return wait_ms < 0 || wait_ms > TD_GATHER_LOG_MS ||
	       hooks->rest_ns - hooks->logged_ns >= TD_GATHER_LOG_MS * 1000000ull;
}

static void on_prepare(uv_prepare_t *prepare) TD_CONTROL
{
	struct td_gather_hooks *hooks = prepare->data;
	struct timespec nap = { .tv_nsec = 0 };

	hooks->rest_ns = uv_hrtime();
	nap.tv_nsec = (long)td_gather_turn(&hooks->gather, hooks->rest_ns, hooks->waited_ns);
	td_log_hold(nap.tv_nsec > 0);
	if (!nap.tv_nsec)
		return;
	if (log_is_due(hooks, prepare->loop)) {
		td_log_flush();
		hooks->logged_ns = hooks->rest_ns;
	}
	nanosleep(&nap, NULL);
}

static void on_check(uv_check_t *check) TD_CONTROL
{
	struct td_gather_hooks *hooks = check->data;

	hooks->waited_ns = uv_hrtime() - hooks->rest_ns;
}

void td_gather_start(struct td_gather_hooks *hooks, uv_loop_t *loop)
{
	uint64_t now_ns = uv_hrtime();

	*hooks = (struct td_gather_hooks){ .gather.window_ns = now_ns, .rest_ns = now_ns };
	TD_ASSERT(uv_prepare_init(loop, &hooks->prepare) == 0);
	TD_ASSERT(uv_check_init(loop, &hooks->check) == 0);
	hooks->prepare.data = hooks;
	hooks->check.data = hooks;
	uv_prepare_start(&hooks->prepare, on_prepare);
	uv_check_start(&hooks->check, on_check);
	// Neither keeps the loop alive.
	uv_unref((uv_handle_t *)&hooks->prepare);
	uv_unref((uv_handle_t *)&hooks->check);
}

void td_gather_stop(struct td_gather_hooks *hooks)
{
	td_log_hold(false);
	uv_close((uv_handle_t *)&hooks->prepare, NULL);
	uv_close((uv_handle_t *)&hooks->check, NULL);
}
