/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lines: the one reader of texts of ours, configurations and bench plans: `[section]`, `key = value`, comments (# or ;) on lines of their
 * own, blanks around any of them. A value is the rest of its line, whatever is in it. Pure.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* The most bytes of a line. */
#define CONFIG_LINE_MAX 8192

enum lines_kind { LINES_SECTION, LINES_KEY, LINES_WRONG, LINES_WRONG_SECTION }; /* the last: what follows is of no known section */
struct lines_line {
	enum lines_kind kind;
	unsigned number, column; /* from 1; the column in characters, of the section, the key, or what is wrong */
	const char *name;        /* of the section or the key; "" for what is wrong */
	const char *value;       /* of the key; may be "" */
	unsigned value_column;
	const char *wrong; /* what is wrong with the line, translated */
};
struct lines {
	const char *at, *end; /* what is still to be read */
	char *line;
	unsigned number;
};
/* `text` is borrowed until lines_end(); a byte order mark before it is passed over. */
struct lines lines_begin(const char *text, size_t length);
/* The next line that says something; what it points to lives until the next call. False at the end of the text. */
bool lines_next(struct lines *l, struct lines_line *ret_line);
void lines_end(struct lines *l);
#define cleanup_lines __attribute__((__cleanup__(lines_end)))

/* What is wrong with the bytes of a text that is to be one line of UTF-8, or NULL; then *ret_column (from 1, in characters) is where. */
const char *lines_wrong_bytes(const char *text, size_t length, unsigned *ret_column);
