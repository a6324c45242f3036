// Packets of our own: one frame of payload into one stream, numbered so that its packets stay one
// unbroken RTP stream whoever feeds it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "media/worker_state.h"
#include "net/checksum.h"

// One coded frame and what is the same for all who get it.
struct td_frame {
	const uint8_t *payload;
	uint32_t bytes; // at most TD_RTP_PAYLOAD_MAX
	uint32_t step;  // RTP ticks since the frame before it began; 0: as the clock says
	uint64_t sum;   // td_checksum_add over the payload
	bool marker;
};

static inline void td_frame_seal(struct td_frame *frame)
{
	frame->sum = td_checksum_add(0, frame->payload, frame->bytes);
}

// Sends to `stream`, which hears `feed`. False when there is nowhere to send or no mbuf: nothing
// was made then, and time goes on by the clock at the next one.
bool td_media_send(struct td_media_worker *worker, uint32_t stream, uint32_t feed,
		   const struct td_frame *frame, uint64_t now_ns, struct td_tx *tx);
// One packet of an RFC 4733 event of this stream's own, with the timestamp of the event's beginning;
// the time of the audio goes on beside it.
bool td_media_send_event(struct td_media_worker *worker, uint32_t stream, uint32_t timestamp,
			 const struct td_frame *frame, uint64_t now_ns, struct td_tx *tx);
// Asks for the lines that td_media_send will need of a stream, well before it is called.
void td_media_send_expect(const struct td_media_worker *worker, uint32_t stream);
void td_media_send_soon(const struct td_media_worker *worker, uint32_t stream);
