// Who listens to a stream besides the parties: recordings and forks, in one cache line, so that a
// recorded packet touches nothing else of the stream than a plain one does.
//
// One line for every stream handle, found by arithmetic, in memory that is touched only where there
// is a recording or a fork: what nobody listens to takes none. The main thread touches it before it
// tells the worker (a worker takes no page faults); the worker that has the stream owns it.
//
// Invariant: counts are of the entries in use; the line means something only while the stream has
// TD_RX_TAPPED, and td_stream_taps_begin makes it ready for the first that listens.
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>

#include "media/tap.h"
#include "td_limits.h"

#define TD_FORKS_PER_STREAM 4

struct td_media_worker;

// One of the recordings that hear what a stream says.
struct td_stream_tap {
	uint32_t tap; // index of the td_tap_id
	uint8_t track;
	uint8_t reserved;
	uint16_t offered; // packets, since it began to listen; wraps
};

// One of the forks that take it.
struct td_stream_fork {
	uint16_t index; // of the td_fork_id
	uint8_t track;
	bool capture; // takes whole packets instead, of both directions
};

struct td_stream_taps {
	alignas(TD_CACHE_LINE) struct td_stream_tap entries[TD_STREAM_TAP_MAX];
	uint8_t count;
	bool hush;             // as in the cold half
	uint8_t fork_count;    // either sets TD_RX_TAPPED
	uint8_t capture_count; // of them; with TD_TX_CAPTURED
	bool captured;         // with its whole context; likewise, and sets TD_RX_TAPPED
	struct td_stream_fork forks[TD_FORKS_PER_STREAM];
};

_Static_assert(sizeof(struct td_stream_taps) == TD_CACHE_LINE, "who listens is one cache line");

// tap_feed.c: the stream's line, to add somebody to: empty if nobody has listened so far.
struct td_stream_taps *td_stream_taps_begin(struct td_media_worker *worker, uint32_t stream);
