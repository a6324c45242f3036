// The receiver of RFC 4733 events: what each packet means beside those before it.
#include <string.h>

#include "td_assert.h"

#include "rtp/telephone_event.h"

#define NS_PER_MS 1000000u
// A packet that comes so long after its event, by its timestamp or by the clock, is not a late one:
// the sender counts anew. One segment may last 8.2 s.
#define STALE_S        10u
#define STALE_HEARD_NS (2u * 1000 * NS_PER_MS)
// What duration grows by from packet to packet: mostly 20 ms, and RFC 4733 section 2.5.1.2 knows no
// sender who lets it grow by more than 50.
#define STEP_MS     20u
#define STEP_MS_MAX 60u
// A segment's last packets may be lost: so much before 0xffff the next one may continue it.
#define SEGMENT_SLACK_DIVISOR 4u // of a second

// The clock of the durations as they come.
static uint32_t khz_of(const struct td_event_rx *rx)
{
	return rx->fast ? (uint32_t)rx->clock_khz * rx->stretch : rx->clock_khz;
}

// What one unit of them is in the timestamp.
static uint32_t stretch_of(const struct td_event_rx *rx)
{
	return rx->fast ? 1 : rx->stretch;
}

static struct td_digit_report report(const struct td_event_rx *rx, enum td_digit_report_kind kind)
{
	return (struct td_digit_report){
		.kind = kind,
		.digit = rx->digit,
		.volume = rx->volume,
		.duration_ms = rx->duration_total / khz_of(rx),
	};
}

void td_event_rx_init(struct td_event_rx *rx, uint32_t clock_hz, uint32_t timestamp_hz)
{
	TD_ASSERT(clock_hz >= 1000 && clock_hz / 1000u <= UINT8_MAX);
	TD_ASSERT(timestamp_hz >= clock_hz && timestamp_hz % clock_hz == 0 &&
		  timestamp_hz / clock_hz <= UINT8_MAX);
	memset(rx, 0, sizeof *rx);
	rx->clock_khz = (uint8_t)(clock_hz / 1000u);
	rx->stretch = (uint8_t)(timestamp_hz / clock_hz);
}

// Does this packet, later than the current event's timestamp, belong to it all the same? Either it
// is its next segment (RFC 4733 section 2.5.1.3), or its sender moves the timestamp with every
// packet, as some do: events of one sender cannot overlap, so nothing else can begin within it.
static bool continues(struct td_event_rx *rx, uint32_t ahead, bool marker,
		      const struct td_telephone_event *event)
{
	uint32_t segment_min = UINT16_MAX - khz_of(rx) * (1000u / SEGMENT_SLACK_DIVISOR);

	if (marker || event->digit != rx->digit)
		return false;
	if (rx->active && ahead <= UINT16_MAX && ahead >= rx->duration &&
	    (ahead == UINT16_MAX || rx->duration >= segment_min)) {
		rx->segment_base += ahead;
		rx->duration = 0;
		return true;
	}
	return ahead < rx->duration ||
	       (rx->active && ahead == (uint32_t)event->duration - rx->duration);
}

// Steps longer than anybody's by the agreed clock, and as they are by the timestamps', are by that.
// Losses make steps longer too, so the least of an event counts; the last one, and those where a segment
// ends, are as short as it happens.
static void judge(struct td_event_rx *rx, const struct td_telephone_event *event)
{
	uint16_t step = (uint16_t)(event->duration - rx->duration);

	if (rx->stretch == 1 || event->end || rx->duration == 0 || event->duration == UINT16_MAX)
		return;
	if (step < rx->least_step)
		rx->least_step = step;
	rx->fast = rx->least_step > STEP_MS_MAX * rx->clock_khz &&
		   rx->least_step >= STEP_MS * rx->clock_khz * rx->stretch;
}

