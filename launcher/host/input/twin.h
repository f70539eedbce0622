/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * twin: a virtual input device (uinput) that stands in for a keyboard or mouse. The real device is the launcher's
 * alone, who copies each event to the twin; the host's desktop and QEMU know the twin only, and hand it to each other
 * by QEMU's toggle keys. So the real device may vanish and come back (unplugged, a receiver asleep): the twin stays,
 * and its held keys are let go.
 *
 * 1. Made by its step: capabilities copied, its node given to QEMU's user. Nothing else yet: the real device still
 *    serves the host.
 * 2. Watched: as soon as no key is down, the real device is grabbed (EVIOCGRAB), and from then on its events go to the
 *    twin. Grabbed with a key down, the host would never see that key go up.
 * 3. Let go: by the escape chord the launcher gives the real device back to the host, and asks nobody for it, a hung
 *    QEMU least of all. The chord again, and it is the twin's.
 * 4. It ends with the launcher, even a killed one: the kernel removes the twin and lets the real device go.
 *
 * Kind "twin": target the real device as the configuration writes it, values the owner of the twin's node ("1000") and "absent". It touches
 * /dev/uinput, the real device, the twin's node and the link to it; it never writes to a terminal and never logs what
 * was typed.
 */
#pragma once
#include "launcher/base/sd.h"
#include "launcher/host/input/input.h"
#include "launcher/step/step.h"

extern const struct step_kind twin_kind; /* step->data: a struct twin */

struct twin;

/* Of that input, which names the real device, its node and where the link to the twin's will be (what QEMU opens). Both are borrowed. */
struct twin *twin_new(struct root *root, const struct input *in);
void twin_free(struct twin *t); /* NULL is fine */
bool twin_made(const struct twin *t);
/* QEMU has opened it: its node is root's again, so that no program of the user's listens to the keyboard. */
struct err *twin_close_node(struct twin *t);

/* What its owner is told; any may be NULL. */
struct twin_told {
	void (*chord)(void *data);                  /* the escape chord was pressed: Ctrl, Alt, Shift and Esc */
	void (*away)(void *data, const char *name); /* the real device is gone */
	void *data;
};
/* Begins to feed it from the event loop. `told` is copied. */
struct err *twin_watch(struct twin *t, sd_event *event, const struct twin_told *told);
bool twin_is_away(const struct twin *t);
/* The real device is there again, and known to its input (input_met). */
struct err *twin_return(struct twin *t);
/* Lets the real device go to the host, or takes it again as soon as no key is down. Keys held on the twin are released.
 */
void twin_let_go(struct twin *t, bool host);
