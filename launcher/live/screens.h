/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * screens: the monitors of a running machine: each is switched when its time has come. A monitor takes a second to
 * answer, or for ever, and the event loop feeds keyboard and mouse meanwhile: so the engine applies the step in a forked
 * child, one at a time, which hands back what it found. The way back is the engine's, after the guest's end.
 */
#pragma once
#include "launcher/live/machine.h"

struct screens;

/* NULL where the machine has no monitor. */
struct screens *screens_begin(struct machine *m);
/* The guest drives its devices. */
void screens_ready(struct screens *s);
/* A switch under way is broken off: the way back finds it half done. NULL is fine. */
void screens_end(struct screens *s);
