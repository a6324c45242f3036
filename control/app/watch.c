#include "app/watch.h"

#include <stdio.h>

#include "td_assert.h"
#include "td_log.h"

#define WATCH_MS 10000

bool td_watch_describe(const struct td_udp_stats *before, const struct td_udp_stats *now,
		       char text[TD_WATCH_TEXT_MAX])
{
	unsigned long long overflows = now->rx_overflows - before->rx_overflows;
	unsigned long long full = now->tx_full - before->tx_full;
	unsigned long long errors = now->tx_errors - before->tx_errors;

	if (overflows)
		snprintf(text, TD_WATCH_TEXT_MAX,
			 "%llu SIP datagrams were lost on the way in: more came than one core can "
			 "handle; spread the trunks over more machines or lower their rate",
			 overflows);
	else if (full)
		snprintf(text, TD_WATCH_TEXT_MAX,
			 "%llu SIP datagrams were not sent: the network takes them too slowly",
			 full);
	else if (errors)
		snprintf(text, TD_WATCH_TEXT_MAX,
			 "%llu SIP datagrams were refused by the kernel: is there a route to every "
			 "trunk and phone (\"ip route get ADDRESS\")?",
			 errors);
	return overflows || full || errors;
}

static void on_watch(uv_timer_t *timer) TD_CONTROL
{
	struct td_control *control = timer->data;
	struct td_udp_stats now;
	char text[TD_WATCH_TEXT_MAX];

	td_udp_get_stats(control->udp, &now);
	if (td_watch_describe(&control->watched, &now, text))
		td_warn("sip", "%s", text);
	control->watched = now;
}

int td_watch_start(struct td_control *control, char reason[TD_CONTROL_REASON_MAX])
{
	(void)reason;
	TD_ASSERT(uv_timer_init(&control->loop, &control->watch) == 0);
	control->watch.data = control;
	uv_timer_start(&control->watch, on_watch, WATCH_MS, WATCH_MS);
	return 0;
}

void td_watch_stop(struct td_control *control)
{
	uv_close((uv_handle_t *)&control->watch, NULL);
}
