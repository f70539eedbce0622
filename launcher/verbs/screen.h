/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * screen: a whole terminal, drawn over again and again, and given back as it was on every way out: q, Ctrl-C, Ctrl-Z and back, SIGTERM, a
 * terminal that is closed. Uses the alternate screen, so that what was on it before is there afterwards (ECMA-48, xterm's 1049).
 */
#pragma once
#include <termios.h>
#include "launcher/base/err.h"
#include "launcher/base/str.h"

struct screen {
	int signals;
	struct termios before;
	size_t rows, columns;
	size_t first; /* line that is in the top row: arrows, j and k, the space bar */
};

/* Whether standard input and output are terminals that can be drawn on (TERM is set, and not dumb). */
bool screen_possible(void);
/* From here on, SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT and SIGWINCH are for screen_wait(). */
struct err *screen_open(struct screen *s);
void screen_close(struct screen *s);
/* The lines, cut at the right; where there are too many the last row says so, and the keys scroll. Escape sequences in them are kept. */
void screen_draw(struct screen *s, const struct strv *lines);

enum screen_event { SCREEN_TIME, SCREEN_AGAIN, SCREEN_LEAVE, SCREEN_OTHER };
/* Waits until `deadline_ms` has come (CLOCK_MONOTONIC), the screen is to be drawn again, somebody wants to leave, or `other` is
 * readable. */
enum screen_event screen_wait(struct screen *s, int64_t deadline_ms, int other);

/* A line without what is beyond `columns`; escape sequences (CSI) take none. Pure; owned by the caller. */
char *screen_cut(const char *line, size_t columns);
