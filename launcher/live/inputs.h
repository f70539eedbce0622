/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inputs: the keyboards and mice of one launch while it lives: their twins, the escape chord, devices that come later.
 * It changes the host by steps alone, and by the twins, which end with this process.
 *
 * The escape chord, Ctrl+Alt+Shift+Esc on any device with a twin, gives all of those to the host, whatever QEMU and the
 * guest are doing; pressed again, it gives them back.
 */
#pragma once
#include "launcher/live/machine.h"

struct inputs;

/* Makes the twins known to the plan's steps. To be called before they are applied. NULL for a machine without inputs.
 */
struct inputs *inputs_new(struct machine *m);
/* QEMU has opened them: their nodes are for root again. */
void inputs_opened(struct inputs *in);
/* Begins to feed the twins from the machine's event loop, and watches for devices that come. */
struct err *inputs_watch(struct inputs *in);
void inputs_free(struct inputs *in); /* NULL is fine */
