/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lines: see lines.h. */
#include <stdlib.h>
#include "launcher/base/str.h"
#include "launcher/base/tr.h"
#include "launcher/config/lines.h"

/* Length of the UTF-8 sequence at s (RFC 3629: no overlong forms, no surrogates), 0 where there is none. */
static size_t utf8_length(const unsigned char *s, size_t left)
{
	static const unsigned char first[] = { 0xf5, 0xf0, 0xe0, 0xc2, 0x80, 0x00 }; /* of no, 4, 3, 2, no, 1 bytes */
	static const size_t lengths[] = { 0, 4, 3, 2, 0, 1 };
	size_t row = 0, n;
	while (s[0] < first[row])
		row++;
	n = lengths[row];
	if (!n || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

const char *lines_wrong_bytes(const char *text, size_t length, unsigned *ret_column)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned column = 1;
	for (size_t i = 0, n; i < length; i += n, column++) {
		n = utf8_length(s + i, length - i);
		const char *wrong = s[i] == '\0'                                    ? _("a NUL byte")
				    : (s[i] < 0x20 && s[i] != '\t') || s[i] == 0x7f ? _("a control character")
				    : !n                                            ? _("not UTF-8")
										    : NULL;
		if (wrong) {
			*ret_column = column;
			return wrong;
		}
	}
	return NULL;
}

static unsigned column_of(const char *line, const char *at)
{
	unsigned column = 1;
	for (; line < at; line++)
		column += ((unsigned char)*line & 0xc0) != 0x80;
	return column;
}

struct lines lines_begin(const char *text, size_t length)
{
	bool marked = length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0; /* the byte order mark that some editors write */
	return (struct lines){ .at = text + (marked ? 3 : 0), .end = text + length };
}

void lines_end(struct lines *l)
{
	free(l->line);
	l->line = NULL;
}

/* Takes the next line, without its end, into l->line; false at the end of the text. *ret_wrong: its bytes are, at *ret_column. */
static bool take_line(struct lines *l, const char **ret_wrong, unsigned *ret_column)
{
	if (l->at >= l->end)
		return false;
	size_t left = (size_t)(l->end - l->at);
	const char *start = l->at, *newline = memchr(start, '\n', left);
	size_t length = newline ? (size_t)(newline - start) : left;
	l->at += length + (newline ? 1 : 0);
	if (length && start[length - 1] == '\r')
		length--;
	*ret_column = 1;
	*ret_wrong = length > CONFIG_LINE_MAX ? _("the line is longer than 8192 bytes") : lines_wrong_bytes(start, length, ret_column);
	l->number++;
	free(l->line);
	l->line = str_ndup(start, *ret_wrong ? 0 : length);
	return true;
}

/* "[name]" at `s`. */
static void split_section(char *s, struct lines_line *line)
{
	size_t n = strlen(s);
	if (s[n - 1] != ']') {
		line->kind = LINES_WRONG_SECTION;
		line->wrong = _("a section is written [name] on a line of its own");
		return;
	}
	s[n - 1] = '\0';
	line->kind = LINES_SECTION;
	line->name = str_trim(s + 1);
}

/* "name = value" at `s`. */
static void split_key(const char *whole, char *s, struct lines_line *line)
{
	char *equals = strchr(s, '=');
	if (!equals || equals == s) {
		line->wrong = _("neither [section] nor key = value");
		return;
	}
	char *value = equals + 1 + strspn(equals + 1, " \t");
	line->value_column = column_of(whole, value);
	*equals = '\0';
	line->kind = LINES_KEY;
	line->name = str_trim(s);
	line->value = value;
}

bool lines_next(struct lines *l, struct lines_line *ret_line)
{
	const char *wrong;
	unsigned column;
	while (take_line(l, &wrong, &column)) {
		char *s = str_trim(l->line);
		struct lines_line line = { LINES_WRONG, l->number, wrong ? column : column_of(l->line, s), "", "", 0, wrong };
		if (!wrong && (!*s || *s == '#' || *s == ';'))
			continue;
		if (!wrong && *s == '[')
			split_section(s, &line);
		else if (!wrong)
			split_key(l->line, s, &line);
		*ret_line = line;
		return true;
	}
	return false;
}
