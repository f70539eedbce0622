/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nets: a launch's networks, from their steps to the descriptors that QEMU is given. They come first of all steps: a
 * tap must be there before QEMU is forked, because its descriptor is inherited, and it must be gone after QEMU.
 */
#pragma once
#include "launcher/live/machine.h"

/* A process for each network, and the steps bound to those that they start. Call it before anything is applied. */
void nets_bind(struct machine *m);
/* Applies the steps of networks and adds their descriptors to those of QEMU. */
struct err *nets_begin(struct machine *m);
