#include "sip/transaction.h"

#define DO   TD_FSM_DO
#define TO   TD_FSM_TO
#define NOP  TD_FSM_NOP
#define NO   TD_FSM_NO
#define SEND TD_SIP_ACT_SEND
#define TELL TD_SIP_ACT_TELL
#define ACK  TD_SIP_ACT_ACK

static const char *const client_events[TD_CLIENT_EVENT_COUNT] = {
	"1xx", "2xx", "300-699", "cancel", "start", "retransmit", "expire",
};

static const char *const server_events[TD_SERVER_EVENT_COUNT] = {
	"request", "ack", "send-1xx", "send-2xx", "send-300-699", "retransmit", "expire",
};

#define GUARDED(text, event)                                                                       \
	{                                                                                          \
		.name = (text), .guarded = true, .timeout_event = (event)                          \
	}

static const struct td_fsm_state ict_states[TD_ICT_STATE_COUNT] = {
	[TD_ICT_CALLING] = GUARDED("calling", TD_CLIENT_EXPIRE),
	[TD_ICT_WITHDRAWN] = GUARDED("withdrawn", TD_CLIENT_EXPIRE),
	[TD_ICT_PROCEEDING] = GUARDED("proceeding", TD_CLIENT_EXPIRE),
	[TD_ICT_CANCELLING] = GUARDED("cancelling", TD_CLIENT_EXPIRE),
	[TD_ICT_COMPLETED] = GUARDED("completed", TD_CLIENT_EXPIRE),
	[TD_ICT_ACCEPTED] = GUARDED("accepted", TD_CLIENT_EXPIRE),
	[TD_ICT_TERMINATED] = { .name = "terminated", .final = true },
};

static const struct td_fsm_cell ict_cells[TD_ICT_STATE_COUNT][TD_CLIENT_EVENT_COUNT] = {
	[TD_ICT_CALLING] = {
		[TD_CLIENT_1XX] = TO(TD_ICT_PROCEEDING, TELL),
		[TD_CLIENT_2XX] = TO(TD_ICT_ACCEPTED, TELL),
		[TD_CLIENT_300] = TO(TD_ICT_COMPLETED, ACK | TELL),
		[TD_CLIENT_CANCEL] = TO(TD_ICT_WITHDRAWN, 0),
		[TD_CLIENT_START] = DO(SEND),
		[TD_CLIENT_RETRANSMIT] = DO(TD_SIP_ACT_RESEND),
		[TD_CLIENT_EXPIRE] = TO(TD_ICT_TERMINATED, TD_SIP_ACT_TIMEOUT),
	},
	[TD_ICT_WITHDRAWN] = {
		[TD_CLIENT_1XX] = TO(TD_ICT_CANCELLING, TD_SIP_ACT_CANCEL),
		[TD_CLIENT_2XX] = TO(TD_ICT_ACCEPTED, TD_SIP_ACT_CROSSED),
		[TD_CLIENT_300] = TO(TD_ICT_COMPLETED, ACK | TELL),
		[TD_CLIENT_CANCEL] = NOP,
		[TD_CLIENT_START] = NO,
		[TD_CLIENT_RETRANSMIT] = DO(TD_SIP_ACT_RESEND),
		[TD_CLIENT_EXPIRE] = TO(TD_ICT_TERMINATED, TD_SIP_ACT_TIMEOUT),
	},
	[TD_ICT_PROCEEDING] = {
		[TD_CLIENT_1XX] = TO(TD_ICT_PROCEEDING, TELL),
		[TD_CLIENT_2XX] = TO(TD_ICT_ACCEPTED, TELL),
		[TD_CLIENT_300] = TO(TD_ICT_COMPLETED, ACK | TELL),
		[TD_CLIENT_CANCEL] = TO(TD_ICT_CANCELLING, TD_SIP_ACT_CANCEL),
		[TD_CLIENT_START] = NO,
		[TD_CLIENT_RETRANSMIT] = NOP,
		[TD_CLIENT_EXPIRE] = TO(TD_ICT_CANCELLING, TD_SIP_ACT_CANCEL),
	},
	[TD_ICT_CANCELLING] = {
		[TD_CLIENT_1XX] = NOP,
		[TD_CLIENT_2XX] = TO(TD_ICT_ACCEPTED, TD_SIP_ACT_CROSSED),
		[TD_CLIENT_300] = TO(TD_ICT_COMPLETED, ACK | TELL),
		[TD_CLIENT_CANCEL] = NOP,
		[TD_CLIENT_START] = NO,
		[TD_CLIENT_RETRANSMIT] = NOP,
		[TD_CLIENT_EXPIRE] = TO(TD_ICT_TERMINATED, TD_SIP_ACT_TIMEOUT),
	},
	[TD_ICT_COMPLETED] = {
		[TD_CLIENT_1XX] = NOP,
		[TD_CLIENT_2XX] = NOP,
		[TD_CLIENT_300] = DO(TD_SIP_ACT_RESEND),
		[TD_CLIENT_CANCEL] = NO,
		[TD_CLIENT_START] = NO,
		[TD_CLIENT_RETRANSMIT] = NOP,
		[TD_CLIENT_EXPIRE] = TO(TD_ICT_TERMINATED, 0),
	},
	[TD_ICT_ACCEPTED] = {
		[TD_CLIENT_1XX] = NOP,
		[TD_CLIENT_2XX] = DO(TD_SIP_ACT_REACK),
		[TD_CLIENT_300] = NOP,
		[TD_CLIENT_CANCEL] = NO,
		[TD_CLIENT_START] = NO,
		[TD_CLIENT_RETRANSMIT] = NOP,
		[TD_CLIENT_EXPIRE] = TO(TD_ICT_TERMINATED, 0),
	},
	[TD_ICT_TERMINATED] = { NO, NO, NO, NO, NO, NO, NO },
};

