#include "call/recording_name.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define STAMP_MAX 32

struct writer {
	char *out;
	size_t len, room; // without the NUL
};

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '+' || c == '.';
}

static bool ends_part(const struct writer *writer)
{
	return writer->len == 0 || writer->out[writer->len - 1] == '/';
}

static void put(struct writer *writer, char c)
{
	// What is empty leaves neither an empty folder nor a separator at the beginning of one.
	if (ends_part(writer) && strchr("/-_.", c))
		return;
	if (c == '/' || c == '-' || c == '_')
		while (writer->len > 0 && strchr("-_", writer->out[writer->len - 1]) && c == '/')
			writer->len--;
	if (c == '.' && writer->out[writer->len - 1] == '.')
		c = '_';
	if (writer->len < writer->room)
		writer->out[writer->len++] = c;
}

static void put_value(struct writer *writer, const char *value)
{
	for (size_t i = 0; value && value[i] && i < TD_RECORDING_VALUE_MAX; i++)
		put(writer, is_plain(value[i]) ? value[i] : '_');
}

static void stamp(uint64_t utc_ms, const char *format, bool with_ms, char out[STAMP_MAX])
{
	time_t seconds = (time_t)(utc_ms / 1000);
	struct tm utc;
	size_t len;

	gmtime_r(&seconds, &utc);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	len = strftime(out, STAMP_MAX, format, &utc);
#pragma GCC diagnostic pop
	if (with_ms)
		snprintf(out + len, STAMP_MAX - len, ".%03u", (unsigned)(utc_ms % 1000));
}

// Writes what a word in braces stands for and answers its length; 0: it is none.
static size_t put_word(struct writer *writer, const char *text,
		       const struct td_recording_words *words, bool *timed)
{
	char date[STAMP_MAX], now[STAMP_MAX];
	const struct {
		const char *word, *value;
	} rows[] = {
		{ "{tenant}", words->tenant },
		{ "{queue}", words->queue },
		{ "{call}", words->call },
		{ "{agent}", words->agent },
		{ "{caller}", words->caller },
		{ "{called}", words->called },
		{ "{trunk}", words->trunk },
		{ "{date}", date },
		{ "{time}", now },
	};

	stamp(words->utc_ms, "%Y%m%d", false, date);
	stamp(words->utc_ms, "%Y%m%dT%H%M%S", true, now);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t len = strlen(rows[i].word);

		if (strncmp(text, rows[i].word, len) != 0)
			continue;
		put_value(writer, rows[i].value);
		*timed |= rows[i].value == now;
		return len;
	}
	return 0;
}

void td_recording_name(const char *template, const struct td_recording_words *words,
		       const char *suffix, char *out, size_t out_bytes)
{
	struct writer writer = { .out = out };
	char clock[STAMP_MAX], unique[STAMP_MAX + 1];
	bool timed = false;

	stamp(words->utc_ms, "%H%M%S", true, clock);
	snprintf(unique, sizeof unique, "-%s", clock);
	// What makes it unique is not cut.
	writer.room = out_bytes - 1 - strlen(suffix) - strlen(unique);
	for (const char *c = template; *c;) {
		size_t len = *c == '{' ? put_word(&writer, c, words, &timed) : 0;

		if (len == 0)
			put(&writer, *c);
		c += len == 0 ? 1 : len;
	}
	while (writer.len > 0 && strchr("-_./", out[writer.len - 1]))
		writer.len--;
	writer.room += strlen(unique);
	if (!timed || writer.len == 0)
		put_value(&writer, writer.len == 0 ? clock : unique);
	memcpy(out + writer.len, suffix, strlen(suffix) + 1);
}
