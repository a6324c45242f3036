// Which indices of one source have been seen, and which index a 16-bit number means (RFC 3711
// sections 3.3.1 and 3.3.2).
//
//   seen bit i  <=>  index highest - i has been accepted          (TD_SRTP_WINDOW back)
//
// An index is the rollover counter << 16 | sequence number for SRTP, 48 bits, and the 31 bits in the
// packet for SRTCP. Pure; caller's memory.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define TD_SRTP_WINDOW     128u
#define TD_SRTP_INDEX_MAX  0xffffffffffffu // 2^48 packets a key, RFC 3711 section 9.2
#define TD_SRTCP_INDEX_MAX 0x7fffffffu     // 2^31

struct td_srtp_window {
	uint64_t highest;
	uint64_t seen[2]; // seen[0] bit 0 is `highest`; both 0: nothing accepted yet
};

enum td_srtp_age { TD_SRTP_FRESH, TD_SRTP_SEEN, TD_SRTP_TOO_OLD };

static inline bool td_srtp_window_used(const struct td_srtp_window *window)
{
	return window->seen[0] != 0;
}

// Whether `index` may still be accepted.
static inline enum td_srtp_age td_srtp_window_age(const struct td_srtp_window *window,
						  uint64_t index)
{
	uint64_t back;

	if (index > window->highest || !td_srtp_window_used(window))
		return TD_SRTP_FRESH;
	back = window->highest - index;
	if (back >= TD_SRTP_WINDOW)
		return TD_SRTP_TOO_OLD;
	return window->seen[back / 64] >> (back % 64) & 1u ? TD_SRTP_SEEN : TD_SRTP_FRESH;
}

// Accepts an index that td_srtp_window_age called fresh.
static inline void td_srtp_window_mark(struct td_srtp_window *window, uint64_t index)
{
	uint64_t ahead = index - window->highest, back = window->highest - index;

	if (!td_srtp_window_used(window)) {
		*window = (struct td_srtp_window){ .highest = index, .seen = { 1, 0 } };
	} else if (index < window->highest) {
		window->seen[back / 64] |= UINT64_C(1) << (back % 64);
	} else {
		if (ahead < 64) {
			// Two shifts: one by 64 - 0 would be undefined.
			window->seen[1] =
				window->seen[1] << ahead | window->seen[0] >> (63 - ahead) >> 1;
			window->seen[0] = window->seen[0] << ahead;
		} else {
			window->seen[1] = ahead < 128 ? window->seen[0] << (ahead - 64) : 0;
			window->seen[0] = 0;
		}
		window->seen[0] |= 1u;
		window->highest = index;
	}
}

// RFC 3711 section 3.3.1: the index with this sequence number that is nearest to the highest one. At
// rollover counter 0 nothing lies before, and the number is taken as it is; so it is for a source
// of which nothing has been accepted.
static inline uint64_t td_srtp_index_guess(const struct td_srtp_window *window, uint16_t sequence)
{
	uint64_t roc = window->highest >> 16;
	uint16_t last = (uint16_t)window->highest;

	if (last < 0x8000u) {
		if (sequence > last + 0x8000u && roc > 0)
			roc--;
	} else if (sequence < last - 0x8000u) {
		roc++;
	}
	return roc << 16 | sequence;
}
