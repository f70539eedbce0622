/* SPDX-License-Identifier: GPL-2.0-or-later */
/* err: see err.h. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "launcher/base/err.h"
#include "launcher/base/str.h"
#include "launcher/base/tr.h"

struct err {
	char *text, *remedy;
	int code;
	enum exit_status status;
};

__attribute__((format(printf, 1, 0))) static char *vformat(const char *fmt, va_list ap)
{
	struct sb sb = {};
	sb_vaddf(&sb, tr(fmt), ap);
	return sb_steal(&sb);
}

struct err *err_new(const char *fmt, ...)
{
	struct err *e = mem_new(sizeof(*e));
	va_list ap;
	va_start(ap, fmt);
	e->text = vformat(fmt, ap);
	va_end(ap);
	return e;
}

struct err *err_coded(int errnum, const char *fmt, ...)
{
	struct err *e = mem_new(sizeof(*e));
	va_list ap;
	va_start(ap, fmt);
	e->text = vformat(fmt, ap);
	va_end(ap);
	e->code = errnum;
	return e;
}

struct err *err_errno(int errnum, const char *fmt, ...)
{
	struct err *e = mem_new(sizeof(*e));
	cleanup_free char *text = NULL;
	va_list ap;
	va_start(ap, fmt);
	text = vformat(fmt, ap);
	va_end(ap);
	e->text = str_fmt("%s: %s", text, strerror(errnum));
	e->code = errnum;
	return e;
}

/* What the text begins with ("/sys/x: no such file") and the context has as a word already ("write 0 to /sys/x"): its length with the
 * colon, or 0. */
static size_t said_already(const char *context, const char *text)
{
	const char *colon = strstr(text, ": ");
	size_t n = colon ? (size_t)(colon - text) : 0;
	for (const char *at = context; n && (at = strchr(at, text[0])); at++)
		if (strncmp(at, text, n) == 0 && (at == context || at[-1] == ' ') && (!at[n] || at[n] == ' '))
			return n + 2;
	return 0;
}

struct err *err_wrap(struct err *e, const char *fmt, ...)
{
	if (!e)
		return NULL;
	cleanup_free char *inner = steal(e->text), *context = NULL;
	va_list ap;
	va_start(ap, fmt);
	context = vformat(fmt, ap);
	va_end(ap);
	e->text = str_fmt("%s: %s", context, inner + said_already(context, inner));
	return e;
}

struct err *err_hint(struct err *e, const char *fmt, ...)
{
	if (!e || e->remedy)
		return e;
	va_list ap;
	va_start(ap, fmt);
	e->remedy = vformat(fmt, ap);
	va_end(ap);
	return e;
}

struct err *err_exit(struct err *e, enum exit_status status)
{
	if (e && e->status == EXIT_OK)
		e->status = status;
	return e;
}

const char *err_text(const struct err *e)
{
	return e ? e->text : "";
}

const char *err_remedy(const struct err *e)
{
	return e ? e->remedy : NULL;
}

int err_code(const struct err *e)
{
	return e ? e->code : 0;
}

enum exit_status err_status(const struct err *e)
{
	if (!e)
		return EXIT_OK;
	return e->status == EXIT_OK ? EXIT_GUEST : e->status;
}

void err_free(struct err *e)
{
	if (!e)
		return;
	free(e->text);
	free(e->remedy);
	free(e);
}

void err_freep(struct err **e)
{
	err_free(*e);
}
