/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tr: see tr.h. Binds the catalog at the first text that is to be translated: most runs never do. */
#include <fcntl.h>
#include <libintl.h>
#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/tr.h"

#define DOMAIN "qlaunch"

static enum { OFF, ASKED, ON } state = OFF;

void tr_start(void)
{
	state = ASKED;
}

void tr_stop(void)
{
	state = OFF;
}

static const char *variable(const char *name)
{
	const char *value = getenv(name);
	return value && *value ? value : NULL;
}

/* Whether a locale's name is that of the source's own language: "C", "C.UTF-8", "POSIX", "en_GB.UTF-8", "en". */
static bool ours(const char *locale)
{
	size_t n = strcspn(locale, "_.@:");
	return (n == 1 && *locale == 'C') || (n == 2 && strncmp(locale, "en", 2) == 0) || streq(locale, "POSIX");
}

/* As setlocale(3) and gettext(3) choose: the first of three that is set; LANGUAGE before it, unless that one is C. */
static bool wanted(void)
{
	const char *locale = variable("LC_ALL");
	if (!locale)
		locale = variable("LC_MESSAGES");
	if (!locale)
		locale = variable("LANG");
	if (!locale || *locale == 'C' || streq(locale, "POSIX"))
		return false;
	const char *language = variable("LANGUAGE");
	return !ours(language ? language : locale);
}

/* Where the catalogs are: beside the binary as it was built, or in the share/ of the prefix that it is installed in. */
static char *catalogs(void)
{
	char exe[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (n <= 0 || (size_t)n >= sizeof(exe))
		return NULL;
	exe[n] = '\0';
	*strrchr(exe, '/') = '\0';
	char *dir = str_fmt("%s/locale", exe);
	if (faccessat(AT_FDCWD, dir, R_OK | X_OK, AT_EACCESS) == 0)
		return dir;
	free(dir);
	return str_fmt("%s/../share/locale", exe);
}

/* All output is UTF-8, whatever LC_CTYPE is, and numbers stay as they are: so LC_MESSAGES alone is set. */
static bool bind(void)
{
	cleanup_free char *dir = wanted() ? catalogs() : NULL;
	if (!dir || !setlocale(LC_MESSAGES, "") || !bindtextdomain(DOMAIN, dir))
		return false;
	bind_textdomain_codeset(DOMAIN, "UTF-8");
	bind_textdomain_codeset("libc", "UTF-8"); /* strerror's */
	return true;
}

const char *tr(const char *text)
{
	if (state == ASKED)
		state = bind() ? ON : OFF;
	return state == ON && text && *text ? dgettext(DOMAIN, text) : text;
}

const char *tr_n(const char *one, const char *many, unsigned long n)
{
	if (tr(one) == one && state != ON)
		return n == 1 ? one : many;
	return dngettext(DOMAIN, one, many, n);
}

char *tr_fmt(const char *fmt, ...)
{
	struct sb sb = {};
	va_list ap;
	va_start(ap, fmt);
	sb_vaddf(&sb, tr(fmt), ap);
	va_end(ap);
	return sb_steal(&sb);
}

char *tr_dup(const char *text)
{
	return str_dup(tr(text));
}
