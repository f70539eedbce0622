/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * waiting: while the guest boots or shuts down and the launcher only waits, the seconds go on in a line on the terminal (base/progress.h).
 * Where there is nobody to see it, or the terminal is the guest's console, no timer runs and nothing wakes up.
 */
#pragma once
#include "launcher/live/machine.h"

/* "win11: what, 12 s". Ends what was waited for before. */
void waiting_begin(struct machine *m, const char *what);
void waiting_end(struct machine *m);