static const uint8_t ict_expire[TD_ICT_STATE_COUNT] = {
	TD_TIMER_B, TD_TIMER_B, TD_TIMER_C, TD_TIMER_X, TD_TIMER_D, TD_TIMER_M, TD_TIMER_NONE,
};
static const uint8_t ict_retransmit[TD_ICT_STATE_COUNT] = { TD_TIMER_A, TD_TIMER_A };

static const struct td_fsm_state nct_states[TD_NCT_STATE_COUNT] = {
	[TD_NCT_HELD] = { .name = "held",
			  .unguarded_reason = "timer L of the 2xx it waits for starts it" },
	[TD_NCT_TRYING] = GUARDED("trying", TD_CLIENT_EXPIRE),
	[TD_NCT_PROCEEDING] = GUARDED("proceeding", TD_CLIENT_EXPIRE),
	[TD_NCT_COMPLETED] = GUARDED("completed", TD_CLIENT_EXPIRE),
	[TD_NCT_TERMINATED] = { .name = "terminated", .final = true },
};

static const struct td_fsm_cell nct_cells[TD_NCT_STATE_COUNT][TD_CLIENT_EVENT_COUNT] = {
	[TD_NCT_HELD] = {
		[TD_CLIENT_1XX] = NOP,
		[TD_CLIENT_2XX] = NOP,
		[TD_CLIENT_300] = NOP,
		[TD_CLIENT_CANCEL] = NO,
		[TD_CLIENT_START] = TO(TD_NCT_TRYING, SEND),
		[TD_CLIENT_RETRANSMIT] = NOP,
		[TD_CLIENT_EXPIRE] = NOP,
	},
	[TD_NCT_TRYING] = {
		[TD_CLIENT_1XX] = TO(TD_NCT_PROCEEDING, TELL),
		[TD_CLIENT_2XX] = TO(TD_NCT_COMPLETED, TELL),
		[TD_CLIENT_300] = TO(TD_NCT_COMPLETED, TELL),
		[TD_CLIENT_CANCEL] = NO,
		[TD_CLIENT_START] = NO,
		[TD_CLIENT_RETRANSMIT] = DO(TD_SIP_ACT_RESEND),
		[TD_CLIENT_EXPIRE] = TO(TD_NCT_TERMINATED, TD_SIP_ACT_TIMEOUT),
	},
	[TD_NCT_PROCEEDING] = {
		[TD_CLIENT_1XX] = DO(TELL),
		[TD_CLIENT_2XX] = TO(TD_NCT_COMPLETED, TELL),
		[TD_CLIENT_300] = TO(TD_NCT_COMPLETED, TELL),
		[TD_CLIENT_CANCEL] = NO,
		[TD_CLIENT_START] = NO,
		[TD_CLIENT_RETRANSMIT] = DO(TD_SIP_ACT_RESEND),
		[TD_CLIENT_EXPIRE] = TO(TD_NCT_TERMINATED, TD_SIP_ACT_TIMEOUT),
	},
	[TD_NCT_COMPLETED] = {
		[TD_CLIENT_1XX] = NOP,
		[TD_CLIENT_2XX] = NOP,
		[TD_CLIENT_300] = NOP,
		[TD_CLIENT_CANCEL] = NO,
		[TD_CLIENT_START] = NO,
		[TD_CLIENT_RETRANSMIT] = NOP,
		[TD_CLIENT_EXPIRE] = TO(TD_NCT_TERMINATED, 0),
	},
	[TD_NCT_TERMINATED] = { NO, NO, NO, NO, NO, NO, NO },
};

