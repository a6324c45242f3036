// Commands about what a stream is listened to for, and about digits to its peer.
#include <string.h>

#include "media/engine_state.h"
#include "media/prompts.h"

int td_engine_stream_tune(struct td_engine *engine, const struct td_command *command)
{
	const uint32_t detects =
		TD_DETECT_DTMF | TD_DETECT_FAX | TD_DETECT_PROGRESS | TD_DETECT_BEEP;
	const struct td_command_stream_tune *tune = &command->u.stream_tune;
	struct td_engine_stream *stream = td_engine_find_stream(engine, tune->stream.v);
	struct td_engine_context *context;
	struct td_edit edit;
	struct td_change change;
	int error;

	if (stream == NULL)
		return -TD_ESTALE;
	if ((tune->detect & ~detects) || (tune->flags & ~(TD_TUNE_NO_DIGITS | TD_TUNE_CONVERT)))
		return -TD_EINVALID;
	context = &engine->contexts[stream->context];
	if (!td_engine_change_room(engine, context->worker, 1))
		return -TD_EBUSY;
	error = td_engine_edit_begin(context, &edit);
	if (error != 0)
		return error;
	edit.matrix.members[stream->slot].detect = (uint8_t)tune->detect;
	edit.matrix.members[stream->slot].tune = (uint8_t)tune->flags;
	td_engine_change_begin(&change, TD_CHANGE_STREAM_TUNE, command, context);
	change.object = td_handle_index(stream->handle);
	change.u.tune.flags = tune->flags;
	error = td_engine_edit_commit(engine, &edit, &change);
	if (error != 0)
		return error;
	td_engine_change_push(engine, context->worker, &change);
	return 0;
}

static bool duration_is_valid(uint16_t ms)
{
	return ms == 0 || (ms >= TD_TELEPHONE_EVENT_MS_MIN && ms <= TD_TELEPHONE_EVENT_MS_MAX);
}

static int check_digits(const struct td_command_stream_digits *digits)
{
	size_t len = strnlen(digits->digits, TD_DIGITS_MAX);

	if (len == 0 || len == TD_DIGITS_MAX || digits->how > TD_DIGITS_TONE ||
	    !duration_is_valid(digits->duration_ms) || !duration_is_valid(digits->gap_ms))
		return -TD_EINVALID;
	for (size_t i = 0; i < len; i++)
		if (td_digit_bit(digits->digits[i]) == 0)
			return -TD_EINVALID;
	return 0;
}

// Whether a tone can be made for this stream: its frames are there in the stream's codec.
static int check_tone(const struct td_engine *engine, const struct td_matrix_member *member)
{
	struct td_digit_prompts prompts;

	td_digit_prompts_find(engine->options.prompts, &prompts);
	if (member->codec == TD_CODEC_NONE)
		return -TD_ESTATE;
	if (prompts.tones[0] == NULL || !(engine->playable >> member->codec & 1u))
		return -TD_EUNSUPPORTED;
	return 0;
}

int td_engine_stream_digits(struct td_engine *engine, const struct td_command *command)
{
	const struct td_command_stream_digits *digits = &command->u.stream_digits;
	struct td_engine_stream *stream = td_engine_find_stream(engine, digits->stream.v);
	const struct td_matrix_member *member;
	struct td_engine_context *context;
	struct td_change change;
	int error;

	if (stream == NULL)
		return -TD_ESTALE;
	context = &engine->contexts[stream->context];
	member = &context->matrix.members[stream->slot];
	error = check_digits(digits);
	if (error == 0 && digits->how == TD_DIGITS_EVENT && !member->events)
		error = -TD_ESTATE;
	td_engine_change_begin(&change, TD_CHANGE_STREAM_DIGITS, command, context);
	change.u.digits.as_tone =
		digits->how == TD_DIGITS_TONE || (digits->how == TD_DIGITS_AUTO && !member->events);
	if (error == 0 && change.u.digits.as_tone)
		error = check_tone(engine, member);
	if (error != 0)
		return error;
	if (!td_engine_change_room(engine, context->worker, 1))
		return -TD_EBUSY;
	change.object = td_handle_index(stream->handle);
	change.u.digits.duration_ms = digits->duration_ms;
	change.u.digits.gap_ms = digits->gap_ms;
	memcpy(change.u.digits.digits, digits->digits, sizeof change.u.digits.digits);
	td_engine_change_push(engine, context->worker, &change);
	return 0;
}
