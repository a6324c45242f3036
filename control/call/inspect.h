// What others may see of calls, agents, trunks and queues, and the few things they may ask for.
//
// Everything is copied out as plain structs: no pointer into the call manager escapes, so the API
// can keep what it got for as long as it likes. Strings are NUL-terminated and cut to fit; empty
// means "none". Times are UTC milliseconds since 1970, 0 means "not yet".
//
// Thread: the control loop's. Notices are sent from inside the turn that causes the change, in
// the order of the changes.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "quality/sums.h"
#include "td_codec_id.h"
#include "td_endpoint.h"
#include "td_error.h"
#include "td_event.h"
#include "td_handle.h"
#include "td_limits.h"
#include "td_role.h"
#include "td_srtp.h"

#define TD_CALL_ID_MAX    24  // "c42"
#define TD_CALL_NAME_MAX  64  // trunk, queue, agent
#define TD_CALL_PARTY_MAX 128 // a SIP user part
#define TD_CALL_OTHER_MAX 8   // parties besides caller and agent

struct td_calls;

enum td_call_state {
	TD_CALL_FREE,       // not a call
	TD_CALL_PREPARING,  // the INVITE came; the dataplane makes a stream
	TD_CALL_GREETING,   // answered; the greeting plays
	TD_CALL_QUEUED,     // waits for an agent
	TD_CALL_OFFERING,   // an agent's phone is being called; still waits
	TD_CALL_TALKING,    // caller and agent are connected
	TD_CALL_INVITING,   // an agent's phone is called for a conference
	TD_CALL_CONFERENCE, // its parties are in a conference
	TD_CALL_ENDING,     // everything is being taken down
	TD_CALL_STATE_COUNT
};

const char *td_call_state_name(enum td_call_state state); // "queued"

// Why a call or a leg ended.
// X(SYMBOL, "name in the CDR", Q.850 cause)
#define TD_CAUSES(X)                                                                               \
	X(NONE, "none", 0)                                                                         \
	X(CALLER_HANGUP, "caller-hangup", 16)       /* after talking to an agent */                \
	X(AGENT_HANGUP, "agent-hangup", 16)         /* the agent ended it */                       \
	X(CALLER_ABANDONED, "caller-abandoned", 16) /* hung up before an agent answered */         \
	X(CALLER_CANCELLED, "caller-cancelled", 16) /* CANCEL before we answered */                \
	X(OPERATOR, "operator-hangup", 16)          /* through the API */                          \
	X(QUEUE_TIMEOUT, "queue-timeout", 19)       /* waited longer than wait_max_s */            \
	X(QUEUE_FULL, "queue-full", 17)                                                            \
	X(NUMBER_UNKNOWN, "number-unknown", 1)                                                     \
	X(NO_CODEC, "no-codec", 88)                                                                \
	X(SRTP_REQUIRED, "srtp-required", 88)   /* we require it, the peer has no keys */          \
	X(SRTP_FORBIDDEN, "srtp-forbidden", 88) /* only SRTP was on offer, and we may not */       \
	X(SRTP_NO_SUITE, "srtp-no-suite", 88)   /* no suite in common, or no key we understand */  \
	X(OVERLOAD, "overload", 42)                                                                \
	X(MEDIA_FAILURE, "media-failure", 38)  /* the dataplane refused or did not answer */       \
	X(LINK_DOWN, "dataplane-down", 38)     /* the dataplane went away under the call */        \
	X(NO_ACK, "no-ack", 102)               /* the peer never acknowledged our 200 */           \
	X(PEER_GONE, "peer-gone", 102)         /* the peer no longer answers requests */           \
	X(MEDIA_TIMEOUT, "media-timeout", 102) /* quality.media_timeout_s without a packet */      \
	X(MAX_DURATION, "max-duration", 102)                                                       \
	X(SHUTDOWN, "system-shutdown", 41)                                                         \
	X(PROTOCOL, "protocol-error", 111)                                                         \
	X(BUSY, "busy", 17) /* legs: how an agent's phone said no */                               \
	X(NO_ANSWER, "no-answer", 19)                                                              \
	X(REFUSED, "refused", 21)                                                                  \
	X(UNREACHABLE, "unreachable", 20)                                                          \
	X(WITHDRAWN, "withdrawn", 26)     /* legs: the offer was taken back */                     \
	X(TRANSFERRED, "transferred", 16) /* legs: somebody else has taken the agent's place */    \
	X(SUPERVISOR_HANGUP, "supervisor-hangup", 16) /* legs: called in by an operator */         \
	X(RECORDING_FAILURE, "recording-failure", 47) /* it has to be recorded and cannot be */

enum td_cause {
#define TD_CAUSE_MEMBER(symbol, name, q850) TD_CAUSE_##symbol,
	TD_CAUSES(TD_CAUSE_MEMBER)
#undef TD_CAUSE_MEMBER
		TD_CAUSE_COUNT
};

