/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page: see page.h. */
#include <stdio.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/str.h"
#include "launcher/verbs/pager.h"

size_t page_columns(void)
{
	return log_columns(STDOUT_FILENO);
}

size_t page_width(const char *text)
{
	return str_width(text);
}

char *page_cut(const char *text, size_t columns)
{
	return page_columns() ? str_cut(text, columns) : str_dup(text);
}

void page_wrap_after(const char *first, size_t at, size_t indent, const char *text)
{
	cleanup_free char *wrapped = str_wrap(first, at, indent, text, page_columns());
	puts(wrapped);
}

void page_wrap(const char *first, size_t indent, const char *text)
{
	page_wrap_after(first, indent, indent, text);
}
