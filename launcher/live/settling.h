/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settling: the minutes after the guest's start or reboot, or the host's waking up, in which its drivers ask for their interrupts and QEMU
 * makes threads of its own: they are looked for, seldomer and seldomer, for some eight minutes, and put where they belong. By its
 * interrupts it is known, too, when the guest drives its devices (ready.h).
 */
#pragma once
#include "launcher/live/machine.h"

struct settling;

/* A guest without a passed-through device is ready at once; there is nothing to look for, and NULL comes back. */
struct settling *settling_begin(struct machine *m);
/* From the beginning: its drivers will ask for their interrupts once more. NULL is fine. */
void settling_again(struct settling *s);
void settling_end(struct settling *s); /* NULL is fine */
