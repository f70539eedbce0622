/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page: see page.h. */
#include <stdio.h>
#include "launcher/base/str.h"
#include "launcher/verbs/pager.h"

size_t page_width(const char *text)
{
	return str_width(text);
}

char *page_cut(const char *text, size_t columns)
{
	return str_cut(text, columns);
}

void page_wrap(const char *first, size_t indent, const char *text)
{
	cleanup_strv struct strv words = {};
	size_t at = indent;
	strv_split(&words, text, " ");
	fputs(first, stdout);
	for (size_t i = 0; i < words.n; i++) {
		size_t width = page_width(words.v[i]);
		if (i && at + 1 + width > PAGE_COLUMNS) {
			printf("\n%*s", (int)indent, "");
			at = indent;
		} else if (i) {
			putchar(' ');
			at++;
		}
		fputs(words.v[i], stdout);
		at += width;
	}
	putchar('\n');
}