const char *td_cause_name(enum td_cause cause);
unsigned td_cause_q850(enum td_cause cause); // ITU-T Q.850, for the Reason header (RFC 3326)

struct td_call_leg_info {
	bool present;
	char state[TD_CALL_NAME_MAX]; // "ringing", "up"
	char party[TD_CALL_PARTY_MAX];
	struct td_stream_id stream; // v == 0: none
	enum td_codec_id codec;
	enum td_srtp_suite srtp;          // TD_SRTP_NONE: plain RTP
	struct td_endpoint signalling;    // where its SIP goes
	struct td_endpoint local, remote; // media
	bool held;                        // this party has put the other on hold
	char role[TD_CALL_NAME_MAX];      // "caller", "agent", "monitor"
	bool on_hold, muted, deaf;        // by an operator
	int32_t talk_q12, hear_q12;       // volumes
};

// The recording of a call or conference, and whether what is said there is private.
struct td_recording_info {
	char file[TD_FILE_NAME_MAX]; // below the recordings folder; empty: not recorded
	char state
		[TD_CALL_NAME_MAX]; // "recording", "paused", "masked", "complete", "partial", "failed"
	uint64_t packets_received, packets_written; // once it is closed
	const char *privacy;                        // "off", "on", "changing"
};

struct td_call_info {
	char id[TD_CALL_ID_MAX]; // "c42"
	uint64_t key;            // what the ACD calls it
	enum td_call_state state;
	char caller[TD_CALL_PARTY_MAX], called[TD_CALL_PARTY_MAX];
	char trunk[TD_CALL_NAME_MAX], queue[TD_CALL_NAME_MAX], agent[TD_CALL_NAME_MAX];
	uint64_t setup_utc_ms, answer_utc_ms, connect_utc_ms;
	uint64_t duration_ms; // since the INVITE
	uint32_t wait_ms;     // in the queue, up to now or to the connection
	uint32_t offer_count;
	struct td_context_id context;
	struct td_call_leg_info caller_leg, agent_leg;
	uint32_t other_count;
	struct td_call_leg_info others[TD_CALL_OTHER_MAX]; // who was called in
	char conference[TD_CALL_NAME_MAX];                 // where its parties are
	struct td_recording_info recording;
};

// Calls fn for every call there is, oldest pool slot first; stops when fn returns false. fn may not
// change anything. Returns how many it was called for.
unsigned td_calls_foreach(struct td_calls *calls,
			  bool (*fn)(void *user, const struct td_call_info *info), void *user)
	TD_CONTROL;
// -TD_ENOT_FOUND.
TD_MUST_CHECK int td_calls_get(struct td_calls *calls, const char *id, struct td_call_info *out)
	TD_CONTROL;
// Hangs up both parties. -TD_ENOT_FOUND, -TD_ESTATE (is ending already).
TD_MUST_CHECK int td_calls_hangup(struct td_calls *calls, const char *id, enum td_cause cause)
	TD_CONTROL;

struct td_agent_info {
	char id[TD_CALL_NAME_MAX], name[TD_CALL_NAME_MAX];
	char state[TD_CALL_NAME_MAX];  // as the ACD names it: "available"
	char reason[TD_CALL_NAME_MAX]; // of a pause
	uint64_t since_utc_ms;         // in this state
	bool reachable;                // a contact is registered
	char contact[TD_CALL_PARTY_MAX];
	uint32_t expires_s; // of that contact
	char call[TD_CALL_ID_MAX];
	uint32_t calls_answered; // since the start
};

unsigned td_calls_agent_count(const struct td_calls *calls) TD_CONTROL;
// By index of the config. -TD_ENOT_FOUND.
TD_MUST_CHECK int td_calls_agent_at(struct td_calls *calls, unsigned idx, struct td_agent_info *out)
	TD_CONTROL;
TD_MUST_CHECK int td_calls_agent_get(struct td_calls *calls, const char *id,
				     struct td_agent_info *out) TD_CONTROL;

enum td_agent_wish {
	TD_AGENT_WISH_LOGIN,     // and available
	TD_AGENT_WISH_LOGOUT,    // after the call, when there is one
	TD_AGENT_WISH_AVAILABLE, // ends a pause or the wrap-up
	TD_AGENT_WISH_PAUSE
};

// `reason` names a pause ("lunch"), else NULL. -TD_ENOT_FOUND, -TD_ESTATE when the ACD refuses.
TD_MUST_CHECK int td_calls_agent_set_state(struct td_calls *calls, const char *id,
					   enum td_agent_wish wish, const char *reason) TD_CONTROL;

enum td_trunk_state { TD_TRUNK_UNKNOWN, TD_TRUNK_UP, TD_TRUNK_DOWN };

const char *td_trunk_state_name(enum td_trunk_state state);

struct td_trunk_info {
	char name[TD_CALL_NAME_MAX];
	struct td_endpoint peer;
	enum td_trunk_state state; // of the OPTIONS ping; unknown while pings are off
	uint32_t rtt_ms;           // of the last answered ping
	uint32_t calls_now;
	uint64_t calls_total;
};

