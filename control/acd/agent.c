// The agent machine.
#include "acd/agent.h"
#include "acd/match.h"
#include "acd/timer.h"

static const struct td_fsm_state states[TD_ACD_AGENT_STATE_COUNT] = {
	[TD_ACD_LOGGED_OUT] = { .name = "logged-out", .unguarded_reason = "until the agent comes" },
	[TD_ACD_AVAILABLE] = { .name = "available", .unguarded_reason = "until a call comes" },
	[TD_ACD_OFFERED] = { .name = "offered",
			     .guarded = true,
			     .timeout_event = TD_ACD_IN_FAILED },
	[TD_ACD_TALKING] = { .name = "talking",
			     .unguarded_reason = "a conversation lasts as long as it lasts" },
	[TD_ACD_WRAP_UP] = { .name = "wrap-up",
			     .guarded = true,
			     .timeout_event = TD_ACD_IN_WRAP_END },
	[TD_ACD_PAUSED] = { .name = "paused", .unguarded_reason = "until the agent is back" },
};

static const char *const input_names[TD_ACD_AGENT_INPUT_COUNT] = {
	"login",     "logout",   "ready",     "pause",     "offer",      "answered", "failed",
	"withdrawn", "end-wrap", "end-ready", "end-pause", "end-logout", "wrap-end",
};

// clang-format off
#define NOP    TD_FSM_NOP
#define NO     TD_FSM_NO
#define LATER  TD_FSM_DO(TD_ACD_THEN_LATER)
#define TO(s)  TD_FSM_TO(TD_ACD_##s, TD_ACD_THEN_NONE)
#define DROP(s) TD_FSM_TO(TD_ACD_##s, TD_ACD_THEN_WITHDRAW)

static const struct td_fsm_cell cells[TD_ACD_AGENT_STATE_COUNT][TD_ACD_AGENT_INPUT_COUNT] = {
	// LOGIN          LOGOUT            READY           PAUSE
	// OFFER          ANSWERED          FAILED          WITHDRAWN
	// END_WRAP       END_READY         END_PAUSE       END_LOGOUT       WRAP_END
	[TD_ACD_LOGGED_OUT] = {
		TO(AVAILABLE),  NOP,              TO(AVAILABLE),  TO(PAUSED),
		NO,             NO,               NO,             NO,
		NO,             NO,               NO,             NO,              NO },
	[TD_ACD_AVAILABLE] = {
		NOP,            TO(LOGGED_OUT),   NOP,            TO(PAUSED),
		TO(OFFERED),    NO,               NO,             NO,
		NO,             NO,               NO,             NO,              NO },
	[TD_ACD_OFFERED] = {
		NOP,            DROP(LOGGED_OUT), NOP,            DROP(PAUSED),
		NO,             TO(TALKING),      TO(PAUSED),     TO(AVAILABLE),
		NO,             NO,               NO,             NO,              NO },
	[TD_ACD_TALKING] = {
		LATER,          LATER,            LATER,          LATER,
		NO,             NO,               NO,             NO,
		TO(WRAP_UP),    TO(AVAILABLE),    TO(PAUSED),     TO(LOGGED_OUT),  NO },
	[TD_ACD_WRAP_UP] = {
		NOP,            TO(LOGGED_OUT),   TO(AVAILABLE),  TO(PAUSED),
		NO,             NO,               NO,             NO,
		NO,             NO,               NO,             NO,              TO(AVAILABLE) },
	[TD_ACD_PAUSED] = {
		NOP,            TO(LOGGED_OUT),   TO(AVAILABLE),  TO(PAUSED),
		NO,             NO,               NO,             NO,
		NO,             NO,               NO,             NO,              NO },
};
// clang-format on

const struct td_fsm td_acd_agent_fsm = {
	.name = "acd-agent",
	.state_count = TD_ACD_AGENT_STATE_COUNT,
	.event_count = TD_ACD_AGENT_INPUT_COUNT,
	.initial = TD_ACD_LOGGED_OUT,
	.states = states,
	.event_names = input_names,
	.cells = &cells[0][0],
};

const char *td_acd_agent_state_name(enum td_acd_agent_state state)
{
	return (unsigned)state < TD_ACD_AGENT_STATE_COUNT ? states[state].name : "unknown";
}

const char *td_acd_reason_name(enum td_acd_reason reason)
{
	switch (reason) {
	case TD_ACD_REASON_NONE: return "none";
	case TD_ACD_REASON_AGENT: return "agent";
	case TD_ACD_REASON_NO_ANSWER: return "no-answer";
	case TD_ACD_REASON_BUSY: return "busy";
	case TD_ACD_REASON_REFUSED: return "refused";
	case TD_ACD_REASON_UNREACHABLE: return "unreachable";
	case TD_ACD_REASON_COUNT: break;
	}
	return "unknown";
}

static void enter(struct td_acd *acd, uint32_t agent, enum td_acd_agent_input input,
		  enum td_acd_reason reason)
{
	struct td_acd_agent *a = &acd->agents[agent];

	a->since_ms = acd->now_ms;
	a->reason = a->state == TD_ACD_PAUSED ? reason : TD_ACD_REASON_NONE;
	a->after_call = TD_ACD_AVAILABLE;
	// A caller who hangs up while the phone rings does not cost the agent the place.
	if (a->state == TD_ACD_AVAILABLE && input != TD_ACD_IN_WITHDRAWN) {
		a->idle_since_ms = acd->now_ms;
		a->idle_sequence = ++acd->idle_sequence;
	}
	td_acd_emit(acd, &(struct td_acd_action){
				 .kind = TD_ACD_AGENT_STATE,
				 .queue = TD_ACD_NONE,
				 .agent = agent,
				 .state = (enum td_acd_agent_state)a->state,
				 .reason = a->reason,
			 });
	td_acd_idle_put(acd, agent);
}

const struct td_fsm_cell *td_acd_agent_step(struct td_acd *acd, uint32_t agent,
					    enum td_acd_agent_input input,
					    enum td_acd_reason reason)
{
	struct td_acd_agent *a = &acd->agents[agent];
	const struct td_fsm_cell *cell;

	if (td_fsm_cell(&td_acd_agent_fsm, a->state, input)->kind == TD_FSM_MOVE) {
		td_acd_idle_take(acd, agent);
		td_acd_timer_cancel(acd, td_acd_timer_of_agent(acd, agent));
	}
	cell = td_fsm_step(&td_acd_agent_fsm, &a->state, input);
	if (cell->kind == TD_FSM_MOVE)
		enter(acd, agent, input, reason);
	return cell;
}
