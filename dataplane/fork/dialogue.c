#include "fork/dialogue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "codecs/codec.h"
#include "pcm/timeline.h"
#include "pcm/voice.h"
#include "rtp/telephone_event.h"

#define OUT_BYTES    (64u * 1024u)
#define OUT_RESERVED (8u * 1024u) // sound leaves it free for answers
#define IN_BYTES     (TD_FORK_HEADER_BYTES + TD_FORK_PAYLOAD_MAX)
#define READS_A_TURN 8
#define NS_PER_MS    1000000ull
#define FRAMES_S     (1000u / TD_FORK_FRAME_MS)

struct td_dialogue {
	int fd;
	uint32_t rate_hz, track_count, position;
	struct td_event_fork *seen;
	struct td_timeline timeline;
	struct td_voice voices[TD_DIALOGUE_TRACKS];
	struct td_event_rx digits[TD_DIALOGUE_TRACKS];
	uint32_t digit_ssrc[TD_DIALOGUE_TRACKS];
	bool speaks;
	struct td_said said;
	uint32_t out_len, in_len;
	uint8_t out[OUT_BYTES], in[IN_BYTES];
};

static bool put(struct td_dialogue *dialogue, const struct td_fork_frame *frame, uint32_t reserved)
{
	uint8_t *out = dialogue->out + dialogue->out_len;

	if (dialogue->out_len + TD_FORK_HEADER_BYTES + frame->length > OUT_BYTES - reserved)
		return false;
	td_fork_frame_write_header(out, frame);
	memcpy(out + TD_FORK_HEADER_BYTES, frame->payload, frame->length);
	dialogue->out_len += TD_FORK_HEADER_BYTES + frame->length;
	return true;
}

static void tell(void *user, const struct td_fork_frame *frame)
{
	struct td_dialogue *dialogue = user;

	if (!put(dialogue, frame, 0))
		dialogue->seen->lost++;
}

static void greet(struct td_dialogue *dialogue, const struct td_dialogue_options *options)
{
	char text[512];
	struct td_fork_frame frame = { .type = TD_FORK_HELLO, .payload = (const uint8_t *)text };
	int len = snprintf(
		text, sizeof text,
		"{\"protocol\":\"tandem-fork\",\"version\":1,\"call\":\"%s\",\"fork\":\"%s\","
		"\"rate_hz\":%u,\"frame_ms\":%u,\"speak\":%s,\"tracks\":[\"%s\"%s%s%s]}",
		options->call, options->fork, options->rate_hz, TD_FORK_FRAME_MS,
		options->live != NULL ? "true" : "false", options->tracks[0],
		options->track_count > 1 ? ",\"" : "",
		options->track_count > 1 ? options->tracks[1] : "",
		options->track_count > 1 ? "\"" : "");

	frame.length = (uint16_t)len; // names are short: all of it is there
	tell(dialogue, &frame);
}

static int make_wide(struct td_timeline *timeline)
{
	struct td_resampler *up;
	int error = td_resampler_create(TD_TIMELINE_HZ, TD_TIMELINE_WIDE_HZ, &up);

	if (error != 0)
		return error;
	td_timeline_widen(timeline, up);
	td_resampler_destroy(up);
	return 0;
}

static int prepare(struct td_dialogue *dialogue, const struct td_dialogue_options *options,
		   uint64_t now_ns)
{
	int error = 0;

	td_timeline_init(&dialogue->timeline, now_ns);
	for (unsigned i = 0; i < TD_DIALOGUE_TRACKS; i++)
		td_event_rx_init(&dialogue->digits[i], 8000, 8000);
	if (options->rate_hz == TD_TIMELINE_WIDE_HZ)
		error = make_wide(&dialogue->timeline);
	if (error == 0 && options->live != NULL)
		error = td_said_init(&dialogue->said, options->live, options->rate_hz, tell,
				     dialogue);
	dialogue->speaks = error == 0 && options->live != NULL;
	return error;
}

struct td_dialogue *td_dialogue_create(const struct td_dialogue_options *options, uint64_t now_ns)
{
	struct td_dialogue *dialogue = calloc(1, sizeof *dialogue);