unsigned td_calls_trunk_count(const struct td_calls *calls) TD_CONTROL;
TD_MUST_CHECK int td_calls_trunk_at(struct td_calls *calls, unsigned idx, struct td_trunk_info *out)
	TD_CONTROL;

struct td_calls_stats {
	uint32_t calls_now, calls_peak, legs_now, registrations_now;
	uint64_t calls_total, calls_connected, calls_recorded;
	uint64_t rejected_overload, rejected_source, rejected_number, rejected_codec;
	uint64_t rejected_srtp; // 488 because of keys
	uint64_t srtp_retries;  // INVITEs repeated in RTP/SAVP
	uint64_t registrations, registrations_refused;
	uint64_t media_failures, records_lost; // records the store refused
	uint64_t media_timeouts, one_way_alarms, mos_alarms;
	bool recording_alarms[TD_RECORD_ALARM_COUNT]; // what is wrong with the recordings' disk now
	struct td_quality_sums quality;               // of legs that have ended
	uint64_t sip_rx, sip_tx;                      // datagrams
	uint64_t sip_dropped;                         // datagrams that deserved no answer
	uint64_t sip_retransmissions;                 // of ours
};

void td_calls_get_stats(const struct td_calls *calls, struct td_calls_stats *out) TD_CONTROL;

enum td_call_notice_kind {
	TD_NOTICE_CALL_NEW,
	TD_NOTICE_CALL_STATE,
	TD_NOTICE_CALL_ENDED, // the last one of a call; `cause` is set
	TD_NOTICE_AGENT_STATE,
	TD_NOTICE_TRUNK_STATE,
	TD_NOTICE_CALL_PARTY,       // one who is neither caller nor agent has come, changed or gone
	TD_NOTICE_CONFERENCE_NEW,   // made by the API
	TD_NOTICE_CONFERENCE_STATE, // locked, lecture, muted
	TD_NOTICE_CONFERENCE_ENDED,
	TD_NOTICE_CONFERENCE_JOIN, // with the member, as the next two
	TD_NOTICE_CONFERENCE_LEAVE,
	TD_NOTICE_CONFERENCE_MEMBER, // muted, moderator, volume
	TD_NOTICE_CALL_RECORDING,    // begun, paused, masked, ended, or its privacy has changed
	TD_NOTICE_CONFERENCE_RECORDING,
	TD_NOTICE_PLAYER_END, // `media` is set, as for the next two
	TD_NOTICE_DIGIT,
	TD_NOTICE_TONE,
	TD_NOTICE_QUALITY,         // `what`: "one-way", "mos-low", "media-timeout"
	TD_NOTICE_FORK_STARTED,    // `fork` is set
	TD_NOTICE_FORK_ENDED,      // with its last counters
	TD_NOTICE_RECORDING_ALARM, // `alarm` is set: it begins, gets worse or is over
	TD_NOTICE_KIND_COUNT
};

const char *td_call_notice_name(enum td_call_notice_kind kind); // "call.new"
const char *td_record_alarm_name(enum td_record_alarm alarm);   // "slow", "full", "failed"

struct td_conference_info {
	char name[TD_CALL_NAME_MAX];
	bool permanent, lecture, locked, muted;
	uint32_t members, present, members_max; // present: those whose phone is up
	uint64_t created_utc_ms;
	struct td_context_id context;
	struct td_recording_info recording;
};

struct td_member_info {
	char id[TD_CALL_ID_MAX + 8]; // the call's, "c42"; of its agent "c42-agent"
	char call[TD_CALL_ID_MAX];
	char seat[TD_CALL_NAME_MAX]; // "member", "moderator", "listener"
	struct td_call_leg_info leg;
	int32_t talk_q12, hear_q12; // as they are now, toward the floor
};

// Of the media of a call or of a conference.
struct td_media_info {
	struct td_context_id context;
	char call[TD_CALL_ID_MAX], conference[TD_CALL_NAME_MAX], party[TD_CALL_PARTY_MAX];
	struct td_stream_id stream;
	struct td_player_id player;
	char digit;
	bool inband;
	uint32_t duration_ms;
	char what[TD_CALL_NAME_MAX]; // of a tone "busy", of a player's end "played"
	bool ended;                  // of a tone, of a trouble with quality
	uint16_t mos_x100;           // of a trouble with quality; 0: not known
};

struct td_fork_info;

// What is set depends on the kind: call, agent or trunk; conference, with member where one is
// meant; media; alarm. Borrowed for the callback.
struct td_call_notice {
	enum td_call_notice_kind kind;
	uint64_t utc_ms;
	const struct td_call_info *call;
	const struct td_agent_info *agent;
	const struct td_fork_info *fork;
	const struct td_trunk_info *trunk;
	const struct td_conference_info *conference;
	const struct td_member_info *member;
	const struct td_media_info *media;
	const struct td_event_record_alarm *alarm;
	enum td_cause cause;
};
