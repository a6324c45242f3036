// Telling whoever listens that something has changed.
#include "call/manager.h"

const char *td_call_notice_name(enum td_call_notice_kind kind)
{
	static const char *const names[TD_NOTICE_KIND_COUNT] = {
		"call.new", "call.state", "call.ended", "agent.state", "trunk.state",
	};

	return (unsigned)kind < TD_NOTICE_KIND_COUNT ? names[kind] : "unknown";
}

static void tell(struct td_calls *calls, struct td_call_notice *notice)
{
	notice->utc_ms = td_calls_wall_ms(calls);
	calls->deps.ops.on_change(calls->deps.ops.user, notice);
}

void td_notice_call(struct td_calls *calls, const struct td_call *call,
		    enum td_call_notice_kind kind)
{
	struct td_call_info info;

	if (!calls->deps.ops.on_change)
		return;
	td_call_describe(calls, call, &info);
	tell(calls, &(struct td_call_notice){
			    .kind = kind,
			    .call = &info,
			    .cause = kind == TD_NOTICE_CALL_ENDED ? call->cause : TD_CAUSE_NONE,
		    });
}

void td_notice_agent(struct td_calls *calls, uint32_t agent)
{
	struct td_agent_info info;

	if (!calls->deps.ops.on_change || agent >= calls->config->agents_count)
		return;
	td_agent_describe(calls, agent, &info);
	tell(calls, &(struct td_call_notice){ .kind = TD_NOTICE_AGENT_STATE, .agent = &info });
}

void td_notice_trunk(struct td_calls *calls, const struct td_trunk *trunk)
{
	struct td_trunk_info info;

	if (!calls->deps.ops.on_change)
		return;
	td_trunk_describe(trunk, &info);
	tell(calls, &(struct td_call_notice){ .kind = TD_NOTICE_TRUNK_STATE, .trunk = &info });
}
