// A dataplane for the link's tests: the real socket, descriptors, region and rings, in a thread.
//
// Each connection that it accepts behaves as its place in `script` says; the last entry goes on for
// all that follow. What it saw is read with the atomics.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "td_region.h"

enum peer_behaviour {
	PEER_GOOD,             // answers everything
	PEER_BUSY,             // refuses: another control process is attached
	PEER_HELLO_VERSION,    // hello of another version
	PEER_HELLO_SHORT,      // a hello one byte short
	PEER_HELLO_LONG,       // a hello one byte long
	PEER_HELLO_COOKIE,     // something else's hello
	PEER_NO_DESCRIPTORS,   // a hello alone
	PEER_TWO_DESCRIPTORS,  // and one with too few
	PEER_FIVE_DESCRIPTORS, // and one with too many
	PEER_NOT_A_MEMFD,      // the region is a pipe
	PEER_UNSEALED,         // the region could shrink under us
	PEER_EMPTY_REGION,     // a memfd of no bytes
	PEER_TRUNCATED,        // a region whose second half is missing
	PEER_WRONG_REGION,     // a region of the next version
	PEER_BELL_IS_A_FILE,   // an event bell that cannot be polled
	PEER_CLOSES,           // closes before the hello
	PEER_DIES_ON_PING,     // closes when it is asked something
	PEER_MUTE,             // answers RESET, then nothing
	PEER_REFUSES_RESET,    // answers RESET with an error
	PEER_LATE,             // answers what it is asked PEER_LATE_MS later
	PEER_SPOILS_RING,      // writes an impossible position when it is asked something
	PEER_SPOILS_EVENT      // sends an event of no known kind when it is asked something
};

#define PEER_LATE_MS 500u
#define PEER_WORKERS 2u

struct peer {
	char dir[64], path[128];
	const enum peer_behaviour *script;
	uint32_t script_len;
	pthread_t thread;
	int listener, stop;
	_Atomic uint32_t connections;
	_Atomic uint32_t open_connections;
	_Atomic uint32_t seen[TD_COMMAND_KIND_COUNT]; // commands popped, by kind
};

// Starts listening and the thread; aborts the test on failure.
void peer_start(struct peer *peer, const enum peer_behaviour *script, uint32_t script_len);
void peer_stop(struct peer *peer);