static const uint8_t nct_expire[TD_NCT_STATE_COUNT] = {
	TD_TIMER_NONE, TD_TIMER_F, TD_TIMER_F, TD_TIMER_K, TD_TIMER_NONE,
};
static const uint8_t nct_retransmit[TD_NCT_STATE_COUNT] = {
	TD_TIMER_NONE, TD_TIMER_E, TD_TIMER_E2, TD_TIMER_NONE, TD_TIMER_NONE,
};

static const struct td_fsm_state ist_states[TD_IST_STATE_COUNT] = {
	[TD_IST_TRYING] = GUARDED("trying", TD_SERVER_EXPIRE),
	[TD_IST_PROCEEDING] = GUARDED("proceeding", TD_SERVER_EXPIRE),
	[TD_IST_COMPLETED] = GUARDED("completed", TD_SERVER_EXPIRE),
	[TD_IST_CONFIRMED] = GUARDED("confirmed", TD_SERVER_EXPIRE),
	[TD_IST_ACCEPTED] = GUARDED("accepted", TD_SERVER_EXPIRE),
	[TD_IST_ACKED] = GUARDED("acked", TD_SERVER_EXPIRE),
	[TD_IST_TERMINATED] = { .name = "terminated", .final = true },
};

static const struct td_fsm_cell ist_cells[TD_IST_STATE_COUNT][TD_SERVER_EVENT_COUNT] = {
	[TD_IST_TRYING] = {
		[TD_SERVER_REQUEST] = TO(TD_IST_PROCEEDING, TD_SIP_ACT_TRYING),
		[TD_SERVER_ACK] = NOP,
		[TD_SERVER_SEND_1XX] = TO(TD_IST_PROCEEDING, SEND),
		[TD_SERVER_SEND_2XX] = TO(TD_IST_ACCEPTED, SEND),
		[TD_SERVER_SEND_300] = TO(TD_IST_COMPLETED, SEND),
		[TD_SERVER_RETRANSMIT] = NOP,
		[TD_SERVER_EXPIRE] = TO(TD_IST_PROCEEDING, TD_SIP_ACT_TRYING),
	},
	[TD_IST_PROCEEDING] = {
		[TD_SERVER_REQUEST] = DO(TD_SIP_ACT_RESEND),
		[TD_SERVER_ACK] = NOP,
		[TD_SERVER_SEND_1XX] = TO(TD_IST_PROCEEDING, SEND),
		[TD_SERVER_SEND_2XX] = TO(TD_IST_ACCEPTED, SEND),
		[TD_SERVER_SEND_300] = TO(TD_IST_COMPLETED, SEND),
		[TD_SERVER_RETRANSMIT] = NOP,
		[TD_SERVER_EXPIRE] = TO(TD_IST_PROCEEDING, TD_SIP_ACT_KEEPALIVE),
	},
	[TD_IST_COMPLETED] = {
		[TD_SERVER_REQUEST] = DO(TD_SIP_ACT_RESEND),
		[TD_SERVER_ACK] = TO(TD_IST_CONFIRMED, 0),
		[TD_SERVER_SEND_1XX] = NO,
		[TD_SERVER_SEND_2XX] = NO,
		[TD_SERVER_SEND_300] = NO,
		[TD_SERVER_RETRANSMIT] = DO(TD_SIP_ACT_RESEND),
		[TD_SERVER_EXPIRE] = TO(TD_IST_TERMINATED, 0),
	},
	[TD_IST_CONFIRMED] = {
		[TD_SERVER_REQUEST] = NOP,
		[TD_SERVER_ACK] = NOP,
		[TD_SERVER_SEND_1XX] = NO,
		[TD_SERVER_SEND_2XX] = NO,
		[TD_SERVER_SEND_300] = NO,
		[TD_SERVER_RETRANSMIT] = NOP,
		[TD_SERVER_EXPIRE] = TO(TD_IST_TERMINATED, 0),
	},
	[TD_IST_ACCEPTED] = {
		[TD_SERVER_REQUEST] = NOP,
		[TD_SERVER_ACK] = TO(TD_IST_ACKED, TELL),
		[TD_SERVER_SEND_1XX] = NO,
		[TD_SERVER_SEND_2XX] = NO,
		[TD_SERVER_SEND_300] = NO,
		[TD_SERVER_RETRANSMIT] = DO(TD_SIP_ACT_RESEND),
		[TD_SERVER_EXPIRE] = TO(TD_IST_TERMINATED, TD_SIP_ACT_ACK_TIMEOUT),
	},
	[TD_IST_ACKED] = {
		[TD_SERVER_REQUEST] = NOP,
		[TD_SERVER_ACK] = NOP,
		[TD_SERVER_SEND_1XX] = NO,
		[TD_SERVER_SEND_2XX] = NO,
		[TD_SERVER_SEND_300] = NO,
		[TD_SERVER_RETRANSMIT] = NOP,
		[TD_SERVER_EXPIRE] = TO(TD_IST_TERMINATED, 0),
	},
	[TD_IST_TERMINATED] = { NO, NO, NO, NO, NO, NO, NO },
};

