/* SPDX-License-Identifier: GPL-2.0-or-later */
/* monitor: QEMU's monitor in the event loop: reads when it speaks, writes when it can, wakes when a command has run out of time. */
#pragma once
#include "launcher/live/machine.h"

/* Watches m->qmp in m->event until it closes. `broken` is called once with an error other than its being closed. */
struct err *monitor_watch(struct machine *m, void (*broken)(struct machine *m, struct err *e));
/* QEMU has ended: delivers what it had still said. */
void monitor_drain(struct machine *m);
