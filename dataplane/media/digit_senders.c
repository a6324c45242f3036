// Digits that are sent: one sender a stream at most, a packet every 20 ms.
#include "media/digit_senders.h"

#include <stdio.h>
#include <string.h>

#include "media/digits.h"
#include "media/send.h"
#include "media/sender.h"
#include "td_assert.h"

#define SILENCE "silence"

void td_digit_prompts_find(const struct td_prompts *prompts, struct td_digit_prompts *out)
{
	static const char digits[TD_DIGIT_COUNT + 1u] = "0123456789*#ABCD";

	memset(out, 0, sizeof *out);
	for (uint32_t i = 0; prompts != NULL && i < prompts->count; i++) {
		const struct td_prompt *prompt = &prompts->entries[i];
		char name[TD_PROMPT_NAME_MAX];

		if (strcmp(prompt->name, SILENCE) == 0)
			out->silence = prompt;
		for (unsigned digit = 0; digit < TD_DIGIT_COUNT; digit++) {
			snprintf(name, sizeof name, "dtmf.%c", digits[digit]);
			if (strcmp(prompt->name, name) == 0)
				out->tones[digit] = prompt;
		}
	}
}

static uint32_t *slot_of(struct td_media_worker *worker, uint32_t stream)
{
	const struct td_stream_cold *cold = &worker->cold[stream];

	return &worker->slot_senders[worker->contexts[td_handle_index(cold->context.v)].slot];
}

// A sender for a stream that has none; NULL: all are taken.
static struct td_digit_sender *take(struct td_media_worker *worker, uint32_t stream,
				    uint32_t source)
{
	uint32_t index = worker->free_sender, *first = slot_of(worker, stream);
	const struct td_stream_cold *cold = &worker->cold[stream];
	struct td_digit_sender *sender;

	if (index == TD_INDEX_END)
		return NULL;
	sender = &worker->senders[index];
	worker->free_sender = sender->next;
	td_event_tx_init(&sender->events, cold->digits.clock_khz * 1000u, cold->clock_khz * 1000u);
	sender->stream = stream;
	sender->source = source;
	sender->as_tone = false;
	sender->frames = 0;
	sender->waiting_count = 0;
	sender->next = *first;
	*first = index;
	worker->cold[stream].digit_sender = index;
	td_media_tx(worker, stream)->flags |= TD_TX_HELD;
	return sender;
}

// `link` is where the list of its slot points to it.
static void give(struct td_media_worker *worker, uint32_t *link)
{
	uint32_t index = *link;
	struct td_digit_sender *sender = &worker->senders[index];
	struct td_stream_tx *tx = td_media_tx(worker, sender->stream);

	*link = sender->next;
	sender->next = worker->free_sender;
	worker->free_sender = index;
	worker->cold[sender->stream].digit_sender = TD_INDEX_END;
	tx->flags = (uint8_t)((tx->flags & ~TD_TX_HELD) | TD_TX_FORCED);
}

// Where the list of its slot points to the sender of a stream that has one.
static uint32_t *link_of(struct td_media_worker *worker, uint32_t stream)
{
	uint32_t *link = slot_of(worker, stream);

	while (*link != worker->cold[stream].digit_sender) {
		TD_ASSERT(*link != TD_INDEX_END);
		link = &worker->senders[*link].next;
	}
	return link;
}

void td_digits_stop(struct td_media_worker *worker, uint32_t stream)
{
	if (worker->cold[stream].digit_sender != TD_INDEX_END)
		give(worker, link_of(worker, stream));
}

void td_digits_leave(struct td_media_worker *worker, uint32_t stream)
{
	uint32_t index = worker->cold[stream].digit_sender, *link;

	if (index == TD_INDEX_END)
		return;
	link = link_of(worker, stream);
	*link = worker->senders[index].next;
}

void td_digits_enter(struct td_media_worker *worker, uint32_t stream)
{
	uint32_t index = worker->cold[stream].digit_sender, *first = slot_of(worker, stream);

	if (index == TD_INDEX_END)
		return;
	worker->senders[index].next = *first;
	*first = index;
}

void td_digit_sender_press(struct td_media_worker *worker, uint32_t stream, uint32_t source,
			   char digit, uint8_t volume)
{
	uint32_t index = worker->cold[stream].digit_sender;
	struct td_digit_sender *sender = NULL;

	if (index == TD_INDEX_END) {
		sender = take(worker, stream, source);
		if (sender != NULL && td_event_tx_press(&sender->events, digit, volume) == 0)
			return;
	} else if (worker->senders[index].source == source &&
		   worker->senders[index].waiting_count < TD_DIGITS_WAITING_MAX) {
		sender = &worker->senders[index];
		sender->waiting[sender->waiting_count++] = digit;
		sender->released = false;
		return;
	}
	worker->stats->digits_lost++;
}