static const uint8_t ist_expire[TD_IST_STATE_COUNT] = {
	TD_TIMER_100, TD_TIMER_P, TD_TIMER_H, TD_TIMER_I, TD_TIMER_L, TD_TIMER_L, TD_TIMER_NONE,
};
static const uint8_t ist_retransmit[TD_IST_STATE_COUNT] = {
	TD_TIMER_NONE, TD_TIMER_NONE, TD_TIMER_G,    TD_TIMER_NONE,
	TD_TIMER_G,    TD_TIMER_NONE, TD_TIMER_NONE,
};

static const struct td_fsm_state nst_states[TD_NST_STATE_COUNT] = {
	[TD_NST_TRYING] = GUARDED("trying", TD_SERVER_EXPIRE),
	[TD_NST_PROCEEDING] = GUARDED("proceeding", TD_SERVER_EXPIRE),
	[TD_NST_COMPLETED] = GUARDED("completed", TD_SERVER_EXPIRE),
	[TD_NST_TERMINATED] = { .name = "terminated", .final = true },
};

static const struct td_fsm_cell nst_cells[TD_NST_STATE_COUNT][TD_SERVER_EVENT_COUNT] = {
	[TD_NST_TRYING] = {
		[TD_SERVER_REQUEST] = NOP,
		[TD_SERVER_ACK] = NOP,
		[TD_SERVER_SEND_1XX] = TO(TD_NST_PROCEEDING, SEND),
		[TD_SERVER_SEND_2XX] = TO(TD_NST_COMPLETED, SEND),
		[TD_SERVER_SEND_300] = TO(TD_NST_COMPLETED, SEND),
		[TD_SERVER_RETRANSMIT] = NOP,
		[TD_SERVER_EXPIRE] = TO(TD_NST_TERMINATED, 0),
	},
	[TD_NST_PROCEEDING] = {
		[TD_SERVER_REQUEST] = DO(TD_SIP_ACT_RESEND),
		[TD_SERVER_ACK] = NOP,
		[TD_SERVER_SEND_1XX] = DO(SEND),
		[TD_SERVER_SEND_2XX] = TO(TD_NST_COMPLETED, SEND),
		[TD_SERVER_SEND_300] = TO(TD_NST_COMPLETED, SEND),
		[TD_SERVER_RETRANSMIT] = NOP,
		[TD_SERVER_EXPIRE] = TO(TD_NST_TERMINATED, 0),
	},
	[TD_NST_COMPLETED] = {
		[TD_SERVER_REQUEST] = DO(TD_SIP_ACT_RESEND),
		[TD_SERVER_ACK] = NOP,
		[TD_SERVER_SEND_1XX] = NO,
		[TD_SERVER_SEND_2XX] = NO,
		[TD_SERVER_SEND_300] = NO,
		[TD_SERVER_RETRANSMIT] = NOP,
		[TD_SERVER_EXPIRE] = TO(TD_NST_TERMINATED, 0),
	},
	[TD_NST_TERMINATED] = { NO, NO, NO, NO, NO, NO, NO },
};

