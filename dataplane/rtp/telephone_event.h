// Digits as RTP events (RFC 4733): the payload, a receiver and a sender.
//
//   |   event (8)   |E|R| volume (6) |         duration (16)         |   once or several times
//
//   timestamp = when the event began     duration = how long so far, in units of the events' clock
//
// The two clocks are one, as RFC 4733 section 2.1 wants it, but with peers that have events at 8000
// alone. Beside a codec of another clock their timestamps count with the audio; their durations should
// count at 8000, but those of some (baresip) count with the audio too. The receiver sees which by how
// much they grow from packet to packet.
//
// All packets of an event carry the timestamp of its beginning, so any one of them, the marker or
// not, begins it, and any one with E ends it; what comes again is known by its timestamp. Every
// event that begins ends exactly once. The receiver and the sender are plain memory of the caller,
// one thread; time is an argument. Nothing is allocated and nothing grows.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "td_error.h"
#include "td_limits.h"

#define TD_TELEPHONE_EVENT_BYTES      4
#define TD_TELEPHONE_EVENT_PACKED_MAX 4   // events in one packet that are looked at
#define TD_TELEPHONE_EVENT_VOLUME     10  // what we send: -10 dBm0
#define TD_TELEPHONE_EVENT_END_COUNT  3   // RFC 4733 section 2.5.1.4
#define TD_TELEPHONE_EVENT_TICK_HZ    50  // one packet every 20 ms
#define TD_TELEPHONE_EVENT_TIMEOUT_MS 200 // nothing for so long: the end was lost
#define TD_TELEPHONE_EVENT_MS_MIN     40  // of a digit and of a gap we send
#define TD_TELEPHONE_EVENT_MS_MAX     2000

struct td_telephone_event {
	uint16_t duration; // units of the events' clock
	uint8_t event;
	uint8_t volume; // -dBm0, 0 to 63
	bool end;
	char digit; // 0-9 * # A-D of events 0 to 15; '\0' of any other
};

// Reads the first event of a payload. 0, or -TD_ETRUNCATED below four bytes. R is ignored, as
// RFC 4733 section 2.3.3 wants.
TD_MUST_CHECK int td_telephone_event_parse(const uint8_t *bytes, size_t len,
					   struct td_telephone_event *out);

// Writes one; every field as it is, volume cut at 63.
void td_telephone_event_write(uint8_t bytes[TD_TELEPHONE_EVENT_BYTES],
			      const struct td_telephone_event *event);

// The event code of a digit, 0 to 15, or -TD_EINVALID.
int td_telephone_event_code(char digit);

enum td_digit_report_kind { TD_DIGIT_BEGIN, TD_DIGIT_END };

struct td_digit_report {
	enum td_digit_report_kind kind;
	char digit;
	uint8_t volume;
	uint32_t duration_ms; // known so far: of a beginning, what its packet said
};

// ---- Receiver ----

// The most reports one packet can give: the end of what was, and all of what it holds.
#define TD_EVENT_RX_REPORT_MAX (1 + 2 * TD_TELEPHONE_EVENT_PACKED_MAX)

struct td_event_rx {
	uint64_t heard_ns;       // when the last packet of the current event came
	uint32_t duration_total; // of the current event over all its segments, units of its clock
	uint32_t segment_base;   // of that, what lies before the current segment
	uint32_t timestamp;      // of the current segment, or of the last one
	uint16_t duration;       // of the current segment
	uint16_t least_step;     // that the duration of the current event has grown by
	uint8_t clock_khz;
	uint8_t stretch; // of the RTP timestamp in one unit: 6 of events at 8000 beside Opus, else 1
	char digit;
	uint8_t volume;
	bool known : 1;  // the fields above are of some event
	bool active : 1; // and it has not ended
	bool fast : 1;   // its sender's durations count with the timestamps, whatever was agreed
};

// Forgets everything. `clock_hz` is of the payload type: whole kilohertz, 8000 to 96000;
// `timestamp_hz` of the stream's timestamps: as much, or a multiple of it.
void td_event_rx_init(struct td_event_rx *rx, uint32_t clock_hz, uint32_t timestamp_hz);

// One RTP packet of the event payload type, in any order and any number of times. Writes what it
// means to `out` and answers how many: 0 for a repetition, for what comes late of an event before, for
// events that are no digits and for malformed ones. A payload of several events (RFC 4733 section 2.5.1.5) is
// read up to TD_TELEPHONE_EVENT_PACKED_MAX.
uint32_t td_event_rx_packet(struct td_event_rx *rx, uint32_t timestamp, bool marker,
			    const uint8_t *payload, size_t len, uint64_t now_ns,
			    struct td_digit_report out[TD_EVENT_RX_REPORT_MAX]);

// To be called about once a tick: ends an event whose last packets are lost. True with `out`.
bool td_event_rx_poll(struct td_event_rx *rx, uint64_t now_ns, struct td_digit_report *out);

// Ends what is under way and forgets it: before another SSRC's packets, and at a stream's end.
// True with `out` when there was something.
bool td_event_rx_flush(struct td_event_rx *rx, struct td_digit_report *out);

// ---- Sender ----

struct td_event_tx {
	char digits[TD_DIGITS_MAX];
	uint32_t clock_hz;
	uint32_t timestamp;      // of the current segment
	uint32_t segment_units;  // of the event, before the current segment
	uint32_t tick_count;     // of the current digit and its gap; 0: not begun
	uint32_t duration_ticks; // UINT32_MAX while a digit is held
	uint32_t gap_ticks;
	uint8_t stretch;   // as of td_event_rx
	uint8_t next;      // the current digit; the NUL: nothing to send
	uint8_t end_count; // end packets of the current digit sent
	uint8_t volume;
};

struct td_event_packet {
	uint32_t timestamp; // for the RTP header; the sequence number counts on as ever
	uint8_t marker;
	uint8_t payload[TD_TELEPHONE_EVENT_BYTES];
};

// Nothing to send. `clock_hz` is of the payload type, a multiple of 50; `timestamp_hz` as above.
void td_event_tx_init(struct td_event_tx *tx, uint32_t clock_hz, uint32_t timestamp_hz);

// Sends these digits, each for duration_ms with gap_ms of nothing behind it, both rounded up to
// 20 ms and TD_TELEPHONE_EVENT_MS_MIN to _MAX; 0: 100. 0, -TD_EBUSY while others are under way,
// -TD_EINVALID for anything else, an empty string too, and then nothing has changed.
TD_MUST_CHECK int td_event_tx_start(struct td_event_tx *tx, const char *digits,
				    uint32_t duration_ms, uint32_t gap_ms);

// Holds one digit until td_event_tx_release: for passing on one whose length is not known yet.
// The same errors.
TD_MUST_CHECK int td_event_tx_press(struct td_event_tx *tx, char digit, uint8_t volume);

// The held digit ends with the next tick (or once it is 40 ms long); nothing without one.
void td_event_tx_release(struct td_event_tx *tx);

// False once the last end packet has been sent and the gap is over.
bool td_event_tx_busy(const struct td_event_tx *tx);

// One tick of 20 ms. `timestamp` is the RTP timestamp that audio of this tick has or would have.
// True with a packet to be sent instead of audio; false in gaps and when there is nothing.
bool td_event_tx_tick(struct td_event_tx *tx, uint32_t timestamp, struct td_event_packet *out);
