// Call detail records: what remains of a call when it has ended.
//
//   call 1 ---- n leg      one row a call, one a leg: the caller's, and one for every agent offered
//
// Plain data with strings inside, so that a record can be copied to the writer thread and nobody
// keeps a pointer. Strings are NUL-terminated; empty means "none" and becomes SQL NULL. Times are
// UTC milliseconds since 1970; 0 means "never happened" and becomes NULL too. Measures of media are
// of what we *received* from that leg's party unless the name says otherwise.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TD_CDR_ID_MAX    24  // "c42", "c42-l1"
#define TD_CDR_NAME_MAX  64  // trunk, queue, agent, codec
#define TD_CDR_CAUSE_MAX 48  // "answered", "abandoned", "queue-timeout", "rejected"...
#define TD_CDR_PARTY_MAX 128 // a SIP user part or address
#define TD_CDR_PATH_MAX  256
#define TD_CDR_LEG_MAX   32 // legs of one call that are written; more are refused

struct td_cdr_call {
	char id[TD_CDR_ID_MAX]; // control's id: unique within one run of the process
	char caller[TD_CDR_PARTY_MAX];
	char called[TD_CDR_PARTY_MAX];
	char trunk[TD_CDR_NAME_MAX];
	char queue[TD_CDR_NAME_MAX];
	char agent[TD_CDR_NAME_MAX]; // who talked last; empty: nobody
	char cause[TD_CDR_CAUSE_MAX];
	char ended_by[TD_CDR_NAME_MAX];                 // "caller", "agent", "api", "system"
	char recording[TD_CDR_PATH_MAX];                // empty: none
	char recording_state[TD_CDR_NAME_MAX];          // "complete", "partial", empty: none
	uint64_t recording_received, recording_written; // packets
	int64_t setup_utc_ms;                           // the INVITE came
	int64_t answer_utc_ms;                          // we answered the caller (greeting, music)
	int64_t connect_utc_ms;                         // an agent answered: both parties talk
	int64_t end_utc_ms;
	uint32_t queue_wait_ms; // arrival to connect, or to the end when never connected
	uint32_t talk_ms;       // connect to end
	uint32_t offer_count;   // agents it was offered to
};

struct td_cdr_leg {
	char id[TD_CDR_ID_MAX];
	char role[TD_CDR_NAME_MAX];   // "caller", "agent"
	char party[TD_CDR_PARTY_MAX]; // trunk's caller number, agent id
	char sip_call_id[TD_CDR_PARTY_MAX];
	char remote[TD_CDR_NAME_MAX]; // media address of the party, "a.b.c.d:port"
	char codec[TD_CDR_NAME_MAX];
	char srtp[TD_CDR_NAME_MAX]; // its suite; empty: plain RTP
	char cause[TD_CDR_CAUSE_MAX];
	bool outbound;       // we sent the INVITE
	uint16_t sip_status; // final status of its INVITE; 0 none
	bool has_media;      // the measures below are valid
	int64_t setup_utc_ms, ring_utc_ms, answer_utc_ms, end_utc_ms;
	uint64_t rx_packets, tx_packets;
	int64_t rx_lost;         // RFC 3550 A.3; negative with duplicates
	uint32_t loss_permyriad; // lost of expected, 1/10000
	uint32_t jitter_us, jitter_max_us;
	uint32_t rtt_us; // 0 unknown
	uint32_t rtt_max_us;
	uint32_t mos_x100, mos_min_x100; // G.107: on average, and its worst five seconds; 0 unknown
	uint32_t delay_max_ms;           // mouth to ear, estimated; 0 unknown
	uint32_t discarded;              // packets that came too late to be played here
	uint32_t bursts, burst_lost;     // RFC 3611 section 4.7.2
	// Of the time that was listened to, measured_ms: RTP/AVP G.711, and what was decoded here.
	uint32_t measured_ms, talk_ms, double_talk_ms, clipped_ms;
	uint32_t one_way_ms; // it was sent media and sent none
	int32_t level_dbm0, noise_dbm0;
	uint32_t remote_mos_x100; // of what we sent it, as it said in RTCP XR; 0: it did not
};

// A recording: where its file is below the recordings folder, and how it went. Written when it is
// begun and again, in place, when it is over.
struct td_cdr_recording {
	char file[TD_CDR_PATH_MAX];
	char tenant[TD_CDR_NAME_MAX];
	char call[TD_CDR_ID_MAX];
	char conference[TD_CDR_NAME_MAX];
	char queue[TD_CDR_NAME_MAX];
	char agent[TD_CDR_NAME_MAX];
	char caller[TD_CDR_PARTY_MAX];
	char state[TD_CDR_NAME_MAX]; // "recording" until it is over, then "complete" or "partial"
	int64_t started_utc_ms, ended_utc_ms;
	uint64_t duration_ms, bytes;
	uint64_t packets_received, packets_written;
};
