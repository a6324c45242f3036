// The senders of a worker's digits, from inside the media room: see media/digits.h.
#pragma once

#include <stdint.h>

#include "media/worker_state.h"

// Holds a digit of `source` toward one listener; counted in digits_lost when all senders are taken.
void td_digit_sender_press(struct td_media_worker *worker, uint32_t stream, uint32_t source,
			   char digit, uint8_t volume);
// All digits that are held for this source end.
void td_digit_senders_release(struct td_media_worker *worker, uint32_t source);
