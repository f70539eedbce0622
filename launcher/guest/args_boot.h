/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: in which order the firmware tries what it can boot from. Pure. */
#pragma once
#include "launcher/config/config.h"

/*
 * QEMU's bootindex of a [disk], [cdrom] or [network], from 1; 0 for none. By boot.order; without one, the disks and
 * then the CD-ROMs, unless the kernel is given directly.
 */
int boot_index(const struct config *c, const char *name);
