// One row a cause.
#include "call/cause.h"

static const struct {
	const char *name;
	unsigned q850;
} rows[TD_CAUSE_COUNT] = {
#define ROW(symbol, name, q850) { name, q850 },
	TD_CAUSES(ROW)
#undef ROW
};

const char *td_cause_name(enum td_cause cause)
{
	return (unsigned)cause < TD_CAUSE_COUNT ? rows[cause].name : "none";
}

unsigned td_cause_q850(enum td_cause cause)
{
	return (unsigned)cause < TD_CAUSE_COUNT ? rows[cause].q850 : 0;
}

uint16_t td_cause_status(enum td_cause cause)
{
	switch (cause) {
	case TD_CAUSE_NUMBER_UNKNOWN: return 404;
	case TD_CAUSE_NO_CODEC:
	case TD_CAUSE_SRTP_REQUIRED:
	case TD_CAUSE_SRTP_FORBIDDEN:
	case TD_CAUSE_SRTP_NO_SUITE: return 488;
	case TD_CAUSE_QUEUE_FULL:
	case TD_CAUSE_BUSY: return 486;
	case TD_CAUSE_CALLER_CANCELLED:
	case TD_CAUSE_CALLER_ABANDONED:
	case TD_CAUSE_CALLER_HANGUP: return 487;
	case TD_CAUSE_OPERATOR:
	case TD_CAUSE_NO_ANSWER:
	case TD_CAUSE_QUEUE_TIMEOUT:
	case TD_CAUSE_UNREACHABLE: return 480;
	case TD_CAUSE_REFUSED: return 403;
	case TD_CAUSE_PROTOCOL: return 400;
	case TD_CAUSE_OVERLOAD:
	case TD_CAUSE_RECORDING_FAILURE:
	case TD_CAUSE_MEDIA_FAILURE:
	case TD_CAUSE_LINK_DOWN:
	case TD_CAUSE_SHUTDOWN: return 503;
	case TD_CAUSE_NONE:
	case TD_CAUSE_AGENT_HANGUP:
	case TD_CAUSE_NO_ACK:
	case TD_CAUSE_PEER_GONE:
	case TD_CAUSE_MEDIA_TIMEOUT:
	case TD_CAUSE_MAX_DURATION:
	case TD_CAUSE_WITHDRAWN:
	case TD_CAUSE_TRANSFERRED:
	case TD_CAUSE_SUPERVISOR_HANGUP:
	case TD_CAUSE_COUNT: break;
	}
	return 500;
}

enum td_cause td_cause_of_refusal(uint16_t status)
{
	switch (status) {
	case 486:
	case 600: return TD_CAUSE_BUSY;
	case 480:
	case 487: return TD_CAUSE_NO_ANSWER;
	case 404:
	case 408:
	case 410:
	case 502:
	case 503:
	case 504: return TD_CAUSE_UNREACHABLE;
	case 415:
	case 488:
	case 606: return TD_CAUSE_NO_CODEC;
	default: return TD_CAUSE_REFUSED;
	}
}

enum td_acd_reason td_cause_acd_reason(enum td_cause cause)
{
	switch (cause) {
	case TD_CAUSE_BUSY: return TD_ACD_REASON_BUSY;
	case TD_CAUSE_NO_ANSWER: return TD_ACD_REASON_NO_ANSWER;
	case TD_CAUSE_UNREACHABLE:
	case TD_CAUSE_OVERLOAD:
	case TD_CAUSE_PEER_GONE: return TD_ACD_REASON_UNREACHABLE;
	case TD_CAUSE_NONE:
	case TD_CAUSE_CALLER_HANGUP:
	case TD_CAUSE_AGENT_HANGUP:
	case TD_CAUSE_CALLER_ABANDONED:
	case TD_CAUSE_CALLER_CANCELLED:
	case TD_CAUSE_OPERATOR:
	case TD_CAUSE_QUEUE_TIMEOUT:
	case TD_CAUSE_QUEUE_FULL:
	case TD_CAUSE_NUMBER_UNKNOWN:
	case TD_CAUSE_NO_CODEC:
	case TD_CAUSE_SRTP_REQUIRED:
	case TD_CAUSE_SRTP_FORBIDDEN:
	case TD_CAUSE_SRTP_NO_SUITE:
	case TD_CAUSE_MEDIA_FAILURE:
	case TD_CAUSE_LINK_DOWN:
	case TD_CAUSE_NO_ACK:
	case TD_CAUSE_MEDIA_TIMEOUT:
	case TD_CAUSE_MAX_DURATION:
	case TD_CAUSE_SHUTDOWN:
	case TD_CAUSE_PROTOCOL:
	case TD_CAUSE_REFUSED:
	case TD_CAUSE_WITHDRAWN:
	case TD_CAUSE_TRANSFERRED:
	case TD_CAUSE_SUPERVISOR_HANGUP:
	case TD_CAUSE_RECORDING_FAILURE:
	case TD_CAUSE_COUNT: break;
	}
	return TD_ACD_REASON_REFUSED;
}

const char *td_cause_party(enum td_cause cause)
{
	switch (cause) {
	case TD_CAUSE_CALLER_HANGUP:
	case TD_CAUSE_CALLER_ABANDONED:
	case TD_CAUSE_CALLER_CANCELLED: return "caller";
	case TD_CAUSE_AGENT_HANGUP:
	case TD_CAUSE_BUSY:
	case TD_CAUSE_NO_ANSWER:
	case TD_CAUSE_REFUSED: return "agent";
	case TD_CAUSE_OPERATOR: return "api";
	case TD_CAUSE_NONE:
	case TD_CAUSE_QUEUE_TIMEOUT:
	case TD_CAUSE_QUEUE_FULL:
	case TD_CAUSE_NUMBER_UNKNOWN:
	case TD_CAUSE_NO_CODEC:
	case TD_CAUSE_SRTP_REQUIRED:
	case TD_CAUSE_SRTP_FORBIDDEN:
	case TD_CAUSE_SRTP_NO_SUITE:
	case TD_CAUSE_OVERLOAD:
	case TD_CAUSE_MEDIA_FAILURE:
	case TD_CAUSE_LINK_DOWN:
	case TD_CAUSE_NO_ACK:
	case TD_CAUSE_PEER_GONE:
	case TD_CAUSE_MEDIA_TIMEOUT:
	case TD_CAUSE_MAX_DURATION:
	case TD_CAUSE_SHUTDOWN:
	case TD_CAUSE_PROTOCOL:
	case TD_CAUSE_UNREACHABLE:
	case TD_CAUSE_WITHDRAWN:
	case TD_CAUSE_TRANSFERRED:
	case TD_CAUSE_SUPERVISOR_HANGUP:
	case TD_CAUSE_RECORDING_FAILURE:
	case TD_CAUSE_COUNT: break;
	}
	return "system";
}
