#include "event_line.h"

#include <check.h>

struct sent sent[SENT_MAX];
uint32_t sent_count;

static void hear(struct heard *heard, const struct td_digit_report *reports, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		ck_assert_uint_lt(heard->count, HEARD_MAX);
		heard->reports[heard->count++] = reports[i];
	}
}

void give(struct td_event_rx *rx, const struct sent *packet, struct heard *heard)
{
	struct td_digit_report out[TD_EVENT_RX_REPORT_MAX];
	uint32_t count = td_event_rx_packet(rx, packet->timestamp, packet->marker, packet->payload,
					    sizeof packet->payload, packet->at_ns, out);

	hear(heard, out, count);
}

void poll_at(struct td_event_rx *rx, uint64_t now_ns, struct heard *heard)
{
	struct td_digit_report out;

	if (td_event_rx_poll(rx, now_ns, &out))
		hear(heard, &out, 1);
}

struct sent event_packet(uint32_t timestamp, bool marker, char digit, uint16_t duration, bool end)
{
	struct sent out = { .timestamp = timestamp, .marker = marker };
	struct td_telephone_event event = { .event = (uint8_t)td_telephone_event_code(digit),
					    .volume = 7,
					    .duration = duration,
					    .end = end };

	td_telephone_event_write(out.payload, &event);
	return out;
}
