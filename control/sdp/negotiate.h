// Offer/answer, RFC 3264, as pure functions over plain data.
//
//   they offer:  td_sdp_parse -> td_sdp_answer ---------> text to send, what was agreed
//   we offer:    td_sdp_offer -> text to send ... td_sdp_parse -> td_sdp_accept_answer -> agreed
//
// One audio stream is used; every other m= line is refused with port 0 in its own place, and stays
// in its place in later offers. Payload types are one-way: what we send is numbered by the peer's
// description, what we receive by ours. The version in o= goes up exactly when the rest of the text
// differs from what was last sent.
//
// With SRTP keys travel in the descriptions (RFC 4568). An answerer that does not forbid it takes
// RTP/SAVP, and RTP/AVP with a=crypto as well (RFC 8643), before plain RTP; one that requires it takes
// nothing else. An offer that requires it is RTP/SAVP, one that prefers it RTP/AVP with a=crypto, so
// that the peer may ignore it. The profiles with feedback (RTP/AVPF, RTP/SAVPF: RFC 4585, RFC 5124)
// are answered in kind; we promise no feedback messages and ask for none. What holds keys (struct td_sdp_local, struct td_sdp_agreed, texts) is
// not for logs.
//
// struct td_sdp_session is the state between exchanges: plain data in the leg, to be copied or
// journaled. A call that fails leaves it as it was. No allocation; any thread; text is bounded by
// TD_SDP_TEXT_MAX and always ends in CRLF.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sdp/crypto.h"
#include "sdp/number.h"
#include "sdp/sdp.h"
#include "td_codec_id.h"
#include "td_endpoint.h"
#include "td_error.h"

#define TD_SDP_TEXT_MAX        4096
#define TD_SDP_PTIME_MS        20
#define TD_SDP_LOCAL_CODEC_MAX (TD_CODEC_COUNT - 1)
#define TD_SDP_SUITE_MAX       (TD_SRTP_SUITE_COUNT - 1)

enum td_sdp_srtp { TD_SDP_SRTP_FORBID, TD_SDP_SRTP_PREFER, TD_SDP_SRTP_REQUIRE };

// What we can and want to do on this leg, now.
struct td_sdp_local {
	struct td_endpoint rtp; // as the dataplane allocated it; RTCP is its port + 1
	enum td_codec_id codecs[TD_SDP_LOCAL_CODEC_MAX]; // in order of our preference
	uint8_t codec_count;                             // at least 1
	bool telephone_event;
	bool rtcp_mux;     // accept it, and ask for it in offers
	bool rtcp_reduced; // likewise
	// What we ask for, and send when the peer asks for nothing; 0: 20 in an offer, as the peer
	// says in an answer.
	uint8_t ptime_ms;
	enum td_sdp_direction direction; // ours; TD_SDP_SENDRECV unless we want to hold
	struct td_codec_settings opus;   // how we want to code; max_hz is also what we ask for
	enum td_sdp_srtp srtp;
	enum td_srtp_suite suites[TD_SDP_SUITE_MAX]; // unless srtp is forbidden: in our order
	uint8_t suite_count;                         // then at least 1
	// Random bytes that our keys are made of, one a suite by its number; the same as long as the
	// key is to stay (a re-INVITE that repeats it disturbs nobody).
	uint8_t seeds[TD_SRTP_SUITE_COUNT][TD_SDP_CRYPTO_SEED];
};

// What was agreed: the arguments of TD_COMMAND_STREAM_SET_REMOTE, and who may speak.
struct td_sdp_agreed {
	enum td_codec_id codec;
	uint8_t payload_type;                              // what we send
	uint8_t payload_type_rx;                           // what the peer sends
	uint8_t event_payload_type, event_payload_type_rx; // or TD_PAYLOAD_TYPE_NONE
	// Of their durations: the codec's, or 8000 where the peer has no other.
	uint32_t event_clock_hz;
	uint8_t cn_payload_type, cn_payload_type_rx; // likewise
	uint8_t ptime_ms; // of what we send: whole frames of the codec, never too large a packet
	bool rtcp_mux, rtcp_reduced;
	enum td_sdp_direction direction; // ours: SENDONLY means that only we may speak
	struct td_endpoint remote;       // RTP; port 0: send nothing (c=0.0.0.0)
	struct td_endpoint remote_rtcp;
	struct td_codec_settings settings;      // of our encoder, within what the peer wants
	struct td_srtp_master srtp_tx, srtp_rx; // suite TD_SRTP_NONE: plain RTP
};

