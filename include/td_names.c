// Names and texts of the enums both planes share.
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "td_codec_id.h"
#include "td_command.h"
#include "td_endpoint.h"
#include "td_error.h"
#include "td_event.h"
#include "td_stats.h"

static int error_index(int error)
{
	// Compared before negating: the number may come from the other process and be INT_MIN.
	if (error >= TD_ERROR_COUNT || error <= -TD_ERROR_COUNT)
		return TD_EINVALID;
	return error < 0 ? -error : error;
}

const char *td_error_name(int error)
{
	static const char *const names[] = {
#define ROW(name, text) #name,
		TD_ERRORS(ROW)
#undef ROW
	};

	return names[error_index(error)];
}

const char *td_error_text(int error)
{
	static const char *const texts[] = {
#define ROW(name, text) text,
		TD_ERRORS(ROW)
#undef ROW
	};

	return texts[error_index(error)];
}

const char *td_drop_name(enum td_drop drop)
{
	static const char *const names[] = {
#define ROW(symbol, name) name,
		TD_DROPS(ROW)
#undef ROW
	};

	return (unsigned)drop < TD_DROP_COUNT ? names[drop] : "unknown";
}

const char *td_stage_name(enum td_stage stage)
{
	static const char *const names[] = {
#define ROW(symbol, name, unit) name,
		TD_STAGES(ROW)
#undef ROW
	};

	return (unsigned)stage < TD_STAGE_COUNT ? names[stage] : "unknown";
}

const char *td_stage_unit(enum td_stage stage)
{
	static const char *const units[] = {
#define ROW(symbol, name, unit) unit,
		TD_STAGES(ROW)
#undef ROW
	};

	return (unsigned)stage < TD_STAGE_COUNT ? units[stage] : "unknown";
}

const char *td_codec_name(enum td_codec_id codec)
{
	static const char *const names[TD_CODEC_COUNT] = {
		"none",      "PCMU",      "PCMA",      "G722", "GSM",  "L16/8000",
		"L16/16000", "L16/32000", "L16/48000", "opus", "G729",
	};

	return (unsigned)codec < TD_CODEC_COUNT ? names[codec] : "none";
}

const char *td_codec_encoding(enum td_codec_id codec)
{
	switch (codec) {
	case TD_CODEC_L16_8:
	case TD_CODEC_L16_16:
	case TD_CODEC_L16_32:
	case TD_CODEC_L16_48: return "L16";
	case TD_CODEC_NONE:
	case TD_CODEC_PCMU:
	case TD_CODEC_PCMA:
	case TD_CODEC_G722:
	case TD_CODEC_GSM:
	case TD_CODEC_OPUS:
	case TD_CODEC_G729:
	case TD_CODEC_COUNT: break;
	}
	return td_codec_name(codec);
}

uint32_t td_codec_clock_hz(enum td_codec_id codec)
{
	static const uint32_t clocks[TD_CODEC_COUNT] = {
		0, 8000, 8000, 8000, 8000, 8000, 16000, 32000, 48000, 48000, 8000,
	};

	return (unsigned)codec < TD_CODEC_COUNT ? clocks[codec] : 0;
}

const char *td_hears_name(uint32_t hears)
{
	static const char *const names[TD_HEARS_COUNT] = { "nothing", "forward", "play", "mix",
							   "shared" };

	return hears < TD_HEARS_COUNT ? names[hears] : "unknown";
}

const char *td_tone_name(uint32_t tone)
{
	static const char *const names[TD_TONE_COUNT] = {
		"none", "cng", "ced", "beep", "dial", "ringback", "busy", "congestion", "sit",
	};

	return tone < TD_TONE_COUNT ? names[tone] : "unknown";
}

const char *td_command_name(uint32_t kind)
{
	static const char *const names[TD_COMMAND_KIND_COUNT] = {
		"none",
		"ping",
		"reset",
		"context_create",
		"context_destroy",
		"stream_create",
		"stream_set_remote",
		"stream_destroy",
		"player_create",
		"player_destroy",
		"matrix_edit",
		"record_start",
		"record_stop",
		"context_move",
		"stream_move",
		"stream_tune",
		"stream_digits",
		"player_control",
		"record_note",
		"fork_start",
		"fork_stop",
		"record_attach",
		"record_detach",
		"record_control",
		"context_privacy",
	};

	return kind < TD_COMMAND_KIND_COUNT ? names[kind] : "unknown";
}

const char *td_event_name(uint32_t kind)
{
	static const char *const names[TD_EVENT_KIND_COUNT] = {
		"none",  "done", "player_end",   "stream_active", "record_closed", "record_failed",
		"digit", "tone", "record_alarm", "fork_state",    "fork_ended",    "fork_closed",
	};

	return kind < TD_EVENT_KIND_COUNT ? names[kind] : "unknown";
}

const char *td_endpoint_text(const struct td_endpoint *ep, char text[TD_ENDPOINT_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN];
	unsigned port = ntohs(ep->port_be);

	if (ep->family == TD_FAMILY_IPV4 && inet_ntop(AF_INET, ep->addr, host, sizeof host))
		snprintf(text, TD_ENDPOINT_TEXT_MAX, "%s:%u", host, port);
	else if (ep->family == TD_FAMILY_IPV6 && inet_ntop(AF_INET6, ep->addr, host, sizeof host))
		snprintf(text, TD_ENDPOINT_TEXT_MAX, "[%s]:%u", host, port);
	else
		snprintf(text, TD_ENDPOINT_TEXT_MAX, "none");
	return text;
}

const char *td_endpoint_addr_text(const struct td_endpoint *ep, char text[TD_ENDPOINT_TEXT_MAX])
{
	int family = ep->family == TD_FAMILY_IPV6 ? AF_INET6 : AF_INET;

	if (ep->family == TD_FAMILY_NONE ||
	    !inet_ntop(family, ep->addr, text, TD_ENDPOINT_TEXT_MAX))
		snprintf(text, TD_ENDPOINT_TEXT_MAX, "none");
	return text;
}

int td_endpoint_parse_addr(const char *text, struct td_endpoint *out)
{
	memset(out, 0, sizeof *out);
	if (inet_pton(AF_INET, text, out->addr) == 1) {
		out->family = TD_FAMILY_IPV4;
		return 0;
	}
	if (inet_pton(AF_INET6, text, out->addr) == 1) {
		out->family = TD_FAMILY_IPV6;
		return 0;
	}
	return -TD_EMALFORMED;
}

bool td_endpoint_same_addr(const struct td_endpoint *a, const struct td_endpoint *b)
{
	return a->family == b->family && memcmp(a->addr, b->addr, sizeof a->addr) == 0;
}

bool td_endpoint_equal(const struct td_endpoint *a, const struct td_endpoint *b)
{
	return td_endpoint_same_addr(a, b) && a->port_be == b->port_be;
}
