/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tr: what a person reads, in the person's language (gettext; catalogs: share/po). Nothing is translated before tr_start(), nor with the
 * locale C, POSIX or English, which cost no more than a look at the environment. What a script reads is never translated: --json calls
 * tr_stop().
 *
 * err_*, log_* and the others of share/po/keywords translate their formats themselves: xgettext finds their literals without marks. Any
 * other literal is marked: _() where it is used, N_() where somebody else translates it later.
 */
#pragma once
#include <stdarg.h>
#include "launcher/base/str.h"

/* From now on texts are translated, if the environment asks for a language that there is a catalog for. Looks nothing up yet. */
void tr_start(void);
/* From now on they are not: for output that scripts read. */
void tr_stop(void);

/* The text in the person's language, or `text` itself; lives as long as the program. NULL stays NULL. */
__attribute__((format_arg(1))) const char *tr(const char *text);
/* str_fmt() and str_dup() of the translated text; NULL stays NULL. */
__attribute__((format(printf, 1, 2))) char *tr_fmt(const char *fmt, ...);
char *tr_dup(const char *text);

/* The form of a text that goes with `n`, as ngettext(3): the catalog knows how many forms its language has. */
__attribute__((format_arg(1), format_arg(2))) const char *tr_n(const char *one, const char *many, unsigned long n);

#define _(text) tr(text)
/* Only marks a literal in a table; the one who prints it translates it. */
#define N_(text) text
