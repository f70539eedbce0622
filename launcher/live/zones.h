/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * zones: while the guest runs, a bridge that firewalld forgets is taken into its zone again. firewalld answers within a second, or not at all
 * for as long as a call may take, and the event loop feeds keyboard and mouse meanwhile: so the engine renews the steps in a forked child.
 */
#pragma once
#include "launcher/live/machine.h"

struct zones;

/* NULL where no bridge is in a zone, or firewalld cannot be listened to (said). */
struct zones *zones_begin(struct machine *m);
/* A renewal under way is broken off: the way back finds what it has done. NULL is fine. */
void zones_end(struct zones *z);
