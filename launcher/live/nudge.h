/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nudge: "Press any key to boot from CD or DVD": Windows's disc waits five seconds for it, and the firmware goes on without. For an installation
 * that nobody sits before, Enter is pressed each second until the disc is being read in earnest, and never after.
 */
#pragma once
#include "launcher/live/machine.h"

struct nudge;

/* NULL where the run does not want it. */
struct nudge *nudge_begin(struct machine *m);
void nudge_end(struct nudge *n); /* NULL is fine */
