/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page: text that fits a terminal of 80 columns. Writes to standard output, nothing else. */
#pragma once
#include <stddef.h>

#define PAGE_COLUMNS 80

/* Columns of UTF-8 text, one a character: what qlaunch prints has no wide ones. */
size_t page_width(const char *text);
/* Text cut to `columns`, the last one "…" where it was longer. Owned by the caller. */
char *page_cut(const char *text, size_t columns);
/* `first` (printed as it is, `indent` columns wide), then the text broken at blanks, further lines indented as far. A
 * word longer than a line stays whole: it may be a command or a path. */
void page_wrap(const char *first, size_t indent, const char *text);
