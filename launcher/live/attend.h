/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attend: what is seen to while the guest runs, beside its end: its viewer, the host's sleep, the interrupts that the
 * guest's drivers make once they have started, threads that QEMU makes later, and the `ready` hook when the guest drives
 * its devices. Timers and descriptors of the one event loop; the last timer goes off some
 * eight minutes after the guest's start or reboot, or the host's waking up.
 */
#pragma once
#include "launcher/live/machine.h"

struct attend;

/* Begins. What it cannot do is said as a warning: the guest runs without it. */
struct attend *attend_begin(struct machine *m);
/* The guest begins anew, and its drivers will ask for their interrupts once more. NULL is fine. */
void attend_reset(struct attend *a);
void attend_end(struct attend *a); /* NULL is fine */
