// A SIP phone for the call tests: speaks RFC 3261 in plain text over the test's wire.
//
// What Tandem sends to its address lands in its inbox; phone_step takes the oldest message and
// behaves as `mode` says. So a test chooses the order in which the parties' messages arrive.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "td_endpoint.h"

#define PHONE_INBOX 64
#define PHONE_BYTES 4096

struct world;

enum phone_mode {
	PHONE_ANSWERS,  // 180, then 200
	PHONE_RINGS,    // 180, then waits for phone_answer
	PHONE_BUSY,     // 486
	PHONE_DECLINES, // 603
	PHONE_CANNOT,   // 488
	PHONE_SILENT,   // says nothing at all to an INVITE
	PHONE_DEAF,     // says nothing at all
	PHONE_BAD_SDP   // 200 with a codec that nobody offered
};

enum phone_state {
	PHONE_IDLE,
	PHONE_CALLING,
	PHONE_ALERTING,
	PHONE_ANSWERED,
	PHONE_UP,
	PHONE_OVER
};

struct phone {
	struct world *world;
	const char *user, *password;
	const char *contact; // "sip:..." instead of its own address, NULL: its own
	struct td_endpoint at;
	enum phone_mode mode;
	enum phone_state state;
	uint16_t avp_status; // final status to an offer in RTP/AVP, 0: it is as good as any
	bool holds_ack;      // does not acknowledge a 200
	bool no_offer;       // INVITEs without a description; the ACK brings it
	bool cancelled;      // gave up while calling: ends a late 200 with BYE
	const char *codecs;  // formats of the m= line in its offers, "0 8 101"
	const char *answers; // and in its answers, NULL: PCMA where that is offered first, or PCMU
	const char *transport;  // of both, "RTP/AVP"
	const char *attributes; // more a= lines of both, each ending CRLF
	const char *direction;
	const char *connection; // address in c=, NULL: its own
	unsigned media_port;
	uint32_t sdp_version;
	uint16_t status;       // last final status to one of its own requests
	uint32_t answers_seen; // 2xx to its INVITE, retransmissions included
	char retry_after[16];
	// The dialog.
	char call_id[64], local_tag[32], remote_tag[80], target[128];
	char branch[64]; // of its INVITE
	char peer_uri[160];
	uint32_t cseq, invite_cseq;
	char invite[PHONE_BYTES]; // theirs, to answer
	char last_body[PHONE_BYTES];
	char inbox[PHONE_INBOX][PHONE_BYTES];
	size_t inbox_len[PHONE_INBOX];
	uint32_t inbox_head, inbox_count;
	// Counted.
	uint32_t byes, cancels, invites, acks, options;
	char reason[128]; // Reason header of the last BYE, or of an answer to its INVITE
};

void phone_init(struct phone *phone, struct world *world, const char *user, const char *password,
		const char *address);
// Forgets its dialog and inbox.
void phone_reset(struct phone *phone);
void phone_deliver(struct phone *phone, const void *bytes, size_t len);
bool phone_step(struct phone *phone);

void phone_call(struct phone *phone, const char *number);
void phone_register(struct phone *phone, unsigned expires_s);
void phone_answer(struct phone *phone);
// CANCEL, BYE or 486, by state.
void phone_hangup(struct phone *phone);
// With this direction; NULL: without a description.
void phone_reinvite(struct phone *phone, const char *direction);
void phone_ack(struct phone *phone);
void phone_options(struct phone *phone);
// Sends a BYE for a dialog that is not there.
void phone_stray_bye(struct phone *phone);
