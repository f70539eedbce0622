/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * announce: what a run tells the desktop, for who started it by a click: that the guest is ready, that it has ended and the host is as
 * before, or why not. By host.notify; where nobody has set it, not from a terminal, where all of it is read anyway.
 */
#pragma once
#include "launcher/plan/plan.h"

/* The guest drives its devices. Does not wait. */
void announce_ready(const struct cli *cli, const struct plan *p);
/*
 * The end of a run, with its error (NULL for none; it stays the caller's). `word` names the machine where there is no plan: its
 * configuration was refused. Waits some seconds at most.
 */
void announce_end(const struct cli *cli, const struct plan *p, const char *word, const struct err *e);
