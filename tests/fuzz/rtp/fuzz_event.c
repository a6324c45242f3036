// RFC 4733 events: any bytes at any time; beginnings and ends take turns, and nothing stays open.
#include <stdint.h>
#include <stdlib.h>

#include "rtp/header.h"
#include "rtp/telephone_event.h"

#define PAYLOAD_MAX 20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int open_digit; // '\0': none

static void check(const struct td_digit_report *reports, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (td_telephone_event_code(reports[i].digit) < 0)
			abort();
		if (reports[i].kind == TD_DIGIT_BEGIN ? open_digit != '\0'
						      : open_digit != reports[i].digit)
			abort();
		open_digit = reports[i].kind == TD_DIGIT_BEGIN ? reports[i].digit : '\0';
	}
}

// The input is a list of steps: timestamp (2), flags and length (1), milliseconds (1), payload.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct td_event_rx rx;
	struct td_digit_report out[TD_EVENT_RX_REPORT_MAX];
	uint64_t now_ns = 0;

	open_digit = '\0';
	td_event_rx_init(&rx, size % 2 ? 8000 : 48000, size % 4 == 3 ? 8000 : 48000);
	while (size >= 4) {
		uint32_t timestamp = 0xffff8000u + 16u * td_rtp_load16(data);
		size_t len = data[2] % (PAYLOAD_MAX + 1);

		if (len > size - 4)
			len = size - 4;
		now_ns += data[3] * 1000000ull;
		check(out,
		      td_event_rx_packet(&rx, timestamp, data[2] >> 7, data + 4, len, now_ns, out));
		check(out, td_event_rx_poll(&rx, now_ns + data[2] * 1000000ull, out));
		data += 4 + len;
		size -= 4 + len;
	}
	check(out, td_event_rx_poll(&rx, now_ns + 1000000000ull, out));
	return open_digit != '\0' ? (abort(), 0) : 0;
}
