/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log: see log.h. Writes to standard error only. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/str.h"
#include "launcher/base/tr.h"

static enum log_level max_level = LOG_LEVEL_INFO;
static void (*before)(void), (*after)(void);
static void (*also)(void *data, enum log_level level, const char *text);
static void *also_data;

/* By level: syslog priority for the journal (sd-daemon(3)), the word in front, its colour. */
static const struct {
	int priority;
	const char *word, *colour;
} levels[] = {
	[LOG_LEVEL_ERROR] = { 3, N_("error: "), "\033[1;31m" },
	[LOG_LEVEL_WARN] = { 4, N_("warning: "), "\033[1;33m" },
	[LOG_LEVEL_INFO] = { 6, "", "" },
	[LOG_LEVEL_DEBUG] = { 7, "", "\033[2m" },
};

void log_set_level(enum log_level level)
{
	max_level = level;
}

enum log_level log_level(void)
{
	return max_level;
}

void log_around(void (*fn_before)(void), void (*fn_after)(void))
{
	before = fn_before;
	after = fn_after;
}

void log_also(void (*fn)(void *data, enum log_level level, const char *text), void *data)
{
	also = fn;
	also_data = data;
}

/* Whether anybody hears a message of this level. */
static bool is_heard(enum log_level level)
{
	return level <= max_level || (also && level <= LOG_LEVEL_INFO);
}

bool log_colours(int fd)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	return !(no && *no) && term && !streq(term, "dumb") && isatty(fd);
}

size_t log_columns(int fd)
{
	struct winsize size;
	const char *asked = getenv("COLUMNS");
	size_t columns;
	if (isatty(fd))
		columns = ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
	else
		columns = asked ? strtoul(asked, NULL, 10) : 0;
	return columns && columns < 20 ? 20 : columns;
}

/* systemd.exec(5): JOURNAL_STREAM is "device:inode" of the stream it connected. */
static bool to_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat st;
	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	cleanup_free char *ours = str_fmt("%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return streq(stream, ours);
}

/* As it stands on a terminal, with its word in front. A remedy that is a command stays on one line, so that it can be copied. */
static char *broken(const char *word, const char *text)
{
	const char *rest = text + strspn(text, " ");
	cleanup_free char *blanks = str_ndup(text, (size_t)(rest - text)), *first = str_fmt("%s%s", word, blanks);
	bool command = str_starts(rest, "→ sudo ") || str_starts(rest, "→ qlaunch ");
	size_t indent = (size_t)(rest - text) + 2;
	return str_wrap(first, str_width(first), indent, rest, command ? 0 : log_columns(STDERR_FILENO));
}

/* A line that begins with a blank goes on with the one before: it has no word in front. */
static void say(enum log_level level, const char *text)
{
	cleanup_free char *clean = str_printable(text);
	if (also && level <= LOG_LEVEL_INFO)
		also(also_data, level, clean);
	if (level > max_level)
		return;
	cleanup_sb struct sb line = {};
	const char *word = *text == ' ' ? "" : tr(levels[level].word);
	if (to_journal())
		sb_addf(&line, "<%d>%s\n", levels[level].priority, clean);
	else if (isatty(STDERR_FILENO)) {
		cleanup_free char *shown = broken(word, clean);
		const char *colour = log_colours(STDERR_FILENO) ? levels[level].colour : "";
		sb_addf(&line, "%s%s%s%s\n", colour, *colour ? word : "", *colour ? "\033[0m" : "", shown + (*colour ? strlen(word) : 0));
	} else
		sb_addf(&line, "%s%s\n", word, clean);
	if (before)
		before();
	/* a closed standard error is nobody's failure */
	if (write(STDERR_FILENO, line.s, line.len) >= 0 && after)
		after();
}

__attribute__((format(printf, 2, 0))) static void vsay(enum log_level level, const char *fmt, va_list ap)
{
	if (!is_heard(level))
		return;
	cleanup_sb struct sb sb = {};
	sb_vaddf(&sb, tr(fmt), ap);
	say(level, sb.s ? sb.s : "");
}

#define DEFINE_LOG(name, level)               \
	void name(const char *fmt, ...)       \
	{                                     \
		va_list ap;                   \
		va_start(ap, fmt);            \
		vsay((level), fmt, ap);       \
		va_end(ap);                   \
	}
DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warn, LOG_LEVEL_WARN)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)

void log_err(enum log_level level, struct err *e)
{
	if (e && is_heard(level)) {
		cleanup_strv struct strv lines = {}; /* a configuration's errors come as one, a line each */
		strv_split(&lines, err_text(e), "\n");
		for (size_t i = 0; i < lines.n; i++)
			say(level, lines.v[i]);
		if (err_remedy(e)) {
			cleanup_free char *remedy = str_fmt("  → %s", err_remedy(e));
			say(level, remedy);
		}
	}
	err_free(e);
}