static void extend(struct td_event_rx *rx, const struct td_telephone_event *event)
{
	if (event->duration > rx->duration) {
		judge(rx, event);
		rx->duration = event->duration;
	}
	if (rx->segment_base + rx->duration > rx->duration_total)
		rx->duration_total = rx->segment_base + rx->duration;
}

static void begin(struct td_event_rx *rx, uint32_t timestamp,
		  const struct td_telephone_event *event)
{
	rx->timestamp = timestamp;
	rx->digit = event->digit;
	rx->volume = event->volume;
	rx->duration = event->duration;
	rx->duration_total = event->duration;
	rx->least_step = UINT16_MAX;
	rx->segment_base = 0;
	rx->known = true;
	rx->active = true;
}

// One event of a packet; appends to out and answers how many there are then.
static uint32_t take(struct td_event_rx *rx, uint32_t timestamp, bool marker,
		     const struct td_telephone_event *event, uint64_t now_ns,
		     struct td_digit_report *out)
{
	uint32_t ahead = (timestamp - rx->timestamp) / stretch_of(rx);
	uint32_t behind = (rx->timestamp - timestamp) / stretch_of(rx);
	bool same = rx->known && ahead == 0 && event->digit == rx->digit;
	uint32_t count = 0;

	// A late packet of an event before this one: whatever it was is over.
	if (rx->known && ahead != 0 && behind < STALE_S * 1000u * khz_of(rx) &&
	    now_ns - rx->heard_ns < STALE_HEARD_NS)
		return 0;
	if (rx->known && !same && continues(rx, ahead, marker, event)) {
		rx->timestamp = timestamp;
		same = true;
	}
	if (same && !rx->active)
		return 0; // the end again
	if (same) {
		extend(rx, event);
	} else {
		if (rx->active)
			out[count++] = report(rx, TD_DIGIT_END);
		begin(rx, timestamp, event);
		out[count++] = report(rx, TD_DIGIT_BEGIN);
	}
	rx->heard_ns = now_ns;
	if (event->end) {
		rx->active = false;
		out[count++] = report(rx, TD_DIGIT_END);
	}
	return count;
}

uint32_t td_event_rx_packet(struct td_event_rx *rx, uint32_t timestamp, bool marker,
			    const uint8_t *payload, size_t len, uint64_t now_ns,
			    struct td_digit_report out[TD_EVENT_RX_REPORT_MAX])
{
	struct td_telephone_event event;
	uint32_t count = 0;

	if (len < TD_TELEPHONE_EVENT_BYTES || len % TD_TELEPHONE_EVENT_BYTES != 0)
		return 0;
	for (size_t i = 0; i < TD_TELEPHONE_EVENT_PACKED_MAX; i++) {
		size_t offset = i * TD_TELEPHONE_EVENT_BYTES;

		if (offset >= len ||
		    td_telephone_event_parse(payload + offset, len - offset, &event) != 0)
			break;
		if (event.digit != '\0')
			count += take(rx, timestamp, marker, &event, now_ns, out + count);
		// Each packed event begins where the one before it ended.
		timestamp += (uint32_t)event.duration * stretch_of(rx);
	}
	TD_ASSERT(count <= TD_EVENT_RX_REPORT_MAX);
	return count;
}

bool td_event_rx_poll(struct td_event_rx *rx, uint64_t now_ns, struct td_digit_report *out)
{
	if (!rx->active || now_ns < rx->heard_ns ||
	    now_ns - rx->heard_ns < (uint64_t)TD_TELEPHONE_EVENT_TIMEOUT_MS * NS_PER_MS)
		return false;
	rx->active = false;
	*out = report(rx, TD_DIGIT_END);
	return true;
}

bool td_event_rx_flush(struct td_event_rx *rx, struct td_digit_report *out)
{
	bool active = rx->active;

	if (active)
		*out = report(rx, TD_DIGIT_END);
	rx->active = false;
	rx->known = false;
	return active;
}
