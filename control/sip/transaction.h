// The four transaction machines of RFC 3261 section 17, with RFC 6026, as const tables.
//
//   ICT client INVITE   NCT client other   IST server INVITE   NST server other
//
// Each state names the RFC timer that ends it and the one that retransmits in it; a move to a state
// with the same ending timer lets it run on, except C and the keepalive, which begin again. What an
// action means is the endpoint's business; the tables only say when. Added to the RFC: ICT WITHDRAWN
// and CANCELLING (section 9.1), NCT HELD (a BYE that waits for an ACK, section 15), IST TRYING (nothing
// sent yet: the 100 of section 17.2.1 waits for an answer that would spare it), and IST ACKED, which
// tells a 2xx that was acknowledged from one that is still repeated (section 13.3.1.4).
#pragma once

#include "base/fsm.h"

enum td_sip_ict_state {
	TD_ICT_CALLING,
	TD_ICT_WITHDRAWN, // cancelled by the user before any provisional response
	TD_ICT_PROCEEDING,
	TD_ICT_CANCELLING, // CANCEL is out, its final response is not here
	TD_ICT_COMPLETED,
	TD_ICT_ACCEPTED,
	TD_ICT_TERMINATED,
	TD_ICT_STATE_COUNT
};

enum td_sip_nct_state {
	TD_NCT_HELD,
	TD_NCT_TRYING,
	TD_NCT_PROCEEDING,
	TD_NCT_COMPLETED,
	TD_NCT_TERMINATED,
	TD_NCT_STATE_COUNT
};

enum td_sip_client_event {
	TD_CLIENT_1XX,
	TD_CLIENT_2XX,
	TD_CLIENT_300, // 300..699
	TD_CLIENT_CANCEL,
	TD_CLIENT_START,
	TD_CLIENT_RETRANSMIT,
	TD_CLIENT_EXPIRE,
	TD_CLIENT_EVENT_COUNT
};

enum td_sip_ist_state {
	TD_IST_TRYING, // no response is out
	TD_IST_PROCEEDING,
	TD_IST_COMPLETED,
	TD_IST_CONFIRMED,
	TD_IST_ACCEPTED, // 2xx sent, repeated until its ACK
	TD_IST_ACKED,
	TD_IST_TERMINATED,
	TD_IST_STATE_COUNT
};

enum td_sip_nst_state {
	TD_NST_TRYING,
	TD_NST_PROCEEDING,
	TD_NST_COMPLETED,
	TD_NST_TERMINATED,
	TD_NST_STATE_COUNT
};

enum td_sip_server_event {
	TD_SERVER_REQUEST, // a retransmission of it
	TD_SERVER_ACK,
	TD_SERVER_SEND_1XX,
	TD_SERVER_SEND_2XX,
	TD_SERVER_SEND_300,
	TD_SERVER_RETRANSMIT,
	TD_SERVER_EXPIRE,
	TD_SERVER_EVENT_COUNT
};

// What a cell asks for, any number of them.
enum td_sip_action {
	TD_SIP_ACT_SEND = 1 << 0,        // the new bytes, now kept for repetition
	TD_SIP_ACT_RESEND = 1 << 1,      // the kept bytes
	TD_SIP_ACT_ACK = 1 << 2,         // make, send and keep the ACK of a non-2xx
	TD_SIP_ACT_TELL = 1 << 3,        // hand the message to the user
	TD_SIP_ACT_TIMEOUT = 1 << 4,     // tell the user that nothing came
	TD_SIP_ACT_CANCEL = 1 << 5,      // send a CANCEL
	TD_SIP_ACT_CROSSED = 1 << 6,     // a 2xx nobody wants: ACK and BYE
	TD_SIP_ACT_REACK = 1 << 7,       // a repeated 2xx: its ACK again, or a second fork's
	TD_SIP_ACT_ACK_TIMEOUT = 1 << 8, // tell the user that the 2xx was not acknowledged
	TD_SIP_ACT_KEEPALIVE = 1 << 9,   // repeat a provisional response, once a minute
	TD_SIP_ACT_TRYING = 1 << 10      // send 100 Trying
};

enum td_sip_timer {
	TD_TIMER_NONE,
	TD_TIMER_A,   // INVITE request: T1, doubling
	TD_TIMER_B,   // 64 * T1
	TD_TIMER_C,   // three minutes without a provisional response
	TD_TIMER_D,   // 32 s
	TD_TIMER_E,   // request: T1, doubling up to T2
	TD_TIMER_E2,  // E once a provisional response has come: every T2
	TD_TIMER_F,   // 64 * T1
	TD_TIMER_G,   // INVITE response: T1, doubling up to T2
	TD_TIMER_H,   // 64 * T1
	TD_TIMER_I,   // T4
	TD_TIMER_J,   // 64 * T1
	TD_TIMER_K,   // T4
	TD_TIMER_L,   // 64 * T1
	TD_TIMER_M,   // 64 * T1
	TD_TIMER_X,   // 64 * T1 after our CANCEL (section 9.1)
	TD_TIMER_P,   // one minute: repeat the provisional response (section 13.3.1.1)
	TD_TIMER_T,   // 64 * T1 for the user to answer: the client's F has ended by then
	TD_TIMER_100, // the longest a 100 Trying is held back
	TD_TIMER_COUNT
};

struct td_sip_machine {
	struct td_fsm fsm;
	const uint8_t *expire;     // [state] enum td_sip_timer
	const uint8_t *retransmit; // [state] enum td_sip_timer
	// States as bits in which it only answers for what the network may still hold, for 32 s: D, J, L
	// and M. Past T4, the longest that RFC 3261 lets a datagram live, one of them can be spared.
	uint8_t lingers;
};

extern const struct td_sip_machine td_sip_ict, td_sip_nct, td_sip_ist, td_sip_nst;

struct td_sip_times {
	uint32_t t1_ms, t2_ms, t4_ms;
};

// How long an ending timer runs.
uint32_t td_sip_timer_ms(enum td_sip_timer timer, const struct td_sip_times *times);
// The first interval of a retransmission timer, and the one that follows `interval_ms`.
uint32_t td_sip_retransmit_first_ms(enum td_sip_timer timer, const struct td_sip_times *times);
uint32_t td_sip_retransmit_next_ms(enum td_sip_timer timer, uint32_t interval_ms,
				   const struct td_sip_times *times);
