// Bounded text.
#include <stdarg.h>
#include <stdio.h>

#include "sdp/text.h"

struct td_sdp_text td_sdp_text_init(char *text, size_t bytes)
{
	text[0] = '\0';
	return (struct td_sdp_text){ .text = text, .bytes = bytes };
}

void td_sdp_text_printf(struct td_sdp_text *out, const char *format, ...)
{
	size_t room = out->bytes - out->len;
	va_list args;
	int len;

	if (out->full)
		return;
	va_start(args, format);
	len = vsnprintf(out->text + out->len, room, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= room) {
		out->text[out->len] = '\0';
		out->full = true;
		return;
	}
	out->len += (size_t)len;
}
