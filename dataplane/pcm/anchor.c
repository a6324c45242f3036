#include "pcm/anchor.h"

static void set(struct td_anchor *anchor, uint32_t ssrc, uint32_t timestamp, uint32_t clock_hz,
		int64_t position)
{
	*anchor = (struct td_anchor){ .set = true,
				      .ssrc = ssrc,
				      .clock_hz = clock_hz,
				      .timestamp = timestamp,
				      .position = position };
}

// A quarter of a millisecond is not worth moving for.
static void follow_drift(struct td_anchor *anchor, int64_t delay, uint32_t rate_hz)
{
	int64_t tolerance = rate_hz / 4000, drift;

	if (anchor->block_packets == 0 || delay < anchor->block_delay)
		anchor->block_delay = delay;
	if (++anchor->block_packets < TD_ANCHOR_BLOCK)
		return;
	anchor->block_packets = 0;
	if (!anchor->delay_known) {
		anchor->delay_known = true;
		anchor->delay = anchor->block_delay;
		return;
	}
	drift = anchor->block_delay - anchor->delay;
	anchor->due = drift >= tolerance || drift <= -tolerance ? drift : 0;
}

static void move_a_sample(struct td_anchor *anchor)
{
	int64_t step = anchor->due > 0 ? 1 : anchor->due < 0 ? -1 : 0;

	anchor->position += step;
	anchor->due -= step;
}

int64_t td_anchor_locate(struct td_anchor *anchor, uint32_t rate_hz, uint32_t ssrc,
			 uint32_t timestamp, uint32_t clock_hz, int64_t arrival)
{
	int64_t limit = TD_ANCHOR_SLIP_MS * (int64_t)(rate_hz / 1000);
	int64_t position, slip;

	// Another codec may count time in another clock.
	if (!anchor->set || anchor->ssrc != ssrc || anchor->clock_hz != clock_hz)
		set(anchor, ssrc, timestamp, clock_hz, arrival);
	move_a_sample(anchor);
	position = anchor->position +
		   (int64_t)(int32_t)(timestamp - anchor->timestamp) * rate_hz / clock_hz;
	slip = position - arrival;
	if (slip > limit || slip < -limit) {
		set(anchor, ssrc, timestamp, clock_hz, arrival);
		return arrival;
	}
	if (position > anchor->position) {
		anchor->position = position;
		anchor->timestamp = timestamp;
	}
	follow_drift(anchor, -slip, rate_hz);
	return position;
}

void td_anchor_double(struct td_anchor *anchor)
{
	anchor->position *= 2;
	anchor->block_delay *= 2;
	anchor->delay *= 2;
	anchor->due *= 2;
}
