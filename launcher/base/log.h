/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log: what the program says on standard error. One line a message, escaped for a terminal and broken at its
 * width, with the severity in front of warnings and errors. Under systemd (JOURNAL_STREAM set for this stderr) each line begins with its <priority>.
 */
#pragma once
#include <stddef.h>
#include "launcher/base/err.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Messages above `level` are dropped: --quiet is LOG_LEVEL_WARN, the default LOG_LEVEL_INFO, --verbose LOG_LEVEL_DEBUG. */
void log_set_level(enum log_level level);
enum log_level log_level(void);
__attribute__((format(printf, 1, 2))) void log_error(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void log_warn(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void log_info(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void log_debug(const char *fmt, ...);
/* Says an error and its remedy at `level`, and frees it. NULL says nothing. */
void log_err(enum log_level level, struct err *e);

/* Whether `fd` is a terminal that takes colours: isatty, and neither NO_COLOR nor TERM=dumb in the environment. */
bool log_colours(int fd);

/* Columns of the terminal that `fd` is, or that COLUMNS asks for where it is none, at least 20; 0: a pipe or a file has no width. */
size_t log_columns(int fd);

/* Who keeps a line on the terminal: `before` takes it away before anything is said, `after` puts it back. NULL: nobody. */
void log_around(void (*before)(void), void (*after)(void));

/* Who else is told all that is said up to LOG_LEVEL_INFO, also what --quiet drops: the text as a person reads it, without the word in front.
 * NULL: nobody. `data` is borrowed. */
void log_also(void (*fn)(void *data, enum log_level level, const char *text), void *data);
