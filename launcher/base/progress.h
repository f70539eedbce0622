/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * progress: what long work is at, in one line on standard error that is drawn over again and again and is gone when the work has ended.
 *
 *     copying windows.qcow2 ████████████░░░░░░░░░░░░ 52 %, 16.6 of 32G, 12 s
 *     win11: waiting for QEMU, 3 s
 *
 * On a terminal only, and neither with --quiet nor TERM=dumb: in a pipe and in the journal every function here does nothing at all. One
 * work at a time. log wipes the line before what it says and draws it again below; whoever writes to the terminal by another way
 * (standard output, a child that has it) ends the progress first. Work that is over sooner than PROGRESS_FIRST_MS shows nothing.
 */
#pragma once
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "launcher/base/str.h"

#define PROGRESS_FIRST_MS 300 /* before the first line */
#define PROGRESS_EVERY_MS 100 /* between two lines */

/*
 * Begins a work, named by `what` ("copying windows.qcow2"), and ends the one before, if any. Returns whether there will be anything to see:
 * who must do something for the figures alone need not do it else. Ended by progress_end(), or with the variable:
 *     cleanup_progress bool shown = progress_begin("copying %s", name);
 */
__attribute__((format(printf, 1, 2))) bool progress_begin(const char *what, ...);
/* How far it is: `done` of `total` (any unit; total 0: nobody knows, there is no bar), and in words, e.g. "3 of 16G", or NULL. As often as
 * one likes: it draws PROGRESS_EVERY_MS apart. */
void progress_update(uint64_t done, uint64_t total, const char *detail);
/* Draws again if it is time, for the seconds to go on. */
void progress_tick(void);
void progress_end(void);
void progress_endp(const bool *shown);
#define cleanup_progress __attribute__((__cleanup__(progress_endp), __unused__))

/* Who knows how far it is, asked before each line: calls progress_update(). Until the work ends, or NULL takes its place. `data` is
 * borrowed. */
void progress_watch(void (*fn)(void *data), void *data);

/* drain_poll() while the line goes on. */
int progress_poll(struct pollfd *p, nfds_t n, int limit_ms);
/* How long a poll may wait at most so that the line goes on: `limit_ms` (-1: for ever) where nothing is to be seen. */
int progress_wait_ms(int limit_ms);
/* In a forked child: the line is the parent's. */
void progress_forget(void);

/* The line itself, at most `columns` wide, without escape sequences but for the bar's colour. Pure; owned by the caller. */
struct progress_state {
	const char *what, *detail; /* detail may be NULL */
	uint64_t done, total;      /* total 0: no bar */
	uint64_t elapsed_s;        /* 0: not said */
	bool colours;
};
char *progress_line(const struct progress_state *p, size_t columns);
