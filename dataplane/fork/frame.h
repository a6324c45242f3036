// What goes over a fork's socket, byte for byte.
//
//    0      1       2               4                               8
//   +------+-------+---------------+-------------------------------+---------------- - -
//   | type | track | length        | position                      | payload, `length` bytes
//   +------+-------+---------------+-------------------------------+---------------- - -
//     u8     u8      u16             u32
//
// Everything is little-endian. The socket is a Unix stream socket on which the far end listens; each
// fork is a connection of its own. Samples are signed 16-bit at the rate that the greeting says.
//
//   from us:
//   'H' hello    first of all, once. JSON: {"protocol":"tandem-fork","version":1,"call":"c42",
//                "fork":"bot","rate_hz":16000,"frame_ms":20,"speak":true,"tracks":["caller","agent"]}
//   'A' audio    20 ms of `track`; position counts frames of 20 ms since the hello. A position that is
//                missing was lost, because the far end did not read; silence is sent as silence.
//   'D' digit    one character, said by `track` as an RFC 4733 event, when it has ended
//   'M' mark     everything up to this mark has been played. position: frames played so far
//   'X' unmark   this mark will not be reached: a flush came first
//   'F' flushed  answers a flush, after the marks that went with it. Payload: u32, milliseconds of sound
//                that were thrown away. position: frames played so far; the next one is what is said next
//   'O' overrun  payload: u32, milliseconds of sound that were thrown away because
//                TD_FORK_WAITING_S of it were waiting already
//   'E' end      last of all, with a reason in words; then the connection is closed
//
//   from the far end, `track` and `position` 0:
//   'A' audio    samples to be played, any number, behind those that wait; faster than they are
//                played is fine
//   'M' mark     a name of its own choice, 1 to TD_FORK_MARK_MAX bytes from '!' to '~': answered once by
//                'M' or 'X', in the order they came; up to TD_FORK_MARKS unanswered
//   'F' flush    no payload: what waits is not played. Effective at the next 20 ms
//   'E' end      no more; closing the connection is the same
//
// Frames are played 20 ms after 20 ms; where there is nothing to play there is silence, and a frame
// that is not whole is filled up with silence before a mark, or once nothing more has come for 40 ms.
// Anything else from the far end ends the fork. New types may come from us: leave out what is unknown.
// Pure; caller's memory.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "td_error.h"

#define TD_FORK_HEADER_BYTES 8u
#define TD_FORK_PAYLOAD_MAX  65535u
#define TD_FORK_MARK_MAX     64u
#define TD_FORK_MARKS        64u
#define TD_FORK_WAITING_S    60u
#define TD_FORK_FRAME_MS     20u

enum td_fork_frame_type {
	TD_FORK_HELLO = 'H',
	TD_FORK_AUDIO = 'A',
	TD_FORK_DIGIT = 'D',
	TD_FORK_MARK = 'M',
	TD_FORK_UNMARK = 'X',
	TD_FORK_FLUSH = 'F',
	TD_FORK_OVERRUN = 'O',
	TD_FORK_END = 'E'
};

struct td_fork_frame {
	uint8_t type, track;
	uint16_t length;
	uint32_t position;
	const uint8_t *payload; // borrowed from what was parsed
};

// The first frame of what the far end has sent. Answers its bytes, 0 while it is not all there, or
// -TD_EMALFORMED: it is none that a far end may send, and nothing behind it can be trusted.
TD_MUST_CHECK int td_fork_frame_parse(const uint8_t *bytes, size_t len, struct td_fork_frame *out);

void td_fork_frame_write_header(uint8_t bytes[TD_FORK_HEADER_BYTES],
				const struct td_fork_frame *frame);