	if (dialogue == NULL) {
		close(options->fd);
		return NULL;
	}
	dialogue->fd = options->fd;
	dialogue->rate_hz = options->rate_hz;
	dialogue->track_count = options->track_count;
	dialogue->seen = options->seen;
	greet(dialogue, options);
	if (prepare(dialogue, options, now_ns) == 0)
		return dialogue;
	td_dialogue_destroy(dialogue, "no memory");
	return NULL;
}

// 0: it may go on later. A far end that hangs up with something unread has hung up, too.
static int broken(int error_number)
{
	if (error_number == EAGAIN || error_number == EINTR)
		return 0;
	return error_number == EPIPE || error_number == ECONNRESET ? -TD_EEMPTY : -TD_EIO;
}

// Sends what the socket takes. 0, or as td_dialogue_turn has it.
static int flush(struct td_dialogue *dialogue)
{
	ssize_t sent;

	if (dialogue->out_len == 0)
		return 0;
	sent = send(dialogue->fd, dialogue->out, dialogue->out_len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0)
		return broken(errno);
	dialogue->seen->bytes += (uint64_t)sent;
	dialogue->out_len -= (uint32_t)sent;
	memmove(dialogue->out, dialogue->out + sent, dialogue->out_len);
	return 0;
}

void td_dialogue_destroy(struct td_dialogue *dialogue, const char *why)
{
	const struct td_fork_frame end = { .type = TD_FORK_END,
					   .length = (uint16_t)strlen(why),
					   .payload = (const uint8_t *)why };

	if (put(dialogue, &end, 0))
		(void)!flush(dialogue);
	close(dialogue->fd);
	for (unsigned i = 0; i < TD_DIALOGUE_TRACKS; i++)
		td_voice_fini(&dialogue->voices[i]);
	if (dialogue->speaks)
		td_said_fini(&dialogue->said);
	free(dialogue);
}

static void tell_digit(struct td_dialogue *dialogue, uint32_t track,
		       const struct td_digit_report *report)
{
	const uint8_t digit = (uint8_t)report->digit;
	const struct td_fork_frame frame = { .type = TD_FORK_DIGIT,
					     .track = (uint8_t)track,
					     .length = 1,
					     .position = dialogue->position,
					     .payload = &digit };

	if (report->kind == TD_DIGIT_END)
		tell(dialogue, &frame);
}

static void add_digits(struct td_dialogue *dialogue, const struct td_tap_record *record)
{
	struct td_event_rx *rx = &dialogue->digits[record->side];
	struct td_digit_report reports[TD_EVENT_RX_REPORT_MAX];
	uint32_t count;

	if (dialogue->digit_ssrc[record->side] != record->ssrc)
		td_event_rx_init(rx, 8000, 8000); // only whole events count here, not their length
	dialogue->digit_ssrc[record->side] = record->ssrc;
	count = td_event_rx_packet(rx, record->timestamp, record->marker != 0, record->payload,
				   record->payload_len, record->arrival_ns, reports);
	for (uint32_t i = 0; i < count; i++)
		tell_digit(dialogue, record->side, &reports[i]);
}

// Ends those whose last packets are lost.
static void poll_digits(struct td_dialogue *dialogue, uint64_t now_ns)
{
	struct td_digit_report report;

	for (uint32_t track = 0; track < dialogue->track_count; track++)
		if (td_event_rx_poll(&dialogue->digits[track], now_ns, &report))
			tell_digit(dialogue, track, &report);
}

void td_dialogue_add(struct td_dialogue *dialogue, const struct td_tap_record *record)
{
	const struct td_codec *codec = td_codec_get((enum td_codec_id)record->codec);
	int16_t pcm[TD_TIMELINE_PACKET_MAX];
	struct td_timeline_packet packet = { .ssrc = record->ssrc,
					     .timestamp = record->timestamp,
					     .arrival_ns = record->arrival_ns,
					     .pcm = pcm };

	if (record->side >= dialogue->track_count || record->payload_len > sizeof record->payload)
		return;
	if (record->kind == TD_TAP_EVENT)
		add_digits(dialogue, record);
	if (codec == NULL)
		return;
	packet.clock_hz = codec->clock_hz;
	packet.count = td_voice_hear(&dialogue->voices[record->side], codec, record->ssrc,
				     dialogue->rate_hz, record->payload, record->payload_len, pcm);
	td_timeline_place(&dialogue->timeline, record->side, &packet);
}

