// A fork as RTP toward another host: what each party says, as it came, in a stream of its own.
//
//   track i --> [ own SSRC, own numbers ] --> the destination's port + 2 i; reports to the port above
//   out = in + offset, chosen anew when the party's SSRC changes, so that numbers go on by one
//
// What was lost on the way here is a hole in the numbers there. Payload types are those of RFC 3551,
// telephone-event 101, comfort noise 13, and for the rest as td_rtp_copy_payload_type says. An SR with a
// CNAME of call, party and fork tells a receiver of many which stream is whose; a BYE ends it. It
// leaves by the kernel's own network from a socket of the fork's: nothing of it passes a port of the
// dataplane, so no far end can be reached that way that calls cannot. Forker thread.
#pragma once

#include <stdint.h>

#include "media/tap.h"
#include "td_codec_id.h"
#include "td_command.h"
#include "td_endpoint.h"
#include "td_event.h"

struct td_rtp_copy_track {
	int fd;
	uint32_t ssrc, from_ssrc, from_clock_hz;
	uint16_t sequence_offset, last_sequence;
	uint32_t timestamp_offset, last_timestamp;
	uint64_t last_ns, report_ns;
	uint32_t packets, octets;
	bool begun;
};

struct td_rtp_copy {
	struct td_endpoint to;
	uint32_t track_count;
	struct td_rtp_copy_track tracks[TD_FORK_STREAM_MAX];
	char call[TD_FORK_LABEL_MAX], fork[TD_FORK_NAME_MAX];
	char names[TD_FORK_STREAM_MAX][TD_FORK_TRACK_MAX];
	struct td_event_fork *seen;
};

// The payload type a copy of this codec's packets gets, TD_PAYLOAD_TYPE_NONE for none.
uint8_t td_rtp_copy_payload_type(enum td_codec_id codec);

// Opens the sockets. -TD_EIO: the kernel has no way to that address.
TD_MUST_CHECK int td_rtp_copy_open(struct td_rtp_copy *copy, const struct td_endpoint *to,
				   const struct td_command_fork_start *start,
				   struct td_event_fork *seen);
void td_rtp_copy_close(struct td_rtp_copy *copy, uint64_t now_ns);

void td_rtp_copy_add(struct td_rtp_copy *copy, const struct td_tap_record *record);
// Reports that are due.
void td_rtp_copy_turn(struct td_rtp_copy *copy, uint64_t now_ns);
