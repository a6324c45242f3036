// The sender of RFC 4733 events, driven by ticks alone.
#include <string.h>

#include "td_assert.h"

#include "rtp/telephone_event.h"

#define TICK_MS    (1000 / TD_TELEPHONE_EVENT_TICK_HZ)
#define DEFAULT_MS 100u
#define HELD       UINT32_MAX

static uint32_t ticks_of(uint32_t ms)
{
	return (ms + TICK_MS - 1) / TICK_MS;
}

static bool time_is_fine(uint32_t ms)
{
	return ms >= TD_TELEPHONE_EVENT_MS_MIN && ms <= TD_TELEPHONE_EVENT_MS_MAX;
}

void td_event_tx_init(struct td_event_tx *tx, uint32_t clock_hz, uint32_t timestamp_hz)
{
	TD_ASSERT(clock_hz > 0 && clock_hz % TD_TELEPHONE_EVENT_TICK_HZ == 0);
	TD_ASSERT(timestamp_hz >= clock_hz && timestamp_hz % clock_hz == 0 &&
		  timestamp_hz / clock_hz <= UINT8_MAX);
	memset(tx, 0, sizeof *tx);
	tx->clock_hz = clock_hz;
	tx->stretch = (uint8_t)(timestamp_hz / clock_hz);
}

bool td_event_tx_busy(const struct td_event_tx *tx)
{
	return tx->digits[tx->next] != '\0';
}

// The digits are in place: the next tick begins the first.
static void arm(struct td_event_tx *tx, uint32_t duration_ticks, uint32_t gap_ticks, uint8_t volume)
{
	tx->next = 0;
	tx->tick_count = 0;
	tx->end_count = 0;
	tx->duration_ticks = duration_ticks;
	tx->gap_ticks = gap_ticks;
	tx->volume = volume;
}

int td_event_tx_start(struct td_event_tx *tx, const char *digits, uint32_t duration_ms,
		      uint32_t gap_ms)
{
	size_t count = strnlen(digits, TD_DIGITS_MAX);

	duration_ms = duration_ms == 0 ? DEFAULT_MS : duration_ms;
	gap_ms = gap_ms == 0 ? DEFAULT_MS : gap_ms;
	if (count == 0 || count == TD_DIGITS_MAX || !time_is_fine(duration_ms) ||
	    !time_is_fine(gap_ms))
		return -TD_EINVALID;
	for (size_t i = 0; i < count; i++)
		if (td_telephone_event_code(digits[i]) < 0)
			return -TD_EINVALID;
	if (td_event_tx_busy(tx))
		return -TD_EBUSY;
	memcpy(tx->digits, digits, count + 1);
	arm(tx, ticks_of(duration_ms), ticks_of(gap_ms), TD_TELEPHONE_EVENT_VOLUME);
	return 0;
}

int td_event_tx_press(struct td_event_tx *tx, char digit, uint8_t volume)
{
	if (td_telephone_event_code(digit) < 0)
		return -TD_EINVALID;
	if (td_event_tx_busy(tx))
		return -TD_EBUSY;
	tx->digits[0] = digit;
	tx->digits[1] = '\0';
	arm(tx, HELD, ticks_of(TD_TELEPHONE_EVENT_MS_MIN), volume);
	return 0;
}

void td_event_tx_release(struct td_event_tx *tx)
{
	uint32_t min = ticks_of(TD_TELEPHONE_EVENT_MS_MIN);

	if (td_event_tx_busy(tx) && tx->duration_ticks == HELD)
		tx->duration_ticks = tx->tick_count > min ? tx->tick_count : min;
}

// What this tick says about the digit that sounds or has just ended.
static void write_packet(struct td_event_tx *tx, struct td_event_packet *out)
{
	uint32_t ticks = tx->tick_count < tx->duration_ticks ? tx->tick_count : tx->duration_ticks;
	uint32_t units = ticks * (tx->clock_hz / TD_TELEPHONE_EVENT_TICK_HZ) - tx->segment_units;
	struct td_telephone_event event = {
		.event = (uint8_t)td_telephone_event_code(tx->digits[tx->next]),
		.volume = tx->volume,
		.duration = units > UINT16_MAX ? UINT16_MAX : (uint16_t)units,
		.end = units <= UINT16_MAX && tx->tick_count >= tx->duration_ticks,
	};

	out->timestamp = tx->timestamp;
	out->marker = tx->tick_count == 1;
	td_telephone_event_write(out->payload, &event);
	if (event.end)
		tx->end_count++;
	// RFC 4733 section 2.5.1.3: a full segment is reported once without E, and the next begins.
	if (units > UINT16_MAX) {
		tx->timestamp += (uint32_t)UINT16_MAX * tx->stretch;
		tx->segment_units += UINT16_MAX;
	}
}

bool td_event_tx_tick(struct td_event_tx *tx, uint32_t timestamp, struct td_event_packet *out)
{
	bool sends;

	if (!td_event_tx_busy(tx))
		return false;
	tx->tick_count++;
	if (tx->tick_count == 1) {
		tx->timestamp = timestamp;
		tx->segment_units = 0;
		tx->end_count = 0;
	}
	sends = tx->end_count < TD_TELEPHONE_EVENT_END_COUNT;
	if (sends)
		write_packet(tx, out);
	// The end packets that repeat the first lie in the gap.
	if (tx->end_count == TD_TELEPHONE_EVENT_END_COUNT &&
	    tx->tick_count >= tx->duration_ticks + tx->gap_ticks) {
		tx->next++;
		tx->tick_count = 0;
	}
	return sends;
}
