/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ready: the moment at which the guest drives its devices: the monitors are switched, the desktop is told, and the `ready` hook runs beside
 * the guest; the loop goes on, and ends the hook when it is late.
 */
#pragma once
#include "launcher/live/machine.h"

struct ready;

/* Monitors that are switched at the start are, from here on. */
struct ready *ready_begin(struct machine *m);
/* It has come. Only the first call counts. */
void ready_now(struct ready *r);
/* A hook that still runs is ended. NULL is fine. */
void ready_end(struct ready *r);