static void send_frame(struct td_dialogue *dialogue, int16_t (*pcm)[TD_TIMELINE_SIDES],
		       uint32_t samples)
{
	uint8_t payload[2 * TD_TIMELINE_WIDE_HZ / FRAMES_S];

	for (uint32_t track = 0; track < dialogue->track_count; track++) {
		const struct td_fork_frame frame = { .type = TD_FORK_AUDIO,
						     .track = (uint8_t)track,
						     .length = (uint16_t)(2u * samples),
						     .position = dialogue->position,
						     .payload = payload };

		for (uint32_t i = 0; i < samples; i++) {
			payload[2 * i] = (uint8_t)pcm[i][track];
			payload[2 * i + 1] = (uint8_t)((uint16_t)pcm[i][track] >> 8);
		}
		if (put(dialogue, &frame, OUT_RESERVED))
			dialogue->seen->sent++;
		else
			dialogue->seen->lost++;
	}
	dialogue->position++;
}

static void send_heard(struct td_dialogue *dialogue, uint64_t now_ns)
{
	int16_t pcm[TD_TIMELINE_WIDE_HZ / FRAMES_S][TD_TIMELINE_SIDES];
	uint32_t samples = dialogue->rate_hz / FRAMES_S;

	while (td_timeline_ready(&dialogue->timeline, now_ns - TD_DIALOGUE_DELAY_MS * NS_PER_MS) >=
	       samples) {
		td_timeline_take(&dialogue->timeline, pcm, samples);
		send_frame(dialogue, pcm, samples);
	}
	dialogue->seen->late = 0;
	for (uint32_t track = 0; track < dialogue->track_count; track++)
		dialogue->seen->late += dialogue->timeline.sides[track].late;
}

// Takes the frames that are there. Stops where a flush has to be settled first.
static int take_frames(struct td_dialogue *dialogue, uint64_t now_ns)
{
	uint32_t at = 0;
	int error = 0;

	while (error == 0 && (!dialogue->speaks || td_said_ready(&dialogue->said))) {
		struct td_fork_frame frame;
		int len = td_fork_frame_parse(dialogue->in + at, dialogue->in_len - at, &frame);

		if (len <= 0) {
			error = len;
			break;
		}
		at += (uint32_t)len;
		if (frame.type == TD_FORK_END)
			error = -TD_EEMPTY;
		else if (dialogue->speaks)
			error = td_said_take(&dialogue->said, &frame, now_ns);
		else
			error = -TD_EMALFORMED; // it was told that it does not speak
	}
	dialogue->in_len -= at;
	memmove(dialogue->in, dialogue->in + at, dialogue->in_len);
	return error;
}

static int receive(struct td_dialogue *dialogue, uint64_t now_ns)
{
	for (int i = 0; i < READS_A_TURN; i++) {
		ssize_t got = 0;
		int error;

		if (dialogue->in_len < IN_BYTES) {
			got = recv(dialogue->fd, dialogue->in + dialogue->in_len,
				   IN_BYTES - dialogue->in_len, MSG_DONTWAIT);
			if (got == 0)
				return -TD_EEMPTY;
			if (got < 0 && broken(errno) != 0)
				return broken(errno);
		}
		if (got > 0)
			dialogue->in_len += (uint32_t)got;
		error = take_frames(dialogue, now_ns);
		if (error != 0 || got <= 0)
			return error;
	}
	return 0;
}

static void count_said(struct td_dialogue *dialogue)
{
	struct td_event_fork *seen = dialogue->seen;
	const struct td_said *said = &dialogue->said;

	seen->said_ms = (uint64_t)td_said_played(said) * TD_FORK_FRAME_MS;
	seen->flushed_ms = said->flushed_ms;
	seen->overrun_ms = said->overrun_ms;
	seen->underruns = said->underruns;
	seen->marks = said->reached;
}

int td_dialogue_turn(struct td_dialogue *dialogue, uint64_t now_ns)
{
	int error;

	send_heard(dialogue, now_ns);
	poll_digits(dialogue, now_ns);
	if (dialogue->speaks)
		td_said_turn(&dialogue->said, now_ns);
	error = receive(dialogue, now_ns);
	if (error != 0)
		return error;
	if (dialogue->speaks) {
		td_said_turn(&dialogue->said, now_ns);
		count_said(dialogue);
	}
	return flush(dialogue);
}
