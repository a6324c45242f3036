// Event packets on their way to a receiver, and what it says of them.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "rtp/telephone_event.h"

#define MS        1000000ull
#define TICK_NS   (20 * MS)
#define ALL       "0123456789*#ABCD"
#define SENT_MAX  2048
#define HEARD_MAX 64

struct sent {
	uint32_t timestamp;
	bool marker;
	uint64_t at_ns;
	uint8_t payload[TD_TELEPHONE_EVENT_BYTES];
};

struct heard {
	struct td_digit_report reports[HEARD_MAX];
	uint32_t count;
};

// What has been sent, in order, of the test that runs.
extern struct sent sent[SENT_MAX];
extern uint32_t sent_count;

struct sent event_packet(uint32_t timestamp, bool marker, char digit, uint16_t duration, bool end);
void give(struct td_event_rx *rx, const struct sent *packet, struct heard *heard);
void poll_at(struct td_event_rx *rx, uint64_t now_ns, struct heard *heard);