static const uint8_t nst_expire[TD_NST_STATE_COUNT] = {
	TD_TIMER_T,
	TD_TIMER_T,
	TD_TIMER_J,
	TD_TIMER_NONE,
};
static const uint8_t nst_retransmit[TD_NST_STATE_COUNT] = { TD_TIMER_NONE };

#define STATE(state) (1u << (state))
#define MACHINE(lower, UPPER, title, events, first, spared)                                        \
	const struct td_sip_machine td_sip_##lower = {                                             \
		.fsm = { .name = (title),                                                          \
			 .state_count = TD_##UPPER##_STATE_COUNT,                                  \
			 .event_count = sizeof(events) / sizeof *(events),                         \
			 .initial = (first),                                                       \
			 .states = lower##_states,                                                 \
			 .event_names = (events),                                                  \
			 .cells = &lower##_cells[0][0] },                                          \
		.expire = lower##_expire,                                                          \
		.retransmit = lower##_retransmit,                                                  \
		.lingers = (spared),                                                               \
	}

MACHINE(ict, ICT, "client INVITE transaction", client_events, TD_ICT_CALLING,
	STATE(TD_ICT_COMPLETED) | STATE(TD_ICT_ACCEPTED));
MACHINE(nct, NCT, "client transaction", client_events, TD_NCT_HELD, 0);
MACHINE(ist, IST, "server INVITE transaction", server_events, TD_IST_TRYING, STATE(TD_IST_ACKED));
MACHINE(nst, NST, "server transaction", server_events, TD_NST_TRYING, STATE(TD_NST_COMPLETED));

uint32_t td_sip_timer_ms(enum td_sip_timer timer, const struct td_sip_times *times)
{
	switch (timer) {
	case TD_TIMER_NONE:
	case TD_TIMER_A:
	case TD_TIMER_E:
	case TD_TIMER_E2:
	case TD_TIMER_G:
	case TD_TIMER_COUNT: return 0;
	case TD_TIMER_I:
	case TD_TIMER_K: return times->t4_ms;
	case TD_TIMER_C: return 181000;
	case TD_TIMER_D: return 32000;
	case TD_TIMER_P: return 60000;
	// Half of what 17.2.1 grants: a loop that is late, or a caller with a short T1, sees it in time.
	case TD_TIMER_100: return 100;
	case TD_TIMER_B:
	case TD_TIMER_F:
	case TD_TIMER_H:
	case TD_TIMER_J:
	case TD_TIMER_L:
	case TD_TIMER_M:
	case TD_TIMER_X:
	case TD_TIMER_T: return 64 * times->t1_ms;
	}
	return 0;
}

uint32_t td_sip_retransmit_first_ms(enum td_sip_timer timer, const struct td_sip_times *times)
{
	return timer == TD_TIMER_NONE ? 0 : timer == TD_TIMER_E2 ? times->t2_ms : times->t1_ms;
}

uint32_t td_sip_retransmit_next_ms(enum td_sip_timer timer, uint32_t interval_ms,
				   const struct td_sip_times *times)
{
	uint32_t doubled = interval_ms * 2;

	// Timer A is ended by B before it could overflow; E and G level off at T2.
	return timer == TD_TIMER_A || doubled < times->t2_ms ? doubled : times->t2_ms;
}
