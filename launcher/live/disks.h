/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disks: the descriptors of the guest's block devices on their way from the step that claims each (block.h) to QEMU, which inherits them
 * and with them the claims. Opens nothing itself.
 */
#pragma once
#include "launcher/live/machine.h"

/* Gives the steps their place for a descriptor. */
void disks_bind(struct machine *m);
/* Once they are open: to QEMU, behind those of the shares, as the plan's arguments count them. */
void disks_give(struct machine *m);
void disks_close(struct machine *m);