// The peer does not want to hear us: it has put us on hold.
static inline bool td_sdp_held(const struct td_sdp_agreed *agreed)
{
	return !((unsigned)agreed->direction & TD_SDP_SENDONLY);
}

struct td_sdp_session {
	uint64_t id, version; // of our o=
	uint64_t text_hash;   // of what was last sent after o=
	enum td_codec_id
		codec;       // agreed before: a later exchange prefers it. TD_CODEC_NONE: none yet
	bool annexb_refused; // the peer's G.729 has no annex B
	bool savp, feedback; // the profile that was agreed before: our offers keep it
	struct td_sdp_numbers numbers; // of our descriptions
	uint8_t line_count;            // m= lines of this dialog, 0 before the first exchange
	uint8_t line_active;           // which of them is our audio stream
	uint8_t line_kinds[TD_SDP_MEDIA_MAX]; // enum td_sdp_kind
};

// `id` makes o= unique among our descriptions, RFC 8866 section 5.2; a random number below 2^62.
void td_sdp_session_init(struct td_sdp_session *session, uint64_t id);

// The address family of the audio line that td_sdp_answer would use, so that the local address can
// be allocated before; TD_FAMILY_NONE if there is no such line.
enum td_family td_sdp_family(const struct td_sdp *offer, enum td_sdp_srtp srtp);

// What about keys stands in the way of an offer that td_sdp_answer has found to be -TD_EUNSUPPORTED.
enum td_sdp_srtp_trouble {
	TD_SDP_SRTP_NO_TROUBLE,
	TD_SDP_SRTP_MISSING,  // it is required, and not on offer
	TD_SDP_SRTP_UNWANTED, // it is forbidden, and nothing else is on offer
	TD_SDP_SRTP_NO_SUITE, // no key on offer is for a suite of ours, or one we understand
};
enum td_sdp_srtp_trouble td_sdp_srtp_trouble(const struct td_sdp_local *local,
					     const struct td_sdp *offer);

// Answers the peer's offer (section 6) with one codec, the events of its clock rate (RFC 4733 section
// 2.4.1; those at 8000 where it has no others) and, where offered, its comfort noise. Our codec order
// decides among what the offer holds; a codec agreed before stays as long as it is offered. Writes
// `text` (NUL-terminated, length returned) and `agreed`.
// -TD_ECODEC: no codec in common: 488. -TD_EUNSUPPORTED: no audio line over RTP/AVP (or RTP/SAVP, or
// only with keys that suit us, as local->srtp says) with a numeric address of our family: 488.
// -TD_EFULL: text_bytes too small. -TD_EMALFORMED: fewer m= lines than before (section 8).
TD_MUST_CHECK int td_sdp_answer(struct td_sdp_session *session, const struct td_sdp_local *local,
				const struct td_sdp *offer, struct td_sdp_agreed *agreed,
				char *text, size_t text_bytes);

// Writes our offer (section 5): all our codecs in order, an agreed one before them (section 8), and
// telephone-event at each of their clock rates and at 8000. Returns its length or -TD_EFULL.
TD_MUST_CHECK int td_sdp_offer(struct td_sdp_session *session, const struct td_sdp_local *local,
			       char *text, size_t text_bytes);

// Takes the peer's answer to the offer last written, made with the same `local` (section 7): its
// first codec counts.
// 0; -TD_ECODEC (refused with port 0, or a codec or keys we did not offer), -TD_EUNSUPPORTED (keys
// that we require are missing, too), -TD_EDENIED (our own key sent back), or
// -TD_EMALFORMED (not as many m= lines as were offered): then ACK and BYE.
TD_MUST_CHECK int td_sdp_accept_answer(struct td_sdp_session *session,
				       const struct td_sdp_local *local,
				       const struct td_sdp *answer, struct td_sdp_agreed *agreed);
