// A capture for an engineer: one call's packets in a pcap file that any analyser reads.
//
//   records --add--> [ buffer ] --flush--> captures/20261126T195003.123-c42.pcap
//
// Ethernet frames with nanosecond times, as they came and went; where SRTP is spoken, opened before
// and sealed after (the RTP in them can be listened to). Frames are cut at TD_RTP_PAYLOAD_MAX bytes. A
// file has a name that it is given here and at most TD_CAPTURE_BYTES_MAX bytes; the folder keeps the
// TD_CAPTURE_KEPT newest, so an engineer who forgets them fills no disk. Forker thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "media/tap.h"
#include "td_event.h"

#define TD_CAPTURE_BYTES_MAX (64u << 20)
#define TD_CAPTURE_KEPT      64u
#define TD_CAPTURE_SECONDS   600u // the most, and what is taken when no time is given
#define TD_CAPTURE_BUFFER    (64u << 10)

struct td_capture {
	int fd;
	uint32_t buffered;
	uint64_t until_ns;
	int64_t realtime_offset_ns; // CLOCK_REALTIME - CLOCK_MONOTONIC when it began
	struct td_event_fork *seen;
	uint8_t buffer[TD_CAPTURE_BUFFER];
};

// Makes the file and deletes the oldest ones. -TD_EIO; seen->file is its name.
TD_MUST_CHECK int td_capture_open(struct td_capture *capture, int folder_fd, const char *call,
				  uint32_t seconds, struct td_event_fork *seen, uint64_t now_ns);
// -TD_EIO when the end of it could not be written.
TD_MUST_CHECK int td_capture_close(struct td_capture *capture);

// 0, -TD_EFULL (the file is as long as it may be), -TD_EIO.
TD_MUST_CHECK int td_capture_add(struct td_capture *capture, const struct td_tap_record *record);
// Writes what there is. 0, -TD_ETIMEOUT: its time is over; -TD_EIO.
TD_MUST_CHECK int td_capture_turn(struct td_capture *capture, uint64_t now_ns);
