// Finding, showing and aligning cells.
#include "cli/table.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const json_t *find(const json_t *object, const char *path)
{
	char key[64];

	while (object && *path) {
		size_t length = strcspn(path, ".");

		snprintf(key, sizeof key, "%.*s", (int)length, path);
		object = json_object_get(object, key);
		path += length;
		path += *path == '.';
	}
	return object;
}

// Copies text without C0 and C1 control characters. jansson gives valid UTF-8, in which the C1
// range is the two bytes c2 80 to c2 9f; a cut leaves no half character.
static void show_text(const char *text, char out[TD_FIELD_MAX])
{
	size_t at = 0;

	while (*text && at < TD_FIELD_MAX - 5) {
		unsigned char c = (unsigned char)*text, next = (unsigned char)text[1];

		if (c < 0x20 || c == 0x7f) {
			out[at++] = '?';
			text++;
		} else if (c == 0xc2 && next < 0xa0) {
			out[at++] = '?';
			text += 2;
		} else {
			do
				out[at++] = *text++;
			while (((unsigned char)*text & 0xc0) == 0x80 && at < TD_FIELD_MAX - 1);
		}
	}
	out[at] = '\0';
}

static void show_count(json_int_t value, char out[TD_FIELD_MAX])
{
	char digits[32];
	size_t length, at = 0;

	snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, value < 0 ? -value : value);
	length = strlen(digits);
	if (value < 0)
		out[at++] = '-';
	for (size_t i = 0; i < length; i++) {
		out[at++] = digits[i];
		if ((length - i) % 3 == 1 && i + 1 < length)
			out[at++] = ',';
	}
	out[at] = '\0';
}

static void show_seconds(json_int_t seconds, char out[TD_FIELD_MAX])
{
	if (seconds >= 3600)
		snprintf(out, TD_FIELD_MAX,
			 "%" JSON_INTEGER_FORMAT ":%02" JSON_INTEGER_FORMAT
			 ":%02" JSON_INTEGER_FORMAT,
			 seconds / 3600, seconds / 60 % 60, seconds % 60);
	else
		snprintf(out, TD_FIELD_MAX, "%" JSON_INTEGER_FORMAT ":%02" JSON_INTEGER_FORMAT,
			 seconds / 60, seconds % 60);
}

static void show_time(const char *iso, char out[TD_FIELD_MAX])
{
	struct tm broken = { 0 };
	time_t when;

	if (!iso || !strptime(iso, "%Y-%m-%dT%H:%M:%S", &broken)) {
		snprintf(out, TD_FIELD_MAX, "-");
		return;
	}
	when = timegm(&broken);
	if (localtime_r(&when, &broken))
		strftime(out, TD_FIELD_MAX, "%H:%M:%S", &broken);
}

static void show_list(const json_t *list, char out[TD_FIELD_MAX])
{
	size_t index, at = 0;
	json_t *item;

	out[0] = '\0';
	json_array_foreach(list, index, item)
	{
		char one[TD_FIELD_MAX];

		show_text(json_string_value(item) ? json_string_value(item) : "?", one);
		if (at + strlen(one) + 3 >= TD_FIELD_MAX)
			return;
		at += (size_t)snprintf(out + at, TD_FIELD_MAX - at, "%s%s", index ? ", " : "", one);
	}
}

static void show(const json_t *value, enum td_field_kind kind, char out[TD_FIELD_MAX])
{
	json_int_t number = json_integer_value(value);

	switch (kind) {
	case TD_FIELD_TEXT:
		if (json_is_string(value))
			show_text(json_string_value(value), out);
		else
			snprintf(out, TD_FIELD_MAX, "%" JSON_INTEGER_FORMAT, number);
		if (json_is_real(value))
			snprintf(out, TD_FIELD_MAX, "%.2f", json_real_value(value));
		break;
	case TD_FIELD_COUNT: show_count(number, out); break;
	case TD_FIELD_DURATION: show_seconds(number / 1000, out); break;
	case TD_FIELD_SECONDS: show_seconds(number, out); break;
	case TD_FIELD_MS: snprintf(out, TD_FIELD_MAX, "%.1f ms", (double)number / 1000); break;
	case TD_FIELD_PERCENT:
		snprintf(out, TD_FIELD_MAX, "%.1f %%", json_number_value(value));
		break;
	case TD_FIELD_YESNO:
		snprintf(out, TD_FIELD_MAX, "%s", json_is_true(value) ? "yes" : "no");
		break;
	case TD_FIELD_TIME: show_time(json_string_value(value), out); break;
	case TD_FIELD_LIST: show_list(value, out); break;
	default: break;
	}
}