static void release(struct td_digit_sender *sender)
{
	sender->released = true;
	if (sender->waiting_count == 0)
		td_event_tx_release(&sender->events);
}

// The digit before is over: the next one that waits, and it is over too if another one waits or it
// has been let go of.
static bool next_waiting(struct td_digit_sender *sender)
{
	if (sender->waiting_count == 0 ||
	    td_event_tx_press(&sender->events, sender->waiting[0], TD_TELEPHONE_EVENT_VOLUME) != 0)
		return false;
	sender->waiting_count--;
	memmove(sender->waiting, sender->waiting + 1, sender->waiting_count);
	if (sender->waiting_count > 0 || sender->released)
		td_event_tx_release(&sender->events);
	return true;
}

void td_digit_senders_release(struct td_media_worker *worker, uint32_t source)
{
	for (unsigned slot = 0; slot < TD_MEDIA_SLOTS; slot++)
		for (uint32_t i = worker->slot_senders[slot]; i != TD_INDEX_END;
		     i = worker->senders[i].next)
			if (worker->senders[i].source == source)
				release(&worker->senders[i]);
}

int td_digits_send(struct td_media_worker *worker, uint32_t stream,
		   const struct td_change_digits *digits)
{
	struct td_digit_sender *sender;
	int error;

	if (worker->cold[stream].digit_sender != TD_INDEX_END)
		return -TD_EBUSY;
	sender = take(worker, stream, TD_INDEX_END);
	if (sender == NULL)
		return -TD_EFULL;
	sender->as_tone = digits->as_tone != 0;
	error = td_event_tx_start(&sender->events, digits->digits, digits->duration_ms,
				  digits->gap_ms);
	if (error != 0)
		td_digits_stop(worker, stream);
	return error;
}

// The frame of a tone or of the pause behind it, in the stream's codec.
static bool tone_frame(const struct td_media_worker *worker, struct td_digit_sender *sender,
		       const struct td_event_packet *packet, struct td_frame *frame)
{
	uint8_t codec = worker->streams[sender->stream].rx.codec;
	const struct td_prompt *prompt = worker->digit_prompts.silence;
	const struct td_prompt_coding *coding;
	uint32_t at;

	// The packets that say "ended" come while the tone is over.
	if (packet != NULL && !(packet->payload[1] & 0x80u))
		prompt = worker->digit_prompts.tones[packet->payload[0]];
	if (prompt == NULL || prompt->coding[codec].bytes == NULL)
		return false;
	coding = &prompt->coding[codec];
	at = sender->frames++ % prompt->frame_count;
	*frame = (struct td_frame){ .payload = coding->bytes + coding->offsets[at],
				    .bytes = coding->offsets[at + 1u] - coding->offsets[at],
				    .sum = coding->sums[at] };
	frame->step = worker->cold[sender->stream].clock_khz * TD_FRAME_MS;
	return frame->bytes > 0;
}

static bool send(struct td_media_worker *worker, struct td_digit_sender *sender, uint64_t now_ns,
		 struct td_tx *tx)
{
	const struct td_stream_cold *cold = &worker->cold[sender->stream];
	struct td_event_packet packet;
	struct td_frame frame;
	bool made = td_event_tx_tick(
		&sender->events,
		td_sender_timestamp(td_media_tx(worker, sender->stream), cold, now_ns), &packet);

	if (sender->as_tone)
		return tone_frame(worker, sender, made ? &packet : NULL, &frame) &&
		       td_media_send(worker, sender->stream, TD_FEED_DIGITS, &frame, now_ns, tx);
	if (!made)
		return false;
	frame = (struct td_frame){ .payload = packet.payload,
				   .bytes = sizeof packet.payload,
				   .marker = packet.marker != 0 };
	td_frame_seal(&frame);
	return td_media_send_event(worker, sender->stream, packet.timestamp, &frame, now_ns, tx);
}

uint32_t td_digits_tick(struct td_media_worker *worker, uint32_t slot, uint64_t now_ns,
			struct td_tx *tx)
{
	uint32_t *link = &worker->slot_senders[slot], sent = 0;

	while (*link != TD_INDEX_END) {
		struct td_digit_sender *sender = &worker->senders[*link];

		sent += send(worker, sender, now_ns, tx);
		if (td_event_tx_busy(&sender->events) || next_waiting(sender))
			link = &sender->next;
		else
			give(worker, link);
	}
	return sent;
}
