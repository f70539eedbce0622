/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shares: a launch's shared folders: their virtiofsd processes and the sockets between them and QEMU. */
#pragma once
#include "launcher/live/machine.h"

/* A process for each, bound to its step. Call it before anything is applied. */
void shares_bind(struct machine *m);
/* The sockets; QEMU's ends are added to its descriptors, after all others. */
struct err *shares_connect(struct machine *m);
/* Starts them: before QEMU is let go, which talks to them at once. */
struct err *shares_begin(struct machine *m);