const char *td_field_text(const json_t *object, const struct td_field *cell, char out[TD_FIELD_MAX])
{
	const json_t *value = find(object, cell->path);

	snprintf(out, TD_FIELD_MAX, "-");
	if (value && !json_is_null(value))
		show(value, cell->kind, out);
	return out;
}

// Characters, not bytes: continuation bytes do not count.
static int width_of(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static int is_right(enum td_field_kind kind)
{
	return kind != TD_FIELD_TEXT && kind != TD_FIELD_YESNO && kind != TD_FIELD_LIST;
}

static void print_cell(FILE *out, const char *text, int width, int right, int last)
{
	int padding = width - width_of(text);

	padding = padding > 0 ? padding : 0;
	if (right)
		fprintf(out, "%*s%s", padding, "", text);
	else
		fprintf(out, "%s%*s", text, last ? 0 : padding, "");
	fputs(last ? "" : "  ", out);
}

void td_table_print(FILE *out, const json_t *list, const struct td_field *cells, const char *empty,
		    const char *line_end)
{
	int widths[TD_TABLE_FIELDS] = { 0 }, count = 0;
	char text[TD_FIELD_MAX];
	const json_t *item;
	size_t index;

	if (json_array_size(list) == 0) {
		fprintf(out, "%s%s", empty, line_end);
		return;
	}
	for (; count < TD_TABLE_FIELDS && cells[count].title; count++) {
		widths[count] = width_of(cells[count].title);
		json_array_foreach(list, index, item)
		{
			int width = width_of(td_field_text(item, &cells[count], text));

			widths[count] = width > widths[count] ? width : widths[count];
		}
	}
	for (int i = 0; i < count; i++)
		print_cell(out, cells[i].title, widths[i], is_right(cells[i].kind), i + 1 == count);
	fputs(line_end, out);
	json_array_foreach(list, index, item)
	{
		for (int i = 0; i < count; i++)
			print_cell(out, td_field_text(item, &cells[i], text), widths[i],
				   is_right(cells[i].kind), i + 1 == count);
		fputs(line_end, out);
	}
}

void td_card_print(FILE *out, const json_t *object, const struct td_field *cells)
{
	char text[TD_FIELD_MAX];
	int width = 0;

	for (const struct td_field *cell = cells; cell->title; cell++)
		width = width_of(cell->title) > width ? width_of(cell->title) : width;
	for (const struct td_field *cell = cells; cell->title; cell++)
		fprintf(out, "%-*s  %s\n", width, cell->title, td_field_text(object, cell, text));
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void td_members_print(FILE *out, const json_t *object)
{
	const char **keys = calloc(json_object_size(object) + 1, sizeof *keys), *key;
	char text[TD_FIELD_MAX];
	size_t count = 0;
	json_t *value;
	int width = 0;

	if (!keys)
		return;
	json_object_foreach((json_t *)object, key, value)
	{
		keys[count++] = key;
		width = width_of(key) > width ? width_of(key) : width;
	}
	qsort(keys, count, sizeof *keys, compare_keys);
	for (size_t i = 0; i < count; i++) {
		struct td_field cell = { keys[i], keys[i], TD_FIELD_COUNT };

		fprintf(out, "  %-*s  %s\n", width, keys[i], td_field_text(object, &cell, text));
	}
	free(keys);
}
