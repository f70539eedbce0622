/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hooks: programs of the user's, run as the user: before the first change, when the guest runs, after the last undo. They learn about the
 * machine from QLAUNCH_* variables, have a time limit, and no right that the user has not.
 */
#pragma once
#include "launcher/live/machine.h"

struct hook {
	struct process process;
	struct strv argv, env;
	const char *name; /* "before", "ready" or "after" */
};

/* Starts the program at `path` (NULL: nothing, and hook->name stays NULL). */
struct err *hook_start(struct machine *m, const char *name, const char *path, struct hook *hook);
/* What its end means: NULL for status 0. Ends it if it still runs: it was late. What it printed was read all the time, and its last lines
 * are quoted. */
struct err *hook_result(struct machine *m, struct hook *hook);
/* Starts it and waits. With `failure = warn`, what fails is logged. */
struct err *hook_run(struct machine *m, const char *name, const char *path);
void hook_close(struct hook *hook);
