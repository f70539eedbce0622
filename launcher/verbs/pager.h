/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page: text that fits the terminal that standard output is, and goes whole, unbroken, into a pipe. Writes to standard output, nothing else. */
#pragma once
#include <stddef.h>

#define PAGE_COLUMNS 80 /* what is drawn in columns wants, also in a pipe */

/* Columns of the terminal; 0: it is none. */
size_t page_columns(void);
/* Columns that UTF-8 text takes. */
size_t page_width(const char *text);
/* On a terminal: text cut to `columns`, the last one "…" where it was longer; else all of it. Owned by the caller. */
char *page_cut(const char *text, size_t columns);
/* `first` (printed as it is, `indent` columns wide), then the text broken at blanks, further lines indented as far. A
 * word longer than a line stays whole: it may be a command or a path. */
void page_wrap(const char *first, size_t indent, const char *text);
/* The same, with `first` `at` columns wide, and further lines indented by `indent`. */
void page_wrap_after(const char *first, size_t at, size_t indent, const char *text);
