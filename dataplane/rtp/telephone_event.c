#include "rtp/telephone_event.h"

#include "rtp/header.h"

#define END_BIT     0x80u
#define VOLUME_MASK 0x3fu

static const char digit_of[] = "0123456789*#ABCD";

int td_telephone_event_parse(const uint8_t *bytes, size_t len, struct td_telephone_event *out)
{
	if (len < TD_TELEPHONE_EVENT_BYTES)
		return -TD_ETRUNCATED;
	out->event = bytes[0];
	out->end = (bytes[1] & END_BIT) != 0;
	out->volume = bytes[1] & VOLUME_MASK;
	out->duration = td_rtp_load16(bytes + 2);
	out->digit = bytes[0] < sizeof digit_of - 1 ? digit_of[bytes[0]] : '\0';
	return 0;
}

void td_telephone_event_write(uint8_t bytes[TD_TELEPHONE_EVENT_BYTES],
			      const struct td_telephone_event *event)
{
	uint8_t volume = event->volume > VOLUME_MASK ? VOLUME_MASK : event->volume;

	bytes[0] = event->event;
	bytes[1] = (uint8_t)(volume | (event->end ? END_BIT : 0));
	td_rtp_store16(bytes + 2, event->duration);
}

int td_telephone_event_code(char digit)
{
	for (int i = 0; digit_of[i] != '\0'; i++)
		if (digit_of[i] == digit)
			return i;
	return -TD_EINVALID;
}
